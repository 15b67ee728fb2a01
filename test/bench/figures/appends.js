// P1: durable appends through the socket beside pgbench's one-row inserts. P8: how long one append
// takes when 32 are under way.

import { scaled, timing, withHost } from "../bench.js";
import { makeEventTable } from "../peers/direct_tables.js";
import { findPgbench, runPgbench } from "../peers/pgbench.js";
import { makeRow, measureRounds, toRates, toSeries } from "../rows.js";
import { playScenario } from "../world/process.js";

const clients = 32;

/** @param {import("../bench.js").Bench} bench */
export const measureAppends = (bench) => withHost(bench, "p1", async ({ target }) => {
  const database = await bench.postgres.createDatabase("p1_inserts");
  await makeEventTable(database.sql);
  const job = { target, connections: scaled(bench, 64), in_flight: scaled(bench, 256) };
  const insert = insertSubject(bench, database.url);
  const { ours, peer } = await measureRounds(bench, [
    { name: "ours", measure: () => playAppends(bench, job) },
    { name: "peer", measure: insert.measure },
  ]);
  await database.drop();
  const p99_ms = toSeries("p99", "ms", (ours ?? []).map(({ p99_ms }) => p99_ms)).median;
  return [makeRow("P1", {
    figure: toRates("run_append_result", ours ?? []),
    denominator: toRates(insert.name, peer ?? []),
    notes: [`p99 of one append ${p99_ms.toFixed(1)} ms`],
  })];
});

/** @param {import("../bench.js").Bench} bench */
export const measureOneAppend = (bench) => withHost(bench, "p8", async ({ target }) => {
  const in_flight = scaled(bench, clients);
  const job = { target, connections: in_flight, in_flight };
  const { ours } = await measureRounds(bench, [
    { name: "ours", measure: () => playAppends(bench, job) },
  ]);
  const rates = toRates("run_append_result", ours ?? []);
  return [makeRow("P8", {
    figure: toSeries("run_append_result", "ms", (ours ?? []).map(({ p99_ms }) => p99_ms)),
    notes: [`at ${Math.round(rates.median)} appends per s`],
  })];
});

/** @param {import("../bench.js").Bench} bench @param {object} job */
const playAppends = (bench, job) =>
  playScenario(bench.ending, "appends", { ...job, ...timing(bench) });

/** @param {import("../bench.js").Bench} bench @param {string} database_url */
function insertSubject(bench, database_url) {
  const program = findPgbench();
  if (program === null) {
    const job = { database_url, workers: clients, ...timing(bench) };
    return {
      name: "one-row inserts from Node, 32 clients (no pgbench here)",
      measure: () => playScenario(bench.ending, "raw_inserts", job),
    };
  }
  // pgbench counts in whole seconds.
  const seconds = Math.max(1, Math.round(bench.size.seconds));
  const { folder } = bench.postgres;
  return {
    name: "pgbench one-row insert, 32 clients",
    measure: () => runPgbench({
      program, database_url, folder, clients, seconds, signal: bench.ending.signal,
    }),
  };
}
