// What the families of the ledger share. `told` is what the ledger says after a commit; whoever
// hears it treats it as a hint.

import type { Database } from "../sql/database.js";
import type { CancelFact } from "../sql/cancel_requested.js";
import type { SteeringFact } from "../sql/steering_news.js";
import type { Operate } from "./answers.js";

export type { CancelFact } from "../sql/cancel_requested.js";
export type { SteeringFact } from "../sql/steering_news.js";

export interface Told {
  eventStored(named: { tenant_id: string; run_id: string }): void;
  steeringAvailable(fact: SteeringFact): void;
  runClaimable(tenant_id: string): void;
  runEnded(named: { tenant_id: string; run_id: string }): void;
  cancelRequested(fact: CancelFact): void;
  pluginChanged(named: { tenant_id: string; plugin_identity: string }): void;
}

/** Waiting for what a signal may tell; begun before the ledger is looked at, so none is missed. */
export interface Wait {
  /** Resolves at the signal, after `wait_ms`, or when `signal` aborts. */
  within(wait_ms: number, signal: AbortSignal): Promise<void>;
  forget(): void;
}

export interface Waits {
  /** Of claims of one kind, a signal wakes one; `wakeNextClaim` when that one leaves. */
  untilRunClaimable(claim: { tenant_id: string; kind: string }): Wait;
  wakeNextClaim(claim: { tenant_id: string; kind: string }): void;
  untilRunEnded(named: { tenant_id: string; run_id: string }): Wait;
}

export interface ConfiguredClaimer {
  plugin_identity: string;
  /** Null: without a limit. */
  workspaces: readonly string[] | null;
}

export interface LedgerParts {
  database: Database;
  operate: Operate;
  told: Told;
  waits: Waits;
  /** Permissions that the configuration adds to an identity; empty when its entry is disabled. */
  config_permissions(named: { tenant_id: string; plugin_identity: string }): readonly string[];
  /** Identities of a tenant that may claim any run, or those of some workspaces, by configuration
      or because they are built in. */
  config_claimers(tenant_id: string): readonly ConfiguredClaimer[];
}

/** Tells what a statement answered about steering: one fact, a list, or nothing. */
export function tellSteering(told: Told, tenant_id: string, news: unknown): void {
  const facts = (Array.isArray(news) ? news : [news]) as (Omit<SteeringFact, "tenant_id"> | null)[];
  for (const fact of facts) {
    if (fact) told.steeringAvailable({ ...fact, tenant_id });
  }
}

/** Tells that a run ended, and that there is something to claim. */
export function tellAftermath(
  told: Told,
  named: { tenant_id: string; run_id: string },
  done: Readonly<Record<string, unknown>>,
): void {
  if (done["ended"] === true) told.runEnded(named);
  if (done["queued"] === true) told.runClaimable(named.tenant_id);
}
