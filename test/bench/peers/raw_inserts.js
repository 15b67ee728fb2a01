// Stands in for pgbench where there is none: one-row inserts of events, each with its commit, from
// Node over a fixed number of connections.

import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { runWorkers } from "../load/latency.js";
import { eventData, eventType } from "../load/plugin.js";

/**
 * @param {object} job
 * @param {string} job.database_url
 * @param {number} job.workers
 * @param {number} job.warmup_seconds
 * @param {number} job.seconds
 */
export async function insertEvents({ database_url, workers, warmup_seconds, seconds }) {
  const sql = postgres(database_url, { max: workers, onnotice: () => undefined });
  const tails = Array.from({ length: workers }, () => ({ run_id: randomUUID(), sequence: 0 }));
  const fingerprint = Buffer.alloc(32, 1);
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    async perform(worker) {
      const tail = tails[worker];
      if (tail === undefined) return false;
      tail.sequence += 1;
      await sql`
        insert into agent_run_event (tenant_id, run_id, sequence, type, data, source, written_by,
          claim_epoch, fingerprint)
        values ('default', ${tail.run_id}, ${tail.sequence}, ${eventType},
          ${eventData}::text::jsonb, 'runner', 'bench/raw', 1, ${fingerprint})`;
    },
  });
  await sql.end();
  return measured;
}
