-- END, renewals and heartbeats in batches. In the set goes what a claim, or the owner of a runtime,
-- proves and what comes first for its row; all else goes one by one after the locks.

-- How a run ends. What is null keeps what is stored; metadata is added to it.
create type run_end as (run bigint, status text, status_reason text, usage jsonb, cost jsonb,
  metadata jsonb, at timestamptz);

-- END: the only way in which runs become terminal. The caller holds their locks.
create function end_runs(p_tenant text, p_ends run_end[]) returns setof agent_run
language plpgsql set plan_cache_mode to force_generic_plan
set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
declare
  v_ended agent_run[];
  v_run agent_run;
begin
  perform distrust_plans();
  with ended as (
    update agent_run r set status = e.status,
      status_reason = coalesce(e.status_reason, r.status_reason),
      -- A statement that waited for the lock may have begun before what it found there.
      finished_at = greatest(e.at, r.started_at, r.created_at), claim_lease_expires_at = null,
      usage = coalesce(e.usage, r.usage), cost = coalesce(e.cost, r.cost),
      metadata = case when e.metadata is null then r.metadata else r.metadata || e.metadata end,
      updated_at = e.at
    from unnest(p_ends) e
    where r.tenant_id = p_tenant and r.id = e.run
      and r.status not in ('completed', 'failed', 'cancelled', 'timeout')
    returning r as run
  )
  select array_agg(d.run) into v_ended from ended d;
  update agent_interaction i set status = 'cancelled', status_reason = 'run ended',
    updated_at = (d).updated_at
  from unnest(v_ended) d
  where i.tenant_id = p_tenant and i.run_id = (d).run_id and i.status = 'pending';
  for v_run in select (d).* from unnest(v_ended) d where exists (
    select from agent_run_steering s where s.tenant_id = p_tenant and s.run_id = (d).run_id
      and s.state in ('queued', 'leased'))
  loop
    perform settle_leftovers(v_run, v_run.updated_at);
  end loop;
  return query select (d).* from unnest(v_ended) d;
end $$;

drop function end_run(agent_run, text, text, timestamptz);

create function end_run(
  r agent_run, p_status text, p_reason text, p_now timestamptz, p_usage jsonb default null,
  p_cost jsonb default null, p_metadata jsonb default null
) returns agent_run language plpgsql as $$
declare
  v_run agent_run;
begin
  select * into strict v_run from end_runs(r.tenant_id,
    array[row(r.id, p_status, p_reason, p_usage, p_cost, p_metadata, p_now)::run_end]);
  return v_run;
end $$;

drop function fail_run(agent_run, jsonb, timestamptz);

-- The effect of run.failed: back to the queue, cancelled, or failed.
create function fail_run(r agent_run, p_data jsonb, p_usage jsonb, p_now timestamptz)
returns agent_run language plpgsql as $$
declare
  v_error text := left(p_data ->> 'error', 2000);
  v_run agent_run;
begin
  if r.status = 'claimed' and coalesce(nullif(p_data -> 'retryable', 'null'), 'false') = 'true' then
    v_run := requeue_run(r, v_error, true, null, p_now);
    update agent_run set usage = coalesce(p_usage, usage),
      status_reason = case when status = 'failed' then v_error else status_reason end
    where tenant_id = r.tenant_id and id = r.id returning * into strict v_run;
    return v_run;
  end if;
  if p_data ->> 'code' = 'cancelled' and r.cancel_requested_at is not null then
    return end_run(r, 'cancelled', r.cancel_reason, p_now, p_usage);
  end if;
  return end_run(r, 'failed', v_error, p_now, p_usage);
end $$;

create or replace function run_finalize(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_status text := p_input ->> 'status';
  v_usage jsonb := nullif(p_input -> 'usage', 'null');
  v_cost jsonb := nullif(p_input -> 'cost', 'null');
  v_metadata jsonb := coalesce(nullif(p_input -> 'metadata', 'null'), '{}');
  v_refusal jsonb;
  v_executor_refusal jsonb;
  v_admin boolean;
  v_from text;
  v_loaded record;
  t agent_run;
begin
  v_loaded := load_runs(p_tenant, p_grant, true);
  t := v_loaded.t;
  v_refusal := write_admission(v_loaded.s, t, p_grant, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  v_from := t.status;
  v_executor_refusal := executor_refusal(t, p_grant, v_now);
  v_admin := v_executor_refusal is not null and is_admin_write(t, p_grant, v_now);
  if is_terminal(t.status) and t.status <> v_status then
    return jsonb_build_object('refusal', refused('CONFLICT', 'status_differs')
      || jsonb_build_object('status', t.status));
  end if;
  if is_terminal(t.status) and not v_admin then
    return jsonb_build_object('run', run_record(t) || '{"idempotent": true}');
  end if;
  if v_executor_refusal is not null and not v_admin then
    return jsonb_build_object('refusal', v_executor_refusal);
  end if;
  if json_bytes(t.metadata || v_metadata) > 65536 then
    return jsonb_build_object('refusal', refused('PAYLOAD_TOO_LARGE', 'field')
      || '{"path": "metadata", "limit_bytes": 65536}');
  end if;
  if not is_terminal(v_from) then
    t := end_run(t, v_status, p_input ->> 'status_reason', v_now, v_usage, v_cost, v_metadata);
  elsif (coalesce(v_usage, t.usage), coalesce(v_cost, t.cost), t.metadata || v_metadata)
    is distinct from (t.usage, t.cost, t.metadata) then
    update agent_run set usage = coalesce(v_usage, usage), cost = coalesce(v_cost, cost),
      metadata = metadata || v_metadata, updated_at = v_now
    where tenant_id = p_tenant and id = t.id returning * into strict t;
  else
    return jsonb_build_object('run', run_record(t) || '{"idempotent": true}');
  end if;
  if v_admin then
    perform write_audit(p_tenant, p_grant, 'agent_run:admin', run_target(t),
      transition_detail(v_from, t, jsonb_build_object('force', (p_grant ->> 'force')::boolean)));
  end if;
  if is_terminal(v_from) then
    return jsonb_build_object('run', run_record(t) || '{"idempotent": true}');
  end if;
  return jsonb_build_object('run', run_record(t)) || aftermath(t);
end $$;

drop function apply_outcome(agent_run, jsonb, timestamptz);

-- In the set: the first end of each run, proved by its claim, that adds no metadata to be measured.
create function run_finalize_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql set plan_cache_mode to force_generic_plan as $$
declare
  v_outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_inputs)], array[0]);
  v_ends run_end[];
  v_places int[];
  v_others int[];
  v_done record;
  p int;
begin
  with judged as (
    select c.*, c.proved and coalesce(c.input -> 'metadata', 'null') in ('null', '{}')
      and row_number() over (partition by c.run_id order by c.place) = 1 as in_set
    from rows from (lock_claims(p_tenant, p_grants), jsonb_array_elements(p_inputs)) as c (place,
      run_id, run, caller, runtime_id, at, proved, claim_epoch, last_sequence, conversation_id,
      plugin_identity, input)
  )
  select array_agg(row(j.run, j.input ->> 'status', j.input ->> 'status_reason',
      nullif(j.input -> 'usage', 'null'), nullif(j.input -> 'cost', 'null'), null,
      j.at)::run_end order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where not j.in_set)
  into v_ends, v_places, v_others
  from judged j;
  for v_done in select e.place, jsonb_build_object('run', run_record(r)) || aftermath(r) as outcome
    from end_runs(p_tenant, v_ends) r
    join rows from (unnest(v_ends), unnest(v_places)) as e (run, status, status_reason, usage,
      cost, metadata, at, place) on e.run = r.id
  loop
    v_outcomes[v_done.place] := v_done.outcome;
  end loop;
  foreach p in array coalesce(v_others, '{}') loop
    v_outcomes[p] := run_finalize(p_tenant, p_grants -> p, p_inputs -> p);
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;

-- Renewing. The caller holds the locks of the runs, each named once.
create function renew_runs(
  p_tenant text, p_runs bigint[], p_seconds int[], p_at timestamptz[]
) returns table (run bigint, record jsonb) language plpgsql
set plan_cache_mode to force_generic_plan
set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
#variable_conflict use_column
begin
  perform distrust_plans();
  return query update agent_run r set updated_at = x.at, claim_lease_expires_at = least(
      x.at + make_interval(secs => x.seconds), r.deadline_at + interval '60 seconds')
    from unnest(p_runs, p_seconds, p_at) as x (run, seconds, at)
    where r.tenant_id = p_tenant and r.id = x.run
    returning r.id, run_record(r) || jsonb_build_object(
      'claim_lease_expires_at_ms', epoch_ms(r.claim_lease_expires_at));
end $$;

create or replace function run_renew(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_loaded record;
  v_refusal jsonb;
  v_record jsonb;
begin
  v_loaded := load_runs(p_tenant, p_grant, true);
  v_refusal := claim_refusal(v_loaded.s, v_loaded.t, p_grant, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  select record into strict v_record from renew_runs(p_tenant, array[(v_loaded.t).id],
    array[(p_input ->> 'lease_seconds')::int], array[v_now]);
  return jsonb_build_object('run', v_record);
end $$;

-- In the set: the first renewal of each run, by the plugin that owns it.
create function run_renew_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql set plan_cache_mode to force_generic_plan as $$
declare
  v_outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_inputs)], array[0]);
  v_runs bigint[];
  v_seconds int[];
  v_at timestamptz[];
  v_places int[];
  v_others int[];
  v_done record;
  p int;
begin
  with judged as (
    select c.*, c.proved and c.plugin_identity = c.caller
      and row_number() over (partition by c.run_id order by c.place) = 1 as in_set
    from rows from (lock_claims(p_tenant, p_grants), jsonb_array_elements(p_inputs)) as c (place,
      run_id, run, caller, runtime_id, at, proved, claim_epoch, last_sequence, conversation_id,
      plugin_identity, input)
  )
  select array_agg(j.run order by j.place) filter (where j.in_set),
    array_agg((j.input ->> 'lease_seconds')::int order by j.place) filter (where j.in_set),
    array_agg(j.at order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where not j.in_set)
  into v_runs, v_seconds, v_at, v_places, v_others
  from judged j;
  for v_done in select e.place, r.record
    from renew_runs(p_tenant, v_runs, v_seconds, v_at) r
    join unnest(v_runs, v_places) as e (run, place) on e.run = r.run
  loop
    v_outcomes[v_done.place] := jsonb_build_object('run', v_done.record);
  end loop;
  foreach p in array coalesce(v_others, '{}') loop
    v_outcomes[p] := run_renew(p_tenant, p_grants -> p, p_inputs -> p);
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;

-- What an owner's heartbeat stores. The caller holds the locks of the runtimes, each named once.
create function beat_runtimes(
  p_tenant text, p_runtimes bigint[], p_inputs jsonb[], p_at timestamptz[]
) returns table (runtime bigint, record jsonb) language plpgsql
set plan_cache_mode to force_generic_plan
set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
#variable_conflict use_column
begin
  return query update agent_runtime m set
      status = coalesce(x.input ->> 'status',
        case when m.status = 'stale' then 'online' else m.status end),
      capabilities = coalesce(nullif(x.input -> 'capabilities', 'null'), m.capabilities),
      labels = coalesce(nullif(x.input -> 'labels', 'null'), m.labels),
      metadata = case when jsonb_typeof(x.input -> 'metadata') = 'object'
        then m.metadata || (x.input -> 'metadata') else m.metadata end,
      last_heartbeat_at = x.at, heartbeat_deadline_at = heartbeat_deadline(x.input, x.at),
      updated_at = x.at
    from unnest(p_runtimes, p_inputs, p_at) as x (runtime, input, at)
    where m.tenant_id = p_tenant and m.id = x.runtime
      and (jsonb_typeof(x.input -> 'metadata') is distinct from 'object'
        or json_bytes(m.metadata || (x.input -> 'metadata')) <= 65536)
    returning m.id, runtime_record(m, x.at);
end $$;

create or replace function runtime_heartbeat(p_tenant text, p_grant jsonb, p_input jsonb)
returns jsonb language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_record jsonb;
  a record;
  m agent_runtime;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into m from agent_runtime where tenant_id = p_tenant
    and runtime_id = p_input ->> 'runtime_id' and deregistered_at is null for no key update;
  if m.id is null then
    return jsonb_build_object('refusal', missing('runtime', p_input ->> 'runtime_id'));
  end if;
  if m.plugin_identity <> p_grant ->> 'caller' then
    return hold_runtime(m, p_grant, p_input, v_now);
  end if;
  select record into v_record
    from beat_runtimes(p_tenant, array[m.id], array[p_input], array[v_now]);
  if v_record is null then
    return jsonb_build_object('refusal', refused('PAYLOAD_TOO_LARGE', 'field')
      || '{"path": "metadata", "limit_bytes": 65536}');
  end if;
  return jsonb_build_object('runtime', v_record);
end $$;

-- In the set: the first heartbeat of each runtime, by its owner, without a session to be judged.
-- One that the set refuses is judged again alone, for its refusal.
create function runtime_heartbeat_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql set plan_cache_mode to force_generic_plan
set enable_seqscan to off as $$
declare
  v_outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_inputs)], array[0]);
  v_runtimes bigint[];
  v_inputs jsonb[];
  v_at timestamptz[];
  v_places int[];
  v_done record;
begin
  with item as materialized (
    select x.place::int - 1 as place, x.input ->> 'runtime_id' as runtime_id, x.input, x.g
    from rows from (jsonb_array_elements(p_grants), jsonb_array_elements(p_inputs))
      with ordinality as x (g, input, place)
  ), runtime as materialized (
    select m.*
    from (select f.id from (select distinct i.runtime_id from item i) n
      cross join lateral (select m.id from agent_runtime m
        where m.tenant_id = p_tenant and m.runtime_id = n.runtime_id offset 0) f order by f.id) l
    cross join lateral (select m.id, m.runtime_id, m.plugin_identity, m.deregistered_at
      from agent_runtime m where m.tenant_id = p_tenant and m.id = l.id for no key update) m
  ), judged as (
    select i.*, m.id as runtime, m.plugin_identity = i.g ->> 'caller'
      and m.deregistered_at is null and i.g ->> 'run_id' is null
      and row_number() over (partition by i.runtime_id order by i.place) = 1 as in_set
    from item i left join runtime m on m.runtime_id = i.runtime_id
  )
  select array_agg(j.runtime order by j.place), array_agg(j.input order by j.place),
    array_agg(call_time(j.g) order by j.place), array_agg(j.place order by j.place)
  into v_runtimes, v_inputs, v_at, v_places
  from judged j where j.in_set;
  for v_done in select e.place, b.record
    from beat_runtimes(p_tenant, v_runtimes, v_inputs, v_at) b
    join unnest(v_runtimes, v_places) as e (runtime, place) on e.runtime = b.runtime
  loop
    v_outcomes[v_done.place] := jsonb_build_object('runtime', v_done.record);
  end loop;
  for p in 0 .. jsonb_array_length(p_inputs) - 1 loop
    if v_outcomes[p] is null then
      v_outcomes[p] := runtime_heartbeat(p_tenant, p_grants -> p, p_inputs -> p);
    end if;
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;
