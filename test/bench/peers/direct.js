// The lifecycle by direct SQL from Node: the driver, prepared statements, one autocommit statement
// per operation, one connection per worker. Each append proves its claim in the statement, without a
// lock and without touching the run: less than a ledger has to do, which makes a strong peer.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import postgres from "postgres";
import { runWorkers } from "../load/latency.js";
import { events_per_run } from "../load/lifecycle.js";
import { eventData, eventType } from "../load/plugin.js";

const tenant = "default";
const identity = "bench/direct";
const snapshot = JSON.stringify({
  plugin_identity: identity, runner_id: `plugin:${identity}/main`, available_apis: { run_get: true },
  state_policy: { enable_state: true, state_scopes: ["conversation", "actor"] },
});
const event = JSON.stringify({ event_type: "api.invoked", source: "api", data: {} });
const input = JSON.stringify({ text: null, contents: [], attachments: [] });

/** @param {string | Buffer} value */
const sha256 = (value) => createHash("sha256").update(value).digest();

/** @param {postgres.Sql} sql @param {string} run_id */
const createRun = (sql, run_id) => sql`
  with run as (
    insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, event_id,
      dispatch, status, queue_name, snapshot, request_fingerprint)
    values (${tenant}, ${run_id}, ${`plugin:${identity}/main`}, ${identity}, ${identity},
      ${`api:${run_id}`}, 'queued', 'queued', 'default', ${snapshot}::text::jsonb,
      ${sha256(run_id)})
    returning id),
  request as (
    insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery)
    values (${tenant}, ${run_id}, ${event}::text::jsonb, ${input}::text::jsonb, '{}', '{}')),
  logged as (
    insert into event_log (tenant_id, event_id, event_type, source, run_id)
    values (${tenant}, ${`api:${run_id}`}, 'api.invoked', 'api', ${run_id}))
  select id from run`;

/** @param {postgres.Sql} sql @param {Buffer} token_sha256 */
const claimRun = (sql, token_sha256) => sql`
  with next as (
    select tenant_id, id from agent_run
    where tenant_id = ${tenant} and plugin_identity = ${identity} and status = 'queued'
    order by priority desc, id limit 1 for no key update skip locked),
  taken as (
    update agent_run r set status = 'claimed', claim_epoch = r.claim_epoch + 1,
      dispatch_attempts = r.dispatch_attempts + 1, claimed_by_runtime_id = 'runtime',
      claimed_by_identity = ${identity}, claim_token_sha256 = ${token_sha256},
      claim_lease_expires_at = now() + interval '1 hour', last_claimed_at = now(),
      started_at = coalesce(r.started_at, now()), updated_at = now()
    from next where r.tenant_id = next.tenant_id and r.id = next.id returning r.*)
  select t.run_id, t.claim_epoch, q.event, q.input, q.binding, q.delivery
  from taken t join agent_run_request q using (tenant_id, run_id)`;

/** @param {postgres.Sql} sql @param {{ run_id: string, token_sha256: Buffer, sequence: number }} e */
const appendEvent = (sql, { run_id, token_sha256, sequence }) => sql`
  insert into agent_run_event (tenant_id, run_id, sequence, type, data, source, written_by,
    claim_epoch, fingerprint)
  select ${tenant}, r.run_id, ${sequence}, ${eventType}, ${eventData}::text::jsonb,
    'runtime:runtime', ${identity}, r.claim_epoch, ${sha256(eventData)}
  from agent_run r where r.tenant_id = ${tenant} and r.run_id = ${run_id}
    and r.status = 'claimed' and r.claim_token_sha256 = ${token_sha256}
    and r.claim_lease_expires_at > now()
  returning id, created_at`;

/** @param {postgres.Sql} sql @param {{ run_id: string, token_sha256: Buffer }} proof */
const finalizeRun = (sql, { run_id, token_sha256 }) => sql`
  update agent_run set status = 'completed', finished_at = now(), updated_at = now(),
    claim_lease_expires_at = null, last_sequence = ${events_per_run}
  where tenant_id = ${tenant} and run_id = ${run_id} and status = 'claimed'
    and claim_token_sha256 = ${token_sha256} and claim_lease_expires_at > now()
  returning id, status, finished_at`;

/**
 * @param {object} job
 * @param {string} job.database_url
 * @param {number} job.workers
 * @param {number} job.warmup_seconds
 * @param {number} job.seconds
 */
export async function runLifecycles({ database_url, workers, warmup_seconds, seconds }) {
  const sql = postgres(database_url, { max: workers, onnotice: () => undefined });
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    async perform() {
      await createRun(sql, `run_${randomUUID()}`);
      const token_sha256 = sha256(randomBytes(32));
      let [item] = await claimRun(sql, token_sha256);
      // Others may have locked all that this look could see, and one of them leaves a run over.
      for (let looks = 1; item === undefined && looks < 1000; looks += 1) {
        [item] = await claimRun(sql, token_sha256);
      }
      if (item === undefined) throw new Error("no run to claim");
      const proof = { run_id: String(item["run_id"]), token_sha256 };
      for (let sequence = 1; sequence <= events_per_run; sequence += 1) {
        const stored = await appendEvent(sql, { ...proof, sequence });
        if (stored.length !== 1) throw new Error("an append was not admitted");
      }
      const ended = await finalizeRun(sql, proof);
      if (ended.length !== 1) throw new Error("an end was not admitted");
    },
  });
  await sql.end();
  return measured;
}
