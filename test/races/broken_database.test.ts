// A database that breaks under a host in a process of its own: backends are killed, the line is silent,
// every connection of the pool is stuck, Postgres restarts. Each call is answered within its deadline,
// the process lives on, calls succeed again by themselves, and what was acknowledged is there.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../../src/embedded/start.js";
import { openFaultProxy, type FaultProxy } from "../chaos/fault_proxy.js";
import { start } from "../cli/terminal.js";
import { Client } from "../support/client.js";
import { fresh } from "../support/host.js";

const statement_timeout_ms = 1500;
/** A call may wait for the standing of its caller before its own statement; the rest is for the box. */
const answer_ms_max = 2 * statement_timeout_ms + 2000;
const writers = 30;
const admin_token = "broken-database-admin";

let folder = "";
let server: EmbeddedPostgres;
let proxy: FaultProxy;
/** Past the proxy. */
let sql: postgres.Sql;
let child: ReturnType<typeof start>;
let url = "";
const errors: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "runhost-broken-"));
  server = await startEmbeddedPostgres({
    dataDir: join(folder, "data"), log: () => undefined, settings: { fsync: "off" },
    onLost: (cause) => errors.push(cause.message),
  });
  proxy = await openFaultProxy({ port: Number(new URL(server.url).port) });
  sql = postgres(server.url, { max: 2, onnotice: () => undefined, backoff: () => 0.1 });
  child = start(["serve"], {
    environment: {
      DATABASE_URL: Object.assign(new URL(server.url), { port: String(proxy.port) }).href,
      RUNHOST_DATA_DIR: folder, RUNHOST_PORT: "0", RUNHOST_ADMIN_TOKEN: admin_token,
      RUNHOST_STATEMENT_TIMEOUT_MS: String(statement_timeout_ms),
    },
    cwd: folder,
  });
  child.stderr.on("data", (bytes) => errors.push(String(bytes)));
  url = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (/"level":(50|60)/.test(line)) errors.push(line);
      if (line.includes('"msg":"ready"')) resolve(JSON.parse(line).url);
    });
  });
}, 120_000);

afterAll(async () => {
  const ended = once(child, "exit");
  if (child.exitCode === null) child.kill("SIGTERM");
  await ended;
  await server.stop();
  // The driver's end() may hang after a lost connection.
  await Promise.race([sql.end({ timeout: 1 }), rest(3000)]);
  await Promise.race([proxy.close(), rest(3000)]);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

interface Load {
  acknowledged: string[];
  /** Answers by code; `ok` for results. */
  codes: Map<string, number>;
  slowest_ms: number;
  /** Ends when so many more calls of each writer have succeeded. */
  succeed(more: number): Promise<void>;
}

/** Each writer creates runs, one after the other, and repeats what was not acknowledged. */
async function startLoad(): Promise<Load> {
  const client = await Client.open(url, admin_token);
  const runner = { runner_id: "plugin:acme/broken/main", allow_unregistered_runner: true };
  const succeeded = Array<number>(writers).fill(0);
  const codes = new Map<string, number>();
  let ending = false;
  const load: Load = {
    acknowledged: [], codes, slowest_ms: 0,
    async succeed(more) {
      const wanted = succeeded.map((count) => count + more);
      await vi.waitUntil(() => succeeded.every((count, at) => count >= wanted[at]!),
        { timeout: 60_000 });
      ending = true;
      await Promise.all(working);
      await client.close();
    },
  };
  const work = async (at: number): Promise<void> => {
    let run_id = fresh("run");
    while (!ending) {
      const began_ms = performance.now();
      const { error } = await client.ask("run_create", { ...runner, run_id });
      load.slowest_ms = Math.max(load.slowest_ms, performance.now() - began_ms);
      const code = error?.data.code ?? "ok";
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (!error) {
        load.acknowledged.push(run_id);
        succeeded[at]! += 1;
        run_id = fresh("run");
      } else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const working = succeeded.map((_, at) => work(at));
  await vi.waitUntil(() => succeeded.every((count) => count > 0), { timeout: 30_000 });
  return load;
}

async function expectWhole(load: Load): Promise<void> {
  expect([...load.codes.keys()].filter((code) => code !== "ok" && code !== "UNAVAILABLE")).toEqual([]);
  expect(load.slowest_ms).toBeLessThan(answer_ms_max);
  const rows = await sql`select run_id from agent_run where run_id = any(${load.acknowledged})`;
  expect(rows.length).toBe(load.acknowledged.length);
  expect(load.acknowledged.length).toBeGreaterThan(writers * 5);
  expect([errors, child.exitCode, child.signalCode]).toEqual([[], null, null]);
}

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const backends = () => sql`select pid from pg_stat_activity where application_name like 'runhost%'`;

test("every backend is killed, ten times", { timeout: 120_000 }, async () => {
  const load = await startLoad();
  for (let round = 0; round < 10; round += 1) {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like 'runhost%'`;
    await rest(100);
  }
  await load.succeed(10);
  expect(load.codes.get("UNAVAILABLE")).toBeGreaterThan(0);
  await expectWhole(load);
});

test.each(["blackhole", "hold"] as const)("the line to Postgres is silent: %s",
  { timeout: 120_000 }, async (mode) => {
    const load = await startLoad();
    proxy.setMode(mode);
    await rest(2 * statement_timeout_ms);
    expect((await fetch(url.replace(/^ws(.*)rpc$/, "http$1healthz"))).status).toBe(200);
    proxy.setMode("pass");
    await load.succeed(10);
    expect(load.codes.get("UNAVAILABLE")).toBeGreaterThan(0);
    await expectWhole(load);
  });

test("every connection of the pool waits for a lock", { timeout: 120_000 }, async () => {
  const load = await startLoad();
  const peer = await Client.open(url, admin_token);
  await sql.begin(async (tx) => {
    await tx`lock table agent_run in access exclusive mode`;
    const until = performance.now() + 6 * statement_timeout_ms;
    for (const before = load.codes.get("UNAVAILABLE") ?? 0; performance.now() < until;) {
      await rest(100);
      if ((load.codes.get("UNAVAILABLE") ?? 0) > before + 4 * writers) break;
    }
    // What needs no database is served; what does is told so, in time.
    expect(await peer.call("ping")).toMatchObject({ time: expect.any(Number) });
    const began_ms = performance.now();
    expect(await peer.refusal("run_list")).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(performance.now() - began_ms).toBeLessThan(answer_ms_max);
    // Statements that were given up do not go on waiting in Postgres, ten more each time.
    expect((await backends()).length).toBeLessThan(50);
  });
  await load.succeed(10);
  await peer.close();
  await expectWhole(load);
});

test("Postgres restarts at once, three times", { timeout: 180_000 }, async () => {
  const load = await startLoad();
  for (let round = 0; round < 3; round += 1) {
    const { pid } = server;
    process.kill(pid, "SIGQUIT");
    await vi.waitUntil(() => server.pid !== pid, { timeout: 60_000 });
    await vi.waitUntil(async () => (await sql`select 1`.catch(() => [])).length === 1,
      { timeout: 30_000 });
    await rest(300);
  }
  await load.succeed(10);
  expect(load.codes.get("UNAVAILABLE")).toBeGreaterThan(0);
  await expectWhole(load);
});
