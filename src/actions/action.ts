// What an action is: one declaration with its params, result, access and refusals, and a handler
// that sees neither the socket nor SQL. dispatch keeps the declarations and walks every call.

import type { z } from "zod";
import type { Access } from "../contract/access.js";
import type { ActionName } from "../contract/action_names.js";
import type { ErrorCode } from "../contract/errors.js";
import type { Grant } from "../contract/grants.js";
import type { Run } from "../contract/records.js";
import type { Ledger } from "../ledger/ledger.js";

/** Who a connection has proved to be. */
export interface Principal {
  tenant_id: string;
  plugin_identity: string;
}

/** What one subscription asks for. */
export interface WantedSubscription {
  /** What admits it; the target is the run to follow. */
  grant: Grant<"read">;
  again(): Promise<Grant<"read">>;
  after_sequence: number;
  run: Run;
}

/** What the few actions that concern the connection itself may know and do about it. */
export interface CallingConnection {
  readonly principal: Principal | null;
  /** Proves an identity; refuses with UNAUTHENTICATED for every kind of unusable token. */
  login(plugin_token: string): Promise<Principal>;
  /** Names held by the principal, union of table and configuration, sorted. */
  permissions(principal: Principal): readonly string[];
  /** A claim was made over this connection: cancel requests of the run are pushed to it. */
  noteClaim(claim: { tenant_id: string; run_id: string; claim_epoch: number }): void;
  /** Sends nothing before `begin`; refuses with OVERLOADED past the limit of one connection. */
  subscribe(wanted: WantedSubscription): { subscription_id: string; begin(): void };
  /** Nothing is sent for it from now on; false for one that this connection does not hold. */
  unsubscribe(subscription_id: string): boolean;
}

/** Facts about the serving host. */
export interface HostFacts {
  name: string;
  version: string;
  limits: { max_message_bytes: number; max_batch: number; max_in_flight: number };
  openrpc(): unknown;
}

export interface CallLog {
  info(fields: Record<string, unknown>, message: string): void;
  debug(fields: Record<string, unknown>, message: string): void;
}

export interface Call<Params, A extends Access> {
  params: Params;
  /** The params as sent, less caller_plugin_identity and _meta: what fingerprints count. */
  sent: Record<string, unknown>;
  grant: Grant<A["kind"]>;
  /** The grant of this call under what the caller may do by now; refuses as the ladder does. */
  again(): Promise<Grant<A["kind"]>>;
  /** Runs `work` once the answer, or its batch, is on its way; never on a gone connection. */
  afterAnswer(work: () => void): void;
  ledger: Ledger;
  /** W3C; what a run made by this call remembers as the trace that it belongs to. */
  traceparent: string | null;
  /** Aborted when the connection has closed or the host stops waiting. */
  signal: AbortSignal;
  log: CallLog;
  connection: CallingConnection;
  host: HostFacts;
}

export interface Action<P extends z.ZodType, R extends z.ZodType, A extends Access> {
  name: ActionName;
  /** One sentence for people; published by rpc.discover. */
  summary: string;
  params: P;
  result: R;
  access: A;
  /** The refusals that the handler itself may give beyond those of the ladder. */
  errors: readonly ErrorCode[];
  /** The run that the raw params write to: such calls keep their order on a connection. */
  writesTo?: (params: Record<string, unknown>) => string | null;
  /** The ledger has the write when `handle` returns, and keeps the order in which it got them: the
      next call of this method on the run need not wait until this one took effect. */
  ordered?: true;
  handle(call: Call<z.output<P>, A>): Promise<z.input<R>>;
  /** The param that may hold a list of such params instead of them: the call is then answered item
      by item, and each item is judged as if it had come alone. */
  list?: "results" | "runs";
  /** A wait that follows the write; later writes to the same run do not queue behind it. */
  settle?: (call: Call<z.output<P>, A>, result: z.input<R>) => Promise<z.input<R>>;
}

/** Any action, as dispatch keeps it. */
export type AnyAction = Action<z.ZodType, z.ZodType, Access>;

export interface ActionHost {
  action<P extends z.ZodType, R extends z.ZodType, A extends Access>(
    declared: Action<P, R, A>,
  ): void;
}

/** Returns the declaration unchanged; it exists to infer the types of params, result and grant. */
export function defineAction<P extends z.ZodType, R extends z.ZodType, A extends Access>(
  declared: Action<P, R, A>,
): Action<P, R, A> {
  return declared;
}

/** The run that a call names as its target, read from params that no schema has seen yet. */
export function namedTarget(params: Record<string, unknown>): string | null {
  const named = params["target_run_id"] ?? params["run_id"];
  return typeof named === "string" ? named : null;
}
