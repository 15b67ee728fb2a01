// graphile-worker, from a queue of trivial jobs that was filled before: plain, one statement to take
// and one to complete a job, or with the batching that its performance page recommends (a local queue
// of 500, completions and failures in batches without delay). It does not wait for a completion, so
// the clock stops when the last job is gone from the table.

import { setTimeout as delay } from "node:timers/promises";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import postgres from "postgres";

const logger = new Logger(() => () => undefined);

/** @param {{ database_url: string, jobs: number }} job */
export async function fillQueue({ database_url, jobs }) {
  const tools = await makeWorkerUtils({ connectionString: database_url, logger });
  await tools.migrate();
  await tools.withPgClient((client) => client.query("delete from graphile_worker._private_jobs"));
  for (let left = jobs; left > 0; left -= 10_000) {
    const step = Math.min(left, 10_000);
    await tools.addJobs(Array.from({ length: step }, () => ({
      identifier: "trivial", payload: {},
    })));
  }
  await tools.release();
}

/**
 * @param {object} job
 * @param {string} job.database_url
 * @param {number} job.workers
 * @param {number} job.seconds at most, after the first jobs; it ends earlier when the queue is empty
 * @param {number} job.jobs how many are in the queue
 * @param {boolean} job.batched
 */
export async function completeJobs({ database_url, workers, seconds, jobs, batched }) {
  let done = 0;
  const warmup = Math.min(1000, Math.floor(jobs / 10));
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let begin_ms = performance.now();
  /** @type {() => void} */
  let finish = () => undefined;
  const drained = new Promise((resolve) => (finish = () => resolve(undefined)));
  const runner = await run({
    preset: {
      worker: {
        connectionString: database_url,
        concurrentJobs: workers,
        // As its documentation asks: concurrentJobs + 2.
        maxPoolSize: workers + 2,
        ...(batched && {
          localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0,
        }),
      },
    },
    noHandleSignals: true,
    logger,
    taskList: {
      trivial: () => {
        done += 1;
        if (done === warmup) {
          begin_ms = performance.now();
          timer = setTimeout(finish, seconds * 1000);
        }
        if (done === jobs) finish();
      },
    },
  });
  await drained;
  clearTimeout(timer);
  if (done === jobs) await waitUntilGone(database_url);
  const completed = done - warmup;
  const elapsed = (performance.now() - begin_ms) / 1000;
  await runner.stop();
  return { per_second: completed / elapsed, count: completed, seconds: elapsed };
}

/** @param {string} database_url */
async function waitUntilGone(database_url) {
  const sql = postgres(database_url, { max: 1, onnotice: () => undefined });
  while ((await sql`select from graphile_worker._private_jobs limit 1`).length > 0) await delay(1);
  await sql.end();
}
