// The rest of what a handler holds: history, state, prompt, any call of its run's, and what a
// resumable runner finds of its earlier attempt.

import { describe, expect, test } from "vitest";
import { fresh, useHost } from "../support/host.js";
import { openBench, signal } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

describe("history and prompt", () => {
  test("show the run's conversation, by page and by words", async () => {
    const bench = await openBench(world());
    const { admin } = world();
    const seen = signal<any>();
    const conversation_id = fresh("talk");
    for (const text of ["blue whales", "red foxes"]) {
      await admin.call("event_publish", { conversation_id, text });
    }
    await bench.work({
      look: async (_run, ctx) => {
        const page = await ctx.history.page({ direction: "forward", limit: 10 });
        const found = await ctx.history.search("foxes", { top_k: 1 });
        seen.give([page.items.map((item) => item.content), found.items.map((item) => item.content)]);
      },
    });
    await bench.create("look", { conversation_id });
    expect(await seen.promise).toEqual([["blue whales", "red foxes"], ["red foxes"]]);
  });

  test("the prompt is what the run was created with, and NOT_FOUND without one", async () => {
    const bench = await openBench(world());
    const seen: unknown[] = [];
    await bench.work({
      look: async (_run, ctx) => void seen.push(await ctx.prompt().catch((thrown) => thrown)),
    });
    const prompt = [{ role: "system", content: "be brief" }];
    await bench.waitFor(await bench.create("look", { prompt }));
    await bench.waitFor(await bench.create("look", {
      authorization: { available_apis: { prompt_get: false } },
    }));
    expect(seen[0]).toEqual(prompt);
    expect(seen[1]).toMatchObject({ code: "FORBIDDEN", reason: "capability_missing" });
  });

  test("any other call of the run's goes under its authority", async () => {
    const bench = await openBench(world());
    const seen = signal<any>();
    await bench.work({
      look: async (_run, ctx) => {
        await ctx.emit.delta("a");
        seen.give([
          await ctx.call("run_events_page", { limit: 1 }),
          await ctx.call("event_page").catch((thrown) => thrown),
        ]);
      },
    });
    await bench.create("look");
    const [events, refused] = await seen.promise;
    expect(events.items).toMatchObject([{ type: "message.delta" }]);
    expect(refused).toMatchObject({ code: "FORBIDDEN", reason: "capability_missing" });
  });
});

describe("state", () => {
  test("is read, written, compared, listed and deleted", async () => {
    const bench = await openBench(world());
    const seen = signal<any>();
    await bench.work({
      look: async (_run, { state }) => {
        const scope = "conversation";
        const absent = await state.get(scope, "k");
        const { version } = await state.set(scope, "k", { a: 1 });
        const held = await state.get(scope, "k");
        const stale = await state.set(scope, "k", 2, { if_version: 0 }).catch((thrown) => thrown);
        const next = await state.set(scope, "k", 2, { if_version: version });
        const { keys } = await state.list(scope, { prefix: "k" });
        const deleted = await state.delete(scope, "k");
        seen.give({ absent, held, stale, next, keys, deleted, version });
      },
    });
    await bench.create("look", { conversation_id: fresh("talk") });
    const { version, ...rest } = await seen.promise;
    expect(rest).toMatchObject({
      absent: { value: null, found: false, version: 0 },
      held: { value: { a: 1 }, found: true, version },
      stale: { code: "CONFLICT", reason: "version_mismatch" },
      next: { success: true, version: version + 1 },
      keys: ["k"],
      deleted: { success: true },
    });
  });

  test("a scope that the run does not have is refused, and the run goes on", async () => {
    const bench = await openBench(world());
    const seen = signal<unknown>();
    await bench.work({
      look: async (_run, ctx) =>
        seen.give(await ctx.state.set("conversation", "k", 1).catch((thrown) => thrown)),
    });
    const run_id = await bench.create("look");
    expect(await seen.promise).toMatchObject({ code: "FORBIDDEN", reason: "scope_unavailable" });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
  });

  test("a write after the claim was lost is refused, and tells the handler", async () => {
    const bench = await openBench(world());
    const seen = signal<any>();
    await bench.work({
      look: async (run, ctx) => {
        await world().clone.sql`update agent_run set claim_lease_expires_at = now() - interval '1 s'
          where run_id = ${run.run_id}`;
        await world().clone.sql`update agent_run set requested_runtime_id = 'nobody'
          where run_id = ${run.run_id}`;
        const refusal = await ctx.state.set("conversation", "k", 1).catch((thrown) => thrown);
        seen.give([refusal, ctx.signal.aborted && ctx.signal.reason]);
      },
    });
    await bench.create("look", { conversation_id: fresh("talk") });
    const [refusal, reason] = await seen.promise;
    expect(["LEASE_LOST", "FORBIDDEN", "SESSION_EXPIRED"]).toContain(refusal.code);
    if (refusal.code === "LEASE_LOST") expect(reason).toMatchObject({ kind: "lease_lost" });
  });

  test("calls that nobody awaits are nobody's rejection", async () => {
    const bench = await openBench(world());
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", hear);
    await bench.work({
      careless: (_run, ctx) => {
        void ctx.state.get("subject", "k");
        void ctx.history.page({ limit: "x" as never });
        void ctx.prompt();
        void ctx.call("no_such_method");
        void ctx.ask({ title: "" });
        void ctx.emit.delta({ content: 5 as never });
        void ctx.checkpoint(1n);
      },
    });
    const run_id = await bench.create("careless", { max_attempts: 1 });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "failed" });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", hear);
    expect(unhandled).toEqual([]);
  });
});

describe("a resumable runner", () => {
  const steps = (resumable: boolean, seen: unknown[]) => ({
    steps: {
      resumable,
      run: async (run: { claim_epoch: number }, ctx: any) => {
        seen.push(ctx.resumed);
        for (let step = ctx.resumed?.checkpoint?.step ?? 0; step < 4; step += 1) {
          await ctx.emit.message(`step ${step}`);
          await ctx.checkpoint({ step: step + 1 });
          if (step === run.claim_epoch && step < 3) throw new Error("interrupted");
        }
        return "done";
      },
    },
  });
  const contentsOf = (events: { data: any }[]) =>
    events.flatMap(({ data }) => (data.message ? [data.message.content] : []));

  test("goes on where its last checkpoint was stored", async () => {
    const bench = await openBench(world());
    const seen: unknown[] = [];
    await bench.work(steps(true, seen));
    const run_id = await bench.create("steps");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 3 });
    expect(seen).toEqual([
      null,
      { last_sequence: 5, checkpoint: { step: 2 } },
      { last_sequence: 8, checkpoint: { step: 3 } },
    ]);
    expect(contentsOf(await bench.eventsOf(run_id)))
      .toEqual(["step 0", "step 1", "step 2", "step 3", "done"]);
  });

  test("that is not one begins anew, behind its earlier events", async () => {
    const bench = await openBench(world());
    const seen: unknown[] = [];
    await bench.work(steps(false, seen));
    const run_id = await bench.create("steps", { max_attempts: 2 });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "failed", claim_epoch: 2 });
    expect(seen).toEqual([null, null]);
    expect(contentsOf(await bench.eventsOf(run_id)))
      .toEqual(["step 0", "step 1", "step 0", "step 1", "step 2"]);
  });

  test("finds a checkpoint behind many events, and null where none was stored", async () => {
    const bench = await openBench(world());
    const seen: unknown[] = [];
    await bench.work({
      far: {
        resumable: true,
        run: async (run, ctx) => {
          if (run.claim_epoch === 1 && run.input["text"] === "none") throw new Error("at once");
          seen.push(ctx.resumed);
          if (run.claim_epoch > 1) return;
          void ctx.checkpoint("far away");
          for (let count = 0; count < 130; count += 1) void ctx.emit.delta(".");
          throw new Error("interrupted");
        },
      },
    });
    await bench.waitFor(await bench.create("far"));
    await bench.waitFor(await bench.create("far", { text: "none" }));
    expect(seen).toEqual([
      null,
      { last_sequence: 132, checkpoint: "far away" },
      { last_sequence: 1, checkpoint: null },
    ]);
  });
});
