// The agent processes of the demo: starts them, each with a runtime of its own, and stops them. One
// that ends by itself makes `lost` fail. Used by demo.js.

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** @typedef {Awaited<ReturnType<typeof startAgents>>} Agents */

const agent_file = fileURLToPath(new URL("agent.js", import.meta.url));
const stop_ms = 5000;

/**
 * @param {object} parts
 * @param {readonly string[]} parts.runtime_ids One process for each.
 * @param {Record<string, string>} parts.environment
 * @param {(stop: () => unknown) => void} parts.atEnd
 */
export async function startAgents({ runtime_ids, environment, atEnd }) {
  let is_stopping = false;
  const started = runtime_ids.map((runtime_id) => {
    // Nothing else of this process's environment is the agent's business.
    const env = { PATH: process.env["PATH"] ?? "", ...environment, CHAT_RUNTIME: runtime_id };
    const child = fork(agent_file, [], { env, execArgv: [] });
    const ended = once(child, "exit").then(
      () => undefined,
      () => undefined,
    );
    return { child, ended, runtime_id };
  });
  const stop = async () => {
    is_stopping = true;
    await Promise.all(started.map(stopAgent));
  };
  atEnd(stop);
  /** @type {Promise<never>} */
  const lost = new Promise((_resolve, reject) => {
    for (const { ended, runtime_id } of started) {
      void ended.then(() => is_stopping || reject(new Error(`${runtime_id} ended by itself`)));
    }
  });
  lost.catch(() => undefined);
  const ready = started.map(({ child }) => once(child, "message"));
  await Promise.race([Promise.all(ready), lost]);
  return { lost, stop };
}

/** @param {{ child: import("node:child_process").ChildProcess, ended: Promise<void> }} agent */
async function stopAgent({ child, ended }) {
  if (child.connected) child.send("stop", () => undefined);
  const waited = new AbortController();
  const late = delay(stop_ms, undefined, { signal: waited.signal }).then(
    () => child.kill("SIGKILL"),
    () => undefined,
  );
  await ended;
  waited.abort();
  await late;
}
