// Calls one SQL function of the migrations: (tenant, grant, input) → one JSON outcome. Every
// mutation of the ledger is one such call, one autocommit statement that judges, locks, writes and
// audits. `…_batch` takes many: equally long arrays of grants and inputs, one outcome for each, in
// their order, each what the write alone would be answered.

import type { GrantFacts } from "../contract/grants.js";
import type { Json, Sql } from "./database.js";

export type LedgerFunction =
  | "plugin_register" | "plugin_rotate_token" | "plugin_set_enabled"
  | "run_create" | "run_get" | "run_explain" | "run_cancel" | "run_finalize"
  | "run_append" | "run_emit"
  | "run_claim" | "run_renew" | "run_release"
  | "runner_register"
  | "runtime_register" | "runtime_heartbeat" | "runtime_deregister"
  | "run_retry" | "run_stats" | "runner_stats" | "runtime_stats"
  | "sweep_runtimes" | "sweep_deadlines" | "sweep_leases" | "sweep_interactions"
  | "event_publish" | "event_get" | "prompt_get" | "steering_pull" | "steering_ack"
  | "state_get" | "state_set" | "state_delete" | "state_list"
  | "interaction_get" | "interaction_submit" | "interaction_cancel"
  | "sweep_steering" | "sweep_retention" | "count_retention";

/** Functions that also stand as `<name>_batch`. */
export type BatchFunction = Extract<
  LedgerFunction,
  | "run_append" | "run_emit" | "run_finalize" | "run_renew" | "run_release"
  | "run_claim" | "run_create" | "runtime_heartbeat"
>;

/** What every function answers: a refusal as JSON, or the facts that it names. */
export type Outcome = { refusal?: { code: string } & Record<string, unknown> } & Record<
  string,
  unknown
>;

export interface FunctionCall {
  tenant_id: string;
  grant: GrantFacts;
  input: object;
}

export const callLedgerFunction = (sql: Sql, name: LedgerFunction, call: FunctionCall) =>
  sql<{ outcome: Outcome }[]>`
    select ${sql(name)}(${call.tenant_id}, ${sql.json(call.grant as unknown as Json)},
      ${sql.json(call.input as unknown as Json)}) as outcome`;

export interface BatchCall {
  tenant_id: string;
  /** JSON arrays, written already: each write is serialized once, when it comes. */
  grants: string;
  inputs: string;
}

export const callBatchFunction = (sql: Sql, name: BatchFunction, call: BatchCall) =>
  sql<{ outcome: Outcome }[]>`
    select ${sql(`${name}_batch`)}(${call.tenant_id}, ${call.grants}::text::jsonb,
      ${call.inputs}::text::jsonb) as outcome`;
