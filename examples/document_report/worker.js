// A worker process of the plugin demo/documents: registers its own runtime, claims runs and writes
// a report for each. Address and token come through the environment, never the arguments. It stops
// on the message "stop", on SIGTERM, and with its parent; what it holds goes back to the queue.

import { connect, HostError } from "runhost/client";
import { setTimeout as delay } from "node:timers/promises";
import { holdRun, Stopped } from "./work/held_run.js";
import { DocumentError, writeReport } from "./work/write_report.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("./work/held_run.js").HeldRun} HeldRun
 * @typedef {{ connection: Host, settings: Settings, held: Map<string, HeldRun> }} Worker
 * @typedef {ReturnType<typeof readSettings>} Settings
 */

const capacity = 2;
const claim_wait_seconds = 5;
const heartbeat_ttl_seconds = 6;

function readSettings() {
  /** @param {string} name */
  const read = (name) => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  return {
    url: read("DEMO_URL"),
    token: read("DEMO_TOKEN"),
    folder: read("DEMO_FOLDER"),
    queue_name: read("DEMO_QUEUE"),
    runtime_id: read("DEMO_RUNTIME"),
    lease_seconds: Number(read("DEMO_LEASE_SECONDS")),
  };
}

async function main() {
  const settings = readSettings();
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.on("message", (message) => message === "stop" && stop());
  process.on("SIGTERM", stop);
  // Ctrl-C reaches the whole group of processes; the parent decides what it means.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(1));

  const { url, token, runtime_id } = settings;
  const connection = await connect({ url, token, name: runtime_id, reconnect: false });
  void connection.closed.then(() => {
    if (!stopping.signal.aborted) process.exit(1);
  });
  /** @type {Worker} */
  const worker = { connection, settings, held: new Map() };
  connection.onNotification((method, { run_id }) => {
    if (method === "run_cancel_requested") worker.held.get(run_id)?.stop("cancel_requested");
  });
  await connection.call("runtime_register", { runtime_id, heartbeat_ttl_seconds });
  process.send?.("ready");
  await Promise.all([sendHeartbeats(worker, stopping.signal), serve(worker, stopping.signal)]);
  await connection.call("runtime_deregister", { runtime_id });
  await connection.close();
  process.exit(0);
}

/**
 * @param {Worker} worker
 * @param {AbortSignal} signal
 */
async function sendHeartbeats({ connection, settings: { runtime_id } }, signal) {
  while (!signal.aborted) {
    await delay((heartbeat_ttl_seconds * 1000) / 3, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await ignoreRetryable(
      connection.call("runtime_heartbeat", { runtime_id, heartbeat_ttl_seconds }),
    );
  }
}

/**
 * Claims as long as there is room; at the end hands back what it holds.
 * @param {Worker} worker
 * @param {AbortSignal} signal
 */
async function serve(worker, signal) {
  const { held } = worker;
  /** @type {Set<Promise<void>>} */
  const tasks = new Set();
  while (!signal.aborted) {
    if (held.size >= capacity) await Promise.race(tasks);
    for (const item of await claimRuns(worker, signal)) {
      const task = serveRun(worker, item).finally(() => tasks.delete(task));
      tasks.add(task);
    }
  }
  for (const run of held.values()) run.stop("worker_stops");
  await Promise.all(tasks);
}

/**
 * @param {Worker} worker
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, any>[]>}
 */
async function claimRuns({ connection, settings, held }, signal) {
  const { runtime_id, queue_name, lease_seconds } = settings;
  const asked = {
    runtime_id,
    queue_name,
    lease_seconds,
    max_runs: capacity - held.size,
    wait_seconds: claim_wait_seconds,
  };
  try {
    // A claim that is carried out although this no longer waits goes back with the runtime.
    const answer = await connection.call("run_claim", asked, { signal });
    return answer.runs;
  } catch (thrown) {
    if (signal.aborted) return [];
    if (thrown instanceof HostError && thrown.code === "NO_RUN_AVAILABLE") return [];
    await ignoreRetryable(Promise.reject(thrown));
    await delay(100);
    return [];
  }
}

/**
 * @param {Worker} worker
 * @param {Record<string, any>} item
 */
async function serveRun({ connection, settings, held }, item) {
  const { runtime_id, lease_seconds, folder } = settings;
  const run = holdRun({ connection, item, runtime_id, lease_seconds });
  held.set(item.run_id, run);
  try {
    await writeReport({ held: run, connection, folder });
  } catch (thrown) {
    await ignoreLost(endEarly(run, thrown));
  } finally {
    run.close();
    held.delete(item.run_id);
  }
}

/**
 * @param {HeldRun} run
 * @param {unknown} thrown
 */
async function endEarly(run, thrown) {
  const why = run.signal.aborted ? run.signal.reason : thrown;
  if (why instanceof Stopped) {
    if (why.reason === "cancel_requested") await run.confirmCancel();
    if (why.reason === "worker_stops") await run.release();
    return;
  }
  if (why instanceof DocumentError) {
    await run.emit("run.failed", { error: why.message, code: "document.unreadable" });
    return;
  }
  throw why;
}

/**
 * A run that is no longer this worker's, or has ended, is none of its business any more.
 * @param {Promise<unknown>} call
 */
const ignoreLost = (call) =>
  call.catch((thrown) => {
    if (thrown instanceof HostError && ["LEASE_LOST", "RUN_TERMINAL"].includes(thrown.code)) return;
    throw thrown;
  });

/** @param {Promise<unknown>} call */
const ignoreRetryable = (call) =>
  call.catch((thrown) => {
    if (!(thrown instanceof HostError && thrown.retryable)) throw thrown;
  });

main().catch((cause) => {
  process.stderr.write(`worker: ${cause instanceof Error ? cause.message : cause}\n`);
  process.exit(1);
});
