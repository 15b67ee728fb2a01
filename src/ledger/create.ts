// Puts the families of the ledger together. main owns what it returns.

import type { Database } from "../sql/database.js";
import { readCancelRequests } from "../sql/cancel_requested.js";
import { readClock } from "../sql/clock_now.js";
import { Refusal } from "../contract/errors.js";
import { createOperate } from "./answers.js";
import { createClaims } from "./families/claims.js";
import { createEvents } from "./families/events.js";
import { createRunners, createRuntimes } from "./families/fleet.js";
import type { Ledger } from "./ledger.js";
import type { CancelFact, LedgerParts, Told, Waits } from "./parts.js";
import { createPluginReads, createPlugins, type PluginReads } from "./families/plugins.js";
import { createRuns } from "./families/runs.js";

export interface LedgerOptions {
  database: Database;
  signals: Told;
  waits: Waits;
  config_permissions: LedgerParts["config_permissions"];
}

export interface CreatedLedger {
  ledger: Ledger;
  plugin_reader: PluginReads;
  /** Cancels of live runs requested within the last `seconds`, on any host, of one tenant. */
  cancelRequests(wanted: { tenant_id: string; seconds: number }): Promise<readonly CancelFact[]>;
}

export function createLedger(options: LedgerOptions): CreatedLedger {
  const { database, signals, waits, config_permissions } = options;
  const parts: LedgerParts = {
    database,
    operate: createOperate(database),
    told: signals,
    waits,
    config_permissions,
  };
  const ledger: Ledger = {
    clock: { now: () => readDatabaseClock(database) },
    plugins: createPlugins(parts),
    runs: createRuns(parts),
    events: createEvents(parts),
    claims: createClaims(parts),
    runners: createRunners(parts),
    runtimes: createRuntimes(parts),
  };
  return {
    ledger,
    plugin_reader: createPluginReads(database),
    cancelRequests: (wanted) =>
      database.query("cancel_requested", (sql) => readCancelRequests(sql, wanted)),
  };
}

async function readDatabaseClock(database: Database): Promise<number | null> {
  try {
    const [row] = await database.query("clock_now", (sql) => readClock(sql));
    return row ? Math.floor(row.now_ms) : null;
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.code === "UNAVAILABLE") return null;
    throw thrown;
  }
}
