// run_subscribe over a real socket: the answer comes first, what is told fits the schemas of the
// records, and a subscription lasts as long as what admitted it.

import { describe, expect, test } from "vitest";
import { interaction } from "../../src/contract/context_records.js";
import { run as runRecord, runEvent } from "../../src/contract/records.js";
import type { Client } from "../support/client.js";
import { claimOf, fresh, registerPlugin, startTestHost, useHost } from "../support/host.js";
import { append, finish, sequencesOf, startRun, told, toldEvent } from "./following.js";
import { upTo } from "./world.js";

const world = useHost();
/** The bound of the contract. */
const withdrawn_ms = 5000;

describe("a subscription", () => {
  test("is answered, then told what is stored, what comes, and the end", async () => {
    const plugin = await registerPlugin(world());
    const run = await startRun(plugin);
    for (const sequence of [1, 2, 3]) await append(plugin.client, run, sequence);
    const order: string[] = [];
    plugin.client.socket.on("message", (data) => {
      const message = JSON.parse(String(data));
      order.push(message.method ?? "answer");
    });
    const made = await plugin.client.call("run_subscribe", { target_run_id: run.run_id });
    expect(made.run).toMatchObject({ run_id: run.run_id, last_sequence: 3 });
    const { subscription_id } = made;
    await toldEvent(plugin.client, subscription_id, 3);
    await append(plugin.client, run, 4);
    await finish(plugin.client, run);
    const ended = await told(plugin.client, "run_ended", subscription_id);
    expect(runRecord.strict().parse(ended.params["run"])).toMatchObject({ status: "completed" });
    expect(sequencesOf(plugin.client, subscription_id)).toEqual(upTo(4));
    expect(order[0]).toBe("answer");
    expect(order.filter((method) => method === "run_ended")).toHaveLength(1);
    const page = await plugin.client.call("run_events_page", { target_run_id: run.run_id });
    const events = plugin.client.notifications.filter(({ method }) => method === "run_event");
    expect(events.map(({ params }) => runEvent.strict().parse(params["event"])))
      .toEqual(page.items);
    expect(await plugin.client.call("run_unsubscribe", { subscription_id }))
      .toEqual({ removed: false });
  });

  test("in a batch begins after the answer of the batch", async () => {
    const plugin = await registerPlugin(world());
    const run = await startRun(plugin);
    await append(plugin.client, run, 1);
    const frames: any[] = [];
    const watcher = await world().test.connect(plugin.token);
    watcher.socket.on("message", (data) => frames.push(JSON.parse(String(data))));
    watcher.socket.send(JSON.stringify([1, 2].map((id) => ({
      jsonrpc: "2.0", id, method: "run_subscribe", params: { target_run_id: run.run_id },
    }))));
    const done = () => watcher.notifications.filter(({ method }) => method === "run_event");
    await watcher.notified(() => done().length === 2);
    expect(Array.isArray(frames[0])).toBe(true);
    expect(frames.slice(1).map(({ method }) => method)).toEqual(["run_event", "run_event"]);
  });

  test("resumes at a cursor; an ended run is replayed and ends", async () => {
    const plugin = await registerPlugin(world());
    const run = await startRun(plugin);
    for (const sequence of upTo(8)) await append(plugin.client, run, sequence);
    await finish(plugin.client, run);
    for (const after of [0, 5, 8, 100]) {
      const { subscription_id } = await plugin.client.call("run_subscribe", {
        target_run_id: run.run_id, after_cursor: String(after),
      });
      await told(plugin.client, "run_ended", subscription_id);
      expect(sequencesOf(plugin.client, subscription_id)).toEqual(upTo(8, Math.min(after, 8)));
    }
  });

  test("is told nothing after its end was answered", async () => {
    const plugin = await registerPlugin(world());
    const run = await startRun(plugin);
    const watcher = await world().test.connect(plugin.token);
    const { subscription_id } = await watcher.call("run_subscribe", {
      target_run_id: run.run_id,
    });
    const writing = (async () => {
      for (const sequence of upTo(200)) await append(plugin.client, run, sequence);
    })();
    await toldEvent(watcher, subscription_id, 20);
    expect(await watcher.call("run_unsubscribe", { subscription_id })).toEqual({ removed: true });
    const count = watcher.notifications.length;
    await writing;
    await watcher.call("ping");
    expect(watcher.notifications).toHaveLength(count);
  });

  test("past the 256th of a connection is OVERLOADED, and other connections are not", async () => {
    const plugin = await registerPlugin(world());
    const run = await startRun(plugin);
    const target = { target_run_id: run.run_id };
    const watcher = await world().test.connect(plugin.token);
    const made = await Promise.all(upTo(256).map(() => watcher.call("run_subscribe", target)));
    expect(await watcher.refusal("run_subscribe", target)).toMatchObject({
      code: "OVERLOADED", retryable: true,
    });
    await plugin.client.call("run_subscribe", target);
    await watcher.call("run_unsubscribe", { subscription_id: made[0].subscription_id });
    await watcher.call("run_subscribe", target);
    await finish(plugin.client, run);
    await watcher.notified(() => watcher.notifications
      .filter(({ method }) => method === "run_ended").length === 256);
    await watcher.call("run_subscribe", target);
  });

  test("of a run that asks a person is told the interaction after the event", async () => {
    const plugin = await registerPlugin(world());
    const { subscription_id, run } = await follow(plugin.client, await startRun(plugin, {
      event: { conversation_id: fresh("conversation") },
    }));
    await plugin.client.call("run_emit_result", {
      ...run.target, sequence: 1, type: "action.requested",
      data: {
        action: "interaction.requested",
        payload: { interaction_id: "ask-1", title: "May I?", fallback_text: "May I?" },
      },
    });
    const asked = await told(plugin.client, "interaction_requested", subscription_id);
    expect(interaction.strict().parse(asked.params["interaction"])).toMatchObject({
      interaction_id: "ask-1", run_id: run.run_id, status: "pending",
    });
    const methods = plugin.client.notifications.map(({ method }) => method);
    expect(methods.indexOf("interaction_requested")).toBe(methods.indexOf("run_event") + 1);
  });
});

async function follow(client: Client, run: Awaited<ReturnType<typeof startRun>>) {
  const { subscription_id } = await client.call("run_subscribe", { target_run_id: run.run_id });
  return { subscription_id: String(subscription_id), run };
}

describe("what admitted it is gone", () => {
  async function dropped(client: Client, subscription_id: string) {
    const began_ms = performance.now();
    const { params } = await told(client, "subscription_dropped", subscription_id);
    expect(performance.now() - began_ms).toBeLessThan(withdrawn_ms);
    expect(params).toEqual({ subscription_id, reason: "not_authorized", resume_after: "1" });
  }

  test("the permission", async () => {
    const plugin = await registerPlugin(world());
    const watcher = await registerPlugin(world(), { permissions: ["agent_run:admin"] });
    const run = await startRun(plugin);
    await append(plugin.client, run, 1);
    const { subscription_id } = await follow(watcher.client, run);
    const own = await follow(plugin.client, run);
    await toldEvent(watcher.client, subscription_id, 1);
    await world().admin.call("plugin_register", {
      plugin_identity: watcher.identity, permissions: ["agent_run:create"],
    });
    await dropped(watcher.client, subscription_id);
    await append(plugin.client, run, 2);
    await toldEvent(plugin.client, own.subscription_id, 2);
    expect(sequencesOf(watcher.client, subscription_id)).toEqual([1]);
  });

  test("the identity that a delegate called as", async () => {
    const plugin = await registerPlugin(world());
    const hub = await registerPlugin(world(), {
      permissions: ["plugin:delegate", "agent_run:create"],
    });
    const run = await startRun(plugin);
    await append(plugin.client, run, 1);
    const { subscription_id } = await hub.client.call("run_subscribe", {
      target_run_id: run.run_id, caller_plugin_identity: plugin.identity,
    });
    await toldEvent(hub.client, subscription_id, 1);
    await world().admin.call("plugin_set_enabled", {
      plugin_identity: plugin.identity, enabled: false,
    });
    await dropped(hub.client, subscription_id);
  });

  test("the claim of a claimer, while another goes on", async () => {
    const plugin = await registerPlugin(world());
    const claimer = await registerPlugin(world(), { permissions: ["runtime:admin"] });
    const { run_id } = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, queue_name: fresh("queue"), dispatch: "queued",
    });
    const item = await claimer.client.call("run_claim", {
      runtime_id: claimer.runtime_id, runner_ids: [plugin.runner_id], lease_seconds: 600,
    });
    expect(item.run_id).toBe(run_id);
    const target = { target_run_id: run_id, ...claimOf(item) };
    await append(claimer.client, { run_id, item, target }, 1);
    const { subscription_id } = await claimer.client.call("run_subscribe", { run_id });
    await toldEvent(claimer.client, subscription_id, 1);
    await claimer.client.call("run_release_claim", target);
    await dropped(claimer.client, subscription_id);
  });
});

test("a reader that stops reading is dropped as slow, resumes, and costs the writer nothing", {
  timeout: 60_000,
}, async () => {
  const plugin = await registerPlugin(world());
  const run = await startRun(plugin);
  const reader = await world().test.connect(plugin.token);
  const { subscription_id } = await follow(reader, run);
  await append(plugin.client, run, 1);
  await toldEvent(reader, subscription_id, 1);
  reader.socket.pause();
  const text = "x".repeat(60_000);
  const total = 400;
  let slowest_ms = 0;
  for (const sequence of upTo(total, 1)) {
    const began_ms = performance.now();
    await append(plugin.client, run, sequence, text);
    slowest_ms = Math.max(slowest_ms, performance.now() - began_ms);
  }
  // The connection has been too full for longer than 5 s.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await finish(plugin.client, run);
  reader.socket.resume();
  const { params } = await told(reader, "subscription_dropped", subscription_id);
  expect(slowest_ms).toBeLessThan(1000);
  expect(params["reason"]).toBe("slow");
  const seen = sequencesOf(reader, subscription_id);
  expect(params["resume_after"]).toBe(String(seen.at(-1)));
  expect(seen.length).toBeLessThan(total);
  const again = await reader.call("run_subscribe", {
    target_run_id: run.run_id, after_cursor: params["resume_after"],
  });
  await told(reader, "run_ended", again.subscription_id);
  expect([...seen, ...sequencesOf(reader, again.subscription_id)]).toEqual(upTo(total));
});

test("the last one that goes takes the reads of its run with it", async () => {
  const plugin = await registerPlugin(world());
  const run = await startRun(plugin);
  const host = await startTestHost({ database_url: world().clone.url, hints: "none" });
  const count = () => host.statements.filter((name) => /^run_(heads|tail)$/.test(name)).length;
  const watchers = [await host.connect(plugin.token), await host.connect(plugin.token)];
  for (const watcher of watchers) await follow(watcher, run);
  await watchers[0]!.close();
  const before = count();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(count()).toBeGreaterThan(before);
  await watchers[1]!.close();
  // One look may be under way.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const after = count();
  await append(plugin.client, run, 1);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(count()).toBe(after);
  await host.close();
});
