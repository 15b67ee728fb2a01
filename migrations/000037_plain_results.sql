-- Results that need no look of their own, in one statement: what stores is what judges. A run is
-- written only where its claim proves the write and its sequence is behind all of them; all events
-- of a run are stored, or none. Whoever sends them has seen that those of one run show one claim
-- and ascend.

-- Of rows behind two limits that it does not know the planner expects one. Runs are found by their
-- name and written where they were found, in ascending id: to a plan made for an empty table that
-- is the only way to write them, whatever the table has grown to since.
create function store_plain_results(p_tenant text, p_runs jsonb, p_events jsonb)
returns table (run_id text, sequence float8, id float8, claim_epoch float8, created_at_ms float8)
language plpgsql set plan_cache_mode to force_generic_plan set enable_seqscan to off
set enable_bitmapscan to off set enable_mergejoin to off as $$
#variable_conflict use_column
begin
  return query with run as materialized (
    update agent_run r set last_sequence = i.last, updated_at = i.at
    from (select * from (select f.spot, x.place, x.caller, x.runtime_id, x.epoch, x.first, x.last,
          decode(x.token_sha256, 'hex') as token, coalesce(x.now, now()) as at
        from rows from (jsonb_to_recordset(p_runs) as (run_id text, caller text,
            runtime_id text, token_sha256 text, epoch bigint, first bigint, last bigint,
            now timestamptz))
          with ordinality as x (run_id, caller, runtime_id, token_sha256, epoch, first, last, now,
            place)
          cross join lateral (select a.id, a.ctid as spot from agent_run a
            where a.tenant_id = p_tenant and a.run_id = x.run_id offset 0) f
        order by f.id limit jsonb_array_length(p_runs)) i
      limit jsonb_array_length(p_runs)) i
    where r.tenant_id = p_tenant and r.ctid = i.spot and r.status = 'claimed'
      and r.claim_lease_expires_at > i.at and r.claimed_by_identity = i.caller
      and r.claimed_by_runtime_id = i.runtime_id and r.claim_token_sha256 = i.token
      and coalesce(i.epoch = r.claim_epoch, true) and r.last_sequence < i.first
    returning i.place, r.run_id, r.claim_epoch, i.caller, i.runtime_id, i.at
  ), stored as (
    insert into agent_run_event (tenant_id, run_id, sequence, type, data, usage, metadata, source,
      written_by, claim_epoch, fingerprint, bytes, created_at)
    select p_tenant, r.run_id, e.sequence, e.type, e.data, nullif(e.usage, 'null'), e.metadata,
      'runtime:' || r.runtime_id, r.caller, r.claim_epoch, decode(e.fingerprint, 'hex'), e.bytes,
      r.at
    from rows from (jsonb_to_recordset(p_events) as (run int, sequence bigint, type text,
        data jsonb, usage jsonb, metadata jsonb, fingerprint text, bytes int))
      with ordinality as e (run, sequence, type, data, usage, metadata, fingerprint, bytes, place)
      join run r on r.place = e.run
    order by e.place
    returning run_id, sequence, id, claim_epoch, created_at
  )
  select s.run_id, s.sequence::float8, s.id::float8, s.claim_epoch::float8,
    epoch_ms(s.created_at)::float8 from stored s order by s.id;
end $$;

-- A ledger of a gigabyte is left to autovacuum: what counts it must not outlast a statement.
create or replace function distrust_plans() returns void language plpgsql as $$
begin
  if pg_relation_size('agent_run') between greatest(131072, (
    select relpages from pg_class where oid = 'agent_run'::regclass) * 65536::bigint) + 1
    and 1073741824
  then
    analyze (skip_locked) agent_run;
  end if;
end $$;

-- The plans of plain writes are kept, and count nothing themselves: whatever adds runs does.
create function count_added_runs() returns trigger language plpgsql as $$
begin
  perform distrust_plans();
  return null;
end $$;
create trigger agent_run_counted after insert on agent_run
  for each statement execute function count_added_runs();
