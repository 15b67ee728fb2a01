-- Pages answer with JSON text, as the answers of claims and ends do: jsonb, which sorts the members
-- of every item and is written out afterwards, was most of what a page cost.

create type shown_event as (id bigint, run_id text, sequence bigint, type text, data jsonb,
  metadata jsonb, usage jsonb, source text, claim_epoch bigint, created_at bigint,
  created_at_ms bigint);

create function event_json(e agent_run_event) returns json
language sql stable as $$
  select row_to_json(row(e.id, e.run_id, e.sequence, e.type, e.data, e.metadata, e.usage, e.source,
    e.claim_epoch, epoch_seconds(e.created_at), epoch_ms(e.created_at))::shown_event)
$$;

-- Its bytes as canonical JSON are counted only where its text, which is longer, does not fit.
create function content_fits(p_content jsonb) returns boolean
language sql immutable as $$
  select case when octet_length(p_content::text) <= 65536 then true
    else coalesce(json_bytes(p_content) <= 65536, true) end
$$;

create type shown_transcript_item as (transcript_id text, conversation_id text, event_id text,
  bot_id text, workspace_id text, thread_id text, role text, item_type text, content text,
  content_json jsonb, content_truncated boolean, seq bigint, cursor text, created_at bigint,
  metadata jsonb, attachment_refs jsonb);

-- In place of transcript_record, which stays for hosts of the version before.
create function transcript_json(t transcript, p_attachments boolean) returns json
language sql stable as $$
  select row_to_json(row(t.transcript_id, t.conversation_id, t.event_id, t.bot_id, t.workspace_id,
    t.thread_id, t.role, t.item_type, left(t.content, 4000),
    case when content_fits(t.content_json) then t.content_json end,
    not content_fits(t.content_json) or coalesce(length(t.content) > 4000, false),
    t.id, t.id::text, epoch_seconds(t.created_at), t.metadata,
    case when p_attachments then t.attachment_refs else '[]' end)::shown_transcript_item)
$$;

create type shown_log_entry as (event_id text, event_type text, event_time bigint, source text,
  bot_id text, workspace_id text, conversation_id text, thread_id text, actor_type text,
  actor_id text, actor_name text, subject_type text, subject_id text, raw_ref text,
  input_summary text, seq bigint, cursor text, created_at bigint, metadata jsonb);

create function event_log_json(e event_log) returns json
language sql stable as $$
  select row_to_json(row(e.event_id, e.event_type, epoch_seconds(e.event_time), e.source, e.bot_id,
    e.workspace_id, e.conversation_id, e.thread_id, e.actor_type, e.actor_id, e.actor_name,
    e.subject_type, e.subject_id, e.raw_ref, e.input_summary, e.id, e.id::text,
    epoch_seconds(e.created_at), e.metadata)::shown_log_entry)
$$;

create or replace function event_log_record(e event_log) returns jsonb
language sql stable as $$ select event_log_json(e)::jsonb $$;
