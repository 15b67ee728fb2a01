-- A batch of creates reads nothing but the plugins and runners that it names: whether a run_id or
-- an event_id is taken, their constraints say while rows are stored. A lookup that is planned with
-- the rest may read all rows of a tenant, where the plan was made when there were few. New runs
-- are answered with what the ledger gave them; the rest of their record came with the call.

drop function create_runs(text, int[], text[], jsonb[], timestamptz[]);
drop function judge_creates(text, jsonb, jsonb);
drop function insert_runs(text, text[], jsonb[], timestamptz[]);
drop function insert_event_rows(text, jsonb[], text[], text[], jsonb, timestamptz[]);
drop function log_user_messages(text, jsonb[], text[], text[], timestamptz[]);
drop function date_event(jsonb, timestamptz);

-- Lookups by name. In the order of the name and without a sort, only the index on it serves them,
-- whatever statistics say; an equality would let any index serve that begins with the tenant.
create function find_run(p_tenant text, p_run text) returns agent_run
language plpgsql stable set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  r agent_run;
begin
  select * into r from agent_run
    where tenant_id = p_tenant and run_id >= p_run and run_id <= p_run order by run_id limit 1;
  return r;
end $$;

create function find_event(p_tenant text, p_event text) returns event_log
language plpgsql stable set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  e event_log;
begin
  select * into e from event_log where tenant_id = p_tenant
    and event_id >= p_event and event_id <= p_event order by event_id limit 1;
  return e;
end $$;

-- A run needs a registered runner of an enabled plugin; the first is lifted by the flag.
create or replace function runner_refusal(
  p_tenant text, p_runner text, p_unregistered_ok boolean
) returns jsonb language plpgsql stable set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  v_owner text := substring(p_runner from '^plugin:(.*)/[^/]*$');
  v_served boolean;
begin
  select coalesce((select p.enabled from plugin p where p.tenant_id = p_tenant
        and p.plugin_identity >= v_owner and p.plugin_identity <= v_owner
      order by p.plugin_identity limit 1), true)
    and (p_unregistered_ok
      or coalesce((select r.withdrawn_at is null from runner r where r.tenant_id = p_tenant
          and r.runner_id >= p_runner and r.runner_id <= p_runner
        order by r.runner_id limit 1), false)) into v_served;
  if v_served then return null; end if;
  return missing('runner', p_runner) || jsonb_build_object('runner_id', p_runner);
end $$;

-- New runs with their requests, from checked input but for the places to skip. `ids` and `at` are
-- in the order of the input; an id is null where nothing was stored, because the run_id is taken.
-- Rows go in by run_id, or two batches with the same ids would wait for each other.
create function insert_runs(
  p_tenant text, p_grants jsonb, p_inputs jsonb, p_skipped int[], out ids bigint[],
  out at timestamptz[]
) language plpgsql as $$
begin
  with item as materialized (
    select x.place::int - 1 as place, x.g, x.i, x.i ->> 'run_id' as run_id,
      x.i ->> 'dispatch' as dispatch, x.i -> 'snapshot' as s, call_time(x.g) as at
    from rows from (jsonb_array_elements(p_grants), jsonb_array_elements(p_inputs))
      with ordinality as x (g, i, place)
  ), made as (
    insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by,
      parent_run_id, event_id, agent_id, binding_id, conversation_id, thread_id, workspace_id,
      bot_id, dispatch, status, queue_name, priority, requested_runtime_id, max_attempts,
      not_before, allow_unregistered_runner, created_at, updated_at, started_at, deadline_at,
      metadata, snapshot, request_fingerprint, request_bytes)
    select p_tenant, x.run_id, i ->> 'runner_id', s ->> 'plugin_identity', g ->> 'caller',
      i ->> 'parent_run_id', i #>> '{event,event_id}', i #>> '{binding,agent_id}',
      s ->> 'binding_id', s ->> 'conversation_id', s ->> 'thread_id', s ->> 'workspace_id',
      s ->> 'bot_id', x.dispatch, x.dispatch,
      case when x.dispatch = 'queued' then i ->> 'queue_name' end, (i ->> 'priority')::smallint,
      i ->> 'requested_runtime_id', (i ->> 'max_attempts')::int,
      to_timestamp((i ->> 'not_before')::bigint), (i ->> 'allow_unregistered_runner')::boolean,
      x.at, x.at, case when x.dispatch = 'running' then x.at end,
      coalesce(to_timestamp((i ->> 'deadline_at')::bigint),
        x.at + make_interval(secs => (i ->> 'timeout_seconds')::int)),
      i -> 'metadata', s, decode(i ->> 'fingerprint', 'hex'), (i ->> 'request_bytes')::int
    from item x where x.place <> all (p_skipped) order by x.run_id
    on conflict (tenant_id, run_id) do nothing
    returning id, run_id
  ), requested as (
    insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt,
      traceparent)
    select p_tenant, m.run_id, date_event(i -> 'event', x.at), i -> 'input', i -> 'binding',
      i -> 'delivery', nullif(i -> 'prompt', 'null'), i ->> 'traceparent'
    from made m join item x on x.run_id = m.run_id and x.place <> all (p_skipped)
  )
  select array_agg(m.id order by x.place), array_agg(x.at order by x.place) into ids, at
  from item x left join made m on m.run_id = x.run_id and x.place <> all (p_skipped);
end $$;

-- An event that names no time happened now.
create function date_event(p_event jsonb, p_now timestamptz) returns jsonb
language sql stable as $$
  select case when p_event ->> 'event_time' is null
    then p_event || jsonb_build_object('event_time', epoch_seconds(p_now)) else p_event end
$$;

-- Stores the event-log rows of the inputs that have an id: the event ids of those that were not
-- logged before; of several with one event_id the first is stored. What only event_publish knows
-- comes in p_published: published_by, fingerprint, disposition, steering_id, metadata.
create function insert_event_rows(
  p_tenant text, p_inputs jsonb, p_ids bigint[], p_published jsonb, p_at timestamptz[],
  out event_ids text[]
) language plpgsql as $$
begin
  with logged as (
    insert into event_log (tenant_id, event_id, event_type, event_time, source, bot_id,
      workspace_id, conversation_id, thread_id, actor_type, actor_id, actor_name, subject_type,
      subject_id, input_summary, input, raw_ref, run_id, runner_id, published_by,
      request_fingerprint, disposition, steering_id, metadata, created_at)
    select p_tenant, e ->> 'event_id', e ->> 'event_type',
      to_timestamp(coalesce((e ->> 'event_time')::bigint, epoch_seconds(x.at))), e ->> 'source',
      e ->> 'bot_id', e ->> 'workspace_id', e ->> 'conversation_id', e ->> 'thread_id',
      e #>> '{actor,actor_type}', e #>> '{actor,actor_id}', e #>> '{actor,actor_name}',
      e #>> '{subject,subject_type}', e #>> '{subject,subject_id}',
      event_summary(x.i -> 'log_input' ->> 'text'), x.i -> 'log_input', e ->> 'raw_ref',
      x.i ->> 'run_id', x.i ->> 'runner_id', p_published ->> 'published_by',
      decode(p_published ->> 'fingerprint', 'hex'), p_published ->> 'disposition',
      p_published ->> 'steering_id', coalesce(p_published -> 'metadata', '{}'), x.at
    from (select u.i, u.i -> 'event' as e, u.at, u.place
      from rows from (jsonb_array_elements(p_inputs), unnest(p_ids), unnest(p_at))
        with ordinality u (i, id, at, place) where u.id is not null offset 0) x
    order by e ->> 'event_id', x.place
    on conflict (tenant_id, event_id) do nothing
    returning event_id)
  select coalesce(array_agg(event_id), '{}') into event_ids from logged;
end $$;

-- The user's transcript items of the inputs that have an id and are incoming messages, once per
-- event.
create function log_user_messages(
  p_tenant text, p_inputs jsonb, p_ids bigint[], p_at timestamptz[]
) returns void language plpgsql as $$
begin
  insert into transcript (tenant_id, transcript_id, origin, event_id, run_id, runner_id, bot_id,
    workspace_id, conversation_id, thread_id, role, content, content_tsv, content_json,
    attachment_refs, created_at)
  select p_tenant, make_id('msg'), 'event', e ->> 'event_id', x.i ->> 'run_id',
    x.i ->> 'runner_id', e ->> 'bot_id', e ->> 'workspace_id', e ->> 'conversation_id',
    e ->> 'thread_id', 'user', txt,
    case when octet_length(txt) <= 131072 then to_tsvector('simple', txt) end,
    x.i -> 'log_input', x.i -> 'attachment_refs', x.at
  from rows from (jsonb_array_elements(p_inputs), unnest(p_ids), unnest(p_at)) x (i, id, at)
    cross join lateral (select x.i -> 'event' as e, x.i -> 'log_input' ->> 'text' as txt) parts
  where x.id is not null and is_user_message(e)
  order by e ->> 'event_id'
  on conflict (tenant_id, event_id) where origin = 'event' do nothing;
end $$;

-- The run that an event led to, as the rows about the event name it.
create function name_run(p_input jsonb, r agent_run) returns jsonb
language sql stable as $$
  select p_input || jsonb_build_object('run_id', r.run_id, 'runner_id', r.runner_id)
$$;

create or replace function insert_event_row(
  p_tenant text, p_input jsonb, r agent_run, p_published jsonb, p_now timestamptz
) returns boolean language sql as $$
  select cardinality(insert_event_rows(p_tenant, jsonb_build_array(name_run(p_input, r)),
    array[0], p_published, array[p_now])) > 0
$$;

-- The user's transcript item of an incoming message, once per event.
create or replace function log_user_message(
  p_tenant text, p_input jsonb, p_event jsonb, r agent_run, p_now timestamptz
) returns void language sql as $$
  select log_user_messages(p_tenant,
    jsonb_build_array(name_run(p_input, r) || jsonb_build_object('event', p_event)), array[0],
    array[p_now])
$$;

-- Logs the event of a new run; false when it is logged with another scope.
create or replace function log_run_event(
  p_tenant text, p_input jsonb, r agent_run, p_now timestamptz
) returns boolean language plpgsql as $$
declare
  v_event jsonb := p_input -> 'event';
  e event_log;
begin
  if not insert_event_row(p_tenant, p_input, r, '{}', p_now) then
    e := find_event(p_tenant, v_event ->> 'event_id');
    if (e.bot_id, e.workspace_id, e.conversation_id, e.thread_id) is distinct from
      (r.bot_id, r.workspace_id, r.conversation_id, r.thread_id) then
      return false;
    end if;
  end if;
  if is_user_message(v_event) then
    perform log_user_message(p_tenant, p_input, v_event, r, p_now);
  end if;
  return true;
end $$;

-- A parent may be named by whoever could see it: its owner, its creator, an administrator.
create or replace function parent_refusal(p_tenant text, p_grant jsonb, p_parent text)
returns jsonb language plpgsql stable as $$
declare
  v_parent agent_run;
begin
  if p_parent is null then return null; end if;
  v_parent := find_run(p_tenant, p_parent);
  if v_parent.id is null then
    if holds_unlimited(p_grant -> 'admin') then return missing('run', p_parent); end if;
    return refused('FORBIDDEN', 'not_authorized');
  end if;
  if holds_in_workspace(p_grant -> 'admin', v_parent.workspace_id)
    or v_parent.plugin_identity = p_grant ->> 'caller'
    or (v_parent.created_by = p_grant ->> 'caller'
      and holds_in_workspace(p_grant -> 'creator', v_parent.workspace_id)) then
    return null;
  end if;
  return refused('FORBIDDEN', 'not_authorized');
end $$;

-- Logs the event of a run that was just made; false when it is logged with another scope, and the
-- run is taken back by the statement that made it: no other has seen it.
create or replace function log_event_of(p_tenant text, p_input jsonb, p_now timestamptz)
returns boolean language plpgsql as $$
declare
  r agent_run := find_run(p_tenant, p_input ->> 'run_id');
begin
  if log_run_event(p_tenant, p_input, r, p_now) then return true; end if;
  delete from agent_run_request where tenant_id = p_tenant and run_id = r.run_id;
  delete from agent_run where tenant_id = p_tenant and id = r.id;
  return false;
end $$;

-- The outcome of a new run: what its record holds beyond what came with the call.
create function made_run(p_id bigint, p_at timestamptz) returns jsonb
language sql stable as $$
  select jsonb_build_object('made', jsonb_build_object('id', p_id, 'at_ms', epoch_ms(p_at)))
$$;

-- One run, whatever its case.
create or replace function create_run(
  p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
  r agent_run := find_run(p_tenant, p_input ->> 'run_id');
  v_refusal jsonb;
  v_id bigint;
begin
  if r.id is not null then return repeated_run(r, p_grant, p_input); end if;
  v_refusal := run_create_refusal(p_tenant, p_grant, p_input, p_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  v_id := x.ids[1] from insert_runs(p_tenant, jsonb_build_array(p_grant),
    jsonb_build_array(p_input), '{}') x;
  if v_id is null then
    return repeated_run(find_run(p_tenant, p_input ->> 'run_id'), p_grant, p_input);
  end if;
  if not log_event_of(p_tenant, p_input, p_now) then
    return jsonb_build_object('refusal', refused('CONFLICT', 'event_id_reused'));
  end if;
  if holds(p_grant -> 'admin') then perform audit_create(p_tenant, p_grant, p_input); end if;
  return made_run(v_id, p_now);
end $$;

-- The places of a batch that cannot be stored with the rest, as far as can be told without a look:
-- all but the first of one run_id, and what may be refused for more than a run_id or an event_id
-- that is taken.
create function judge_creates(p_tenant text, p_grants jsonb, p_inputs jsonb, out others int[])
language plpgsql as $$
begin
  with item as materialized (
    select x.place::int - 1 as place, x.i, x.i ->> 'runner_id' as runner_id, t.at,
      (x.i ->> 'allow_unregistered_runner')::boolean as unregistered_ok,
      coalesce(to_timestamp((x.i ->> 'deadline_at')::bigint),
        t.at + make_interval(secs => (x.i ->> 'timeout_seconds')::int)) as deadline,
      row_number() over (partition by x.i ->> 'run_id' order by x.place) as nth
    from rows from (jsonb_array_elements(p_grants), jsonb_array_elements(p_inputs))
        with ordinality as x (g, i, place)
      cross join lateral (select call_time(x.g) as at) t
  )
  select coalesce(array_agg(i.place order by i.place), '{}') into others from item i
  where i.nth > 1 or i.deadline <= i.at
    or to_timestamp((i.i ->> 'not_before')::bigint) >= i.deadline
    or i.i ->> 'parent_run_id' is not null
    or jsonb_typeof(i.i -> 'denied') = 'object'
    or jsonb_typeof(i.i -> 'include_plugins') = 'array'
    or (i.runner_id, i.unregistered_ok) in (select d.runner_id, d.unregistered_ok
      from (select distinct r.runner_id, r.unregistered_ok from item r offset 0) d
      where runner_refusal(p_tenant, d.runner_id, d.unregistered_ok) is not null);
end $$;

-- Stores runs and their events as a set, but for the places to skip: an outcome for each place,
-- null for what was not stored.
create function create_runs(
  p_tenant text, p_grants jsonb, p_inputs jsonb, p_skipped int[], out outcomes jsonb[]
) language plpgsql as $$
declare
  v_made record := insert_runs(p_tenant, p_grants, p_inputs, p_skipped);
  v_logged text[] := insert_event_rows(p_tenant, p_inputs, v_made.ids, '{}', v_made.at);
  v_new bigint[] := v_made.ids;
  v_known int[] := '{}';
  v_event text;
  p int;
begin
  outcomes := array(select case when x.id is not null then made_run(x.id, x.at) end
    from unnest(v_made.ids, v_made.at) with ordinality x (id, at, place) order by x.place);
  if cardinality(v_logged) < cardinality(array_remove(v_new, null)) then
    for k in 1 .. cardinality(v_new) loop
      continue when v_new[k] is null;
      v_event := p_inputs -> (k - 1) #>> '{event,event_id}';
      if v_event = any (v_logged) then
        v_logged := array_remove(v_logged, v_event);
      else
        v_known := v_known || k;
        v_new[k] := null;
      end if;
    end loop;
  end if;
  if exists (select from jsonb_array_elements(p_inputs) i where is_user_message(i -> 'event')) then
    perform log_user_messages(p_tenant, p_inputs, v_new, v_made.at);
  end if;
  foreach p in array v_known loop
    if not log_event_of(p_tenant, p_inputs -> (p - 1), v_made.at[p]) then
      outcomes[p] := jsonb_build_object('refusal', refused('CONFLICT', 'event_id_reused'));
    end if;
  end loop;
end $$;

create or replace function run_create_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  v_size int := jsonb_array_length(p_inputs);
  v_others int[] := judge_creates(p_tenant, p_grants, p_inputs);
  v_outcomes jsonb[] := array_fill(null::jsonb, array[v_size]);
  v_grant jsonb;
begin
  if cardinality(v_others) < v_size then
    v_outcomes := create_runs(p_tenant, p_grants, p_inputs, v_others);
  end if;
  for k in 1 .. v_size loop
    v_grant := p_grants -> (k - 1);
    if v_outcomes[k] is null then
      v_outcomes[k] := create_run(p_tenant, v_grant, p_inputs -> (k - 1), call_time(v_grant));
    elsif v_outcomes[k] ? 'made' and holds(v_grant -> 'admin') then
      perform audit_create(p_tenant, v_grant, p_inputs -> (k - 1));
    end if;
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;

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
  e := find_event(p_tenant, v_event ->> 'event_id');
  if e.id is not null then return published_outcome(e, p_grant, p_input); end if;
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
    return published_outcome(find_event(p_tenant, v_event ->> 'event_id'), p_grant, p_input);
  end if;
  if v_disposition = 'run_created' then
    perform insert_runs(p_tenant, jsonb_build_array(p_grant), jsonb_build_array(v_run), '{}');
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
