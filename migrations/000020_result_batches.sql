-- Result events in batches. Writes that a claim proves, that come in order and do nothing but store
-- their event are judged and stored as a set; all others go one by one through run_append and
-- run_emit, after the locks. Both ways end in store_events. Answers leave out data, usage and
-- metadata: they are those of the write, also when it repeats one.

-- An event that has been admitted.
create type new_event as (run bigint, run_id text, sequence bigint, type text,
  data jsonb, usage jsonb, metadata jsonb, source text, written_by text, claim_epoch bigint,
  fingerprint bytea, bytes int, created_at timestamptz);

create function event_receipt(
  p_id bigint, p_run_id text, p_sequence bigint, p_type text, p_source text, p_epoch bigint,
  p_at timestamptz
) returns jsonb language sql stable as $$
  select jsonb_build_object('id', p_id, 'run_id', p_run_id, 'sequence', p_sequence,
    'type', p_type, 'source', p_source, 'claim_epoch', p_epoch,
    'created_at', epoch_seconds(p_at), 'created_at_ms', epoch_ms(p_at))
$$;

-- Storing events; a receipt for each, in their order. The caller holds the locks of their runs and
-- gives those of one run in ascending sequence, so ids and sequences grow together. Runs are looked
-- up one by one, whatever the planner believes of their number.
create function store_events(p_tenant text, p_events new_event[])
returns setof jsonb language plpgsql set plan_cache_mode to force_generic_plan
set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
begin
  perform distrust_plans();
  update agent_run r set last_sequence = e.sequence, updated_at = e.created_at
  from (select run, max(sequence) as sequence, max(created_at) as created_at
    from unnest(p_events) group by run) e
  where r.tenant_id = p_tenant and r.id = e.run;
  return query with stored as (
    insert into agent_run_event (tenant_id, run_id, sequence, type, data, usage, metadata, source,
      written_by, claim_epoch, fingerprint, bytes, created_at)
    select p_tenant, e.run_id, e.sequence, e.type, e.data, e.usage, e.metadata, e.source,
      e.written_by, e.claim_epoch, e.fingerprint, e.bytes, e.created_at
    from unnest(p_events) e
    returning id, run_id, sequence, type, source, claim_epoch, created_at
  )
  select event_receipt(s.id, s.run_id, s.sequence, s.type, s.source, s.claim_epoch, s.created_at)
  from stored s;
end $$;

drop function store_event(agent_run, jsonb, jsonb, timestamptz, boolean);
drop function event_answer(agent_run_event, text, boolean);

create function shows_claim(p_grant jsonb) returns boolean
language sql immutable as $$
  select coalesce(jsonb_typeof(p_grant -> 'claim') = 'object', false)
$$;

-- Storing one event that was admitted alone.
create function store_event(
  r agent_run, p_grant jsonb, p_input jsonb, p_now timestamptz, p_by_admin boolean
) returns jsonb language sql as $$
  select receipt from store_events(r.tenant_id, array[row(r.id, r.run_id,
    (p_input ->> 'sequence')::bigint, p_input ->> 'type', p_input -> 'data',
    nullif(p_input -> 'usage', 'null'), p_input -> 'metadata',
    case when p_by_admin then 'admin:' || (p_grant ->> 'caller')
      when shows_claim(p_grant) then 'runtime:' || (p_grant #>> '{claim,runtime_id}')
      else 'runner' end,
    p_grant ->> 'caller', case when shows_claim(p_grant) then r.claim_epoch end,
    decode(p_input ->> 'fingerprint', 'hex'), (p_input ->> 'bytes')::int, p_now)::new_event])
    as receipt
$$;

-- The answer to a repeat is the receipt of what is stored.
create function repeat_receipt(e agent_run_event) returns jsonb
language sql stable as $$
  select event_receipt(e.id, e.run_id, e.sequence, e.type, e.source, e.claim_epoch, e.created_at)
    || '{"idempotent": true}'
$$;

create or replace function run_append(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_receipt jsonb;
  a record;
begin
  a := admit_result(p_tenant, p_grant, p_input, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  if (a.repeated).sequence is not null then
    return jsonb_build_object('event', repeat_receipt(a.repeated));
  end if;
  v_receipt := store_event(a.t, p_grant, p_input, v_now, a.by_admin);
  if a.by_admin then
    perform write_audit(p_tenant, p_grant, 'agent_run:admin', run_target(a.t),
      jsonb_build_object('type', p_input -> 'type', 'sequence', p_input -> 'sequence',
        'force', (p_grant ->> 'force')::boolean));
  end if;
  return jsonb_build_object('event', v_receipt);
end $$;

create or replace function run_emit(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_type text := p_input ->> 'type';
  v_data jsonb := p_input -> 'data';
  v_usage jsonb := nullif(p_input -> 'usage', 'null');
  v_refusal jsonb;
  v_receipt jsonb;
  a record;
  t agent_run;
begin
  a := admit_result(p_tenant, p_grant, p_input, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  t := a.t;
  if (a.repeated).sequence is not null then
    return jsonb_build_object('event',
      repeat_receipt(a.repeated) || jsonb_build_object('run_status', t.status));
  end if;
  v_refusal := effect_refusal(t, p_input, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  v_receipt := store_event(t, p_grant, p_input, v_now, false);
  perform log_result_message(t, p_input, v_now);
  if v_type = 'run.completed' then
    t := end_run(t, 'completed', left(coalesce(v_data ->> 'finish_reason', 'stop'), 2000),
      v_now, v_usage);
  elsif v_type = 'run.failed' then
    t := fail_run(t, v_data, v_usage, v_now);
  end if;
  return jsonb_build_object('event', v_receipt || jsonb_build_object('run_status', t.status))
    || aftermath(t);
end $$;

-- Locks the runs that a batch names and says of each write whether a claim proves it, as
-- claim_proof does: one row for each grant, in their order, without a run where there is none. A
-- session that is another run than the target needs a look of its own.
create function lock_claims(p_tenant text, p_grants jsonb)
returns table (place int, run_id text, run bigint, caller text, runtime_id text, at timestamptz,
  proved boolean, claim_epoch bigint, last_sequence bigint, conversation_id text,
  plugin_identity text) language plpgsql
set plan_cache_mode to force_generic_plan set enable_seqscan to off as $$
#variable_conflict use_column
begin
  perform distrust_plans();
  return query with item as materialized (
    select x.place::int - 1 as place, x.g ->> 'target_run_id' as run_id,
      coalesce(x.g ->> 'run_id', x.g ->> 'target_run_id') as session_run_id,
      x.g ->> 'caller' as caller, x.g #>> '{claim,runtime_id}' as runtime_id,
      x.g #>> '{claim,token_sha256}' as token_sha256, (x.g #>> '{claim,epoch}')::bigint as epoch,
      coalesce((x.g ->> 'now')::timestamptz, now()) as at
    from jsonb_array_elements(p_grants) with ordinality as x (g, place)
  ), run as materialized (
    select r.*
    from (select f.id from (
        select i.run_id from item i union select i.session_run_id from item i) n
      cross join lateral (select r.id from agent_run r
        where r.tenant_id = p_tenant and r.run_id = n.run_id offset 0) f order by f.id) l
    cross join lateral (select r.id, r.run_id, r.status, r.claim_lease_expires_at, r.claim_epoch,
        r.claimed_by_identity, r.claimed_by_runtime_id, r.claim_token_sha256, r.last_sequence,
        r.conversation_id, r.plugin_identity
      from agent_run r where r.tenant_id = p_tenant and r.id = l.id for no key update) r
  )
  select i.place, i.run_id, r.id, i.caller, i.runtime_id, i.at,
    coalesce(i.session_run_id = i.run_id and r.status = 'claimed'
      and r.claim_lease_expires_at > i.at and r.claimed_by_identity = i.caller
      and r.claimed_by_runtime_id = i.runtime_id
      and r.claim_token_sha256 = decode(i.token_sha256, 'hex')
      and coalesce(i.epoch = r.claim_epoch, true), false),
    r.claim_epoch, r.last_sequence, r.conversation_id, r.plugin_identity
  from item i left join run r on r.run_id = i.run_id order by i.place;
end $$;

-- Takes out of a batch what can be stored as a set: the events and their places, and the places of
-- all other writes. Once a write of a run needs its own look, those behind it on that run do too,
-- so that they keep their order.
create function judge_results(
  p_tenant text, p_grants jsonb, p_inputs jsonb, out events new_event[], out places int[],
  out others int[]
) language plpgsql set plan_cache_mode to force_generic_plan as $$
begin
  with weighed as (
    select c.*, (c.input ->> 'sequence')::bigint as sequence, c.proved
      and (c.input ->> 'sequence')::bigint
        > lag((c.input ->> 'sequence')::bigint, 1, c.last_sequence) over in_order
      and c.input ->> 'type' not in ('run.completed', 'run.failed')
      and jsonb_typeof(c.input -> 'state') is distinct from 'object'
      and jsonb_typeof(c.input -> 'interaction') is distinct from 'object'
      and (c.conversation_id is null
        or jsonb_typeof(c.input -> 'message') is distinct from 'object') as plain
    from rows from (lock_claims(p_tenant, p_grants), jsonb_array_elements(p_inputs)) as c (place,
      run_id, run, caller, runtime_id, at, proved, claim_epoch, last_sequence, conversation_id,
      plugin_identity, input)
    window in_order as (partition by c.run_id order by c.place)
  ), judged as (
    select w.*, bool_and(w.plain) over (partition by w.run_id order by w.place) as in_set
    from weighed w
  )
  select array_agg(row(j.run, j.run_id, j.sequence, j.input ->> 'type', j.input -> 'data',
      nullif(j.input -> 'usage', 'null'), j.input -> 'metadata', 'runtime:' || j.runtime_id,
      j.caller, j.claim_epoch, decode(j.input ->> 'fingerprint', 'hex'),
      (j.input ->> 'bytes')::int, j.at)::new_event order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where not j.in_set)
  into events, places, others
  from judged j;
end $$;

-- State scopes that a batch will write, against other batches, in one order.
create function lock_scopes(p_tenant text, p_grants jsonb, p_inputs jsonb, p_places int[])
returns void language sql as $$
  select from agent_runner_state_scope where tenant_id = p_tenant and scope_key in (
    select r.snapshot #>> array['state_context', 'scope_keys', p_inputs -> p #>> '{state,scope}']
    from unnest(p_places) p join agent_run r on r.tenant_id = p_tenant
      and r.run_id = p_grants -> p ->> 'target_run_id'
    where jsonb_typeof(p_inputs -> p -> 'state') = 'object')
  order by scope_key for no key update
$$;

create function run_append_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql as $$
declare
  v_outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_inputs)], array[0]);
  v_receipt jsonb;
  j record;
  k int := 1;
  p int;
begin
  j := judge_results(p_tenant, p_grants, p_inputs);
  for v_receipt in select store_events(p_tenant, j.events) loop
    v_outcomes[j.places[k]] := jsonb_build_object('event', v_receipt);
    k := k + 1;
  end loop;
  foreach p in array coalesce(j.others, '{}') loop
    v_outcomes[p] := run_append(p_tenant, p_grants -> p, p_inputs -> p);
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;

-- What is stored as a set comes from executors of claimed runs and ends nothing.
create function run_emit_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql as $$
declare
  v_outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_inputs)], array[0]);
  v_receipt jsonb;
  j record;
  k int := 1;
  p int;
begin
  j := judge_results(p_tenant, p_grants, p_inputs);
  for v_receipt in select store_events(p_tenant, j.events) loop
    v_outcomes[j.places[k]] := jsonb_build_object('ended', false, 'queued', false,
      'event', v_receipt || '{"run_status": "claimed"}');
    k := k + 1;
  end loop;
  if j.others is not null then
    perform lock_scopes(p_tenant, p_grants, p_inputs, j.others);
  end if;
  foreach p in array coalesce(j.others, '{}') loop
    v_outcomes[p] := run_emit(p_tenant, p_grants -> p, p_inputs -> p);
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;
