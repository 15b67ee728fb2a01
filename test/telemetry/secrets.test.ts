// Secrets are planted wherever a caller can put them; then everything that the host wrote is searched:
// its log at the lowest level, its spans, its error answers, its audit, its metrics.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { createSecretHider } from "../../src/hide_secrets.js";
import { start } from "../cli/terminal.js";
import { Client } from "../support/client.js";
import { startTestHost } from "../support/host.js";
import { useClone } from "../support/clone.js";
import { findSecrets, plantSecrets } from "./planted.js";
import { keepSpans } from "./spans.js";

const clone = useClone();
const spans = keepSpans();

async function readAudit(): Promise<string> {
  const rows = await clone().sql`select to_jsonb(a)::text as row from run_audit a`;
  expect(rows.length).toBeGreaterThan(0);
  return rows.map(({ row }) => row as string).join("\n");
}

/** Somebody takes the administrator's token for a name. */
async function nameQueue(url: string, admin_token: string): Promise<void> {
  const admin = await Client.open(url, admin_token);
  const runner = { runner_id: "plugin:acme/queue/main", allow_unregistered_runner: true };
  await admin.call("run_create", { ...runner, queue_name: admin_token });
  await admin.close();
}

/** All of the database as text: by pg_dump where there is one of this server's version, and row by
    row, as an owner would read it. */
async function dumpDatabase(): Promise<string> {
  const { sql, url } = clone();
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  expect(tables.length).toBeGreaterThan(10);
  const rows = await Promise.all(tables.map(({ name }) =>
    sql.unsafe(`select t::text as row, to_jsonb(t)::text as json from ${name} t`)));
  const dump = spawnSync("pg_dump", [url], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const held = rows.flat().flatMap(({ row, json }) => [row as string, json as string]);
  expect(held.length).toBeGreaterThan(20);
  return [...held, dump.stdout ?? ""].join("\n");
}

describe.each(["configured", "made by the host"])("an admin token that is %s", (kind) => {
  test("nor any other secret is in the log, errors, audit, metrics or database", async () => {
    const data_dir = await mkdtemp(join(tmpdir(), "runhost-secrets-"));
    const password = "planted-database-password";
    const role = `runhost_planted_${process.pid}`;
    const { sql } = clone();
    await sql.unsafe(`create role ${role} superuser login password '${password}'`);
    const database_url = Object.assign(new URL(clone().url), { username: role, password });
    const configured = "planted-admin-token-of-no-form";
    const child = start(["serve"], {
      environment: {
        DATABASE_URL: database_url.href, RUNHOST_PORT: "0", RUNHOST_DATA_DIR: data_dir,
        RUNHOST_LOG_LEVEL: "trace",
        ...(kind === "configured" ? { RUNHOST_ADMIN_TOKEN: configured } : {}),
      },
      cwd: data_dir,
    });
    onTestFinished(async () => {
      if (child.exitCode === null) child.kill("SIGKILL");
      await exited;
      await sql.unsafe(`drop role ${role}`);
      await rm(data_dir, { recursive: true, force: true });
    });
    const exited = once(child, "exit");
    const stderr = text(child.stderr);
    const lines: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      void stderr.then((said) => reject(new Error(said)));
      createInterface(child.stdout).on("line", (line) => {
        lines.push(line);
        if (line.includes('"msg":"ready"')) resolve(JSON.parse(line).url);
      });
    });
    const admin_token = kind === "configured"
      ? configured : (await readFile(join(data_dir, "admin-token"), "utf8")).trim();
    const { secrets, errors } = await plantSecrets({ url, admin_token, sql });
    const database = await dumpDatabase();
    // Its hash is what the database keeps, so that something was found at all.
    const hash = createHash("sha256").update(secrets["rotated token"]!).digest("hex");
    expect(database).toContain(hash);
    await nameQueue(url, admin_token);
    const metrics = await (await fetch(url.replace(/^ws(.*)rpc$/, "http$1metrics"))).text();
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    const log = [...lines, await stderr].join("\n");
    expect(log).toContain('"method":"run_emit_result"');
    expect(log).toContain('"msg":"incident"');
    const all = { ...secrets, "database password": password };
    expect(findSecrets(all, {
      log, metrics, errors: errors.join("\n"), audit: await readAudit(), database,
    })).toEqual([]);
    expect(metrics).toMatch(/runhost_queue_depth\{queue="[^"]*\[hidden\]/);
    expect(log).toContain("[hidden]");
    expect(errors.length).toBeGreaterThan(40);
  });
});

test("no secret is in the attributes or events of a span", async () => {
  const admin_token = `rh_admin_${"5e".repeat(32)}`;
  const host = await startTestHost({
    database_url: clone().url, environment: { RUNHOST_ADMIN_TOKEN: admin_token },
  });
  const { url } = host.host;
  const { secrets } = await plantSecrets({ url, admin_token, sql: clone().sql });
  await host.close();
  const written = spans.all().map(({ name, attributes, events, status, links }) =>
    JSON.stringify({ name, attributes, events, status, links: links.map((link) => link.attributes) }));
  expect(written.length).toBeGreaterThan(50);
  expect(findSecrets(secrets, { spans: written.join("\n") })).toEqual([]);
  expect(written.join("\n")).toContain("[hidden]");
});

describe("hiding", () => {
  const hide = createSecretHider(["open sesame now", "short", null]);
  const key = "0123456789abcdef";
  test.each([
    [`a rh_${key}_${"f".repeat(64)} b`, `a rh_${key}_[hidden] b`],
    [`rh_admin_${"f".repeat(64)}`, "rh_admin_[hidden]"],
    ["Authorization: Bearer abc.def-1", "Authorization: Bearer [hidden]"],
    ["postgres://me:p%40ss:w0rd@db/runs", "postgres://me:[hidden]@db/runs"],
    ['{"claim_token":"00ff","run_id":"r"}', '{"claim_token":"[hidden]","run_id":"r"}'],
    [JSON.stringify({ sent: '{"token": "x"}' }), JSON.stringify({ sent: '{"token": "[hidden]"}' })],
    ["say open sesame now, twice: open sesame now", "say [hidden], twice: [hidden]"],
  ])("takes the secret out of %s", (said, heard) => {
    expect(hide(said)).toBe(heard);
  });

  test.each([
    "in short, nothing", "rh_run_1", "http://127.0.0.1:7420/rpc", "ws://[::1]:80/a@b",
    '{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}',
    '{"token_count":"12"}', "the bearer",
  ])("leaves %s as it is", (said) => {
    expect(hide(said)).toBe(said);
  });
});
