// Brings the schema up to this code: forward only, in one transaction under a lock, so that twenty
// hosts may start at once. Refuses a schema that is newer than the code, and a migration that was
// edited.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Database, Sql } from "./database.js";

export interface Migration {
  version: number;
  name: string;
  text: string;
  sha256: string;
}

export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** "runh" in ASCII: a transaction lock, so it also holds behind a transaction-pooling proxy. */
const lockKey = 0x72756e68;
const folder = new URL("../../migrations/", import.meta.url);

export async function readMigrations(from: URL = folder): Promise<Migration[]> {
  const files = (await readdir(from)).filter((file) => /^\d{6}_[a-z_]+\.sql$/.test(file)).sort();
  const migrations = await Promise.all(files.map(async (file) => {
    const text = await readFile(new URL(file, from), "utf8");
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { version: Number(file.slice(0, 6)), name: file.slice(7, -4), text, sha256 };
  }));
  if (migrations.length === 0) throw new SchemaError(`no migrations found in ${from.pathname}`);
  return migrations;
}

/** Applies what is missing; returns the applied versions in order. */
export async function migrate(
  database: Database,
  migrations?: readonly Migration[],
): Promise<number[]> {
  const known = migrations ?? (await readMigrations());
  return database.migrate(async (sql) => {
    await sql`select pg_advisory_xact_lock(${lockKey})`;
    await refuseOldServer(sql);
    await sql`create table if not exists runhost_migration (
      version int primary key, name text not null, sha256 text not null,
      applied_at timestamptz not null default now())`;
    const stored = await sql<{ version: number; name: string; sha256: string }[]>`
      select version, name, sha256 from runhost_migration order by version`;
    refuseForeignSchema(stored, known);
    const missing = known.slice(stored.length);
    for (const migration of missing) {
      await sql`insert into runhost_migration (version, name, sha256)
        values (${migration.version}, ${migration.name}, ${migration.sha256})`;
      await sql.unsafe(migration.text).simple();
    }
    return missing.map((migration) => migration.version);
  });
}

async function refuseOldServer(sql: Sql): Promise<void> {
  const [server] = await sql<{ version: string }[]>`
    select current_setting('server_version_num') as version`;
  if (Number(server?.version) < 150_000) {
    throw new SchemaError(`PostgreSQL 15 or later is needed; the server is ${server?.version}`);
  }
}

function refuseForeignSchema(
  stored: readonly { version: number; name: string; sha256: string }[],
  known: readonly Migration[],
): void {
  stored.forEach((row, index) => {
    const migration = known[index];
    if (!migration || migration.version !== row.version) {
      const newest = known.at(-1)?.version ?? 0;
      throw new SchemaError(
        `the database has schema version ${stored.at(-1)?.version} (${row.name}), newer than ` +
          `version ${newest} of this code: start a newer runhost`,
      );
    }
    if (migration.sha256 !== row.sha256) {
      throw new SchemaError(
        `migration ${row.version} (${row.name}) differs from the one that was applied`,
      );
    }
  });
}
