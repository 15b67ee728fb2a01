// The Postgres that everything is measured on: the one of DATABASE_URL, or the embedded one in a new
// folder, with the durability that it has by default. Every subject gets a database of its own there,
// which is dropped at the end.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";

/**
 * @typedef {object} Postgres
 * @property {string} folder A new one, for whatever is written while measuring.
 * @property {string} described
 * @property {(purpose: string) => Promise<Database>} createDatabase
 * @property {() => Promise<void>} checkpoint Before a measurement, so that it pays for no other.
 *
 * @typedef {object} Database
 * @property {string} url
 * @property {postgres.Sql} sql
 * @property {() => Promise<void>} drop
 */

/**
 * @param {import("./ending.js").Ending} ending
 * @returns {Promise<Postgres>}
 */
export async function openPostgres(ending) {
  const folder = await mkdtemp(join(tmpdir(), "runhost-bench-"));
  ending.atEnd(() => rm(folder, { recursive: true, force: true }));
  const server_url = process.env["DATABASE_URL"] ?? (await startEmbedded(ending, folder));
  const sql = postgres(server_url, { max: 1, onnotice: () => undefined });
  ending.atEnd(() => sql.end({ timeout: 5 }));
  const [facts] = await sql`select current_setting('server_version') as version,
    current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`;
  const from = process.env["DATABASE_URL"] === undefined ? "embedded" : "DATABASE_URL";
  let made = 0;
  return {
    folder,
    described: `PostgreSQL ${facts?.["version"]} (${from}), fsync=${facts?.["fsync"]}, ` +
      `synchronous_commit=${facts?.["commit"]}`,
    checkpoint: async () => void (await sql`checkpoint`.catch(() => undefined)),
    async createDatabase(purpose) {
      made += 1;
      const name = `runhost_bench_${process.pid}_${made}_${purpose}`;
      await sql`create database ${sql(name)}`;
      const url = new URL(server_url);
      url.pathname = `/${name}`;
      const own = postgres(url.href, { max: 2, onnotice: () => undefined });
      const drop = ending.atEnd(async () => {
        await own.end({ timeout: 5 });
        await sql`drop database if exists ${sql(name)} with (force)`;
      });
      return { url: url.href, sql: own, drop };
    },
  };
}

/**
 * @param {import("./ending.js").Ending} ending
 * @param {string} folder
 */
async function startEmbedded(ending, folder) {
  const door = new URL("../../../dist/embedded/start.js", import.meta.url).href;
  /** @type {typeof import("../../../src/embedded/start.js")} */
  const { startEmbeddedPostgres } = await import(door);
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, "postgres"), log: () => undefined,
  });
  ending.atEnd(() => server.stop());
  return server.url;
}
