// A database of its own for one test file, cloned from the migrated template. The clone of a file that
// failed is kept, and named in the output, where the server outlives the run (TEST_DATABASE_URL).

import postgres from "postgres";
import { afterAll, beforeAll, inject } from "vitest";

export interface Clone {
  readonly url: string;
  /** A connection beside the host's, to look at rows and to plant them. */
  readonly sql: postgres.Sql;
}

let made = 0;

export async function cloneDatabase(): Promise<Clone & { drop(): Promise<void> }> {
  const server_url = inject("server_url");
  made += 1;
  const name = `runhost_${process.pid}_${Date.now()}_${made}`;
  const server = postgres(server_url, { max: 1, onnotice: () => undefined });
  await server`create database ${server(name)} template ${server(inject("template"))}`;
  await server.end();
  const url = new URL(server_url);
  url.pathname = `/${name}`;
  const sql = postgres(url.href, { max: 4, onnotice: () => undefined });
  return {
    url: url.href,
    sql,
    async drop() {
      await sql.end({ timeout: 5 });
      const again = postgres(server_url, { max: 1, onnotice: () => undefined });
      await again`drop database if exists ${again(name)} with (force)`;
      await again.end();
    },
  };
}

/** Clones before the tests of a file and drops after them, unless one failed. */
export function useClone(): () => Clone {
  let clone: Awaited<ReturnType<typeof cloneDatabase>> | undefined;
  beforeAll(async () => {
    clone = await cloneDatabase();
  });
  afterAll(async ({}, suite) => {
    const failed = suite.tasks.some((task) => task.result?.state === "fail");
    if (failed && process.env["TEST_DATABASE_URL"]) {
      console.error(`the database of the failed file is kept: ${new URL(clone?.url ?? "").pathname}`);
      await clone?.sql.end({ timeout: 5 });
      return;
    }
    await clone?.drop();
  });
  return () => {
    if (!clone) throw new Error("the clone is made in beforeAll");
    return clone;
  };
}
