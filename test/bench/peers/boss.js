// pg-boss: jobs fetched and completed one by one or fifty at a time, from a queue that was filled
// before, and jobs sent one by one. Without its background work, which would only slow it down.

import PgBoss from "pg-boss";
import { runWorkers } from "../load/latency.js";

const queue = "trivial";

/** @param {string} database_url @param {number} connections */
async function startBoss(database_url, connections) {
  const boss = new PgBoss({
    connectionString: database_url, max: connections, supervise: false, schedule: false,
  });
  boss.on("error", () => undefined);
  await boss.start();
  return boss;
}

/** @param {{ database_url: string, jobs: number }} job */
export async function fillQueue({ database_url, jobs }) {
  const boss = await startBoss(database_url, 2);
  await boss.createQueue(queue).catch(() => undefined);
  await boss.purgeQueue(queue);
  for (let left = jobs; left > 0; left -= 5000) {
    const step = Math.min(left, 5000);
    await boss.insert(Array.from({ length: step }, (_, n) => ({ name: queue, data: { n } })));
  }
  await boss.stop({ graceful: false });
}

/**
 * @param {object} job
 * @param {string} job.database_url
 * @param {number} job.workers
 * @param {number} job.seconds at most, after the first jobs; it ends earlier when the queue is empty
 * @param {number} job.jobs how many are in the queue
 * @param {number} job.batch
 */
export async function completeJobs({ database_url, workers, seconds, jobs, batch }) {
  const boss = await startBoss(database_url, workers);
  const warmup = Math.min(1000, Math.floor(jobs / 10));
  let end_ms = Number.POSITIVE_INFINITY;
  let begin_ms = performance.now();
  let done = 0;
  const work = async () => {
    while (performance.now() < end_ms) {
      const taken = await boss.fetch(queue, { batchSize: batch });
      if (taken.length === 0) return;
      await boss.complete(queue, taken.map(({ id }) => id));
      if (done < warmup && done + taken.length >= warmup) {
        begin_ms = performance.now();
        end_ms = begin_ms + seconds * 1000;
      }
      done += taken.length;
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const elapsed = (performance.now() - begin_ms) / 1000;
  await boss.stop({ graceful: false });
  const completed = Math.max(0, done - warmup);
  return { per_second: completed / elapsed, count: completed, seconds: elapsed };
}

/**
 * @param {object} job
 * @param {string} job.database_url
 * @param {number} job.workers
 * @param {number} job.warmup_seconds
 * @param {number} job.seconds
 */
export async function sendJobs({ database_url, workers, warmup_seconds, seconds }) {
  const boss = await startBoss(database_url, 10);
  await boss.createQueue(queue).catch(() => undefined);
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    async perform() {
      await boss.send(queue, { text: "hello" });
    },
  });
  await boss.stop({ graceful: false });
  return measured;
}
