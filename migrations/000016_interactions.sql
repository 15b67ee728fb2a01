-- Interactions: a person answers once; the run hears of it as steering.

-- interaction_list by conversation
create index interaction_conversation on agent_interaction (tenant_id, conversation_id, id desc);

create function interaction_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  a record;
  i agent_interaction;
begin
  a := admit_target(p_tenant, p_grant);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into i from agent_interaction where tenant_id = p_tenant and run_id = a.run_id
    and interaction_id = p_input ->> 'interaction_id';
  if i.id is null then
    return jsonb_build_object('refusal', missing('interaction', p_input ->> 'interaction_id'));
  end if;
  return jsonb_build_object('interaction', interaction_record(i));
end $$;

-- ADMIN, CREATOR: the run and the interaction, locked in this order.
create function admit_interaction(
  p_tenant text, p_grant jsonb, p_interaction text, p_now timestamptz,
  out refusal jsonb, out path text, out t agent_run, out i agent_interaction
) language plpgsql as $$
declare
  a record;
begin
  select * into t from agent_run where tenant_id = p_tenant
    and run_id = p_grant ->> 'target_run_id' for no key update;
  a := admit(null, t, p_grant, p_now);
  refusal := a.refusal;
  path := a.path;
  if refusal is not null then return; end if;
  select * into i from agent_interaction where tenant_id = p_tenant and run_id = t.run_id
    and interaction_id = p_interaction for no key update;
  if i.id is null then refusal := missing('interaction', p_interaction); end if;
end $$;

-- Null for a request that still waits. One whose time is over becomes expired for whoever finds it
-- first, and the run hears of it.
create function pending_refusal(i agent_interaction, p_now timestamptz) returns jsonb
language plpgsql as $$
declare
  v_status text := i.status;
begin
  if v_status = 'pending' and i.expires_at > p_now then return null; end if;
  if v_status = 'pending' then
    v_status := 'expired';
    update agent_interaction set status = v_status, updated_at = p_now
      where tenant_id = i.tenant_id and id = i.id;
    perform steer_interaction(i, 'interaction.expired', p_now);
  end if;
  return refused('CONFLICT', 'interaction_not_pending')
    || jsonb_build_object('status', v_status);
end $$;

create function submission_issue(p_path text, p_message text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('path', p_path, 'message', p_message)
$$;

-- What is wrong with one value for one field of the request; null when nothing is.
create function value_problem(p_field jsonb, p_value jsonb) returns text
language plpgsql immutable as $$
declare
  v_type text := p_field ->> 'type';
  v_kind text := jsonb_typeof(p_value);
  v_options jsonb := coalesce((select jsonb_agg(o -> 'value')
    from jsonb_array_elements(nullif(p_field -> 'options', 'null')) o), '[]');
begin
  if v_type in ('text', 'textarea', 'file') then
    if v_kind <> 'string' then return 'must be text'; end if;
    if length(p_value #>> '{}') > 20000 then return 'must have at most 20000 characters'; end if;
  elsif v_type = 'number' then
    if v_kind <> 'number' then return 'must be a number'; end if;
  elsif v_type = 'boolean' then
    if v_kind <> 'boolean' then return 'must be true or false'; end if;
  elsif v_type = 'select' then
    if v_kind <> 'string' or not v_options @> p_value then
      return 'must be one of the options';
    end if;
  elsif v_kind <> 'array' or not v_options @> p_value or jsonb_array_length(p_value)
    <> (select count(distinct x) from jsonb_array_elements(p_value) x) then
    return 'must list distinct options';
  end if;
  return null;
end $$;

-- Action and values against the stored request.
create function submission_issues(p_request jsonb, p_submission jsonb) returns jsonb
language plpgsql immutable as $$
declare
  v_actions jsonb := coalesce(nullif(p_request -> 'actions', 'null'), '[]');
  v_fields jsonb := coalesce(nullif(p_request -> 'fields', 'null'), '[]');
  v_action text := p_submission ->> 'action_id';
  v_values jsonb := p_submission -> 'values';
  v_issues jsonb := '[]';
  v_problem text;
  v_field jsonb;
  v_value jsonb;
begin
  if jsonb_array_length(v_actions) = 0 and v_action is not null then
    v_issues := v_issues || submission_issue('action_id', 'the request has no actions');
  elsif jsonb_array_length(v_actions) > 0
    and not v_actions @> jsonb_build_array(jsonb_build_object('id', v_action)) then
    v_issues := v_issues || submission_issue('action_id', 'must be an action of the request');
  end if;
  v_issues := v_issues || coalesce((select jsonb_agg(
      submission_issue('values.' || k, 'is not a field of the request'))
    from jsonb_object_keys(v_values) k
    where not v_fields @> jsonb_build_array(jsonb_build_object('id', k))), '[]');
  for v_field in select * from jsonb_array_elements(v_fields)
  loop
    v_value := nullif(v_values -> (v_field ->> 'id'), 'null');
    v_problem := case
      when v_value is not null and v_value not in ('""', '[]') then value_problem(v_field, v_value)
      when v_field -> 'required' = 'true' then 'is required'
      when v_value is not null then value_problem(v_field, v_value) end;
    if v_problem is not null then
      v_issues := v_issues || submission_issue('values.' || (v_field ->> 'id'), v_problem);
    end if;
  end loop;
  return v_issues;
end $$;

create function audit_interaction(
  p_tenant text, p_grant jsonb, t agent_run, i agent_interaction
) returns void language plpgsql as $$
begin
  if holds(p_grant -> 'admin') then
    perform write_audit(p_tenant, p_grant,
      case when holds_in_workspace(p_grant -> 'admin', t.workspace_id)
        then 'agent_run:admin' else 'agent_run:create' end,
      run_target(t), jsonb_build_object('interaction_id', i.interaction_id,
        'action_id', i.submission -> 'action_id'));
  end if;
end $$;

create function interaction_submit(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_submission jsonb := p_input -> 'submission';
  v_fingerprint bytea := decode(p_input ->> 'fingerprint', 'hex');
  v_actor text := v_submission ->> 'actor_id';
  v_issues jsonb;
  v_refusal jsonb;
  a record;
  t agent_run;
  i agent_interaction;
begin
  a := admit_interaction(p_tenant, p_grant, p_input ->> 'interaction_id', v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  t := a.t;
  i := a.i;
  if i.status = 'submitted' and i.submitted_by = p_grant ->> 'caller'
    and i.submission_fingerprint = v_fingerprint then
    return jsonb_build_object('interaction', interaction_record(i) || '{"idempotent": true}');
  end if;
  v_refusal := pending_refusal(i, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  if (v_actor is not null or a.path = 'creator') and v_actor is distinct from i.actor_id then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  v_issues := submission_issues(i.request, v_submission);
  if v_issues <> '[]' then
    return jsonb_build_object('refusal', jsonb_build_object('code', 'INVALID_PARAMS',
      'issues', v_issues));
  end if;
  update agent_interaction set status = 'submitted', submission = v_submission,
    submission_fingerprint = v_fingerprint, submitted_at = v_now,
    submitted_by = p_grant ->> 'caller', updated_at = v_now
  where tenant_id = p_tenant and id = i.id returning * into strict i;
  perform steer_interaction(i, 'interaction.submitted', v_now);
  perform audit_interaction(p_tenant, p_grant, t, i);
  return jsonb_build_object('interaction', interaction_record(i),
    'steering', steering_news(t, v_now));
end $$;

create function interaction_cancel(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_refusal jsonb;
  a record;
  t agent_run;
  i agent_interaction;
begin
  a := admit_interaction(p_tenant, p_grant, p_input ->> 'interaction_id', v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  t := a.t;
  i := a.i;
  if i.status = 'cancelled' then
    return jsonb_build_object('interaction', interaction_record(i) || '{"idempotent": true}');
  end if;
  v_refusal := pending_refusal(i, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  update agent_interaction set status = 'cancelled', status_reason = p_input ->> 'status_reason',
    updated_at = v_now
  where tenant_id = p_tenant and id = i.id returning * into strict i;
  perform steer_interaction(i, 'interaction.cancelled', v_now);
  perform audit_interaction(p_tenant, p_grant, t, i);
  return jsonb_build_object('interaction', interaction_record(i),
    'steering', steering_news(t, v_now));
end $$;

-- Reading the interactions of one run; through RUN a named conversation has to be the session's
-- own.
create function admit_interactions(
  p_tenant text, p_grant jsonb, p_conversation text, out refusal jsonb, out run_id text
) language plpgsql stable as $$
declare
  v_loaded record;
  v_session agent_run;
  a record;
begin
  v_loaded := load_runs(p_tenant, p_grant, false);
  v_session := v_loaded.s;
  a := admit(v_session, v_loaded.t, p_grant, call_time(p_grant));
  refusal := a.refusal;
  if refusal is null and a.path = 'run'
    and p_conversation <> coalesce(v_session.conversation_id, '') then
    refusal := refused('FORBIDDEN', 'out_of_scope');
  end if;
  if refusal is null then run_id := (v_loaded.t).run_id; end if;
end $$;
