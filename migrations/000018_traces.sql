-- The trace that a run belongs to: what made the run left its W3C traceparent, whoever claims the
-- run gets it. It stands beside the request and is no part of its fingerprint.

-- CHECK: what is stored goes out to claimers as it is, so it is a context that they can continue.
alter table agent_run_request add column traceparent text constraint agent_run_request_traceparent
  check (traceparent ~ '^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$');

create or replace function run_detail(r agent_run) returns jsonb
language sql stable as $$
  select run_record(r) || jsonb_build_object('event', q.event, 'input', q.input,
      'binding', q.binding, 'delivery', q.delivery)
    || case when q.traceparent is null then '{}'
      else jsonb_build_object('traceparent', q.traceparent) end
  from agent_run_request q where q.tenant_id = r.tenant_id and q.run_id = r.run_id
$$;

create or replace function insert_run_request(p_input jsonb, r agent_run) returns void
language sql as $$
  insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt,
    traceparent)
  values (r.tenant_id, r.run_id, p_input -> 'event', p_input -> 'input', p_input -> 'binding',
    p_input -> 'delivery', nullif(p_input -> 'prompt', 'null'), p_input ->> 'traceparent')
$$;

-- A retry belongs to the trace of whoever asks for it, not to that of the run which has ended.
create or replace function run_retry(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
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
  insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt,
    traceparent)
  select p_tenant, r.run_id, q.event, q.input, q.binding, q.delivery, q.prompt,
    p_input ->> 'traceparent'
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

-- The follow-up run of an ended one, made from its oldest message.
create or replace function insert_follow_run(r agent_run, s agent_run_steering, p_now timestamptz)
returns agent_run language plpgsql as $$
declare
  v_event jsonb := s.payload -> 'event';
  v_run agent_run;
begin
  insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, parent_run_id,
    event_id, agent_id, binding_id, conversation_id, thread_id, workspace_id, bot_id, dispatch,
    status, queue_name, priority, requested_runtime_id, max_attempts, allow_unregistered_runner,
    created_at, updated_at, deadline_at, metadata, snapshot, request_bytes)
  values (r.tenant_id, make_id('run'), r.runner_id, r.plugin_identity, r.created_by, r.run_id,
    s.event_id, r.agent_id, r.binding_id, r.conversation_id, r.thread_id, r.workspace_id,
    r.bot_id, 'queued', 'queued', coalesce(r.queue_name, 'default'), r.priority,
    r.requested_runtime_id, r.max_attempts, r.allow_unregistered_runner, p_now, p_now,
    p_now + (r.deadline_at - r.created_at), r.metadata, follow_snapshot(r.snapshot, v_event),
    least(octet_length(s.payload::text) + r.request_bytes, 2147483647))
  returning * into strict v_run;
  insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt,
    traceparent)
  select r.tenant_id, v_run.run_id, v_event, s.payload -> 'input', q.binding, q.delivery, q.prompt,
    q.traceparent
  from agent_run_request q where q.tenant_id = r.tenant_id and q.run_id = r.run_id;
  return v_run;
end $$;
