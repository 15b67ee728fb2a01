// The runs of the demo, and what happens to three of them: one is cancelled while queued, one while
// a worker is at it, and the worker of a third is killed. Each act waits for what the ledger says,
// not for time to pass. Used by demo.js.

import { setTimeout as delay } from "node:timers/promises";
import { runner_id } from "./host.js";
import { ended_statuses, getRun, listRuns } from "./ledger.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("./ledger.js").RunRecord} RunRecord
 * @typedef {import("./fleet.js").Fleet} Fleet
 *
 * @typedef {object} Planned A run that was asked for, and how it has to end.
 * @property {string} run_id
 * @property {string} path
 * @property {"report" | "cancel_queued" | "cancel_running" | "kill"} act
 *
 * @typedef {object} Stage
 * @property {Host} frontend
 * @property {string} session Conversation and queue of this demo's runs.
 * @property {Planned[]} planned
 */

/** Long enough to be seen at work; the pause comes twice in a run. */
const pace_ms = 1500;
const poll_ms = 50;
const settle_ms = 250;
/** Before the other runs, so that the acts play while those are worked off. */
const early = { priority: 10 };

/**
 * @param {Stage} stage
 * @param {Omit<Planned, "run_id">} asked
 * @param {{ priority?: number, not_before?: number, pace_ms?: number }} [more]
 * @returns {Promise<string>} The run's id.
 */
export async function createRun(stage, { path, act }, { pace_ms, ...more } = {}) {
  const { frontend, session, planned } = stage;
  const run_id = `${session}-${planned.length + 1}`;
  planned.push({ run_id, path, act });
  const pace = pace_ms === undefined ? {} : { pace_ms };
  await frontend.call("run_create", {
    run_id,
    runner_id,
    conversation_id: session,
    queue_name: session,
    input: { text: `Report on ${path}`, path, ...pace },
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
  await stage.frontend.call("run_cancel", { target_run_id, reason: "not needed any more" });
}

/**
 * The worker hears of the cancel and ends the run itself.
 * @param {Stage} stage
 * @param {string} path
 */
export async function cancelRunning(stage, path) {
  const { frontend } = stage;
  const slow = { ...early, pace_ms };
  const target_run_id = await createRun(stage, { path, act: "cancel_running" }, slow);
  await waitForRun(frontend, target_run_id, isAtWork);
  await frontend.call("run_cancel", { target_run_id, reason: "the reader went away" });
  await waitForRun(frontend, target_run_id, isEnded);
}

/**
 * Kills the worker of a run that is half done; answers what the dead one held.
 * @param {Stage} stage
 * @param {{ path: string, fleet: Fleet }} cast
 */
export async function killWorker(stage, { path, fleet }) {
  const { frontend, session } = stage;
  const run_id = await createRun(stage, { path, act: "kill" }, { ...early, pace_ms });
  const { claimed_by_runtime_id } = await waitForRun(frontend, run_id, isAtWork);
  const runtime_id = String(claimed_by_runtime_id);
  await fleet.kill(runtime_id);
  const listHeld = async () => {
    const claimed = await listRuns(frontend, { conversation_id: session, statuses: ["claimed"] });
    return claimed.filter((run) => run.claimed_by_runtime_id === runtime_id);
  };
  // What the worker sent before it died may still be on its way to the host; then it is stored.
  const first = await listHeld();
  await delay(settle_ms);
  const second = new Set((await listHeld()).map((run) => run.run_id));
  return { runtime_id, held: first.filter((run) => second.has(run.run_id)) };
}

/** @param {RunRecord} run */
const isAtWork = (run) => run.status === "claimed" && run.last_sequence > 0;

/** @param {RunRecord} run */
const isEnded = (run) => ended_statuses.includes(run.status);

/**
 * @param {Host} connection
 * @param {string} run_id
 * @param {(run: RunRecord) => boolean} holds
 */
async function waitForRun(connection, run_id, holds) {
  for (;;) {
    const run = await getRun(connection, run_id);
    if (holds(run)) return run;
    if (isEnded(run)) throw new Error(`${run_id} ended as ${run.status} before its time`);
    await delay(poll_ms);
  }
}
