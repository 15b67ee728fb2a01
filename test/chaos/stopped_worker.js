// A worker that knows nothing of being stopped: it claims, renews and writes until it is told that its
// lease is lost, tries everything else that a claim allows, and says what it was answered.

import { openJournal } from "./journal.js";
import { openRawPeer } from "./raw_peer.js";
import { claimOf, rest } from "./world.js";

const orders = JSON.parse(process.argv[2] ?? "{}");
const { url, token, runtime_id, runs, lease_seconds, journal_file } = orders;
const journal = openJournal(journal_file);
const peer = await openRawPeer(url, token);

/** @param {object} line */
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** @param {string} method @param {Record<string, any>} params */
async function ask(method, params) {
  const line = { tenant_id: "default", method, params, sent_at_ms: Date.now() };
  const answer = await peer.ask(method, params);
  if (answer === null) {
    journal.add(line);
    return { error: { data: { code: "CONNECTION_LOST" } } };
  }
  const answered_at_ms = Date.now();
  const { result, error } = answer;
  journal.add({ ...line, answered_at_ms, ...(error ? { error: error.data } : { result }) });
  return answer;
}

/** @param {any} item */
async function work(item) {
  const target = { target_run_id: item.run_id, ...claimOf(item) };
  const data = { tool_call_id: "t", tool_name: "write" };
  for (let sequence = item.last_sequence + 1; ; sequence += 1) {
    const written = await ask("run_append_result", { ...target, sequence, type: "tool.call.started", data });
    if (written.error) break;
    const renewed = await ask("run_renew_claim", { ...target, lease_seconds });
    if (renewed.error) break;
    await rest(lease_seconds * 150);
  }
  const message = { role: "assistant", content: "late" };
  const codes = [];
  for (const [method, more] of /** @type {const} */ ([
    ["run_append_result", { sequence: 900, type: "tool.call.started", data }],
    ["run_emit_result", { sequence: 901, type: "message.completed", data: { message } }],
    ["run_emit_result", { sequence: 902, type: "run.completed", data: {} }],
    ["run_renew_claim", { lease_seconds }],
    ["run_finalize", { status: "completed" }],
    ["run_release_claim", {}],
  ])) {
    const { error } = await ask(method, { ...target, ...more });
    codes.push(error === undefined ? "accepted" : error.data.code);
  }
  tell({ run_id: item.run_id, claim_epoch: item.claim_epoch, codes });
}

const items = [];
while (items.length < runs) {
  const { result, error } = await ask("run_claim", { runtime_id, lease_seconds, max_runs: runs - items.length });
  if (error) await rest(20);
  else {
    for (const item of result.runs) void work(item);
    items.push(...result.runs);
  }
}
tell({ holding: items.map(({ run_id }) => run_id) });
