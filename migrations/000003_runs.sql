-- Runs: their record, their two ends (REQUEUE and END, once each), and the statements of
-- run_create, run_get, run_cancel and run_finalize. Every function that a host calls takes (tenant,
-- grant, input) and returns JSON: {"refusal": …} or {"run": …}.

create function epoch_seconds(p_at timestamptz) returns bigint
language sql immutable as $$ select floor(extract(epoch from p_at))::bigint $$;

create function epoch_ms(p_at timestamptz) returns bigint
language sql immutable as $$ select floor(extract(epoch from p_at) * 1000)::bigint $$;

-- Size of the canonical form: jsonb's text without the blank that follows each colon and comma.
create function json_bytes(p_value jsonb) returns bigint
language sql immutable as $$
  select octet_length(p_value::text) - coalesce(sum(case jsonb_typeof(v)
    when 'object' then greatest(2 * (select count(*) from jsonb_object_keys(v)) - 1, 0)
    when 'array' then greatest(jsonb_array_length(v) - 1, 0) else 0 end), 0)::bigint
  from jsonb_path_query(p_value, 'strict $.**') v
$$;

-- The Run of the contract: what it leaves out (snapshot, hashes, the claim of an ended run) stays
-- in.
create function run_record(r agent_run) returns jsonb
language sql immutable as $$
  select jsonb_build_object(
    'id', r.id, 'run_id', r.run_id, 'runner_id', r.runner_id,
    'plugin_identity', r.plugin_identity, 'created_by', r.created_by,
    'parent_run_id', r.parent_run_id, 'event_id', r.event_id, 'agent_id', r.agent_id,
    'binding_id', r.binding_id, 'conversation_id', r.conversation_id, 'thread_id', r.thread_id,
    'workspace_id', r.workspace_id, 'bot_id', r.bot_id, 'dispatch', r.dispatch,
    'status', r.status, 'status_reason', r.status_reason, 'queue_name', r.queue_name,
    'priority', r.priority, 'requested_runtime_id', r.requested_runtime_id,
    'claimed_by_runtime_id', case when r.status = 'claimed' then r.claimed_by_runtime_id end,
    'claim_lease_expires_at', epoch_seconds(r.claim_lease_expires_at),
    'claim_epoch', r.claim_epoch, 'dispatch_attempts', r.dispatch_attempts,
    'max_attempts', r.max_attempts, 'not_before', epoch_seconds(r.not_before),
    'last_claimed_at', epoch_seconds(r.last_claimed_at), 'last_sequence', r.last_sequence,
    'created_at', epoch_seconds(r.created_at), 'created_at_ms', epoch_ms(r.created_at),
    'updated_at', epoch_seconds(r.updated_at), 'started_at', epoch_seconds(r.started_at),
    'started_at_ms', epoch_ms(r.started_at), 'finished_at', epoch_seconds(r.finished_at),
    'finished_at_ms', epoch_ms(r.finished_at), 'deadline_at', epoch_seconds(r.deadline_at),
    'cancel_requested_at', epoch_seconds(r.cancel_requested_at),
    'cancel_reason', r.cancel_reason, 'usage', r.usage, 'cost', r.cost, 'metadata', r.metadata)
$$;

create function run_detail(r agent_run) returns jsonb
language sql stable as $$
  select run_record(r) || jsonb_build_object('event', q.event, 'input', q.input,
    'binding', q.binding, 'delivery', q.delivery)
  from agent_run_request q where q.tenant_id = r.tenant_id and q.run_id = r.run_id
$$;

create function return_leased_steering(r agent_run, p_now timestamptz) returns void
language sql as $$
  update agent_run_steering set state = 'queued', lease_expires_at = null, updated_at = p_now
  where tenant_id = r.tenant_id and run_id = r.run_id and state = 'leased'
$$;

-- END: the only way in which a run becomes terminal. The caller holds the lock of the run.
create function end_run(r agent_run, p_status text, p_reason text, p_now timestamptz)
returns agent_run language plpgsql as $$
declare
  v_run agent_run;
begin
  update agent_run set status = p_status, status_reason = coalesce(p_reason, status_reason),
    -- A statement that waited for the lock may have begun before what it found there.
    finished_at = greatest(p_now, started_at, created_at), claim_lease_expires_at = null,
    updated_at = p_now
  where tenant_id = r.tenant_id and id = r.id
    and status not in ('completed', 'failed', 'cancelled', 'timeout')
  returning * into strict v_run;
  update agent_interaction set status = 'cancelled', status_reason = 'run ended',
    updated_at = p_now
  where tenant_id = r.tenant_id and run_id = r.run_id and status = 'pending';
  perform settle_leftovers(v_run, p_now);
  return v_run;
end $$;

-- REQUEUE: back to the queue, or to the end where the queue may not have it again. `not_before`
-- wins over the back-off. The caller holds the lock of the run.
create function requeue_run(
  r agent_run, p_reason text, p_back_off boolean, p_not_before timestamptz, p_now timestamptz
) returns agent_run language plpgsql as $$
declare
  v_run agent_run;
begin
  if r.cancel_requested_at is not null then
    return end_run(r, 'cancelled', coalesce(r.cancel_reason, 'cancel requested'), p_now);
  end if;
  if r.deadline_at <= p_now then
    return end_run(r, 'timeout', 'deadline exceeded', p_now);
  end if;
  if r.dispatch_attempts >= r.max_attempts then
    return end_run(r, 'failed', 'dispatch attempts exhausted', p_now);
  end if;
  update agent_run set status = 'queued', status_reason = p_reason,
    claimed_by_runtime_id = null, claimed_by_identity = null, claim_token_sha256 = null,
    claim_lease_expires_at = null, updated_at = p_now,
    not_before = case when p_back_off then p_now + make_interval(
      secs => least(power(2, r.dispatch_attempts), 300) * (0.5 + random() / 2))
      else p_not_before end
  where tenant_id = r.tenant_id and id = r.id
  returning * into strict v_run;
  perform return_leased_steering(v_run, p_now);
  return v_run;
end $$;

-- What a host has to tell after a change: the run ended, or a run became claimable (this one, or
-- one that took over its messages).
create function aftermath(r agent_run) returns jsonb
language sql stable as $$
  select case when is_terminal(r.status) then jsonb_build_object('ended', true, 'queued', exists (
      select from agent_run_steering s where s.tenant_id = r.tenant_id and s.run_id = r.run_id
        and s.state = 'redispatched'))
    else jsonb_build_object('ended', false, 'queued', r.status = 'queued') end
$$;

create function transition_detail(p_from text, r agent_run, p_extra jsonb default '{}')
returns jsonb language sql immutable as $$
  select jsonb_build_object('from_status', p_from, 'to_status', r.status,
    'status_reason', r.status_reason) || p_extra
$$;

create function run_target(r agent_run) returns jsonb
language sql immutable as $$
  select jsonb_build_object('run_id', r.run_id, 'workspace_id', r.workspace_id)
$$;

-- The user's transcript item of an incoming message, once per event.
create function log_user_message(
  p_tenant text, p_input jsonb, p_event jsonb, r agent_run, p_now timestamptz
) returns void language sql as $$
  insert into transcript (tenant_id, transcript_id, origin, event_id, run_id, runner_id, bot_id,
    workspace_id, conversation_id, thread_id, role, content, content_tsv, content_json,
    attachment_refs, created_at)
  values (p_tenant, p_input ->> 'transcript_id', 'event', p_event ->> 'event_id', r.run_id,
    r.runner_id, p_event ->> 'bot_id', p_event ->> 'workspace_id', p_event ->> 'conversation_id',
    p_event ->> 'thread_id', 'user', p_input -> 'log_input' ->> 'text',
    case when octet_length(p_input -> 'log_input' ->> 'text') <= 131072
      then to_tsvector('simple', p_input -> 'log_input' ->> 'text') end,
    p_input -> 'log_input', p_input -> 'attachment_refs', p_now)
  on conflict (tenant_id, event_id) where origin = 'event' do nothing
$$;

-- Stores an event-log row; false when the id is logged already. What only event_publish knows comes
-- in p_published: published_by, fingerprint, disposition, steering_id, metadata.
create function insert_event_row(
  p_tenant text, p_input jsonb, r agent_run, p_published jsonb, p_now timestamptz
) returns boolean language plpgsql as $$
declare
  v_event jsonb := p_input -> 'event';
  v_text text := p_input -> 'log_input' ->> 'text';
begin
  insert into event_log (tenant_id, event_id, event_type, event_time, source, bot_id,
    workspace_id, conversation_id, thread_id, actor_type, actor_id, actor_name, subject_type,
    subject_id, input_summary, input, raw_ref, run_id, runner_id, published_by,
    request_fingerprint, disposition, steering_id, metadata, created_at)
  values (p_tenant, v_event ->> 'event_id', v_event ->> 'event_type',
    to_timestamp((v_event ->> 'event_time')::bigint), v_event ->> 'source', v_event ->> 'bot_id',
    v_event ->> 'workspace_id', v_event ->> 'conversation_id', v_event ->> 'thread_id',
    v_event #>> '{actor,actor_type}', v_event #>> '{actor,actor_id}',
    v_event #>> '{actor,actor_name}', v_event #>> '{subject,subject_type}',
    v_event #>> '{subject,subject_id}',
    case when length(v_text) > 1000 then left(v_text, 997) || '...' else v_text end,
    p_input -> 'log_input', v_event ->> 'raw_ref', r.run_id, r.runner_id,
    p_published ->> 'published_by', decode(p_published ->> 'fingerprint', 'hex'),
    p_published ->> 'disposition', p_published ->> 'steering_id',
    coalesce(p_published -> 'metadata', '{}'), p_now)
  on conflict (tenant_id, event_id) do nothing;
  return found;
end $$;

create function is_user_message(p_event jsonb) returns boolean
language sql immutable as $$
  select p_event ->> 'event_type' = 'message.received'
    and p_event ->> 'conversation_id' is not null
$$;

-- Logs the event of a new run; false when it is logged with another scope.
create function log_run_event(
  p_tenant text, p_input jsonb, r agent_run, p_now timestamptz
) returns boolean language plpgsql as $$
declare
  v_event jsonb := p_input -> 'event';
  e event_log;
begin
  if not insert_event_row(p_tenant, p_input, r, '{}', p_now) then
    select * into e from event_log
      where tenant_id = p_tenant and event_id = v_event ->> 'event_id';
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
create function parent_refusal(p_tenant text, p_grant jsonb, p_parent text) returns jsonb
language plpgsql stable as $$
declare
  v_parent agent_run;
begin
  if p_parent is null then return null; end if;
  select * into v_parent from agent_run where tenant_id = p_tenant and run_id = p_parent;
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

-- A run needs a registered runner of an enabled plugin; the first is lifted by the flag.
create function runner_refusal(p_tenant text, p_runner text, p_unregistered_ok boolean)
returns jsonb language sql stable as $$
  select case when exists (select from plugin p where p.tenant_id = p_tenant
        and p.plugin_identity = substring(p_runner from '^plugin:(.*)/[^/]*$') and not p.enabled)
      or not (p_unregistered_ok or exists (select from runner r where r.tenant_id = p_tenant
        and r.runner_id = p_runner and r.withdrawn_at is null))
    then missing('runner', p_runner) || jsonb_build_object('runner_id', p_runner) end
$$;

-- Columns of a new run from checked input; the insert is the idempotency key.
create function insert_run(p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamptz)
returns agent_run language sql as $$
  insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, parent_run_id,
    event_id, agent_id, binding_id, conversation_id, thread_id, workspace_id, bot_id, dispatch,
    status, queue_name, priority, requested_runtime_id, max_attempts, not_before,
    allow_unregistered_runner, created_at, updated_at, started_at, deadline_at, metadata, snapshot,
    request_fingerprint, request_bytes)
  values (p_tenant, p_input ->> 'run_id', p_input ->> 'runner_id',
    p_input #>> '{snapshot,plugin_identity}', p_grant ->> 'caller', p_input ->> 'parent_run_id',
    p_input #>> '{event,event_id}', p_input #>> '{binding,agent_id}',
    p_input #>> '{binding,binding_id}', p_input #>> '{event,conversation_id}',
    p_input #>> '{event,thread_id}', p_input #>> '{event,workspace_id}',
    p_input #>> '{event,bot_id}', p_input ->> 'dispatch', p_input ->> 'dispatch',
    case when p_input ->> 'dispatch' = 'queued' then p_input ->> 'queue_name' end,
    (p_input ->> 'priority')::smallint, p_input ->> 'requested_runtime_id',
    (p_input ->> 'max_attempts')::int, to_timestamp((p_input ->> 'not_before')::bigint),
    (p_input ->> 'allow_unregistered_runner')::boolean, p_now, p_now,
    case when p_input ->> 'dispatch' = 'running' then p_now end,
    coalesce(to_timestamp((p_input ->> 'deadline_at')::bigint),
      p_now + make_interval(secs => (p_input ->> 'timeout_seconds')::int)),
    p_input -> 'metadata', p_input -> 'snapshot', decode(p_input ->> 'fingerprint', 'hex'),
    (p_input ->> 'request_bytes')::int)
  on conflict (tenant_id, run_id) do nothing
  returning *
$$;

create function repeated_run(r agent_run, p_grant jsonb, p_input jsonb) returns jsonb
language sql immutable as $$
  select case when r.created_by = p_grant ->> 'caller'
      and r.request_fingerprint = decode(p_input ->> 'fingerprint', 'hex')
    then jsonb_build_object('run', run_record(r) || '{"idempotent": true}')
    else jsonb_build_object('refusal', refused('CONFLICT', 'run_id_reused')) end
$$;

create function run_create_refusal(p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamptz)
returns jsonb language plpgsql stable as $$
declare
  v_deadline timestamptz := coalesce(to_timestamp((p_input ->> 'deadline_at')::bigint),
    p_now + make_interval(secs => (p_input ->> 'timeout_seconds')::int));
  v_owner text := substring(p_input ->> 'runner_id' from '^plugin:(.*)/[^/]*$');
  v_refusal jsonb;
begin
  if v_deadline <= p_now then
    return invalid_param('deadline_at', 'must be in the future');
  end if;
  if to_timestamp((p_input ->> 'not_before')::bigint) >= v_deadline then
    return invalid_param('not_before', 'must be before the deadline');
  end if;
  if jsonb_typeof(p_input -> 'denied') = 'object' then
    return permission_missing(p_input #>> '{denied,permission}');
  end if;
  v_refusal := parent_refusal(p_tenant, p_grant, p_input ->> 'parent_run_id');
  if v_refusal is null and jsonb_typeof(p_input -> 'include_plugins') = 'array'
    and not p_input -> 'include_plugins' ? v_owner then
    v_refusal := missing('runner', p_input ->> 'runner_id')
      || jsonb_build_object('runner_id', p_input ->> 'runner_id');
  end if;
  return coalesce(v_refusal, runner_refusal(p_tenant, p_input ->> 'runner_id',
    (p_input ->> 'allow_unregistered_runner')::boolean));
end $$;

create function insert_run_request(p_input jsonb, r agent_run) returns void
language sql as $$
  insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt)
  values (r.tenant_id, r.run_id, p_input -> 'event', p_input -> 'input', p_input -> 'binding',
    p_input -> 'delivery', nullif(p_input -> 'prompt', 'null'))
$$;

create function run_create(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_event jsonb := p_input -> 'event';
  v_refusal jsonb;
  r agent_run;
begin
  if v_event ->> 'event_time' is null then
    v_event := v_event || jsonb_build_object('event_time', epoch_seconds(v_now));
    p_input := p_input || jsonb_build_object('event', v_event);
  end if;
  select * into r from agent_run
    where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
  if found then return repeated_run(r, p_grant, p_input); end if;
  v_refusal := run_create_refusal(p_tenant, p_grant, p_input, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  r := insert_run(p_tenant, p_grant, p_input, v_now);
  if r.id is null then
    select * into strict r from agent_run
      where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
    return repeated_run(r, p_grant, p_input);
  end if;
  if not log_run_event(p_tenant, p_input, r, v_now) then
    -- Taken back in the statement that made it: no other statement has seen the row.
    delete from agent_run where tenant_id = p_tenant and id = r.id;
    return jsonb_build_object('refusal', refused('CONFLICT', 'event_id_reused'));
  end if;
  perform insert_run_request(p_input, r);
  if holds(p_grant -> 'admin') then
    perform write_audit(p_tenant, p_grant,
      case when holds_in_workspace(p_grant -> 'admin', r.workspace_id)
        then 'agent_run:admin' else 'agent_run:create' end,
      run_target(r), jsonb_build_object('runner_id', r.runner_id,
        'event_type', v_event ->> 'event_type', 'event_id', r.event_id,
        'parent_run_id', r.parent_run_id));
  end if;
  return jsonb_build_object('run', run_record(r));
end $$;

create function run_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_loaded record;
  v_admitted record;
  t agent_run;
begin
  v_loaded := load_runs(p_tenant, p_grant, false);
  t := v_loaded.t;
  v_admitted := admit(v_loaded.s, t, p_grant, call_time(p_grant));
  if v_admitted.refusal is not null then
    return jsonb_build_object('refusal', v_admitted.refusal);
  end if;
  return jsonb_build_object('run',
    case when (p_input ->> 'include_input')::boolean then run_detail(t) else run_record(t) end);
end $$;

-- The end of a run that nobody executes. A cancel that was requested before keeps its reason.
create function cancel_idle_run(r agent_run, p_reason text, p_now timestamptz) returns agent_run
language plpgsql as $$
declare
  v_reason text := coalesce(r.cancel_reason, p_reason);
begin
  r := end_run(r, 'cancelled', v_reason, p_now);
  update agent_run set cancel_requested_at = coalesce(cancel_requested_at, p_now),
    cancel_reason = v_reason
  where tenant_id = r.tenant_id and id = r.id returning * into r;
  return r;
end $$;

create function run_cancel(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_reason text := coalesce(p_input ->> 'status_reason', 'cancel requested');
  v_loaded record;
  v_admitted record;
  v_from text;
  v_live boolean;
  s agent_run;
  t agent_run;
begin
  v_loaded := load_runs(p_tenant, p_grant, true);
  s := v_loaded.s;
  t := v_loaded.t;
  v_admitted := admit(s, t, p_grant, v_now);
  if v_admitted.refusal is not null then
    return jsonb_build_object('refusal', v_admitted.refusal);
  end if;
  v_live := is_live(t, v_now);
  v_from := t.status;
  if is_terminal(t.status) or (v_live and t.cancel_requested_at is not null) then
    return jsonb_build_object('run', run_record(t));
  end if;
  if v_live then
    update agent_run set cancel_requested_at = v_now, cancel_reason = v_reason,
      status_reason = v_reason, updated_at = v_now
    where tenant_id = p_tenant and id = t.id returning * into t;
  else
    t := cancel_idle_run(t, v_reason, v_now);
  end if;
  if v_admitted.path = 'admin' and (p_grant ->> 'run_id' is null
    or cap_and_scope_refusal(s, t, p_grant, v_now) is not null) then
    perform write_audit(p_tenant, p_grant, 'agent_run:admin', run_target(t),
      transition_detail(v_from, t));
  end if;
  return jsonb_build_object('run', run_record(t), 'requested', v_live) || aftermath(t);
end $$;

-- Usage, cost and metadata that a finalize brings.
create function apply_outcome(r agent_run, p_input jsonb, p_now timestamptz) returns agent_run
language plpgsql as $$
begin
  update agent_run set
    usage = coalesce(nullif(p_input -> 'usage', 'null'), usage),
    cost = coalesce(nullif(p_input -> 'cost', 'null'), cost),
    metadata = metadata || coalesce(nullif(p_input -> 'metadata', 'null'), '{}'),
    updated_at = p_now
  where tenant_id = r.tenant_id and id = r.id returning * into r;
  return r;
end $$;

create function run_finalize(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_status text := p_input ->> 'status';
  v_refusal jsonb;
  v_executor_refusal jsonb;
  v_admin boolean;
  v_from text;
  v_loaded record;
  s agent_run;
  t agent_run;
begin
  v_loaded := load_runs(p_tenant, p_grant, true);
  s := v_loaded.s;
  t := v_loaded.t;
  v_refusal := write_admission(s, t, p_grant, v_now);
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
  if json_bytes(t.metadata || coalesce(nullif(p_input -> 'metadata', 'null'), '{}')) > 65536 then
    return jsonb_build_object('refusal', refused('PAYLOAD_TOO_LARGE', 'field')
      || '{"path": "metadata", "limit_bytes": 65536}');
  end if;
  if not is_terminal(v_from) then
    t := apply_outcome(t, p_input, v_now);
    t := end_run(t, v_status, p_input ->> 'status_reason', v_now);
  elsif (coalesce(nullif(p_input -> 'usage', 'null'), t.usage),
      coalesce(nullif(p_input -> 'cost', 'null'), t.cost),
      t.metadata || coalesce(nullif(p_input -> 'metadata', 'null'), '{}'))
    is distinct from (t.usage, t.cost, t.metadata) then
    t := apply_outcome(t, p_input, v_now);
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
