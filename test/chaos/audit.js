// The auditor of a figure that writes: `runhost verify` over its database and journals, and what the
// journals and the rows say against each other.

import { spawn } from "node:child_process";
import { program } from "./processes.js";
import { readLines } from "./journal.js";
import { createTally, findForeign } from "./tally.js";

/**
 * @param {import("./scene.js").Scene} scene
 * @param {{ database_url: string, journals: string[], own_runs?: boolean }} audited
 *   `own_runs`: every run of the database was created by these journals' writers
 */
export async function audit(scene, { database_url, journals, own_runs = true }) {
  const tally = createTally();
  for (const file of journals) for await (const line of readLines(file)) tally.take(line);
  const breaches = [...tally.breaches.slice(0, 20)];
  const findings = await runVerify(database_url, journals);
  let lost = 0;
  for (const { invariant, promise, breaches: count, found } of findings) {
    if (count === 0) continue;
    if (invariant === "I1") lost += count;
    breaches.push(`${invariant} (${promise}): ${count}, ${JSON.stringify(found).slice(0, 600)}`);
  }
  let foreign = 0;
  if (own_runs) {
    const stored = await scene.withSql(database_url, readKeys);
    const found = findForeign(tally, stored);
    foreign = found.length;
    if (foreign > 0) breaches.push(`${foreign} rows that nobody wrote: ${found.slice(0, 5).join(", ")}`);
  }
  const { acked_writes, unanswered, duplicates, double_finalized } = tally.counts;
  return {
    breaches,
    counts: { acked_writes, unanswered, lost, duplicates: duplicates + foreign, double_finalized },
    tally,
    findings,
  };
}

/** @param {import("postgres").Sql} sql */
async function* streamKeys(sql) {
  for await (const rows of sql`select run_id as key from agent_run
      union all select run_id || ' ' || sequence from agent_run_event`.cursor(5000)) {
    for (const { key } of rows) yield /** @type {string} */ (key);
  }
}

/** @param {import("postgres").Sql} sql */
async function readKeys(sql) {
  const keys = [];
  for await (const key of streamKeys(sql)) keys.push(key);
  return keys;
}

/** @param {string} database_url @param {string[]} journals
 * @returns {Promise<{ invariant: string, promise: string, checked: number, breaches: number, found: any[] }[]>} */
async function runVerify(database_url, journals) {
  const args = ["verify", "--json", ...(journals.length > 0 ? ["--journal", ...journals] : [])];
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env["PATH"], DATABASE_URL: database_url, RUNHOST_STATEMENT_TIMEOUT_MS: "300000" },
  });
  let out = "";
  let errors = "";
  child.stdout.on("data", (bytes) => (out += bytes));
  child.stderr.on("data", (bytes) => (errors += bytes));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const told = readObject(out);
  const findings = told?.findings ?? told?.data?.findings;
  if (Array.isArray(findings)) return findings;
  throw new Error(`verify gave no verdict (${code}): ${`${errors}${out}`.slice(0, 1000)}`);
}

/** @param {string} text */
function readObject(text) {
  try {
    return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    return null;
  }
}
