-- What looks runs up by status looks in agent_run_open and agent_run_ended, and takes each run
-- under its lock in agent_run, judged again.

create or replace function tenants_with_due_work(p_retention_days int) returns setof text
language sql stable as $$
  select t from known_tenants() t where exists (select from agent_run_open r
      where r.tenant_id = t and r.deadline_at <= now())
    or exists (select from agent_run_open r
      where r.tenant_id = t and r.status = 'claimed' and r.claim_lease_expires_at <= now())
    or exists (select from agent_runtime m where m.tenant_id = t
      and m.status in ('online', 'draining') and m.heartbeat_deadline_at < now())
    or exists (select from agent_interaction i
      where i.tenant_id = t and i.status = 'pending' and i.expires_at <= now())
    or exists (select from agent_run_steering s
      where s.tenant_id = t and s.state = 'leased' and s.lease_expires_at <= now())
    or (p_retention_days > 0 and exists (select from agent_run_ended r where r.tenant_id = t
      and r.finished_at < now() - make_interval(days => p_retention_days)))
$$;

-- Step 2: deadlines.
create or replace function sweep_deadlines(p_tenant text, p_grant jsonb, p_input jsonb)
returns jsonb language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_done int := 0;
  v_counts jsonb := '{}';
  v_ended jsonb := '[]';
  v_id bigint;
  r agent_run;
  v_run agent_run;
begin
  for v_id in select id from agent_run_open
    where tenant_id = p_tenant and deadline_at <= v_now order by deadline_at
  loop
    exit when v_done >= (p_input ->> 'limit')::int;
    select * into r from agent_run where tenant_id = p_tenant and id = v_id
      and finished_at is null and deadline_at <= v_now for no key update skip locked;
    continue when not found;
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

-- Step 3: leases that are over.
create or replace function sweep_leases(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_done int := 0;
  v_counts jsonb := '{}';
  v_ended jsonb := '[]';
  v_released jsonb := '[]';
  v_id bigint;
  r agent_run;
  v_run agent_run;
begin
  for v_id in select id from agent_run_open where tenant_id = p_tenant
    and status = 'claimed' and claim_lease_expires_at <= v_now order by claim_lease_expires_at
  loop
    exit when v_done >= (p_input ->> 'limit')::int;
    select * into r from agent_run where tenant_id = p_tenant and id = v_id
      and status = 'claimed' and claim_lease_expires_at <= v_now for no key update skip locked;
    continue when not found;
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

-- Ended runs that retention takes next, oldest first, under their locks.
create function lock_expired_runs(p_tenant text, p_cut timestamptz, p_limit int) returns text[]
language sql as $$
  select coalesce(array_agg(run_id), '{}') from (
    select r.run_id from (select id from agent_run_ended
      where tenant_id = p_tenant and finished_at < p_cut order by finished_at limit p_limit) e
    cross join lateral (select run_id from agent_run a where a.tenant_id = p_tenant and a.id = e.id
      and a.finished_at < p_cut limit 1 for update skip locked) r) x
$$;

-- Retention, one bounded step. Input: limit, retention_days.
create or replace function sweep_retention(p_tenant text, p_grant jsonb, p_input jsonb)
returns jsonb language plpgsql as $$
declare
  v_cut timestamptz := call_time(p_grant)
    - make_interval(days => (p_input ->> 'retention_days')::int);
  v_limit int := (p_input ->> 'limit')::int;
  v_runs text[];
  v_rows int;
  v_loose int := 0;
begin
  v_runs := lock_expired_runs(p_tenant, v_cut, v_limit);
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

create or replace function runtime_deregister(p_tenant text, p_grant jsonb, p_input jsonb)
returns jsonb language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_released int := 0;
  v_ended jsonb := '[]';
  v_id bigint;
  a record;
  m agent_runtime;
  r agent_run;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into m from agent_runtime
    where tenant_id = p_tenant and runtime_id = p_input ->> 'runtime_id' for update;
  if m.plugin_identity <> p_grant ->> 'caller' and not holds(p_grant -> 'admin') then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  if m.id is null then
    return jsonb_build_object('refusal', missing('runtime', p_input ->> 'runtime_id'));
  end if;
  if m.deregistered_at is not null then
    return jsonb_build_object('runtime', runtime_record(m, v_now), 'released_claim_count', 0);
  end if;
  update agent_runtime set status = 'offline', deregistered_at = v_now, updated_at = v_now
    where tenant_id = p_tenant and id = m.id returning * into m;
  for v_id in select id from agent_run_open where tenant_id = p_tenant and status = 'claimed'
    and id > 0 and claimed_by_runtime_id = m.runtime_id order by id
  loop
    select * into r from agent_run where tenant_id = p_tenant and id = v_id
      and status = 'claimed' and claimed_by_runtime_id = m.runtime_id for no key update;
    continue when not found;
    r := requeue_run(r, 'runtime deregistered', false, null, v_now);
    v_released := v_released + 1;
    if is_terminal(r.status) then v_ended := v_ended || to_jsonb(r.run_id); end if;
  end loop;
  if m.plugin_identity <> p_grant ->> 'caller' then
    perform write_audit(p_tenant, p_grant, 'runtime:admin',
      jsonb_build_object('runtime_id', m.runtime_id), jsonb_build_object('status', 'offline',
        'held', m.held_status is not null, 'released_claim_count', v_released));
  end if;
  return jsonb_build_object('runtime', runtime_record(m, v_now),
    'released_claim_count', v_released, 'ended_run_ids', v_ended,
    'queued', v_released > 0);
end $$;

create or replace function find_live_run(
  p_tenant text, p_event jsonb, p_runner text, p_now timestamptz
) returns agent_run language plpgsql as $$
declare
  v_id bigint;
  r agent_run;
begin
  for v_id in select o.id from agent_run_open o where o.tenant_id = p_tenant
    and o.conversation_id = p_event ->> 'conversation_id' and o.status in ('claimed', 'running')
    order by o.id
  loop
    select * into r from agent_run x where x.tenant_id = p_tenant and x.id = v_id
      and takes_message(x, p_event, p_runner, p_now) for no key update;
    continue when not found;
    if (select count(*) from agent_run_steering s where s.tenant_id = p_tenant
      and s.run_id = r.run_id and s.type = 'message' and s.state in ('queued', 'leased')) < 100 then
      return r;
    end if;
  end loop;
  return null;
end $$;
