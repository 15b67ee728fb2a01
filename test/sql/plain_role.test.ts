// A role that owns its database and nothing else brings the schema up and serves runs: managed
// Postgres gives no more.

import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { claimOf, registerPlugin, startTestHost, type TestHost } from "../support/host.js";

const name = `plain_${process.pid}_${randomBytes(4).toString("hex")}`;
const password = randomBytes(8).toString("hex");
const server = postgres(inject("server_url"), { max: 1, onnotice: () => undefined });
let own: postgres.Sql;
let plain: TestHost;

beforeAll(async () => {
  await server.unsafe(`create role ${name} login password '${password}'`);
  await server`create database ${server(name)} owner ${server(name)}`;
  const url = new URL(inject("server_url"));
  Object.assign(url, { username: name, password, pathname: `/${name}` });
  own = postgres(url.href, { max: 1, onnotice: () => undefined });
  plain = await startTestHost({ database_url: url.href });
});

afterAll(async () => {
  await plain?.close();
  await own?.end({ timeout: 5 });
  await server`drop database if exists ${server(name)} with (force)`;
  await server`drop role if exists ${server(name)}`;
  await server.end();
});

test("migrates, and serves runs from their create to their end", async () => {
  const [role] = await own`select usesuper as is_super from pg_user where usename = current_user`;
  expect(role).toEqual({ is_super: false });
  const clone = { url: plain.host.url, sql: own };
  const plugin = await registerPlugin({ clone, test: plain, admin: await plain.connect() });
  const { client, runner_id, runtime_id } = plugin;
  const { run_id } = await client.call("run_create", { runner_id });
  const claim = claimOf(await client.call("run_claim", { runtime_id }));
  await client.call("run_renew_claim", { target_run_id: run_id, ...claim });
  const data = { tool_call_id: "c", tool_name: "n" };
  await client.call("run_emit_result", {
    target_run_id: run_id, ...claim, sequence: 1, type: "tool.call.completed", data,
  });
  const ended = await client.call("run_finalize", {
    target_run_id: run_id, ...claim, status: "completed",
  });
  expect(ended).toMatchObject({ run_id, status: "completed", last_sequence: 1 });
  expect(await own`select from agent_run_open`).toHaveLength(0);
  expect(await own`select status from agent_run_ended`).toEqual([{ status: "completed" }]);
});
