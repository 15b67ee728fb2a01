// Where clients of strangers have habits of their own: what they then put on the wire, and that the
// host answers as wire.md and JSON-RPC 2.0 say. None of it is a deviation of either side.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Client as OpenrpcClient, RequestManager, WebSocketTransport } from "@open-rpc/client-js";
import { createJSONRPCRequest, JSONRPCClient } from "json-rpc-2.0";
import { Client as RpcWebSocket } from "rpc-websockets";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { adminToken, useHost } from "../support/host.js";
import { Relay, type Json } from "./relay.js";
import { refusal } from "./strangers.js";

const world = useHost();
let relay: Relay;

beforeEach(async () => {
  relay = await Relay.start(world().test.host.url);
});
afterEach(() => relay.close());

const withHeader = (plugin_token: string, options: object) =>
  ({ headers: { authorization: `Bearer ${plugin_token}` }, ...options }) as object;

describe("@open-rpc/client-js", () => {
  let transport: WebSocketTransport;
  let client: OpenrpcClient;

  beforeEach(async () => {
    transport = new WebSocketTransport(relay.url);
    client = new OpenrpcClient(new RequestManager([transport]));
  });
  afterEach(async () => {
    const closed = new Promise((resolve) => transport.connection.addEventListener("close", resolve));
    client.close();
    await closed;
  });

  const login = () => client.request({ method: "plugin_connect", params: { token: adminToken } });

  test("sends [] when it is given no params: params go by name, so that is refused", async () => {
    await login();
    const refused = await refusal(client.request({ method: "ping" }));
    expect(relay.sent("ping")).toMatchObject([{ id: expect.any(String), params: [] }]);
    expect(refused).toMatchObject({
      code: -32602, data: { code: "INVALID_PARAMS", retryable: false, issues: [{ path: "" }] },
    });
    expect(await client.request({ method: "ping", params: {} })).toMatchObject({ ok: true });
  });

  test("numbers its requests with strings, and gets the same strings back", async () => {
    await login();
    const answers = relay.frames.filter(({ from }) => from === "host").map(({ frame }) => frame.id);
    expect(answers).toEqual(["0"]);
  });

  test("its batch is answered in one array, each call for itself", async () => {
    await login();
    client.startBatch();
    const calls = [
      client.request({ method: "ping", params: {} }),
      refusal(client.request({ method: "run_get", params: { target_run_id: "nobody" } })),
      client.request({ method: "run_list", params: { limit: 1 } }),
    ];
    // A batched request is queued one turn later, as request() waits for the connection first.
    await new Promise(setImmediate);
    client.stopBatch();
    expect(await Promise.all(calls)).toMatchObject([
      { ok: true }, { code: -32003, data: { code: "NOT_FOUND", kind: "run" } }, { has_more: false },
    ]);
    const [sent, answered] = relay.frames.slice(-2).map(({ frame }) => frame);
    expect(answered.map(({ id }: Json) => id)).toEqual(sent.map(({ id }: Json) => id));
  });

  test("before its login it is told so", async () => {
    const early = await refusal(client.request({ method: "run_list", params: {} }));
    expect(early).toMatchObject({ code: -32001, data: { code: "UNAUTHENTICATED", retryable: false } });
    const params = { token: "rh_nobody_0123456789" };
    const wrong = await refusal(client.request({ method: "plugin_connect", params }));
    expect(wrong).toMatchObject({ code: -32001, data: { code: "UNAUTHENTICATED" } });
    expect(await login()).toMatchObject({ plugin_identity: "runhost/admin" });
  });
});

describe("rpc-websockets", () => {
  test("its own rpc.login, rpc.on and __listMethods are methods that a host need not have", async () => {
    const client = new RpcWebSocket(relay.url, withHeader(adminToken, { reconnect: false }));
    await once(client as Json, "open");
    for (const call of [
      client.login({ user: "a" }), client.subscribe("run_event"), client.listMethods(),
    ]) {
      const refused = await refusal(call);
      // rpc.on carries a list of names; whether a method exists is judged before its params.
      expect(refused).toMatchObject({ code: -32601, data: { code: "METHOD_NOT_FOUND" } });
    }
    client.close();
    await once(client as Json, "close");
  });

  test("reconnects by itself after a cut line, and proves who it is again", async () => {
    const options = withHeader(adminToken, { reconnect_interval: 10 });
    const client = new RpcWebSocket(relay.url, options);
    await once(client as Json, "open");
    relay.cutWhen(({ frame, line }) => (frame.method === "ping" && line === 1 ? "cut" : "pass"));
    const again = once(client as Json, "open");
    client.call("ping", {}).catch(() => undefined);
    await again;
    expect(await client.call("plugin_connect", {})).toMatchObject({ plugin_identity: "runhost/admin" });
    expect(relay.upgrades).toEqual([true, true]);
    client.close();
    await once(client as Json, "close");
  });

  test("a bad token is an error of its socket, before any call", async () => {
    const { host } = world().test;
    const client = new RpcWebSocket(host.url, withHeader("rh_nobody_0", { reconnect: false }));
    const [error] = await once(client as Json, "error").catch((cause) => [cause]);
    expect(String(error.message)).toContain("401");
  });
});

test("json-rpc-2.0 batches with ids of its user's making", async () => {
  const socket = new WebSocket(relay.url, { headers: { authorization: `Bearer ${adminToken}` } });
  await once(socket, "open");
  const client = new JSONRPCClient((payload) => socket.send(JSON.stringify(payload)), randomUUID);
  socket.on("message", (data) => client.receive(JSON.parse(String(data))));
  const answers = await client.requestAdvanced([
    createJSONRPCRequest("a-1", "ping", {}),
    createJSONRPCRequest(-7, "run_fly", {}),
    createJSONRPCRequest(0.5, "ping"),
  ]);
  expect(answers).toMatchObject([
    { jsonrpc: "2.0", id: "a-1", result: { ok: true } },
    { jsonrpc: "2.0", id: -7, error: { code: -32601, data: { code: "METHOD_NOT_FOUND" } } },
    { jsonrpc: "2.0", id: 0.5, result: { ok: true } },
  ]);
  expect(await client.request("ping", undefined)).toMatchObject({ ok: true });
  socket.close();
  await once(socket, "close");
});
