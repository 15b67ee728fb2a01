// What the families of the ledger share. `told` is what the ledger says after a commit; whoever
// hears it treats it as a hint.

import type { Database } from "../sql/database.js";
import type { CancelFact } from "../sql/cancel_requested.js";
import type { Operate } from "./answers.js";

export type { CancelFact } from "../sql/cancel_requested.js";

export interface Told {
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
  untilRunClaimable(tenant_id: string): Wait;
  untilRunEnded(named: { tenant_id: string; run_id: string }): Wait;
}

export interface LedgerParts {
  database: Database;
  operate: Operate;
  told: Told;
  waits: Waits;
  /** Permissions that the configuration adds to an identity; empty when its entry is disabled. */
  config_permissions(named: { tenant_id: string; plugin_identity: string }): readonly string[];
}
