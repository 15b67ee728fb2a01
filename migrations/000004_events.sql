-- Result events: run_append_result stores one, run_emit_result stores one and applies its effect in
-- the same statement. The first accepted content of (run, sequence) is the content.

create function event_record(e agent_run_event) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', e.id, 'run_id', e.run_id, 'sequence', e.sequence,
    'type', e.type, 'data', e.data, 'metadata', e.metadata, 'usage', e.usage,
    'source', e.source, 'claim_epoch', e.claim_epoch, 'created_at', epoch_seconds(e.created_at),
    'created_at_ms', epoch_ms(e.created_at))
$$;

create function event_answer(e agent_run_event, p_status text, p_idempotent boolean)
returns jsonb language sql immutable as $$
  select jsonb_build_object('event', event_record(e)
    || case when p_status is null then '{}' else jsonb_build_object('run_status', p_status) end
    || case when p_idempotent then '{"idempotent": true}'::jsonb else '{}'::jsonb end)
$$;

-- Storing an event. The caller holds the lock of the run, so ids and sequences grow together.
create function store_event(
  r agent_run, p_grant jsonb, p_input jsonb, p_now timestamptz, p_by_admin boolean
) returns agent_run_event language plpgsql as $$
declare
  v_claim boolean := jsonb_typeof(p_grant -> 'claim') = 'object';
  e agent_run_event;
begin
  insert into agent_run_event (tenant_id, run_id, sequence, type, data, usage, metadata, source,
    written_by, claim_epoch, fingerprint, bytes, created_at)
  values (r.tenant_id, r.run_id, (p_input ->> 'sequence')::bigint, p_input ->> 'type',
    p_input -> 'data', nullif(p_input -> 'usage', 'null'), p_input -> 'metadata',
    case when p_by_admin then 'admin:' || (p_grant ->> 'caller')
      when v_claim then 'runtime:' || (p_grant #>> '{claim,runtime_id}') else 'runner' end,
    p_grant ->> 'caller', case when v_claim then r.claim_epoch end,
    decode(p_input ->> 'fingerprint', 'hex'), (p_input ->> 'bytes')::int, p_now)
  returning * into strict e;
  update agent_run set last_sequence = e.sequence, updated_at = p_now
    where tenant_id = r.tenant_id and id = r.id;
  return e;
end $$;

-- Steps 1 to 6 of the contract's 5.4. Exactly one of `answer`, `refusal` and `t` (locked, free to
-- be written) is of use; `by_admin` tells an administrator's write from the executor's.
create function admit_result(
  p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamptz,
  out refusal jsonb, out repeated agent_run_event, out t agent_run, out by_admin boolean
) language plpgsql as $$
declare
  v_loaded record;
  v_sequence bigint := (p_input ->> 'sequence')::bigint;
  v_fingerprint bytea := decode(p_input ->> 'fingerprint', 'hex');
  v_stored agent_run_event;
begin
  v_loaded := load_runs(p_tenant, p_grant, true);
  t := v_loaded.t;
  by_admin := false;
  if v_sequence <= t.last_sequence then
    select * into v_stored from agent_run_event
      where tenant_id = p_tenant and run_id = t.run_id and sequence = v_sequence;
    if v_stored.written_by = p_grant ->> 'caller' and v_stored.fingerprint = v_fingerprint then
      repeated := v_stored;
      return;
    end if;
  end if;
  refusal := write_admission(v_loaded.s, t, p_grant, p_now);
  if refusal is not null then return; end if;
  if v_stored.sequence is not null then
    if v_stored.fingerprint = v_fingerprint then
      repeated := v_stored;
    else
      refusal := refused('CONFLICT', 'sequence_reused')
        || jsonb_build_object('last_sequence', t.last_sequence);
    end if;
    return;
  end if;
  if is_terminal(t.status) then
    refusal := refusal('RUN_TERMINAL', jsonb_build_object('status', t.status));
    return;
  end if;
  refusal := executor_refusal(t, p_grant, p_now);
  if refusal is not null then
    by_admin := is_admin_write(t, p_grant, p_now);
    if not by_admin then return; end if;
    refusal := null;
  end if;
  if v_sequence <= t.last_sequence then
    refusal := refused('CONFLICT', 'sequence_out_of_order')
      || jsonb_build_object('last_sequence', t.last_sequence);
  end if;
end $$;

create function run_append(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  a record;
  e agent_run_event;
begin
  a := admit_result(p_tenant, p_grant, p_input, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  e := a.repeated;
  if e.sequence is not null then return event_answer(e, null, true); end if;
  e := store_event(a.t, p_grant, p_input, v_now, a.by_admin);
  if a.by_admin then
    perform write_audit(p_tenant, p_grant, 'agent_run:admin', run_target(a.t),
      jsonb_build_object('type', e.type, 'sequence', e.sequence,
        'force', (p_grant ->> 'force')::boolean));
  end if;
  return event_answer(e, null, false);
end $$;

-- A message of the runner becomes a transcript item, if the run has a conversation. A final message
-- that repeats the last one is not written again.
create function log_result_message(
  r agent_run, p_input jsonb, p_now timestamptz
) returns void language plpgsql as $$
declare
  v_message jsonb := p_input -> 'message';
  v_fingerprint bytea := decode(v_message ->> 'fingerprint', 'hex');
begin
  if r.conversation_id is null or jsonb_typeof(v_message) is distinct from 'object' then
    return;
  end if;
  if p_input ->> 'type' = 'run.completed' and v_fingerprint = (select message_fingerprint
      from transcript where tenant_id = r.tenant_id and run_id = r.run_id and origin = 'result'
      order by run_sequence desc limit 1) then
    return;
  end if;
  insert into transcript (tenant_id, transcript_id, origin, run_id, run_sequence, runner_id,
    bot_id, workspace_id, conversation_id, thread_id, role, content, content_tsv, content_json,
    message_fingerprint, created_at)
  values (r.tenant_id, v_message ->> 'transcript_id', 'result', r.run_id,
    (p_input ->> 'sequence')::bigint, r.runner_id, r.bot_id, r.workspace_id, r.conversation_id,
    r.thread_id, v_message ->> 'role', v_message ->> 'content',
    case when octet_length(v_message ->> 'content') <= 131072
      then to_tsvector('simple', v_message ->> 'content') end,
    v_message -> 'content_json', v_fingerprint, p_now);
end $$;

create function state_refusal(r agent_run, p_scope text) returns jsonb
language sql immutable as $$
  select case
    when not coalesce(r.snapshot #> '{available_apis,state}' = 'true', false) then
      capability_missing('state')
    when not (r.snapshot #>> '{state_policy,enable_state}')::boolean then
      refused('FORBIDDEN', 'state_disabled') || jsonb_build_object('scope', p_scope)
    when not r.snapshot #> '{state_policy,state_scopes}' ? p_scope then
      refused('FORBIDDEN', 'scope_disabled') || jsonb_build_object('scope', p_scope)
    when r.snapshot #>> array['state_context', 'scope_keys', p_scope] is null then
      refused('FORBIDDEN', 'scope_unavailable') || jsonb_build_object('scope', p_scope)
  end
$$;

-- Sets one state value under the lock of its scope: quotas are exact, versions are never used
-- twice. Input: scope, key, value, bytes, if_version (null: any).
create function set_state(r agent_run, p_state jsonb, p_now timestamptz,
  out refusal jsonb, out version bigint
) language plpgsql as $$
declare
  v_scope text := p_state ->> 'scope';
  v_key text := p_state ->> 'key';
  v_bytes int := (p_state ->> 'bytes')::int + octet_length(v_key);
  v_scope_key text := r.snapshot #>> array['state_context', 'scope_keys', v_scope];
  v_total agent_runner_state_scope;
  v_old agent_runner_state;
begin
  if (p_state ->> 'bytes')::int > 262144 then
    refusal := refused('PAYLOAD_TOO_LARGE', 'value') || '{"limit_bytes": 262144}';
    return;
  end if;
  insert into agent_runner_state_scope (tenant_id, scope_key) values (r.tenant_id, v_scope_key)
    on conflict do nothing;
  select * into strict v_total from agent_runner_state_scope
    where tenant_id = r.tenant_id and scope_key = v_scope_key for no key update;
  select * into v_old from agent_runner_state
    where tenant_id = r.tenant_id and scope_key = v_scope_key and state_key = v_key;
  if (p_state ->> 'if_version')::bigint <> coalesce(v_old.version, 0) then
    refusal := refused('CONFLICT', 'version_mismatch')
      || jsonb_build_object('version', coalesce(v_old.version, 0));
  elsif v_old.version is null and v_total.key_count >= 1000 then
    refusal := refused('PAYLOAD_TOO_LARGE', 'scope_keys') || '{"limit": 1000}';
  elsif v_total.total_bytes + v_bytes - coalesce(v_old.bytes, 0) > 8388608 then
    refusal := refused('PAYLOAD_TOO_LARGE', 'scope_bytes') || '{"limit_bytes": 8388608}';
  end if;
  if refusal is not null then return; end if;
  version := v_total.last_version + 1;
  update agent_runner_state_scope set last_version = version,
    key_count = key_count + case when v_old.version is null then 1 else 0 end,
    total_bytes = total_bytes + v_bytes - coalesce(v_old.bytes, 0)
  where tenant_id = r.tenant_id and scope_key = v_scope_key;
  insert into agent_runner_state (tenant_id, scope_key, state_key, value, bytes, version, scope,
    runner_id, binding_identity, bot_id, workspace_id, conversation_id, thread_id, actor_type,
    actor_id, subject_type, subject_id, created_at, updated_at)
  values (r.tenant_id, v_scope_key, v_key, p_state -> 'value', v_bytes, version, v_scope,
    r.runner_id, r.snapshot ->> 'binding_identity', r.bot_id, r.workspace_id, r.conversation_id,
    r.thread_id, r.snapshot #>> '{state_context,actor_type}',
    r.snapshot #>> '{state_context,actor_id}', r.snapshot #>> '{state_context,subject_type}',
    r.snapshot #>> '{state_context,subject_id}', p_now, p_now)
  on conflict (tenant_id, scope_key, state_key) do update set value = excluded.value,
    bytes = excluded.bytes, version = excluded.version, updated_at = excluded.updated_at;
end $$;

create function result_rejected(p_type text, p_path text, p_message text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'RESULT_REJECTED', 'reason', 'invalid_payload',
    'type', p_type, 'issues',
    jsonb_build_array(jsonb_build_object('path', p_path, 'message', p_message)))
$$;

-- Asking a person: policy first, then the payload, then the id.
create function request_interaction(
  r agent_run, p_asked jsonb, p_sequence bigint, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
  v_expires timestamptz := coalesce(to_timestamp((p_asked ->> 'expires_at')::bigint),
    p_now + interval '1800 seconds');
  v_request agent_run_request;
begin
  select * into v_request from agent_run_request
    where tenant_id = r.tenant_id and run_id = r.run_id;
  if v_request.binding #> '{delivery_policy,enable_interactions}' = 'false'
    or exists (select from runner where tenant_id = r.tenant_id and runner_id = r.runner_id
      and withdrawn_at is null and capabilities -> 'interactions' = 'false') then
    return capability_missing('interactions');
  end if;
  if jsonb_typeof(p_asked -> 'invalid') = 'array' then
    return refused('RESULT_REJECTED', 'invalid_payload')
      || jsonb_build_object('type', 'action.requested', 'issues', p_asked -> 'invalid');
  end if;
  if v_expires <= p_now or v_expires > p_now + interval '86400 seconds' then
    return result_rejected('action.requested', 'data.payload.expires_at',
      'must be in the future and at most 86400 seconds from now');
  end if;
  insert into agent_interaction (tenant_id, run_id, interaction_id, sequence, runner_id,
    binding_id, bot_id, workspace_id, conversation_id, thread_id, actor_id, request, expires_at,
    created_at, updated_at)
  values (r.tenant_id, r.run_id, p_asked ->> 'interaction_id', p_sequence, r.runner_id,
    r.binding_id, r.bot_id, r.workspace_id, r.conversation_id, r.thread_id,
    v_request.event #>> '{actor,actor_id}', (p_asked -> 'request')
      || jsonb_build_object('expires_at', epoch_seconds(v_expires)), v_expires, p_now, p_now)
  on conflict (tenant_id, run_id, interaction_id) do nothing;
  if not found then return refused('CONFLICT', 'interaction_id_reused'); end if;
  return null;
end $$;

-- The effect of run.failed: back to the queue, cancelled, or failed.
create function fail_run(r agent_run, p_data jsonb, p_now timestamptz) returns agent_run
language plpgsql as $$
declare
  v_error text := left(p_data ->> 'error', 2000);
  v_run agent_run;
begin
  if r.status = 'claimed' and coalesce(nullif(p_data -> 'retryable', 'null'), 'false') = 'true' then
    v_run := requeue_run(r, v_error, true, null, p_now);
    if v_run.status = 'failed' then
      update agent_run set status_reason = v_error
        where tenant_id = r.tenant_id and id = r.id returning * into v_run;
    end if;
    return v_run;
  end if;
  if p_data ->> 'code' = 'cancelled' and r.cancel_requested_at is not null then
    return end_run(r, 'cancelled', r.cancel_reason, p_now);
  end if;
  return end_run(r, 'failed', v_error, p_now);
end $$;

-- The effect of an event; a refusal means that the event may not be stored either, so effects that
-- can refuse come before anything is written and undo nothing.
create function effect_refusal(r agent_run, p_input jsonb, p_now timestamptz) returns jsonb
language plpgsql as $$
declare
  v_refusal jsonb;
begin
  if jsonb_typeof(p_input -> 'state') = 'object' then
    v_refusal := state_refusal(r, p_input #>> '{state,scope}');
    if v_refusal is null then
      v_refusal := (set_state(r, p_input -> 'state', p_now)).refusal;
    end if;
  elsif jsonb_typeof(p_input -> 'interaction') = 'object' then
    v_refusal := request_interaction(r, p_input -> 'interaction',
      (p_input ->> 'sequence')::bigint, p_now);
  end if;
  return v_refusal;
end $$;

create function run_emit(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_type text := p_input ->> 'type';
  v_refusal jsonb;
  a record;
  t agent_run;
  e agent_run_event;
begin
  a := admit_result(p_tenant, p_grant, p_input, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  e := a.repeated;
  t := a.t;
  if e.sequence is not null then return event_answer(e, t.status, true); end if;
  v_refusal := effect_refusal(t, p_input, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  e := store_event(t, p_grant, p_input, v_now, false);
  perform log_result_message(t, p_input, v_now);
  if v_type in ('run.completed', 'run.failed') then
    update agent_run set usage = coalesce(e.usage, usage)
      where tenant_id = p_tenant and id = t.id;
    if v_type = 'run.completed' then
      t := end_run(t, 'completed', left(coalesce(e.data ->> 'finish_reason', 'stop'), 2000), v_now);
    else
      t := fail_run(t, e.data, v_now);
    end if;
  end if;
  return event_answer(e, t.status, false) || aftermath(t);
end $$;
