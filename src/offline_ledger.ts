// The ledger without a host: for a command that works on the database beside hosts, or when none
// runs. It changes no schema, and refuses one that is not this code's. Signals reach nobody; hosts
// find out by looking. Called by the command line only.

import { mintHostGrant } from "./authz/grant.js";
import type { Config } from "./config.js";
import type { Grant } from "./contract/grants.js";
import { createSignals } from "./feed/signals.js";
import { createWaits } from "./feed/waits.js";
import { createLedger, type CreatedLedger } from "./ledger/create.js";
import { createDatabase, type Database } from "./sql/database.js";
import { readMigrations, SchemaError } from "./sql/migrate.js";
import { readSchemaState } from "./sql/schema_state.js";

export interface OfflineLedger extends Pick<CreatedLedger, "ledger" | "tenants"> {
  grantOf(tenant_id: string): Grant<"permission">;
  close(): Promise<void>;
}

/** Counting may read whole tables; who typed the command can interrupt it. */
const statement_ms = 600_000;

export async function openOfflineLedger(
  config: Pick<Config, "prepare">,
  url: string,
): Promise<OfflineLedger> {
  const database = await openOfflineDatabase(config, url);
  const signals = createSignals(() => undefined);
  const { ledger, tenants } = createLedger({
    database, signals, waits: createWaits(signals), config_permissions: () => [],
    config_claimers: () => [],
  });
  return { ledger, tenants, grantOf: mintHostGrant, close: () => database.close() };
}

/** One connection to a database whose schema is this code's; SchemaError where it is not. */
export async function openOfflineDatabase(
  { prepare }: Pick<Config, "prepare">,
  url: string,
): Promise<Database> {
  const silent = { warn: () => undefined, debug: () => undefined };
  const database = createDatabase({
    url, prepare, statement_timeout_ms: statement_ms, close_ms: 1000, pool_size: 1, log: silent,
  });
  try {
    const { state, applied, newest } = await readSchemaState(database, await readMigrations());
    if (state !== "current") {
      const how = state === "edited" ? "other migrations than" : `a schema ${state} than`;
      throw new SchemaError(
        `the database has ${how} this runhost (version ${applied}, the code has ${newest})`,
      );
    }
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}
