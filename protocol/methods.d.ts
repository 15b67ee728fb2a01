// What travels between a plugin and a host, written by `npm run protocol` from the
// declarations of the actions. Instants (`*_at`) are whole seconds since the epoch, UTC.

export interface AuditPage {
  items: AuditRecord[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface AuditRecord {
  id: number;
  created_at: number;
  created_at_ms: number;
  domain: "agent_run" | "runtime" | "plugin";
  actor: string;
  via: string | null;
  action: string;
  permission: string | null;
  target_run_id: string | null;
  target_runtime_id: string | null;
  target_identity: string | null;
  workspace_id: string | null;
  detail: Record<string, any>;
}

export interface Connection {
  plugin_identity: string;
  tenant_id: string;
  permissions: string[];
  protocol_version: "1";
  host: {
    name: string;
    version: string;
  };
  limits: {
    max_message_bytes: number;
    max_batch: number;
    max_in_flight: number;
  };
}

export interface ContentElement {
  type: string;
  text?: string | null | undefined;
  image_base64?: string | null | undefined;
  file_url?: string | null | undefined;
  file_base64?: string | null | undefined;
  file_name?: string | null | undefined;
  image_url?: {
    url: string;
    [member: string]: any;
  } | null | undefined;
  [member: string]: any;
}

export interface DeregisteredRuntime {
  runtime: Runtime;
  released_claim_count: number;
}

export interface EmittedEvent {
  id: number;
  run_id: string;
  sequence: number;
  type: string;
  data: Record<string, any>;
  metadata: Record<string, any>;
  usage: Record<string, any> | null;
  source: string;
  claim_epoch: number | null;
  created_at: number;
  created_at_ms: number;
  idempotent?: true | undefined;
  run_status: RunStatus;
}

export interface EventPage {
  items: EventRecord[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface EventRecord {
  event_id: string;
  event_type: string;
  event_time: number | null;
  source: string;
  bot_id: string | null;
  workspace_id: string | null;
  conversation_id: string | null;
  thread_id: string | null;
  actor_type: string | null;
  actor_id: string | null;
  actor_name: string | null;
  subject_type: string | null;
  subject_id: string | null;
  raw_ref: string | null;
  input_summary: string | null;
  seq: number;
  cursor: string;
  created_at: number;
  metadata: Record<string, any>;
}

export interface Interaction {
  id: number;
  interaction_id: string;
  run_id: string;
  runner_id: string;
  binding_id: string | null;
  bot_id: string | null;
  workspace_id: string | null;
  conversation_id: string | null;
  thread_id: string | null;
  actor_id: string | null;
  status: "pending" | "submitted" | "expired" | "cancelled";
  status_reason: string | null;
  request: Record<string, any>;
  submission: Record<string, any> | null;
  submitted_at: number | null;
  submitted_by: string | null;
  expires_at: number;
  created_at: number;
  updated_at: number;
  idempotent?: true | undefined;
}

export interface InteractionPage {
  items: Interaction[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface IssuedToken {
  plugin_identity: string;
  key_id: string;
  token: string;
}

export interface Message {
  role: string;
  name?: string | null | undefined;
  content?: string | ContentElement[] | null | undefined;
  tool_calls?: ToolCall[] | null | undefined;
  tool_call_id?: string | null | undefined;
  resp_message_id?: string | null | undefined;
  provider_specific_fields?: Record<string, any> | null | undefined;
  [member: string]: any;
}

export interface Plugin {
  plugin_identity: string;
  tenant_id: string;
  display_name: string | null;
  permissions: string[];
  config_permissions: string[];
  enabled: boolean;
  key_id: string | null;
  metadata: Record<string, any>;
  created_at: number;
  updated_at: number;
  token_created_at: number | null;
  last_seen_at: number | null;
}

export interface PluginPage {
  items: Plugin[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface Pong {
  ok: true;
  time: number;
  time_ms: number;
}

export interface Prompt {
  prompt: Record<string, any>[];
}

export interface PublishedEvent {
  event_id: string;
  disposition: "absorbed" | "run_created" | "logged";
  run_id: string | null;
  steering_id: string | null;
  idempotent?: true | undefined;
}

export interface PulledSteering {
  items: SteeringItem[];
  pending: number;
  ack?: SteeringAck | undefined;
}

export interface RegisteredPlugin {
  plugin_identity: string;
  tenant_id: string;
  display_name: string | null;
  permissions: string[];
  config_permissions: string[];
  enabled: boolean;
  key_id: string | null;
  metadata: Record<string, any>;
  created_at: number;
  updated_at: number;
  token_created_at: number | null;
  last_seen_at: number | null;
  created: boolean;
  token?: string | undefined;
}

export interface RegisteredRunners {
  items: RunnerDescriptor[];
  withdrawn_count: number;
}

export interface RenewedRun {
  id: number;
  run_id: string;
  runner_id: string;
  plugin_identity: string;
  created_by: string;
  parent_run_id: string | null;
  event_id: string | null;
  agent_id: string | null;
  binding_id: string | null;
  conversation_id: string | null;
  thread_id: string | null;
  workspace_id: string | null;
  bot_id: string | null;
  dispatch: "queued" | "running";
  status: RunStatus;
  status_reason: string | null;
  queue_name: string | null;
  priority: number;
  requested_runtime_id: string | null;
  claimed_by_runtime_id: string | null;
  claim_lease_expires_at: number | null;
  claim_epoch: number;
  dispatch_attempts: number;
  max_attempts: number;
  not_before: number | null;
  last_claimed_at: number | null;
  last_sequence: number;
  created_at: number;
  created_at_ms: number;
  updated_at: number;
  started_at: number | null;
  started_at_ms: number | null;
  finished_at: number | null;
  finished_at_ms: number | null;
  deadline_at: number | null;
  cancel_requested_at: number | null;
  cancel_reason: string | null;
  usage: Record<string, any> | null;
  cost: Record<string, any> | null;
  metadata: Record<string, any>;
  idempotent?: true | undefined;
  claim_lease_expires_at_ms: number;
}

export interface Run {
  id: number;
  run_id: string;
  runner_id: string;
  plugin_identity: string;
  created_by: string;
  parent_run_id: string | null;
  event_id: string | null;
  agent_id: string | null;
  binding_id: string | null;
  conversation_id: string | null;
  thread_id: string | null;
  workspace_id: string | null;
  bot_id: string | null;
  dispatch: "queued" | "running";
  status: RunStatus;
  status_reason: string | null;
  queue_name: string | null;
  priority: number;
  requested_runtime_id: string | null;
  claimed_by_runtime_id: string | null;
  claim_lease_expires_at: number | null;
  claim_epoch: number;
  dispatch_attempts: number;
  max_attempts: number;
  not_before: number | null;
  last_claimed_at: number | null;
  last_sequence: number;
  created_at: number;
  created_at_ms: number;
  updated_at: number;
  started_at: number | null;
  started_at_ms: number | null;
  finished_at: number | null;
  finished_at_ms: number | null;
  deadline_at: number | null;
  cancel_requested_at: number | null;
  cancel_reason: string | null;
  usage: Record<string, any> | null;
  cost: Record<string, any> | null;
  metadata: Record<string, any>;
  idempotent?: true | undefined;
}

export interface RunDetail {
  id: number;
  run_id: string;
  runner_id: string;
  plugin_identity: string;
  created_by: string;
  parent_run_id: string | null;
  event_id: string | null;
  agent_id: string | null;
  binding_id: string | null;
  conversation_id: string | null;
  thread_id: string | null;
  workspace_id: string | null;
  bot_id: string | null;
  dispatch: "queued" | "running";
  status: RunStatus;
  status_reason: string | null;
  queue_name: string | null;
  priority: number;
  requested_runtime_id: string | null;
  claimed_by_runtime_id: string | null;
  claim_lease_expires_at: number | null;
  claim_epoch: number;
  dispatch_attempts: number;
  max_attempts: number;
  not_before: number | null;
  last_claimed_at: number | null;
  last_sequence: number;
  created_at: number;
  created_at_ms: number;
  updated_at: number;
  started_at: number | null;
  started_at_ms: number | null;
  finished_at: number | null;
  finished_at_ms: number | null;
  deadline_at: number | null;
  cancel_requested_at: number | null;
  cancel_reason: string | null;
  usage: Record<string, any> | null;
  cost: Record<string, any> | null;
  metadata: Record<string, any>;
  idempotent?: true | undefined;
  event: Record<string, any>;
  input: Record<string, any>;
  binding: Record<string, any>;
  delivery: Record<string, any>;
}

export interface RunEvent {
  id: number;
  run_id: string;
  sequence: number;
  type: string;
  data: Record<string, any>;
  metadata: Record<string, any>;
  usage: Record<string, any> | null;
  source: string;
  claim_epoch: number | null;
  created_at: number;
  created_at_ms: number;
  idempotent?: true | undefined;
}

export interface RunEventPage {
  items: RunEvent[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface RunPage {
  items: Run[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
  total_count: number | null;
  total_is_capped: boolean;
}

export interface RunStats {
  start_time: number;
  end_time: number;
  runner_id: string | null;
  total_count: number;
  created_count: number;
  queued_count: number;
  claimed_count: number;
  running_count: number;
  completed_count: number;
  failed_count: number;
  cancelled_count: number;
  timeout_count: number;
  throughput_per_hour: number;
  success_rate: number | null;
  failure_rate: number | null;
  terminal_success_rate: number | null;
  avg_duration_seconds: number | null;
  p50_duration_seconds: number | null;
  p95_duration_seconds: number | null;
  p99_duration_seconds: number | null;
  avg_queue_wait_seconds: number | null;
  p95_queue_wait_seconds: number | null;
}

export type RunStatus = "created" | "queued" | "claimed" | "running" | "completed" | "failed" | "cancelled" | "timeout";

export interface RunnerDescriptor {
  id: string;
  source: "plugin";
  label: Record<string, any>;
  description: Record<string, any> | null;
  plugin_author: string;
  plugin_name: string;
  runner_name: string;
  plugin_version: string | null;
  config_schema: Record<string, any>[];
  capabilities: Record<string, any>;
  permissions: Record<string, any>;
  raw_manifest: Record<string, any>;
  updated_at: number;
}

export interface RunnerPage {
  items: RunnerDescriptor[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface RunnerStats {
  items: ({
    runner_id: string;
    runner_label: Record<string, any> | null;
    plugin_identity: string;
    total_runs: number;
    active_runs: number;
    completed_runs: number;
    failed_runs: number;
    cancelled_runs: number;
    success_rate: number | null;
    avg_duration_seconds: number | null;
    p95_duration_seconds: number | null;
  })[];
  total_count: number;
  has_more: boolean;
}

export interface Runtime {
  id: number;
  runtime_id: string;
  plugin_identity: string;
  status: "online" | "draining" | "offline" | "stale";
  held: boolean;
  is_stale: boolean;
  display_name: string | null;
  endpoint: string | null;
  version: string | null;
  capabilities: Record<string, any>;
  metadata: Record<string, any>;
  labels: Record<string, any>;
  last_heartbeat_at: number;
  heartbeat_deadline_at: number;
  created_at: number;
  updated_at: number;
}

export interface RuntimePage {
  items: Runtime[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
  total_count: number;
}

export interface RuntimeStats {
  total_count: number;
  online_count: number;
  draining_count: number;
  offline_count: number;
  stale_count: number;
  avg_heartbeat_age_seconds: number | null;
  max_heartbeat_age_seconds: number | null;
  active_runs: number;
  claimed_runs: number;
  queued_runs: number;
}

export interface SearchResult {
  items: TranscriptItem[];
  total_count: number;
  has_more: boolean;
  query: string;
}

export interface StateDeleted {
  success: boolean;
}

export interface StateKeys {
  keys: string[];
  has_more: boolean;
  next_after_key: string | null;
}

export interface StateValue {
  /** Any JSON value. */
  value: any;
  found: boolean;
  version: number;
}

export interface StateWritten {
  success: true;
  version: number;
}

export interface SteeringAck {
  acked: string[];
  not_found: string[];
}

export interface SteeringItem {
  steering_id: string;
  type: "message" | "interaction.submitted" | "interaction.cancelled" | "interaction.expired";
  claimed_run_id: string;
  runner_id: string;
  claimed_at: number;
  lease_expires_at: number;
  delivery_count: number;
  event: Record<string, any>;
  conversation: Record<string, any>;
  actor: Record<string, any> | null;
  subject: Record<string, any> | null;
  input: Record<string, any> | null;
  interaction: Interaction | null;
}

export interface Subscription {
  subscription_id: string;
  run: Run;
}

export interface SweepReport {
  stale_count: number;
  released_claim_count: number;
  exhausted_count: number;
  timeout_count: number;
  cancelled_count: number;
  expired_interaction_count: number;
  expired_steering_count: number;
  stale_runtimes: Runtime[];
  released_claims: Run[];
  more: boolean;
}

export interface ToolCall {
  id: string;
  type: string;
  function: {
    name: string;
    arguments: string;
    [member: string]: any;
  };
  provider_specific_fields?: Record<string, any> | null | undefined;
  [member: string]: any;
}

export interface TranscriptItem {
  transcript_id: string;
  conversation_id: string;
  event_id: string | null;
  bot_id: string | null;
  workspace_id: string | null;
  thread_id: string | null;
  role: string;
  item_type: string;
  content: string | null;
  /** Any JSON value. */
  content_json: any;
  content_truncated: boolean;
  seq: number;
  cursor: string;
  created_at: number;
  metadata: Record<string, any>;
  attachment_refs: Record<string, any>[];
}

export interface TranscriptPage {
  items: TranscriptItem[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

export interface Unsubscribed {
  removed: boolean;
}

export interface WorkItem {
  id: number;
  run_id: string;
  runner_id: string;
  plugin_identity: string;
  created_by: string;
  parent_run_id: string | null;
  event_id: string | null;
  agent_id: string | null;
  binding_id: string | null;
  conversation_id: string | null;
  thread_id: string | null;
  workspace_id: string | null;
  bot_id: string | null;
  dispatch: "queued" | "running";
  status: RunStatus;
  status_reason: string | null;
  queue_name: string | null;
  priority: number;
  requested_runtime_id: string | null;
  claimed_by_runtime_id: string | null;
  claim_lease_expires_at: number | null;
  claim_epoch: number;
  dispatch_attempts: number;
  max_attempts: number;
  not_before: number | null;
  last_claimed_at: number | null;
  last_sequence: number;
  created_at: number;
  created_at_ms: number;
  updated_at: number;
  started_at: number | null;
  started_at_ms: number | null;
  finished_at: number | null;
  finished_at_ms: number | null;
  deadline_at: number | null;
  cancel_requested_at: number | null;
  cancel_reason: string | null;
  usage: Record<string, any> | null;
  cost: Record<string, any> | null;
  metadata: Record<string, any>;
  idempotent?: true | undefined;
  event: Record<string, any>;
  input: Record<string, any>;
  binding: Record<string, any>;
  delivery: Record<string, any>;
  claim_token: string;
  claim_lease_expires_at_ms: number;
  available_apis: Record<string, true>;
}

export interface WorkItems {
  runs: WorkItem[];
}

/** What every method takes beside its own. */
export interface EveryParams {
  caller_plugin_identity?: string | null | undefined;
  _meta?: Record<string, any> | null | undefined;
}

export interface PluginConnectParams extends EveryParams {
  token?: string | null | undefined;
  client?: {
    name: string;
    version?: string | null | undefined;
  } | null | undefined;
  /** Default "1". */
  protocol_version?: string | null | undefined;
}

export interface PingParams extends EveryParams {}

export interface DiscoverParams extends EveryParams {}

export interface PluginRegisterParams extends EveryParams {
  tenant_id?: string | null | undefined;
  plugin_identity: string;
  permissions?: ("agent_run:admin" | "agent_run:create" | "runtime:admin" | "plugin:admin" | "plugin:delegate" | "agent_run:*" | "runtime:*" | "plugin:*" | "agent_runner:admin" | "*")[] | null | undefined;
  display_name?: string | null | undefined;
  metadata?: Record<string, any> | null | undefined;
}

export interface PluginListParams extends EveryParams {
  tenant_id?: string | null | undefined;
  enabled?: boolean | null | undefined;
  after_cursor?: string | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface PluginRotateTokenParams extends EveryParams {
  tenant_id?: string | null | undefined;
  plugin_identity: string;
}

export interface PluginSetEnabledParams extends EveryParams {
  tenant_id?: string | null | undefined;
  plugin_identity: string;
  enabled: boolean;
}

export interface RunCreateParams extends EveryParams {
  run_id?: string | null | undefined;
  event?: {
    event_type?: string | null | undefined;
    source?: string | null | undefined;
    event_id?: string | null | undefined;
    event_time?: number | null | undefined;
    source_event_type?: string | null | undefined;
    bot_id?: string | null | undefined;
    workspace_id?: string | null | undefined;
    conversation_id?: string | null | undefined;
    thread_id?: string | null | undefined;
    raw_ref?: string | null | undefined;
    actor?: {
      actor_type?: string | null | undefined;
      actor_id?: string | null | undefined;
      actor_name?: string | null | undefined;
    } | null | undefined;
    subject?: {
      subject_type?: string | null | undefined;
      subject_id?: string | null | undefined;
    } | null | undefined;
    input?: Record<string, any> | null | undefined;
    delivery?: Record<string, any> | null | undefined;
    data?: Record<string, any> | null | undefined;
  } | null | undefined;
  binding?: {
    runner_id?: string | null | undefined;
    binding_id?: string | null | undefined;
    agent_id?: string | null | undefined;
    event_types?: string[] | null | undefined;
    enabled?: boolean | null | undefined;
    runner_config?: Record<string, any> | null | undefined;
    resource_policy?: Record<string, any> | null | undefined;
    state_policy?: {
      enable_state?: boolean | null | undefined;
      state_scopes?: ("conversation" | "actor" | "subject" | "runner")[] | null | undefined;
    } | null | undefined;
    delivery_policy?: Record<string, any> | null | undefined;
    scope?: {
      type: "agent" | "bot" | "workspace" | "global";
      id?: string | null | undefined;
    } | null | undefined;
  } | null | undefined;
  event_type?: string | null | undefined;
  source?: string | null | undefined;
  event_id?: string | null | undefined;
  event_time?: number | null | undefined;
  source_event_type?: string | null | undefined;
  bot_id?: string | null | undefined;
  workspace_id?: string | null | undefined;
  conversation_id?: string | null | undefined;
  thread_id?: string | null | undefined;
  raw_ref?: string | null | undefined;
  actor?: {
    actor_type?: string | null | undefined;
    actor_id?: string | null | undefined;
    actor_name?: string | null | undefined;
  } | null | undefined;
  subject?: {
    subject_type?: string | null | undefined;
    subject_id?: string | null | undefined;
  } | null | undefined;
  input?: Record<string, any> | null | undefined;
  delivery?: Record<string, any> | null | undefined;
  data?: Record<string, any> | null | undefined;
  runner_id?: string | null | undefined;
  binding_id?: string | null | undefined;
  agent_id?: string | null | undefined;
  event_types?: string[] | null | undefined;
  enabled?: boolean | null | undefined;
  runner_config?: Record<string, any> | null | undefined;
  resource_policy?: Record<string, any> | null | undefined;
  state_policy?: {
    enable_state?: boolean | null | undefined;
    state_scopes?: ("conversation" | "actor" | "subject" | "runner")[] | null | undefined;
  } | null | undefined;
  delivery_policy?: Record<string, any> | null | undefined;
  text?: string | null | undefined;
  prompt?: Message[] | null | undefined;
  include_plugins?: string[] | null | undefined;
  /** Default false. */
  allow_unregistered_runner?: boolean | null | undefined;
  queue_name?: string | null | undefined;
  /** Default 0. */
  priority?: number | null | undefined;
  requested_runtime_id?: string | null | undefined;
  max_attempts?: number | null | undefined;
  timeout_seconds?: number | null | undefined;
  authorization?: {
    available_apis?: {
      run_get?: boolean | null | undefined;
      run_events_page?: boolean | null | undefined;
      run_cancel?: boolean | null | undefined;
      run_list?: boolean | null | undefined;
      history_page?: boolean | null | undefined;
      history_search?: boolean | null | undefined;
      event_page?: boolean | null | undefined;
      event_get?: boolean | null | undefined;
      steering_pull?: boolean | null | undefined;
      state?: boolean | null | undefined;
      prompt_get?: boolean | null | undefined;
      run_append_result?: boolean | null | undefined;
      run_finalize?: boolean | null | undefined;
      run_claim?: boolean | null | undefined;
      run_renew_claim?: boolean | null | undefined;
      run_release_claim?: boolean | null | undefined;
      runtime_register?: boolean | null | undefined;
      runtime_heartbeat?: boolean | null | undefined;
      runtime_deregister?: boolean | null | undefined;
      runtime_list?: boolean | null | undefined;
    } | null | undefined;
  } | null | undefined;
  /** Default "queued". */
  dispatch?: "queued" | "running" | null | undefined;
  not_before?: number | null | undefined;
  deadline_at?: number | null | undefined;
  parent_run_id?: string | null | undefined;
  /** Default {}. */
  metadata?: Record<string, any> | null | undefined;
  /** Default false. */
  wait_for_completion?: boolean | null | undefined;
  /** Default 30; moved to the nearest of 0 and 300. */
  wait_seconds?: number | null | undefined;
}

export interface RunGetParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  /** Default false. */
  include_input?: boolean | null | undefined;
}

export interface RunListParams extends EveryParams {
  run_id?: string | null | undefined;
  conversation_id?: string | null | undefined;
  runner_id?: string | null | undefined;
  workspace_id?: string | null | undefined;
  statuses?: RunStatus[] | null | undefined;
  before_cursor?: string | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
  /** Default false; counts up to 10000. */
  include_total?: boolean | null | undefined;
}

export interface RunEventsPageParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  before_cursor?: string | null | undefined;
  after_cursor?: string | null | undefined;
  /** Default "forward". */
  direction?: "forward" | "backward" | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface RunCancelParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  status_reason?: string | null | undefined;
  reason?: string | null | undefined;
}

export interface RunWaitParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  /** Default 30; moved to the nearest of 0 and 300. */
  wait_seconds?: number | null | undefined;
}

export interface RunRetryParams extends EveryParams {
  target_run_id: string;
  new_run_id?: string | null | undefined;
  /** Default "queued". */
  dispatch?: "queued" | "running" | null | undefined;
  timeout_seconds?: number | null | undefined;
  not_before?: number | null | undefined;
}

export interface EventPublishParams extends EveryParams {
  event_type?: string | null | undefined;
  source?: string | null | undefined;
  event_id?: string | null | undefined;
  event_time?: number | null | undefined;
  source_event_type?: string | null | undefined;
  bot_id?: string | null | undefined;
  workspace_id?: string | null | undefined;
  conversation_id?: string | null | undefined;
  thread_id?: string | null | undefined;
  raw_ref?: string | null | undefined;
  actor?: {
    actor_type?: string | null | undefined;
    actor_id?: string | null | undefined;
    actor_name?: string | null | undefined;
  } | null | undefined;
  subject?: {
    subject_type?: string | null | undefined;
    subject_id?: string | null | undefined;
  } | null | undefined;
  input?: Record<string, any> | null | undefined;
  delivery?: Record<string, any> | null | undefined;
  data?: Record<string, any> | null | undefined;
  text?: string | null | undefined;
  /** Default {}. */
  metadata?: Record<string, any> | null | undefined;
  /** Default true. */
  absorb?: boolean | null | undefined;
  binding?: {
    runner_id?: string | null | undefined;
    binding_id?: string | null | undefined;
    agent_id?: string | null | undefined;
    event_types?: string[] | null | undefined;
    enabled?: boolean | null | undefined;
    runner_config?: Record<string, any> | null | undefined;
    resource_policy?: Record<string, any> | null | undefined;
    state_policy?: {
      enable_state?: boolean | null | undefined;
      state_scopes?: ("conversation" | "actor" | "subject" | "runner")[] | null | undefined;
    } | null | undefined;
    delivery_policy?: Record<string, any> | null | undefined;
    scope?: {
      type: "agent" | "bot" | "workspace" | "global";
      id?: string | null | undefined;
    } | null | undefined;
  } | null | undefined;
  runner_id?: string | null | undefined;
  binding_id?: string | null | undefined;
  agent_id?: string | null | undefined;
  runner_config?: Record<string, any> | null | undefined;
  resource_policy?: Record<string, any> | null | undefined;
  state_policy?: {
    enable_state?: boolean | null | undefined;
    state_scopes?: ("conversation" | "actor" | "subject" | "runner")[] | null | undefined;
  } | null | undefined;
  delivery_policy?: Record<string, any> | null | undefined;
  prompt?: Message[] | null | undefined;
  include_plugins?: string[] | null | undefined;
  /** Default false. */
  allow_unregistered_runner?: boolean | null | undefined;
  queue_name?: string | null | undefined;
  /** Default 0. */
  priority?: number | null | undefined;
  requested_runtime_id?: string | null | undefined;
  max_attempts?: number | null | undefined;
  timeout_seconds?: number | null | undefined;
  authorization?: {
    available_apis?: {
      run_get?: boolean | null | undefined;
      run_events_page?: boolean | null | undefined;
      run_cancel?: boolean | null | undefined;
      run_list?: boolean | null | undefined;
      history_page?: boolean | null | undefined;
      history_search?: boolean | null | undefined;
      event_page?: boolean | null | undefined;
      event_get?: boolean | null | undefined;
      steering_pull?: boolean | null | undefined;
      state?: boolean | null | undefined;
      prompt_get?: boolean | null | undefined;
      run_append_result?: boolean | null | undefined;
      run_finalize?: boolean | null | undefined;
      run_claim?: boolean | null | undefined;
      run_renew_claim?: boolean | null | undefined;
      run_release_claim?: boolean | null | undefined;
      runtime_register?: boolean | null | undefined;
      runtime_heartbeat?: boolean | null | undefined;
      runtime_deregister?: boolean | null | undefined;
      runtime_list?: boolean | null | undefined;
    } | null | undefined;
  } | null | undefined;
  /** Default {}. */
  run_metadata?: Record<string, any> | null | undefined;
}

export interface RunSubscribeParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  after_cursor?: string | null | undefined;
}

export interface RunUnsubscribeParams extends EveryParams {
  subscription_id: string;
}

export interface RunAppendResultParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  sequence?: number | null | undefined;
  type?: string | null | undefined;
  data?: Record<string, any> | null | undefined;
  usage?: Record<string, any> | null | undefined;
  metadata?: Record<string, any> | null | undefined;
  event_type?: string | null | undefined;
  result?: {
    sequence?: number | null | undefined;
    type?: string | null | undefined;
    data?: Record<string, any> | null | undefined;
    usage?: Record<string, any> | null | undefined;
    metadata?: Record<string, any> | null | undefined;
    run_id?: string | null | undefined;
    timestamp?: number | null | undefined;
  } | null | undefined;
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
  /** Default false. */
  force?: boolean | null | undefined;
}

export interface RunEmitResultParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  sequence?: number | null | undefined;
  type?: string | null | undefined;
  data?: Record<string, any> | null | undefined;
  usage?: Record<string, any> | null | undefined;
  metadata?: Record<string, any> | null | undefined;
  event_type?: string | null | undefined;
  result?: {
    sequence?: number | null | undefined;
    type?: string | null | undefined;
    data?: Record<string, any> | null | undefined;
    usage?: Record<string, any> | null | undefined;
    metadata?: Record<string, any> | null | undefined;
    run_id?: string | null | undefined;
    timestamp?: number | null | undefined;
  } | null | undefined;
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
}

export interface RunFinalizeParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  status: "completed" | "failed" | "cancelled" | "timeout";
  status_reason?: string | null | undefined;
  reason?: string | null | undefined;
  usage?: Record<string, any> | null | undefined;
  cost?: Record<string, any> | null | undefined;
  metadata?: Record<string, any> | null | undefined;
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
  /** Default false. */
  force?: boolean | null | undefined;
}

export interface RunClaimParams extends EveryParams {
  run_id?: string | null | undefined;
  runtime_id: string;
  queue_name?: string | null | undefined;
  runner_ids?: string[] | null | undefined;
  /** Default 60; moved to the nearest of 1 and 3600. */
  lease_seconds?: number | null | undefined;
  /** Moved to the nearest of 1 and 100. */
  max_runs?: number | null | undefined;
  /** Default 0; moved to the nearest of 0 and 60. */
  wait_seconds?: number | null | undefined;
}

export interface RunRenewClaimParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id: string;
  runtime_id: string;
  claim_token: string;
  claim_epoch?: number | null | undefined;
  /** Default 60; moved to the nearest of 1 and 3600. */
  lease_seconds?: number | null | undefined;
}

export interface RunReleaseClaimParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id: string;
  runtime_id: string;
  claim_token: string;
  claim_epoch?: number | null | undefined;
  /** Default "queued". */
  status?: "queued" | null | undefined;
  status_reason?: string | null | undefined;
  reason?: string | null | undefined;
  not_before?: number | null | undefined;
  /** Default false. */
  refund_attempt?: boolean | null | undefined;
}

export interface RunnerRegisterParams extends EveryParams {
  runners: ({
    id: string;
    label?: Record<string, string> | null | undefined;
    description?: Record<string, string> | null | undefined;
    plugin_version?: string | null | undefined;
    config_schema?: Record<string, any>[] | null | undefined;
    capabilities?: Record<string, boolean> | null | undefined;
    permissions?: Record<string, string[]> | null | undefined;
    raw_manifest?: Record<string, any> | null | undefined;
  })[];
  /** Default false. */
  replace?: boolean | null | undefined;
}

export interface RunnerListParams extends EveryParams {
  include_plugins?: string[] | null | undefined;
  after_cursor?: string | null | undefined;
  /** Default 100; moved to the nearest of 1 and 500. */
  limit?: number | null | undefined;
}

export interface RuntimeRegisterParams extends EveryParams {
  run_id?: string | null | undefined;
  runtime_id: string;
  status?: "online" | "draining" | "offline" | null | undefined;
  capabilities?: Record<string, any> | null | undefined;
  labels?: Record<string, string> | null | undefined;
  metadata?: Record<string, any> | null | undefined;
  /** Moved to the nearest of 5 and 3600. */
  heartbeat_ttl_seconds?: number | null | undefined;
  heartbeat_deadline_at?: number | null | undefined;
  display_name?: string | null | undefined;
  endpoint?: string | null | undefined;
  version?: string | null | undefined;
}

export interface RuntimeHeartbeatParams extends EveryParams {
  run_id?: string | null | undefined;
  runtime_id: string;
  status?: "online" | "draining" | "offline" | null | undefined;
  capabilities?: Record<string, any> | null | undefined;
  labels?: Record<string, string> | null | undefined;
  metadata?: Record<string, any> | null | undefined;
  /** Moved to the nearest of 5 and 3600. */
  heartbeat_ttl_seconds?: number | null | undefined;
  heartbeat_deadline_at?: number | null | undefined;
}

export interface RuntimeDeregisterParams extends EveryParams {
  run_id?: string | null | undefined;
  runtime_id: string;
}

export interface RuntimeListParams extends EveryParams {
  run_id?: string | null | undefined;
  statuses?: ("online" | "draining" | "offline" | "stale")[] | null | undefined;
  labels?: Record<string, string> | null | undefined;
  after_cursor?: string | null | undefined;
  /** Default 50; moved to the nearest of 1 and 500. */
  limit?: number | null | undefined;
}

export interface RuntimeReconcileParams extends EveryParams {
  /** Seconds, fractions allowed, moved to the nearest of 0 and 86400. */
  stale_after_seconds?: number | null | undefined;
}

export interface RunStatsParams extends EveryParams {
  start_time?: number | null | undefined;
  end_time?: number | null | undefined;
  runner_id?: string | null | undefined;
}

export interface RunnerStatsParams extends EveryParams {
  start_time?: number | null | undefined;
  end_time?: number | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface RuntimeStatsParams extends EveryParams {}

export interface AuditPageParams extends EveryParams {
  tenant_id?: string | null | undefined;
  domain?: "agent_run" | "runtime" | "plugin" | null | undefined;
  actor?: "host" | string | null | undefined;
  action?: string | null | undefined;
  target_run_id?: string | null | undefined;
  target_runtime_id?: string | null | undefined;
  before_cursor?: string | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface HistoryPageParams extends EveryParams {
  run_id: string;
  conversation_id?: string | null | undefined;
  before_cursor?: string | null | undefined;
  after_cursor?: string | null | undefined;
  /** Default "backward". */
  direction?: "backward" | "forward" | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
  /** Default false. */
  include_attachments?: boolean | null | undefined;
}

export interface HistorySearchParams extends EveryParams {
  run_id: string;
  /** 1 to 1000 characters, without the spaces around them. */
  query: string;
  filters?: {
    conversation_id?: string | null | undefined;
    roles?: string[] | null | undefined;
    item_types?: string[] | null | undefined;
  } | null | undefined;
  /** Default 10; moved to the nearest of 1 and 100. */
  top_k?: number | null | undefined;
}

export interface EventGetParams extends EveryParams {
  run_id: string;
  event_id: string;
}

export interface EventPageParams extends EveryParams {
  run_id: string;
  conversation_id?: string | null | undefined;
  event_types?: string[] | null | undefined;
  before_cursor?: string | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface SteeringPullParams extends EveryParams {
  run_id: string;
  /** All or one; one-at-a-time and one_at_a_time mean one; in any case. */
  mode?: string | null | undefined;
  /** Default 100; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
  /** Default 60; moved to the nearest of 5 and 600. */
  lease_seconds?: number | null | undefined;
  ack?: string[] | null | undefined;
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
}

export interface SteeringAckParams extends EveryParams {
  run_id: string;
  steering_ids: string[];
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
}

export interface PromptGetParams extends EveryParams {
  run_id: string;
}

export interface StateGetParams extends EveryParams {
  run_id: string;
  scope: "conversation" | "actor" | "subject" | "runner";
  key: string;
}

export interface StateSetParams extends EveryParams {
  run_id: string;
  scope: "conversation" | "actor" | "subject" | "runner";
  key: string;
  /** Any JSON value. */
  value?: any | undefined;
  if_version?: number | null | undefined;
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
}

export interface StateDeleteParams extends EveryParams {
  run_id: string;
  scope: "conversation" | "actor" | "subject" | "runner";
  key: string;
  if_version?: number | null | undefined;
  runtime_id?: string | null | undefined;
  claim_token?: string | null | undefined;
  claim_epoch?: number | null | undefined;
}

export interface StateListParams extends EveryParams {
  run_id: string;
  scope: "conversation" | "actor" | "subject" | "runner";
  prefix?: string | null | undefined;
  after_key?: string | null | undefined;
  /** Default 100; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface InteractionListParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  statuses?: ("pending" | "submitted" | "expired" | "cancelled")[] | null | undefined;
  conversation_id?: string | null | undefined;
  before_cursor?: string | null | undefined;
  /** Default 50; moved to the nearest of 1 and 100. */
  limit?: number | null | undefined;
}

export interface InteractionGetParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
  interaction_id: string;
}

export interface InteractionSubmitParams extends EveryParams {
  target_run_id: string;
  interaction_id: string;
  action_id?: string | null | undefined;
  /** Default {}. */
  values?: Record<string, any> | null | undefined;
  actor_id?: string | null | undefined;
}

export interface InteractionCancelParams extends EveryParams {
  target_run_id: string;
  interaction_id: string;
  status_reason?: string | null | undefined;
  reason?: string | null | undefined;
}

/**
 * One method for each action of the protocol, its wire name in camel case.
 * Every one may be refused with INVALID_PARAMS, INTERNAL, UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, OVERLOADED, UNAVAILABLE.
 */
export interface HostMethods<CallOptions> {
  /**
   * Prove the identity of this connection, or describe it.
   *
   * `plugin_connect`, open to: every connection, also before login.
   */
  pluginConnect(params?: PluginConnectParams, options?: CallOptions): Promise<Connection>;
  /**
   * Answer with the present time.
   *
   * `ping`, open to: every connection, also before login.
   */
  ping(params?: PingParams, options?: CallOptions): Promise<Pong>;
  /**
   * Describe the methods of this host as an OpenRPC document.
   *
   * `rpc.discover`, open to: every connection, also before login.
   */
  discover(params?: DiscoverParams, options?: CallOptions): Promise<Record<string, any>>;
  /**
   * Create a plugin identity and its token, or change an identity.
   *
   * `plugin_register`, open to: one of the permissions plugin:admin.
   * May be refused with PAYLOAD_TOO_LARGE.
   */
  pluginRegister(params: PluginRegisterParams, options?: CallOptions): Promise<RegisteredPlugin>;
  /**
   * List plugin identities, oldest first.
   *
   * `plugin_list`, open to: one of the permissions plugin:admin.
   */
  pluginList(params?: PluginListParams, options?: CallOptions): Promise<PluginPage>;
  /**
   * Revoke the token of a plugin identity and issue a new one.
   *
   * `plugin_rotate_token`, open to: one of the permissions plugin:admin.
   * May be refused with NOT_FOUND.
   */
  pluginRotateToken(params: PluginRotateTokenParams, options?: CallOptions): Promise<IssuedToken>;
  /**
   * Enable or disable a plugin identity.
   *
   * `plugin_set_enabled`, open to: one of the permissions plugin:admin.
   * May be refused with NOT_FOUND.
   */
  pluginSetEnabled(params: PluginSetEnabledParams, options?: CallOptions): Promise<Plugin>;
  /**
   * Create a run, durably, and optionally wait until it has ended.
   *
   * `run_create`, open to: one of the permissions agent_run:admin, agent_run:create.
   * May be refused with CONFLICT, NOT_FOUND, PAYLOAD_TOO_LARGE, DEADLINE_EXCEEDED.
   */
  runCreate(params?: RunCreateParams, options?: CallOptions): Promise<Run>;
  /**
   * Read a run, with include_input also its event, input, binding and delivery.
   *
   * `run_get`, open to: a readable run of the caller's own that grants run_get, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  runGet(params?: RunGetParams & { include_input: true }, options?: CallOptions): Promise<RunDetail>;
  runGet(params?: RunGetParams & { include_input?: false | null | undefined }, options?: CallOptions): Promise<Run>;
  /**
   * List runs, newest first.
   *
   * `run_list`, open to: a readable run of the caller's own that grants run_list, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED.
   */
  runList(params?: RunListParams, options?: CallOptions): Promise<RunPage>;
  /**
   * Read the stored events of a run, by sequence.
   *
   * `run_events_page`, open to: a readable run of the caller's own that grants run_events_page, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  runEventsPage(params?: RunEventsPageParams, options?: CallOptions): Promise<RunEventPage>;
  /**
   * Cancel a run, or ask its executor to.
   *
   * `run_cancel`, open to: a readable run of the caller's own that grants run_cancel, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  runCancel(params?: RunCancelParams, options?: CallOptions): Promise<Run>;
  /**
   * Wait until a run has ended.
   *
   * `run_wait`, open to: a readable run of the caller's own that grants run_get, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, DEADLINE_EXCEEDED.
   */
  runWait(params?: RunWaitParams, options?: CallOptions): Promise<Run>;
  /**
   * Create a new run from the request of one that has ended.
   *
   * `run_retry`, open to: the permission agent_run:admin; or agent_run:create, for runs that the caller created; or the plugin that owns the run, of failures.
   * May be refused with NOT_FOUND, CONFLICT.
   */
  runRetry(params: RunRetryParams, options?: CallOptions): Promise<Run>;
  /**
   * Log an event, and absorb it into a live run or create a run of it.
   *
   * `event_publish`, open to: one of the permissions agent_run:admin, agent_run:create.
   * May be refused with CONFLICT, NOT_FOUND, PAYLOAD_TOO_LARGE.
   */
  eventPublish(params?: EventPublishParams, options?: CallOptions): Promise<PublishedEvent>;
  /**
   * Follow the events of a run until it has ended.
   *
   * `run_subscribe`, open to: a readable run of the caller's own that grants run_events_page, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  runSubscribe(params?: RunSubscribeParams, options?: CallOptions): Promise<Subscription>;
  /**
   * Stop following a run.
   *
   * `run_unsubscribe`, open to: the connection that holds it.
   */
  runUnsubscribe(params: RunUnsubscribeParams, options?: CallOptions): Promise<Unsubscribed>;
  /**
   * Append one result event to a run, without any effect.
   *
   * `run_append_result`, open to: the proof of an active claim; or the caller's own running run that grants run_append_result; or the permission agent_run:admin.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, LEASE_LOST, PAYLOAD_TOO_LARGE, RESULT_REJECTED, CONFLICT, RUN_TERMINAL.
   */
  runAppendResult(params?: RunAppendResultParams, options?: CallOptions): Promise<RunEvent>;
  /**
   * Store one result event of a run and apply its effect, in one transaction.
   *
   * `run_emit_result`, open to: the proof of an active claim; or the caller's own running run.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, LEASE_LOST, PAYLOAD_TOO_LARGE, RESULT_REJECTED, CONFLICT, RUN_TERMINAL.
   */
  runEmitResult(params?: RunEmitResultParams, options?: CallOptions): Promise<EmittedEvent>;
  /**
   * End a run with a status.
   *
   * `run_finalize`, open to: the proof of an active claim; or the caller's own running run that grants run_finalize; or the permission agent_run:admin.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, LEASE_LOST, CONFLICT, PAYLOAD_TOO_LARGE.
   */
  runFinalize(params: RunFinalizeParams, options?: CallOptions): Promise<Run>;
  /**
   * Claim the next run, or with max_runs several, for a runtime.
   *
   * `run_claim`, open to: a live run of the caller's own that grants run_claim, named by run_id; or the permission runtime:admin; or what belongs to the caller's plugin.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, CONFLICT, NO_RUN_AVAILABLE.
   */
  runClaim(params: RunClaimParams & { max_runs: number }, options?: CallOptions): Promise<WorkItems>;
  runClaim(params: RunClaimParams & { max_runs?: null | undefined }, options?: CallOptions): Promise<WorkItem>;
  /**
   * Extend the lease of a claimed run.
   *
   * `run_renew_claim`, open to: the proof of an active claim; no permission replaces it.
   * May be refused with SESSION_EXPIRED, LEASE_LOST.
   */
  runRenewClaim(params: RunRenewClaimParams, options?: CallOptions): Promise<RenewedRun>;
  /**
   * Give a claimed run back to its queue.
   *
   * `run_release_claim`, open to: the proof of an active claim; no permission replaces it.
   * May be refused with SESSION_EXPIRED, LEASE_LOST, CONFLICT.
   */
  runReleaseClaim(params: RunReleaseClaimParams, options?: CallOptions): Promise<Run>;
  /**
   * Declare the runners of the calling plugin.
   *
   * `runner_register`, open to: what belongs to the caller's plugin.
   * May be refused with PAYLOAD_TOO_LARGE, CONFLICT.
   */
  runnerRegister(params: RunnerRegisterParams, options?: CallOptions): Promise<RegisteredRunners>;
  /**
   * List registered runners.
   *
   * `runner_list`, open to: the permission agent_run:admin; or what belongs to the caller's plugin.
   */
  runnerList(params?: RunnerListParams, options?: CallOptions): Promise<RunnerPage>;
  /**
   * Register a runtime, replacing its description.
   *
   * `runtime_register`, open to: a live run of the caller's own that grants runtime_register, named by run_id; or the permission runtime:admin; or what belongs to the caller's plugin.
   * May be refused with SESSION_EXPIRED, PAYLOAD_TOO_LARGE, CONFLICT.
   */
  runtimeRegister(params: RuntimeRegisterParams, options?: CallOptions): Promise<Runtime>;
  /**
   * Report that a runtime is alive, or hold another's status as an administrator.
   *
   * `runtime_heartbeat`, open to: a live run of the caller's own that grants runtime_heartbeat, named by run_id; or the permission runtime:admin; or what belongs to the caller's plugin.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, PAYLOAD_TOO_LARGE.
   */
  runtimeHeartbeat(params: RuntimeHeartbeatParams, options?: CallOptions): Promise<Runtime>;
  /**
   * Deregister a runtime and requeue the runs it has claimed.
   *
   * `runtime_deregister`, open to: a live run of the caller's own that grants runtime_deregister, named by run_id; or the permission runtime:admin; or what belongs to the caller's plugin.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  runtimeDeregister(params: RuntimeDeregisterParams, options?: CallOptions): Promise<DeregisteredRuntime>;
  /**
   * List registered runtimes.
   *
   * `runtime_list`, open to: a live run of the caller's own that grants runtime_list, named by run_id; or the permission runtime:admin; or what belongs to the caller's plugin.
   * May be refused with SESSION_EXPIRED.
   */
  runtimeList(params?: RuntimeListParams, options?: CallOptions): Promise<RuntimePage>;
  /**
   * Sweep what time made due: heartbeats, deadlines, leases, expiries.
   *
   * `runtime_reconcile`, open to: one of the permissions runtime:admin.
   */
  runtimeReconcile(params?: RuntimeReconcileParams, options?: CallOptions): Promise<SweepReport>;
  /**
   * Statistics over the runs created in a window.
   *
   * `run_stats`, open to: one of the permissions agent_run:admin.
   */
  runStats(params?: RunStatsParams, options?: CallOptions): Promise<RunStats>;
  /**
   * Statistics by runner over the runs created in a window.
   *
   * `runner_stats`, open to: one of the permissions agent_run:admin.
   */
  runnerStats(params?: RunnerStatsParams, options?: CallOptions): Promise<RunnerStats>;
  /**
   * Runtimes by status, heartbeat ages, and the runs that are active or queued.
   *
   * `runtime_stats`, open to: one of the permissions runtime:admin.
   */
  runtimeStats(params?: RuntimeStatsParams, options?: CallOptions): Promise<RuntimeStats>;
  /**
   * Read the audit of administrator calls and of the host's own transitions.
   *
   * `audit_page`, open to: one of the permissions agent_run:admin, runtime:admin, plugin:admin.
   */
  auditPage(params?: AuditPageParams, options?: CallOptions): Promise<AuditPage>;
  /**
   * Read the transcript of the run's conversation.
   *
   * `history_page`, open to: a live run of the caller's own that grants history_page, named by run_id.
   * May be refused with SESSION_EXPIRED.
   */
  historyPage(params: HistoryPageParams, options?: CallOptions): Promise<TranscriptPage>;
  /**
   * Search the transcript of the run's conversation.
   *
   * `history_search`, open to: a live run of the caller's own that grants history_search, named by run_id.
   * May be refused with SESSION_EXPIRED.
   */
  historySearch(params: HistorySearchParams, options?: CallOptions): Promise<SearchResult>;
  /**
   * Read one event that the caller's run may see.
   *
   * `event_get`, open to: a live run of the caller's own that grants event_get, named by run_id.
   * May be refused with SESSION_EXPIRED.
   */
  eventGet(params: EventGetParams, options?: CallOptions): Promise<EventRecord>;
  /**
   * List the events of the run's conversation, newest first.
   *
   * `event_page`, open to: a live run of the caller's own that grants event_page, named by run_id.
   * May be refused with SESSION_EXPIRED.
   */
  eventPage(params: EventPageParams, options?: CallOptions): Promise<EventPage>;
  /**
   * Take what came in for a run that the caller executes, and lease it.
   *
   * `steering_pull`, open to: a live run of the caller's own that grants steering_pull, named by run_id.
   * May be refused with SESSION_EXPIRED, LEASE_LOST.
   */
  steeringPull(params: SteeringPullParams, options?: CallOptions): Promise<PulledSteering>;
  /**
   * Confirm what was taken in by a run that the caller executes.
   *
   * `steering_ack`, open to: a live run of the caller's own that grants steering_pull, named by run_id.
   * May be refused with SESSION_EXPIRED, LEASE_LOST.
   */
  steeringAck(params: SteeringAckParams, options?: CallOptions): Promise<SteeringAck>;
  /**
   * Read the prompt of the run.
   *
   * `prompt_get`, open to: a live run of the caller's own that grants prompt_get, named by run_id.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  promptGet(params: PromptGetParams, options?: CallOptions): Promise<Prompt>;
  /**
   * Read one value of the run's state.
   *
   * `state_get`, open to: a live run of the caller's own that grants state, named by run_id.
   * May be refused with SESSION_EXPIRED.
   */
  stateGet(params: StateGetParams, options?: CallOptions): Promise<StateValue>;
  /**
   * Write one value of the run's state.
   *
   * `state_set`, open to: a live run of the caller's own that grants state, named by run_id.
   * May be refused with SESSION_EXPIRED, LEASE_LOST, PAYLOAD_TOO_LARGE, CONFLICT.
   */
  stateSet(params: StateSetParams, options?: CallOptions): Promise<StateWritten>;
  /**
   * Remove one value of the run's state.
   *
   * `state_delete`, open to: a live run of the caller's own that grants state, named by run_id.
   * May be refused with SESSION_EXPIRED, LEASE_LOST, CONFLICT.
   */
  stateDelete(params: StateDeleteParams, options?: CallOptions): Promise<StateDeleted>;
  /**
   * List the keys of the run's state.
   *
   * `state_list`, open to: a live run of the caller's own that grants state, named by run_id.
   * May be refused with SESSION_EXPIRED.
   */
  stateList(params: StateListParams, options?: CallOptions): Promise<StateKeys>;
  /**
   * List interactions, newest first.
   *
   * `interaction_list`, open to: a readable run of the caller's own that grants run_get, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  interactionList(params?: InteractionListParams, options?: CallOptions): Promise<InteractionPage>;
  /**
   * Read one interaction of a run.
   *
   * `interaction_get`, open to: a readable run of the caller's own that grants run_get, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  interactionGet(params: InteractionGetParams, options?: CallOptions): Promise<Interaction>;
  /**
   * Answer a pending interaction of a run.
   *
   * `interaction_submit`, open to: the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with NOT_FOUND, CONFLICT, PAYLOAD_TOO_LARGE.
   */
  interactionSubmit(params: InteractionSubmitParams, options?: CallOptions): Promise<Interaction>;
  /**
   * Take back a pending interaction of a run.
   *
   * `interaction_cancel`, open to: the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with NOT_FOUND, CONFLICT.
   */
  interactionCancel(params: InteractionCancelParams, options?: CallOptions): Promise<Interaction>;
}
