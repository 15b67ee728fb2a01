// The tables of the drafted contract (actions.md, section 6), as a program with direct SQL would lay
// them out: runs, requests, event log and events, with the indexes of the draft. pgbench and the
// raw loop insert into the same table of events.

const tables = `
create table agent_run (
  tenant_id text not null, id bigint generated always as identity, run_id text not null,
  runner_id text not null, plugin_identity text not null, created_by text not null,
  event_id text, conversation_id text, workspace_id text, dispatch text not null,
  status text not null, status_reason text, queue_name text, priority smallint not null default 0,
  max_attempts int not null default 10, dispatch_attempts int not null default 0,
  claim_epoch bigint not null default 0, claimed_by_runtime_id text, claimed_by_identity text,
  claim_token_sha256 bytea, claim_lease_expires_at timestamptz, last_claimed_at timestamptz,
  last_sequence bigint not null default 0, created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz,
  deadline_at timestamptz, cancel_requested_at timestamptz, usage jsonb, cost jsonb,
  metadata jsonb not null default '{}', snapshot jsonb not null, request_fingerprint bytea,
  primary key (tenant_id, id), unique (tenant_id, run_id)) with (fillfactor = 80);
create index on agent_run (tenant_id, plugin_identity, priority desc, id) where status = 'queued';
create index on agent_run (tenant_id, queue_name, priority desc, id) where status = 'queued';
create index on agent_run (tenant_id, priority desc, id) where status = 'queued';
create index on agent_run (tenant_id, claim_lease_expires_at) where status = 'claimed';
create index on agent_run (tenant_id, claimed_by_runtime_id) where status = 'claimed';
create index on agent_run (tenant_id, deadline_at)
  where finished_at is null and deadline_at is not null;
create index on agent_run (tenant_id, conversation_id, id) where status in ('claimed', 'running');
create index on agent_run (tenant_id, runner_id, conversation_id, id desc);
create index on agent_run (tenant_id, created_by, id desc);
create index on agent_run (tenant_id, status, id desc);
create index on agent_run (tenant_id, conversation_id, id desc) where conversation_id is not null;
create index on agent_run (tenant_id, workspace_id, id desc) where workspace_id is not null;
create index on agent_run (tenant_id, created_at, runner_id);
create table agent_run_request (
  tenant_id text not null, run_id text not null, event jsonb not null, input jsonb not null,
  binding jsonb not null, delivery jsonb not null, primary key (tenant_id, run_id));
create table event_log (
  tenant_id text not null, id bigint generated always as identity, event_id text not null,
  event_type text not null, event_time timestamptz, source text not null, run_id text,
  metadata jsonb not null default '{}', created_at timestamptz not null default now(),
  primary key (tenant_id, id), unique (tenant_id, event_id));
`;

const events = `
create table agent_run_event (
  tenant_id text not null, id bigint generated always as identity, run_id text not null,
  sequence bigint not null, type text not null, data jsonb not null, usage jsonb,
  metadata jsonb not null default '{}', source text not null, written_by text not null,
  claim_epoch bigint, fingerprint bytea not null, created_at timestamptz not null default now(),
  primary key (tenant_id, run_id, sequence));
`;

/** @param {import("postgres").Sql} sql */
export const makeDirectTables = (sql) => sql.unsafe(tables + events);

/** @param {import("postgres").Sql} sql */
export const makeEventTable = (sql) => sql.unsafe(events);
