// What must hold of the stored rows alone, whatever clients say: one statement per claim, each
// giving the rows that break it. Used by `runhost verify` only; each reads whole tables.

import type { Fragment, Sql } from "./database.js";

export type Invariant = "I1" | "I2" | "I3" | "I4" | "I6" | "I8";

export interface StoredClaim {
  invariant: Invariant;
  /** What the offending row shows. */
  breach: string;
  /** Rows of the claim's table, for the count of what was looked at. */
  among: "agent_run" | "agent_run_event" | "agent_run_steering" | "event_log";
  find(sql: Sql): Fragment;
}

export const storedClaims: readonly StoredClaim[] = [
  {
    invariant: "I1",
    breach: "last_sequence is not the highest stored sequence: an event is lost or a stranger",
    among: "agent_run",
    find: (sql) => sql`
      select r.tenant_id, r.run_id, r.last_sequence, coalesce(e.highest, 0) as highest_sequence
      from agent_run r left join (select tenant_id, run_id, max(sequence) as highest
        from agent_run_event group by tenant_id, run_id) e using (tenant_id, run_id)
      where r.last_sequence <> coalesce(e.highest, 0)`,
  },
  {
    invariant: "I1",
    breach: "events without their run",
    among: "agent_run_event",
    find: (sql) => sql`
      select e.tenant_id, e.run_id, count(*) as events from agent_run_event e
      where not exists (select from agent_run r
        where r.tenant_id = e.tenant_id and r.run_id = e.run_id)
      group by e.tenant_id, e.run_id`,
  },
  {
    invariant: "I1",
    breach: "a run without its stored request",
    among: "agent_run",
    find: (sql) => sql`
      select r.tenant_id, r.run_id from agent_run r
      where not exists (select from agent_run_request q
        where q.tenant_id = r.tenant_id and q.run_id = r.run_id)`,
  },
  {
    invariant: "I1",
    breach: "a message.completed of a conversation without its transcript item",
    among: "agent_run_event",
    find: (sql) => sql`
      select e.tenant_id, e.run_id, e.sequence from agent_run_event e
        join agent_run r on r.tenant_id = e.tenant_id and r.run_id = e.run_id
      where e.type = 'message.completed' and r.conversation_id is not null
        and not exists (select from transcript t where t.tenant_id = e.tenant_id
          and t.run_id = e.run_id and t.run_sequence = e.sequence and t.origin = 'result')`,
  },
  {
    invariant: "I2",
    breach: "an event of an older claim epoch stands after one of a newer",
    among: "agent_run_event",
    find: (sql) => sql`
      select tenant_id, run_id, sequence, claim_epoch, newer_epoch
      from (select tenant_id, run_id, sequence, claim_epoch,
          max(claim_epoch) over (partition by tenant_id, run_id order by sequence
            rows between unbounded preceding and 1 preceding) as newer_epoch
        from agent_run_event) e
      where claim_epoch < newer_epoch`,
  },
  {
    invariant: "I2",
    breach: "an event of a claim epoch that its run has never had",
    among: "agent_run_event",
    find: (sql) => sql`
      select e.tenant_id, e.run_id, e.sequence, e.claim_epoch, r.claim_epoch as run_claim_epoch
      from agent_run_event e join agent_run r using (tenant_id, run_id)
      where e.claim_epoch > r.claim_epoch`,
  },
  {
    invariant: "I2",
    breach: "a lease without a whole claim, more attempts than claims, or a claim without a lease",
    among: "agent_run",
    find: (sql) => sql`
      select tenant_id, run_id, status, claim_epoch, dispatch_attempts from agent_run
      where dispatch_attempts > claim_epoch
        or (claim_lease_expires_at is not null) <> (status = 'claimed')
        or (status = 'claimed' and (claimed_by_runtime_id is null or claimed_by_identity is null
          or claim_token_sha256 is null or claim_epoch = 0))`,
  },
  {
    invariant: "I3",
    breach: "an event stands after the run.completed of its run",
    among: "agent_run_event",
    find: (sql) => sql`
      select e.tenant_id, e.run_id, e.sequence as completed_at_sequence, r.last_sequence
      from agent_run_event e join agent_run r using (tenant_id, run_id)
      where e.type = 'run.completed' and r.last_sequence > e.sequence`,
  },
  {
    invariant: "I3",
    breach: "a run that stored run.completed has another status",
    among: "agent_run_event",
    find: (sql) => sql`
      select e.tenant_id, e.run_id, r.status from agent_run_event e
        join agent_run r using (tenant_id, run_id)
      where e.type = 'run.completed' and r.status <> 'completed'`,
  },
  {
    invariant: "I3",
    breach: "a finish time without an end, an end without one, or an interaction left open",
    among: "agent_run",
    find: (sql) => sql`
      select r.tenant_id, r.run_id, r.status, i.interaction_id from agent_run r
        left join agent_interaction i on i.tenant_id = r.tenant_id and i.run_id = r.run_id
          and i.status = 'pending' and r.finished_at is not null
      where i.id is not null or (r.finished_at is not null)
        <> (r.status in ('completed', 'failed', 'cancelled', 'timeout'))`,
  },
  {
    invariant: "I8",
    breach: "an absorbed event without its steering message",
    among: "event_log",
    find: (sql) => sql`
      select l.tenant_id, l.event_id, l.run_id from event_log l
      where l.disposition = 'absorbed' and not exists (select from agent_run_steering s
        where s.tenant_id = l.tenant_id and s.event_id = l.event_id and s.type = 'message')
        and exists (select from agent_run r
          where r.tenant_id = l.tenant_id and r.run_id = l.run_id)`,
  },
  {
    invariant: "I8",
    breach: "a steering item is still waiting although its run has ended",
    among: "agent_run_steering",
    find: (sql) => sql`
      select s.tenant_id, s.steering_id, s.run_id, s.state from agent_run_steering s
        join agent_run r on r.tenant_id = s.tenant_id and r.run_id = s.run_id
      where r.finished_at is not null and s.state in ('queued', 'leased')`,
  },
  {
    invariant: "I8",
    breach: "a message was injected that no executor was ever given",
    among: "agent_run_steering",
    find: (sql) => sql`
      select tenant_id, steering_id, run_id from agent_run_steering
      where type = 'message' and state = 'injected' and delivery_count = 0`,
  },
  {
    invariant: "I8",
    breach: "a message was carried on or dropped without a trace in the event log",
    among: "agent_run_steering",
    find: (sql) => sql`
      select s.tenant_id, s.steering_id, s.run_id, s.state from agent_run_steering s
      where s.type = 'message' and s.state in ('redispatched', 'dropped', 'injected')
        and not exists (select from event_log l where l.tenant_id = s.tenant_id
          and l.run_id = s.run_id and l.event_type = 'steering.' || s.state
          and l.metadata #>> '{steering,source_event_id}' = s.event_id)`,
  },
  {
    invariant: "I8",
    breach: "a message was carried on into a run that is not there",
    among: "agent_run_steering",
    find: (sql) => sql`
      select s.tenant_id, s.steering_id, s.run_id, s.redispatched_run_id
      from agent_run_steering s
      where s.state = 'redispatched' and not exists (select from agent_run r
        where r.tenant_id = s.tenant_id and r.run_id = s.redispatched_run_id)`,
  },
];

export interface Breaches {
  breaches: number;
  rows: Record<string, unknown>[];
}

/** The number of offending rows, and the first of them. */
export const findBreaches = (sql: Sql, claim: StoredClaim, rows_max: number) =>
  sql<Breaches[]>`
    with offending as materialized (${claim.find(sql)})
    select (select count(*) from offending)::float8 as breaches,
      coalesce((select jsonb_agg(to_jsonb(x)) from (
        select * from offending limit ${rows_max}) x), '[]') as rows`;

export const countRows = (sql: Sql, table: StoredClaim["among"]) =>
  sql<{ rows: number }[]>`select count(*)::float8 as rows from ${sql(table)}`;
