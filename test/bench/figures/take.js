// P3 and P4: taking and completing trivial work from a filled queue, one at a time and many at once,
// beside graphile-worker; pg-boss is measured in the same rounds for comparison.

import { scaled, timing, withHost } from "../bench.js";
import { makeRow, measureRounds, toRates } from "../rows.js";
import { playScenario } from "../world/process.js";
import { fillQueue } from "../world/queue.js";

const max_runs = 50;

/** pg-boss sorts all that is queued at every fetch: with more it would look worse than it is. */
const boss_jobs_max = 20_000;
const boss_workers = 10;

/** @param {import("../bench.js").Bench} bench */
export const measureTakes = (bench) => withHost(bench, "p3", async (world) => {
  const workers = scaled(bench, 50);
  const job = { workers, ...timing(bench) };
  const peers = await openPeers(bench, bench.size.queue, { ...job, batched: false, batch: 1 });
  const { ours, graphile, boss } = await measureRounds(bench, [
    {
      name: "ours",
      prepare: () => fillQueue(world, bench.size.queue),
      measure: () => playScenario(bench.ending, "take", { ...job, target: world.target }),
    },
    ...peers.subjects,
  ]);
  await peers.drop();
  return [makeRow("P3", {
    figure: toRates("run_claim and run_finalize", ours ?? []),
    denominator: toRates("graphile-worker, plain", graphile ?? []),
    beside: [toRates("pg-boss, fetch 1 and complete 1", boss ?? [])],
  })];
});

/** @param {import("../bench.js").Bench} bench */
export const measureBatchedTakes = (bench) => withHost(bench, "p4", async (world) => {
  const workers = scaled(bench, 50);
  const job = { workers, ...timing(bench) };
  const takers = Math.min(workers, 8);
  const queued = bench.size.batched_queue;
  const peers = await openPeers(bench, queued, { ...job, batched: true, batch: max_runs });
  const { ours, graphile, boss } = await measureRounds(bench, [
    {
      name: "ours",
      prepare: () => fillQueue(world, queued),
      measure: () => playScenario(bench.ending, "take_many", {
        ...job, workers: takers, max_runs, target: world.target,
      }),
    },
    ...peers.subjects,
  ]);
  await peers.drop();
  const has_lists = (ours ?? []).every(({ list_form }) => list_form);
  return [makeRow("P4", {
    figure: toRates(`run_claim of ${max_runs} and run_finalize`, ours ?? []),
    denominator: toRates("graphile-worker, recommended batching", graphile ?? []),
    beside: [toRates(`pg-boss, fetch ${max_runs} and complete ${max_runs}`, boss ?? [])],
    notes: has_lists ? [] : ["this host takes no list in run_finalize: one call per run"],
  })];
});

/**
 * @param {import("../bench.js").Bench} bench
 * @param {number} jobs
 * @param {object} job
 */
async function openPeers(bench, jobs, job) {
  const graphile = await bench.postgres.createDatabase("graphile");
  const boss = await bench.postgres.createDatabase("boss");
  /** @param {string} scenario @param {object} parts */
  const play = (scenario, parts) => playScenario(bench.ending, scenario, parts);
  const of_graphile = { ...job, jobs, database_url: graphile.url };
  const of_boss = {
    ...job, jobs: Math.min(jobs, boss_jobs_max), workers: boss_workers, database_url: boss.url,
  };
  const subjects = [
    {
      name: "graphile",
      async prepare() {
        await play("graphile_fill", of_graphile);
        await graphile.sql.unsafe("vacuum analyze graphile_worker._private_jobs");
      },
      measure: () => play("graphile", of_graphile),
    },
    {
      name: "boss",
      async prepare() {
        await play("boss_fill", of_boss);
        await boss.sql.unsafe("vacuum analyze");
      },
      measure: () => play("boss_take", of_boss),
    },
  ];
  return {
    subjects,
    async drop() {
      await graphile.drop();
      await boss.drop();
    },
  };
}
