-- The sweep: what time alone makes due. Each step takes up to `limit` rows of one tenant, oldest
-- first, skipping what others hold, and judges them again under their locks; so two sweeps never
-- do one thing twice, and a lease that was renewed in between stays. A step answers how many rows
-- it took (`done`) and, of those within the caller's workspaces, what became of them.

-- Sweep and claim: deadlines that have passed
create index agent_run_deadline on agent_run (tenant_id, deadline_at)
  where finished_at is null and deadline_at is not null;
-- Sweep: heartbeats. The deadline itself stands in no index, so that a heartbeat stays a HOT
-- update.
create index agent_runtime_awake on agent_runtime (tenant_id, id)
  where status in ('online', 'draining');
-- Sweep: interactions and steering leases that are over
create index interaction_expiry on agent_interaction (tenant_id, expires_at)
  where status = 'pending';
create index steering_lease on agent_run_steering (tenant_id, lease_expires_at)
  where state = 'leased';
-- Retention
create index agent_run_finished on agent_run (tenant_id, finished_at)
  where finished_at is not null;

-- Which host sweeps: a lease by row, so it needs no session of its own and outlives no host. Losing
-- it harms nothing, the steps themselves are safe beside each other.
create table runhost_duty (
  duty text primary key,
  holder text not null,
  held_until timestamptz not null
);

create function take_duty(p_duty text, p_holder text, p_seconds double precision)
returns boolean language sql as $$
  with taken as (
    insert into runhost_duty as d (duty, holder, held_until)
    values (p_duty, p_holder, now() + make_interval(secs => p_seconds))
    on conflict (duty) do update set holder = excluded.holder, held_until = excluded.held_until
      where d.holder = excluded.holder or d.held_until <= now()
    returning 1)
  select exists (select from taken)
$$;

-- A prefix and a UUIDv7: 48 bits of milliseconds, then version, variant and random bits.
create function make_id(p_prefix text) returns text
language sql volatile as $$
  select p_prefix || '_' || encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send(epoch_ms(clock_timestamp())) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- The tenants there are, by walking the index from one to the next.
create function known_tenants() returns setof text
language sql stable as $$
  with recursive walk as (
    select min(tenant_id) as tenant_id from plugin
    union all
    select (select min(p.tenant_id) from plugin p where p.tenant_id > w.tenant_id)
    from walk w where w.tenant_id is not null)
  select tenant_id from walk where tenant_id is not null union select 'default'
$$;

create function tenants_with_due_work(p_retention_days int) returns setof text
language sql stable as $$
  select t from known_tenants() t where exists (select from agent_run r
      where r.tenant_id = t and r.finished_at is null and r.deadline_at <= now())
    or exists (select from agent_run r
      where r.tenant_id = t and r.status = 'claimed' and r.claim_lease_expires_at <= now())
    or exists (select from agent_runtime m where m.tenant_id = t
      and m.status in ('online', 'draining') and m.heartbeat_deadline_at < now())
    or exists (select from agent_interaction i
      where i.tenant_id = t and i.status = 'pending' and i.expires_at <= now())
    or exists (select from agent_run_steering s
      where s.tenant_id = t and s.state = 'leased' and s.lease_expires_at <= now())
    or (p_retention_days > 0 and exists (select from agent_run r where r.tenant_id = t
      and r.finished_at < now() - make_interval(days => p_retention_days)))
$$;

-- Step 1. Input: limit, stale_after_seconds (null: only the heartbeat deadline counts).
create function sweep_runtimes(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_silent timestamptz := v_now - make_interval(
    secs => (p_input ->> 'stale_after_seconds')::double precision);
  v_stale jsonb := '[]';
  m agent_runtime;
begin
  for m in select * from agent_runtime where tenant_id = p_tenant
      and status in ('online', 'draining')
      and (heartbeat_deadline_at < v_now or last_heartbeat_at < v_silent)
    order by heartbeat_deadline_at limit (p_input ->> 'limit')::int
    for no key update skip locked
  loop
    insert into run_audit (tenant_id, domain, actor, action, target_runtime_id, detail, created_at)
    values (p_tenant, 'runtime', 'host', 'runtime_stale', m.runtime_id, jsonb_build_object(
      'from_status', m.status, 'to_status', 'stale', 'runtime_id', m.runtime_id), v_now);
    update agent_runtime set status = 'stale', updated_at = v_now
      where tenant_id = p_tenant and id = m.id returning * into m;
    v_stale := v_stale || jsonb_build_array(runtime_record(m, v_now));
  end loop;
  return jsonb_build_object('done', jsonb_array_length(v_stale), 'stale_runtimes', v_stale);
end $$;

create function audit_transition(
  p_tenant text, p_action text, p_from agent_run, r agent_run, p_now timestamptz
) returns void language sql as $$
  select write_host_audit(p_tenant, p_action, r, transition_detail(p_from.status, r,
    jsonb_build_object('runtime_id', p_from.claimed_by_runtime_id, 'claim_epoch', r.claim_epoch,
      'dispatch_attempts', r.dispatch_attempts)), p_now)
$$;

-- Step 2: deadlines.
create function sweep_deadlines(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_done int := 0;
  v_counts jsonb := '{}';
  v_ended jsonb := '[]';
  r agent_run;
  v_run agent_run;
begin
  for r in select * from agent_run where tenant_id = p_tenant
      and finished_at is null and deadline_at <= v_now
    order by deadline_at limit (p_input ->> 'limit')::int for no key update skip locked
  loop
    v_run := end_run(r, case when r.cancel_requested_at is null then 'timeout' else 'cancelled' end,
      'deadline exceeded', v_now);
    perform audit_transition(p_tenant, 'run_' || v_run.status, r, v_run, v_now);
    v_done := v_done + 1;
    v_ended := v_ended || to_jsonb(v_run.run_id);
    if holds_in_workspace(p_grant -> 'admin', v_run.workspace_id) then
      v_counts := count_outcome(v_counts, v_run.status);
    end if;
  end loop;
  return jsonb_build_object('done', v_done, 'counts', v_counts, 'ended_run_ids', v_ended,
    'queued', v_done > 0);
end $$;

create function count_outcome(p_counts jsonb, p_outcome text) returns jsonb
language sql immutable as $$
  select p_counts || jsonb_build_object(p_outcome, coalesce((p_counts ->> p_outcome)::int, 0) + 1)
$$;

-- Step 3: leases that are over.
create function sweep_leases(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_done int := 0;
  v_counts jsonb := '{}';
  v_ended jsonb := '[]';
  v_released jsonb := '[]';
  r agent_run;
  v_run agent_run;
begin
  for r in select * from agent_run where tenant_id = p_tenant
      and status = 'claimed' and claim_lease_expires_at <= v_now
    order by claim_lease_expires_at limit (p_input ->> 'limit')::int
    for no key update skip locked
  loop
    v_run := requeue_run(r, 'claim lease expired', true, null, v_now);
    perform audit_transition(p_tenant, case v_run.status when 'queued' then 'run_requeued'
      when 'failed' then 'run_exhausted' else 'run_' || v_run.status end, r, v_run, v_now);
    v_done := v_done + 1;
    if is_terminal(v_run.status) then v_ended := v_ended || to_jsonb(v_run.run_id); end if;
    if holds_in_workspace(p_grant -> 'admin', v_run.workspace_id) then
      v_counts := count_outcome(v_counts, v_run.status);
      if v_run.status = 'queued' and jsonb_array_length(v_released) < 100 then
        v_released := v_released || jsonb_build_array(run_record(v_run));
      end if;
    end if;
  end loop;
  return jsonb_build_object('done', v_done, 'counts', v_counts, 'ended_run_ids', v_ended,
    'released_claims', v_released, 'queued', v_done > 0);
end $$;

-- What happens to a request that nobody answered in time, or that was answered or cancelled: the
-- run hears of it as steering.
create function steer_interaction(i agent_interaction, p_type text, p_now timestamptz)
returns void language sql as $$
  insert into agent_run_steering (tenant_id, steering_id, run_id, type, interaction_id, payload,
    created_at, updated_at)
  values (i.tenant_id, make_id('steer'), i.run_id, p_type, i.interaction_id, '{}', p_now, p_now)
$$;

-- Step 4: interactions.
create function sweep_interactions(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_done int := 0;
  v_counted int := 0;
  v_runs text[] := '{}';
  i agent_interaction;
begin
  for i in select * from agent_interaction where tenant_id = p_tenant
      and status = 'pending' and expires_at <= v_now
    order by expires_at limit (p_input ->> 'limit')::int for no key update skip locked
  loop
    update agent_interaction set status = 'expired', updated_at = v_now
      where tenant_id = p_tenant and id = i.id;
    perform steer_interaction(i, 'interaction.expired', v_now);
    v_runs := v_runs || i.run_id;
    v_done := v_done + 1;
    if holds_in_workspace(p_grant -> 'admin', i.workspace_id) then
      v_counted := v_counted + 1;
    end if;
  end loop;
  return jsonb_build_object('done', v_done, 'counts', jsonb_build_object('expired', v_counted),
    'steering', list_steering_news(p_tenant, v_runs, v_now));
end $$;

-- Step 5: steering items whose answer was lost, or whose reader died.
create function sweep_steering(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_done int;
  v_counted int;
  v_runs text[];
begin
  with due as (
    select id from agent_run_steering where tenant_id = p_tenant
      and state = 'leased' and lease_expires_at <= v_now
    order by lease_expires_at limit (p_input ->> 'limit')::int for no key update skip locked
  ), returned as (
    update agent_run_steering s set state = 'queued', lease_expires_at = null, updated_at = v_now
    from due where s.tenant_id = p_tenant and s.id = due.id
    returning s.run_id
  )
  select count(*), count(*) filter (
    where holds_in_workspace(p_grant -> 'admin', r.workspace_id)), array_agg(r.run_id)
    into v_done, v_counted, v_runs
  from returned join agent_run r on r.tenant_id = p_tenant and r.run_id = returned.run_id;
  return jsonb_build_object('done', v_done, 'counts', jsonb_build_object('expired', v_counted),
    'steering', list_steering_news(p_tenant, v_runs, v_now));
end $$;

-- Retention, one bounded step: runs that ended before the cut with all that hangs on them, then
-- what was logged before it and belongs to no run any more. Input: limit, retention_days.
create function sweep_retention(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_cut timestamptz := call_time(p_grant)
    - make_interval(days => (p_input ->> 'retention_days')::int);
  v_limit int := (p_input ->> 'limit')::int;
  v_runs text[];
  v_rows int;
  v_loose int := 0;
begin
  select coalesce(array_agg(run_id), '{}') into v_runs from (
    select run_id from agent_run where tenant_id = p_tenant and finished_at < v_cut
    order by finished_at limit v_limit for update skip locked) x;
  delete from agent_run_event where tenant_id = p_tenant and run_id = any (v_runs);
  delete from agent_run_request where tenant_id = p_tenant and run_id = any (v_runs);
  delete from agent_run_steering where tenant_id = p_tenant and run_id = any (v_runs);
  delete from agent_interaction where tenant_id = p_tenant and run_id = any (v_runs);
  delete from agent_run where tenant_id = p_tenant and run_id = any (v_runs);
  delete from event_log where tenant_id = p_tenant and id in (
    select e.id from event_log e where e.tenant_id = p_tenant and e.created_at < v_cut
      and not exists (select from agent_run r
        where r.tenant_id = p_tenant and r.run_id = e.run_id)
    order by e.id limit v_limit);
  get diagnostics v_rows = row_count;
  v_loose := greatest(v_loose, v_rows);
  delete from transcript where tenant_id = p_tenant and id in (
    select t.id from transcript t where t.tenant_id = p_tenant and t.created_at < v_cut
      and not exists (select from agent_run r
        where r.tenant_id = p_tenant and r.run_id = t.run_id)
    order by t.id limit v_limit);
  get diagnostics v_rows = row_count;
  v_loose := greatest(v_loose, v_rows);
  delete from run_audit where tenant_id = p_tenant and id in (
    select a.id from run_audit a where a.tenant_id = p_tenant and a.created_at < v_cut
      and not exists (select from agent_run r
        where r.tenant_id = p_tenant and r.run_id = a.target_run_id)
    order by a.id limit v_limit);
  get diagnostics v_rows = row_count;
  return jsonb_build_object('done', greatest(v_loose, v_rows, cardinality(v_runs)),
    'runs', cardinality(v_runs));
end $$;

-- What retention would remove now, counted and not touched.
create function count_retention(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language sql stable as $$
  with cut as (select call_time(p_grant)
      - make_interval(days => (p_input ->> 'retention_days')::int) as at),
  gone as (select run_id from agent_run, cut where tenant_id = p_tenant and finished_at < cut.at),
  kept as (select run_id from agent_run, cut where tenant_id = p_tenant
    and (finished_at is null or finished_at >= cut.at))
  select jsonb_build_object(
    'runs', (select count(*) from gone),
    'events', (select count(*) from agent_run_event e join gone using (run_id)
      where e.tenant_id = p_tenant),
    'event_log', (select count(*) from event_log e, cut where e.tenant_id = p_tenant
      and e.created_at < cut.at and not exists (select from kept k where k.run_id = e.run_id)),
    'transcript', (select count(*) from transcript t, cut where t.tenant_id = p_tenant
      and t.created_at < cut.at and not exists (select from kept k where k.run_id = t.run_id)),
    'audit', (select count(*) from run_audit a, cut where a.tenant_id = p_tenant
      and a.created_at < cut.at
      and not exists (select from kept k where k.run_id = a.target_run_id)))
$$;
