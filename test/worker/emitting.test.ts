// Events of a run: numbered in the order of the calls, stored once, bounded, and what becomes of
// those that are refused. Lost answers are made by a connection that loses them on purpose.

import { describe, expect, test } from "vitest";
import { HostError, type Host } from "../../src/client/client.js";
import { useHost } from "../support/host.js";
import { aborted, openBench, overlay, signal } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

interface Emitted {
  type?: string;
  sequence?: number;
}
type EmitCall = Emitted & { results?: Emitted[] };
type Send = (params: EmitCall) => Promise<any>;

/** The same connection, on which `emit` stands before every call that emits. */
const overlayEmits = (host: Host, emit: (params: EmitCall, send: Send) => Promise<any>): Host =>
  overlay(host, {
    runEmitResult: (params: any, options: any): Promise<any> =>
      emit(params, (changed: any) => host.runEmitResult(changed, options)),
  });

const numbers = (count: number): number[] => [...Array(count).keys()];

describe("the order", () => {
  test("of events that nobody awaits is the order of the calls", async () => {
    const bench = await openBench(world());
    await bench.work({
      talk: (_run, ctx) => {
        for (const number of numbers(40)) void ctx.emit.delta(String(number));
        void ctx.emit.message("done");
        void ctx.emit.delta("after");
      },
    });
    const run_id = await bench.create("talk");
    await bench.waitFor(run_id);
    const events = await bench.eventsOf(run_id);
    expect(events.map(({ sequence }) => sequence)).toEqual(numbers(43).map((index) => index + 1));
    expect(events.slice(0, 40).map(({ data }) => data.chunk.content)).toEqual(numbers(40).map(String));
    expect(events.slice(40).map(({ type }) => type))
      .toEqual(["message.completed", "message.delta", "run.completed"]);
  });

  test("deltas that wait go out in one call of up to a hundred, a message alone", async () => {
    const bench = await openBench(world());
    const calls: string[] = [];
    const host = overlayEmits(bench.host, (params, send) => {
      const types = (params.results ?? [params]).map(({ type }) => type);
      calls.push(`${types.length} ${[...new Set(types)]}`);
      return send(params);
    });
    await bench.work({
      talk: (_run, ctx) => {
        for (const number of numbers(130)) void ctx.emit.delta(String(number));
        for (const number of numbers(2)) void ctx.emit.message(String(number));
      },
    }, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ last_sequence: 133 });
    expect(calls).toEqual([
      "100 message.delta", "30 message.delta", "1 message.completed", "1 message.completed",
      "1 run.completed",
    ]);
    const events = await bench.eventsOf(run_id);
    expect(events.map(({ data }) => data.chunk.content)).toEqual(numbers(100).map(String));
  });

  test("of what is too much for one call is kept by several", async () => {
    const bench = await openBench(world());
    const counts: number[] = [];
    const host = overlayEmits(bench.host, (params, send) => {
      counts.push(params.results?.length ?? 1);
      return send(params);
    });
    await bench.work({
      talk: (_run, ctx) => {
        for (const number of numbers(6)) void ctx.emit.delta(`${number}${"x".repeat(100_000)}`);
      },
    }, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", last_sequence: 7 });
    expect(counts).toEqual([2, 2, 2, 1]);
  });

  test("is kept where the host takes no lists", async () => {
    const bench = await openBench(world());
    const host = overlayEmits(bench.host, async (params, send) => {
      if (params.results === undefined) return send(params);
      const issues = [{ path: "results", message: "is not a known parameter" }];
      throw new HostError("no lists", -32602, { code: "INVALID_PARAMS", retryable: false, issues });
    });
    await bench.work({
      talk: (_run, ctx) => {
        for (const number of numbers(10)) void ctx.emit.delta(String(number));
      },
    }, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    const events = await bench.eventsOf(run_id);
    expect(events.slice(0, 10).map(({ data }) => data.chunk.content)).toEqual(numbers(10).map(String));
  });

  test("goes on after the events of an earlier attempt", async () => {
    const bench = await openBench(world());
    await bench.work({
      twice: async (run, ctx) => {
        await ctx.emit.message(`attempt ${run.claim_epoch}`);
        if (run.claim_epoch === 1) throw new Error("once more");
      },
    });
    const run_id = await bench.create("twice");
    await bench.waitFor(run_id);
    expect((await bench.eventsOf(run_id)).map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, "message.completed"], [2, "run.failed"], [3, "message.completed"], [4, "run.completed"],
    ]);
  });

  test("the data counts as it was when it was emitted", async () => {
    const bench = await openBench(world());
    await bench.work({
      change: (_run, ctx) => {
        const chunk = { content: "before" };
        void ctx.emit.delta(chunk);
        chunk.content = "after";
      },
    });
    const run_id = await bench.create("change");
    await bench.waitFor(run_id);
    expect((await bench.eventsOf(run_id))[0]?.data.chunk.content).toBe("before");
  });

  test("an administrator's event in between moves the following ones behind it", async () => {
    const bench = await openBench(world());
    const { admin } = world();
    await bench.work({
      talk: async (run, ctx) => {
        await ctx.emit.delta("a");
        await admin.call("run_append_result", {
          target_run_id: run.run_id, sequence: 9, type: "action.requested",
          data: { action: "note" }, force: true,
        });
        void ctx.emit.delta("b");
        void ctx.emit.delta("c");
      },
    });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect((await bench.eventsOf(run_id)).map(({ sequence, type, data }) =>
      [sequence, data.chunk?.content ?? type])).toEqual([
      [1, "a"], [9, "action.requested"], [10, "b"], [11, "c"], [12, "run.completed"],
    ]);
  });
});

describe("a lost answer", () => {
  /** Loses the answers that `loses` names, after or before the call took effect. */
  const losing = (
    host: Host,
    loses: (sequence: number, attempt: number) => "before" | "after" | null,
  ): Host => {
    const attempts = new Map<number, number>();
    const data = { code: "UNAVAILABLE", retryable: true };
    const lost = { error: { code: -32012, message: "lost", data } };
    const sendOne = async (event: Emitted, send: Send): Promise<any> => {
      const sequence = Number(event.sequence);
      const attempt = (attempts.get(sequence) ?? 0) + 1;
      attempts.set(sequence, attempt);
      const when = loses(sequence, attempt);
      if (when === "before") return lost;
      const { items: [answer] } = await send({ results: [event] });
      return when === "after" ? lost : answer;
    };
    return overlayEmits(host, async (params, send) => {
      const events = params.results ?? [params];
      const items: any[] = [];
      for (const event of events) items.push(await sendOne(event, send));
      if (params.results !== undefined) return { items };
      const { result, error } = items[0];
      if (error) throw new HostError(error.message, error.code, error.data);
      return result;
    });
  };
  const talk = {
    talk: (_run: unknown, ctx: { emit: { delta(text: string): Promise<unknown> } }) => {
      for (const number of numbers(10)) void ctx.emit.delta(String(number));
      return "done";
    },
  };

  test("is asked for again under the same number, and nothing is stored twice", async () => {
    const bench = await openBench(world());
    const host = losing(bench.host, (_, attempt) => (attempt < 3 ? "after" : null));
    await bench.work(talk, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    const events = await bench.eventsOf(run_id);
    expect(events.map(({ sequence }) => sequence)).toEqual(numbers(11).map((index) => index + 1));
    expect(events.slice(0, 10).map(({ data }) => data.chunk.content)).toEqual(numbers(10).map(String));
  });

  test("of a whole list is asked for again, event by event", async () => {
    const bench = await openBench(world());
    let lists = 0;
    const host = overlayEmits(bench.host, async (params, send) => {
      const answer = await send(params);
      if (params.results === undefined) return answer;
      lists += 1;
      throw new HostError("lost", 0, { code: "CONNECTION_LOST", retryable: true });
    });
    await bench.work(talk, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect((await bench.eventsOf(run_id)).slice(0, 10).map(({ data }) => data.chunk.content))
      .toEqual(numbers(10).map(String));
    expect(lists).toBe(1);
  });

  test("of a call that never arrived is no hole, where nothing behind it was stored", async () => {
    const bench = await openBench(world());
    const host = losing(bench.host, (sequence, attempt) =>
      sequence >= 4 && attempt === 1 ? "before" : null);
    await bench.work(talk, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect((await bench.eventsOf(run_id)).slice(0, 10).map(({ data }) => data.chunk.content))
      .toEqual(numbers(10).map(String));
  });

  test("of one that was overtaken ends the attempt, rather than change the order", async () => {
    const bench = await openBench(world());
    const host = losing(bench.host, (sequence, attempt) =>
      sequence === 4 && attempt === 1 ? "before" : null);
    await bench.work(talk, { host });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 2 });
    const events = await bench.eventsOf(run_id);
    const failed = events.findIndex(({ type }) => type === "run.failed");
    expect(events[failed]?.data).toMatchObject({ code: "worker.order_lost", retryable: true });
    expect(events.slice(0, failed).map(({ data }) => data.chunk.content))
      .toEqual(numbers(10).map(String).filter((text) => text !== "3"));
    expect(events.slice(failed + 1, -1).map(({ data }) => data.chunk.content))
      .toEqual(numbers(10).map(String));
  });

  test("of the end itself ends the run once", async () => {
    const bench = await openBench(world());
    const host = losing(bench.host, (_, attempt) => (attempt === 1 ? "after" : null));
    await bench.work({ echo: () => "done" }, { host });
    const run_id = await bench.create("echo");
    await bench.waitFor(run_id);
    expect((await bench.eventsOf(run_id)).map(({ type }) => type)).toEqual(["run.completed"]);
    expect(bench.problems).toEqual([]);
  });
});

describe("a refused event", () => {
  test("that is awaited is the handler's to catch", async () => {
    const bench = await openBench(world());
    let refusal: unknown;
    await bench.work({
      wrong: async (_run, ctx) => {
        refusal = await ctx.emit.state("subject", "k", 1).catch((thrown) => thrown);
        await ctx.emit.delta("goes on");
        return "done";
      },
    });
    const run_id = await bench.create("wrong");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
    expect(refusal).toMatchObject({ code: "FORBIDDEN" });
    expect((await bench.eventsOf(run_id)).map(({ type }) => type))
      .toEqual(["message.delta", "run.completed"]);
  });

  test("that nobody awaits stops the work, and the run fails with the refusal", async () => {
    const bench = await openBench(world());
    const stopped = signal<unknown>();
    await bench.work({
      wrong: async (_run, ctx) => {
        void ctx.emit.message({ role: "assistant", content: 5 as never });
        stopped.give(await aborted(ctx.signal));
        return "not this";
      },
    });
    const run_id = await bench.create("wrong");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "failed", dispatch_attempts: 1 });
    expect(await stopped.promise).toMatchObject({
      kind: "emit_failed", cause: { code: "RESULT_REJECTED", reason: "invalid_payload" },
    });
    expect((await bench.eventsOf(run_id)).map(({ type }) => type)).toEqual(["run.failed"]);
  });

  test("that nobody awaits fails the run also where the handler has returned", async () => {
    const bench = await openBench(world());
    await bench.work({
      wrong: (_run, ctx) => void ctx.emit.message({ role: "" }),
    });
    expect(await bench.waitFor(await bench.create("wrong"))).toMatchObject({ status: "failed" });
  });

  test("over the host's size is refused, also where its frame would cost the connection", async () => {
    const bench = await openBench(world());
    const codes: string[] = [];
    await bench.work({
      large: async (_run, ctx) => {
        for (const length of [1_060_000, 3_000_000]) {
          const refusal = await ctx.emit.message("x".repeat(length)).catch((thrown) => thrown);
          codes.push(refusal.code);
        }
      },
    });
    const run_id = await bench.create("large");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect(codes).toEqual(["PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE"]);
  });

  test("of what is no JSON rejects at once", async () => {
    const bench = await openBench(world());
    let refusal: unknown;
    await bench.work({
      wrong: async (_run, ctx) => {
        refusal = await ctx.emit.state("conversation", "k", 1n).catch((thrown) => thrown);
      },
    });
    await bench.waitFor(await bench.create("wrong"));
    expect(refusal).toBeInstanceOf(TypeError);
  });
});

test("every kind of event arrives as the contract spells it", async () => {
  const bench = await openBench(world());
  await bench.work({
    all: async (_run, ctx) => {
      await ctx.emit.delta({ content: "a", msg_sequence: 0, is_final: true });
      const tool = ctx.emit.tool("look_up");
      await tool.started({ q: 1 });
      await tool.completed({ found: true });
      const named = ctx.emit.tool("look_up", "call-7");
      await named.started();
      await named.failed("nothing there");
      await ctx.emit.state("conversation", "mood", "calm");
      await ctx.emit.action("card.shown", { target: { id: 1 }, payload: { a: 2 } });
      expect(await ctx.state.get("conversation", "mood")).toMatchObject({ value: "calm" });
    },
  });
  const run_id = await bench.create("all", { conversation_id: "c-all" });
  await bench.waitFor(run_id);
  expect((await bench.eventsOf(run_id)).map(({ type, data }) => [type, data])).toEqual([
    ["message.delta", { chunk: { role: "assistant", content: "a", msg_sequence: 0, is_final: true } }],
    ["tool.call.started", { tool_call_id: "tool-1-1", tool_name: "look_up", parameters: { q: 1 } }],
    ["tool.call.completed", { tool_call_id: "tool-1-1", tool_name: "look_up", result: { found: true } }],
    ["tool.call.started", { tool_call_id: "call-7", tool_name: "look_up" }],
    ["tool.call.completed", { tool_call_id: "call-7", tool_name: "look_up", error: "nothing there" }],
    ["state.updated", { scope: "conversation", key: "mood", value: "calm" }],
    ["action.requested", { action: "card.shown", target: { id: 1 }, payload: { a: 2 } }],
    ["run.completed", {}],
  ]);
});

test("a run that somebody else ends is over for its handler", async () => {
  const bench = await openBench(world());
  const stopped = signal<unknown>();
  await bench.work({
    talk: async (run, ctx) => {
      await world().admin.call("run_finalize", {
        target_run_id: run.run_id, status: "failed", force: true,
      });
      const refusal = await ctx.emit.delta("x").catch((thrown) => thrown);
      expect(refusal).toMatchObject({ code: "RUN_TERMINAL" });
      stopped.give(await aborted(ctx.signal));
    },
  });
  const run_id = await bench.create("talk");
  expect(await stopped.promise).toMatchObject({ kind: "lease_lost" });
  expect(await bench.get(run_id)).toMatchObject({ status: "failed" });
});
