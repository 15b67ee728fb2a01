// GET /readyz of a real host says why it is not ready, in words that name neither the database's
// address nor a password.

import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import postgres from "postgres";
import { beforeEach, expect, test } from "vitest";
import { readMigrations } from "../../src/sql/migrate.js";
import { startTestHost, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
let newest = 0;
beforeEach(async () => {
  newest = (await readMigrations()).at(-1)?.version ?? 0;
});

const ask = async (httpUrl = world().test.host.httpUrl) => {
  const answer = await fetch(`${httpUrl}/readyz`);
  return [answer.status, await answer.json()];
};

const refused = (reason: string) => [503, { ready: false, reason }];

test("ready while the database answers with the schema of the code", async () => {
  expect(await ask()).toEqual([200, { ready: true }]);
});

test("a schema that a later version migrated is newer", async () => {
  const { sql } = world().clone;
  await sql`insert into runhost_migration (version, name, sha256) values (999, 'later', '')`;
  expect(await ask()).toEqual(
    refused(`the schema has version 999, newer than version ${newest} of the code`),
  );
  await sql`delete from runhost_migration where version = 999`;
  expect(await ask()).toEqual([200, { ready: true }]);
});

test("a schema that was restored from before is older, and so is none", async () => {
  const { sql } = world().clone;
  const [last] = await sql`delete from runhost_migration where version = ${newest} returning *`;
  expect(await ask()).toEqual(
    refused(`the schema has version ${newest - 1}, older than version ${newest} of the code`),
  );
  await sql`insert into runhost_migration ${sql(last!)}`;
  await sql`alter table runhost_migration rename to elsewhere`;
  expect(await ask()).toEqual(
    refused(`the schema has version 0, older than version ${newest} of the code`),
  );
  await sql`alter table elsewhere rename to runhost_migration`;
  expect(await ask()).toEqual([200, { ready: true }]);
});

test("a database that lets nobody in is named by its refusal, without its address", async () => {
  const { url } = world().clone;
  const { username, password, port, pathname } = new URL(url);
  const database = pathname.slice(1);
  const server = postgres(Object.assign(new URL(url), { pathname: "/postgres" }).href, { max: 1 });
  const admit = (allowed: boolean) =>
    server`alter database ${server(database)} with allow_connections ${server.unsafe(`${allowed}`)}`;
  const host = await startTestHost({ database_url: url });
  try {
    await admit(false);
    await server`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = ${database} and application_name = 'runhost'`;
    const reason = "the database refuses this host (SQLSTATE 55000)";
    await expect.poll(() => ask(host.host.httpUrl)).toEqual(refused(reason));
    for (const secret of [username, password, port, database]) expect(reason).not.toContain(secret);
    expect((await fetch(`${host.host.httpUrl}/healthz`)).status).toBe(200);
    await admit(true);
    await expect.poll(() => ask(host.host.httpUrl)).toEqual([200, { ready: true }]);
  } finally {
    await admit(true);
    await server.end();
    await host.close();
  }
});

test("a host that is asked to stop says so to a question that was under way", async () => {
  const host = await startTestHost({ database_url: world().clone.url });
  const { port } = new URL(host.host.httpUrl);
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /readyz HTTP/1.1\r\nHost: here\r\n");
  // The host has read the first half of the question when it has answered a later one.
  await ask(host.host.httpUrl);
  const closing = host.host.close();
  socket.end("\r\n");
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain('{"ready":false,"reason":"the host is stopping"}');
  await closing;
  await host.close();
});
