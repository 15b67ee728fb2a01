// How a run ends: by what its handler returns or throws, by a cancel, by its deadline. And what a
// worker is refused before it begins.

import { describe, expect, test } from "vitest";
import { HostError } from "../../src/client/client.js";
import { createWorker, RunFailed, RunStopped, type WorkerProblem } from "../../src/worker/worker.js";
import { useHost } from "../support/host.js";
import { aborted, deafen, openBench, signal } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

describe("a handler that returns", () => {
  test("a text completes the run with a message", async () => {
    const bench = await openBench(world());
    await bench.work({ echo: (run) => `you said ${run.input["text"]}` });
    const run_id = await bench.create("echo", { text: "hello" });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect(await bench.eventsOf(run_id)).toMatchObject([{
      sequence: 1, type: "run.completed",
      data: { message: { role: "assistant", content: "you said hello" } },
    }]);
  });

  test("a message, a completion and nothing complete it too", async () => {
    const bench = await openBench(world());
    await bench.work({
      message: () => ({ role: "system", content: [{ type: "text", text: "a" }] }),
      completion: () => ({ message: "b", finish_reason: "length", usage: { total_tokens: 3 } }),
      nothing: () => undefined,
    });
    const message = await bench.create("message");
    const completion = await bench.create("completion");
    const nothing = await bench.create("nothing");
    for (const run_id of [message, completion, nothing]) await bench.waitFor(run_id);
    expect((await bench.eventsOf(message))[0]?.data).toEqual({
      message: { role: "system", content: [{ type: "text", text: "a" }] },
    });
    expect((await bench.eventsOf(nothing))[0]).toMatchObject({ type: "run.completed", data: {} });
    expect(await bench.get(completion)).toMatchObject({
      status: "completed", status_reason: "length", usage: { total_tokens: 3 },
    });
  });

  test("a value that is no message fails the run, for good", async () => {
    const bench = await openBench(world());
    await bench.work({
      number: (() => 7) as never,
      list: (() => ["a"]) as never,
      broken: () => ({ role: "assistant", content: 5 }) as never,
    });
    for (const name of ["number", "list", "broken"]) {
      const run = await bench.waitFor(await bench.create(name));
      expect(run, name).toMatchObject({ status: "failed", dispatch_attempts: 1 });
    }
  });

  test("its handler sees everything of the run but the proof of the claim", async () => {
    const bench = await openBench(world());
    const seen = signal<object>();
    await bench.work({ look: (run) => seen.give(run) });
    const run_id = await bench.create("look", { text: "x", metadata: { a: 1 } });
    const run = await seen.promise;
    expect(run).toMatchObject({ run_id, status: "claimed", input: { text: "x" }, claim_epoch: 1 });
    expect(run).toMatchObject({ metadata: { a: 1 }, available_apis: { run_get: true } });
    expect(run).not.toHaveProperty("claim_token");
  });
});

describe("a handler that throws", () => {
  test("RunFailed ends the run as it says", async () => {
    const bench = await openBench(world());
    await bench.work({
      fail: () => {
        throw new RunFailed("no such page", { code: "page.missing", usage: { total_tokens: 1 } });
      },
    });
    const run_id = await bench.create("fail");
    expect(await bench.waitFor(run_id)).toMatchObject({
      status: "failed", status_reason: "no such page", usage: { total_tokens: 1 },
    });
    expect((await bench.eventsOf(run_id))[0]).toMatchObject({
      type: "run.failed",
      data: { error: "no such page", code: "page.missing", retryable: false },
    });
    expect(bench.problems).toMatchObject([{ what: "handler", run_id }]);
  });

  test("anything unexpected is tried again, until max_attempts decides", async () => {
    const bench = await openBench(world());
    let calls = 0;
    await bench.work({
      flaky: () => {
        calls += 1;
        throw new TypeError(`attempt ${calls}`);
      },
    });
    const run_id = await bench.create("flaky", { max_attempts: 2 });
    expect(await bench.waitFor(run_id)).toMatchObject({
      status: "failed", status_reason: "attempt 2", dispatch_attempts: 2,
    });
    expect(await bench.eventsOf(run_id)).toMatchObject([
      { sequence: 1, type: "run.failed", data: { error: "attempt 1", retryable: true } },
      { sequence: 2, type: "run.failed", data: { error: "attempt 2", retryable: true } },
    ]);
  });

  test("a refusal of the host counts as the host says, a conflict as retryable", async () => {
    const bench = await openBench(world());
    const refuse = (code: string, retryable: boolean) => () => {
      throw new HostError("refused", -32000, { code, retryable });
    };
    await bench.work({
      forbidden: refuse("FORBIDDEN", false),
      conflict: refuse("CONFLICT", false),
      overloaded: refuse("OVERLOADED", true),
    });
    for (const [name, retryable] of [["forbidden", false], ["conflict", true], ["overloaded", true]] as const) {
      const run_id = await bench.create(name, { max_attempts: 1 });
      expect(await bench.waitFor(run_id)).toMatchObject({ status: "failed" });
      expect((await bench.eventsOf(run_id))[0]?.data, name).toMatchObject({ retryable });
    }
  });

  test("whatever is thrown becomes a text that the host takes", async () => {
    const bench = await openBench(world());
    const values: unknown[] = [undefined, null, "plain\0text", new Error("🙂".repeat(1500)), { a: 1 }];
    await bench.work({ odd: (run) => Promise.reject(values[Number(run.input["text"])]) });
    const errors: string[] = [];
    for (const index of values.keys()) {
      const run_id = await bench.create("odd", { text: String(index), max_attempts: 1 });
      expect(await bench.waitFor(run_id)).toMatchObject({ status: "failed" });
      errors.push((await bench.eventsOf(run_id))[0]?.data.error);
    }
    expect(errors).toEqual([
      "undefined", "null", "plain\u{fffd}text", "🙂".repeat(1000), "[object Object]",
    ]);
  });
});

describe("a cancel", () => {
  test("aborts the signal at once, and the run ends cancelled with its reason", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const stopped = signal<RunStopped>();
    await bench.work({
      slow: async (_run, ctx) => {
        begun.give();
        stopped.give(await aborted(ctx.signal));
        return "what is returned now does not count";
      },
    });
    const run_id = await bench.create("slow");
    await begun.promise;
    await world().admin.call("run_cancel", { target_run_id: run_id, reason: "not wanted" });
    expect(await stopped.promise).toBeInstanceOf(RunStopped);
    expect(await stopped.promise).toMatchObject({ kind: "cancel_requested", message: "not wanted" });
    expect(await bench.waitFor(run_id)).toMatchObject({
      status: "cancelled", status_reason: "not wanted",
    });
    expect(await bench.eventsOf(run_id)).toMatchObject([
      { type: "run.failed", data: { code: "cancelled" } },
    ]);
  });

  test("stops a handler at its next emit, and takes what records something done", async () => {
    const bench = await openBench(world());
    const begun = signal();
    let refused: unknown;
    await bench.work({
      talk: async (_run, ctx) => {
        const tool = ctx.emit.tool("look_up");
        await tool.started();
        begun.give();
        await aborted(ctx.signal);
        await tool.failed("interrupted");
        await ctx.emit.message("as far as it got");
        refused = await ctx.emit.delta("more").catch((thrown) => thrown);
        throw refused;
      },
    });
    const run_id = await bench.create("talk");
    await begun.promise;
    await world().admin.call("run_cancel", { target_run_id: run_id });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "cancelled" });
    expect(refused).toMatchObject({ name: "RunStopped", kind: "cancel_requested" });
    expect((await bench.eventsOf(run_id)).map(({ type }) => type)).toEqual([
      "tool.call.started", "tool.call.completed", "message.completed", "run.failed",
    ]);
  });

  test("is honoured although the handler does not heed its signal", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const release = signal();
    const late = signal<unknown>();
    const worker = await bench.work({
      deaf: async (_run, ctx) => {
        begun.give();
        await release.promise;
        late.give(await ctx.emit.message("too late").catch((thrown) => thrown));
      },
    }, { settle_seconds: 0 });
    const run_id = await bench.create("deaf");
    await begun.promise;
    await world().admin.call("run_cancel", { target_run_id: run_id });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "cancelled" });
    expect(worker.running_count).toBe(1);
    release.give();
    expect(await late.promise).toBeInstanceOf(RunStopped);
    expect((await bench.eventsOf(run_id)).map(({ type }) => type)).toEqual(["run.failed"]);
  });

  test("is seen in a renewal where the notification was lost", async () => {
    const bench = await openBench(world());
    const begun = signal();
    await bench.work({
      slow: async (_run, ctx) => {
        begun.give();
        await aborted(ctx.signal);
      },
    }, { host: deafen(bench.host), lease_seconds: 2 });
    const run_id = await bench.create("slow");
    await begun.promise;
    await world().admin.call("run_cancel", { target_run_id: run_id });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "cancelled" });
  });
});

test("the deadline aborts the signal and ends the run as timed out", async () => {
  const bench = await openBench(world());
  const stopped = signal<RunStopped>();
  await bench.work({
    slow: async (_run, ctx) => stopped.give(await aborted(ctx.signal)),
  });
  const run_id = await bench.create("slow", { timeout_seconds: 1 });
  expect(await stopped.promise).toMatchObject({ kind: "deadline" });
  expect(await bench.waitFor(run_id)).toMatchObject({
    status: "timeout", status_reason: "deadline exceeded",
  });
});

describe("a worker that cannot work", () => {
  const host = { identity: "acme/x", call: () => undefined } as never;
  const runners = { a: () => undefined };

  test.each([
    ["no runner", { host, runners: {} }, TypeError],
    ["a runner that is no function", { host, runners: { a: {} as never } }, TypeError],
    ["a name no runner can have", { host, runners: { "a b": () => undefined } }, TypeError],
    ["no host", { host: undefined as never, runners }, TypeError],
    ["no slot", { host, runners, concurrency: 0 }, RangeError],
    ["too many slots", { host, runners, concurrency: 1001 }, RangeError],
    ["half a slot", { host, runners, concurrency: 1.5 }, RangeError],
    ["a lease too short to renew", { host, runners, lease_seconds: 1 }, RangeError],
    ["a wait past the host's", { host, runners, wait_seconds: 61 }, RangeError],
    ["a time to live past the host's", { host, runners, heartbeat_ttl_seconds: 4 }, RangeError],
  ])("%s is refused at once", (_, options, kind) => {
    expect(() => createWorker(options)).toThrow(kind);
  });

  test("the runtime of another plugin: ready rejects, done and onProblem tell why", async () => {
    const first = await openBench(world());
    const second = await openBench(world());
    const { runtime_id } = await first.work({ a: () => undefined });
    const problems: WorkerProblem[] = [];
    const onProblem = (problem: WorkerProblem) => void problems.push(problem);
    const worker = createWorker({ host: second.host, runners, runtime_id, onProblem });
    await expect(worker.ready).rejects.toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
    expect(await worker.done).toMatchObject({
      reason: "refused", error: { code: "FORBIDDEN" }, unsettled_run_ids: [],
    });
    expect(problems).toMatchObject([{ what: "runtime_register", error: { code: "FORBIDDEN" } }]);
  });
});
