-- What a run's record shows is named once, as columns. Statements that answer with many runs write
-- them as JSON text at once; jsonb, which sorts the members first and is written out afterwards,
-- costs three times as much.

-- Microseconds fit into a double exactly; numeric, which extract answers, is slow.
create or replace function epoch_seconds(p_at timestamptz) returns bigint
language sql stable as $$ select floor(date_part('epoch', p_at))::bigint $$;

create or replace function epoch_ms(p_at timestamptz) returns bigint
language sql stable as $$
  select floor(round(date_part('epoch', p_at) * 1000000) / 1000)::bigint
$$;

-- The Run of the contract: what it leaves out (snapshot, hashes, the claim of an ended run) stays
-- in the ledger.
create type shown_run as (
  id bigint, run_id text, runner_id text, plugin_identity text, created_by text,
  parent_run_id text, event_id text, agent_id text, binding_id text, conversation_id text,
  thread_id text, workspace_id text, bot_id text, dispatch text, status text, status_reason text,
  queue_name text, priority smallint, requested_runtime_id text, claimed_by_runtime_id text,
  claim_lease_expires_at bigint, claim_epoch bigint, dispatch_attempts int, max_attempts int,
  not_before bigint, last_claimed_at bigint, last_sequence bigint, created_at bigint,
  created_at_ms bigint, updated_at bigint, started_at bigint, started_at_ms bigint,
  finished_at bigint, finished_at_ms bigint, deadline_at bigint, cancel_requested_at bigint,
  cancel_reason text, usage jsonb, cost jsonb, metadata jsonb);

create function show_run(r agent_run) returns shown_run
language sql stable as $$
  select row(r.id, r.run_id, r.runner_id, r.plugin_identity, r.created_by, r.parent_run_id,
    r.event_id, r.agent_id, r.binding_id, r.conversation_id, r.thread_id, r.workspace_id,
    r.bot_id, r.dispatch, r.status, r.status_reason, r.queue_name, r.priority,
    r.requested_runtime_id, case when r.status = 'claimed' then r.claimed_by_runtime_id end,
    epoch_seconds(r.claim_lease_expires_at), r.claim_epoch, r.dispatch_attempts, r.max_attempts,
    epoch_seconds(r.not_before), epoch_seconds(r.last_claimed_at), r.last_sequence,
    epoch_seconds(r.created_at), epoch_ms(r.created_at), epoch_seconds(r.updated_at),
    epoch_seconds(r.started_at), epoch_ms(r.started_at), epoch_seconds(r.finished_at),
    epoch_ms(r.finished_at), epoch_seconds(r.deadline_at), epoch_seconds(r.cancel_requested_at),
    r.cancel_reason, r.usage, r.cost, r.metadata)::shown_run
$$;

create or replace function run_record(r agent_run) returns jsonb
language sql stable as $$ select to_jsonb(show_run(r)) $$;

-- The same as text. For rows of a query: it is written into it.
create function run_json(r agent_run) returns json
language sql stable as $$ select row_to_json(show_run(r)) $$;
