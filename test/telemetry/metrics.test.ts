// GET /metrics of a real host: the exact names, what is counted after known calls, that labels are
// bounded and name nothing of a plugin's but queues, and that a database in trouble costs a scrape
// its gauges and nothing else.

import { connect, createServer, type Socket } from "node:net";
import type { Sql } from "postgres";
import { beforeAll, describe, expect, test } from "vitest";
import { Client } from "../support/client.js";
import {
  adminToken, claimOf, fresh, registerPlugin, startTestHost, useHost, type Plugin,
} from "../support/host.js";
import { createScrape, type Scrape } from "./scrape.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0", RUNHOST_RETENTION_DAYS: "30" });
const scrape = () => createScrape(world().test.host.httpUrl);

/** Gauges of the database are kept for 5 s: a host of its own has read none yet. */
async function withFreshHost(work: (read: () => Promise<Scrape>) => Promise<void>): Promise<void> {
  const test = await startTestHost({
    database_url: world().clone.url, environment: { RUNHOST_RECONCILE_SECONDS: "0" },
  });
  try {
    await work(() => createScrape(test.host.httpUrl));
  } finally {
    await test.close();
  }
}

test("the names are pinned", async () => {
  const { names, type } = await scrape();
  expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(names).toEqual([
    "nodejs_external_memory_bytes gauge",
    "nodejs_heap_size_total_bytes gauge",
    "nodejs_heap_size_used_bytes gauge",
    "process_cpu_seconds_total counter",
    "process_resident_memory_bytes gauge",
    "process_start_time_seconds gauge",
    "runhost_build_info gauge",
    "runhost_call_duration_seconds histogram",
    "runhost_calls_total counter",
    "runhost_claims_total counter",
    "runhost_connections gauge",
    "runhost_database_up gauge",
    "runhost_event_loop_lag_seconds gauge",
    "runhost_oldest_xmin_age_seconds gauge",
    "runhost_pool_renewals_total counter",
    "runhost_pool_size gauge",
    "runhost_pool_statements gauge",
    "runhost_queue_depth gauge",
    "runhost_queue_oldest_age_seconds gauge",
    "runhost_runs gauge",
    "runhost_statement_duration_seconds histogram",
    "runhost_statements_total counter",
    "runhost_sweeps_total counter",
    "runhost_swept_total counter",
  ]);
});

test("a process, its versions and its event loop", async () => {
  const { value, labels } = await scrape();
  expect(labels("runhost_build_info", "node")).toEqual([process.version]);
  expect(labels("runhost_build_info", "version")).toEqual(["0.1.0"]);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
  const now = Date.now() / 1000;
  expect(Math.abs(now - process.uptime() - value("process_start_time_seconds")!)).toBeLessThan(2);
  expect(labels("runhost_event_loop_lag_seconds", "quantile")).toEqual(["0.5", "0.99", "1"]);
  const begin = performance.now();
  while (performance.now() - begin < 120);
  await new Promise(setImmediate);
  const { value: after } = await scrape();
  expect(after('runhost_event_loop_lag_seconds{quantile="1"}')).toBeGreaterThan(0.1);
});

describe("calls", () => {
  test("are counted by method and code, with their time", async () => {
    const before = await scrape();
    await world().admin.call("ping");
    await world().admin.call("ping");
    await world().admin.refusal("run_get", { target_run_id: fresh("nobody") });
    await world().admin.refusal("run_create", { colour: "red" });
    const { since } = await scrape();
    expect(since(before, 'runhost_calls_total{method="ping",code="ok"}')).toBe(2);
    expect(since(before, 'runhost_calls_total{method="run_get",code="NOT_FOUND"}')).toBe(1);
    expect(since(before, 'runhost_calls_total{method="run_create",code="INVALID_PARAMS"}')).toBe(1);
    expect(since(before, 'runhost_call_duration_seconds_count{method="ping"}')).toBe(2);
    expect(since(before, 'runhost_call_duration_seconds_bucket{le="60",method="ping"}')).toBe(2);
  });

  test("of methods that do not exist share one label, whatever they are called", async () => {
    const before = await scrape();
    const names = ["no_such", "x".repeat(300), 'q"uo\nte', "__proto__", "constructor"];
    for (const name of names) await world().admin.refusal(name);
    const after = await scrape();
    const count = 'runhost_calls_total{method="unknown",code="METHOD_NOT_FOUND"}';
    expect(after.since(before, count)).toBe(names.length);
    expect(after.text).not.toMatch(/no_such|xxx|__proto__|constructor/);
  });

  test("of frames that are none are counted without a method", async () => {
    const before = await scrape();
    const client = await world().test.connect();
    client.socket.send("{");
    client.socket.send('{"jsonrpc":"2.0"}');
    client.socket.send("[]");
    await client.call("ping");
    const { since } = await scrape();
    expect(since(before, 'runhost_calls_total{method="none",code="PARSE_ERROR"}')).toBe(1);
    expect(since(before, 'runhost_calls_total{method="none",code="INVALID_REQUEST"}')).toBe(2);
  });

  test("that are notifications count too", async () => {
    const before = await scrape();
    world().admin.socket.send(JSON.stringify({ jsonrpc: "2.0", method: "ping" }));
    await world().admin.call("ping");
    // They may overtake each other.
    const pings = 'runhost_calls_total{method="ping",code="ok"}';
    await expect.poll(async () => (await scrape()).since(before, pings)).toBe(2);
  });
});

test("connections are counted by whether they have proved an identity", async () => {
  const before = await scrape();
  const stranger = await Client.open(world().test.host.url);
  const known = await Client.open(world().test.host.url, adminToken);
  const during = await scrape();
  const proved = 'runhost_connections{state="authenticated"}';
  const unproved = 'runhost_connections{state="unauthenticated"}';
  expect([during.since(before, proved), during.since(before, unproved)]).toEqual([1, 1]);
  await stranger.call("plugin_connect", { token: adminToken });
  const then = await scrape();
  expect([then.since(before, proved), then.since(before, unproved)]).toEqual([2, 0]);
  await Promise.all([stranger.close(), known.close()]);
});

describe("work", () => {
  let plugin: Plugin;
  beforeAll(async () => {
    plugin = await registerPlugin(world());
  });
  const create = (params = {}) =>
    plugin.client.call("run_create", { runner_id: plugin.runner_id, ...params });
  const claim = (params = {}) =>
    plugin.client.call("run_claim", { runtime_id: plugin.runtime_id, ...params });

  const removeQueued = () =>
    world().clone.sql`delete from agent_run where status = 'queued'`;

  test("claims count runs, not calls", async () => {
    const before = await scrape();
    await create();
    await create();
    await create();
    const { runs: items } = await claim({ max_runs: 2 });
    expect(items).toHaveLength(2);
    items.push(await claim());
    await plugin.client.refusal("run_claim", { runtime_id: plugin.runtime_id });
    const { since } = await scrape();
    expect(since(before, "runhost_claims_total")).toBe(3);
    for (const item of items) {
      await plugin.client.call("run_finalize", {
        target_run_id: item.run_id, ...claimOf(item), status: "completed",
      });
    }
    await removeQueued();
  });

  test("sweeps count what they did, whoever asked for them", async () => {
    const before = await scrape();
    const { sql } = world().clone;
    await create();
    await create({ max_attempts: 1 });
    const late = await create({ timeout_seconds: 60 });
    const items = [await claim(), await claim()];
    await sql`update agent_run set claim_lease_expires_at = now() - interval '1 second'
      where run_id = any (${items.map(({ run_id }) => run_id)})`;
    await sql`update agent_run set created_at = created_at - interval '1 hour',
      deadline_at = now() - interval '1 second' where run_id = ${late.run_id}`;
    await world().admin.call("runtime_reconcile");
    const { since } = await scrape();
    const swept = (outcome: string) =>
      since(before, `runhost_swept_total{outcome="${outcome}"}`);
    expect(since(before, 'runhost_sweeps_total{result="ok"}')).toBe(1);
    expect([swept("lease_requeued"), swept("attempts_exhausted"), swept("deadline_passed")])
      .toEqual([1, 1, 1]);
    await removeQueued();
  });

  test("a sweep that fails is counted as one", async () => {
    const before = await scrape();
    const { sql } = world().clone;
    await sql`alter function sweep_leases(text, jsonb, jsonb) rename to sweep_elsewhere`;
    try {
      await world().admin.refusal("runtime_reconcile");
    } finally {
      await sql`alter function sweep_elsewhere(text, jsonb, jsonb) rename to sweep_leases`;
    }
    const { since } = await scrape();
    expect(since(before, 'runhost_sweeps_total{result="failed"}')).toBe(1);
    expect(since(before, 'runhost_statements_total{statement="sweep_leases",outcome="refused"}'))
      .toBe(1);
  });

  test("queues show how many runs wait and for how long, whatever tenant they are of", async () => {
    const queue_name = fresh("queue");
    const first = await create({ queue_name });
    await create({ queue_name });
    await create({ queue_name, not_before: Math.floor(Date.now() / 1000) + 3600 });
    await create();
    await world().clone.sql`update agent_run set created_at = now() - interval '90 seconds'
      where run_id = ${first.run_id}`;
    await withFreshHost(async (read) => {
      const { value } = await read();
      expect(value("runhost_database_up")).toBe(1);
      expect(value(`runhost_queue_depth{queue="${queue_name}"}`)).toBe(3);
      const age = value(`runhost_queue_oldest_age_seconds{queue="${queue_name}"}`);
      expect(age).toBeGreaterThanOrEqual(90);
      expect(age).toBeLessThan(120);
      expect(value('runhost_queue_depth{queue="default"}')).toBe(1);
      expect(value('runhost_runs{status="queued"}')).toBe(4);
      expect(value('runhost_runs{status="claimed"}')).toBe(0);
    });
    await removeQueued();
  });

  test("fifty queues have a label of their own, the others share one", async () => {
    const prefix = fresh("many");
    await Promise.all(Array.from({ length: 53 }, async (_, index) => {
      const queue_name = `${prefix}-${index}`;
      await create({ queue_name });
      if (index < 50) await create({ queue_name });
    }));
    await withFreshHost(async (read) => {
      const { value, labels } = await read();
      const shown = labels("runhost_queue_depth", "queue");
      expect(shown).toHaveLength(51);
      expect(shown.filter((name) => name.startsWith(`${prefix}-`))).toHaveLength(50);
      expect(value('runhost_queue_depth{queue="other"}')).toBe(3);
      expect(labels("runhost_queue_oldest_age_seconds", "queue")).toEqual(shown);
    });
    await removeQueued();
  });
});

test("nothing that was planted is shown: no id, identity, tenant or token", async () => {
  const tenant_id = fresh("planted-tenant");
  const plugin = await registerPlugin(world(), { tenant_id });
  const run_id = fresh("planted-run");
  await plugin.client.call("run_create", {
    runner_id: plugin.runner_id, run_id, conversation_id: "planted-conversation",
  });
  const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
  await plugin.client.refusal("run_get", { target_run_id: "planted-nobody" });
  await plugin.client.refusal("planted_method");
  await withFreshHost(async (read) => {
    for (const { text } of [await scrape(), await read()]) {
      const planted = [
        run_id, tenant_id, plugin.identity, plugin.token, plugin.runner_id, plugin.runtime_id,
        item.claim_token, adminToken, "planted", "acme/", "rh_", "postgres://",
      ];
      expect(planted.filter((secret) => text.includes(secret))).toEqual([]);
    }
  });
});

describe("a database in trouble", () => {
  test("a blocked table costs its gauges, within two seconds, and no call its answer", async () => {
    const { sql } = world().clone;
    await withFreshHost(async (read) => {
      const lock = await lockRuns(sql);
      try {
        const began = performance.now();
        const scrapes = await Promise.all([read(), read(), read()]);
        scrapes.push(await read());
        expect(performance.now() - began).toBeLessThan(4000);
        for (const { value, labels } of scrapes) {
          expect(value("runhost_database_up")).toBe(1);
          expect(labels("runhost_runs", "status")).toEqual([]);
          expect(labels("runhost_queue_depth", "queue")).toEqual([]);
          expect(value("runhost_oldest_xmin_age_seconds")).toBeGreaterThanOrEqual(0);
        }
        const waiting = await sql`select from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database() and query like '%with t as materialized%'`;
        expect(waiting).toHaveLength(1);
        expect((await world().admin.call("plugin_list")).items.length).toBeGreaterThan(0);
      } finally {
        await lock.release();
      }
      await expect.poll(async () => (await read()).labels("runhost_runs", "status"), {
        timeout: 10_000,
      }).toEqual(["claimed", "created", "queued", "running"]);
    });
  });

  test("a transaction that pins old rows shows its age", async () => {
    const { sql } = world().clone;
    await sql.begin("isolation level repeatable read", async (pinning) => {
      const began = performance.now();
      await pinning`select from agent_run limit 1`;
      await withFreshHost(async (read) => {
        const seconds_min = (performance.now() - began) / 1000;
        const { value } = await read();
        expect(value("runhost_oldest_xmin_age_seconds")).toBeGreaterThanOrEqual(seconds_min);
      });
    });
  });

  test("a server that is gone or silent is `up 0`, without its gauges", async () => {
    const url = new URL(world().clone.url);
    const proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    const host = await startTestHost({
      database_url: url.href,
      environment: { RUNHOST_RECONCILE_SECONDS: "0", RUNHOST_STATEMENT_TIMEOUT_MS: "300" },
    });
    try {
      const admin = await host.connect();
      proxy.silence();
      await admin.refusal("run_list");
      const began = performance.now();
      const { value, labels, names } = await createScrape(host.host.httpUrl);
      expect(performance.now() - began).toBeLessThan(2000);
      expect(value("runhost_database_up")).toBe(0);
      expect(value("runhost_oldest_xmin_age_seconds")).toBeNull();
      expect(labels("runhost_runs", "status")).toEqual([]);
      expect(names).toContain("runhost_calls_total counter");
      expect(value('runhost_calls_total{method="run_list",code="UNAVAILABLE"}')).toBe(1);
      expect(value("runhost_pool_renewals_total")).toBeGreaterThanOrEqual(1);
      expect(value('runhost_statements_total{statement="run_list",outcome="late"}')).toBe(1);
    } finally {
      proxy.close();
      await host.close();
    }
  });
});

test("statements are counted, and none is left under way", async () => {
  const before = await scrape();
  await world().admin.call("run_list");
  const { since, value } = await scrape();
  expect(since(before, 'runhost_statements_total{statement="run_list",outcome="answered"}')).toBe(1);
  expect(since(before, "runhost_statement_duration_seconds_count")).toBeGreaterThanOrEqual(1);
  expect(value("runhost_pool_statements")).toBeLessThanOrEqual(1);
  expect(value("runhost_pool_size")).toBe(10);
});

test("scraping sends no statement on the pool of the calls, and few on its own", async () => {
  await withFreshHost(async (read) => {
    const seen = await Promise.all(Array.from({ length: 20 }, read));
    for (const { text } of seen) {
      expect(text).not.toMatch(/statement="(count_runs|count_queues|oldest_snapshot)"/);
      expect(text).toContain("runhost_database_up 1");
    }
  });
});

/** Nobody reads or writes a run until it is released. */
async function lockRuns(sql: Sql): Promise<{ release(): Promise<unknown> }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let holder: Promise<unknown> = Promise.resolve();
  await new Promise<void>((locked) => {
    holder = sql.begin(async (held) => {
      await held`lock table agent_run, agent_run_open in access exclusive mode`;
      locked();
      await released;
    });
  });
  return { release: () => (release(), holder) };
}

/** Passes bytes on until it is silenced; then it takes them and answers nothing. */
async function startProxy(target: number) {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    near.on("data", (bytes) => void (silent || far.write(bytes)));
    far.on("data", (bytes) => void (silent || near.write(bytes)));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return {
    port,
    silence: () => void (silent = true),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
