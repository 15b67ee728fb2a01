// What the families of the ledger share. `told` is what the ledger says after a commit; whoever
// hears it treats it as a hint.

import type { Database } from "../sql/database.js";
import type { CancelFact } from "../sql/cancel_requested.js";
import type { Operate } from "./outcome.js";
import type { Waits } from "./waits.js";

export type { CancelFact } from "../sql/cancel_requested.js";

export interface Told {
  runClaimable(tenant_id: string): void;
  runEnded(named: { tenant_id: string; run_id: string }): void;
  cancelRequested(fact: CancelFact): void;
  pluginChanged(named: { tenant_id: string; plugin_identity: string }): void;
}

export interface LedgerParts {
  database: Database;
  operate: Operate;
  told: Told;
  waits: Waits;
  /** Permissions that the configuration adds to an identity; empty when its entry is disabled. */
  config_permissions(named: { tenant_id: string; plugin_identity: string }): readonly string[];
}
