// A complete plugin that uses nothing of runhost but its protocol. It offers the runner `shout`,
// asks for one run of it, follows that run, claims it, works on it and ends it. Exits 0 only if what
// it said, what it heard live and what the ledger holds are the same.

import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { openLine } from "./json_rpc.js";

/**
 * @typedef {import("./json_rpc.js").Line} Line
 * @typedef {{ sequence: number, type: string, data: Record<string, any> }} Said
 */

const text = "every write may be sent again";
const lease_seconds = 30;

async function main() {
  const { RUNHOST_URL: url = "ws://127.0.0.1:7420/rpc", RUNHOST_TOKEN: token = "" } = process.env;
  /** @type {Said[]} */
  const heard = [];
  let end = /** @type {(status: string) => void} */ (() => undefined);
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const line = await openLine({
    url,
    token,
    onNotification(method, { event, run }) {
      if (method === "run_event") heard.push(readSaid(event));
      if (method === "run_ended") end(run.status);
    },
  });
  const lost = line.closed.then((cause) => Promise.reject(cause));
  lost.catch(() => undefined);

  const { plugin_identity } = await line.call("plugin_connect", { client: { name: "raw_plugin" } });
  const runner_id = `plugin:${plugin_identity}/shout`;
  const runtime_id = `raw-${randomUUID()}`;
  await line.call("runner_register", { runners: [{ id: runner_id }] });
  await line.call("runtime_register", { runtime_id });
  // Pinned to this process, so that no other run comes in its place.
  const run = { runner_id, text, requested_runtime_id: runtime_id };
  const { run_id } = await line.call("run_create", run);
  await line.call("run_subscribe", { target_run_id: run_id });

  const said = await work(line, runtime_id);
  const status = await Promise.race([ended, lost]);
  const { items } = await line.call("run_events_page", { target_run_id: run_id });
  await line.call("runtime_deregister", { runtime_id });
  await line.close();

  console.log(`${run_id} ${status}: ${said.at(-1)?.data["message"].content}`);
  const held = items.map(readSaid);
  if (status !== "completed") throw new Error(`the run ended as ${status}`);
  if (!isDeepStrictEqual(heard, said)) throw new Error("heard something else than was said");
  if (!isDeepStrictEqual(held, said)) throw new Error("the ledger holds something else");
  console.log(`${said.length} events said, heard live, and held by the ledger`);
}

/**
 * Claims a run and writes to it: each event under its own number and with the proof of the claim.
 * @param {Line} line
 * @param {string} runtime_id
 */
async function work(line, runtime_id) {
  const item = await line.call("run_claim", { runtime_id, lease_seconds, wait_seconds: 60 });
  const { run_id: target_run_id, claim_token, claim_epoch } = item;
  const claim = { target_run_id, runtime_id, claim_token, claim_epoch };
  const renewing = setInterval(() => {
    line.call("run_renew_claim", { ...claim, lease_seconds }).catch(() => undefined);
  }, (lease_seconds * 1000) / 3);
  /** @type {Said[]} */
  const said = [];
  /**
   * @param {string} type
   * @param {Record<string, any>} data
   */
  const emit = (type, data) => {
    const event = { sequence: said.length + 1, type, data };
    said.push(event);
    return line.call("run_emit_result", { ...claim, ...event });
  };
  try {
    const words = String(item.input.text).toUpperCase().split(" ");
    for (const content of words) {
      await emit("message.delta", { chunk: { role: "assistant", content } });
    }
    // As after an answer that was lost: the same number with the same content is stored once.
    const again = await line.call("run_emit_result", { ...claim, ...said.at(-1) });
    if (again.idempotent !== true) throw new Error("a repeat was taken for a further event");
    await emit("run.completed", { message: { role: "assistant", content: words.join(" ") } });
  } finally {
    clearInterval(renewing);
  }
  return said;
}

/** @param {Said} event */
const readSaid = ({ sequence, type, data }) => ({ sequence, type, data });

main().catch((cause) => {
  process.stderr.write(`raw_plugin: ${cause.message}\n`);
  process.exit(1);
});
