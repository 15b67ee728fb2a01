// `npm run chaos -- [--quick] [--only R1,R5] [--seed N] [--keep] [--json FILE]`: strikes hosts, workers,
// Postgres and the lines between them, and prints seed, counts and verdict of each figure; exit code 1
// on a breach. DATABASE_URL names a server on which databases are made and dropped again; without it
// a Postgres is brought along. `--smoke` is the smallest form, for machines that are not idle.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { idsOf, playFigures } from "./chaos.js";
import { figures } from "./figures/index.js";
import { readOptions } from "./options.js";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => stop.abort(new Error("stopped")));
// What is cut off by a stop has nobody left to hear of it; at any other time it ends the play, in order.
for (const name of /** @type {const} */ (["unhandledRejection", "uncaughtException"])) {
  process.on(name, (/** @type {unknown} */ cause) => {
    if (stop.signal.aborted) return;
    process.stderr.write(`chaos: nobody waited for ${cause instanceof Error ? cause.stack : cause}\n`);
    stop.abort(new Error("a defect of chaos itself"));
  });
}

try {
  const options = readOptions(process.argv.slice(2), process.env, figures.flatMap(idsOf));
  const { seed, size, json } = options;
  const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
  print(`seed ${seed}, ${size}`);
  const results = await playFigures(figures, options, { print, signal: stop.signal });
  const broken = results.filter(({ verdict }) => verdict === "BROKEN").map(({ id }) => id);
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify({ seed, size, results }, null, 2)}\n`);
  print(broken.length === 0 ? "every figure holds" : `BROKEN: ${broken.join(", ")}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
} catch (thrown) {
  process.stderr.write(`chaos: ${thrown instanceof Error ? thrown.message : thrown}\n`);
  process.exitCode = stop.signal.aborted ? 130 : 2;
}
// A figure that was cut off may still have something under way.
process.exit();
