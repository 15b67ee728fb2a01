// Measures subjects in interleaved rounds, one at a time, and sums each figure up in a row: medians,
// spread, ratio, verdict. A row stands for itself: its denominator is of the same rounds.

import { goalOf, judge } from "./goals.js";
import { median } from "./load/latency.js";

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {"per s" | "ms" | "MB"} unit
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number[]} values one for each round
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {Series} figure
 * @property {Series | null} denominator null: the goal is an absolute value
 * @property {number} value what is judged: the ratio, or the figure itself
 * @property {[number, number]} spread of the value over the rounds
 * @property {import("./goals.js").Verdict} verdict
 * @property {string[]} notes
 * @property {Series[]} beside measured in the same rounds, for comparison only
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {() => Promise<unknown>} [prepare] is not measured
 * @property {() => Promise<any>} measure
 */

/**
 * Every subject once per round; each second round in the opposite order, so that what drifts on the
 * machine meets all of them alike. Answers with what each measured, round by round.
 * @param {import("./bench.js").Bench} bench
 * @param {readonly Subject[]} subjects
 * @returns {Promise<Record<string, any[]>>}
 */
export async function measureRounds(bench, subjects) {
  /** @type {Record<string, any[]>} */
  const found = Object.fromEntries(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < bench.size.rounds; round += 1) {
    for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
      await subject.prepare?.();
      await bench.postgres.checkpoint();
      bench.ending.signal.throwIfAborted();
      const measured = await subject.measure();
      found[subject.name]?.push(measured);
      bench.say(`round ${round + 1} of ${bench.size.rounds}: ${subject.name}${brief(measured)}`);
    }
  }
  return found;
}

/** @param {any} measured */
const brief = (measured) => {
  const rate = typeof measured === "number" ? measured : measured?.per_second;
  return rate === undefined ? "" : `: ${Math.round(rate)} per s`;
};

/**
 * @param {string} name
 * @param {Series["unit"]} unit
 * @param {readonly number[]} values
 * @returns {Series}
 */
export const toSeries = (name, unit, values) => ({
  name, unit, values: [...values],
  median: median(values), min: Math.min(...values), max: Math.max(...values),
});

/** @param {string} name @param {readonly (number | { per_second: number })[]} measured */
export const toRates = (name, measured) =>
  toSeries(name, "per s", measured.map((one) => (typeof one === "number" ? one : one.per_second)));

/**
 * @param {string} key
 * @param {object} parts
 * @param {Series} parts.figure
 * @param {Series | null} [parts.denominator]
 * @param {string[]} [parts.notes]
 * @param {Series[]} [parts.beside]
 * @returns {Row}
 */
export function makeRow(key, { figure, denominator = null, notes = [], beside = [] }) {
  const by_round = denominator === null
    ? figure.values
    : figure.values.map((value, round) => value / (denominator.values[round] ?? Number.NaN));
  const value = denominator === null ? figure.median : figure.median / denominator.median;
  if (!Number.isFinite(value)) throw new Error(`${key} could not be measured`);
  const verdict = judge(goalOf(key), value);
  const spread = /** @type {[number, number]} */ ([Math.min(...by_round), Math.max(...by_round)]);
  return { key, figure, denominator, value, spread, verdict, notes, beside };
}
