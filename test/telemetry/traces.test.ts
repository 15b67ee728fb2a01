// Spans of a host in whose process an SDK is registered: what they say, whose children they are,
// and that one trace reaches from the call that makes a run to the one that ends it.

import { afterEach, describe, expect, test } from "vitest";
import { claimOf, fresh, registerPlugin, useHost } from "../support/host.js";
import { drawTrace, freshTraceparent, keepSpans, kinds, traceparentOf } from "./spans.js";

const spans = keepSpans();
const world = useHost();

afterEach(() => spans.clear());

const meta = (traceparent: unknown) => ({ _meta: { traceparent } });

async function storedTrace(run_id: string): Promise<string | null> {
  const [row] = await world().clone.sql`
    select traceparent from agent_run_request where run_id = ${run_id}`;
  return row?.["traceparent"] ?? null;
}

function only(name: string, kind: (typeof kinds)[number] = "SERVER") {
  const found = spans.named(name).filter((span) => kinds[span.kind] === kind);
  expect(found, `${name} ${kind}`).toHaveLength(1);
  return found[0]!;
}

test("one trace from create to finalize, over claim and worker", async () => {
  const plugin = await registerPlugin(world());
  const { client, runner_id, runtime_id } = plugin;
  spans.clear();
  const asking = spans.start("ask", { kind: "INTERNAL" });
  const { run_id } = await client.call("run_create", {
    runner_id, text: "hello", ...meta(asking.traceparent),
  });
  asking.end();
  const made = only("run_create").spanContext();
  const item = await client.call("run_claim", { runtime_id });
  expect(item).toMatchObject({ run_id, traceparent: traceparentOf(made) });
  const working = spans.start("work", { kind: "CONSUMER", parent: item.traceparent });
  const traced = meta(working.traceparent);
  const claim = { target_run_id: run_id, ...claimOf(item) };
  const data = { chunk: { role: "assistant", content: "hi" } };
  await client.call("run_emit_result", {
    ...claim, sequence: 1, type: "message.delta", data, ...traced,
  });
  await client.call("run_finalize", { ...claim, status: "completed", ...traced });
  working.end();
  expect(drawTrace(spans.all(), made.traceId)).toEqual([
    "ask INTERNAL",
    "  run_create SERVER",
    "    run_create CLIENT",
    "    work CONSUMER",
    "      run_emit_result SERVER",
    "        run_emit_plain CLIENT",
    "      run_finalize SERVER",
    "        run_finalize_plain CLIENT",
  ]);
  const [link] = only("run_claim").links;
  expect(link?.context).toMatchObject({ traceId: made.traceId, spanId: made.spanId });
  expect(link?.attributes).toEqual({ "runhost.run_id": run_id });
  expect(only("run_claim").spanContext().traceId).not.toBe(made.traceId);
});

describe("the span of a call", () => {
  test("says what was called, by whom, about which run", async () => {
    const plugin = await registerPlugin(world());
    spans.clear();
    const { run_id } = await plugin.client.call("run_create", { runner_id: plugin.runner_id });
    const span = only("run_create");
    expect(span.parentSpanContext).toBe(undefined);
    expect(span.status).toEqual({ code: 0 });
    expect(span.attributes).toEqual({
      "rpc.system.name": "jsonrpc",
      "rpc.method": "run_create",
      "jsonrpc.protocol.version": "2.0",
      "jsonrpc.request.id": expect.stringMatching(/^\d+$/),
      "network.transport": "tcp",
      "runhost.plugin_identity": plugin.identity,
      "runhost.tenant_id": "default",
      "runhost.run_id": run_id,
    });
    expect(only("run_create", "CLIENT").attributes).toEqual({
      "db.system.name": "postgresql", "db.operation.name": "run_create",
    });
  });

  test("of a notification has no request id; a long id is cut", async () => {
    const client = await world().test.connect();
    client.socket.send(JSON.stringify({ jsonrpc: "2.0", method: "ping" }));
    const id = "x".repeat(200);
    client.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "runner_list" }));
    await expect.poll(() => spans.named("ping").length).toBe(1);
    expect(only("ping").attributes["jsonrpc.request.id"]).toBe(undefined);
    await expect.poll(() => spans.named("runner_list")).toHaveLength(2);
    const listed = spans.named("runner_list").find((span) => kinds[span.kind] === "SERVER");
    expect(listed?.attributes["jsonrpc.request.id"]).toBe("x".repeat(64));
  });

  test("carries a refusal as its code, and is no error", async () => {
    const plugin = await registerPlugin(world());
    spans.clear();
    await plugin.client.refusal("run_claim", { runtime_id: plugin.runtime_id });
    const span = only("run_claim");
    expect(span.status).toEqual({ code: 0 });
    expect(span.attributes).toMatchObject({
      "rpc.response.status_code": "-32008", "runhost.error_code": "NO_RUN_AVAILABLE",
    });
    expect(span.attributes["error.type"]).toBe(undefined);
  });

  test("of a method that does not exist holds none of its text", async () => {
    await world().admin.refusal("no_such_method_4711");
    const span = only("jsonrpc");
    expect(span.attributes).toMatchObject({
      "rpc.method": "_OTHER", "rpc.response.status_code": "-32601",
      "runhost.plugin_identity": "runhost/admin",
    });
    expect(JSON.stringify([span.name, span.attributes])).not.toContain("4711");
  });

  test("of a delegated call names both identities", async () => {
    const plugin = await registerPlugin(world());
    const mux = await registerPlugin(world(), { permissions: ["plugin:delegate", "agent_run:*"] });
    spans.clear();
    await mux.client.call("run_create", {
      runner_id: plugin.runner_id, caller_plugin_identity: plugin.identity,
    });
    expect(only("run_create").attributes).toMatchObject({
      "runhost.plugin_identity": plugin.identity, "runhost.via": mux.identity,
    });
  });

  test("links every run of a claim to the trace that made it", async () => {
    const plugin = await registerPlugin(world());
    const sent = [freshTraceparent(), freshTraceparent()];
    for (const traceparent of sent) {
      await plugin.client.call("run_create", { runner_id: plugin.runner_id, ...meta(traceparent) });
    }
    await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id, max_runs: 5 });
    const linked = only("run_claim").links.map(({ context }) => context.traceId);
    expect(linked).toEqual(sent.map((traceparent) => traceparent.split("-")[1]));
  });
});

describe("the parent", () => {
  test("is what the caller sends; a later version is read as far as it is known", async () => {
    const [, traceId, spanId] = freshTraceparent().split("-");
    await world().admin.call("ping", meta(`00-${traceId}-${spanId}-01`));
    await world().admin.call("ping", meta(`cc-${traceId}-${spanId}-01-what-comes`));
    const found = spans.named("ping").map(({ parentSpanContext }) => parentSpanContext);
    expect(found).toMatchObject([{ traceId, spanId, isRemote: true }, { traceId, spanId }]);
  });

  test("is none when it is malformed, and the call is served all the same", async () => {
    const id = "4bf92f3577b34da6a3ce929d0e0e4736";
    const malformed: unknown[] = [
      "", "00", 7, null, {}, ["00"], `00-${id}-00f067aa0ba902b7`, `ff-${id}-00f067aa0ba902b7-01`,
      `00-${id.toUpperCase()}-00f067aa0ba902b7-01`, `00-${id}-00f067aa0ba902b7-01-more`,
      `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, `00-${id}-${"0".repeat(16)}-01`,
      `00-${id}-00f067aa0ba902b7-01 `, ` 00-${id}-00f067aa0ba902b7-01`, "x".repeat(100_000),
    ];
    for (const traceparent of malformed) await world().admin.call("ping", meta(traceparent));
    const found = spans.named("ping");
    expect(found).toHaveLength(malformed.length);
    expect(found.filter(({ parentSpanContext }) => parentSpanContext !== undefined)).toEqual([]);
  });

  test("that is not sampled leaves nothing recorded, and is what the run remembers", async () => {
    const plugin = await registerPlugin(world());
    spans.clear();
    const traceparent = freshTraceparent().replace(/01$/, "00");
    const { run_id } = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, ...meta(traceparent),
    });
    expect(spans.all()).toEqual([]);
    expect(await storedTrace(run_id)).toBe(traceparent);
  });
});

describe("a host that cannot serve", () => {
  test("makes the span of the call and of the statement errors", async () => {
    const client = await world().test.connect();
    const { sql } = world().clone;
    const id = fresh("run");
    const lock = await sql.reserve();
    await lock`begin`;
    await lock`lock table agent_run in access exclusive mode`;
    const answer = client.refusal("run_get", { run_id: id });
    await expect.poll(async () => (await sql`
      select pid from pg_stat_activity where wait_event_type = 'Lock'
        and query like '%"run_get"%' and pid <> pg_backend_pid()`).length).toBeGreaterThan(0);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where wait_event_type = 'Lock' and query like '%"run_get"%'`;
    expect(await answer).toMatchObject({ code: "UNAVAILABLE" });
    await lock`rollback`;
    lock.release();
    const call = only("run_get");
    expect(call.status).toEqual({ code: 2, message: "UNAVAILABLE" });
    expect(call.attributes["error.type"]).toBe("-32012");
    expect(only("run_get", "CLIENT").status).toEqual({ code: 2, message: "unavailable" });
  });
});
