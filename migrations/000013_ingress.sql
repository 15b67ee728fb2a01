-- event_publish: an event is logged once, and has one disposition: handed to a live run of its
-- conversation, or made into a run, or only logged.

-- MATCH, but for the number of messages that wait, under the lock of the row.
create function takes_message(r agent_run, p_event jsonb, p_runner text, p_now timestamptz)
returns boolean language sql stable as $$
  select is_live(r, p_now) and r.cancel_requested_at is null
    and r.snapshot #> '{available_apis,steering_pull}' = 'true'
    and r.conversation_id = p_event ->> 'conversation_id'
    and r.bot_id is not distinct from p_event ->> 'bot_id'
    and r.workspace_id is not distinct from p_event ->> 'workspace_id'
    and r.thread_id is not distinct from p_event ->> 'thread_id'
    and (p_runner is null or r.runner_id = p_runner)
    and not exists (select from runner d where d.tenant_id = r.tenant_id
      and d.runner_id = r.runner_id and d.withdrawn_at is null
      and d.capabilities -> 'steering' = 'false')
$$;

create function find_live_run(p_tenant text, p_event jsonb, p_runner text, p_now timestamptz)
returns agent_run language plpgsql as $$
declare
  v_id bigint;
  r agent_run;
begin
  for v_id in select x.id from agent_run x where x.tenant_id = p_tenant
    and x.conversation_id = p_event ->> 'conversation_id' and x.status in ('claimed', 'running')
    and takes_message(x, p_event, p_runner, p_now) order by x.id
  loop
    select * into r from agent_run x where x.tenant_id = p_tenant and x.id = v_id
      and takes_message(x, p_event, p_runner, p_now) for no key update;
    continue when not found;
    if (select count(*) from agent_run_steering s where s.tenant_id = p_tenant
      and s.run_id = r.run_id and s.type = 'message' and s.state in ('queued', 'leased')) < 100 then
      return r;
    end if;
  end loop;
  return null;
end $$;

create function published_outcome(e event_log, p_grant jsonb, p_input jsonb) returns jsonb
language sql immutable as $$
  select case when e.published_by = p_grant ->> 'caller'
      and e.request_fingerprint = decode(p_input ->> 'fingerprint', 'hex')
    then jsonb_build_object('published', jsonb_build_object('event_id', e.event_id,
      'disposition', e.disposition, 'run_id', e.run_id, 'steering_id', e.steering_id,
      'idempotent', true))
    else jsonb_build_object('refusal', refused('CONFLICT', 'event_id_reused')) end
$$;

create function event_publish(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
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
    r := insert_run(p_tenant, p_grant, v_run, v_now);
    perform insert_run_request(v_run, r);
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
