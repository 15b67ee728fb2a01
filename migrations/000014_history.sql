-- What a live run may read of its conversation: transcript, event log, prompt.

-- history_page, history_search by substring
create index transcript_conversation on transcript (tenant_id, conversation_id, id desc);
-- history_search by words
create index transcript_search on transcript using gin (content_tsv);
-- event_page
create index event_log_conversation on event_log (tenant_id, conversation_id, id desc)
  where conversation_id is not null;

-- A session that is live, with the capability, and CONV: a requested conversation is the run's own.
create function admit_session(
  p_tenant text, p_grant jsonb, p_conversation text, out refusal jsonb, out s agent_run
) language plpgsql stable as $$
declare
  v_now timestamptz := call_time(p_grant);
begin
  select * into s from agent_run where tenant_id = p_tenant and run_id = p_grant ->> 'run_id';
  refusal := coalesce(session_refusal(s, p_grant, v_now),
    cap_and_scope_refusal(s, s, p_grant, v_now));
  if refusal is null and p_conversation <> coalesce(s.conversation_id, '') then
    refusal := refused('FORBIDDEN', 'out_of_scope');
  end if;
end $$;

create function event_log_record(e event_log) returns jsonb
language sql immutable as $$
  select jsonb_build_object('event_id', e.event_id, 'event_type', e.event_type,
    'event_time', epoch_seconds(e.event_time), 'source', e.source, 'bot_id', e.bot_id,
    'workspace_id', e.workspace_id, 'conversation_id', e.conversation_id,
    'thread_id', e.thread_id, 'actor_type', e.actor_type, 'actor_id', e.actor_id,
    'actor_name', e.actor_name, 'subject_type', e.subject_type, 'subject_id', e.subject_id,
    'raw_ref', e.raw_ref, 'input_summary', e.input_summary, 'seq', e.id, 'cursor', e.id::text,
    'created_at', epoch_seconds(e.created_at), 'metadata', e.metadata)
$$;

create function transcript_record(t transcript, p_attachments boolean) returns jsonb
language sql immutable as $$
  select jsonb_build_object('transcript_id', t.transcript_id,
    'conversation_id', t.conversation_id, 'event_id', t.event_id, 'bot_id', t.bot_id,
    'workspace_id', t.workspace_id, 'thread_id', t.thread_id, 'role', t.role,
    'item_type', t.item_type, 'content', left(t.content, 4000),
    'content_json', case when f.fits then t.content_json end,
    'content_truncated', not f.fits or coalesce(length(t.content) > 4000, false),
    'seq', t.id, 'cursor', t.id::text, 'created_at', epoch_seconds(t.created_at),
    'metadata', t.metadata,
    'attachment_refs', case when p_attachments then t.attachment_refs else '[]' end)
  from (select coalesce(octet_length(t.content_json::text) <= 65536
    or json_bytes(t.content_json) <= 65536, true) as fits) f
$$;

-- SCOPED: what a run with this scope may see of its conversation.
create function in_conversation(
  s agent_run, p_conversation text, p_bot text, p_workspace text, p_thread text
) returns boolean language sql immutable as $$
  select coalesce(p_conversation = s.conversation_id
    and (s.bot_id is null or p_bot = s.bot_id)
    and (s.workspace_id is null or p_workspace = s.workspace_id)
    and p_thread is not distinct from s.thread_id, false)
$$;

create function event_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_session agent_run;
  a record;
  e event_log;
begin
  a := admit_session(p_tenant, p_grant, null);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  v_session := a.s;
  select * into e from event_log
    where tenant_id = p_tenant and event_id = p_input ->> 'event_id';
  if e.id is null or not (e.event_id is not distinct from v_session.event_id
    or e.run_id is not distinct from v_session.run_id
    or in_conversation(v_session, e.conversation_id, e.bot_id, e.workspace_id, e.thread_id)) then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  return jsonb_build_object('event', event_log_record(e));
end $$;

create function prompt_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_session agent_run;
  v_prompt jsonb;
  a record;
begin
  a := admit_session(p_tenant, p_grant, null);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  v_session := a.s;
  select prompt into v_prompt from agent_run_request
    where tenant_id = p_tenant and run_id = v_session.run_id;
  if v_prompt is null then
    return jsonb_build_object('refusal', missing('prompt', v_session.run_id));
  end if;
  return jsonb_build_object('prompt', v_prompt);
end $$;
