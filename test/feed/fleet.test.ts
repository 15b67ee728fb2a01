// Two hosts on one database: what one commits reaches those who wait on the other, at once by hints,
// and within about a second without them.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../support/client.js";
import {
  claimOf, fresh, type Plugin, registerPlugin, startTestHost, type TestHost, useHost,
} from "../support/host.js";
import { append, finish, sequencesOf, startRun, told, toldEvent } from "./following.js";
import { upTo } from "./world.js";

/** Without hints a look a second has to do; the statements themselves take a moment. */
const within = { listen: 600, none: 1600 } as const;

describe.each(["listen", "none"] as const)("hints: %s", (hints) => {
  const world = useHost({}, { hints });
  let other: TestHost;
  let plugin: Plugin;
  let watcher: Client;
  beforeAll(async () => {
    other = await startTestHost({ database_url: world().clone.url, hints });
    plugin = await registerPlugin(world());
    watcher = await other.connect(plugin.token);
    // LISTEN has been said when a first hint has come through.
    const run = await startRun(plugin);
    const { subscription_id } = await watcher.call("run_subscribe", { run_id: run.run_id });
    await append(plugin.client, run, 1);
    await toldEvent(watcher, subscription_id, 1);
    await finish(plugin.client, run);
    await told(watcher, "run_ended", subscription_id);
  });
  afterAll(async () => other.close());

  async function timed<T>(waited: Promise<T>): Promise<T> {
    const began_ms = performance.now();
    const result = await waited;
    expect(performance.now() - began_ms).toBeLessThan(within[hints]);
    return result;
  }

  test("events and the end of a run", async () => {
    const run = await startRun(plugin);
    const { subscription_id } = await watcher.call("run_subscribe", { run_id: run.run_id });
    for (const sequence of upTo(5)) {
      await append(plugin.client, run, sequence);
      await timed(toldEvent(watcher, subscription_id, sequence));
    }
    await finish(plugin.client, run);
    await timed(told(watcher, "run_ended", subscription_id));
    expect(sequencesOf(watcher, subscription_id)).toEqual(upTo(5));
  });

  test("a run for a waiting run_claim", async () => {
    const claiming = watcher.call("run_claim", {
      runtime_id: plugin.runtime_id, wait_seconds: 20,
    });
    await watcher.call("ping");
    const { run_id } = await plugin.client.call("run_create", { runner_id: plugin.runner_id });
    const item = await timed(claiming);
    expect(item.run_id).toBe(run_id);
    const waiting = watcher.call("run_wait", { run_id, wait_seconds: 20 });
    await watcher.call("ping");
    await plugin.client.call("run_finalize", {
      target_run_id: run_id, ...claimOf(item), status: "completed",
    });
    expect(await timed(waiting)).toMatchObject({ run_id, status: "completed" });
  });

  test("a cancel request, once", async () => {
    const run = await startRun(plugin);
    await plugin.client.call("run_cancel", { target_run_id: run.run_id, reason: "enough" });
    const mine = ({ method, params }: { method: string; params: Record<string, unknown> }) =>
      method === "run_cancel_requested" && params["run_id"] === run.run_id;
    const { params } = await timed(watcher.notified(mine));
    expect(params).toEqual({ run_id: run.run_id, status_reason: "enough" });
    await new Promise((resolve) => setTimeout(resolve, 2200));
    expect(watcher.notifications.filter(mine)).toHaveLength(1);
    await finish(plugin.client, run);
  });

  test("a permission that was taken away", async () => {
    const run = await startRun(plugin);
    const follower = await registerPlugin(world(), { permissions: ["agent_run:admin"] });
    const following = await other.connect(follower.token);
    const { subscription_id } = await following.call("run_subscribe", {
      target_run_id: run.run_id,
    });
    await world().admin.call("plugin_register", {
      plugin_identity: follower.identity, permissions: [],
    });
    const began_ms = performance.now();
    const { params } = await told(following, "subscription_dropped", subscription_id);
    expect(performance.now() - began_ms).toBeLessThan(5000);
    expect(params).toMatchObject({ reason: "not_authorized", resume_after: "0" });
    await finish(plugin.client, run);
  });

  test("steering that waits, on both hosts", async () => {
    const conversation_id = fresh("conversation");
    const run = await startRun(plugin, { event: { conversation_id } });
    for (const pending of [1, 2]) {
      const published = await plugin.client.call("event_publish", {
        conversation_id, text: "and then?", runner_id: plugin.runner_id,
      });
      expect(published).toMatchObject({ disposition: "absorbed", run_id: run.run_id });
      const fits = ({ method, params }: { method: string; params: Record<string, unknown> }) =>
        method === "steering_available" && params["run_id"] === run.run_id
        && params["pending"] === pending;
      await timed(watcher.notified(fits));
      await timed(plugin.client.notified(fits));
    }
    await finish(plugin.client, run);
  });
});

test("hints are dropped with the database, and events are not", { timeout: 60_000 }, async () => {
  const world = lone();
  const plugin = await registerPlugin(world);
  const other = await startTestHost({ database_url: world.clone.url });
  const watcher = await other.connect(plugin.token);
  const run = await startRun(plugin);
  const { subscription_id } = await watcher.call("run_subscribe", { run_id: run.run_id });
  for (let sequence = 1; sequence <= 60; sequence += 1) {
    // Sixty events, and every tenth one finds all connections of both hosts cut.
    if (sequence % 10 === 0) {
      await world.clone.sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'runhost%'`;
    }
    while ((await plugin.client.ask("run_append_result", {
      ...run.target, sequence, type: "tool.call.started",
      data: { tool_call_id: "c", tool_name: "t" },
    })).error) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await toldEvent(watcher, subscription_id, 60);
  expect(sequencesOf(watcher, subscription_id)).toEqual(upTo(60));
  await other.close();
});

const lone = useHost();
