-- Runs are made many in one statement. What is new and plain is judged and stored as a set;
-- repeats, what names a parent, and what may be refused goes one by one through create_run, after
-- the set. Both ways end in insert_runs.

-- New runs with their requests, from checked input; run_id is the idempotency key, and one that is
-- taken makes no row. In one order, or two batches with the same ids would wait for each other.
create function insert_runs(
  p_tenant text, p_callers text[], p_inputs jsonb[], p_at timestamptz[]
) returns table (made_run_id text, record jsonb) language plpgsql
set plan_cache_mode = force_generic_plan as $$
begin
  return query with made as (
    insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by,
      parent_run_id, event_id, agent_id, binding_id, conversation_id, thread_id, workspace_id,
      bot_id, dispatch, status, queue_name, priority, requested_runtime_id, max_attempts,
      not_before, allow_unregistered_runner, created_at, updated_at, started_at, deadline_at,
      metadata, snapshot, request_fingerprint, request_bytes)
    select p_tenant, i ->> 'run_id', i ->> 'runner_id', i #>> '{snapshot,plugin_identity}',
      x.caller, i ->> 'parent_run_id', e ->> 'event_id', b ->> 'agent_id', b ->> 'binding_id',
      e ->> 'conversation_id', e ->> 'thread_id', e ->> 'workspace_id', e ->> 'bot_id',
      i ->> 'dispatch', i ->> 'dispatch',
      case when i ->> 'dispatch' = 'queued' then i ->> 'queue_name' end,
      (i ->> 'priority')::smallint, i ->> 'requested_runtime_id', (i ->> 'max_attempts')::int,
      to_timestamp((i ->> 'not_before')::bigint), (i ->> 'allow_unregistered_runner')::boolean,
      x.at, x.at, case when i ->> 'dispatch' = 'running' then x.at end,
      coalesce(to_timestamp((i ->> 'deadline_at')::bigint),
        x.at + make_interval(secs => (i ->> 'timeout_seconds')::int)),
      i -> 'metadata', i -> 'snapshot', decode(i ->> 'fingerprint', 'hex'),
      (i ->> 'request_bytes')::int
    from unnest(p_callers, p_inputs, p_at) x (caller, i, at)
      cross join lateral (select x.i -> 'event' as e, x.i -> 'binding' as b) parts
    order by i ->> 'run_id'
    on conflict (tenant_id, run_id) do nothing
    returning run_id, run_record(agent_run) as record
  ), requested as (
    insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt,
      traceparent)
    select p_tenant, m.run_id, i -> 'event', i -> 'input', i -> 'binding', i -> 'delivery',
      nullif(i -> 'prompt', 'null'), i ->> 'traceparent'
    from made m join unnest(p_inputs) i on i ->> 'run_id' = m.run_id
  )
  select m.run_id, m.record from made m;
end $$;

create function event_summary(p_text text) returns text
language sql immutable as $$
  select case when length(p_text) > 1000 then left(p_text, 997) || '...' else p_text end
$$;

-- Stores event-log rows; the ids of those that were not logged before. What only event_publish
-- knows comes in p_published: published_by, fingerprint, disposition, steering_id, metadata.
create function insert_event_rows(
  p_tenant text, p_inputs jsonb[], p_run_ids text[], p_runner_ids text[], p_published jsonb,
  p_at timestamptz[]
) returns text[] language sql as $$
  with logged as (
    insert into event_log (tenant_id, event_id, event_type, event_time, source, bot_id,
      workspace_id, conversation_id, thread_id, actor_type, actor_id, actor_name, subject_type,
      subject_id, input_summary, input, raw_ref, run_id, runner_id, published_by,
      request_fingerprint, disposition, steering_id, metadata, created_at)
    select p_tenant, e ->> 'event_id', e ->> 'event_type',
      to_timestamp((e ->> 'event_time')::bigint), e ->> 'source', e ->> 'bot_id',
      e ->> 'workspace_id', e ->> 'conversation_id', e ->> 'thread_id',
      e #>> '{actor,actor_type}', e #>> '{actor,actor_id}', e #>> '{actor,actor_name}',
      e #>> '{subject,subject_type}', e #>> '{subject,subject_id}',
      event_summary(x.i -> 'log_input' ->> 'text'), x.i -> 'log_input', e ->> 'raw_ref',
      x.run_id, x.runner_id, p_published ->> 'published_by',
      decode(p_published ->> 'fingerprint', 'hex'), p_published ->> 'disposition',
      p_published ->> 'steering_id', coalesce(p_published -> 'metadata', '{}'), x.at
    from unnest(p_inputs, p_run_ids, p_runner_ids, p_at) x (i, run_id, runner_id, at)
      cross join lateral (select x.i -> 'event' as e) event
    order by e ->> 'event_id'
    on conflict (tenant_id, event_id) do nothing
    returning event_id)
  select coalesce(array_agg(event_id), '{}') from logged
$$;

create or replace function insert_event_row(
  p_tenant text, p_input jsonb, r agent_run, p_published jsonb, p_now timestamptz
) returns boolean language sql as $$
  select cardinality(insert_event_rows(p_tenant, array[p_input], array[r.run_id],
    array[r.runner_id], p_published, array[p_now])) > 0
$$;

-- The user's transcript items of incoming messages, once per event.
create function log_user_messages(
  p_tenant text, p_inputs jsonb[], p_run_ids text[], p_runner_ids text[], p_at timestamptz[]
) returns void language sql as $$
  insert into transcript (tenant_id, transcript_id, origin, event_id, run_id, runner_id, bot_id,
    workspace_id, conversation_id, thread_id, role, content, content_tsv, content_json,
    attachment_refs, created_at)
  select p_tenant, x.i ->> 'transcript_id', 'event', e ->> 'event_id', x.run_id, x.runner_id,
    e ->> 'bot_id', e ->> 'workspace_id', e ->> 'conversation_id', e ->> 'thread_id', 'user', txt,
    case when octet_length(txt) <= 131072 then to_tsvector('simple', txt) end,
    x.i -> 'log_input', x.i -> 'attachment_refs', x.at
  from unnest(p_inputs, p_run_ids, p_runner_ids, p_at) x (i, run_id, runner_id, at)
    cross join lateral (select x.i -> 'event' as e, x.i -> 'log_input' ->> 'text' as txt) parts
  where is_user_message(e)
  order by e ->> 'event_id'
  on conflict (tenant_id, event_id) where origin = 'event' do nothing
$$;

create or replace function log_user_message(
  p_tenant text, p_input jsonb, p_event jsonb, r agent_run, p_now timestamptz
) returns void language sql as $$
  select log_user_messages(p_tenant, array[p_input || jsonb_build_object('event', p_event)],
    array[r.run_id], array[r.runner_id], array[p_now])
$$;

-- The audit row of an administrator who made a run.
create function audit_create(p_tenant text, p_grant jsonb, p_input jsonb) returns void
language sql as $$
  select write_audit(p_tenant, p_grant,
    case when holds_in_workspace(p_grant -> 'admin', p_input #>> '{event,workspace_id}')
      then 'agent_run:admin' else 'agent_run:create' end,
    jsonb_build_object('run_id', p_input ->> 'run_id',
      'workspace_id', p_input #>> '{event,workspace_id}'),
    jsonb_build_object('runner_id', p_input ->> 'runner_id',
      'event_type', p_input #>> '{event,event_type}', 'event_id', p_input #>> '{event,event_id}',
      'parent_run_id', p_input ->> 'parent_run_id'))
$$;

-- An event that names no time happened now.
create function date_event(p_input jsonb, p_now timestamptz) returns jsonb
language sql stable as $$
  select case when p_input #>> '{event,event_time}' is null
    then jsonb_set(p_input, '{event,event_time}', to_jsonb(epoch_seconds(p_now)))
    else p_input end
$$;

drop function run_create(text, jsonb, jsonb);

-- One run, whatever its case. Its event is dated.
create function create_run(p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamptz)
returns jsonb language plpgsql as $$
declare
  v_refusal jsonb;
  v_record jsonb;
  r agent_run;
begin
  select * into r from agent_run
    where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
  if found then return repeated_run(r, p_grant, p_input); end if;
  v_refusal := run_create_refusal(p_tenant, p_grant, p_input, p_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  select record into v_record
    from insert_runs(p_tenant, array[p_grant ->> 'caller'], array[p_input], array[p_now]);
  if v_record is null then
    select * into strict r from agent_run
      where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
    return repeated_run(r, p_grant, p_input);
  end if;
  if not log_event_of(p_tenant, p_input, p_now) then
    return jsonb_build_object('refusal', refused('CONFLICT', 'event_id_reused'));
  end if;
  if holds(p_grant -> 'admin') then perform audit_create(p_tenant, p_grant, p_input); end if;
  return jsonb_build_object('run', v_record);
end $$;

-- Logs the event of a run that was just made; false when it is logged with another scope, and the
-- run is taken back by the statement that made it: no other has seen it.
create function log_event_of(p_tenant text, p_input jsonb, p_now timestamptz) returns boolean
language plpgsql as $$
declare
  r agent_run;
begin
  select * into strict r from agent_run
    where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
  if log_run_event(p_tenant, p_input, r, p_now) then return true; end if;
  delete from agent_run_request where tenant_id = p_tenant and run_id = r.run_id;
  delete from agent_run where tenant_id = p_tenant and id = r.id;
  return false;
end $$;

-- What a batch can store as a set, and the places of all else: of writes with one run_id or one
-- event_id only the first is in the set, and only if neither is stored already.
create function judge_creates(
  p_tenant text, p_grants jsonb, p_inputs jsonb, out places int[], out callers text[],
  out inputs jsonb[], out at timestamptz[], out others int[]
) language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  with item as materialized (
    select x.place::int - 1 as place, x.grant_, date_event(x.input, t.at) as input, t.at,
      coalesce(to_timestamp((x.input ->> 'deadline_at')::bigint),
        t.at + make_interval(secs => (x.input ->> 'timeout_seconds')::int)) as deadline,
      row_number() over (partition by x.input ->> 'run_id' order by x.place) as nth_of_run,
      row_number() over (partition by x.input #>> '{event,event_id}' order by x.place)
        as nth_of_event
    from rows from (jsonb_array_elements(p_grants), jsonb_array_elements(p_inputs))
        with ordinality as x (grant_, input, place)
      cross join lateral (select call_time(x.grant_) as at) t
  ), runner as materialized (
    select d.runner_id, d.unregistered_ok from (
      select distinct i.input ->> 'runner_id' as runner_id,
        (i.input ->> 'allow_unregistered_runner')::boolean as unregistered_ok from item i) d
    where runner_refusal(p_tenant, d.runner_id, d.unregistered_ok) is null
  ), judged as (
    select i.*, coalesce(i.nth_of_run = 1 and i.nth_of_event = 1
      and coalesce(i.deadline > i.at, true)
      and coalesce(to_timestamp((i.input ->> 'not_before')::bigint) < i.deadline, true)
      and jsonb_typeof(i.input -> 'denied') is distinct from 'object'
      and i.input ->> 'parent_run_id' is null
      and jsonb_typeof(i.input -> 'include_plugins') is distinct from 'array'
      and exists (select from runner d where d.runner_id = i.input ->> 'runner_id'
        and d.unregistered_ok = (i.input ->> 'allow_unregistered_runner')::boolean)
      and not exists (select from agent_run r
        where r.tenant_id = p_tenant and r.run_id = i.input ->> 'run_id')
      and not exists (select from event_log e
        where e.tenant_id = p_tenant and e.event_id = i.input #>> '{event,event_id}'), false)
      as in_set
    from item i
  )
  select array_agg(j.place order by j.place) filter (where j.in_set),
    array_agg(j.grant_ ->> 'caller' order by j.place) filter (where j.in_set),
    array_agg(j.input order by j.place) filter (where j.in_set),
    array_agg(j.at order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where not j.in_set)
  into places, callers, inputs, at, others
  from judged j;
end $$;

-- Stores runs as a set, in pairs with their outcomes' places; `left_over` are places of writes
-- whose run_id was taken meanwhile.
create function create_runs(
  p_tenant text, p_places int[], p_callers text[], p_inputs jsonb[], p_at timestamptz[],
  out places int[], out outcomes jsonb[], out left_over int[]
) language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  v_inputs jsonb[];
  v_at timestamptz[];
  v_logged text[];
  v_runs text[];
  v_runners text[];
begin
  select array_agg(x.place) filter (where m.record is not null),
    array_agg(jsonb_build_object('run', m.record)) filter (where m.record is not null),
    array_agg(x.i) filter (where m.record is not null),
    array_agg(x.at) filter (where m.record is not null),
    array_agg(x.place) filter (where m.record is null)
  into places, outcomes, v_inputs, v_at, left_over
  from unnest(p_places, p_inputs, p_at) x (place, i, at)
    left join insert_runs(p_tenant, p_callers, p_inputs, p_at) m
      on m.made_run_id = x.i ->> 'run_id';
  if places is null then return; end if;
  v_runs := array(select i ->> 'run_id' from unnest(v_inputs) i);
  v_runners := array(select i ->> 'runner_id' from unnest(v_inputs) i);
  v_logged := insert_event_rows(p_tenant, v_inputs, v_runs, v_runners, '{}', v_at);
  if cardinality(v_logged) < cardinality(v_inputs) then
    -- Somebody logged one of these events meanwhile.
    for k in 1 .. cardinality(v_inputs) loop
      if v_inputs[k] #>> '{event,event_id}' <> all (v_logged)
        and not log_event_of(p_tenant, v_inputs[k], v_at[k]) then
        outcomes[k] := jsonb_build_object('refusal', refused('CONFLICT', 'event_id_reused'));
      end if;
    end loop;
  end if;
  if exists (select from unnest(v_inputs) i where is_user_message(i -> 'event')) then
    perform log_user_messages(p_tenant, array_agg(x.i), array_agg(x.run_id),
      array_agg(x.runner_id), array_agg(x.at))
    from unnest(v_inputs, v_runs, v_runners, v_at, outcomes) x (i, run_id, runner_id, at, outcome)
    where x.outcome ? 'run';
  end if;
end $$;

create or replace function run_create_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql as $$
declare
  v_outcomes jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_inputs)]);
  v_grant jsonb;
  v_now timestamptz;
  v_others int[];
  p int;
  j record;
  c record;
begin
  j := judge_creates(p_tenant, p_grants, p_inputs);
  v_others := coalesce(j.others, '{}');
  if j.places is not null then
    c := create_runs(p_tenant, j.places, j.callers, j.inputs, j.at);
    v_others := v_others || c.left_over;
    for k in 1 .. coalesce(cardinality(c.places), 0) loop
      p := c.places[k];
      v_outcomes[p + 1] := c.outcomes[k];
      if holds(p_grants -> p -> 'admin') and c.outcomes[k] ? 'run' then
        perform audit_create(p_tenant, p_grants -> p, p_inputs -> p);
      end if;
    end loop;
  end if;
  foreach p in array v_others loop
    v_grant := p_grants -> p;
    v_now := call_time(v_grant);
    v_outcomes[p + 1] :=
      create_run(p_tenant, v_grant, date_event(p_inputs -> p, v_now), v_now);
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;

create function run_create(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language sql as $$
  select run_create_batch(p_tenant, jsonb_build_array(p_grant), jsonb_build_array(p_input))
$$;

create or replace function event_publish(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_event jsonb := p_input -> 'event';
  v_run jsonb := nullif(p_input -> 'run', 'null');
  v_disposition text := 'logged';
  v_refusal jsonb;
  v_steering text;
  e event_log;
  r agent_run;
begin
  select * into e from event_log
    where tenant_id = p_tenant and event_id = v_event ->> 'event_id';
  if found then return published_outcome(e, p_grant, p_input); end if;
  if v_event ->> 'event_time' is null then
    v_event := v_event || jsonb_build_object('event_time', epoch_seconds(v_now));
    p_input := p_input || jsonb_build_object('event', v_event);
  end if;
  if is_user_message(v_event) and (p_input ->> 'absorb')::boolean then
    r := find_live_run(p_tenant, v_event, v_run ->> 'runner_id', v_now);
  end if;
  if r.id is not null then
    v_disposition := 'absorbed';
    v_steering := p_input ->> 'steering_id';
  elsif v_run is not null then
    v_disposition := 'run_created';
    v_run := v_run || jsonb_build_object('event', v_event);
    v_refusal := run_create_refusal(p_tenant, p_grant, v_run, v_now);
    if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
    r.run_id := v_run ->> 'run_id';
    r.runner_id := v_run ->> 'runner_id';
  end if;
  if not insert_event_row(p_tenant, p_input, r, jsonb_build_object(
    'published_by', p_grant ->> 'caller', 'fingerprint', p_input ->> 'fingerprint',
    'disposition', v_disposition, 'steering_id', v_steering,
    'metadata', p_input -> 'metadata'), v_now) then
    select * into strict e from event_log
      where tenant_id = p_tenant and event_id = v_event ->> 'event_id';
    return published_outcome(e, p_grant, p_input);
  end if;
  if v_disposition = 'run_created' then
    perform insert_runs(p_tenant, array[p_grant ->> 'caller'], array[v_run], array[v_now]);
  elsif v_disposition = 'absorbed' then
    insert into agent_run_steering (tenant_id, steering_id, run_id, type, event_id, payload,
      created_at, updated_at)
    values (p_tenant, v_steering, r.run_id, 'message', v_event ->> 'event_id',
      jsonb_build_object('event', v_event, 'input', p_input -> 'input'), v_now, v_now);
  end if;
  if is_user_message(v_event) then
    perform log_user_message(p_tenant, p_input, v_event, r, v_now);
  end if;
  if holds(p_grant -> 'admin') then
    perform write_audit(p_tenant, p_grant,
      case when holds_in_workspace(p_grant -> 'admin', v_event ->> 'workspace_id')
        then 'agent_run:admin' else 'agent_run:create' end,
      jsonb_build_object('run_id', r.run_id, 'workspace_id', v_event ->> 'workspace_id'),
      jsonb_build_object('runner_id', r.runner_id, 'event_type', v_event ->> 'event_type',
        'event_id', v_event ->> 'event_id', 'parent_run_id', null,
        'disposition', v_disposition));
  end if;
  return jsonb_build_object('published', jsonb_build_object('event_id', v_event ->> 'event_id',
      'disposition', v_disposition, 'run_id', r.run_id, 'steering_id', v_steering),
    'steering', case when v_disposition = 'absorbed' then steering_news(r, v_now) end,
    'queued', v_disposition = 'run_created');
end $$;

drop function insert_run(text, jsonb, jsonb, timestamptz);
drop function insert_run_request(jsonb, agent_run);
