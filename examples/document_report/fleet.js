// The worker processes of a demo: starts them, each with a runtime of its own, kills one when the
// demo asks, and stops the rest. A worker that ends by itself is remembered as a problem; when too
// few are left, waiting for the fleet fails. Used by both demos.

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/**
 * @typedef {import("node:child_process").ChildProcess} ChildProcess
 * @typedef {{ child: ChildProcess, runtime_id: string, ended: Promise<void> }} Member
 * @typedef {Awaited<ReturnType<typeof startFleet>>} Fleet
 *
 * @typedef {object} FleetPlan
 * @property {URL} file What each process runs.
 * @property {readonly string[]} runtime_ids One process for each.
 * @property {number} needed As long as so many are left, the loss of one is a problem only.
 * @property {Record<string, string>} environment
 * @property {(stop: () => unknown) => void} atEnd
 */

/** Then a worker that does not end by itself is killed. */
const stop_seconds = 30;

/** @param {FleetPlan} plan */
export async function startFleet({ file, runtime_ids, needed, environment, atEnd }) {
  /** @type {Set<Member>} */
  const members = new Set();
  /** @type {Set<Member>} */
  const expected = new Set();
  /** @type {string[]} */
  const problems = [];
  let fail = /** @type {(cause: Error) => void} */ (() => undefined);
  /** @type {Promise<never>} */
  const lost = new Promise((_resolve, reject) => {
    fail = reject;
  });
  lost.catch(() => undefined);

  const stop = async () => {
    for (const member of members) expected.add(member);
    await Promise.all([...members].map(stopMember));
  };
  atEnd(stop);
  for (const runtime_id of runtime_ids) {
    const member = forkWorker(file, { ...environment, WORKER_RUNTIME: runtime_id });
    members.add(member);
    void member.ended.then(() => {
      members.delete(member);
      if (!expected.has(member)) problems.push(`${member.runtime_id} ended by itself`);
      if (members.size < needed) fail(new Error(problems.join("; ") || "the workers have ended"));
    });
  }
  await Promise.race([Promise.all([...members].map(waitUntilReady)), lost]);
  return {
    problems,
    /** Rejects when too few workers are left. */
    lost,
    stop,
    /**
     * Ends a worker without any chance to clean up; resolves when the process is gone.
     * @param {string} runtime_id
     */
    async kill(runtime_id) {
      const member = [...members].find((one) => one.runtime_id === runtime_id);
      if (member === undefined) throw new Error(`there is no worker ${runtime_id} to kill`);
      expected.add(member);
      member.child.kill("SIGKILL");
      await member.ended;
    },
  };
}

/**
 * @param {URL} file
 * @param {Record<string, string> & { WORKER_RUNTIME: string }} environment
 * @returns {Member}
 */
function forkWorker(file, environment) {
  // Nothing else of this process's environment is the worker's business.
  const { PATH = "" } = process.env;
  const child = fork(fileURLToPath(file), [], { env: { PATH, ...environment }, execArgv: [] });
  const ended = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  return { child, runtime_id: environment.WORKER_RUNTIME, ended };
}

/** @param {Member} member */
async function waitUntilReady({ child, ended, runtime_id }) {
  const died = ended.then(() => {
    throw new Error(`${runtime_id} ended before it was ready`);
  });
  await Promise.race([once(child, "message"), died]);
}

/** @param {Member} member */
async function stopMember({ child, ended }) {
  if (child.connected) child.send("stop", () => undefined);
  const waited = new AbortController();
  const late = delay(stop_seconds * 1000, undefined, { signal: waited.signal }).then(
    () => child.kill("SIGKILL"),
    () => undefined,
  );
  await ended;
  waited.abort();
  await late;
}
