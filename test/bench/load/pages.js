// Reads pages of one method over a large ledger: each call at another place, a few at a time.

import { runWorkers } from "./latency.js";
import { openLinks } from "./link.js";

/**
 * @typedef {object} Ledger What was seeded, for choosing places.
 * @property {number} runs
 * @property {string} prefix of the run ids, which a number of eight digits follows
 * @property {string[]} conversations
 * @property {string[]} sessions run ids of live runs, each in one of the conversations
 * @property {string} runner_id
 *
 * @typedef {"run_list" | "run_events_page" | "history_page"} PageMethod
 */

/** @template T @param {readonly T[]} list @returns {T} */
const any = (list) => /** @type {T} */ (list[Math.floor(Math.random() * list.length)]);

/** @type {Record<PageMethod, ((ledger: Ledger) => Record<string, unknown>)[]>} */
const places = {
  run_list: [
    () => ({}),
    ({ runs }) => ({ before_cursor: String(1 + Math.floor(Math.random() * runs)) }),
    ({ conversations }) => ({ conversation_id: any(conversations) }),
    () => ({ statuses: ["completed"] }),
    ({ runner_id, runs }) => ({
      runner_id, before_cursor: String(1 + Math.floor(Math.random() * runs)),
    }),
  ],
  run_events_page: [
    ({ runs, prefix }) => ({ target_run_id: seededRun(prefix, runs) }),
    ({ runs, prefix }) => ({ target_run_id: seededRun(prefix, runs), direction: "backward" }),
    ({ runs, prefix }) => ({ target_run_id: seededRun(prefix, runs), after_cursor: "5" }),
  ],
  history_page: [
    ({ sessions }) => ({ run_id: any(sessions) }),
    ({ sessions }) => ({ run_id: any(sessions), direction: "forward" }),
    ({ sessions, runs }) => ({
      run_id: any(sessions), before_cursor: String(1 + Math.floor(Math.random() * runs)),
    }),
  ],
};

/** @param {string} prefix @param {number} runs */
const seededRun = (prefix, runs) =>
  prefix + String(1 + Math.floor(Math.random() * runs)).padStart(8, "0");

/**
 * @param {object} job
 * @param {{ url: string, token: string }} job.target
 * @param {PageMethod} job.method
 * @param {Ledger} job.ledger
 * @param {number} job.workers
 * @param {number} job.samples
 */
export async function readPages({ target, method, ledger, workers, samples }) {
  const links = await openLinks(target, workers);
  const warmup = Math.ceil(samples / 10);
  /** @param {number} count */
  const readSome = (count) => {
    let left = count;
    return runWorkers({
      workers, warmup_seconds: 0, seconds: 600,
      async perform(worker) {
        if ((left -= 1) < 0) return false;
        const place = any(places[method])(ledger);
        await links[worker]?.ask(method, JSON.stringify(place));
      },
    });
  };
  await readSome(warmup);
  const measured = await readSome(samples);
  for (const link of links) link.close();
  return measured;
}
