// The worker processes of the demo: starts them, each with a runtime of its own, kills one when the
// demo asks, and stops the rest. A worker that ends by itself is remembered as a problem; when none
// is left, waiting for the fleet fails. Used by demo.js.

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/**
 * @typedef {import("node:child_process").ChildProcess} ChildProcess
 * @typedef {{ child: ChildProcess, runtime_id: string, ended: Promise<void> }} Member
 * @typedef {Awaited<ReturnType<typeof startFleet>>} Fleet
 */

const worker_file = fileURLToPath(new URL("worker.js", import.meta.url));
const stop_seconds = 5;

/**
 * @param {object} parts
 * @param {number} parts.count
 * @param {string} parts.session Makes the runtime ids those of this demo alone.
 * @param {Record<string, string>} parts.environment
 * @param {(stop: () => unknown) => void} parts.atEnd
 */
export async function startFleet({ count, session, environment, atEnd }) {
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
  for (let number = 1; number <= count; number += 1) {
    const member = forkWorker(`${session}-worker-${number}`, environment);
    members.add(member);
    void member.ended.then(() => {
      members.delete(member);
      if (!expected.has(member)) problems.push(`${member.runtime_id} ended by itself`);
      if (members.size === 0) fail(new Error(problems.join("; ") || "the workers have ended"));
    });
  }
  await Promise.all([...members].map(waitUntilReady));
  return {
    problems,
    /** Rejects when no worker is left. */
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
 * @param {string} runtime_id
 * @param {Record<string, string>} environment
 * @returns {Member}
 */
function forkWorker(runtime_id, environment) {
  // Nothing else of this process's environment is the worker's business.
  const { PATH = "" } = process.env;
  const env = { PATH, ...environment, DEMO_RUNTIME: runtime_id };
  const child = fork(worker_file, [], { env, execArgv: [] });
  const ended = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  return { child, runtime_id, ended };
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
