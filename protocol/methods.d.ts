// What travels between a plugin and a host, written by `npm run protocol` from the
// declarations of the actions. Instants (`*_at`) are whole seconds since the epoch, UTC.

export interface AuditPage {
  /** The items, in the order of the method.. */
  items: AuditRecord[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface AuditRecord {
  /** Number given by the database; grows.. */
  id: number;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** The domain of the permission that admitted the call.. */
  domain: "agent_run" | "runtime" | "plugin";
  /** In whose name it was done; host: by the host itself.. */
  actor: string;
  /** The connection's identity, when the call was delegated.. */
  via: string | null;
  /** Method name, or action of the host itself.. */
  action: string;
  /** The permission that admitted the call; null for the host.. */
  permission: string | null;
  /** The run that was changed.. */
  target_run_id: string | null;
  /** The runtime that was changed.. */
  target_runtime_id: string | null;
  /** The identity that was changed.. */
  target_identity: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** What was changed; never a token or a user's text.. */
  detail: Record<string, any>;
}

export interface Connection {
  /** Who the connection is.. */
  plugin_identity: string;
  /** The tenant that it belongs to.. */
  tenant_id: string;
  /** Permissions that the identity holds, from all sources.. */
  permissions: string[];
  /** Version of the protocol.. */
  protocol_version: "1";
  /** Name and version of the host.. */
  host: {
    name: string;
    version: string;
  };
  /** Limits of this host for one connection.. */
  limits: {
    max_message_bytes: number;
    max_batch: number;
    max_in_flight: number;
  };
}

export interface ContentElement {
  /** Its type.. */
  type: string;
  /** The text.. */
  text?: string | null | undefined;
  /** An image in base64.. */
  image_base64?: string | null | undefined;
  /** Where the file is.. */
  file_url?: string | null | undefined;
  /** A file in base64.. */
  file_base64?: string | null | undefined;
  /** Name of the file.. */
  file_name?: string | null | undefined;
  /** Where the image is.. */
  image_url?: {
    url: string;
    [member: string]: any;
  } | null | undefined;
  [member: string]: any;
}

export interface DeregisteredRuntime {
  /** The runtime after the call.. */
  runtime: Runtime;
  /** Claims that were taken away.. */
  released_claim_count: number;
}

export interface EmittedEvent {
  /** Number given by the database; grows.. */
  id: number;
  /** The run.. */
  run_id: string;
  /** Number of the event, given by its writer.. */
  sequence: number;
  /** Its type.. */
  type: string;
  /** Data of the event, as sent.. */
  data: Record<string, any>;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** Model tokens used; null is unknown, not zero.. */
  usage: Record<string, any> | null;
  /** Who wrote it: runner, runtime:ID or admin:IDENTITY.. */
  source: string;
  /** The claim under which the event was written.. */
  claim_epoch: number | null;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
  /** Status of the run after the call.. */
  run_status: RunStatus;
}

export interface EventPage {
  /** The items, in the order of the method.. */
  items: EventRecord[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface EventRecord {
  /** Name of the event.. */
  event_id: string;
  /** What happened.. */
  event_type: string;
  /** When it happened.. */
  event_time: number | null;
  /** Where it came from.. */
  source: string;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The conversation.. */
  conversation_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** Kind of the actor.. */
  actor_type: string | null;
  /** Who brought the event about.. */
  actor_id: string | null;
  /** Name of the actor, for people.. */
  actor_name: string | null;
  /** Kind of the subject.. */
  subject_type: string | null;
  /** What the event is about.. */
  subject_id: string | null;
  /** Where the raw event is kept, for the publisher.. */
  raw_ref: string | null;
  /** The beginning of input.text.. */
  input_summary: string | null;
  /** Position of the item; grows, with gaps.. */
  seq: number;
  /** Position of the item, for before_cursor and after_cursor.. */
  cursor: string;
  /** When it was created.. */
  created_at: number;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
}

export interface Interaction {
  /** Number given by the database; grows.. */
  id: number;
  /** Name of the interaction, unique within its run.. */
  interaction_id: string;
  /** The run.. */
  run_id: string;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string;
  /** Name of the binding.. */
  binding_id: string | null;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The conversation.. */
  conversation_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** Who brought the event about.. */
  actor_id: string | null;
  /** Its status.. */
  status: "pending" | "submitted" | "expired" | "cancelled";
  /** Why it has this status, for people.. */
  status_reason: string | null;
  /** What is asked, with defaults filled in.. */
  request: Record<string, any>;
  /** The answer: action_id, values and actor_id.. */
  submission: Record<string, any> | null;
  /** When it was answered.. */
  submitted_at: number | null;
  /** The identity that submitted the answer.. */
  submitted_by: string | null;
  /** Until when it can be answered.. */
  expires_at: number;
  /** When it was created.. */
  created_at: number;
  /** When it was last changed.. */
  updated_at: number;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
}

export interface InteractionPage {
  /** The items, in the order of the method.. */
  items: Interaction[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface IssuedToken {
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** KEYID of the present plugin token.. */
  key_id: string;
  /** The plugin token. It is shown this once.. */
  token: string;
}

export interface ItemError {
  /** Number of the error.. */
  code: number;
  /** Why, for people.. */
  message: string;
  /** Its name in code, retryable, and its details.. */
  data: Record<string, any>;
}

export interface Message {
  /** Who speaks, such as user or assistant.. */
  role: string;
  /** Name of the speaker.. */
  name?: string | null | undefined;
  /** Text of the message.. */
  content?: string | ContentElement[] | null | undefined;
  /** Calls that the message asks for.. */
  tool_calls?: ToolCall[] | null | undefined;
  /** The call that the message answers.. */
  tool_call_id?: string | null | undefined;
  /** Name of the message within its answer.. */
  resp_message_id?: string | null | undefined;
  /** Whatever a provider adds.. */
  provider_specific_fields?: Record<string, any> | null | undefined;
  [member: string]: any;
}

export interface Plugin {
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** The tenant that it belongs to.. */
  tenant_id: string;
  /** Name for people.. */
  display_name: string | null;
  /** Permissions that plugin_register gave.. */
  permissions: string[];
  /** Permissions that the configuration file gives beside these.. */
  config_permissions: string[];
  /** Whether the identity may connect.. */
  enabled: boolean;
  /** KEYID of the present plugin token.. */
  key_id: string | null;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** When it was created.. */
  created_at: number;
  /** When it was last changed.. */
  updated_at: number;
  /** When the present token was issued.. */
  token_created_at: number | null;
  /** When the identity last connected.. */
  last_seen_at: number | null;
}

export interface PluginPage {
  /** The items, in the order of the method.. */
  items: Plugin[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface Pong {
  /** True.. */
  ok: true;
  /** Now. Seconds since 1970.. */
  time: number;
  /** The same in milliseconds.. */
  time_ms: number;
}

export interface Prompt {
  /** The messages with which the run was created.. */
  prompt: Record<string, any>[];
}

export interface PublishedEvent {
  /** Name of the event.. */
  event_id: string;
  /** What became of the event.. */
  disposition: "absorbed" | "run_created" | "logged";
  /** The run.. */
  run_id: string | null;
  /** Name of the item.. */
  steering_id: string | null;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
}

export interface PulledSteering {
  /** The items, in the order of the method.. */
  items: SteeringItem[];
  /** Items that are still waiting.. */
  pending: number;
  /** What became of the items that the call confirmed.. */
  ack?: SteeringAck | undefined;
}

export interface RegisteredPlugin {
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** The tenant that it belongs to.. */
  tenant_id: string;
  /** Name for people.. */
  display_name: string | null;
  /** Permissions that plugin_register gave.. */
  permissions: string[];
  /** Permissions that the configuration file gives beside these.. */
  config_permissions: string[];
  /** Whether the identity may connect.. */
  enabled: boolean;
  /** KEYID of the present plugin token.. */
  key_id: string | null;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** When it was created.. */
  created_at: number;
  /** When it was last changed.. */
  updated_at: number;
  /** When the present token was issued.. */
  token_created_at: number | null;
  /** When the identity last connected.. */
  last_seen_at: number | null;
  /** True when the identity is new.. */
  created: boolean;
  /** The plugin token. It is shown this once.. */
  token?: string | undefined;
}

export interface RegisteredRunners {
  /** The items, in the order of the method.. */
  items: RunnerDescriptor[];
  /** Runners that were withdrawn.. */
  withdrawn_count: number;
}

export interface RenewedRun {
  /** Number given by the database; grows.. */
  id: number;
  /** The run.. */
  run_id: string;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string;
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** Who created the run, or published the event from which it stems.. */
  created_by: string;
  /** The run from which this one stems.. */
  parent_run_id: string | null;
  /** Name of the event.. */
  event_id: string | null;
  /** The agent in whose name the runner works.. */
  agent_id: string | null;
  /** Name of the binding.. */
  binding_id: string | null;
  /** The conversation.. */
  conversation_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** Queued: claimed by workers; running: executed by its plugin without a claim.. */
  dispatch: "queued" | "running";
  /** Its status.. */
  status: RunStatus;
  /** Why it has this status, for people.. */
  status_reason: string | null;
  /** The queue; null when dispatch is running.. */
  queue_name: string | null;
  /** Larger goes first.. */
  priority: number;
  /** Only this runtime may claim the run.. */
  requested_runtime_id: string | null;
  /** The runtime that holds the claim.. */
  claimed_by_runtime_id: string | null;
  /** When the claim ends, unless it is renewed.. */
  claim_lease_expires_at: number | null;
  /** How many claims of the run there have been.. */
  claim_epoch: number;
  /** Claims that count; at max_attempts the run is not tried again.. */
  dispatch_attempts: number;
  /** After so many claims a run that comes back ends as failed.. */
  max_attempts: number;
  /** Not claimable earlier than this.. */
  not_before: number | null;
  /** When the run was last claimed.. */
  last_claimed_at: number | null;
  /** Highest stored event; an executor goes on behind it. 0: none.. */
  last_sequence: number;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** When it was last changed.. */
  updated_at: number;
  /** First claim, or creation when dispatch is running.. */
  started_at: number | null;
  /** The same in milliseconds.. */
  started_at_ms: number | null;
  /** When the run ended; set exactly when its status is terminal.. */
  finished_at: number | null;
  /** The same in milliseconds.. */
  finished_at_ms: number | null;
  /** When the run times out.. */
  deadline_at: number | null;
  /** When a cancel was first requested; its executor has to end the run.. */
  cancel_requested_at: number | null;
  /** Why a cancel was requested.. */
  cancel_reason: string | null;
  /** Model tokens used; null is unknown, not zero.. */
  usage: Record<string, any> | null;
  /** What the run cost; null is unknown, not zero.. */
  cost: Record<string, any> | null;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
  /** The same in milliseconds.. */
  claim_lease_expires_at_ms: number;
}

export interface Run {
  /** Number given by the database; grows.. */
  id: number;
  /** The run.. */
  run_id: string;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string;
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** Who created the run, or published the event from which it stems.. */
  created_by: string;
  /** The run from which this one stems.. */
  parent_run_id: string | null;
  /** Name of the event.. */
  event_id: string | null;
  /** The agent in whose name the runner works.. */
  agent_id: string | null;
  /** Name of the binding.. */
  binding_id: string | null;
  /** The conversation.. */
  conversation_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** Queued: claimed by workers; running: executed by its plugin without a claim.. */
  dispatch: "queued" | "running";
  /** Its status.. */
  status: RunStatus;
  /** Why it has this status, for people.. */
  status_reason: string | null;
  /** The queue; null when dispatch is running.. */
  queue_name: string | null;
  /** Larger goes first.. */
  priority: number;
  /** Only this runtime may claim the run.. */
  requested_runtime_id: string | null;
  /** The runtime that holds the claim.. */
  claimed_by_runtime_id: string | null;
  /** When the claim ends, unless it is renewed.. */
  claim_lease_expires_at: number | null;
  /** How many claims of the run there have been.. */
  claim_epoch: number;
  /** Claims that count; at max_attempts the run is not tried again.. */
  dispatch_attempts: number;
  /** After so many claims a run that comes back ends as failed.. */
  max_attempts: number;
  /** Not claimable earlier than this.. */
  not_before: number | null;
  /** When the run was last claimed.. */
  last_claimed_at: number | null;
  /** Highest stored event; an executor goes on behind it. 0: none.. */
  last_sequence: number;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** When it was last changed.. */
  updated_at: number;
  /** First claim, or creation when dispatch is running.. */
  started_at: number | null;
  /** The same in milliseconds.. */
  started_at_ms: number | null;
  /** When the run ended; set exactly when its status is terminal.. */
  finished_at: number | null;
  /** The same in milliseconds.. */
  finished_at_ms: number | null;
  /** When the run times out.. */
  deadline_at: number | null;
  /** When a cancel was first requested; its executor has to end the run.. */
  cancel_requested_at: number | null;
  /** Why a cancel was requested.. */
  cancel_reason: string | null;
  /** Model tokens used; null is unknown, not zero.. */
  usage: Record<string, any> | null;
  /** What the run cost; null is unknown, not zero.. */
  cost: Record<string, any> | null;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
}

export interface RunDetail {
  /** Number given by the database; grows.. */
  id: number;
  /** The run.. */
  run_id: string;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string;
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** Who created the run, or published the event from which it stems.. */
  created_by: string;
  /** The run from which this one stems.. */
  parent_run_id: string | null;
  /** Name of the event.. */
  event_id: string | null;
  /** The agent in whose name the runner works.. */
  agent_id: string | null;
  /** Name of the binding.. */
  binding_id: string | null;
  /** The conversation.. */
  conversation_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** Queued: claimed by workers; running: executed by its plugin without a claim.. */
  dispatch: "queued" | "running";
  /** Its status.. */
  status: RunStatus;
  /** Why it has this status, for people.. */
  status_reason: string | null;
  /** The queue; null when dispatch is running.. */
  queue_name: string | null;
  /** Larger goes first.. */
  priority: number;
  /** Only this runtime may claim the run.. */
  requested_runtime_id: string | null;
  /** The runtime that holds the claim.. */
  claimed_by_runtime_id: string | null;
  /** When the claim ends, unless it is renewed.. */
  claim_lease_expires_at: number | null;
  /** How many claims of the run there have been.. */
  claim_epoch: number;
  /** Claims that count; at max_attempts the run is not tried again.. */
  dispatch_attempts: number;
  /** After so many claims a run that comes back ends as failed.. */
  max_attempts: number;
  /** Not claimable earlier than this.. */
  not_before: number | null;
  /** When the run was last claimed.. */
  last_claimed_at: number | null;
  /** Highest stored event; an executor goes on behind it. 0: none.. */
  last_sequence: number;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** When it was last changed.. */
  updated_at: number;
  /** First claim, or creation when dispatch is running.. */
  started_at: number | null;
  /** The same in milliseconds.. */
  started_at_ms: number | null;
  /** When the run ended; set exactly when its status is terminal.. */
  finished_at: number | null;
  /** The same in milliseconds.. */
  finished_at_ms: number | null;
  /** When the run times out.. */
  deadline_at: number | null;
  /** When a cancel was first requested; its executor has to end the run.. */
  cancel_requested_at: number | null;
  /** Why a cancel was requested.. */
  cancel_reason: string | null;
  /** Model tokens used; null is unknown, not zero.. */
  usage: Record<string, any> | null;
  /** What the run cost; null is unknown, not zero.. */
  cost: Record<string, any> | null;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
  /** The event that the run answers, as stored.. */
  event: Record<string, any>;
  /** What the runner works on, as stored.. */
  input: Record<string, any>;
  /** What ties the runner to its surroundings, as stored.. */
  binding: Record<string, any>;
  /** Where the answer goes, as stored.. */
  delivery: Record<string, any>;
}

export interface RunEvent {
  /** Number given by the database; grows.. */
  id: number;
  /** The run.. */
  run_id: string;
  /** Number of the event, given by its writer.. */
  sequence: number;
  /** Its type.. */
  type: string;
  /** Data of the event, as sent.. */
  data: Record<string, any>;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** Model tokens used; null is unknown, not zero.. */
  usage: Record<string, any> | null;
  /** Who wrote it: runner, runtime:ID or admin:IDENTITY.. */
  source: string;
  /** The claim under which the event was written.. */
  claim_epoch: number | null;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
}

export interface RunEventPage {
  /** The items, in the order of the method.. */
  items: RunEvent[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface RunExplanation {
  /** The run.. */
  run_id: string;
  /** Its status.. */
  status: RunStatus;
  /** When this was so. Seconds since 1970.. */
  judged_at: number;
  /** Whether a claim could take the run now.. */
  claimable: boolean;
  /** Whether somebody is at work on the run.. */
  moving: boolean;
  /** Why the run is where it is; each with a code, facts and a sentence.. */
  reasons: RunReason[];
}

export interface RunPage {
  /** The items, in the order of the method.. */
  items: Run[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
  /** How many match, up to 10 000; null unless asked for.. */
  total_count: number | null;
  /** True when there are more than total_count says.. */
  total_is_capped: boolean;
}

export type RunReason = any;

export interface RunStats {
  /** Start of the window.. */
  start_time: number;
  /** End of the window.. */
  end_time: number;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string | null;
  /** How many there are in all.. */
  total_count: number;
  /** Runs that are created; no method of this version stores such.. */
  created_count: number;
  /** Runs that are queued.. */
  queued_count: number;
  /** Runs that are claimed.. */
  claimed_count: number;
  /** Runs that are running.. */
  running_count: number;
  /** Runs that are completed.. */
  completed_count: number;
  /** Runs that failed.. */
  failed_count: number;
  /** Runs that are cancelled.. */
  cancelled_count: number;
  /** Runs that timed out.. */
  timeout_count: number;
  /** Runs by hour of the window.. */
  throughput_per_hour: number;
  /** Completed among all.. */
  success_rate: number | null;
  /** Failed and timed out among all.. */
  failure_rate: number | null;
  /** Completed among all that have ended.. */
  terminal_success_rate: number | null;
  /** Mean time from start to end of completed runs.. */
  avg_duration_seconds: number | null;
  /** Half of the completed runs took no longer.. */
  p50_duration_seconds: number | null;
  /** 95 of 100 completed runs took no longer.. */
  p95_duration_seconds: number | null;
  /** 99 of 100 completed runs took no longer.. */
  p99_duration_seconds: number | null;
  /** Mean time from creation to start of queued runs.. */
  avg_queue_wait_seconds: number | null;
  /** 95 of 100 queued runs waited no longer.. */
  p95_queue_wait_seconds: number | null;
}

export type RunStatus = "created" | "queued" | "claimed" | "running" | "completed" | "failed" | "cancelled" | "timeout";

export interface RunnerDescriptor {
  /** Name of the runner, plugin:AUTHOR/NAME/RUNNER.. */
  id: string;
  /** Where it came from.. */
  source: "plugin";
  /** Name for people, by locale.. */
  label: Record<string, any>;
  /** Words for people, by locale.. */
  description: Record<string, any> | null;
  /** AUTHOR of the id.. */
  plugin_author: string;
  /** NAME of the id.. */
  plugin_name: string;
  /** RUNNER of the id.. */
  runner_name: string;
  /** Version of the plugin, for people.. */
  plugin_version: string | null;
  /** What the runner can be configured with.. */
  config_schema: Record<string, any>[];
  /** Names to booleans; the host reads steering and interactions.. */
  capabilities: Record<string, any>;
  /** What the runner asks for, by name.. */
  permissions: Record<string, any>;
  /** The runner's manifest, as registered.. */
  raw_manifest: Record<string, any>;
  /** When it was last changed.. */
  updated_at: number;
}

export interface RunnerPage {
  /** The items, in the order of the method.. */
  items: RunnerDescriptor[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface RunnerStats {
  /** The items, in the order of the method.. */
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
  /** How many there are in all.. */
  total_count: number;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface Runtime {
  /** Number given by the database; grows.. */
  id: number;
  /** Name of the runtime.. */
  runtime_id: string;
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** Its status.. */
  status: "online" | "draining" | "offline" | "stale";
  /** True while an administrator fixes the status.. */
  held: boolean;
  /** True when the status is stale or the heartbeat deadline has passed.. */
  is_stale: boolean;
  /** Name for people.. */
  display_name: string | null;
  /** Where the runtime can be reached, for people.. */
  endpoint: string | null;
  /** Version of the runtime's program.. */
  version: string | null;
  /** What the runtime can do, as registered.. */
  capabilities: Record<string, any>;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** Labels, to select runtimes by.. */
  labels: Record<string, any>;
  /** When the runtime was last heard of.. */
  last_heartbeat_at: number;
  /** Without a heartbeat until then the runtime counts as stale.. */
  heartbeat_deadline_at: number;
  /** When it was created.. */
  created_at: number;
  /** When it was last changed.. */
  updated_at: number;
}

export interface RuntimePage {
  /** The items, in the order of the method.. */
  items: Runtime[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
  /** How many there are in all.. */
  total_count: number;
}

export interface RuntimeStats {
  /** How many there are in all.. */
  total_count: number;
  /** Runtimes that are online.. */
  online_count: number;
  /** Runtimes that take no new runs.. */
  draining_count: number;
  /** Runtimes that are offline.. */
  offline_count: number;
  /** Runtimes whose heartbeat deadline has passed.. */
  stale_count: number;
  /** Mean age of the last heartbeats.. */
  avg_heartbeat_age_seconds: number | null;
  /** Age of the oldest last heartbeat.. */
  max_heartbeat_age_seconds: number | null;
  /** Runs that are running or claimed.. */
  active_runs: number;
  /** Runs that are claimed.. */
  claimed_runs: number;
  /** Runs that are queued.. */
  queued_runs: number;
}

export interface SearchResult {
  /** The items, in the order of the method.. */
  items: TranscriptItem[];
  /** How many there are in all.. */
  total_count: number;
  /** Whether more items match; exact.. */
  has_more: boolean;
  /** The query as it was understood.. */
  query: string;
}

export interface StateDeleted {
  /** Whether something was changed.. */
  success: boolean;
}

export interface StateKeys {
  /** The keys, ascending.. */
  keys: string[];
  /** Whether more items match; exact.. */
  has_more: boolean;
  /** What to pass as after_key for the next page.. */
  next_after_key: string | null;
}

export interface StateValue {
  /** Any JSON value. */
  value: any;
  /** Whether the key exists.. */
  found: boolean;
  /** Version of the key; 0 when there is none.. */
  version: number;
}

export interface StateWritten {
  /** Whether something was changed.. */
  success: true;
  /** The new version; grows with every write to the scope.. */
  version: number;
}

export interface SteeringAck {
  /** Items that are confirmed, now or before.. */
  acked: string[];
  /** Items that are unknown here, never delivered, or moved to another run.. */
  not_found: string[];
}

export interface SteeringItem {
  /** Name of the item.. */
  steering_id: string;
  /** Its type.. */
  type: "message" | "interaction.submitted" | "interaction.cancelled" | "interaction.expired";
  /** The run that the item is attached to.. */
  claimed_run_id: string;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string;
  /** When the item was attached to the run.. */
  claimed_at: number;
  /** After this the item is handed out again.. */
  lease_expires_at: number;
  /** How often the item was handed out.. */
  delivery_count: number;
  /** The event that brought the item.. */
  event: Record<string, any>;
  /** Where the item belongs.. */
  conversation: Record<string, any>;
  /** Who brought it about.. */
  actor: Record<string, any> | null;
  /** What it is about.. */
  subject: Record<string, any> | null;
  /** The message; null for what is none.. */
  input: Record<string, any> | null;
  /** The interaction; null for a message.. */
  interaction: Interaction | null;
}

export interface Subscription {
  /** Name of the subscription, in each of its notifications.. */
  subscription_id: string;
  /** The run as it is now.. */
  run: Run;
}

export interface SweepReport {
  /** Runtimes whose heartbeat deadline has passed.. */
  stale_count: number;
  /** Claims that were taken away.. */
  released_claim_count: number;
  /** Runs that failed as their attempts were used up.. */
  exhausted_count: number;
  /** Runs that timed out.. */
  timeout_count: number;
  /** Runs that the sweep ended as cancelled.. */
  cancelled_count: number;
  /** Interactions that nobody answered in time.. */
  expired_interaction_count: number;
  /** Steering items whose lease was over.. */
  expired_steering_count: number;
  /** The runtimes that became stale.. */
  stale_runtimes: Runtime[];
  /** The runs whose claims were taken away.. */
  released_claims: Run[];
  /** True when work was left for another sweep.. */
  more: boolean;
}

export interface ToolCall {
  /** Name of the call.. */
  id: string;
  /** Its type.. */
  type: string;
  /** Name and arguments of the called function.. */
  function: {
    name: string;
    arguments: string;
    [member: string]: any;
  };
  /** Whatever a provider adds.. */
  provider_specific_fields?: Record<string, any> | null | undefined;
  [member: string]: any;
}

export interface TranscriptItem {
  /** Name of the item.. */
  transcript_id: string;
  /** The conversation.. */
  conversation_id: string;
  /** Name of the event.. */
  event_id: string | null;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** Who speaks, such as user or assistant.. */
  role: string;
  /** Kind of the item.. */
  item_type: string;
  /** Plain text, cut to 4000 characters.. */
  content: string | null;
  /** Any JSON value. */
  content_json: any;
  /** True when content or content_json is not whole.. */
  content_truncated: boolean;
  /** Position of the item; grows, with gaps.. */
  seq: number;
  /** Position of the item, for before_cursor and after_cursor.. */
  cursor: string;
  /** When it was created.. */
  created_at: number;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** Attachments, where they were asked for.. */
  attachment_refs: Record<string, any>[];
}

export interface TranscriptPage {
  /** The items, in the order of the method.. */
  items: TranscriptItem[];
  /** What to pass for the next page; null at the end.. */
  next_cursor: string | null;
  /** Position of the first item, where the method says so; else null.. */
  prev_cursor: string | null;
  /** Whether more items match; exact.. */
  has_more: boolean;
}

export interface Unsubscribed {
  /** False for a subscription that the connection does not hold.. */
  removed: boolean;
}

export interface WorkItem {
  /** Number given by the database; grows.. */
  id: number;
  /** The run.. */
  run_id: string;
  /** The runner, plugin:AUTHOR/NAME/RUNNER.. */
  runner_id: string;
  /** The plugin that owns it, AUTHOR/NAME.. */
  plugin_identity: string;
  /** Who created the run, or published the event from which it stems.. */
  created_by: string;
  /** The run from which this one stems.. */
  parent_run_id: string | null;
  /** Name of the event.. */
  event_id: string | null;
  /** The agent in whose name the runner works.. */
  agent_id: string | null;
  /** Name of the binding.. */
  binding_id: string | null;
  /** The conversation.. */
  conversation_id: string | null;
  /** The thread within the conversation.. */
  thread_id: string | null;
  /** The workspace.. */
  workspace_id: string | null;
  /** The bot that the event came to.. */
  bot_id: string | null;
  /** Queued: claimed by workers; running: executed by its plugin without a claim.. */
  dispatch: "queued" | "running";
  /** Its status.. */
  status: RunStatus;
  /** Why it has this status, for people.. */
  status_reason: string | null;
  /** The queue; null when dispatch is running.. */
  queue_name: string | null;
  /** Larger goes first.. */
  priority: number;
  /** Only this runtime may claim the run.. */
  requested_runtime_id: string | null;
  /** The runtime that holds the claim.. */
  claimed_by_runtime_id: string | null;
  /** When the claim ends, unless it is renewed.. */
  claim_lease_expires_at: number | null;
  /** How many claims of the run there have been.. */
  claim_epoch: number;
  /** Claims that count; at max_attempts the run is not tried again.. */
  dispatch_attempts: number;
  /** After so many claims a run that comes back ends as failed.. */
  max_attempts: number;
  /** Not claimable earlier than this.. */
  not_before: number | null;
  /** When the run was last claimed.. */
  last_claimed_at: number | null;
  /** Highest stored event; an executor goes on behind it. 0: none.. */
  last_sequence: number;
  /** When it was created.. */
  created_at: number;
  /** The same in milliseconds.. */
  created_at_ms: number;
  /** When it was last changed.. */
  updated_at: number;
  /** First claim, or creation when dispatch is running.. */
  started_at: number | null;
  /** The same in milliseconds.. */
  started_at_ms: number | null;
  /** When the run ended; set exactly when its status is terminal.. */
  finished_at: number | null;
  /** The same in milliseconds.. */
  finished_at_ms: number | null;
  /** When the run times out.. */
  deadline_at: number | null;
  /** When a cancel was first requested; its executor has to end the run.. */
  cancel_requested_at: number | null;
  /** Why a cancel was requested.. */
  cancel_reason: string | null;
  /** Model tokens used; null is unknown, not zero.. */
  usage: Record<string, any> | null;
  /** What the run cost; null is unknown, not zero.. */
  cost: Record<string, any> | null;
  /** Open object of the creator's own.. */
  metadata: Record<string, any>;
  /** True when the call repeated an earlier one.. */
  idempotent?: true | undefined;
  /** The event that the run answers, as stored.. */
  event: Record<string, any>;
  /** What the runner works on, as stored.. */
  input: Record<string, any>;
  /** What ties the runner to its surroundings, as stored.. */
  binding: Record<string, any>;
  /** Where the answer goes, as stored.. */
  delivery: Record<string, any>;
  /** Proof of the claim; every write of the executor shows it.. */
  claim_token: string;
  /** The same in milliseconds.. */
  claim_lease_expires_at_ms: number;
  /** Capabilities of the run, each true.. */
  available_apis: Record<string, true>;
  /** W3C; the trace that made the run, for its worker to continue.. */
  traceparent?: string | undefined;
}

export interface WorkItems {
  /** The claimed runs, each with its claim_token.. */
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
  plugin_identity: string;
  tenant_id?: string | null | undefined;
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
  plugin_identity: string;
  tenant_id?: string | null | undefined;
}

export interface PluginSetEnabledParams extends EveryParams {
  plugin_identity: string;
  enabled: boolean;
  tenant_id?: string | null | undefined;
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

export interface RunExplainParams extends EveryParams {
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
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

export interface RunAppendResultList extends EveryParams {
  results: Omit<RunAppendResultParams, keyof EveryParams>[];
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

export interface RunEmitResultList extends EveryParams {
  results: Omit<RunEmitResultParams, keyof EveryParams>[];
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

export interface RunFinalizeList extends EveryParams {
  runs: Omit<RunFinalizeParams, keyof EveryParams>[];
}

export interface RunClaimParams extends EveryParams {
  runtime_id: string;
  run_id?: string | null | undefined;
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
  target_run_id: string;
  runtime_id: string;
  claim_token: string;
  run_id?: string | null | undefined;
  claim_epoch?: number | null | undefined;
  /** Default 60; moved to the nearest of 1 and 3600. */
  lease_seconds?: number | null | undefined;
}

export interface RunReleaseClaimParams extends EveryParams {
  target_run_id: string;
  runtime_id: string;
  claim_token: string;
  run_id?: string | null | undefined;
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
  runtime_id: string;
  run_id?: string | null | undefined;
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
  runtime_id: string;
  run_id?: string | null | undefined;
  status?: "online" | "draining" | "offline" | null | undefined;
  capabilities?: Record<string, any> | null | undefined;
  labels?: Record<string, string> | null | undefined;
  metadata?: Record<string, any> | null | undefined;
  /** Moved to the nearest of 5 and 3600. */
  heartbeat_ttl_seconds?: number | null | undefined;
  heartbeat_deadline_at?: number | null | undefined;
}

export interface RuntimeDeregisterParams extends EveryParams {
  runtime_id: string;
  run_id?: string | null | undefined;
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
  interaction_id: string;
  run_id?: string | null | undefined;
  target_run_id?: string | null | undefined;
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
   * Say why a run is not moving, as a closed list of reasons with their facts.
   *
   * `run_explain`, open to: a readable run of the caller's own that grants run_get, named by run_id; or the permission agent_run:admin; or agent_run:create, for runs that the caller created.
   * May be refused with SESSION_EXPIRED, NOT_FOUND.
   */
  runExplain(params?: RunExplainParams, options?: CallOptions): Promise<RunExplanation>;
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
  runAppendResult(params: RunAppendResultList, options?: CallOptions): Promise<{
    items: ({
      result: RunEvent;
    } | {
      error: ItemError;
    })[];
  }>;
  runAppendResult(params?: RunAppendResultParams, options?: CallOptions): Promise<RunEvent>;
  /**
   * Store one result event of a run and apply its effect, in one transaction.
   *
   * `run_emit_result`, open to: the proof of an active claim; or the caller's own running run.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, LEASE_LOST, PAYLOAD_TOO_LARGE, RESULT_REJECTED, CONFLICT, RUN_TERMINAL.
   */
  runEmitResult(params: RunEmitResultList, options?: CallOptions): Promise<{
    items: ({
      result: EmittedEvent;
    } | {
      error: ItemError;
    })[];
  }>;
  runEmitResult(params?: RunEmitResultParams, options?: CallOptions): Promise<EmittedEvent>;
  /**
   * End a run with a status.
   *
   * `run_finalize`, open to: the proof of an active claim; or the caller's own running run that grants run_finalize; or the permission agent_run:admin.
   * May be refused with SESSION_EXPIRED, NOT_FOUND, LEASE_LOST, CONFLICT, PAYLOAD_TOO_LARGE.
   */
  runFinalize(params: RunFinalizeList, options?: CallOptions): Promise<{
    items: ({
      result: Run;
    } | {
      error: ItemError;
    })[];
  }>;
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
