-- Steering: messages and answers that are attached to a live run. queued -> leased -> injected;
-- what is not injected when the run ends goes to a follow-up run, or is dropped with a reason.

-- event_publish: live runs of a conversation
create index agent_run_live_scope on agent_run (tenant_id, conversation_id, id)
  where status in ('claimed', 'running');

-- Hosts look for steering that other hosts took in
create index steering_queued_lately on agent_run_steering (tenant_id, updated_at)
  where state = 'queued';

-- The key of a state scope, as at creation: SHA-256 over canonical JSON. Members stand in the order
-- of their names; to_json escapes a string as RFC 8785 does.
create function hash_scope(p_scope text, p_members text) returns text
language sql immutable as $$
  select p_scope || ':v2:' || encode(sha256(convert_to('{' || p_members || '}', 'UTF8')), 'hex')
$$;

create function json_member(p_name text, p_value text) returns text
language sql immutable as $$
  select '"' || p_name || '":' || coalesce(to_json(p_value)::text, 'null')
$$;

-- The snapshot of a follow-up run: same grants, but the actor and subject of its own event.
create function follow_snapshot(p_snapshot jsonb, p_event jsonb) returns jsonb
language sql immutable as $$
  with facts as (select p_event #>> '{actor,actor_type}' as actor_type,
    p_event #>> '{actor,actor_id}' as actor_id,
    p_event #>> '{subject,subject_type}' as subject_type,
    p_event #>> '{subject,subject_id}' as subject_id,
    json_member('binding_identity', p_snapshot ->> 'binding_identity') || ','
      || json_member('bot_id', p_snapshot ->> 'bot_id') || ','
      || json_member('runner_id', p_snapshot ->> 'runner_id') as shared,
    '"version":2,' || json_member('workspace_id', p_snapshot ->> 'workspace_id') as closing)
  select p_snapshot || jsonb_build_object('state_context', jsonb_build_object(
    'actor_type', f.actor_type, 'actor_id', f.actor_id, 'subject_type', f.subject_type,
    'subject_id', f.subject_id,
    'scope_keys', (p_snapshot #> '{state_context,scope_keys}') - 'actor' - 'subject'
      || case when f.actor_id is null then '{}' else jsonb_build_object('actor',
        hash_scope('actor', json_member('actor_id', f.actor_id) || ','
          || json_member('actor_type', coalesce(f.actor_type, 'user')) || ',' || f.shared
          || ',"scope":"actor",' || f.closing)) end
      || case when f.subject_id is null then '{}' else jsonb_build_object('subject',
        hash_scope('subject', f.shared || ',"scope":"subject",'
          || json_member('subject_id', f.subject_id) || ','
          || json_member('subject_type', coalesce(f.subject_type, 'unknown')) || ','
          || f.closing)) end))
  from facts f
$$;

-- One trace per message in the event log, without a word of the user.
create function trace_steering(
  s agent_run_steering, r agent_run, p_status text, p_facts jsonb, p_now timestamptz
) returns void language sql as $$
  insert into event_log (tenant_id, event_id, event_type, event_time, source, bot_id, workspace_id,
    conversation_id, thread_id, input_summary, run_id, runner_id, metadata, created_at)
  values (s.tenant_id, make_id('evt'), 'steering.' || p_status, p_now, 'host', r.bot_id,
    r.workspace_id, r.conversation_id, r.thread_id, 'steering message ' || p_status, r.run_id,
    r.runner_id, jsonb_build_object('steering', jsonb_build_object('status', p_status,
      'source_event_id', s.event_id, 'claimed_runner_id', r.runner_id,
      'claimed_at', epoch_seconds(s.created_at)) || p_facts), p_now)
$$;

-- The follow-up run of an ended one, made from its oldest message.
create function insert_follow_run(r agent_run, s agent_run_steering, p_now timestamptz)
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
  insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery, prompt)
  select r.tenant_id, v_run.run_id, v_event, s.payload -> 'input', q.binding, q.delivery, q.prompt
  from agent_run_request q where q.tenant_id = r.tenant_id and q.run_id = r.run_id;
  return v_run;
end $$;

-- LEFTOVERS. The caller holds the lock of the ended run.
create function settle_leftovers(r agent_run, p_now timestamptz) returns void
language plpgsql as $$
declare
  v_possible boolean;
  v_follow agent_run;
  v_facts jsonb;
  s agent_run_steering;
begin
  update agent_run_steering set state = 'dropped', lease_expires_at = null, updated_at = p_now
  where tenant_id = r.tenant_id and run_id = r.run_id and type <> 'message'
    and state in ('queued', 'leased');
  for s in select * from agent_run_steering where tenant_id = r.tenant_id and run_id = r.run_id
    and type = 'message' and state in ('queued', 'leased') order by id for no key update
  loop
    v_possible := coalesce(v_possible,
      runner_refusal(r.tenant_id, r.runner_id, r.allow_unregistered_runner) is null);
    v_facts := jsonb_build_object('reason', 'run_ended', 'original_event_id', s.event_id,
      'claimed_run_id', r.run_id);
    if not v_possible then
      update agent_run_steering set state = 'dropped', lease_expires_at = null, updated_at = p_now
        where tenant_id = s.tenant_id and id = s.id;
      perform trace_steering(s, r, 'dropped',
        v_facts || '{"redispatched_run_id": null}', p_now);
      continue;
    end if;
    if v_follow.id is null then
      v_follow := insert_follow_run(r, s, p_now);
      update agent_run_steering set state = 'redispatched', lease_expires_at = null,
        redispatched_run_id = v_follow.run_id, updated_at = p_now
      where tenant_id = s.tenant_id and id = s.id;
      perform write_host_audit(r.tenant_id, 'run_redispatched', r, transition_detail(r.status, r,
        jsonb_build_object('new_run_id', v_follow.run_id)), p_now);
    else
      update agent_run_steering set state = 'queued', lease_expires_at = null,
        run_id = v_follow.run_id, updated_at = p_now
      where tenant_id = s.tenant_id and id = s.id;
    end if;
    perform trace_steering(s, r, 'redispatched',
      v_facts || jsonb_build_object('redispatched_run_id', v_follow.run_id), p_now);
  end loop;
end $$;

create function interaction_record(i agent_interaction) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', i.id, 'interaction_id', i.interaction_id, 'run_id', i.run_id,
    'runner_id', i.runner_id, 'binding_id', i.binding_id, 'bot_id', i.bot_id,
    'workspace_id', i.workspace_id, 'conversation_id', i.conversation_id,
    'thread_id', i.thread_id, 'actor_id', i.actor_id, 'status', i.status,
    'status_reason', i.status_reason, 'request', i.request, 'submission', i.submission,
    'submitted_at', epoch_seconds(i.submitted_at), 'submitted_by', i.submitted_by,
    'expires_at', epoch_seconds(i.expires_at), 'created_at', epoch_seconds(i.created_at),
    'updated_at', epoch_seconds(i.updated_at))
$$;

create function steering_record(s agent_run_steering, r agent_run, i agent_interaction)
returns jsonb language sql immutable as $$
  select jsonb_build_object('steering_id', s.steering_id, 'type', s.type,
    'claimed_run_id', s.run_id, 'runner_id', r.runner_id,
    'claimed_at', epoch_seconds(s.created_at),
    'lease_expires_at', epoch_seconds(s.lease_expires_at), 'delivery_count', s.delivery_count,
    'conversation', jsonb_build_object('conversation_id', r.conversation_id,
      'thread_id', r.thread_id, 'bot_id', r.bot_id, 'workspace_id', r.workspace_id))
  || case when s.type = 'message' then jsonb_build_object(
      'event', (s.payload -> 'event') - 'bot_id' - 'workspace_id' - 'conversation_id'
        - 'thread_id' - 'actor' - 'subject',
      'actor', s.payload #> '{event,actor}', 'subject', s.payload #> '{event,subject}',
      'input', '{"text": null, "contents": [], "attachments": []}'::jsonb
        || (s.payload -> 'input'), 'interaction', null)
    else jsonb_build_object('event', jsonb_build_object('event_id', null, 'event_type', s.type,
        'event_time', epoch_seconds(s.created_at), 'source', 'host', 'source_event_type', s.type,
        'raw_ref', null, 'data', jsonb_build_object('interaction_id', s.interaction_id)),
      'actor', null, 'subject', null, 'input', null, 'interaction', interaction_record(i)) end
$$;

-- A live session of the executor, locked; and the fence, where a claim is shown.
create function admit_executor(
  p_tenant text, p_grant jsonb, p_now timestamptz, out refusal jsonb, out s agent_run
) language plpgsql as $$
declare
  v_caller text := p_grant ->> 'caller';
begin
  select * into s from agent_run where tenant_id = p_tenant and run_id = p_grant ->> 'run_id'
    for no key update;
  -- A claim that is shown decides alone: "required" is the answer where none was shown.
  refusal := coalesce(session_refusal(s, p_grant, p_now),
    cap_and_scope_refusal(s, s, p_grant, p_now), fence_refusal(s, p_grant, p_now));
  if refusal is null and not (s.status = 'running' and s.plugin_identity = v_caller)
    and not is_claimer(s, v_caller, p_now) then
    refusal := refused('LEASE_LOST', 'claim_required');
  end if;
end $$;

create function fence_refusal(s agent_run, p_grant jsonb, p_now timestamptz) returns jsonb
language sql immutable as $$
  select case when jsonb_typeof(p_grant -> 'claim') = 'object'
    and not claim_proof(s, p_grant, p_now) then refused('LEASE_LOST', 'claim_not_active') end
$$;

-- Confirms items of a run; an item that was never delivered, or moved away, is not found.
create function acknowledge_steering(r agent_run, p_ids jsonb, p_now timestamptz) returns jsonb
language plpgsql as $$
declare
  v_acked jsonb := '[]';
  v_missing jsonb := '[]';
  v_id text;
  s agent_run_steering;
begin
  for v_id in select x from jsonb_array_elements_text(p_ids) with ordinality as l (x, place)
    group by x order by min(place)
  loop
    select * into s from agent_run_steering where tenant_id = r.tenant_id and steering_id = v_id
      and run_id = r.run_id and delivery_count > 0 and state in ('queued', 'leased', 'injected')
      for no key update;
    if not found then
      v_missing := v_missing || to_jsonb(v_id);
      continue;
    end if;
    v_acked := v_acked || to_jsonb(v_id);
    continue when s.state = 'injected';
    update agent_run_steering set state = 'injected', lease_expires_at = null, updated_at = p_now
      where tenant_id = s.tenant_id and id = s.id;
    if s.type = 'message' then
      perform trace_steering(s, r, 'injected',
        jsonb_build_object('claimed_by_run_id', r.run_id), p_now);
    end if;
  end loop;
  return jsonb_build_object('acked', v_acked, 'not_found', v_missing);
end $$;

create function steering_ack(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  a record;
begin
  a := admit_executor(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  return acknowledge_steering(a.s, p_input -> 'ids', v_now);
end $$;

-- What a run may be handed now: queued, or leased by a reader that did not answer in time.
create function is_deliverable(s agent_run_steering, p_now timestamptz) returns boolean
language sql immutable as $$
  select s.state = 'queued' or (s.state = 'leased' and s.lease_expires_at <= p_now)
$$;

create function count_pending(r agent_run, p_now timestamptz) returns bigint
language sql stable as $$
  select count(*) from agent_run_steering s where s.tenant_id = r.tenant_id
    and s.run_id = r.run_id and is_deliverable(s, p_now)
$$;

create function steering_pull(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_items jsonb := '[]';
  v_held bigint := 0;
  v_ack jsonb;
  v_item jsonb;
  v_session agent_run;
  a record;
  s agent_run_steering;
  i agent_interaction;
begin
  a := admit_executor(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  v_session := a.s;
  if jsonb_typeof(p_input -> 'ack') = 'array' then
    v_ack := acknowledge_steering(v_session, p_input -> 'ack', v_now);
  end if;
  for s in select * from agent_run_steering x where x.tenant_id = p_tenant
      and x.run_id = v_session.run_id and is_deliverable(x, v_now)
    order by x.id limit (p_input ->> 'limit')::int for no key update
  loop
    s.lease_expires_at := v_now + make_interval(secs => (p_input ->> 'lease_seconds')::int);
    s.delivery_count := s.delivery_count + 1;
    i := null;
    if s.type <> 'message' then
      select * into i from agent_interaction where tenant_id = p_tenant
        and run_id = s.run_id and interaction_id = s.interaction_id;
    end if;
    v_item := steering_record(s, v_session, i);
    v_held := v_held + octet_length(v_item::text);
    exit when v_held > 1048576 and jsonb_array_length(v_items) > 0;
    update agent_run_steering set state = 'leased', lease_expires_at = s.lease_expires_at,
      delivery_count = s.delivery_count, updated_at = v_now
    where tenant_id = p_tenant and id = s.id;
    v_items := v_items || jsonb_build_array(v_item);
  end loop;
  return jsonb_build_object('items', v_items, 'pending', count_pending(v_session, v_now))
    || case when v_ack is null then '{}' else jsonb_build_object('ack', v_ack) end;
end $$;

-- What the hosts tell the executor of a run: that steering waits for it. The marks name each
-- waiting delivery, so that a host which told of it does not tell again when it looks.
create function steering_news(r agent_run, p_now timestamptz) returns jsonb
language sql stable as $$
  select jsonb_build_object('run_id', r.run_id, 'pending', count_pending(r, p_now),
    'plugin_identity', r.plugin_identity, 'claim_epoch', r.claim_epoch,
    'claimed', r.status = 'claimed', 'marks', (
      select jsonb_agg(s.steering_id || '/' || s.delivery_count order by s.id)
      from agent_run_steering s where s.tenant_id = r.tenant_id and s.run_id = r.run_id
        and s.state = 'queued'))
$$;

create function list_steering_news(p_tenant text, p_runs text[], p_now timestamptz) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(steering_news(r, p_now)), '[]') from agent_run r
  where r.tenant_id = p_tenant and r.run_id = any (p_runs) and r.finished_at is null
$$;
