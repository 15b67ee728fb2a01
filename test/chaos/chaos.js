// Plays figures one after the other and judges each by what it counted, found and measured.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createChance } from "./chance.js";
import { openScene } from "./scene.js";

/**
 * @typedef {{ name: string, value: number, limit: number }} Timing a value over its limit is a breach
 * @typedef {{ counts: Record<string, number | string>, breaches: string[], timings?: Timing[], skipped?: string }} Outcome
 * @typedef {Outcome & { also?: Record<string, Outcome & { title: string }> }} Played
 * @typedef {{
 *   scene: import("./scene.js").Scene, chance: import("./chance.js").Chance,
 *   size: Record<string, number>, folder: string, seed: number, name: import("./options.js").Size,
 * }} Stage
 * @typedef {{
 *   id: string, title: string, also?: readonly string[], sizes: Record<import("./options.js").Size, Record<string, number>>,
 *   play(stage: Stage): Promise<Played>,
 * }} Figure
 * @typedef {Outcome & {
 *   id: string, title: string, verdict: "holds" | "BROKEN" | "skipped", seconds: number, timings: Timing[],
 * }} Result
 */

/** A figure that is not over by then never will be. */
const longest_ms = { full: 3_600_000, quick: 180_000, smoke: 180_000 };

/** @template T @param {Promise<T>} work @param {{ ms: number, signal: AbortSignal }} limit */
async function withLimit(work, { ms, signal }) {
  const over = new AbortController();
  try {
    return await Promise.race([work, /** @type {Promise<never>} */ (new Promise((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`not over after ${ms / 1000} s`)), ms);
      over.signal.addEventListener("abort", () => clearTimeout(timer));
      signal.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
    }))]);
  } finally {
    over.abort();
  }
}

/** What a figure shows besides itself has a row of its own. @param {Figure} figure */
export const idsOf = ({ id, also = [] }) => [id, ...also];

/** A timing is judged where the machine is ours; in a smoke test beside others it is only shown.
 * @param {Outcome} outcome @param {{ timed: boolean }} how @returns {"holds" | "BROKEN" | "skipped"} */
export function judge({ breaches, timings = [], skipped }, { timed }) {
  if (skipped !== undefined) return "skipped";
  const late = timed && timings.some(({ value, limit }) => !(value <= limit));
  return breaches.length > 0 || late ? "BROKEN" : "holds";
}

/**
 * @param {readonly Figure[]} figures @param {import("./options.js").ChaosOptions} options
 * @param {{ print(line: string): void, signal: AbortSignal }} means
 * @returns {Promise<Result[]>}
 */
export async function playFigures(figures, { size, only, seed, keep, database_url }, { print, signal }) {
  const chosen = figures.filter((figure) => only === null || idsOf(figure).some((id) => only.includes(id)));
  const scene = await openScene({ database_url, keep, fsync: size === "full" });
  const stop = () => void scene.close();
  signal.addEventListener("abort", stop);
  /** @type {Result[]} */
  const results = [];
  try {
    for (const { id, title, sizes, play } of chosen) {
      signal.throwIfAborted();
      const began = performance.now();
      const folder = join(scene.folder, id);
      await mkdir(folder, { recursive: true });
      const { also = {}, ...outcome } = await withLimit(play({
        scene, chance: createChance(seed, id), size: sizes[size], folder, seed, name: size,
      }), { ms: longest_ms[size], signal }).catch((thrown) => {
        signal.throwIfAborted();
        const why = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
        return /** @type {Played} */ ({ counts: {}, breaches: [`the figure did not come to its end: ${why}`] });
      });
      await scene.clear();
      const seconds = Math.round((performance.now() - began) / 100) / 10;
      for (const [name, one] of Object.entries({ [id]: { title, ...outcome }, ...also })) {
        const verdict = judge(one, { timed: size !== "smoke" });
        const result = { id: name, verdict, seconds, timings: [], ...one };
        results.push(result);
        print(describe(result));
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await scene.close();
    if (keep) print(`kept: ${scene.folder}`);
  }
  return results;
}

/** @param {Result} result */
function describe({ id, title, verdict, seconds, counts, timings, breaches, skipped }) {
  const facts = Object.entries(counts).map(([name, value]) => `${name} ${value}`);
  const times = timings.map(({ name, value, limit }) => `${name} ${value} (<= ${limit})`);
  const words = skipped === undefined ? [...facts, ...times].join(", ") : skipped;
  return [
    `${id.padEnd(4)}${verdict.padEnd(8)}${`${seconds} s`.padEnd(9)}${title}: ${words}`,
    ...breaches.slice(0, 20).map((breach) => `      ${breach}`),
  ].join("\n");
}
