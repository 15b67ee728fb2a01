// The door to Postgres: every statement is answered within its deadline, whatever the server does, and
// the pool comes back by itself.

import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createDatabase, type Database } from "../../src/sql/database.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
const opened: Database[] = [];
const warned: string[] = [];
const log = {
  warn: (_fields: unknown, message: string) => void warned.push(message),
  debug: () => undefined,
};

function open(options: { url?: string; timeout_ms?: number; pool_size?: number } = {}): Database {
  const database = createDatabase({
    url: options.url ?? clone().url,
    prepare: true,
    statement_timeout_ms: options.timeout_ms ?? 5000,
    pool_size: options.pool_size ?? 2,
    log,
  });
  opened.push(database);
  return database;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

const codeOf = (work: Promise<unknown>) =>
  work.then(() => "answered", (thrown: { code?: string }) => thrown.code ?? String(thrown));

const sleep = (database: Database, seconds: number) =>
  database.query("sleep", (sql) => sql`select pg_sleep(${seconds})`);

test("a statement past its deadline is UNAVAILABLE, and the next one is served", async () => {
  const database = open({ timeout_ms: 300, pool_size: 1 });
  expect(await codeOf(sleep(database, 3))).toBe("UNAVAILABLE");
  await database.ping();
  expect(warned).toContain("the connection pool is renewed");
});

test("waiting for a connection counts towards the deadline", async () => {
  const database = open({ timeout_ms: 400, pool_size: 1 });
  const answers = await Promise.all([sleep(database, 3), sleep(database, 3)].map(codeOf));
  expect(answers).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
});

test("a killed backend is UNAVAILABLE to its caller, not to the next one", async () => {
  const database = open({ pool_size: 1 });
  const sleeping = codeOf(database.query("sleep", (sql) => sql`select pg_sleep(30), 'doomed'`));
  const kill = () => clone().sql`select pg_terminate_backend(pid) from pg_stat_activity
    where query like '%doomed%' and pid <> pg_backend_pid()`;
  while ((await kill()).length === 0);
  expect(await sleeping).toBe("UNAVAILABLE");
  await database.ping();
});

test("a server that accepts and never answers is UNAVAILABLE", async () => {
  const server = await listen();
  const { port } = server.address() as { port: number };
  const database = open({ url: `postgres://nobody@127.0.0.1:${port}/none`, timeout_ms: 500 });
  expect(await codeOf(database.ping())).toBe("UNAVAILABLE");
  server.close();
});

test("nobody listening is UNAVAILABLE", async () => {
  const server = await listen();
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const database = open({ url: `postgres://nobody@127.0.0.1:${port}/none`, timeout_ms: 500 });
  expect(await codeOf(database.ping())).toBe("UNAVAILABLE");
});

test("a deadlock's victim is tried again and both are answered", async () => {
  await clone().sql`create table pair (id int primary key, n int not null)`;
  await clone().sql`insert into pair values (1, 0), (2, 0)`;
  await clone().sql.unsafe(`create function cross_add(a int, b int) returns void language plpgsql
    as $$ begin
      update pair set n = n + 1 where id = a;
      perform pg_sleep(0.2);
      update pair set n = n + 1 where id = b;
    end $$`);
  const database = open();
  const add = (a: number, b: number) =>
    database.query("cross_add", (sql) => sql`select cross_add(${a}, ${b})`);
  expect(await Promise.all([codeOf(add(1, 2)), codeOf(add(2, 1))])).toEqual(["answered", "answered"]);
  expect(await clone().sql`select n from pair order by id`).toEqual([{ n: 2 }, { n: 2 }]);
});

test("what Postgres refuses is a defect of ours, not UNAVAILABLE", async () => {
  const database = open();
  const refused = database.query("broken", (sql) => sql`select 1 / 0`);
  expect(await codeOf(refused)).toBe("22012");
});

test("after close statements are UNAVAILABLE", async () => {
  const database = open();
  await database.ping();
  await database.close();
  expect(await codeOf(database.ping())).toBe("UNAVAILABLE");
});

function listen(): Promise<Server> {
  const server = createServer(() => undefined);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

test("migrations that cannot reach the database are UNAVAILABLE; what they throw passes as it is", async () => {
  const nowhere = open({ url: "postgres://nobody:nothing@127.0.0.1:1/none" });
  expect(await codeOf(nowhere.migrate(async () => undefined))).toBe("UNAVAILABLE");
  const database = open({ pool_size: 1 });
  await database.ping();
  const thrown = database.migrate(async (sql) => {
    await sql`create table left_over (n int)`;
    throw new Error("a step failed");
  });
  await expect(thrown).rejects.toThrow("a step failed");
  const [row] = await database.query("look", (sql) =>
    sql<{ left: string | null }[]>`select to_regclass('left_over')::text as left`);
  expect(row).toEqual({ left: null });
});
