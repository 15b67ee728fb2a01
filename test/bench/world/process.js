// Child processes of the benchmark: load processes that play one scenario, and whatever else has to
// be gone when the benchmark is. A child that does not end when asked is killed.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../load/main.js", import.meta.url));
const stop_ms = 12_000;

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
export async function stopChild(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), stop_ms);
  await ended;
  clearTimeout(timer);
}

/**
 * A load process that stops at its pauses until it is told to go on.
 * @param {import("./ending.js").Ending} ending
 * @param {string} scenario
 * @param {object} job
 */
export function startLoad(ending, scenario, job) {
  const child = fork(entry, [], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const stop = ending.atEnd(() => stopChild(child, "SIGKILL"));
  let complaint = "";
  child.stderr?.on("data", (chunk) => (complaint = (complaint + chunk).slice(-2000)));
  /** @type {(news: any) => void} */
  let hearNews = () => undefined;
  const news = new Promise((resolve) => (hearNews = resolve));
  /** @type {Promise<any>} */
  const result = new Promise((resolve, reject) => {
    child.on("message", (/** @type {any} */ message) => {
      if ("news" in message) hearNews(message.news);
      else if ("result" in message) {
        ending.repeated_calls += message.repeated_calls;
        resolve(message.result);
      }
      else reject(new Error(`${scenario}: ${message.failure}`));
    });
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`${scenario} ended with ${signal ?? code} and no answer. ${complaint}`)));
  });
  const settled = result.finally(stop);
  // Nobody may be waiting for it any more when the benchmark is interrupted.
  settled.catch(() => undefined);
  child.send({ scenario, job });
  return {
    /** Settles at the first pause; rejects when there will be none. */
    paused: () => Promise.race([news, result.then(() => null)]),
    go: () => void child.send({ go: true }),
    result: settled,
  };
}

/**
 * @param {import("./ending.js").Ending} ending
 * @param {string} scenario
 * @param {object} job
 * @returns {Promise<any>}
 */
export const playScenario = (ending, scenario, job) => startLoad(ending, scenario, job).result;
