// How the schema in the database stands to the migrations of this code, without changing it. An
// empty database is at version 0.

import type { Database, Sql } from "./database.js";
import type { Migration } from "./migrate.js";

export interface SchemaState {
  /** `edited`: a migration that was applied differs from the one of that version in the code. */
  state: "current" | "older" | "newer" | "edited";
  applied: number;
  newest: number;
  /** Versions that are to be applied. */
  pending: number[];
}

interface AppliedMigration {
  version: number;
  sha256: string;
}

const undefinedTable = "42P01";

/** Refuses with UNAVAILABLE when the database does not answer. */
export async function readSchemaState(
  database: Database,
  known: readonly Migration[],
): Promise<SchemaState> {
  const rows = await readApplied(database);
  const applied = rows.at(-1)?.version ?? 0;
  const newest = known.at(-1)?.version ?? 0;
  const pending = known.map(({ version }) => version).filter((version) => version > applied);
  return { state: judge(rows, known), applied, newest, pending };
}

async function readApplied(database: Database): Promise<readonly AppliedMigration[]> {
  const select = (sql: Sql) =>
    sql<AppliedMigration[]>`select version, sha256 from runhost_migration order by version`;
  try {
    return await database.query("schema_state", select);
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === undefinedTable) return [];
    throw thrown;
  }
}

function judge(
  rows: readonly AppliedMigration[],
  known: readonly Migration[],
): SchemaState["state"] {
  const isForeign = rows.some((row, place) => known[place]?.version !== row.version);
  if (isForeign) return "newer";
  if (rows.some((row, place) => known[place]?.sha256 !== row.sha256)) return "edited";
  return rows.length < known.length ? "older" : "current";
}
