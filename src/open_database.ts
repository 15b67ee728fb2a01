// The database of one host: the configured one or an embedded Postgres, reachable and migrated, or
// a rejection that says why. Called by main only.

import type { Config } from "./config.js";
import { Refusal } from "./contract/errors.js";
import { startEmbeddedPostgres } from "./embedded/start.js";
import { createDatabase, type Database, type DatabaseLog } from "./sql/database.js";
import { migrate } from "./sql/migrate.js";
import type { Readiness } from "./wire/server.js";

export interface DatabaseParts {
  config: Config;
  options: {
    on_statement?: (name: string) => void;
    postgres_settings?: Record<string, string>;
  };
  log: DatabaseLog & { info: DatabaseLog["warn"] };
  undo: (() => unknown)[];
}

/** Pushes what closes it on `undo`, also when it rejects half-way. */
export async function openDatabase(parts: DatabaseParts): Promise<Database> {
  const { config, options, log, undo } = parts;
  let url = config.database_url;
  if (url === null) {
    const embedded = await startEmbeddedPostgres({
      dataDir: config.data_dir,
      log: (line) => log.info({}, line),
      settings: options.postgres_settings,
    });
    undo.push(() => embedded.stop());
    url = embedded.url;
  }
  const { prepare, statement_timeout_ms, bounds } = config;
  const { on_statement } = options;
  const { pool_size } = bounds;
  const database = createDatabase({
    url, prepare, statement_timeout_ms, pool_size, log, on_statement,
  });
  undo.push(() => database.close());
  await waitForDatabase(database, bounds.database_start_seconds);
  const applied = await migrate(database);
  if (applied.length > 0) log.info({ applied }, "migrations applied");
  return database;
}

async function waitForDatabase(database: Database, start_seconds: number): Promise<void> {
  const until_ms = performance.now() + start_seconds * 1000;
  for (;;) {
    const readiness = await askReadiness(database);
    if (readiness.ready) return;
    if (performance.now() > until_ms) throw new Error(`DATABASE_URL: ${readiness.reason}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function askReadiness(database: Database): Promise<Readiness> {
  try {
    await database.ping();
    return { ready: true };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ready: false, reason: thrown.message };
    throw thrown;
  }
}
