-- The schema after all migrations, for reading; written by `npm run schema`, compared by a test.

create table agent_interaction (
  tenant_id text not null,
  id bigint generated always as identity not null,
  run_id text not null,
  interaction_id text not null,
  sequence bigint not null,
  runner_id text not null,
  binding_id text,
  bot_id text,
  workspace_id text,
  conversation_id text,
  thread_id text,
  actor_id text,
  status text default 'pending'::text not null,
  request jsonb not null,
  expires_at timestamp with time zone not null,
  submission jsonb,
  submission_fingerprint bytea,
  submitted_at timestamp with time zone,
  submitted_by text,
  status_reason text,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint agent_interaction_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'submitted'::text, 'expired'::text, 'cancelled'::text]))),
  constraint agent_interaction_submitted_exactly_when_answered CHECK (((submitted_at IS NOT NULL) = (status = 'submitted'::text))),
  constraint agent_interaction_pkey PRIMARY KEY (tenant_id, id),
  constraint agent_interaction_tenant_id_run_id_interaction_id_key UNIQUE (tenant_id, run_id, interaction_id)
);
CREATE INDEX interaction_by_run ON public.agent_interaction USING btree (tenant_id, run_id, sequence);
CREATE INDEX interaction_conversation ON public.agent_interaction USING btree (tenant_id, conversation_id, id DESC);
CREATE INDEX interaction_expiry ON public.agent_interaction USING btree (tenant_id, expires_at) WHERE (status = 'pending'::text);

create table agent_run (
  tenant_id text not null,
  id bigint generated always as identity not null,
  run_id text not null,
  runner_id text not null,
  plugin_identity text not null,
  created_by text not null,
  parent_run_id text,
  retry_depth integer default 0 not null,
  event_id text,
  agent_id text,
  binding_id text,
  conversation_id text,
  thread_id text,
  workspace_id text,
  bot_id text,
  dispatch text not null,
  status text not null,
  status_reason text,
  queue_name text,
  priority smallint default 0 not null,
  requested_runtime_id text,
  max_attempts integer default 10 not null,
  dispatch_attempts integer default 0 not null,
  not_before timestamp with time zone,
  claim_epoch bigint default 0 not null,
  claimed_by_runtime_id text,
  claimed_by_identity text,
  claim_token_sha256 bytea,
  claim_lease_expires_at timestamp with time zone,
  last_claimed_at timestamp with time zone,
  last_sequence bigint default 0 not null,
  allow_unregistered_runner boolean default false not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  deadline_at timestamp with time zone,
  cancel_requested_at timestamp with time zone,
  cancel_reason text,
  usage jsonb,
  cost jsonb,
  metadata jsonb default '{}'::jsonb not null,
  snapshot jsonb not null,
  request_fingerprint bytea,
  request_bytes integer default 0 not null,
  constraint agent_run_check CHECK (((dispatch_attempts >= 0) AND (dispatch_attempts <= max_attempts))),
  constraint agent_run_claim_is_whole CHECK (((status <> 'claimed'::text) OR ((claimed_by_runtime_id IS NOT NULL) AND (claimed_by_identity IS NOT NULL) AND (claim_token_sha256 IS NOT NULL) AND (claim_epoch > 0) AND (started_at IS NOT NULL)))),
  constraint agent_run_dispatch_check CHECK ((dispatch = ANY (ARRAY['queued'::text, 'running'::text]))),
  constraint agent_run_finished_exactly_when_terminal CHECK (((finished_at IS NOT NULL) = (status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text, 'timeout'::text])))),
  constraint agent_run_lease_exactly_when_claimed CHECK (((claim_lease_expires_at IS NOT NULL) = (status = 'claimed'::text))),
  constraint agent_run_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 1000))),
  constraint agent_run_queue_needs_queued_dispatch CHECK (((dispatch = 'queued'::text) OR (status <> ALL (ARRAY['queued'::text, 'claimed'::text])))),
  constraint agent_run_queued_is_free CHECK (((status <> 'queued'::text) OR ((cancel_requested_at IS NULL) AND (claim_token_sha256 IS NULL)))),
  constraint agent_run_run_id_check CHECK (((length(run_id) >= 1) AND (length(run_id) <= 255))),
  constraint agent_run_running_is_bounded CHECK (((status <> 'running'::text) OR ((dispatch = 'running'::text) AND (deadline_at IS NOT NULL) AND (started_at IS NOT NULL)))),
  constraint agent_run_status_check CHECK ((status = ANY (ARRAY['created'::text, 'queued'::text, 'claimed'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'timeout'::text]))),
  constraint agent_run_pkey PRIMARY KEY (tenant_id, id),
  constraint agent_run_tenant_id_run_id_key UNIQUE (tenant_id, run_id)
);
CREATE INDEX agent_run_created ON public.agent_run USING btree (tenant_id, created_at, runner_id);
CREATE INDEX agent_run_list_conversation ON public.agent_run USING btree (tenant_id, conversation_id, id DESC) WHERE (conversation_id IS NOT NULL);
CREATE INDEX agent_run_list_creator ON public.agent_run USING btree (tenant_id, created_by, id DESC);
CREATE INDEX agent_run_list_scope ON public.agent_run USING btree (tenant_id, runner_id, conversation_id, id DESC);
CREATE INDEX agent_run_list_workspace ON public.agent_run USING btree (tenant_id, workspace_id, id DESC) WHERE (workspace_id IS NOT NULL);

create table agent_run_ended (
  tenant_id text not null,
  id bigint not null,
  status text not null,
  finished_at timestamp with time zone not null,
  constraint agent_run_ended_pkey PRIMARY KEY (tenant_id, status, id)
);
CREATE INDEX ended_run_finished ON public.agent_run_ended USING btree (tenant_id, finished_at);

create table agent_run_event (
  tenant_id text not null,
  id bigint generated always as identity not null,
  run_id text not null,
  sequence bigint not null,
  type text not null,
  data jsonb not null,
  usage jsonb,
  metadata jsonb default '{}'::jsonb not null,
  source text not null,
  written_by text not null,
  claim_epoch bigint,
  fingerprint bytea not null,
  bytes integer not null,
  created_at timestamp with time zone default now() not null,
  constraint agent_run_event_bytes_check CHECK ((bytes >= 0)),
  constraint agent_run_event_fingerprint_check CHECK ((octet_length(fingerprint) = 32)),
  constraint agent_run_event_sequence_check CHECK (((sequence >= 1) AND (sequence <= '9007199254740991'::bigint))),
  constraint agent_run_event_pkey PRIMARY KEY (tenant_id, run_id, sequence)
);

create table agent_run_open (
  tenant_id text not null,
  id bigint not null,
  status text not null,
  rank integer not null,
  plugin_identity text not null,
  runner_id text not null,
  queue_name text,
  conversation_id text,
  workspace_id text,
  bot_id text,
  thread_id text,
  requested_runtime_id text,
  not_before timestamp with time zone,
  request_bytes integer not null,
  deadline_at timestamp with time zone,
  cancel_requested_at timestamp with time zone,
  claimed_by_runtime_id text,
  claim_lease_expires_at timestamp with time zone,
  constraint agent_run_open_pkey PRIMARY KEY (tenant_id, id)
);
CREATE INDEX open_run_busy ON public.agent_run_open USING btree (tenant_id, status, id) WHERE ((status <> 'queued'::text) AND (id > 0));
CREATE INDEX open_run_cancel ON public.agent_run_open USING btree (tenant_id, cancel_requested_at) WHERE (cancel_requested_at IS NOT NULL);
CREATE INDEX open_run_conversation ON public.agent_run_open USING btree (tenant_id, conversation_id, id) WHERE (conversation_id IS NOT NULL);
CREATE INDEX open_run_deadline ON public.agent_run_open USING btree (tenant_id, deadline_at) WHERE (deadline_at IS NOT NULL);
CREATE INDEX open_run_delayed ON public.agent_run_open USING btree (tenant_id, plugin_identity, rank, id) WHERE ((status = 'queued'::text) AND (not_before IS NOT NULL) AND (requested_runtime_id IS NULL) AND (length(plugin_identity) > 0));
CREATE INDEX open_run_due ON public.agent_run_open USING btree (tenant_id, not_before) WHERE ((status = 'queued'::text) AND (not_before IS NOT NULL) AND (requested_runtime_id IS NULL));
CREATE INDEX open_run_lease ON public.agent_run_open USING btree (tenant_id, claim_lease_expires_at) WHERE (status = 'claimed'::text);
CREATE INDEX open_run_pinned ON public.agent_run_open USING btree (tenant_id, requested_runtime_id, rank, id) WHERE ((status = 'queued'::text) AND (length(requested_runtime_id) > 0));
CREATE INDEX open_run_ready ON public.agent_run_open USING btree (tenant_id, plugin_identity, rank, id) WHERE ((status = 'queued'::text) AND (not_before IS NULL) AND (requested_runtime_id IS NULL) AND (length(plugin_identity) > 0));
CREATE INDEX open_run_ready_queue ON public.agent_run_open USING btree (tenant_id, queue_name, plugin_identity, rank, id) WHERE ((status = 'queued'::text) AND (not_before IS NULL) AND (requested_runtime_id IS NULL) AND (length(queue_name) > 0));
CREATE INDEX open_run_ready_runner ON public.agent_run_open USING btree (tenant_id, runner_id, rank, id) WHERE ((status = 'queued'::text) AND (not_before IS NULL) AND (requested_runtime_id IS NULL) AND (length(runner_id) > 0));

create table agent_run_request (
  tenant_id text not null,
  run_id text not null,
  event jsonb not null,
  input jsonb not null,
  binding jsonb not null,
  delivery jsonb not null,
  prompt jsonb,
  traceparent text,
  constraint agent_run_request_traceparent CHECK ((traceparent ~ '^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$'::text)),
  constraint agent_run_request_pkey PRIMARY KEY (tenant_id, run_id)
);

create table agent_run_steering (
  tenant_id text not null,
  id bigint generated always as identity not null,
  steering_id text not null,
  run_id text not null,
  type text not null,
  state text default 'queued'::text not null,
  lease_expires_at timestamp with time zone,
  delivery_count integer default 0 not null,
  event_id text,
  interaction_id text,
  payload jsonb not null,
  redispatched_run_id text,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint agent_run_steering_lease_exactly_when_leased CHECK (((lease_expires_at IS NOT NULL) = (state = 'leased'::text))),
  constraint agent_run_steering_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'leased'::text, 'injected'::text, 'redispatched'::text, 'dropped'::text]))),
  constraint agent_run_steering_type_check CHECK ((type = ANY (ARRAY['message'::text, 'interaction.submitted'::text, 'interaction.cancelled'::text, 'interaction.expired'::text]))),
  constraint agent_run_steering_pkey PRIMARY KEY (tenant_id, id),
  constraint agent_run_steering_tenant_id_steering_id_key UNIQUE (tenant_id, steering_id)
);
CREATE INDEX steering_by_run ON public.agent_run_steering USING btree (tenant_id, run_id, id);
CREATE INDEX steering_lease ON public.agent_run_steering USING btree (tenant_id, lease_expires_at) WHERE (state = 'leased'::text);
CREATE UNIQUE INDEX steering_once_per_event ON public.agent_run_steering USING btree (tenant_id, event_id) WHERE (type = 'message'::text);
CREATE INDEX steering_queued_lately ON public.agent_run_steering USING btree (tenant_id, updated_at) WHERE (state = 'queued'::text);

create table agent_runner_state (
  tenant_id text not null,
  scope_key text not null,
  state_key text not null,
  value jsonb not null,
  bytes integer not null,
  version bigint not null,
  scope text not null,
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
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint agent_runner_state_bytes_check CHECK ((bytes >= 0)),
  constraint agent_runner_state_scope_check CHECK ((scope = ANY (ARRAY['conversation'::text, 'actor'::text, 'subject'::text, 'runner'::text]))),
  constraint agent_runner_state_state_key_check CHECK (((length(state_key) >= 1) AND (length(state_key) <= 255))),
  constraint agent_runner_state_tenant_id_scope_key_fkey FOREIGN KEY (tenant_id, scope_key) REFERENCES agent_runner_state_scope(tenant_id, scope_key),
  constraint agent_runner_state_pkey PRIMARY KEY (tenant_id, scope_key, state_key)
);

create table agent_runner_state_scope (
  tenant_id text not null,
  scope_key text not null,
  key_count integer default 0 not null,
  total_bytes bigint default 0 not null,
  last_version bigint default 0 not null,
  constraint agent_runner_state_scope_key_count_check CHECK (((key_count >= 0) AND (key_count <= 1000))),
  constraint agent_runner_state_scope_total_bytes_check CHECK (((total_bytes >= 0) AND (total_bytes <= 8388608))),
  constraint agent_runner_state_scope_pkey PRIMARY KEY (tenant_id, scope_key)
);

create table agent_runtime (
  tenant_id text not null,
  id bigint generated always as identity not null,
  runtime_id text not null,
  plugin_identity text not null,
  status text not null,
  held_status text,
  display_name text,
  endpoint text,
  version text,
  capabilities jsonb default '{}'::jsonb not null,
  labels jsonb default '{}'::jsonb not null,
  metadata jsonb default '{}'::jsonb not null,
  last_heartbeat_at timestamp with time zone not null,
  heartbeat_deadline_at timestamp with time zone not null,
  deregistered_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint agent_runtime_held_status_check CHECK ((held_status = ANY (ARRAY['draining'::text, 'offline'::text]))),
  constraint agent_runtime_status_check CHECK ((status = ANY (ARRAY['online'::text, 'draining'::text, 'offline'::text, 'stale'::text]))),
  constraint agent_runtime_pkey PRIMARY KEY (tenant_id, id),
  constraint agent_runtime_tenant_id_runtime_id_key UNIQUE (tenant_id, runtime_id)
);
CREATE INDEX agent_runtime_awake ON public.agent_runtime USING btree (tenant_id, id) WHERE (status = ANY (ARRAY['online'::text, 'draining'::text]));
CREATE INDEX agent_runtime_by_plugin ON public.agent_runtime USING btree (tenant_id, plugin_identity, id) WHERE (deregistered_at IS NULL);
CREATE INDEX agent_runtime_labels ON public.agent_runtime USING gin (labels jsonb_path_ops) WHERE (deregistered_at IS NULL);

create table event_log (
  tenant_id text not null,
  id bigint generated always as identity not null,
  event_id text not null,
  event_type text not null,
  event_time timestamp with time zone,
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
  disposition text,
  steering_id text,
  metadata jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint event_log_disposition_check CHECK ((disposition = ANY (ARRAY['absorbed'::text, 'run_created'::text, 'logged'::text]))),
  constraint event_log_pkey PRIMARY KEY (tenant_id, id),
  constraint event_log_tenant_id_event_id_key UNIQUE (tenant_id, event_id)
);
CREATE INDEX event_log_conversation ON public.event_log USING btree (tenant_id, conversation_id, id DESC) WHERE (conversation_id IS NOT NULL);

create table plugin (
  tenant_id text not null,
  id bigint generated always as identity not null,
  plugin_identity text not null,
  display_name text,
  permissions text[] default '{}'::text[] not null,
  enabled boolean default true not null,
  metadata jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  last_seen_at timestamp with time zone,
  constraint plugin_plugin_identity_check CHECK (((length(plugin_identity) >= 3) AND (length(plugin_identity) <= 200))),
  constraint plugin_tenant_id_check CHECK (((length(tenant_id) >= 1) AND (length(tenant_id) <= 255))),
  constraint plugin_pkey PRIMARY KEY (tenant_id, id),
  constraint plugin_tenant_id_plugin_identity_key UNIQUE (tenant_id, plugin_identity)
);

create table plugin_token (
  tenant_id text not null,
  key_id text not null,
  plugin_identity text not null,
  secret_sha256 bytea not null,
  created_at timestamp with time zone default now() not null,
  revoked_at timestamp with time zone,
  constraint plugin_token_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32)),
  constraint plugin_token_tenant_id_plugin_identity_fkey FOREIGN KEY (tenant_id, plugin_identity) REFERENCES plugin(tenant_id, plugin_identity),
  constraint plugin_token_pkey PRIMARY KEY (tenant_id, key_id)
);
CREATE INDEX plugin_token_by_key ON public.plugin_token USING btree (key_id);
CREATE UNIQUE INDEX plugin_token_one_active ON public.plugin_token USING btree (tenant_id, plugin_identity) WHERE (revoked_at IS NULL);

create table run_audit (
  tenant_id text not null,
  id bigint generated always as identity not null,
  domain text not null,
  actor text not null,
  via text,
  action text not null,
  permission text,
  target_run_id text,
  target_runtime_id text,
  target_identity text,
  workspace_id text,
  detail jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint run_audit_domain_check CHECK ((domain = ANY (ARRAY['agent_run'::text, 'runtime'::text, 'plugin'::text]))),
  constraint run_audit_pkey PRIMARY KEY (tenant_id, id)
);
CREATE INDEX run_audit_domain ON public.run_audit USING btree (tenant_id, domain, id DESC);
CREATE INDEX run_audit_run ON public.run_audit USING btree (tenant_id, target_run_id, id DESC) WHERE (target_run_id IS NOT NULL);

create table runhost_duty (
  duty text not null,
  holder text not null,
  held_until timestamp with time zone not null,
  constraint runhost_duty_pkey PRIMARY KEY (duty)
);

create table runhost_migration (
  version integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone default now() not null,
  constraint runhost_migration_pkey PRIMARY KEY (version)
);

create table runner (
  tenant_id text not null,
  id bigint generated always as identity not null,
  runner_id text not null,
  plugin_identity text not null,
  label jsonb default '{}'::jsonb not null,
  description jsonb,
  plugin_version text,
  config_schema jsonb default '[]'::jsonb not null,
  capabilities jsonb default '{}'::jsonb not null,
  permissions jsonb default '{}'::jsonb not null,
  raw_manifest jsonb default '{}'::jsonb not null,
  withdrawn_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint runner_pkey PRIMARY KEY (tenant_id, id),
  constraint runner_tenant_id_runner_id_key UNIQUE (tenant_id, runner_id)
);
CREATE INDEX runner_by_plugin ON public.runner USING btree (tenant_id, plugin_identity, id) WHERE (withdrawn_at IS NULL);

create table transcript (
  tenant_id text not null,
  id bigint generated always as identity not null,
  transcript_id text not null,
  origin text not null,
  event_id text,
  run_id text,
  run_sequence bigint,
  runner_id text,
  bot_id text,
  workspace_id text,
  conversation_id text not null,
  thread_id text,
  role text not null,
  item_type text default 'message'::text not null,
  content text,
  content_tsv tsvector,
  content_json jsonb,
  message_fingerprint bytea,
  attachment_refs jsonb default '[]'::jsonb not null,
  metadata jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint transcript_content_check CHECK ((octet_length(content) <= 1048576)),
  constraint transcript_origin_check CHECK ((origin = ANY (ARRAY['event'::text, 'result'::text]))),
  constraint transcript_pkey PRIMARY KEY (tenant_id, id),
  constraint transcript_tenant_id_transcript_id_key UNIQUE (tenant_id, transcript_id)
);
CREATE INDEX transcript_conversation ON public.transcript USING btree (tenant_id, conversation_id, id DESC);
CREATE UNIQUE INDEX transcript_once_per_event ON public.transcript USING btree (tenant_id, event_id) WHERE (origin = 'event'::text);
CREATE UNIQUE INDEX transcript_once_per_result ON public.transcript USING btree (tenant_id, run_id, run_sequence) WHERE (origin = 'result'::text);
CREATE INDEX transcript_search ON public.transcript USING gin (content_tsv);

-- function acknowledge_steering(r agent_run, p_ids jsonb, p_now timestamp with time zone) returns jsonb volatile;
-- function admit(s agent_run, t agent_run, p_grant jsonb, p_now timestamp with time zone, OUT refusal jsonb, OUT path text) returns record stable;
-- function admit_claim(p_tenant text, p_grant jsonb, p_input jsonb, OUT refusal jsonb, OUT reach jsonb) returns record volatile;
-- function admit_executor(p_tenant text, p_grant jsonb, p_now timestamp with time zone, OUT refusal jsonb, OUT s agent_run) returns record volatile;
-- function admit_fleet(p_tenant text, p_grant jsonb, p_now timestamp with time zone, OUT refusal jsonb, OUT path text, OUT s agent_run) returns record stable;
-- function admit_interaction(p_tenant text, p_grant jsonb, p_interaction text, p_now timestamp with time zone, OUT refusal jsonb, OUT path text, OUT t agent_run, OUT i agent_interaction) returns record volatile;
-- function admit_interactions(p_tenant text, p_grant jsonb, p_conversation text, OUT refusal jsonb, OUT run_id text) returns record stable;
-- function admit_plugin(p_tenant text, p_grant jsonb, p_input jsonb, OUT refusal jsonb, OUT p plugin) returns record volatile;
-- function admit_result(p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamp with time zone, OUT refusal jsonb, OUT repeated agent_run_event, OUT t agent_run, OUT by_admin boolean) returns record volatile;
-- function admit_retry(t agent_run, p_grant jsonb, OUT refusal jsonb, OUT owner_alone boolean) returns record stable;
-- function admit_run_list(p_tenant text, p_grant jsonb, p_query jsonb, OUT refusal jsonb, OUT path text, OUT s agent_run) returns record stable;
-- function admit_session(p_tenant text, p_grant jsonb, p_conversation text, OUT refusal jsonb, OUT s agent_run) returns record stable;
-- function admit_state(p_tenant text, p_grant jsonb, p_input jsonb, p_lock boolean, OUT refusal jsonb, OUT s agent_run, OUT scope_key text) returns record volatile;
-- function admit_target(p_tenant text, p_grant jsonb, OUT refusal jsonb, OUT run_id text) returns record stable;
-- function aftermath(r agent_run) returns jsonb stable;
-- function audit_create(p_tenant text, p_grant jsonb, p_input jsonb) returns void volatile;
-- function audit_interaction(p_tenant text, p_grant jsonb, t agent_run, i agent_interaction) returns void volatile;
-- function audit_record(a run_audit) returns jsonb stable;
-- function audit_transition(p_tenant text, p_action text, p_from agent_run, r agent_run, p_now timestamp with time zone) returns void volatile;
-- function beat_runtimes(p_tenant text, p_runtimes bigint[], p_inputs jsonb[], p_at timestamp with time zone[]) returns TABLE(runtime bigint, record jsonb) volatile;
-- function call_time(p_grant jsonb) returns timestamp with time zone stable;
-- function cancel_idle_run(r agent_run, p_reason text, p_now timestamp with time zone) returns agent_run volatile;
-- function cap_and_scope_refusal(s agent_run, t agent_run, p_grant jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function capability_missing(p_capability text) returns jsonb stable;
-- function claim_known(t agent_run, p_grant jsonb) returns boolean immutable;
-- function claim_path_refusal(p_path text, s agent_run, p_grant jsonb, p_runners jsonb) returns jsonb stable;
-- function claim_plain_runs(p_tenant text, p_caller text, p_now timestamp with time zone, p_asks jsonb) returns TABLE(place integer, item json, traceparent text) volatile;
-- function claim_proof(t agent_run, p_grant jsonb, p_now timestamp with time zone) returns boolean immutable;
-- function claim_reasons(r agent_run, p_sees_runtime boolean, p_caller text, p_fleet jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function claim_refusal(s agent_run, t agent_run, p_grant jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function claim_runs(p_tenant text, p_ids bigint[], p_run_ids text[], p_token_sha256s text[], p_runtimes text[], p_leases integer[], p_caller text, p_now timestamp with time zone) returns TABLE(nth integer, item json, traceparent text) volatile;
-- function claim_runtime_refusal(p_tenant text, p_grant jsonb, p_runtime text, p_now timestamp with time zone) returns jsonb volatile;
-- function close_runs(p_tenant text, p_ends run_end[]) returns TABLE(id bigint, run_id text, record json) volatile;
-- function content_fits(p_content jsonb) returns boolean immutable;
-- function count_added_runs() returns trigger volatile;
-- function count_ahead(s agent_run, r agent_run, p_grant jsonb, p_among text, p_now timestamp with time zone) returns bigint stable;
-- function count_outcome(p_counts jsonb, p_outcome text) returns jsonb stable;
-- function count_pending(r agent_run, p_now timestamp with time zone) returns bigint stable;
-- function count_retention(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function create_run(p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamp with time zone) returns jsonb volatile;
-- function create_runs(p_tenant text, p_grants jsonb, p_inputs jsonb, p_skipped integer[], OUT outcomes jsonb[]) returns jsonb[] volatile;
-- function date_event(p_event jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function distrust_plans() returns void volatile;
-- function effect_refusal(r agent_run, p_input jsonb, p_now timestamp with time zone) returns jsonb volatile;
-- function end_plain_runs(p_tenant text, p_ends jsonb, OUT ended json, OUT queued integer[]) returns record volatile;
-- function end_run(r agent_run, p_status text, p_reason text, p_now timestamp with time zone, p_usage jsonb, p_cost jsonb, p_metadata jsonb) returns agent_run volatile;
-- function end_runs(p_tenant text, p_ends run_end[]) returns TABLE(run bigint, record json, queued boolean) volatile;
-- function epoch_ms(p_at timestamp with time zone) returns bigint stable;
-- function epoch_seconds(p_at timestamp with time zone) returns bigint stable;
-- function event_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function event_json(e agent_run_event) returns json stable;
-- function event_log_json(e event_log) returns json stable;
-- function event_log_record(e event_log) returns jsonb stable;
-- function event_publish(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function event_receipt(p_id bigint, p_run_id text, p_sequence bigint, p_type text, p_source text, p_epoch bigint, p_at timestamp with time zone) returns jsonb stable;
-- function event_record(e agent_run_event) returns jsonb stable;
-- function event_summary(p_text text) returns text immutable;
-- function executor_refusal(t agent_run, p_grant jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function fail_run(r agent_run, p_data jsonb, p_usage jsonb, p_now timestamp with time zone) returns agent_run volatile;
-- function fence_refusal(s agent_run, p_grant jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function find_event(p_tenant text, p_event text) returns event_log stable;
-- function find_live_run(p_tenant text, p_event jsonb, p_runner text, p_now timestamp with time zone) returns agent_run volatile;
-- function find_plugins(p_tenant text, p_identities jsonb) returns TABLE(tenant_id text, plugin_identity text, enabled boolean, permissions jsonb, active_key_id text) stable;
-- function find_run(p_tenant text, p_run text) returns agent_run stable;
-- function follow_snapshot(p_snapshot jsonb, p_event jsonb) returns jsonb stable;
-- function has_capability(s agent_run, t agent_run, p_grant jsonb, p_now timestamp with time zone) returns boolean stable;
-- function hash_scope(p_scope text, p_members text) returns text immutable;
-- function heartbeat_deadline(p_input jsonb, p_now timestamp with time zone) returns timestamp with time zone stable;
-- function hold_runtime(m agent_runtime, p_grant jsonb, p_input jsonb, p_now timestamp with time zone) returns jsonb volatile;
-- function holds(p_held jsonb) returns boolean immutable;
-- function holds_in_workspace(p_held jsonb, p_workspace text) returns boolean immutable;
-- function holds_unlimited(p_held jsonb) returns boolean immutable;
-- function in_conversation(s agent_run, p_conversation text, p_bot text, p_workspace text, p_thread text) returns boolean immutable;
-- function in_scope(s agent_run, t agent_run) returns boolean immutable;
-- function insert_event_row(p_tenant text, p_input jsonb, r agent_run, p_published jsonb, p_now timestamp with time zone) returns boolean volatile;
-- function insert_event_rows(p_tenant text, p_inputs jsonb, p_ids bigint[], p_published jsonb, p_at timestamp with time zone[], OUT event_ids text[]) returns text[] volatile;
-- function insert_follow_run(r agent_run, s agent_run_steering, p_now timestamp with time zone) returns agent_run volatile;
-- function insert_plugin_token(p_tenant text, p_input jsonb, p_now timestamp with time zone) returns void volatile;
-- function insert_retry(t agent_run, p_input jsonb, p_deadline timestamp with time zone, p_now timestamp with time zone) returns agent_run volatile;
-- function insert_runs(p_tenant text, p_grants jsonb, p_inputs jsonb, p_skipped integer[], OUT ids bigint[], OUT at timestamp with time zone[]) returns record volatile;
-- function interaction_cancel(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function interaction_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function interaction_record(i agent_interaction) returns jsonb stable;
-- function interaction_submit(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function invalid_param(p_path text, p_message text) returns jsonb stable;
-- function is_admin_write(t agent_run, p_grant jsonb, p_now timestamp with time zone) returns boolean stable;
-- function is_claimable(r agent_run, p_runtime text, p_now timestamp with time zone) returns boolean immutable;
-- function is_claimer(r agent_run, p_caller text, p_now timestamp with time zone) returns boolean immutable;
-- function is_deliverable(s agent_run_steering, p_now timestamp with time zone) returns boolean immutable;
-- function is_live(r agent_run, p_now timestamp with time zone) returns boolean stable;
-- function is_reached(o agent_run_open, p_reach jsonb) returns boolean immutable;
-- function is_readable(r agent_run, p_read_days integer, p_now timestamp with time zone) returns boolean stable;
-- function is_terminal(p_status text) returns boolean immutable;
-- function is_user_message(p_event jsonb) returns boolean immutable;
-- function json_bytes(p_value jsonb) returns bigint immutable;
-- function json_member(p_name text, p_value text) returns text immutable;
-- function json_texts(p_list jsonb) returns text[] immutable;
-- function judge_creates(p_tenant text, p_grants jsonb, p_inputs jsonb, OUT others integer[]) returns integer[] volatile;
-- function judge_results(p_tenant text, p_grants jsonb, p_inputs jsonb, OUT events new_event[], OUT places integer[], OUT others integer[]) returns record volatile;
-- function known_tenants() returns SETOF text stable;
-- function lease_active(r agent_run, p_now timestamp with time zone) returns boolean immutable;
-- function list_steering_news(p_tenant text, p_runs text[], p_now timestamp with time zone) returns jsonb stable;
-- function load_runs(p_tenant text, p_grant jsonb, p_lock boolean, OUT s agent_run, OUT t agent_run) returns record volatile;
-- function lock_claims(p_tenant text, p_grants jsonb) returns TABLE(place integer, run_id text, run bigint, caller text, runtime_id text, at timestamp with time zone, proved boolean, claim_epoch bigint, last_sequence bigint, conversation_id text, plugin_identity text) volatile;
-- function lock_expired_runs(p_tenant text, p_cut timestamp with time zone, p_limit integer) returns text[] volatile;
-- function lock_plugin(p_tenant text, p_identity text) returns void volatile;
-- function lock_runs(p_tenant text, p_grants jsonb) returns void volatile;
-- function lock_scopes(p_tenant text, p_grants jsonb, p_inputs jsonb, p_places integer[]) returns void volatile;
-- function log_event_of(p_tenant text, p_input jsonb, p_now timestamp with time zone) returns boolean volatile;
-- function log_result_message(r agent_run, p_input jsonb, p_now timestamp with time zone) returns void volatile;
-- function log_run_event(p_tenant text, p_input jsonb, r agent_run, p_now timestamp with time zone) returns boolean volatile;
-- function log_user_message(p_tenant text, p_input jsonb, p_event jsonb, r agent_run, p_now timestamp with time zone) returns void volatile;
-- function log_user_messages(p_tenant text, p_inputs jsonb, p_ids bigint[], p_at timestamp with time zone[]) returns void volatile;
-- function made_run(p_id bigint, p_at timestamp with time zone) returns jsonb stable;
-- function make_id(p_prefix text) returns text volatile;
-- function missing(p_kind text, p_id text) returns jsonb stable;
-- function name_run(p_input jsonb, r agent_run) returns jsonb stable;
-- function note_admin_claim(p_tenant text, p_ask claim_ask, p_id bigint) returns void volatile;
-- function note_reclaim(r agent_run, p_runtime text, p_now timestamp with time zone) returns void volatile;
-- function online_for_run(m agent_runtime, r agent_run, p_fleet jsonb, p_now timestamp with time zone) returns boolean stable;
-- function open_rows(r agent_run) returns SETOF agent_run_open immutable;
-- function parent_refusal(p_tenant text, p_grant jsonb, p_parent text) returns jsonb stable;
-- function pending_refusal(i agent_interaction, p_now timestamp with time zone) returns jsonb volatile;
-- function permission_missing(p_permission text) returns jsonb stable;
-- function place_moved_run() returns trigger volatile;
-- function place_new_runs() returns trigger volatile;
-- function place_removed_runs() returns trigger volatile;
-- function plugin_record(p plugin, p_config_permissions jsonb) returns jsonb stable;
-- function plugin_register(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function plugin_rotate_token(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function plugin_set_enabled(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function plugin_target(p_identity text) returns jsonb stable;
-- function prompt_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function published_outcome(e event_log, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function ready_runs(p_tenant text, p_reach jsonb, p_rank integer, p_id bigint, p_limit integer, p_now timestamp with time zone) returns SETOF claim_candidate stable;
-- function refusal(p_code text, p_details jsonb) returns jsonb stable;
-- function refused(p_code text, p_reason text) returns jsonb stable;
-- function renew_runs(p_tenant text, p_runs bigint[], p_seconds integer[], p_at timestamp with time zone[]) returns TABLE(run bigint, record jsonb) volatile;
-- function repeat_receipt(e agent_run_event) returns jsonb stable;
-- function repeated_retry(r agent_run, t agent_run, p_input jsonb) returns jsonb stable;
-- function repeated_run(r agent_run, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function request_interaction(r agent_run, p_asked jsonb, p_sequence bigint, p_now timestamp with time zone) returns jsonb volatile;
-- function requeue_run(r agent_run, p_reason text, p_back_off boolean, p_not_before timestamp with time zone, p_now timestamp with time zone) returns agent_run volatile;
-- function result_rejected(p_type text, p_path text, p_message text) returns jsonb stable;
-- function retry_state_refusal(t agent_run, p_grant jsonb, p_owner_alone boolean, p_now timestamp with time zone) returns jsonb stable;
-- function return_leased_steering(r agent_run, p_now timestamp with time zone) returns void volatile;
-- function run_append(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_append_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF jsonb volatile;
-- function run_cancel(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_claim(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_claim_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF json volatile;
-- function run_create(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_create_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF jsonb volatile;
-- function run_create_refusal(p_tenant text, p_grant jsonb, p_input jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function run_detail(r agent_run) returns jsonb stable;
-- function run_emit(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_emit_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF jsonb volatile;
-- function run_explain(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function run_finalize(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_finalize_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF json volatile;
-- function run_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function run_json(r agent_run) returns json stable;
-- function run_record(r agent_run) returns jsonb stable;
-- function run_release(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_release_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF jsonb volatile;
-- function run_renew(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_renew_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF jsonb volatile;
-- function run_retry(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function run_stats(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function run_target(r agent_run) returns jsonb stable;
-- function runner_record(r runner) returns jsonb stable;
-- function runner_refusal(p_tenant text, p_runner text, p_unregistered_ok boolean) returns jsonb stable;
-- function runner_register(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function runner_stats(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function runtime_deregister(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function runtime_heartbeat(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function runtime_heartbeat_batch(p_tenant text, p_grants jsonb, p_inputs jsonb) returns SETOF jsonb volatile;
-- function runtime_is_stale(r agent_runtime, p_now timestamp with time zone) returns boolean immutable;
-- function runtime_listed_status(r agent_runtime, p_now timestamp with time zone) returns text immutable;
-- function runtime_record(r agent_runtime, p_now timestamp with time zone) returns jsonb stable;
-- function runtime_register(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function runtime_stats(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb stable;
-- function runtime_status(r agent_runtime) returns text immutable;
-- function seconds_between(p_from timestamp with time zone, p_to timestamp with time zone) returns double precision immutable;
-- function session_refusal(s agent_run, p_grant jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function set_state(r agent_run, p_state jsonb, p_now timestamp with time zone, OUT refusal jsonb, OUT version bigint) returns record volatile;
-- function settle_leftovers(r agent_run, p_now timestamp with time zone) returns void volatile;
-- function show_run(r agent_run) returns shown_run stable;
-- function shows_claim(p_grant jsonb) returns boolean immutable;
-- function special_runs(p_tenant text, p_reach jsonb, p_runtimes text[], p_rank integer, p_id bigint, p_limit integer, p_now timestamp with time zone) returns SETOF claim_candidate stable;
-- function state_delete(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function state_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function state_list(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function state_reasons(r agent_run, p_now timestamp with time zone) returns jsonb stable;
-- function state_refusal(r agent_run, p_scope text) returns jsonb stable;
-- function state_set(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function stats_rate(p_part bigint, p_whole bigint) returns numeric immutable;
-- function stats_seconds(p_seconds double precision) returns numeric immutable;
-- function stats_window(p_grant jsonb, p_input jsonb, OUT refusal jsonb, OUT start_time bigint, OUT end_time bigint) returns record stable;
-- function steer_interaction(i agent_interaction, p_type text, p_now timestamp with time zone) returns void volatile;
-- function steering_ack(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function steering_news(r agent_run, p_now timestamp with time zone) returns jsonb stable;
-- function steering_pull(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function steering_record(s agent_run_steering, r agent_run, i agent_interaction) returns jsonb stable;
-- function store_event(r agent_run, p_grant jsonb, p_input jsonb, p_now timestamp with time zone, p_by_admin boolean) returns jsonb volatile;
-- function store_events(p_tenant text, p_events new_event[]) returns SETOF jsonb volatile;
-- function store_plain_results(p_tenant text, p_runs jsonb, p_events jsonb) returns TABLE(run_id text, sequence double precision, id double precision, claim_epoch double precision, created_at_ms double precision) volatile;
-- function submission_issue(p_path text, p_message text) returns jsonb stable;
-- function submission_issues(p_request jsonb, p_submission jsonb) returns jsonb immutable;
-- function sweep_deadlines(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function sweep_interactions(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function sweep_leases(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function sweep_retention(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function sweep_runtimes(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function sweep_steering(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb volatile;
-- function take_duty(p_duty text, p_holder text, p_seconds double precision) returns boolean volatile;
-- function take_runs(p_tenant text, p_reach jsonb, p_asks claim_ask[], p_now timestamp with time zone) returns TABLE(place integer, runs json) volatile;
-- function takes_message(r agent_run, p_event jsonb, p_runner text, p_now timestamp with time zone) returns boolean stable;
-- function tenants_with_due_work(p_retention_days integer) returns SETOF text stable;
-- function trace_steering(s agent_run_steering, r agent_run, p_status text, p_facts jsonb, p_now timestamp with time zone) returns void volatile;
-- function transcript_json(t transcript, p_attachments boolean) returns json stable;
-- function transcript_record(t transcript, p_attachments boolean) returns jsonb stable;
-- function transition_detail(p_from text, r agent_run, p_extra jsonb) returns jsonb stable;
-- function uncovered_permission(p_unlimited jsonb, p_wanted text[]) returns text immutable;
-- function value_problem(p_field jsonb, p_value jsonb) returns text immutable;
-- function waiting_plugins(p_tenant text, p_reach jsonb) returns SETOF text stable;
-- function write_admission(s agent_run, t agent_run, p_grant jsonb, p_now timestamp with time zone) returns jsonb stable;
-- function write_audit(p_tenant text, p_grant jsonb, p_permission text, p_target jsonb, p_detail jsonb) returns void volatile;
-- function write_host_audit(p_tenant text, p_action text, r agent_run, p_detail jsonb, p_now timestamp with time zone) returns void volatile;
