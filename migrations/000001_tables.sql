-- The tables of the ledger. tenant_id leads every key: no statement and no constraint reaches over
-- a tenant. Times are set and compared by the database clock. A foreign key stands only where no
-- locked predicate already proves it: the rows of a run are written under the lock of its agent_run
-- row.

create table plugin (
  tenant_id text not null check (length(tenant_id) between 1 and 255),
  id bigint generated always as identity,
  plugin_identity text not null check (length(plugin_identity) between 3 and 200),
  display_name text,
  permissions text[] not null default '{}',
  enabled boolean not null default true,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_seen_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, plugin_identity)
);

create table plugin_token (
  tenant_id text not null,
  key_id text not null,
  plugin_identity text not null,
  -- Never the secret itself: a dump of the database opens no connection.
  secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  primary key (tenant_id, key_id),
  foreign key (tenant_id, plugin_identity) references plugin (tenant_id, plugin_identity)
);
-- Authentication knows the key id before it knows the tenant.
create index plugin_token_by_key on plugin_token (key_id);
create unique index plugin_token_one_active on plugin_token (tenant_id, plugin_identity)
  where revoked_at is null;

create table runner (
  tenant_id text not null,
  id bigint generated always as identity,
  runner_id text not null,
  plugin_identity text not null,
  label jsonb not null default '{}',
  description jsonb,
  plugin_version text,
  config_schema jsonb not null default '[]',
  capabilities jsonb not null default '{}',
  permissions jsonb not null default '{}',
  raw_manifest jsonb not null default '{}',
  withdrawn_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, runner_id)
);
-- runner_list
create index runner_by_plugin on runner (tenant_id, plugin_identity, id)
  where withdrawn_at is null;

create table agent_run (
  tenant_id text not null,
  id bigint generated always as identity,
  run_id text not null check (length(run_id) between 1 and 255),
  runner_id text not null,
  plugin_identity text not null,
  created_by text not null,
  parent_run_id text,
  retry_depth int not null default 0,
  event_id text,
  agent_id text,
  binding_id text,
  conversation_id text,
  thread_id text,
  workspace_id text,
  bot_id text,
  dispatch text not null check (dispatch in ('queued', 'running')),
  status text not null check (status in ('created', 'queued', 'claimed', 'running', 'completed',
    'failed', 'cancelled', 'timeout')),
  status_reason text,
  queue_name text,
  priority smallint not null default 0,
  requested_runtime_id text,
  max_attempts int not null default 10 check (max_attempts between 1 and 1000),
  dispatch_attempts int not null default 0 check (dispatch_attempts between 0 and max_attempts),
  not_before timestamptz,
  claim_epoch bigint not null default 0,
  claimed_by_runtime_id text,
  claimed_by_identity text,
  claim_token_sha256 bytea,
  claim_lease_expires_at timestamptz,
  last_claimed_at timestamptz,
  last_sequence bigint not null default 0,
  allow_unregistered_runner boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  deadline_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_reason text,
  usage jsonb,
  cost jsonb,
  metadata jsonb not null default '{}',
  snapshot jsonb not null,
  request_fingerprint bytea,
  request_bytes int not null default 0,
  primary key (tenant_id, id),
  unique (tenant_id, run_id),
  -- A run that ended twice, or ended without ending.
  constraint agent_run_finished_exactly_when_terminal
    check ((finished_at is not null) = (status in ('completed', 'failed', 'cancelled', 'timeout'))),
  -- A lease that outlives its claim would fence nobody.
  constraint agent_run_lease_exactly_when_claimed
    check ((claim_lease_expires_at is not null) = (status = 'claimed')),
  constraint agent_run_claim_is_whole
    check (status <> 'claimed' or (claimed_by_runtime_id is not null
      and claimed_by_identity is not null and claim_token_sha256 is not null
      and claim_epoch > 0 and started_at is not null)),
  -- A cancelled run that goes back to the queue would be executed after its cancel.
  constraint agent_run_queued_is_free
    check (status <> 'queued' or (cancel_requested_at is null and claim_token_sha256 is null)),
  constraint agent_run_running_is_bounded
    check (status <> 'running'
      or (dispatch = 'running' and deadline_at is not null and started_at is not null)),
  constraint agent_run_queue_needs_queued_dispatch
    check (dispatch = 'queued' or status not in ('queued', 'claimed'))
) with (fillfactor = 80);
-- run_claim through OWN and RUN
create index agent_run_claim_own
  on agent_run (tenant_id, plugin_identity, priority desc, id) where status = 'queued';
-- run_claim with queue_name
create index agent_run_claim_queue
  on agent_run (tenant_id, queue_name, priority desc, id) where status = 'queued';
-- run_claim through ADMIN
create index agent_run_claim_any
  on agent_run (tenant_id, priority desc, id) where status = 'queued';
-- Claiming runs whose lease is over
create index agent_run_lease
  on agent_run (tenant_id, claim_lease_expires_at) where status = 'claimed';
-- runtime_deregister
create index agent_run_by_runtime
  on agent_run (tenant_id, claimed_by_runtime_id) where status = 'claimed';
-- Hosts look for cancel requests that other hosts took
create index agent_run_cancel_requested
  on agent_run (tenant_id, cancel_requested_at)
  where finished_at is null and cancel_requested_at is not null;
-- run_list through RUN
create index agent_run_list_scope on agent_run (tenant_id, runner_id, conversation_id, id desc);
-- run_list through CREATOR
create index agent_run_list_creator on agent_run (tenant_id, created_by, id desc);
-- run_list through ADMIN with statuses
create index agent_run_list_status on agent_run (tenant_id, status, id desc);
-- run_list through ADMIN by conversation
create index agent_run_list_conversation on agent_run (tenant_id, conversation_id, id desc)
  where conversation_id is not null;
-- run_list through a limited ADMIN
create index agent_run_list_workspace on agent_run (tenant_id, workspace_id, id desc)
  where workspace_id is not null;

create table agent_run_request (
  tenant_id text not null,
  run_id text not null,
  event jsonb not null,
  input jsonb not null,
  binding jsonb not null,
  delivery jsonb not null,
  prompt jsonb,
  primary key (tenant_id, run_id)
);

create table agent_run_event (
  tenant_id text not null,
  id bigint generated always as identity,
  run_id text not null,
  sequence bigint not null check (sequence between 1 and 9007199254740991),
  type text not null,
  data jsonb not null,
  usage jsonb,
  metadata jsonb not null default '{}',
  source text not null,
  written_by text not null,
  claim_epoch bigint,
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  -- Canonical size: pages are cut by it without reading the data.
  bytes int not null check (bytes >= 0),
  created_at timestamptz not null default now(),
  -- run_events_page, idempotency
  primary key (tenant_id, run_id, sequence)
);

create table agent_runtime (
  tenant_id text not null,
  id bigint generated always as identity,
  runtime_id text not null,
  plugin_identity text not null,
  -- What the owner sent last, or stale.
  status text not null check (status in ('online', 'draining', 'offline', 'stale')),
  -- What an administrator fixed.
  held_status text check (held_status in ('draining', 'offline')),
  display_name text,
  endpoint text,
  version text,
  capabilities jsonb not null default '{}',
  labels jsonb not null default '{}',
  metadata jsonb not null default '{}',
  last_heartbeat_at timestamptz not null,
  heartbeat_deadline_at timestamptz not null,
  deregistered_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, runtime_id)
) with (fillfactor = 80);
-- runtime_list with labels
create index agent_runtime_labels on agent_runtime using gin (labels jsonb_path_ops)
  where deregistered_at is null;
-- runtime_list through OWN, the count limit of runtime_register
create index agent_runtime_by_plugin on agent_runtime (tenant_id, plugin_identity, id);

create table agent_runner_state_scope (
  tenant_id text not null,
  scope_key text not null,
  key_count int not null default 0 check (key_count between 0 and 1000),
  total_bytes bigint not null default 0 check (total_bytes between 0 and 8388608),
  last_version bigint not null default 0,
  primary key (tenant_id, scope_key)
);

create table agent_runner_state (
  tenant_id text not null,
  scope_key text not null,
  state_key text collate "C" not null check (length(state_key) between 1 and 255),
  value jsonb not null,
  bytes int not null check (bytes >= 0),
  version bigint not null,
  scope text not null check (scope in ('conversation', 'actor', 'subject', 'runner')),
  runner_id text not null,
  binding_identity text not null,
  bot_id text,
  workspace_id text,
  conversation_id text,
  thread_id text,
  actor_type text,
  actor_id text,
  subject_type text,
  subject_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, scope_key, state_key),
  foreign key (tenant_id, scope_key) references agent_runner_state_scope (tenant_id, scope_key)
);

create table event_log (
  tenant_id text not null,
  id bigint generated always as identity,
  event_id text not null,
  event_type text not null,
  event_time timestamptz,
  source text not null,
  bot_id text,
  workspace_id text,
  conversation_id text,
  thread_id text,
  actor_type text,
  actor_id text,
  actor_name text,
  subject_type text,
  subject_id text,
  input_summary text,
  input jsonb,
  raw_ref text,
  run_id text,
  runner_id text,
  published_by text,
  request_fingerprint bytea,
  disposition text check (disposition in ('absorbed', 'run_created', 'logged')),
  steering_id text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, event_id)
);

create table transcript (
  tenant_id text not null,
  id bigint generated always as identity,
  transcript_id text not null,
  origin text not null check (origin in ('event', 'result')),
  event_id text,
  run_id text,
  run_sequence bigint,
  runner_id text,
  bot_id text,
  workspace_id text,
  conversation_id text not null,
  thread_id text,
  role text not null,
  item_type text not null default 'message',
  content text check (octet_length(content) <= 1048576),
  content_tsv tsvector,
  content_json jsonb,
  message_fingerprint bytea,
  attachment_refs jsonb not null default '[]',
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, transcript_id)
);
-- One item per incoming event, one per stored result, however often either is repeated
create unique index transcript_once_per_event on transcript (tenant_id, event_id)
  where origin = 'event';
create unique index transcript_once_per_result on transcript (tenant_id, run_id, run_sequence)
  where origin = 'result';

create table agent_run_steering (
  tenant_id text not null,
  id bigint generated always as identity,
  steering_id text not null,
  run_id text not null,
  type text not null check (type in ('message', 'interaction.submitted', 'interaction.cancelled',
    'interaction.expired')),
  state text not null default 'queued'
    check (state in ('queued', 'leased', 'injected', 'redispatched', 'dropped')),
  lease_expires_at timestamptz,
  delivery_count int not null default 0,
  event_id text,
  interaction_id text,
  payload jsonb not null,
  redispatched_run_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, steering_id),
  constraint agent_run_steering_lease_exactly_when_leased
    check ((lease_expires_at is not null) = (state = 'leased'))
);
-- One message is attached to one run only
create unique index steering_once_per_event on agent_run_steering (tenant_id, event_id)
  where type = 'message';
-- What was attached to a run: pull, acknowledgement, claim, requeue, end
create index steering_by_run on agent_run_steering (tenant_id, run_id, id);

create table agent_interaction (
  tenant_id text not null,
  id bigint generated always as identity,
  run_id text not null,
  interaction_id text not null,
  -- The event that asked.
  sequence bigint not null,
  runner_id text not null,
  binding_id text,
  bot_id text,
  workspace_id text,
  conversation_id text,
  thread_id text,
  actor_id text,
  status text not null default 'pending'
    check (status in ('pending', 'submitted', 'expired', 'cancelled')),
  request jsonb not null,
  expires_at timestamptz not null,
  submission jsonb,
  submission_fingerprint bytea,
  submitted_at timestamptz,
  submitted_by text,
  status_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, run_id, interaction_id),
  constraint agent_interaction_submitted_exactly_when_answered
    check ((submitted_at is not null) = (status = 'submitted'))
);
-- The end of a run; which event asked
create index interaction_by_run on agent_interaction (tenant_id, run_id, sequence);

create table run_audit (
  tenant_id text not null,
  id bigint generated always as identity,
  domain text not null check (domain in ('agent_run', 'runtime', 'plugin')),
  actor text not null,
  via text,
  action text not null,
  permission text,
  target_run_id text,
  target_runtime_id text,
  target_identity text,
  workspace_id text,
  detail jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
-- Reading the audit by domain and by run
create index run_audit_domain on run_audit (tenant_id, domain, id desc);
create index run_audit_run on run_audit (tenant_id, target_run_id, id desc)
  where target_run_id is not null;
