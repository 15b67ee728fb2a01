-- run_retry: a new run from the stored request of one that has ended.

-- ADMIN, CREATOR, OWNER, in this order; `owner_alone` where only the last admits.
create function admit_retry(
  t agent_run, p_grant jsonb, out refusal jsonb, out owner_alone boolean
) language plpgsql stable as $$
begin
  owner_alone := false;
  if t.id is null then
    refusal := case when holds_unlimited(p_grant -> 'admin')
      then missing('run', p_grant ->> 'target_run_id')
      else refused('FORBIDDEN', 'not_authorized') end;
  elsif not holds_in_workspace(p_grant -> 'admin', t.workspace_id)
    and not (t.created_by = p_grant ->> 'caller'
      and holds_in_workspace(p_grant -> 'creator', t.workspace_id)) then
    owner_alone := t.plugin_identity = p_grant ->> 'caller';
    if not owner_alone then refusal := refused('FORBIDDEN', 'not_authorized'); end if;
  end if;
end $$;

create function retry_state_refusal(
  t agent_run, p_grant jsonb, p_owner_alone boolean, p_now timestamptz
) returns jsonb language sql immutable as $$
  select case
    when not is_terminal(t.status) or (p_owner_alone and (t.status not in ('failed', 'timeout')
      or not is_readable(t, (p_grant ->> 'read_days')::int, p_now)))
    then refused('CONFLICT', 'run_not_retryable') || jsonb_build_object('status', t.status)
    when p_owner_alone and t.retry_depth >= 10
    then refused('CONFLICT', 'retry_limit') || jsonb_build_object('status', t.status)
  end
$$;

-- Input: run_id (made or named), dispatch, timeout_seconds, not_before, fingerprint, request_bytes.
create function insert_retry(t agent_run, p_input jsonb, p_deadline timestamptz, p_now timestamptz)
returns agent_run language sql as $$
  insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, parent_run_id,
    retry_depth, event_id, agent_id, binding_id, conversation_id, thread_id, workspace_id, bot_id,
    dispatch, status, queue_name, priority, requested_runtime_id, max_attempts, not_before,
    allow_unregistered_runner, created_at, updated_at, started_at, deadline_at, metadata,
    snapshot, request_fingerprint, request_bytes)
  values (t.tenant_id, p_input ->> 'run_id', t.runner_id, t.plugin_identity, t.created_by, t.run_id,
    t.retry_depth + 1, t.event_id, t.agent_id, t.binding_id, t.conversation_id, t.thread_id,
    t.workspace_id, t.bot_id, p_input ->> 'dispatch', p_input ->> 'dispatch',
    case when p_input ->> 'dispatch' = 'queued' then coalesce(t.queue_name, 'default') end,
    t.priority, t.requested_runtime_id, t.max_attempts,
    to_timestamp((p_input ->> 'not_before')::bigint), t.allow_unregistered_runner, p_now, p_now,
    case when p_input ->> 'dispatch' = 'running' then p_now end, p_deadline, t.metadata,
    t.snapshot, decode(p_input ->> 'fingerprint', 'hex'), t.request_bytes)
  on conflict (tenant_id, run_id) do nothing
  returning *
$$;

create function repeated_retry(r agent_run, t agent_run, p_input jsonb) returns jsonb
language sql immutable as $$
  select case when r.parent_run_id = t.run_id and r.created_by = t.created_by
      and r.request_fingerprint = decode(p_input ->> 'fingerprint', 'hex')
    then jsonb_build_object('run', run_record(r) || '{"idempotent": true}')
    else jsonb_build_object('refusal', refused('CONFLICT', 'run_id_reused')) end
$$;

create function run_retry(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_deadline timestamptz;
  v_refusal jsonb;
  a record;
  t agent_run;
  r agent_run;
begin
  select * into t from agent_run where tenant_id = p_tenant
    and run_id = p_grant ->> 'target_run_id' for no key update;
  a := admit_retry(t, p_grant);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into r from agent_run
    where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
  if found and repeated_retry(r, t, p_input) ? 'run' then
    return repeated_retry(r, t, p_input);
  end if;
  v_deadline := v_now + coalesce(make_interval(secs => (p_input ->> 'timeout_seconds')::int),
    t.deadline_at - t.created_at,
    case when p_input ->> 'dispatch' = 'running' then interval '300 seconds' end);
  if to_timestamp((p_input ->> 'not_before')::bigint) >= v_deadline then
    return jsonb_build_object('refusal',
      invalid_param('not_before', 'must be before the deadline'));
  end if;
  v_refusal := coalesce(retry_state_refusal(t, p_grant, a.owner_alone, v_now),
    runner_refusal(p_tenant, t.runner_id, t.allow_unregistered_runner));
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  r := insert_retry(t, p_input, v_deadline, v_now);
  if r.id is null then
    select * into strict r from agent_run
      where tenant_id = p_tenant and run_id = p_input ->> 'run_id';
    return repeated_retry(r, t, p_input);
  end if;
  insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt)
  select p_tenant, r.run_id, q.event, q.input, q.binding, q.delivery, q.prompt
  from agent_run_request q where q.tenant_id = p_tenant and q.run_id = t.run_id;
  if holds(p_grant -> 'admin') then
    perform write_audit(p_tenant, p_grant,
      case when holds_in_workspace(p_grant -> 'admin', r.workspace_id)
        then 'agent_run:admin' else 'agent_run:create' end,
      run_target(r), jsonb_build_object('runner_id', r.runner_id, 'event_id', r.event_id,
        'event_type', (select event ->> 'event_type' from agent_run_request
          where tenant_id = p_tenant and run_id = t.run_id),
        'parent_run_id', r.parent_run_id));
  end if;
  return jsonb_build_object('run', run_record(r));
end $$;
