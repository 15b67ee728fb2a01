// A new run on its way into the ledger and back: what run_create stores, with the ids that its
// request left to the host, and the record of what was stored. A new run's record repeats what came
// with the call, so a statement answers only what the ledger added to it.

import type { Run } from "../contract/records.js";
import { ownerOfRunner } from "../contract/scalars.js";
import { fitId, makeId } from "./identifiers.js";
import type { NewRun } from "./requests.js";
import { buildSnapshot } from "./snapshot.js";

/** A run as its statement takes it. */
export interface NamedRun extends Omit<NewRun, "binding_named"> {
  run_id: string;
  event: NewRun["event"] & { event_id: string };
  binding: NewRun["binding"] & { binding_id: string };
  attachment_refs: unknown[];
}

/** What the ledger adds to a new run. */
export interface MadeRun {
  id: number;
  /** When it was created, in milliseconds. */
  at_ms: number;
}

export function nameRun(run: NewRun): NamedRun {
  const run_id = run.run_id ?? makeId("run");
  const event_id = run.event.event_id ?? fitId(`${run.event.source}:${run_id}`, "evt");
  const binding_id =
    run.binding.binding_id ?? fitId(`api:${run.runner_id}:${run_id}`, "bind");
  const attachments = run.log_input["attachments"];
  // In the order in which jsonb keeps members, here and in what they hold: Postgres would spend a
  // quarter of the parse on sorting them.
  return {
    event: { ...run.event, event_id },
    input: run.input,
    denied: run.denied,
    prompt: run.prompt,
    run_id,
    binding: { ...run.binding, binding_id },
    delivery: run.delivery,
    dispatch: run.dispatch,
    metadata: run.metadata,
    priority: run.priority,
    snapshot: buildSnapshot({ run, binding_id }),
    log_input: run.log_input,
    runner_id: run.runner_id,
    not_before: run.not_before,
    queue_name: run.queue_name,
    deadline_at: run.deadline_at,
    fingerprint: run.fingerprint,
    traceparent: run.traceparent,
    max_attempts: run.max_attempts,
    parent_run_id: run.parent_run_id,
    request_bytes: run.request_bytes,
    attachment_refs: Array.isArray(attachments) ? attachments : [],
    include_plugins: run.include_plugins,
    timeout_seconds: run.timeout_seconds,
    requested_runtime_id: run.requested_runtime_id,
    allow_unregistered_runner: run.allow_unregistered_runner,
  };
}

/** The record of a run that was stored just now, as any later reading of it would show it. */
export function recordNewRun(created_by: string, run: NamedRun, { id, at_ms }: MadeRun): Run {
  const created_at = Math.floor(at_ms / 1000);
  const running = run.dispatch === "running";
  const ends = run.timeout_seconds === null ? null : created_at + run.timeout_seconds;
  const textOf = (name: string) => (run.event[name] ?? null) as string | null;
  return {
    id,
    run_id: run.run_id,
    runner_id: run.runner_id,
    plugin_identity: ownerOfRunner(run.runner_id),
    created_by,
    parent_run_id: run.parent_run_id,
    event_id: run.event.event_id,
    agent_id: run.binding.agent_id,
    binding_id: run.binding.binding_id,
    conversation_id: textOf("conversation_id"),
    thread_id: textOf("thread_id"),
    workspace_id: textOf("workspace_id"),
    bot_id: textOf("bot_id"),
    dispatch: run.dispatch,
    status: run.dispatch,
    status_reason: null,
    queue_name: running ? null : run.queue_name,
    priority: run.priority,
    requested_runtime_id: run.requested_runtime_id,
    claimed_by_runtime_id: null,
    claim_lease_expires_at: null,
    claim_epoch: 0,
    dispatch_attempts: 0,
    max_attempts: run.max_attempts,
    not_before: run.not_before,
    last_claimed_at: null,
    last_sequence: 0,
    created_at,
    created_at_ms: at_ms,
    updated_at: created_at,
    started_at: running ? created_at : null,
    started_at_ms: running ? at_ms : null,
    finished_at: null,
    finished_at_ms: null,
    deadline_at: run.deadline_at ?? ends,
    cancel_requested_at: null,
    cancel_reason: null,
    usage: null,
    cost: null,
    metadata: run.metadata,
  };
}
