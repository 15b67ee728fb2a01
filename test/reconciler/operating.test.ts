// Operating the ledger: the sweep by call and in the background, retention, retries, waits, statistics and
// the audit, over a real socket. Time is moved by changing the rows, never by sleeping.

import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../support/client.js";
import { claimOf, fresh, type Plugin, registerPlugin, startTestHost, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0", RUNHOST_RETENTION_DAYS: "30" });
const sweep = (params = {}) => world().admin.call("runtime_reconcile", params);

async function claimed(plugin: Plugin, params: Record<string, unknown> = {}) {
  await plugin.client.call("run_create", { runner_id: plugin.runner_id, ...params });
  const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
  return { run_id: item.run_id as string, claim: claimOf(item) };
}

const { sql } = { sql: () => world().clone.sql };
const expire = (run_id: string) => sql()`update agent_run
  set claim_lease_expires_at = now() - interval '1 second' where run_id = ${run_id}`;
const overdue = (run_id: string) => sql()`update agent_run
  set created_at = created_at - interval '1 hour', deadline_at = now() - interval '1 second'
  where run_id = ${run_id}`;
const audited = async (run_id: string) => (await world().admin.call("audit_page", {
  target_run_id: run_id, actor: "host",
})).items.map((row: { action: string }) => row.action);
const read = (run_id: string) => world().admin.call("run_get", { target_run_id: run_id });

describe("the sweep", () => {
  let plugin: Plugin;
  beforeAll(async () => {
    plugin = await registerPlugin(world());
  });

  test("a lease that is over goes back to the queue, with back-off and an audit row", async () => {
    const { run_id, claim } = await claimed(plugin);
    await expire(run_id);
    const report = await sweep();
    expect(report).toMatchObject({ released_claim_count: 1, exhausted_count: 0, more: false });
    expect(report.released_claims.map((run: { run_id: string }) => run.run_id)).toEqual([run_id]);
    const run = await read(run_id);
    expect(run).toMatchObject({ status: "queued", status_reason: "claim lease expired" });
    expect(run.not_before - run.updated_at).toBeGreaterThanOrEqual(0);
    expect(run.not_before - run.updated_at).toBeLessThanOrEqual(2);
    expect(await audited(run_id)).toEqual(["run_requeued"]);
    expect(await plugin.client.refusal("run_renew_claim", { target_run_id: run_id, ...claim }))
      .toMatchObject({ code: "LEASE_LOST", reason: "claim_not_active" });
  });

  test("the last attempt ends failed", async () => {
    const { run_id } = await claimed(plugin, { max_attempts: 1 });
    await expire(run_id);
    expect(await sweep()).toMatchObject({ released_claim_count: 0, exhausted_count: 1 });
    expect(await read(run_id)).toMatchObject({
      status: "failed", status_reason: "dispatch attempts exhausted",
    });
    expect(await audited(run_id)).toEqual(["run_exhausted"]);
  });

  test("a cancel that was requested ends a run whose lease is over", async () => {
    const { run_id } = await claimed(plugin);
    await plugin.client.call("run_cancel", { target_run_id: run_id, reason: "no longer wanted" });
    await expire(run_id);
    expect(await sweep()).toMatchObject({ cancelled_count: 1, released_claim_count: 0 });
    expect(await read(run_id)).toMatchObject({
      status: "cancelled", status_reason: "no longer wanted",
    });
  });

  test("a deadline ends queued, claimed and running runs alike", async () => {
    const queued = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, timeout_seconds: 60, not_before: Math.floor(Date.now() / 1000) + 50,
    });
    const running = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running",
    });
    const { run_id } = await claimed(plugin, { timeout_seconds: 60 });
    for (const one of [queued.run_id, running.run_id, run_id]) await overdue(one);
    expect(await sweep()).toMatchObject({ timeout_count: 3, cancelled_count: 0 });
    for (const one of [queued.run_id, running.run_id, run_id]) {
      expect(await read(one)).toMatchObject({
        status: "timeout", status_reason: "deadline exceeded",
      });
      expect(await audited(one)).toEqual(["run_timeout"]);
    }
  });

  test("a silent runtime is stale; its claims are left to their leases", async () => {
    const { run_id } = await claimed(plugin);
    await sql()`update agent_runtime set heartbeat_deadline_at = now() - interval '1 second'
      where runtime_id = ${plugin.runtime_id}`;
    const report = await sweep();
    expect(report.stale_runtimes).toMatchObject([
      { runtime_id: plugin.runtime_id, status: "stale", is_stale: true },
    ]);
    expect(await read(run_id)).toMatchObject({ status: "claimed" });
    expect(await plugin.client.refusal("run_claim", { runtime_id: plugin.runtime_id }))
      .toMatchObject({ code: "CONFLICT", reason: "runtime_not_online", status: "stale" });
    await plugin.client.call("runtime_heartbeat", { runtime_id: plugin.runtime_id });
  });

  test("stale_after_seconds counts from the last heartbeat", async () => {
    expect((await sweep({ stale_after_seconds: 3600.5 })).stale_count).toBe(0);
    await sql()`update agent_runtime set last_heartbeat_at = now() - interval '10 seconds'
      where runtime_id = ${plugin.runtime_id}`;
    const report = await sweep({ stale_after_seconds: 9.5 });
    expect(report.stale_runtimes.map((m: { runtime_id: string }) => m.runtime_id))
      .toEqual([plugin.runtime_id]);
    await plugin.client.call("runtime_heartbeat", { runtime_id: plugin.runtime_id });
  });

  test("interactions expire and the run hears of it", async () => {
    const { run_id, claim } = await claimed(plugin, { conversation_id: fresh("talk") });
    await plugin.client.call("run_emit_result", {
      target_run_id: run_id, ...claim, sequence: 1, type: "action.requested",
      data: {
        action: "interaction.requested",
        payload: { interaction_id: "i", title: "May I?", fallback_text: "May I?" },
      },
    });
    await sql()`update agent_interaction set expires_at = now() where run_id = ${run_id}`;
    expect(await sweep()).toMatchObject({ expired_interaction_count: 1 });
    const steering = await sql()`select type, state, interaction_id from agent_run_steering
      where run_id = ${run_id}`;
    expect([...steering]).toEqual([
      { type: "interaction.expired", state: "queued", interaction_id: "i" },
    ]);
  });

  test("a sweep that finds nothing says so", async () => {
    await sweep();
    expect(await sweep()).toEqual({
      stale_count: 0, released_claim_count: 0, exhausted_count: 0, timeout_count: 0,
      cancelled_count: 0, expired_interaction_count: 0, expired_steering_count: 0,
      stale_runtimes: [], released_claims: [], more: false,
    });
  });
});

describe("retries", () => {
  const end = (plugin: Plugin, run: { run_id: string; claim: object }, status: string) =>
    plugin.client.call("run_finalize", { target_run_id: run.run_id, ...run.claim, status });

  test("an owner retries failures, ten times in a chain", async () => {
    const plugin = await registerPlugin(world(), { permissions: [] });
    const made = await world().admin.call("run_create", {
      runner_id: plugin.runner_id, text: "again", metadata: { n: 1 }, priority: 3,
    });
    let target_run_id = made.run_id;
    for (let depth = 1; depth <= 11; depth += 1) {
      const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
      expect(item).toMatchObject({ run_id: target_run_id, priority: 3, input: { text: "again" } });
      await end(plugin, { run_id: target_run_id, claim: claimOf(item) }, "failed");
      const answer = await plugin.client.ask("run_retry", { target_run_id });
      if (depth === 11) {
        expect(answer.error?.data).toMatchObject({ code: "CONFLICT", reason: "retry_limit" });
        return;
      }
      expect(answer.result).toMatchObject({
        status: "queued", parent_run_id: target_run_id, metadata: { n: 1 },
        created_by: "runhost/admin",
      });
      target_run_id = (answer.result as { run_id: string }).run_id;
    }
  });

  test("what an owner may not retry, an administrator may", async () => {
    const plugin = await registerPlugin(world());
    const run = await claimed(plugin);
    expect(await plugin.client.refusal("run_retry", { target_run_id: run.run_id }))
      .toMatchObject({ code: "CONFLICT", reason: "run_not_retryable", status: "claimed" });
    await end(plugin, run, "completed");
    const other = await registerPlugin(world());
    expect(await other.client.refusal("run_retry", { target_run_id: run.run_id }))
      .toMatchObject({ code: "FORBIDDEN", reason: "not_authorized" });
    const params = { target_run_id: run.run_id, new_run_id: fresh("retry") };
    const first = await world().admin.call("run_retry", params);
    expect(first).toMatchObject({ status: "queued", run_id: params.new_run_id });
    expect(await world().admin.call("run_retry", params)).toEqual({ ...first, idempotent: true });
    expect(await world().admin.refusal("run_retry", { ...params, timeout_seconds: 5 }))
      .toMatchObject({ code: "CONFLICT", reason: "run_id_reused" });
    expect(await world().admin.refusal("run_retry", { target_run_id: "nowhere" }))
      .toMatchObject({ code: "NOT_FOUND", kind: "run", id: "nowhere" });
    expect(await other.client.refusal("run_retry", { target_run_id: "nowhere" }))
      .toMatchObject({ code: "FORBIDDEN", reason: "not_authorized" });
  });
});

describe("waits", () => {
  test("a wait ends with the run, also when another host ends it", async () => {
    const other = await startTestHost({ database_url: world().clone.url });
    try {
      const plugin = await registerPlugin(world());
      const run = await claimed(plugin);
      const far: Client = await other.connect(plugin.token);
      const waits = [plugin.client, far].map((client) =>
        client.call("run_wait", { target_run_id: run.run_id, wait_seconds: 20 }));
      await plugin.client.call("run_finalize", {
        target_run_id: run.run_id, ...run.claim, status: "completed",
      });
      for (const ended of await Promise.all(waits)) {
        expect(ended).toMatchObject({ run_id: run.run_id, status: "completed" });
      }
    } finally {
      await other.close();
    }
  });

  test("a wait that runs out names run and status", async () => {
    const plugin = await registerPlugin(world());
    const { run_id } = await claimed(plugin);
    expect(await plugin.client.refusal("run_wait", { target_run_id: run_id, wait_seconds: 0 }))
      .toMatchObject({ number: -32014, code: "DEADLINE_EXCEEDED", run_id, status: "claimed" });
  });
});

describe("retention", () => {
  test("old ended runs go with all that hangs on them; live ones stay", async () => {
    const plugin = await registerPlugin(world());
    const old = await claimed(plugin, { conversation_id: fresh("talk"), event_type: "message.received" });
    await plugin.client.call("run_emit_result", {
      target_run_id: old.run_id, ...old.claim, sequence: 1, type: "run.completed",
      data: { message: { role: "assistant", content: "done" } },
    });
    const live = await claimed(plugin);
    const past = "now() - interval '31 days'";
    for (const table of ["event_log", "transcript", "run_audit"]) {
      await sql().unsafe(`update ${table} set created_at = ${past}`);
    }
    await sql().unsafe(`update agent_run set created_at = ${past}, finished_at =
      case when finished_at is not null then ${past} end
      where run_id in ('${old.run_id}', '${live.run_id}')`);
    const host = await startTestHost({
      database_url: world().clone.url,
      environment: { RUNHOST_RECONCILE_SECONDS: "1", RUNHOST_RETENTION_DAYS: "30" },
    });
    const admin = await host.connect();
    try {
      for (;;) {
        const answer = await admin.ask("run_get", { target_run_id: old.run_id });
        if (answer.error?.data.code === "NOT_FOUND") break;
      }
    } finally {
      await host.close();
    }
    expect(await read(live.run_id)).toMatchObject({ status: "claimed" });
    for (const table of ["agent_run_event", "agent_run_request", "transcript", "event_log"]) {
      const left = await sql()`select from ${sql()(table)} where run_id = ${old.run_id}`;
      expect([table, left.length]).toEqual([table, 0]);
    }
    const logged = await sql()`select from event_log where run_id = ${live.run_id}`;
    expect(logged.length).toBe(1);
  });
});

test("hosts sweep by themselves, one at a time", async () => {
  const plugin = await registerPlugin(world());
  const { run_id } = await claimed(plugin, { max_attempts: 1 });
  const hosts = await Promise.all([1, 2, 3].map(() => startTestHost({
    database_url: world().clone.url, environment: { RUNHOST_RECONCILE_SECONDS: "1" },
  })));
  try {
    const waiting = plugin.client.call("run_wait", { target_run_id: run_id, wait_seconds: 20 });
    await expire(run_id);
    expect(await waiting).toMatchObject({ status: "failed" });
    expect(await audited(run_id)).toEqual(["run_exhausted"]);
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
});

test("the last host that is left sweeps alone", async () => {
  const plugin = await registerPlugin(world());
  const start = () => startTestHost({
    database_url: world().clone.url, environment: { RUNHOST_RECONCILE_SECONDS: "1" },
  });
  const [first, second] = [await start(), await start()];
  const holders = () => sql()`select holder from runhost_duty where held_until > now()`;
  while ((await holders()).length === 0);
  await first.close();
  const { run_id } = await claimed(plugin, { max_attempts: 1 });
  await expire(run_id);
  try {
    expect(await plugin.client.call("run_wait", { target_run_id: run_id, wait_seconds: 20 }))
      .toMatchObject({ status: "failed", status_reason: "dispatch attempts exhausted" });
  } finally {
    await second.close();
  }
});
