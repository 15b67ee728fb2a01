// The trace that a run remembers, on a host without an SDK: what its caller sent is kept and handed
// to whoever claims the run, is no part of what a repeat has to equal, and never makes a call fail.

import { describe, expect, test } from "vitest";
import { claimOf, fresh, registerPlugin, useHost, type Plugin } from "../support/host.js";
import type { Params } from "../support/client.js";

const world = useHost();

let made = 0;
const freshTraceparent = (flags = "01"): string => {
  made += 1;
  return `00-${made.toString(16).padStart(32, "a")}-${made.toString(16).padStart(16, "b")}-${flags}`;
};
const meta = (traceparent: unknown) => ({ _meta: { traceparent } });

const create = (plugin: Plugin, params: Params = {}) =>
  plugin.client.call("run_create", { runner_id: plugin.runner_id, ...params });
const claim = (plugin: Plugin) =>
  plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
const end = (plugin: Plugin, item: Parameters<typeof claimOf>[0] & { run_id: string }) =>
  plugin.client.call("run_finalize", {
    target_run_id: item.run_id, ...claimOf(item), status: "completed",
  });

describe("the claimer is handed", () => {
  test.each(["01", "00", "03"])("what run_create was sent, flags %s as well", async (flags) => {
    const plugin = await registerPlugin(world());
    const traceparent = freshTraceparent(flags);
    const { run_id, ...run } = await create(plugin, meta(traceparent));
    expect("traceparent" in run).toBe(false);
    expect(await claim(plugin)).toMatchObject({ run_id, traceparent });
  });

  test.each([
    ["nothing", {}], ["no object", { _meta: { traceparent: ["x"] } }],
    ["no trace", { _meta: { other: 1 } }], ["zeros", meta(`00-${"0".repeat(32)}-b7ad6b7169203331-01`)],
    ["capitals", meta("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")],
  ])("no trace where the caller sent %s", async (_what, params) => {
    const plugin = await registerPlugin(world());
    const { run_id } = await create(plugin, params);
    const item = await claim(plugin);
    expect(item.run_id).toBe(run_id);
    expect("traceparent" in item).toBe(false);
  });

  test("a later version in the form of the first", async () => {
    const plugin = await registerPlugin(world());
    const traceparent = freshTraceparent();
    await create(plugin, meta(`${traceparent.replace(/^00/, "42")}-more`));
    expect(await claim(plugin)).toMatchObject({ traceparent });
  });

  test("that of the first of two equal calls, at every claim of the run", async () => {
    const plugin = await registerPlugin(world());
    const [first, second] = [freshTraceparent(), freshTraceparent()];
    const run_id = fresh("run");
    await create(plugin, { run_id, ...meta(first) });
    expect(await create(plugin, { run_id, ...meta(second) })).toMatchObject({ idempotent: true });
    expect(await create(plugin, { run_id })).toMatchObject({ idempotent: true });
    const item = await claim(plugin);
    expect(item.traceparent).toBe(first);
    await plugin.client.call("run_release_claim", { target_run_id: run_id, ...claimOf(item) });
    expect(await claim(plugin)).toMatchObject({ run_id, traceparent: first });
  });

  test("that of each run, with max_runs", async () => {
    const plugin = await registerPlugin(world());
    const traceparent = freshTraceparent();
    await create(plugin);
    await create(plugin, meta(traceparent));
    const { runs } = await plugin.client.call("run_claim", {
      runtime_id: plugin.runtime_id, max_runs: 2,
    });
    const found = runs.map((item: Params) => item["traceparent"]);
    expect(found).toEqual([undefined, traceparent]);
  });
});

describe("a run that is made of another call", () => {
  test("by run_retry belongs to the trace of the retry", async () => {
    const plugin = await registerPlugin(world());
    const [first, second] = [freshTraceparent(), freshTraceparent()];
    const { run_id } = await create(plugin, meta(first));
    await end(plugin, await claim(plugin));
    const retry = { target_run_id: run_id, new_run_id: fresh("run") };
    const { admin } = world();
    await admin.call("run_retry", { ...retry, ...meta(second) });
    expect(await admin.call("run_retry", { ...retry, ...meta(first) }))
      .toMatchObject({ idempotent: true });
    expect(await claim(plugin)).toMatchObject({ run_id: retry.new_run_id, traceparent: second });
    await admin.call("run_cancel", { target_run_id: retry.new_run_id });
  });

  test("by event_publish belongs to the trace of the event", async () => {
    const plugin = await registerPlugin(world());
    const traceparent = freshTraceparent();
    const event = { runner_id: plugin.runner_id, text: "hi", event_id: fresh("event") };
    const { run_id } = await plugin.client.call("event_publish", { ...event, ...meta(traceparent) });
    expect(await plugin.client.call("event_publish", { ...event, ...meta(freshTraceparent()) }))
      .toMatchObject({ run_id, idempotent: true });
    expect(await claim(plugin)).toMatchObject({ run_id, traceparent });
  });

  test("of messages left over belongs to the trace of the run that ended", async () => {
    const plugin = await registerPlugin(world());
    const conversation_id = fresh("talk");
    const say = (text: string, params: Params = {}) =>
      plugin.client.call("event_publish", { conversation_id, text, ...params });
    const traceparent = freshTraceparent();
    await say("first", { runner_id: plugin.runner_id, ...meta(traceparent) });
    const item = await claim(plugin);
    expect(await say("second", meta(freshTraceparent()))).toMatchObject({ disposition: "absorbed" });
    await end(plugin, item);
    expect(await claim(plugin)).toMatchObject({ parent_run_id: item.run_id, traceparent });
  });
});

test("the database refuses what is no trace context", async () => {
  const plugin = await registerPlugin(world());
  const { run_id } = await create(plugin);
  const { sql } = world().clone;
  for (const text of ["", "x", freshTraceparent().slice(0, 54), `${freshTraceparent()}0`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`, freshTraceparent().replace(/^00/, "ff")]) {
    await expect(sql`update agent_run_request set traceparent = ${text} where run_id = ${run_id}`)
      .rejects.toThrow("agent_run_request_traceparent");
  }
});
