// A worker in front of a host in whose process an SDK is registered: whatever it calls for a run
// belongs to the trace of whoever made the run, or hangs below the span that the worker says.

import { expect, test } from "vitest";
import type { WorkerOptions } from "../../src/worker/worker.js";
import { useHost } from "../support/host.js";
import { openBench, type Bench } from "../worker/world.js";
import { drawTrace, freshTraceparent, keepSpans, traceparentOf } from "./spans.js";

const spans = keepSpans();
const world = useHost();

const traceOf = (traceparent: string): string => traceparent.split("-")[1] ?? "";

/** The methods that were called in a trace, each once, but the renewals. */
const callsIn = (traceparent: string): string[] => {
  const found = spans.all().filter((span) =>
    span.spanContext().traceId === traceOf(traceparent) && "rpc.method" in span.attributes);
  return [...new Set(found.map(({ name }) => name))].filter((name) => name !== "run_renew_claim");
};

const work = (bench: Bench, options: Partial<WorkerOptions> = {}) =>
  bench.work({
    main: async (_run, ctx) => {
      const [previous] = (await ctx.history.page({ limit: 1 })).items;
      await ctx.emit.delta(previous === undefined ? "hi" : "hi again");
      await ctx.state.set("conversation", "seen", true);
      return "hi";
    },
  }, options);

async function run(bench: Bench, params: object = {}): Promise<string> {
  const run_id = await bench.create("main", { conversation_id: "talk", ...params });
  expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
  return run_id;
}

test("continues the trace of the call that made the run", async () => {
  const bench = await openBench(world());
  await work(bench);
  const traceparent = freshTraceparent();
  await run(bench, { _meta: { traceparent } });
  const called = ["run_create", "history_page", "run_emit_result", "state_set"];
  await expect.poll(() => callsIn(traceparent)).toEqual(called);
  const emits = drawTrace(spans.all(), traceOf(traceparent))
    .filter((line) => line === "  run_emit_result SERVER");
  expect(emits).toHaveLength(2);
  expect(bench.problems).toEqual([]);
});

test("events that go out together belong to the trace as well", async () => {
  const bench = await openBench(world());
  await bench.work({
    main: async (_run, ctx) => {
      for (const piece of ["a", "b", "c"]) void ctx.emit.delta(piece);
    },
  });
  const traceparent = freshTraceparent();
  const run_id = await run(bench, { _meta: { traceparent } });
  expect((await bench.eventsOf(run_id)).map(({ type }) => type))
    .toEqual(["message.delta", "message.delta", "message.delta", "run.completed"]);
  const emits = () => drawTrace(spans.all(), traceOf(traceparent))
    .filter((line) => line === "  run_emit_result SERVER");
  await expect.poll(emits).toHaveLength(2);
  expect(bench.problems).toEqual([]);
});

test("puts its own span in the place of it, and reads what the run remembers", async () => {
  const bench = await openBench(world());
  const own = freshTraceparent();
  const seen: unknown[] = [];
  await work(bench, {
    traceparent: (claimed) => {
      seen.push([claimed.traceparent, "claim_token" in claimed]);
      return own;
    },
  });
  const traceparent = freshTraceparent();
  await run(bench, { _meta: { traceparent } });
  await expect.poll(() => callsIn(own)).toEqual(["history_page", "run_emit_result", "state_set"]);
  expect(callsIn(traceparent)).toEqual(["run_create"]);
  const made = spans.named("run_create").map((span) => traceparentOf(span.spanContext()))
    .filter((context) => traceOf(context) === traceOf(traceparent));
  expect(seen).toEqual([[expect.toBeOneOf(made), false]]);
});

test("a traceparent that throws is told, and costs the trace only", async () => {
  const bench = await openBench(world());
  const error = new Error("no tracer");
  await work(bench, {
    traceparent: () => {
      throw error;
    },
  });
  const traceparent = freshTraceparent();
  const run_id = await run(bench, { _meta: { traceparent } });
  expect(bench.problems).toEqual([{ what: "traceparent", error, run_id }]);
  expect(callsIn(traceparent)).toEqual(["run_create"]);
});
