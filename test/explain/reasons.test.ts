// Each reason of run_explain: listed with its facts while its cause holds, gone once the cause is
// taken away (protocol/README.md, "Why a run is not moving").

import { describe, expect, test } from "vitest";
import { claimOf, fresh, registerPlugin, useHost } from "../support/host.js";
import {
  claimIt, codesOf, createRun, explain, explainOwn, factsOf, makeStill, shift,
} from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const nowSeconds = () => Math.floor(Date.now() / 1000);
const ask = (run_id: string) => explain(world().admin, run_id);

test("a run that nothing hinders waits for its claim, and its answer is closed", async () => {
  const still = await makeStill(world());
  const answer = await ask(still.run_id);
  const { queue_name } = still;
  expect(answer).toEqual({
    run_id: still.run_id, status: "queued", claimable: true, moving: false,
    judged_at: expect.any(Number),
    reasons: [{ code: "awaiting_claim", queue_name, message: expect.stringContaining(queue_name) }],
  });
  expect(Math.abs(answer.judged_at - nowSeconds())).toBeLessThan(30);
  await claimIt(still);
  expect(codesOf(await ask(still.run_id))).not.toContain("awaiting_claim");
});

describe("an executor", () => {
  test("lease_held, then lease_over, then neither", async () => {
    const still = await makeStill(world());
    const item = await claimIt(still, { lease_seconds: 300 });
    const held = await ask(still.run_id);
    expect(held).toMatchObject({ status: "claimed", claimable: false, moving: true });
    const lease = { runtime_id: still.plugin.runtime_id, claim_epoch: 1 };
    expect(held.reasons).toEqual([{
      code: "lease_held", ...lease, lease_expires_at: item.claim_lease_expires_at,
      message: expect.stringContaining(still.plugin.runtime_id),
    }]);
    await shift(world(), still.run_id, "claim_lease_expires_at", -5);
    const over = await ask(still.run_id);
    expect(over).toMatchObject({ status: "claimed", claimable: true, moving: false });
    expect(codesOf(over)).toEqual(["lease_over", "awaiting_claim"]);
    expect(factsOf(over, "lease_over")).toMatchObject(lease);
    await world().admin.call("runtime_reconcile", {});
    expect(codesOf(await ask(still.run_id))).toEqual(["not_due"]);
  });

  test("owner_executes until the deadline, deadline_passed from then on", async () => {
    const still = await makeStill(world(), { dispatch: "running", timeout_seconds: 300 });
    const going = await ask(still.run_id);
    expect(going).toMatchObject({ status: "running", claimable: false, moving: true });
    expect(going.reasons).toMatchObject([{
      code: "owner_executes", plugin_identity: still.plugin.identity,
      deadline_at: expect.any(Number),
    }]);
    await shift(world(), still.run_id, "deadline_at", -5);
    const late = await ask(still.run_id);
    expect(late.moving).toBe(false);
    expect(codesOf(late)).toEqual(["owner_executes", "deadline_passed"]);
    await shift(world(), still.run_id, "deadline_at", -61);
    expect(codesOf(await ask(still.run_id))).toEqual(["deadline_passed"]);
    await world().admin.call("runtime_reconcile", {});
    const ended = await ask(still.run_id);
    expect(ended).toMatchObject({ status: "timeout", claimable: false, moving: false });
    expect(ended.reasons).toMatchObject([{ code: "ended", status_reason: "deadline exceeded" }]);
  });

  test("cancel_requested until the executor has ended the run", async () => {
    const still = await makeStill(world());
    const item = await claimIt(still, { lease_seconds: 300 });
    await world().admin.call("run_cancel", { target_run_id: still.run_id, reason: "not needed" });
    const asked = await ask(still.run_id);
    expect(asked).toMatchObject({ moving: false, claimable: false });
    expect(codesOf(asked)).toEqual(["lease_held", "cancel_requested"]);
    expect(factsOf(asked, "cancel_requested")).toMatchObject({ cancel_reason: "not needed" });
    await still.plugin.client.call("run_finalize", {
      target_run_id: still.run_id, status: "cancelled", status_reason: "seen", ...claimOf(item),
    });
    const ended = await ask(still.run_id);
    expect(ended.reasons).toMatchObject([{ code: "ended", status_reason: "seen" }]);
    expect(ended.reasons[0].message).toContain("cancelled");
  });

  test("interaction_pending until it is answered or its time is over", async () => {
    const still = await makeStill(world());
    const item = await claimIt(still, { lease_seconds: 300 });
    const emit = (sequence: number, interaction_id: string, expires_at: number) =>
      still.plugin.client.call("run_emit_result", {
        target_run_id: still.run_id, ...claimOf(item), sequence, type: "action.requested",
        data: {
          action: "interaction.requested",
          payload: {
            interaction_id, title: "Go on?", fallback_text: "Go on?", expires_at,
            actions: [{ id: "yes", label: "Yes" }],
          },
        },
      });
    const [first, second] = [nowSeconds() + 600, nowSeconds() + 900];
    await emit(1, "ask-1", first);
    await emit(2, "ask-2", second);
    const waiting = await ask(still.run_id);
    expect(waiting.moving).toBe(false);
    expect(factsOf(waiting, "interaction_pending")).toMatchObject({
      interaction_id: "ask-1", expires_at: first, pending_count: 2,
    });
    await world().admin.call("interaction_submit", {
      target_run_id: still.run_id, interaction_id: "ask-1", action_id: "yes",
    });
    expect(factsOf(await ask(still.run_id), "interaction_pending")).toMatchObject({
      interaction_id: "ask-2", pending_count: 1,
    });
    await world().clone.sql`
      update agent_interaction set expires_at = now() - interval '1 second'
      where run_id = ${still.run_id} and interaction_id = 'ask-2'`;
    expect(await ask(still.run_id)).toMatchObject({
      moving: true, reasons: [{ code: "lease_held" }],
    });
  });
});

describe("before a claim", () => {
  test("not_due until its time has come", async () => {
    const not_before = nowSeconds() + 3600;
    const still = await makeStill(world(), { not_before });
    const early = await ask(still.run_id);
    expect(early).toMatchObject({ claimable: false, reasons: [{ code: "not_due", not_before }] });
    await shift(world(), still.run_id, "not_before", -1);
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
  });

  test("attempts_exhausted until the sweep has ended it", async () => {
    const still = await makeStill(world(), { max_attempts: 1 });
    await claimIt(still);
    expect(codesOf(await ask(still.run_id))).toEqual(["lease_held"]);
    await shift(world(), still.run_id, "claim_lease_expires_at", -5);
    const used = await ask(still.run_id);
    expect(used.claimable).toBe(false);
    expect(codesOf(used)).toEqual(["lease_over", "attempts_exhausted"]);
    expect(factsOf(used, "attempts_exhausted")).toMatchObject({
      dispatch_attempts: 1, max_attempts: 1,
    });
    await world().admin.call("runtime_reconcile", {});
    expect(codesOf(await ask(still.run_id))).toEqual(["ended"]);
  });

  test("deadline_passed while no sweep came", async () => {
    const still = await makeStill(world(), { timeout_seconds: 60 });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    await shift(world(), still.run_id, "deadline_at", 0);
    expect(await ask(still.run_id)).toMatchObject({
      claimable: false, reasons: [{ code: "deadline_passed" }],
    });
  });

  test("no_online_runtime: draining, stale, deregistered, and online again", async () => {
    const still = await makeStill(world());
    const { client, runtime_id, identity } = still.plugin;
    const none = { code: "no_online_runtime", plugin_identity: identity };
    await client.call("runtime_heartbeat", { runtime_id, status: "draining" });
    expect(await ask(still.run_id)).toMatchObject({ claimable: true, reasons: [none] });
    await client.call("runtime_heartbeat", { runtime_id, status: "online" });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    await world().clone.sql`
      update agent_runtime set heartbeat_deadline_at = now() - interval '1 second'
      where runtime_id = ${runtime_id}`;
    expect((await ask(still.run_id)).reasons).toMatchObject([none]);
    await client.call("runtime_heartbeat", { runtime_id });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    await client.call("runtime_deregister", { runtime_id });
    expect((await ask(still.run_id)).reasons).toMatchObject([none]);
    expect((await explainOwn(still)).reasons).toMatchObject([none]);
  });

  test("no_online_runtime: a runtime of a holder of runtime:admin counts while it is online", async () => {
    const still = await makeStill(world());
    const { runtime_id } = still.plugin;
    await still.plugin.client.call("runtime_deregister", { runtime_id });
    const stranger = await registerPlugin(world());
    expect(codesOf(await ask(still.run_id))).toEqual(["no_online_runtime"]);
    await world().admin.call("plugin_register", {
      plugin_identity: stranger.identity, permissions: ["runtime:*"],
    });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    await world().admin.call("plugin_set_enabled", {
      plugin_identity: stranger.identity, enabled: false,
    });
    expect(codesOf(await ask(still.run_id))).toEqual(["no_online_runtime"]);
    const own = fresh("runtime");
    await world().admin.call("runtime_register", { runtime_id: own });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    await world().admin.call("runtime_deregister", { runtime_id: own });
    expect(codesOf(await ask(still.run_id))).toEqual(["no_online_runtime"]);
  });

  test("pinned_runtime_not_online: unknown, offline, another plugin's, and online", async () => {
    const requested_runtime_id = fresh("runtime");
    const still = await makeStill(world(), { requested_runtime_id });
    const pinned = { code: "pinned_runtime_not_online", runtime_id: requested_runtime_id };
    expect((await ask(still.run_id)).reasons).toMatchObject([{ ...pinned, runtime_status: null }]);
    const { client } = still.plugin;
    await client.call("runtime_register", { runtime_id: requested_runtime_id, status: "offline" });
    for (const answer of [await ask(still.run_id), await explainOwn(still)]) {
      expect(answer.reasons).toMatchObject([{ ...pinned, runtime_status: "offline" }]);
    }
    await client.call("runtime_heartbeat", { runtime_id: requested_runtime_id, status: "online" });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
  });

  test("plugin_disabled until it is enabled", async () => {
    const still = await makeStill(world());
    const plugin_identity = still.plugin.identity;
    await world().admin.call("plugin_set_enabled", { plugin_identity, enabled: false });
    const off = await ask(still.run_id);
    expect(codesOf(off)).toEqual(["plugin_disabled", "no_online_runtime"]);
    expect(factsOf(off, "plugin_disabled")).toMatchObject({ plugin_identity });
    await world().admin.call("plugin_set_enabled", { plugin_identity, enabled: true });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
  });

  test("runner_not_registered: withdrawn, never registered, and registered again", async () => {
    const still = await makeStill(world());
    const { client, runner_id } = still.plugin;
    await client.call("runner_register", { runners: [], replace: true });
    const gone = await ask(still.run_id);
    expect(gone.claimable).toBe(true);
    expect(factsOf(gone, "runner_not_registered")).toMatchObject({ runner_id });
    await client.call("runner_register", { runners: [{ id: runner_id }] });
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    const never = await createRun(world(), still.plugin, {
      runner_id: `${runner_id}-never`, allow_unregistered_runner: true,
      queue_name: still.queue_name, priority: 5,
    });
    expect(codesOf(await ask(never.run_id))).toEqual(["runner_not_registered", "awaiting_claim"]);
  });

  test("never_queued: a row with the reserved status created", async () => {
    const still = await makeStill(world());
    await world().clone.sql`update agent_run set status = 'created' where run_id = ${still.run_id}`;
    expect(await ask(still.run_id)).toMatchObject({
      status: "created", claimable: false, moving: false, reasons: [{ code: "never_queued" }],
    });
    await world().clone.sql`update agent_run set status = 'queued' where run_id = ${still.run_id}`;
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
  });
});

describe("runs_ahead", () => {
  test("counts what a claimer of this run takes first, and nothing else", async () => {
    const still = await makeStill(world(), { priority: 3 });
    const { plugin, queue_name } = still;
    const add = (more: object) => createRun(world(), plugin, { queue_name, ...more });
    await add({ priority: 3 }); // younger
    await add({ priority: 2 }); // less urgent
    await add({ priority: 9, not_before: nowSeconds() + 3600 }); // not due
    await add({ priority: 9, requested_runtime_id: fresh("runtime") }); // of another runtime
    await add({ priority: 9, queue_name: fresh("queue") }); // of another queue
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
    const urgent = await add({ priority: 4 });
    const lapsed = await add({ priority: 9 });
    expect(await claimIt(still)).toMatchObject({ run_id: lapsed.run_id });
    const one = await ask(still.run_id);
    expect(one).toMatchObject({ claimable: true, moving: false });
    expect(one.reasons).toMatchObject([
      {
        code: "runs_ahead", queue_name, among: "queue", count: 1, capped: false,
        message: `1 run before it in queue ${queue_name}`,
      },
    ]);
    await shift(world(), lapsed.run_id, "claim_lease_expires_at", -5);
    expect(factsOf(await ask(still.run_id), "runs_ahead")).toMatchObject({ count: 2 });
    for (const { run_id } of [urgent, lapsed]) {
      await world().admin.call("run_cancel", { target_run_id: run_id });
    }
    expect(codesOf(await ask(still.run_id))).toEqual(["awaiting_claim"]);
  });

  test("is capped, and says so", async () => {
    const still = await makeStill(world());
    const { sql } = world().clone;
    await createRun(world(), still.plugin, { queue_name: still.queue_name, priority: 7 });
    const multiply = (copies: number) => sql`
      insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, dispatch,
        status, queue_name, priority, snapshot)
      select tenant_id, run_id || '-' || ${fresh("copy")} || '-' || n, runner_id, plugin_identity,
        created_by, dispatch, status, queue_name, priority, snapshot
      from (select * from agent_run where queue_name = ${still.queue_name} and priority = 7
        order by id limit 1) r, generate_series(1, ${copies}::int) n`;
    await multiply(999);
    expect(factsOf(await ask(still.run_id), "runs_ahead")).toMatchObject({
      count: 1000, capped: false,
    });
    await multiply(1);
    const capped = factsOf(await ask(still.run_id), "runs_ahead");
    expect(capped).toMatchObject({ count: 1000, capped: true });
    expect(capped.message).toContain("more than 1000 runs");
  });
});
