// One real Postgres for all test files: the server of TEST_DATABASE_URL, or an embedded one in a fresh
// directory. It holds one migrated template database, which every test file clones.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/embedded/start.js";
import { createDatabase } from "../../src/sql/database.js";
import { migrate } from "../../src/sql/migrate.js";

declare module "vitest" {
  export interface ProvidedContext {
    server_url: string;
    template: string;
  }
}

const silent = { warn: () => undefined, debug: () => undefined };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Fixtures are replayed against a host that somebody else runs; it has a database of its own.
  if (process.env["HOST_URL"] !== undefined) return async () => undefined;
  const given = process.env["TEST_DATABASE_URL"];
  const dataDir = await mkdtemp(join(tmpdir(), "runhost-test-"));
  const embedded = given ? null : await startEmbeddedPostgres({
    dataDir,
    log: () => undefined,
    // Tests of what is durable kill hosts and connections, not the machine.
    settings: { fsync: "off", max_connections: "300" },
  });
  const server_url = given ?? embedded?.url ?? "";
  const template = `runhost_template_${process.pid}`;
  await makeTemplate(server_url, template);
  project.provide("server_url", server_url);
  project.provide("template", template);
  return async () => {
    if (given) await runOnServer(server_url, (sql) => sql`drop database ${sql(template)}`);
    await embedded?.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

async function makeTemplate(server_url: string, template: string): Promise<void> {
  await runOnServer(server_url, (sql) => sql`create database ${sql(template)}`);
  const url = new URL(server_url);
  url.pathname = `/${template}`;
  const database = createDatabase({
    url: url.href, prepare: true, statement_timeout_ms: 30_000, pool_size: 1, log: silent,
  });
  await migrate(database);
  await database.close();
}

async function runOnServer(
  url: string,
  statement: (sql: postgres.Sql) => PromiseLike<unknown>,
): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await statement(sql);
  } finally {
    await sql.end();
  }
}
