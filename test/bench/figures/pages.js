// P10: pages of a large ledger. Runs, each with ten events and an item in one of the conversations'
// histories, and live runs to read those histories from.

import { scaled, withHost } from "../bench.js";
import { Link } from "../load/link.js";
import { eventData, eventType, goOnline, hold_seconds, proofOf } from "../load/plugin.js";
import { makeRow, measureRounds, toSeries } from "../rows.js";
import { playScenario } from "../world/process.js";
import { copyRuns } from "../world/seed.js";

const runs_per_conversation = 1000;
const events_per_run = 10;
const sessions = 50;
const prefix = "ledger-";
const methods = ["run_list", "run_events_page", "history_page"];

/** @param {import("../bench.js").Bench} bench */
export const measurePages = (bench) => withHost(bench, "p10", async (world) =>
  comparePages(bench, world, await seedLedger(bench, world)));

/**
 * @param {import("../bench.js").Bench} bench
 * @param {import("../bench.js").HostWorld} world
 * @param {import("../load/pages.js").Ledger} ledger
 */
export async function comparePages(bench, { host, target }, ledger) {
  const workers = scaled(bench, 4);
  const samples = bench.size.page_samples;
  const found = await measureRounds(bench, methods.map((method) => ({
    name: method,
    measure: () => playScenario(bench.ending, "pages", {
      // Histories belong to a run's plugin; the others are read as an administrator.
      target: method === "history_page" ? target : host.admin,
      method, ledger, workers, samples,
    }),
  })));
  const events = ledger.runs * events_per_run;
  return methods.map((method) => makeRow(`P10 ${method}`, {
    figure: toSeries(method, "ms", (found[method] ?? []).map(({ p99_ms }) => p99_ms)),
    notes: method === "run_list"
      ? [`${ledger.runs} runs, ${events} events, ${workers} readers`] : [],
  }));
}

/**
 * @param {import("../bench.js").Bench} bench
 * @param {import("../bench.js").HostWorld} world
 * @returns {Promise<import("../load/pages.js").Ledger>}
 */
export async function seedLedger(bench, { target, database }) {
  const { runner_id } = target;
  const runs = bench.size.ledger_runs;
  const groups = Math.max(1, Math.ceil(runs / runs_per_conversation));
  const names = Array.from({ length: groups }, (_, group) => `conversation-${group}`);
  const link = await Link.open(target.url, target.token);
  await goOnline(link, target);
  const run_id = await makeFinishedRun(link, target);
  const columns = { conversation_id: `'conversation-' || n % ${groups}` };
  await copyRuns(database.sql, { run_id, prefix, count: runs, whole: true, columns }, bench.say);
  const live = await Promise.all(Array.from({ length: sessions }, (_, session) =>
    link.call("run_create", {
      runner_id, dispatch: "running", timeout_seconds: hold_seconds,
      conversation_id: names[session % groups],
    })));
  link.close();
  const conversations = names;
  return { runs, prefix, conversations, runner_id, sessions: live.map((run) => run.run_id) };
}

/** @param {Link} link @param {import("../load/plugin.js").Target} target */
async function makeFinishedRun(link, target) {
  const { runner_id, runtime_id } = target;
  const conversation_id = "conversation-template";
  const { run_id } = await link.call("run_create", { runner_id, conversation_id });
  const item = await link.call("run_claim", { runtime_id, lease_seconds: hold_seconds });
  const proof = proofOf(target, item);
  const message = JSON.stringify({ message: { role: "assistant", content: "Twelve were found." } });
  for (let sequence = 1; sequence < events_per_run; sequence += 1) {
    const [type, data] = sequence === events_per_run - 1
      ? ["message.completed", message] : [eventType, eventData];
    const event = `"type":"${type}","data":${data},"sequence":${sequence}}`;
    await link.ask("run_emit_result", `${proof},${event}`);
  }
  const end = `"type":"run.completed","data":{},"sequence":${events_per_run}}`;
  await link.ask("run_emit_result", `${proof},${end}`);
  return run_id;
}
