// `runhost serve` and `runhost migrate`: the commands that work on the database itself, not through
// a host. Both read the host's configuration and refuse a wrong one before anything starts.

import { readConfig, type Config } from "../config.js";
import { Refusal } from "../contract/errors.js";
import { serve } from "../process/serve.js";
import { createDatabase } from "../sql/database.js";
import { migrate, readMigrations } from "../sql/migrate.js";
import { withDatabaseUrl } from "./operate/own_database.js";
import { Failure, printResult, type Invocation } from "./output.js";

/** Ends the process when the host has stopped. */
export async function serveHost({ environment }: Invocation): Promise<void> {
  // serve refuses the same with exit code 1; here an unusable configuration has one of its own.
  readConfig(environment);
  await serve(environment);
}

export async function migrateDatabase(invocation: Invocation): Promise<void> {
  const config = readConfig(invocation.environment);
  const known = await readMigrations();
  const applied = await withDatabaseUrl(config, (url) => applyMigrations(config, url));
  const version = known.at(-1)?.version ?? 0;
  const names = known
    .filter((migration) => applied.includes(migration.version))
    .map((migration) => `Applied ${migration.version} (${migration.name})`);
  const summary = names.length === 0 ? "Nothing to apply: the" : "The";
  printResult(invocation, { applied, version }, [
    ...names,
    `${summary} schema has version ${version}.`,
  ]);
}

async function applyMigrations(config: Config, url: string): Promise<number[]> {
  const { prepare, statement_timeout_ms } = config;
  const silent = { warn: () => undefined, debug: () => undefined };
  const database = createDatabase({
    url, prepare, statement_timeout_ms, pool_size: 1, log: silent,
  });
  try {
    await database.ping();
    return await migrate(database);
  } catch (thrown) {
    if (thrown instanceof Refusal) throw new Failure(`DATABASE_URL: ${thrown.message}`);
    throw thrown;
  } finally {
    await database.close();
  }
}
