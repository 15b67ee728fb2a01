-- Claims, renewals and ends, which move many runs in one statement, keep agent_run_open and
-- agent_run_ended in that statement. Their functions set runhost.places before it and clear it
-- after it, and the trigger leaves the rows of such statements alone, but of no other: what fails
-- between takes the setting back with it. A function that sets it in its head could be made by
-- superusers only. A column instead would be logged with all that stands before it.

create or replace function place_moved_run() returns trigger language plpgsql as $$
begin
  if (old.status, old.not_before, old.deadline_at, old.cancel_requested_at, old.finished_at,
      old.claimed_by_runtime_id, old.claim_lease_expires_at)
    is not distinct from (new.status, new.not_before, new.deadline_at, new.cancel_requested_at,
      new.finished_at, new.claimed_by_runtime_id, new.claim_lease_expires_at) then
    return null;
  end if;
  if old.finished_at is not null then
    delete from agent_run_ended
      where tenant_id = old.tenant_id and status = old.status and id = old.id;
  end if;
  if new.finished_at is not null then
    delete from agent_run_open where tenant_id = new.tenant_id and id = new.id;
    insert into agent_run_ended (tenant_id, id, status, finished_at)
      values (new.tenant_id, new.id, new.status, new.finished_at);
  else
    update agent_run_open set status = new.status, not_before = new.not_before,
      deadline_at = new.deadline_at, cancel_requested_at = new.cancel_requested_at,
      claimed_by_runtime_id = new.claimed_by_runtime_id,
      claim_lease_expires_at = new.claim_lease_expires_at
    where tenant_id = new.tenant_id and id = new.id;
    if not found then insert into agent_run_open select * from open_rows(new); end if;
  end if;
  return null;
end $$;

-- Columns are named so that a stored event, which sets none of them, does not read the condition;
-- it is short because every statement parses it anew.
drop trigger agent_run_moved on agent_run;
create trigger agent_run_moved after update of status, not_before, deadline_at,
  cancel_requested_at, finished_at, claimed_by_runtime_id, claim_lease_expires_at on agent_run
  for each row when (current_setting('runhost.places', true) is distinct from 'in statement')
  execute function place_moved_run();

-- Of rows behind a limit that it does not know the planner expects one. So it looks each of them up
-- by its key, whatever it believes of the tables when the plan is made, and keeps that plan.

-- CLAIM_EFFECTS, for runs whose locks the caller holds: equally long arrays, one entry for each.
-- Answers work items.
drop function claim_runs(text, bigint[], text[], text[], text[], int[], text, timestamptz);
create function claim_runs(
  p_tenant text, p_ids bigint[], p_run_ids text[], p_token_sha256s text[], p_runtimes text[],
  p_leases int[], p_caller text, p_now timestamptz
) returns table (nth int, item json, traceparent text) language plpgsql as $$
begin
  perform set_config('runhost.places', 'in statement', true);
  return query with placed as (
    update agent_run_open o set status = 'claimed', not_before = null,
      claimed_by_runtime_id = x.runtime_id, claim_lease_expires_at = least(
        p_now + make_interval(secs => x.lease_seconds), o.deadline_at + interval '60 seconds')
    from (select * from unnest(p_ids, p_runtimes, p_leases) limit cardinality(p_ids))
      x (id, runtime_id, lease_seconds)
    where o.tenant_id = p_tenant and o.id = x.id
  )
  update agent_run r set status = 'claimed',
    claimed_by_runtime_id = x.runtime_id, claimed_by_identity = p_caller,
    claim_token_sha256 = decode(x.token_sha256, 'hex'), claim_epoch = r.claim_epoch + 1,
    dispatch_attempts = r.dispatch_attempts + 1, last_claimed_at = p_now,
    started_at = coalesce(r.started_at, greatest(p_now, r.created_at)),
    claim_lease_expires_at = least(p_now + make_interval(secs => x.lease_seconds),
      r.deadline_at + interval '60 seconds'),
    not_before = null, status_reason = null, updated_at = p_now
  from (select * from unnest(p_ids, p_run_ids, p_token_sha256s, p_runtimes, p_leases)
      with ordinality limit cardinality(p_ids))
      x (id, run_id, token_sha256, runtime_id, lease_seconds, place)
    cross join lateral (select q.event, q.input, q.binding, q.delivery, q.traceparent
      from agent_run_request q where q.tenant_id = p_tenant and q.run_id = x.run_id offset 0) q
  where r.tenant_id = p_tenant and r.id = x.id
  -- What show_run shows, and the request: (show_run(r)).* would plan for a tenth of a second.
  returning x.place::int, (select row_to_json(w) from (
      select r.id, r.run_id, r.runner_id, r.plugin_identity, r.created_by, r.parent_run_id,
        r.event_id, r.agent_id, r.binding_id, r.conversation_id, r.thread_id, r.workspace_id,
        r.bot_id, r.dispatch, r.status, r.status_reason, r.queue_name, r.priority,
        r.requested_runtime_id, r.claimed_by_runtime_id,
        epoch_seconds(r.claim_lease_expires_at) as claim_lease_expires_at, r.claim_epoch,
        r.dispatch_attempts, r.max_attempts, epoch_seconds(r.not_before) as not_before,
        epoch_seconds(r.last_claimed_at) as last_claimed_at, r.last_sequence,
        epoch_seconds(r.created_at) as created_at, epoch_ms(r.created_at) as created_at_ms,
        epoch_seconds(r.updated_at) as updated_at, epoch_seconds(r.started_at) as started_at,
        epoch_ms(r.started_at) as started_at_ms, null::bigint as finished_at,
        null::bigint as finished_at_ms, epoch_seconds(r.deadline_at) as deadline_at,
        epoch_seconds(r.cancel_requested_at) as cancel_requested_at, r.cancel_reason, r.usage,
        r.cost, r.metadata, q.event, q.input, q.binding, q.delivery,
        epoch_ms(r.claim_lease_expires_at) as claim_lease_expires_at_ms,
        r.snapshot -> 'available_apis' as available_apis) w),
    q.traceparent;
  perform set_config('runhost.places', '', true);
end $$;
drop function work_item(agent_run, agent_run_request);

drop function end_runs(text, run_end[]);
create function close_runs(p_tenant text, p_ends run_end[])
returns table (id bigint, run_id text, record json)
language plpgsql as $$
#variable_conflict use_column
begin
  perform set_config('runhost.places', 'in statement', true);
  return query with ended as (
    update agent_run r set status = e.status,
      status_reason = coalesce(e.status_reason, r.status_reason),
      -- A statement that waited for the lock may have begun before what it found there.
      finished_at = greatest(e.at, r.started_at, r.created_at), claim_lease_expires_at = null,
      usage = coalesce(e.usage, r.usage), cost = coalesce(e.cost, r.cost),
      metadata = case when e.metadata is null then r.metadata else r.metadata || e.metadata end,
      updated_at = e.at
    from (select * from unnest(p_ends) limit cardinality(p_ends)) e
    where r.tenant_id = p_tenant and r.id = e.run
      and r.status not in ('completed', 'failed', 'cancelled', 'timeout')
    returning r.id, r.run_id, r.status, r.finished_at, r.updated_at, run_json(r) as record
  ), closed as (
    delete from agent_run_open o using (select d.id from ended d limit cardinality(p_ends)) d
    where o.tenant_id = p_tenant and o.id = d.id
  ), placed as (
    insert into agent_run_ended (tenant_id, id, status, finished_at)
    select p_tenant, d.id, d.status, d.finished_at from ended d
  ), freed as (
    update agent_interaction i set status = 'cancelled', status_reason = 'run ended',
      updated_at = p.ended_at
    from (select d.updated_at as ended_at, p.id from ended d cross join lateral (
        select n.id from agent_interaction n where n.tenant_id = p_tenant
          and n.run_id = d.run_id and n.status = 'pending' offset 0) p) p
    where i.tenant_id = p_tenant and i.id = p.id
  )
  select d.id, d.run_id, d.record from ended d;
  perform set_config('runhost.places', '', true);
end $$;

-- END: the only way in which runs become terminal. The caller holds their locks. `queued`: a run
-- took over messages that the ended one left.
create function end_runs(p_tenant text, p_ends run_end[])
returns table (run bigint, record json, queued boolean) language plpgsql
set plan_cache_mode to force_generic_plan set enable_seqscan to off set enable_hashjoin to off
set enable_mergejoin to off as $$
#variable_conflict use_column
declare
  v_ids bigint[];
  v_run_ids text[];
  v_records json[];
  v_leaving text[];
  r agent_run;
begin
  select array_agg(d.id), array_agg(d.run_id), array_agg(d.record)
  into v_ids, v_run_ids, v_records from close_runs(p_tenant, p_ends) d;
  v_leaving := array(select n.run_id from unnest(v_run_ids) n (run_id)
    cross join lateral (select from agent_run_steering s where s.tenant_id = p_tenant
      and s.run_id = n.run_id and s.state in ('queued', 'leased') limit 1) s);
  if v_leaving <> '{}' then
    for r in select * from agent_run a where a.tenant_id = p_tenant
      and a.run_id = any (v_leaving) order by a.id
    loop
      perform settle_leftovers(r, r.updated_at);
    end loop;
  end if;
  return query select d.id, d.record, d.run_id = any (v_leaving) and exists (
      select from agent_run_steering s where s.tenant_id = p_tenant and s.run_id = d.run_id
        and s.state = 'redispatched')
    from unnest(v_ids, v_run_ids, v_records) d (id, run_id, record);
end $$;

create or replace function end_run(
  r agent_run, p_status text, p_reason text, p_now timestamptz, p_usage jsonb default null,
  p_cost jsonb default null, p_metadata jsonb default null
) returns agent_run language plpgsql as $$
declare
  v_id bigint;
  v_run agent_run;
begin
  select run into strict v_id from end_runs(r.tenant_id,
    array[row(r.id, p_status, p_reason, p_usage, p_cost, p_metadata, p_now)::run_end]);
  select * into strict v_run from agent_run where tenant_id = r.tenant_id and id = v_id;
  return v_run;
end $$;

-- Renewing. The caller holds the locks of the runs, each named once.
create or replace function renew_runs(
  p_tenant text, p_runs bigint[], p_seconds int[], p_at timestamptz[]
) returns table (run bigint, record jsonb) language plpgsql
set plan_cache_mode to force_generic_plan
set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
#variable_conflict use_column
begin
  perform set_config('runhost.places', 'in statement', true);
  return query with renewed as (
    update agent_run r set updated_at = x.at, claim_lease_expires_at = least(
        x.at + make_interval(secs => x.seconds), r.deadline_at + interval '60 seconds')
    from (select * from unnest(p_runs, p_seconds, p_at) limit cardinality(p_runs))
      as x (run, seconds, at)
    where r.tenant_id = p_tenant and r.id = x.run
    returning r.id, r.claim_lease_expires_at as expires_at, run_record(r)
      || jsonb_build_object('claim_lease_expires_at_ms', epoch_ms(r.claim_lease_expires_at))
      as record
  ), placed as (
    update agent_run_open o set claim_lease_expires_at = n.expires_at
    from (select n.id, n.expires_at from renewed n limit cardinality(p_runs)) n
    where o.tenant_id = p_tenant and o.id = n.id
  )
  select n.id, n.record from renewed n;
  perform set_config('runhost.places', '', true);
end $$;
