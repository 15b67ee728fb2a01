// What a scrape reads: live runs by status, queues by depth, and how far back the database has to
// keep row versions. No tenant, identity or run is named. Each count looks at a bounded number of
// rows, the oldest first, so that a large backlog cannot make a scrape expensive.

import type { Sql } from "./database.js";

export interface RunCount {
  status: string;
  runs: number;
}

export interface QueueCount {
  /** Null: runs without a queue, or with `is_rest` those of all further queues. */
  queue_name: string | null;
  is_rest: boolean;
  queued: number;
  /** Of the run that could be claimed for the longest time; 0 when all are held back. */
  oldest_age_seconds: number;
}

/** Through open_run_busy, tenant by tenant. Each status is spelled out: with one for all
    four, the planner takes each of them for an average share of the table. */
export const countLiveRuns = (sql: Sql, rows_max: number) =>
  sql<RunCount[]>`
    with t as materialized (select k as tenant_id from known_tenants() k)
    select 'claimed' as status, coalesce(sum(live.runs), 0)::float8 as runs
    from t cross join lateral (select count(*) as runs from (select from agent_run_open r
      where r.tenant_id = t.tenant_id and r.status = 'claimed' and r.id > 0
      order by r.id limit ${rows_max}) x) live
    union all select 'created' as status, coalesce(sum(live.runs), 0)::float8 as runs
    from t cross join lateral (select count(*) as runs from (select from agent_run_open r
      where r.tenant_id = t.tenant_id and r.status = 'created' and r.id > 0
      order by r.id limit ${rows_max}) x) live
    union all select 'queued' as status, coalesce(sum(live.runs), 0)::float8 as runs
    from t cross join lateral (select count(*) as runs from (select from agent_run_open r
      where r.tenant_id = t.tenant_id and r.status = 'queued'
      order by r.id limit ${rows_max}) x) live
    union all select 'running' as status, coalesce(sum(live.runs), 0)::float8 as runs
    from t cross join lateral (select count(*) as runs from (select from agent_run_open r
      where r.tenant_id = t.tenant_id and r.status = 'running' and r.id > 0
      order by r.id limit ${rows_max}) x) live`;

/** The deepest queues by name, and one row for the others together. A run waits since it was
    created, held back to, or last taken, whichever came last. */
export const countQueues = (sql: Sql, bounds: { rows_max: number; queues_max: number }) =>
  sql<QueueCount[]>`
    with waiting as (
      select r.queue_name, greatest(r.created_at, r.not_before, r.last_claimed_at) as since
      from known_tenants() t cross join lateral (select id from agent_run_open
        where tenant_id = t and status = 'queued' order by id limit ${bounds.rows_max}) o
      cross join lateral (select queue_name, created_at, not_before, last_claimed_at
        from agent_run a where a.tenant_id = t and a.id = o.id limit 1) r),
    counted as (
      select queue_name, count(*) as queued, min(since) as since from waiting group by queue_name),
    placed as (
      select *, row_number() over (order by queued desc, queue_name) > ${bounds.queues_max}::int
        as is_rest from counted)
    select case when not is_rest then queue_name end as queue_name, is_rest,
      sum(queued)::float8 as queued,
      greatest(0, extract(epoch from clock_timestamp() - min(since)))::float8
        as oldest_age_seconds
    from placed group by 1, 2`;

/** Of the oldest transaction whose snapshot or id keeps old row versions from being removed. A user
    without pg_read_all_stats sees the transactions of that user only. */
export const readOldestSnapshot = (sql: Sql) =>
  sql<{ age_seconds: number }[]>`
    select coalesce(greatest(0, extract(epoch from clock_timestamp() - min(xact_start))), 0)::float8
      as age_seconds
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and (backend_xmin is not null or backend_xid is not null)`;
