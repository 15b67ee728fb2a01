// The runs of the demo, and what happens to three of them: one is cancelled while queued, one while
// a worker is at it, and the worker of a third is killed. Each act follows the events of its run;
// nothing waits for time to pass. Used by demo.js.

import { runner_id } from "./host.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("./fleet.js").Fleet} Fleet
 *
 * @typedef {object} Planned A run that was asked for, and how it has to end.
 * @property {string} run_id
 * @property {string} path
 * @property {"report" | "cancel_queued" | "cancel_running" | "kill"} act
 *
 * @typedef {object} Killed The worker that was killed, and the claim under which it worked.
 * @property {string} runtime_id
 * @property {string} run_id
 * @property {number} claim_epoch
 *
 * @typedef {object} Stage
 * @property {Host} frontend
 * @property {string} session Conversation and queue of this demo's runs.
 * @property {Planned[]} planned
 */

/** Before the other runs, so that the acts play while those are worked off. */
const early = { priority: 10 };
/** The worker holds such a run until it is stopped or killed, which comes long before. */
const held = { ...early, hold_ms: 600_000 };

/**
 * @param {Stage} stage
 * @param {Omit<Planned, "run_id">} asked
 * @param {{ priority?: number, not_before?: number, hold_ms?: number }} [more]
 * @returns {Promise<string>} The run's id.
 */
export async function createRun(stage, { path, act }, { hold_ms = 0, ...more } = {}) {
  const { frontend, session, planned } = stage;
  const run_id = `${session}-${planned.length + 1}`;
  planned.push({ run_id, path, act });
  await frontend.runCreate({
    run_id,
    runner_id,
    conversation_id: session,
    queue_name: session,
    input: { text: `Report on ${path}`, path, hold_ms },
    ...more,
  });
  return run_id;
}

/**
 * A run that is not due yet is cancelled before anybody can claim it.
 * @param {Stage} stage
 * @param {string} path
 */
export async function cancelQueued(stage, path) {
  const not_before = Math.floor(Date.now() / 1000) + 3600;
  const target_run_id = await createRun(stage, { path, act: "cancel_queued" }, { not_before });
  await stage.frontend.runCancel({ target_run_id, reason: "not needed any more" });
}

/**
 * The worker hears of the cancel and ends the run itself.
 * @param {Stage} stage
 * @param {string} path
 */
export async function cancelRunning(stage, path) {
  const target_run_id = await createRun(stage, { path, act: "cancel_running" }, held);
  const events = stage.frontend.events(target_run_id);
  await events.next();
  await stage.frontend.runCancel({ target_run_id, reason: "the reader went away" });
  for await (const _event of events);
}

/**
 * Kills the worker of a run that is half done. Whoever works on it is named by its first event.
 * @param {Stage} stage
 * @param {{ path: string, fleet: Fleet }} cast
 * @returns {Promise<Killed>}
 */
export async function killWorker(stage, { path, fleet }) {
  const run_id = await createRun(stage, { path, act: "kill" }, held);
  for await (const { source, claim_epoch } of stage.frontend.events(run_id)) {
    const runtime_id = source.replace(/^runtime:/, "");
    await fleet.kill(runtime_id);
    return { runtime_id, run_id, claim_epoch: Number(claim_epoch) };
  }
  throw new Error(`${run_id} ended before anybody worked on it`);
}
