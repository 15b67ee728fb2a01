// A worker process of the plugin demo/chat_agent: registers its own runtime, claims one run at a
// time and answers its person. Address and token come through the environment, never the arguments.
// It stops on the message "stop", on SIGTERM, and with its parent.

import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { connect, HostError } from "runhost/client";
import { holdRun, Stopped } from "../document_report/work/held_run.js";
import { parseKnowledge } from "./rules/knowledge.js";
import { converse } from "./work/converse.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("../document_report/work/held_run.js").HeldRun} HeldRun
 * @typedef {import("./rules/knowledge.js").Topic} Topic
 * @typedef {ReturnType<typeof readSettings>} Settings
 * @typedef {object} Agent
 * @property {Host} connection
 * @property {Settings} settings
 * @property {readonly Topic[]} topics
 * @property {{ run: HeldRun | null }} held
 */

const lease_seconds = 10;
const claim_wait_seconds = 5;
const heartbeat_ttl_seconds = 60;
const heartbeat_every_ms = 20_000;

function readSettings() {
  /** @param {string} name */
  const read = (name) => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  return {
    url: read("CHAT_URL"),
    token: read("CHAT_TOKEN"),
    queue_name: read("CHAT_QUEUE"),
    runtime_id: read("CHAT_RUNTIME"),
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
  const topics = parseKnowledge(await readFile(new URL("knowledge.md", import.meta.url), "utf8"));
  const connection = await connect({ url, token, name: runtime_id, reconnect: false });
  void connection.closed.then(() => {
    if (!stopping.signal.aborted) process.exit(1);
  });
  /** @type {Agent} */
  const agent = { connection, settings, topics, held: { run: null } };
  connection.onNotification((method, { run_id }) => {
    const { run } = agent.held;
    if (run?.item.run_id !== run_id) return;
    if (method === "run_cancel_requested") run?.stop("cancel_requested");
  });
  stopping.signal.addEventListener("abort", () => agent.held.run?.stop("worker_stops"));
  await connection.call("runtime_register", { runtime_id, heartbeat_ttl_seconds });
  const beating = setInterval(() => {
    const beat = connection.call("runtime_heartbeat", { runtime_id, heartbeat_ttl_seconds });
    beat.catch(() => undefined);
  }, heartbeat_every_ms);
  process.send?.("ready");
  while (!stopping.signal.aborted) await serveNext(agent, stopping.signal);
  clearInterval(beating);
  await connection.call("runtime_deregister", { runtime_id });
  await connection.close();
  process.exit(0);
}

/**
 * @param {Agent} agent
 * @param {AbortSignal} signal
 */
async function serveNext({ connection, settings, topics, held }, signal) {
  const { runtime_id, queue_name } = settings;
  const asked = { runtime_id, queue_name, lease_seconds, wait_seconds: claim_wait_seconds };
  let item;
  try {
    // A claim that is carried out although this no longer waits goes back with the runtime.
    item = await connection.call("run_claim", asked, { signal });
  } catch (thrown) {
    if (signal.aborted) return;
    if (!(thrown instanceof HostError && thrown.retryable)) throw thrown;
    if (thrown.code !== "NO_RUN_AVAILABLE") await delay(100);
    return;
  }
  const run = holdRun({ connection, item, runtime_id, lease_seconds });
  held.run = run;
  if (signal.aborted) run.stop("worker_stops");
  try {
    await converse({ connection, held: run, runtime_id, topics });
  } catch (thrown) {
    await endEarly(run, thrown).catch(passOverLost);
  } finally {
    run.close();
    held.run = null;
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
  const error = why instanceof Error ? why.message : String(why);
  process.stderr.write(`agent: ${run.item.run_id}: ${error}\n`);
  // Another attempt may succeed; the host counts them.
  await run.emit("run.failed", { error, code: "chat.failed", retryable: true });
}

/**
 * A run that is no longer this agent's, or has ended, is none of its business any more.
 * @param {unknown} thrown
 */
function passOverLost(thrown) {
  const passed = ["LEASE_LOST", "RUN_TERMINAL"];
  if (!(thrown instanceof HostError && passed.includes(thrown.code))) throw thrown;
}

main().catch((cause) => {
  process.stderr.write(`agent: ${cause instanceof Error ? cause.message : cause}\n`);
  process.exit(1);
});
