// What actions hand to the ledger beside the grant: checked params with their defaults filled in.
// Names are those of the wire and of the columns.

import type { Issue } from "../contract/errors.js";
import type { stateScopes } from "../contract/scalars.js";

export interface NewRun {
  /** Null: the ledger makes one. */
  run_id: string | null;
  runner_id: string;
  parent_run_id: string | null;
  dispatch: "queued" | "running";
  queue_name: string | null;
  priority: number;
  requested_runtime_id: string | null;
  max_attempts: number;
  /** Seconds since the epoch. */
  not_before: number | null;
  deadline_at: number | null;
  timeout_seconds: number | null;
  allow_unregistered_runner: boolean;
  include_plugins: string[] | null;
  metadata: Record<string, unknown>;
  /** SHA-256 over the canonical request, hex. */
  fingerprint: string;
  request_bytes: number;
  /** W3C; the trace that made the run. No part of the fingerprint. */
  traceparent: string | null;
  /** Refusal of authorization.available_apis, given after the idempotency check. */
  denied: { permission: string } | null;
  /** Members of event, defaults filled in; event_id null is made from source and run_id. */
  event: Record<string, unknown> & {
    event_id: string | null;
    event_type: string;
    event_time: number | null;
    source: string;
  };
  input: Record<string, unknown>;
  /** Input without inline binary, for event log and transcript. */
  log_input: Record<string, unknown>;
  /** binding_id null is made from runner_id and run_id. */
  binding: Record<string, unknown> & { binding_id: string | null; agent_id: string | null };
  /** True when the request named binding_id: then it is also the snapshot's binding_identity. */
  binding_named: boolean;
  delivery: Record<string, unknown>;
  prompt: unknown[] | null;
  snapshot: {
    available_apis: Record<string, true>;
    state_policy: { enable_state: boolean; state_scopes: string[] };
  };
}

export interface RunListQuery {
  conversation_id: string | null;
  runner_id: string | null;
  workspace_id: string | null;
  statuses: string[] | null;
  before_cursor: string | null;
  limit: number;
  include_total: boolean;
}

export interface EventPageQuery {
  before_cursor: string | null;
  after_cursor: string | null;
  direction: "forward" | "backward";
  limit: number;
}

/** A result event whose payload has passed the rules of the contract, 5.3. */
export interface NewResult {
  sequence: number;
  type: string;
  data: Record<string, unknown>;
  usage: Record<string, unknown> | null;
  metadata: Record<string, unknown>;
  /** SHA-256 over the canonical event, hex, and its size in bytes. */
  fingerprint: string;
  bytes: number;
  /** The effects of an emitted event, as far as its payload says them; null where it has none. */
  interaction: NewInteraction | null;
  state: StateWrite | null;
  message: ResultMessage | null;
}

/** An emitted interaction request. */
export interface NewInteraction {
  interaction_id: string;
  /** Null: the ledger fills it in, here and in the stored request. */
  expires_at: number | null;
  /** The payload with its defaults filled in. */
  request: Record<string, unknown>;
  /** What is wrong with the payload: refused as invalid_payload after the policy was judged. */
  invalid: Issue[] | null;
}

/** The write of an emitted state.updated. */
export interface StateWrite {
  scope: (typeof stateScopes)[number];
  key: string;
  value: unknown;
  /** Size of the value; over its limit it is PAYLOAD_TOO_LARGE value, after the policy. */
  bytes: number;
}

/** The message of an emitted message.completed or run.completed. */
export interface ResultMessage {
  role: string;
  /** Its plain text, whole. */
  content: string | null;
  /** The message without inline binary, whole. */
  content_json: Record<string, unknown>;
  /** Of the message as sent, hex. */
  fingerprint: string;
}

export interface FinalizeRequest {
  status: "completed" | "failed" | "cancelled" | "timeout";
  status_reason: string | null;
  usage: Record<string, unknown> | null;
  cost: Record<string, unknown> | null;
  metadata: Record<string, unknown> | null;
}

export interface ClaimRequest {
  runtime_id: string;
  queue_name: string | null;
  runner_ids: string[] | null;
  lease_seconds: number;
  max_runs: number;
  wait_seconds: number;
  signal: AbortSignal;
}

export interface RenewRequest {
  lease_seconds: number;
}

export interface ReleaseRequest {
  status_reason: string | null;
  not_before: number | null;
  refund_attempt: boolean;
}

export interface RunnerDeclaration {
  id: string;
  label: Record<string, string>;
  description: Record<string, string> | null;
  plugin_version: string | null;
  config_schema: Record<string, unknown>[];
  capabilities: Record<string, boolean>;
  permissions: Record<string, string[]>;
  raw_manifest: Record<string, unknown>;
}

export interface RunnerListQuery {
  include_plugins: string[] | null;
  after_cursor: string | null;
  limit: number;
}

export interface RuntimeRegistration {
  runtime_id: string;
  status: "online" | "draining" | "offline";
  display_name: string | null;
  endpoint: string | null;
  version: string | null;
  capabilities: Record<string, unknown>;
  labels: Record<string, string>;
  metadata: Record<string, unknown>;
  heartbeat_ttl_seconds: number | null;
  heartbeat_deadline_at: number | null;
}

/** Absent fields keep the stored value; `given` names those that the caller sent. */
export interface RuntimeBeat {
  runtime_id: string;
  status: "online" | "draining" | "offline" | null;
  capabilities: Record<string, unknown> | null;
  labels: Record<string, string> | null;
  metadata: Record<string, unknown> | null;
  heartbeat_ttl_seconds: number | null;
  heartbeat_deadline_at: number | null;
}

export interface RuntimeListQuery {
  statuses: string[] | null;
  labels: Record<string, string> | null;
  after_cursor: string | null;
  limit: number;
}

export interface PluginPatch {
  tenant_id: string;
  plugin_identity: string;
  permissions: string[] | null;
  display_name: string | null;
  metadata: Record<string, unknown> | null;
}

export interface PluginListQuery {
  tenant_id: string;
  enabled: boolean | null;
  after_cursor: string | null;
  limit: number;
}

export interface RetryRequest {
  /** Null: the ledger makes one. */
  new_run_id: string | null;
  dispatch: "queued" | "running";
  timeout_seconds: number | null;
  not_before: number | null;
  /** SHA-256 over the canonical request, hex. */
  fingerprint: string;
  /** W3C; the trace that the new run belongs to. */
  traceparent: string | null;
}

export interface StatsQuery {
  start_time: number | null;
  end_time: number | null;
}

export interface AuditQuery {
  tenant_id: string;
  domain: "agent_run" | "runtime" | "plugin" | null;
  actor: string | null;
  action: string | null;
  target_run_id: string | null;
  target_runtime_id: string | null;
  before_cursor: string | null;
  limit: number;
}
