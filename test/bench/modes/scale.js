// What a large ledger does to a host: P7 and P10 on it, claims with many runs before them that
// cannot be claimed, and claims while an old snapshot is held open, with the gauge that shows it.

import { setTimeout as delay } from "node:timers/promises";
import { scaled, withHost } from "../bench.js";
import { compareClaims } from "../figures/finished.js";
import { comparePages, seedLedger } from "../figures/pages.js";
import { median } from "../load/latency.js";
import { renderTable, showNumber } from "../table.js";
import { readMetrics } from "../world/host.js";
import { playScenario, startLoad } from "../world/process.js";
import { fillQueue } from "../world/queue.js";

const gauge = "runhost_oldest_xmin_age_seconds";
/** A rate within this share of the one before counts as recovered. */
const recovered_share = 0.9;

/** @param {import("../bench.js").Bench} bench */
export async function measureScale(bench) {
  const rows = await withHost(bench, "small", (few) => withHost(bench, "large", async (many) => {
    bench.say(`seeding ${bench.size.ledger_runs} runs`);
    const ledger = await seedLedger(bench, many);
    return [
      ...(await compareClaims(bench, { few, many, finished: ledger.runs })),
      ...(await comparePages(bench, many, ledger)),
    ];
  }));
  const obstacles = await measureObstacles(bench);
  const snapshot = await measureSnapshot(bench);
  return { rows, obstacles, snapshot };
}

/** @type {Record<string, (target: import("../load/plugin.js").Target) => Record<string, unknown>>} */
const kinds = {
  "nothing": () => ({}),
  "not yet due": () => ({ not_before: Math.floor(Date.now() / 1000) + 86_400 }),
  "pinned to another runtime": () => ({ requested_runtime_id: "another-runtime" }),
  "of another runner": ({ runner_id }) => ({
    runner_id: `${runner_id}-other`, allow_unregistered_runner: true,
  }),
};

/** Claims with runs of a higher priority before them that the claimer cannot take.
    @param {import("../bench.js").Bench} bench */
async function measureObstacles(bench) {
  const { obstacles, claim_samples: samples } = bench.size;
  const found = [];
  for (const [kind, params] of Object.entries(kinds)) {
    const measured = await withHost(bench, "obstacles", async (world) => {
      const { target } = world;
      if (kind !== "nothing") {
        await fillQueue(world, obstacles, { priority: 10, ...params(target) });
      }
      await fillQueue(world, Math.ceil(samples * 1.1) + 1);
      const runner_ids = kind === "of another runner" ? [target.runner_id] : undefined;
      return playScenario(bench.ending, "claims", { target, samples, runner_ids });
    });
    bench.say(`${kind}: p50 ${showNumber(measured.p50_ms)} ms`);
    found.push({ kind, p50_ms: measured.p50_ms, p99_ms: measured.p99_ms });
  }
  console.log(["", `claims with ${obstacles} runs before them`, ...renderTable([
    ["before them", "p50 ms", "p99 ms"],
    ...found.map(({ kind, p50_ms, p99_ms }) => [kind, showNumber(p50_ms), showNumber(p99_ms)]),
  ])].join("\n"));
  return found;
}

/** Runs that come and go, and in the middle a transaction that holds its snapshot.
    @param {import("../bench.js").Bench} bench */
const measureSnapshot = (bench) => withHost(bench, "snapshot", async ({ host, database, target }) => {
  const held = bench.size.snapshot_seconds;
  const before = Math.max(2, Math.round(held / 3));
  const seconds = before + 2 * held;
  const load = startLoad(bench.ending, "churn", { target, workers: scaled(bench, 32), seconds });
  await load.paused();
  load.go();
  const begin_ms = performance.now();
  const passed = () => (performance.now() - begin_ms) / 1000;
  const gauges = watchGauge(bench, host, { seconds, passed });
  await delay(before * 1000, undefined, { signal: bench.ending.signal });
  const { sql } = database;
  await sql.begin("isolation level repeatable read", async (held_open) => {
    await held_open`select count(*) from agent_run`;
    await delay(held * 1000, undefined, { signal: bench.ending.signal });
  });
  const released = Math.ceil(passed());
  /** @type {{ claims_by_second: number[] }} */
  const { claims_by_second } = await load.result;
  const report = { ...describeChurn(claims_by_second, { before, released }), gauges: await gauges };
  const seen = Math.max(0, ...report.gauges.map(([, age]) => age));
  console.log(["", `claims per s while a snapshot is held for ${held} s`, ...renderTable([
    ["before", "at the end of it", "after", "recovered after", `largest ${gauge}`],
    [report.before, report.during, report.after].map(showNumber).concat([
      report.recovery_seconds === null ? "not at all" : `${report.recovery_seconds} s`,
      showNumber(seen),
    ]),
  ])].join("\n"));
  return report;
});

/**
 * @param {readonly number[]} claims_by_second
 * @param {{ before: number, released: number }} marks in seconds
 */
export function describeChurn(claims_by_second, { before, released }) {
  const third = Math.max(1, Math.floor((released - before) / 3));
  const rate_before = median(claims_by_second.slice(Math.min(2, before - 1), before));
  const later = claims_by_second.slice(released);
  const recovered = later.findIndex((rate) => rate >= recovered_share * rate_before);
  return {
    before: rate_before,
    during: median(claims_by_second.slice(released - third, released)),
    after: median(later.slice(-third)),
    recovery_seconds: recovered < 0 ? null : recovered,
    claims_by_second,
  };
}

/**
 * @param {import("../bench.js").Bench} bench
 * @param {import("../world/host.js").BenchHost} host
 * @param {{ seconds: number, passed: () => number }} time
 * @returns {Promise<[number, number][]>} seconds and the gauge's value
 */
async function watchGauge(bench, host, { seconds, passed }) {
  /** @type {[number, number][]} */
  const seen = [];
  while (passed() < seconds - 1) {
    const [age] = await readMetrics(host, [gauge]).catch(() => [null]);
    if (age !== null && age !== undefined) seen.push([passed(), age]);
    await delay(1000, undefined, { signal: bench.ending.signal });
  }
  return seen;
}
