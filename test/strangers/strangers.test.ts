// Clients of strangers take a run from its creation to its end over a real socket, and see refusals as
// JSON-RPC 2.0 has them. WRITE_TRANSCRIPTS=FOLDER keeps what went over the wire.

import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fresh, useHost } from "../support/host.js";
import { judgeCalls } from "../support/openrpc_judge.js";
import { keepTranscript, Relay, type Frame, type Json } from "./relay.js";
import { refusal, strangers, type Door } from "./strangers.js";

const world = useHost();

describe.each(strangers)("$name", (stranger) => {
  let relay: Relay;
  let door: Door;
  let identity = "";

  beforeEach(async () => {
    identity = `acme/${fresh("stranger")}`;
    const { token } = await world().admin.call("plugin_register", {
      plugin_identity: identity, permissions: ["agent_run:create"],
    });
    relay = await Relay.start(world().test.host.url);
    door = await stranger.open(relay.url, token);
  });
  afterEach(async () => {
    await door.close();
    await relay.close();
    expect(world().test.complaints.filter(({ message }) => message === "incident")).toEqual([]);
  });

  test("logs in, and is who its token says", async () => {
    const who = stranger.login === "header"
      ? await door.call("plugin_connect", { client: { name: stranger.name } })
      : (await relay.seen(({ from }) => from === "host")).frame.result;
    expect(who).toMatchObject({
      plugin_identity: identity, permissions: ["agent_run:create"], protocol_version: "1",
    });
    expect(relay.upgrades).toEqual([stranger.login === "header"]);
  });

  test("drives a run from created to completed", { timeout: 60_000 }, async () => {
    const events: Json[] = [];
    let ended = (_: Json): void => undefined;
    const end = new Promise<Json>((resolve) => (ended = resolve));
    door.onNotification("run_event", (params) => events.push(params));
    door.onNotification("run_ended", (params) => ended(params));

    const runner_id = `plugin:${identity}/echo`;
    const runtime_id = fresh("runtime");
    const { items } = await door.call("runner_register", { runners: [{ id: runner_id }] });
    expect(items).toMatchObject([{ id: runner_id, runner_name: "echo" }]);
    const runtime = await door.call("runtime_register", { runtime_id });
    expect(runtime).toMatchObject({ runtime_id, status: "online", plugin_identity: identity });

    const created = await door.call("run_create", {
      runner_id, text: "grüße, 世界 \u{1F30D}", conversation_id: "c", metadata: { a: [1, null, {}] },
    });
    expect(created).toMatchObject({ status: "queued", last_sequence: 0, metadata: { a: [1, null, {}] } });
    const { run_id } = created;
    const { subscription_id, run } = await door.call("run_subscribe", { target_run_id: run_id });
    expect(run).toMatchObject({ run_id, status: "queued" });

    const work = await door.call("run_claim", { runtime_id });
    expect(work).toMatchObject({
      run_id, status: "claimed", claim_epoch: 1, input: { text: "grüße, 世界 \u{1F30D}" },
    });
    const claim = { target_run_id: run_id, runtime_id, claim_token: work.claim_token };
    const renewed = await door.call("run_renew_claim", { ...claim, lease_seconds: 120 });
    expect(renewed).toMatchObject({ run_id, status: "claimed", cancel_requested_at: null });

    const emit = (sequence: number, type: string, data: Json) =>
      door.call("run_emit_result", { ...claim, sequence, type, data });
    const delta = { chunk: { role: "assistant", content: "grü" } };
    expect(await emit(1, "message.delta", delta)).toMatchObject({ sequence: 1, run_status: "claimed" });
    expect(await emit(1, "message.delta", delta)).toMatchObject({ sequence: 1, idempotent: true });
    const message = { message: { role: "assistant", content: "grüße" } };
    expect(await emit(2, "message.completed", message)).toMatchObject({ sequence: 2 });
    const last = await emit(3, "run.completed", { finish_reason: "stop" });
    expect(last).toMatchObject({ sequence: 3, run_status: "completed" });

    const told = await end;
    expect(told).toMatchObject({ subscription_id, run: { run_id, status: "completed" } });
    expect(events.map(({ event }) => [event.sequence, event.type])).toEqual([
      [1, "message.delta"], [2, "message.completed"], [3, "run.completed"],
    ]);
    expect(events.every((note) => note.run_id === run_id
      && note.subscription_id === subscription_id)).toBe(true);

    const finalized = await door.call("run_finalize", { ...claim, status: "completed" });
    expect(finalized).toMatchObject({ status: "completed", idempotent: true, last_sequence: 3 });
    const page = await door.call("run_events_page", { target_run_id: run_id });
    expect(page.items.map(({ data }: Json) => data)).toEqual([
      delta, message, { finish_reason: "stop" },
    ]);
    await judgeWire(relay.frames);
    await keepTranscript(stranger.name.replace(/\W+/g, "_"), relay.frames);
  });

  test("hears that its run is to be cancelled, and ends it with run_finalize", async () => {
    let heard = (_: Json): void => undefined;
    const cancel = new Promise<Json>((resolve) => (heard = resolve));
    door.onNotification("run_cancel_requested", (params) => heard(params));
    const runner_id = `plugin:${identity}/echo`;
    const runtime_id = fresh("runtime");
    await door.call("runner_register", { runners: [{ id: runner_id }] });
    await door.call("runtime_register", { runtime_id });
    const { run_id } = await door.call("run_create", { runner_id });
    const { claim_token } = await door.call("run_claim", { runtime_id });
    await door.notify("run_cancel", { target_run_id: run_id, reason: "no more use" });
    expect(await cancel).toEqual({ run_id, status_reason: "no more use" });
    const ended = await door.call("run_finalize", {
      target_run_id: run_id, runtime_id, claim_token, status: "cancelled",
    });
    expect(ended).toMatchObject({ status: "cancelled", cancel_reason: "no more use" });
    await judgeWire(relay.frames);
  });

  test("sees each kind of refusal with number, message and data", async () => {
    expect(await refusal(door.call("run_get", { target_run_id: "nobody" }))).toEqual({
      code: -32002,
      message: expect.stringMatching(/./),
      data: { code: "FORBIDDEN", retryable: false, reason: "not_authorized" },
    });
    expect(await refusal(door.call("run_create", { runner_id: 5, colour: "red" }))).toEqual({
      code: -32602,
      message: expect.stringMatching(/./),
      data: {
        code: "INVALID_PARAMS",
        retryable: false,
        issues: expect.arrayContaining([
          { path: "runner_id", message: expect.stringMatching(/./) },
          { path: "colour", message: expect.stringMatching(/./) },
        ]),
      },
    });
    expect(await refusal(door.call("run_fly", {}))).toMatchObject({
      code: -32601, data: { code: "METHOD_NOT_FOUND", retryable: false },
    });
    const runtime_id = fresh("runtime");
    await door.call("runtime_register", { runtime_id });
    expect(await refusal(door.call("run_claim", { runtime_id }))).toMatchObject({
      code: -32008, data: { code: "NO_RUN_AVAILABLE", retryable: true },
    });
    expect(await refusal(door.call("ping", ["by", "position"]))).toMatchObject({
      code: -32602, data: { code: "INVALID_PARAMS", issues: [{ path: "" }] },
    });
    expect(await door.call("ping", {})).toMatchObject({ ok: true });
  });

  test("many calls at once find their answers", async () => {
    const times = await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        at % 2 === 0
          ? door.call("ping", {}).then(({ ok }) => ok)
          : refusal(door.call("run_fly", { at })).then(({ code }) => code)),
    );
    expect(times).toEqual(Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? true : -32601)));
  });
});

const document = JSON.parse(
  readFileSync(new URL("../../protocol/openrpc.json", import.meta.url), "utf8"),
);

/** Each frame is JSON-RPC 2.0, each answer belongs to a request, each call fits rpc.discover. */
async function judgeWire(frames: readonly Frame[]): Promise<void> {
  const calls = await judgeCalls(document);
  const asked = new Map<string, Json>();
  const notified = document["x-notifications"].map(({ name }: Json) => name);
  for (const { from, frame, text } of frames) {
    expect(frame.jsonrpc, text).toBe("2.0");
    if (from === "client") {
      expect(calls.validate(frame.method, frame.params), text).toEqual([]);
      if (Object.hasOwn(frame, "id")) asked.set(JSON.stringify(frame.id), frame);
    } else if (Object.hasOwn(frame, "method")) {
      expect(Object.keys(frame).sort(), text).toEqual(["jsonrpc", "method", "params"]);
      expect(notified, text).toContain(frame.method);
    } else {
      expect(Object.hasOwn(frame, "result") !== Object.hasOwn(frame, "error"), text).toBe(true);
      expect(asked.delete(JSON.stringify(frame.id)), text).toBe(true);
    }
  }
  expect([...asked.values()]).toEqual([]);
}
