// The records that answers and notifications carry, field by field as the contract lists them.
// Instants are whole seconds since the epoch, `*_ms` milliseconds; null only where the schema says.

import { z } from "zod";
import {
  cursor, id, identity, openObject, runnerId, runStatus, runtimeStatuses, text,
} from "./scalars.js";

const seconds = z.number().int();
const milliseconds = z.number().int();
const count = z.number().int();
const nullable = <T extends z.ZodType>(schema: T) => schema.nullable();

export const runShape = {
  id: count,
  run_id: id,
  runner_id: runnerId,
  plugin_identity: identity,
  created_by: identity,
  parent_run_id: nullable(id),
  event_id: nullable(id),
  agent_id: nullable(id),
  binding_id: nullable(id),
  conversation_id: nullable(id),
  thread_id: nullable(id),
  workspace_id: nullable(id),
  bot_id: nullable(id),
  dispatch: z.enum(["queued", "running"]),
  status: runStatus,
  status_reason: nullable(z.string()),
  queue_name: nullable(id),
  priority: count,
  requested_runtime_id: nullable(id),
  claimed_by_runtime_id: nullable(id),
  claim_lease_expires_at: nullable(seconds),
  claim_epoch: count,
  dispatch_attempts: count,
  max_attempts: count,
  not_before: nullable(seconds),
  last_claimed_at: nullable(seconds),
  last_sequence: count,
  created_at: seconds,
  created_at_ms: milliseconds,
  updated_at: seconds,
  started_at: nullable(seconds),
  started_at_ms: nullable(milliseconds),
  finished_at: nullable(seconds),
  finished_at_ms: nullable(milliseconds),
  deadline_at: nullable(seconds),
  cancel_requested_at: nullable(seconds),
  cancel_reason: nullable(z.string()),
  usage: nullable(openObject),
  cost: nullable(openObject),
  metadata: openObject,
  idempotent: z.literal(true).optional(),
};

/** What an item of a list was refused with: what its call alone would have been answered. */
export const itemError = z
  .object({ code: z.number(), message: z.string(), data: openObject })
  .meta({ id: "ItemError" });

export const run = z.object(runShape).meta({ id: "Run" });
export type Run = z.output<typeof run>;

const requestShape = {
  event: openObject,
  input: openObject,
  binding: openObject,
  delivery: openObject,
};

export const runDetail = z.object({ ...runShape, ...requestShape }).meta({ id: "RunDetail" });
export type RunDetail = z.output<typeof runDetail>;

export const workItem = z
  .object({
    ...runShape,
    ...requestShape,
    claim_token: z.string(),
    claim_lease_expires_at_ms: milliseconds,
    available_apis: z.record(z.string(), z.literal(true)),
    /** W3C; the trace that made the run, for its worker to continue. Absent: none is known. */
    traceparent: z.string().optional(),
  })
  .meta({ id: "WorkItem" });
export type WorkItem = z.output<typeof workItem>;

export const renewedRun = z
  .object({ ...runShape, claim_lease_expires_at_ms: milliseconds })
  .meta({ id: "RenewedRun" });
export type RenewedRun = z.output<typeof renewedRun>;

const eventShape = {
  id: count,
  run_id: id,
  sequence: count,
  type: text(100, 1),
  data: openObject,
  metadata: openObject,
  usage: nullable(openObject),
  source: z.string(),
  claim_epoch: nullable(count),
  created_at: seconds,
  created_at_ms: milliseconds,
  idempotent: z.literal(true).optional(),
};

export const runEvent = z.object(eventShape).meta({ id: "RunEvent" });
export type RunEvent = z.output<typeof runEvent>;

export const emittedEvent = z
  .object({ ...eventShape, run_status: runStatus })
  .meta({ id: "EmittedEvent" });
export type EmittedEvent = z.output<typeof emittedEvent>;

export const runtime = z
  .object({
    id: count,
    runtime_id: id,
    plugin_identity: identity,
    status: z.enum(runtimeStatuses),
    held: z.boolean(),
    is_stale: z.boolean(),
    display_name: nullable(z.string()),
    endpoint: nullable(z.string()),
    version: nullable(z.string()),
    capabilities: openObject,
    metadata: openObject,
    labels: openObject,
    last_heartbeat_at: seconds,
    heartbeat_deadline_at: seconds,
    created_at: seconds,
    updated_at: seconds,
  })
  .meta({ id: "Runtime" });
export type Runtime = z.output<typeof runtime>;

export const runnerDescriptor = z
  .object({
    id: runnerId,
    source: z.literal("plugin"),
    label: openObject,
    description: nullable(openObject),
    plugin_author: z.string(),
    plugin_name: z.string(),
    runner_name: z.string(),
    plugin_version: nullable(z.string()),
    config_schema: z.array(openObject),
    capabilities: openObject,
    permissions: openObject,
    raw_manifest: openObject,
    updated_at: seconds,
  })
  .meta({ id: "RunnerDescriptor" });
export type RunnerDescriptor = z.output<typeof runnerDescriptor>;

const pluginShape = {
  plugin_identity: identity,
  tenant_id: id,
  display_name: nullable(z.string()),
  permissions: z.array(z.string()),
  config_permissions: z.array(z.string()),
  enabled: z.boolean(),
  key_id: nullable(z.string()),
  metadata: openObject,
  created_at: seconds,
  updated_at: seconds,
  token_created_at: nullable(seconds),
  last_seen_at: nullable(seconds),
};

export const plugin = z.object(pluginShape).meta({ id: "Plugin" });
export type Plugin = z.output<typeof plugin>;

export const registeredPlugin = z
  .object({ ...pluginShape, created: z.boolean(), token: z.string().optional() })
  .meta({ id: "RegisteredPlugin" });
export type RegisteredPlugin = z.output<typeof registeredPlugin>;

export const pageShape = <T extends z.ZodType>(item: T) => ({
  items: z.array(item),
  next_cursor: nullable(cursor),
  prev_cursor: nullable(cursor),
  has_more: z.boolean(),
});

export const runPage = z
  .object({
    ...pageShape(run),
    total_count: nullable(count),
    total_is_capped: z.boolean(),
  })
  .meta({ id: "RunPage" });
export type RunPage = z.output<typeof runPage>;

export const runEventPage = z.object(pageShape(runEvent)).meta({ id: "RunEventPage" });
export type RunEventPage = z.output<typeof runEventPage>;

export const runtimePage = z
  .object({ ...pageShape(runtime), total_count: count })
  .meta({ id: "RuntimePage" });
export type RuntimePage = z.output<typeof runtimePage>;

export const runnerPage = z.object(pageShape(runnerDescriptor)).meta({ id: "RunnerPage" });
export type RunnerPage = z.output<typeof runnerPage>;

export const pluginPage = z.object(pageShape(plugin)).meta({ id: "PluginPage" });
export type PluginPage = z.output<typeof pluginPage>;

export const auditRecord = z
  .object({
    id: count,
    created_at: seconds,
    created_at_ms: milliseconds,
    domain: z.enum(["agent_run", "runtime", "plugin"]),
    actor: z.string(),
    via: nullable(identity),
    action: text(100),
    permission: nullable(z.string()),
    target_run_id: nullable(id),
    target_runtime_id: nullable(id),
    target_identity: nullable(z.string()),
    workspace_id: nullable(id),
    detail: openObject,
  })
  .meta({ id: "AuditRecord" });
export type AuditRecord = z.output<typeof auditRecord>;

export const auditPage = z.object(pageShape(auditRecord)).meta({ id: "AuditPage" });
export type AuditPage = z.output<typeof auditPage>;
