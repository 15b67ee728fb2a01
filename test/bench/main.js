// The benchmark: measures what options.js was asked for, prints tables, keeps the results as JSON and
// as a picture. Exits 0 when everything asked for was measured, whatever came out; 1 when something
// could not be; 2 for a wrong command line. Leaves no process, database or folder behind.

import { mkdir } from "node:fs/promises";
import { figures } from "./figures/index.js";
import { measureProfile } from "./modes/profile.js";
import { measureScale } from "./modes/scale.js";
import { measureSoak } from "./modes/soak.js";
import { readOptions, usage, UsageError } from "./options.js";
import { describeMachine, drawResults, keepResults } from "./results.js";
import { renderRows } from "./table.js";
import { createEnding, Interrupted } from "./world/ending.js";
import { openPostgres } from "./world/postgres.js";

/** @typedef {import("./bench.js").Bench} Bench */

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return void console.log(usage);
  if (options.mode === "plot") return void console.log(await drawResults(options));
  const ending = createEnding();
  const interrupted = ending.interrupted();
  try {
    process.exitCode = await Promise.race([perform(options, ending), interrupted]);
  } finally {
    await ending.end();
  }
}

/**
 * @param {import("./options.js").Options} options
 * @param {import("./world/ending.js").Ending} ending
 * @returns {Promise<number>}
 */
async function perform(options, ending) {
  await mkdir(options.out, { recursive: true });
  const postgres = await openPostgres(ending);
  const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
  /** @type {Bench} */
  const bench = { ending, postgres, size: options.amounts, say, out: options.out };
  const machine = describeMachine(postgres.described);
  console.log(machine.join("\n"));
  /** @type {string[]} */
  const failures = [];
  /** @type {string[]} */
  const remarks = [];
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const [name, measure] of listWork(bench, options)) {
    say(`${name} …`);
    ending.repeated_calls = 0;
    try {
      Object.assign(found, mergeFound(found, await measure()));
    } catch (thrown) {
      ending.signal.throwIfAborted();
      failures.push(`${name} could not be measured: ${/** @type {Error} */ (thrown).message}`);
      say(failures.at(-1) ?? "");
    }
    const repeated = ending.repeated_calls;
    if (repeated > 0) remarks.push(`${name}: ${repeated} calls were late and had to be repeated`);
  }
  const rows = /** @type {import("./rows.js").Row[]} */ (found["rows"] ?? []);
  if (rows.length > 0) console.log(renderRows(rows));
  const kept = await keepResults(options, { machine, failures, remarks, found });
  console.log([...remarks, ...failures, `results: ${kept.join(", ")}`].join("\n"));
  return failures.length === 0 ? 0 : 1;
}

/**
 * @param {Bench} bench
 * @param {import("./options.js").Options} options
 * @returns {[string, () => Promise<Record<string, unknown>>][]}
 */
function listWork(bench, { mode, only, minutes }) {
  if (mode === "scale") return [["scale", () => measureScale(bench)]];
  if (mode === "soak") return [["soak", () => measureSoak(bench, minutes)]];
  if (mode === "profile") return [["profile", () => measureProfile(bench)]];
  return only.map((id) => [id, async () => ({ rows: await figures[id]?.(bench) })]);
}

/** Rows add up; the rest stands for itself. @param {any} before @param {any} after */
const mergeFound = (before, after) => ({
  ...after, rows: [...(before.rows ?? []), ...(after.rows ?? [])],
});

main().catch((thrown) => {
  if (thrown instanceof UsageError) {
    console.error(`bench: ${thrown.message}\n\n${usage}`);
    process.exitCode = 2;
  } else {
    console.error(`bench: ${thrown instanceof Interrupted ? thrown.message : thrown?.stack}`);
    process.exitCode = thrown instanceof Interrupted ? thrown.exit_code : 1;
  }
});
