// R7: what clients did is done again, twice, in any order, on other hosts. Each repeat has the first
// answer, each change of content is CONFLICT, and the ledger has not grown by a row.

import { join } from "node:path";
import { audit } from "../audit.js";
import { readLines } from "../journal.js";
import { startLoad, throughClient } from "../load.js";
import { openRawPeer } from "../raw_peer.js";
import { makeWorld, waitUntil } from "../world.js";

/** What of an answer must come again; the rest, as a run's status, is of the moment.
 * @type {Record<string, readonly string[]>} */
const lasting = {
  run_create: ["id", "run_id", "runner_id", "created_by", "created_at_ms", "deadline_at", "metadata", "priority"],
  run_append_result: ["id", "run_id", "sequence", "type", "data", "source", "claim_epoch", "created_at_ms"],
  run_emit_result: ["id", "run_id", "sequence", "type", "data", "source", "claim_epoch", "created_at_ms"],
  run_finalize: ["run_id", "status", "finished_at_ms", "last_sequence"],
  event_publish: ["event_id", "disposition", "run_id", "steering_id"],
};

/** The same call with other content under the same name. @param {string} method @param {any} params */
export function changeContent(method, params) {
  if (method === "run_create" || method === "event_publish") return { ...params, text: `${params.text ?? ""} changed` };
  if (method === "run_finalize") return { ...params, status: params.status === "failed" ? "completed" : "failed" };
  if (params.type === "run.completed") return { ...params, data: { finish_reason: "changed" } };
  return { ...params, data: { ...params.data, tool_name: "changed" } };
}

/** What is wrong with the answer to a repeat; null when nothing is.
 * @param {{ method: string, result: any }} line @param {any} answer as JSON-RPC has it */
export function judgeRepeat({ method, result }, answer) {
  const again = answer?.result;
  if (again === undefined) return `a repeat of ${method} was refused: ${JSON.stringify(answer?.error ?? null).slice(0, 200)}`;
  if (again.idempotent !== true) return `a repeat of ${method} was not known as one`;
  const differ = (lasting[method] ?? []).filter((name) => JSON.stringify(again[name]) !== JSON.stringify(result[name]));
  return differ.length === 0 ? null : `a repeat of ${method} has another ${differ.join(", ")}`;
}

/** A claim that has gone on to others proves nothing any more, and is told so first.
 * @param {{ method: string, params: any }} line @param {any} answer */
export function judgeChange({ method, params }, answer) {
  const code = answer?.error?.data.code;
  const refused = params.claim_token === undefined ? ["CONFLICT"] : ["CONFLICT", "LEASE_LOST"];
  return refused.includes(code) ? null : `a changed ${method} was answered ${code ?? JSON.stringify(answer?.result ?? null).slice(0, 200)}`;
}

/** Rows of each table that a call could add to. @param {import("../scene.js").Scene} scene @param {string} url */
const countRows = (scene, url) => scene.withSql(url, async (sql) => {
  /** @type {Record<string, number>} */
  const rows = {};
  const tables = await sql`select table_name as name from information_schema.tables
    where table_schema = 'public' and table_name not like 'runhost%'`;
  for (const { name } of tables) {
    const [counted] = await sql`select count(*)::int as rows from ${sql(name)}`;
    rows[name] = counted?.["rows"];
  }
  return rows;
});

/** @param {Record<string, number>} before @param {Record<string, number>} after @returns {string[]} */
export function findGrowth(before, after) {
  return Object.keys(after).filter((name) => after[name] !== before[name])
    .map((name) => `${name} had ${before[name]} rows and has ${after[name]}`);
}

/** @type {import("../chaos.js").Figure} */
export const r7 = {
  id: "R7",
  title: "journals replayed",
  sizes: {
    full: { writers: 50, calls: 20_000, peers: 6 },
    quick: { writers: 20, calls: 1200, peers: 6 },
    smoke: { writers: 6, calls: 150, peers: 4 },
  },
  async play({ scene, chance, size, folder }) {
    const { writers = 0, calls = 0, peers: count = 0 } = size;
    const database_url = await scene.database("r7");
    const hosts = await scene.fleet({ figure: "r7", database_urls: [database_url, database_url] });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first);
    const load = await startLoad({
      writers, world, chance, pause_ms: 0, name: "r7", journal_file: join(folder, "r7.jsonl"), lease_seconds: 300,
      open: throughClient(scene, hosts, { token: world.token }),
    });
    await waitUntil(() => load.counts.calls >= calls, 600_000);
    await load.stop();
    const lines = [];
    for await (const line of readLines(load.journal_file)) {
      if (line.result !== undefined && Object.hasOwn(lasting, line.method)) lines.push(line);
    }
    const before = await countRows(scene, database_url);
    const peers = await Promise.all(Array.from({ length: count }, (_, place) =>
      openRawPeer((hosts[place % hosts.length] ?? first).url, world.token)));
    const plan = chance.shuffle([
      ...lines.map((line) => ({ line, changed: false })),
      ...lines.map((line) => ({ line, changed: false })),
      ...lines.filter((_, place) => place % 4 === 0).map((line) => ({ line, changed: true })),
    ]);
    /** @type {string[]} */
    const wrong = [];
    const counts = { repeats: 0, changes: 0 };
    await Promise.all(peers.flatMap((peer) => Array.from({ length: 4 }, async () => {
      for (let next = plan.pop(); next !== undefined; next = plan.pop()) {
        const { line, changed } = next;
        const answer = await peer.ask(line.method, changed ? changeContent(line.method, line.params) : line.params);
        const found = changed ? judgeChange(line, answer) : judgeRepeat(line, answer);
        if (found !== null) wrong.push(found);
        counts[changed ? "changes" : "repeats"] += 1;
      }
    })));
    const growth = findGrowth(before, await countRows(scene, database_url));
    const audited = await audit(scene, { database_url, journals: [load.journal_file] });
    const few = lines.length < calls / 4 ? [`only ${lines.length} calls could be replayed`] : [];
    return {
      counts: { journaled: lines.length, ...counts, wrong_answers: wrong.length, grown_tables: growth.length, ...audited.counts },
      breaches: [...audited.breaches, ...new Set(wrong), ...growth, ...load.offences, ...few],
    };
  },
};
