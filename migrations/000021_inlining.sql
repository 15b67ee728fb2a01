-- Postgres writes a small SQL function into the query that calls it only if its body is as constant
-- as the function claims. JSON builders, extract and timestamptz arithmetic are stable: what calls
-- them and claimed to be immutable was run as a query of its own, 20 to 40 µs a call.

alter function refusal(text, jsonb) stable;
alter function refused(text, text) stable;
alter function capability_missing(text) stable;
alter function permission_missing(text) stable;
alter function missing(text, text) stable;
alter function invalid_param(text, text) stable;
alter function is_live(agent_run, timestamptz) stable;
alter function is_readable(agent_run, int, timestamptz) stable;
alter function epoch_seconds(timestamptz) stable;
alter function epoch_ms(timestamptz) stable;
alter function run_record(agent_run) stable;
alter function transition_detail(text, agent_run, jsonb) stable;
alter function run_target(agent_run) stable;
alter function repeated_run(agent_run, jsonb, jsonb) stable;
alter function event_record(agent_run_event) stable;
alter function state_refusal(agent_run, text) stable;
alter function result_rejected(text, text, text) stable;
alter function claim_path_refusal(text, agent_run, jsonb, jsonb) stable;
alter function runner_record(runner) stable;
alter function runtime_record(agent_runtime, timestamptz) stable;
alter function heartbeat_deadline(jsonb, timestamptz) stable;
alter function plugin_target(text) stable;
alter function count_outcome(jsonb, text) stable;
alter function audit_record(run_audit) stable;
alter function retry_state_refusal(agent_run, jsonb, boolean, timestamptz) stable;
alter function repeated_retry(agent_run, agent_run, jsonb) stable;
alter function follow_snapshot(jsonb, jsonb) stable;
alter function interaction_record(agent_interaction) stable;
alter function steering_record(agent_run_steering, agent_run, agent_interaction) stable;
alter function fence_refusal(agent_run, jsonb, timestamptz) stable;
alter function published_outcome(event_log, jsonb, jsonb) stable;
alter function event_log_record(event_log) stable;
alter function transcript_record(transcript, boolean) stable;
alter function submission_issue(text, text) stable;
