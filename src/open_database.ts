// The database of one host: the configured one or an embedded Postgres, reachable and migrated, or
// a rejection that says why; and whether it is fit for service later on. Called by main only.

import type { Config } from "./config.js";
import { Refusal } from "./contract/errors.js";
import { startEmbeddedPostgres } from "./embedded/start.js";
import {
  createDatabase, type Database, type DatabaseLog, type DatabaseObserver,
} from "./sql/database.js";
import { migrate, readMigrations, type Migration } from "./sql/migrate.js";
import { readSchemaState } from "./sql/schema_state.js";
import type { Readiness } from "./wire/server.js";

export interface DatabaseParts {
  config: Config;
  options: {
    on_statement?: (name: string) => void;
    postgres_settings?: Record<string, string>;
    onEmbedded?: (embedded: { stop(): Promise<void> }) => void;
    onLost?: (cause: Error) => void;
  };
  log: DatabaseLog & { info: DatabaseLog["warn"]; error: DatabaseLog["warn"] };
  observer?: DatabaseObserver;
  undo: (() => unknown)[];
}

export interface OpenedDatabase {
  database: Database;
  /** For the metrics alone. A read that is slow or blocked keeps one of its two connections and
      none of those that calls need; they are opened when first used. */
  metrics_database: Database;
  /** Whether it answers, with the schema of this code. */
  askReadiness(): Promise<Readiness>;
}

/** A blocked read of the metrics is not given up sooner, or each scrape would leave one behind. */
const metrics_statement_ms = 60_000;

/** Pushes what closes it on `undo`, also when it rejects half-way. */
export async function openDatabase(parts: DatabaseParts): Promise<OpenedDatabase> {
  const { config, options, log, observer, undo } = parts;
  let url = config.database_url;
  if (url === null) {
    const embedded = await startEmbeddedPostgres({
      dataDir: config.data_dir,
      log: (line) => log.info({}, line),
      settings: options.postgres_settings,
      onLost: options.onLost
        ?? ((cause) => log.error({ err: cause }, "the embedded database is lost")),
    });
    undo.push(() => embedded.stop());
    options.onEmbedded?.(embedded);
    url = embedded.url;
  }
  const { prepare, statement_timeout_ms, bounds } = config;
  const { on_statement } = options;
  const { pool_size } = bounds;
  const database = createDatabase({
    url, prepare, statement_timeout_ms, pool_size, log, on_statement, observer,
  });
  undo.push(() => database.close());
  const quiet: DatabaseLog["debug"] = (fields, message) => log.debug(fields, message);
  const metrics_database = createDatabase({
    url,
    prepare,
    statement_timeout_ms: metrics_statement_ms,
    close_ms: 0,
    pool_size: 2,
    log: { warn: quiet, debug: quiet },
  });
  undo.push(() => metrics_database.close());
  const known = await readMigrations();
  const reach = async () => {
    await database.ping();
    return migrate(database, known);
  };
  const applied = await whenReached(reach, bounds.database_start_seconds);
  if (applied.length > 0) log.info({ applied }, "migrations applied");
  return { database, metrics_database, askReadiness: () => judgeReadiness(database, known) };
}

/** Migrations are one transaction: one that was cut short has changed nothing. */
async function whenReached<T>(reach: () => Promise<T>, start_seconds: number): Promise<T> {
  const until_ms = performance.now() + start_seconds * 1000;
  for (;;) {
    try {
      return await reach();
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      if (performance.now() > until_ms) throw new Error(`DATABASE_URL: ${thrown.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A host of another version may have migrated it since, someone restored an older one, or the
    database takes this host's user no more. */
async function judgeReadiness(
  database: Database,
  known: readonly Migration[],
): Promise<Readiness> {
  try {
    const { state, applied, newest } = await readSchemaState(database, known);
    if (state !== "older" && state !== "newer") return { ready: true };
    const reason = `the schema has version ${applied}, ${state} than version ${newest} of the code`;
    return { ready: false, reason };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ready: false, reason: thrown.message };
    const { code } = thrown as { code?: unknown };
    if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) throw thrown;
    return { ready: false, reason: `the database refuses this host (SQLSTATE ${code})` };
  }
}
