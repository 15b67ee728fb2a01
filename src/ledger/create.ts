// Puts the families of the ledger together. main owns what it returns.

import type { Database } from "../sql/database.js";
import { readClock } from "../sql/clock_now.js";
import { listTenants } from "../sql/known_tenants.js";
import { readDueTenants, takeDuty } from "../sql/sweep_duty.js";
import { Refusal } from "../contract/errors.js";
import { createOperate } from "./answers.js";
import { createClaims } from "./families/claims.js";
import { createEvents } from "./families/events.js";
import { createRunners, createRuntimes } from "./families/fleet.js";
import { createFeedReads, type FeedReads } from "./feed_reads.js";
import type { Ledger } from "./ledger.js";
import type { LedgerParts, Told, Waits } from "./parts.js";
import { createHistory } from "./families/history.js";
import { createIngress } from "./families/ingress.js";
import { createInteractions } from "./families/interactions.js";
import { createPluginReads, createPlugins, type PluginReads } from "./families/plugins.js";
import { createRuns } from "./families/runs.js";
import { createAudit, createStatistics } from "./families/statistics.js";
import { createState } from "./families/state.js";
import { createSteering } from "./families/steering.js";
import { createSweeps } from "./families/sweeps.js";

export interface LedgerOptions {
  database: Database;
  signals: Told;
  waits: Waits;
  config_permissions: LedgerParts["config_permissions"];
  config_claimers: LedgerParts["config_claimers"];
}

export interface CreatedLedger {
  ledger: Ledger;
  plugin_reader: PluginReads;
  feed_reads: FeedReads;
  duty: {
    /** True while `holder` has the duty, for `seconds` from now by the database clock. */
    take(wanted: { duty: string; holder: string; seconds: number }): Promise<boolean>;
    /** Tenants in which something is due; 0 retention days look for none of it. */
    tenantsWithDueWork(retention_days: number): Promise<readonly string[]>;
  };
  tenants(): Promise<readonly string[]>;
}

export function createLedger(options: LedgerOptions): CreatedLedger {
  const { database, signals, waits, config_permissions, config_claimers } = options;
  const parts: LedgerParts = {
    database,
    operate: createOperate(database),
    told: signals,
    waits,
    config_permissions,
    config_claimers,
  };
  const ledger: Ledger = {
    clock: { now: () => readDatabaseClock(database) },
    plugins: createPlugins(parts),
    runs: createRuns(parts),
    events: createEvents(parts),
    claims: createClaims(parts),
    runners: createRunners(parts),
    runtimes: createRuntimes(parts),
    ingress: createIngress(parts),
    history: createHistory(parts),
    steering: createSteering(parts),
    state: createState(parts),
    interactions: createInteractions(parts),
    statistics: createStatistics(parts),
    audit: createAudit(parts),
    sweeps: createSweeps(parts),
  };
  return {
    ledger,
    plugin_reader: createPluginReads(database),
    feed_reads: createFeedReads(database),
    duty: {
      async take(wanted) {
        const [row] = await database.query("take_duty", (sql) => takeDuty(sql, wanted));
        return row?.taken === true;
      },
      async tenantsWithDueWork(days) {
        const rows = await database.query("due_tenants", (sql) => readDueTenants(sql, days));
        return rows.map(({ tenant_id }) => tenant_id);
      },
    },
    async tenants() {
      const rows = await database.query("known_tenants", (sql) => listTenants(sql));
      return rows.map(({ tenant_id }) => tenant_id);
    },
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
