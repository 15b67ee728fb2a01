// The public client against a scripted peer, for everything that a host does wrong or not at all,
// and against a real host, for what it does right. Here it does not reconnect.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { connect, type Host } from "../../src/client/client.js";
import { adminToken, useHost } from "../support/host.js";
import {
  answer, dial as dialAny, ends, refusalOf, refuse, startPeer, type Frame,
} from "./peer.js";

/** One that ends with its connection. */
const dial = (url: string, token = "good"): Promise<Host> =>
  dialAny(url, { token, reconnect: false });

describe("connecting", () => {
  test("proves the identity in-band and says whose it is", async () => {
    const { url, frames } = await startPeer(() => undefined);
    const connection = await connect({ url, token: "good", name: "probe" });
    ends.push(() => connection.close());
    expect(connection).toMatchObject({ identity: "acme/bot", tenant_id: "t1" });
    expect(frames).toEqual([{
      jsonrpc: "2.0", id: 1, method: "plugin_connect",
      params: { token: "good", client: { name: "probe" } },
    }]);
  });

  test("where nobody listens it says the address and why", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const url = `ws://127.0.0.1:${port}/rpc`;
    const refused = await refusalOf(connect({ url, token: "good" }));
    expect(refused).toMatchObject({ code: "UNREACHABLE", number: 0, retryable: true });
    expect(refused.message).toBe(
      `no host answers at ${url}: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  test("a server that is no host is named with its HTTP status", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/rpc" });
    await once(server, "listening");
    ends.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/other`;
    const refused = await refusalOf(connect({ url, token: "good" }));
    expect(refused.code).toBe("UNREACHABLE");
    expect(refused.message).toBe(`no host answers at ${url}: Unexpected server response: 400`);
  });

  test("a malformed address is a SyntaxError", async () => {
    await expect(connect({ url: "nowhere", token: "good" })).rejects.toThrow(SyntaxError);
  });

  test("a refused token keeps the host's number and data, and ends the socket", async () => {
    let ended: Promise<unknown> = Promise.resolve();
    const { url } = await startPeer((socket, { id }) => {
      ended = once(socket, "close");
      refuse(socket, id, {
        code: -32001, message: "no", data: { code: "UNAUTHENTICATED", retryable: false },
      });
    });
    const refused = await refusalOf(connect({ url, token: "bad" }));
    expect(refused).toMatchObject({
      code: "UNAUTHENTICATED", number: -32001, retryable: false,
      message: `${url} does not accept this token`,
    });
    expect((await ended as unknown[])[0]).toBe(1000);
  });

  test("any other refusal of plugin_connect comes through as it is", async () => {
    const data = { code: "UNAVAILABLE", retryable: true };
    const { url } = await startPeer((socket, { id }) =>
      refuse(socket, id, { code: -32012, message: "the database is away", data }));
    const refused = await refusalOf(connect({ url, token: "bad" }));
    expect(refused).toMatchObject({ code: "UNAVAILABLE", number: -32012, retryable: true, data });
    expect(refused.message).toBe("the database is away");
  });

  test("a peer that answers something else is no host", async () => {
    const { url } = await startPeer((socket, { id }) => answer(socket, id, null));
    const refused = await refusalOf(connect({ url, token: "bad" }));
    expect(refused).toMatchObject({
      code: "UNREACHABLE", message: `${url} does not answer as a host does`,
    });
  });

  test("a socket that ends before the answer is a lost connection", async () => {
    const { url } = await startPeer((socket) => socket.close(4401, "too late"));
    const refused = await refusalOf(connect({ url, token: "bad" }));
    expect(refused).toMatchObject({ code: "CONNECTION_LOST", retryable: true });
    expect(refused.data).toMatchObject({ close_code: 4401, close_reason: "too late" });
  });
});

describe("calling", () => {
  test("answers find their calls, whatever their order", async () => {
    const waiting: Frame[] = [];
    const { url } = await startPeer((socket, frame) => {
      waiting.push(frame);
      if (waiting.length < 3) return;
      for (const { id, params } of waiting.reverse()) answer(socket, id, params);
    });
    const connection = await dial(url);
    const calls = [1, 2, 3].map((n) => connection.call("echo", { n }));
    expect(await Promise.all(calls)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test("params are an empty object when none are given", async () => {
    const { url } = await startPeer((socket, { id, params }) => answer(socket, id, params));
    expect(await (await dial(url)).call("echo")).toEqual({});
  });

  test("a refusal carries code, number, retryability, details and words", async () => {
    const data = { code: "LEASE_LOST", retryable: false, reason: "claim_not_active" };
    const { url } = await startPeer((socket, { id }) =>
      refuse(socket, id, { code: -32005, message: "the claim is over", data }));
    const refused = await refusalOf((await dial(url)).call("run_renew_claim"));
    expect(refused).toMatchObject({
      name: "HostError", code: "LEASE_LOST", number: -32005, retryable: false, data,
      message: "the claim is over",
    });
  });

  test("an error without data is UNKNOWN and not retryable", async () => {
    const { url } = await startPeer((socket, { id }) =>
      refuse(socket, id, { code: -1, message: "odd" }));
    const refused = await refusalOf((await dial(url)).call("x"));
    expect(refused).toMatchObject({ code: "UNKNOWN", number: -1, retryable: false, data: {} });
  });

  test("params that are no JSON are refused before anything is sent", async () => {
    const { url, frames } = await startPeer((socket, { id }) => answer(socket, id, null));
    const connection = await dial(url);
    await expect(connection.call("unsent", { n: 1n })).rejects.toThrow(TypeError);
    await connection.call("sent");
    expect(frames.map(({ method }) => method)).toEqual(["plugin_connect", "sent"]);
  });

  test("an aborted signal ends the waiting; a late answer harms nobody", async () => {
    let late = (): void => undefined;
    const { url } = await startPeer((socket, { id, method }) => {
      if (method === "slow") late = () => answer(socket, id, "late");
      else {
        late();
        answer(socket, id, "prompt");
      }
    });
    const connection = await dial(url);
    const abort = new AbortController();
    const slow = connection.call("slow", {}, { signal: abort.signal });
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(slow).rejects.toBe(reason);
    expect(await connection.call("fast")).toBe("prompt");
  });

  test("a signal that is aborted already sends nothing", async () => {
    const { url, frames } = await startPeer((socket, { id }) => answer(socket, id, null));
    const connection = await dial(url);
    const signal = AbortSignal.abort("no");
    await expect(connection.call("unsent", {}, { signal })).rejects.toBe("no");
    await connection.call("sent");
    expect(frames.map(({ method }) => method)).toEqual(["plugin_connect", "sent"]);
  });
});

describe("the end of a connection", () => {
  test("rejects what waits, settles closed, and refuses later calls alike", async () => {
    const { url } = await startPeer((socket, { method }) => {
      if (method === "second") socket.close(1001, "the host is stopping");
    });
    const connection = await dial(url);
    const refused = await Promise.all(
      ["first", "second"].map((method) => refusalOf(connection.call(method))),
    );
    const later = await refusalOf(connection.call("third"));
    for (const one of [...refused, later]) {
      expect(one).toMatchObject({ code: "CONNECTION_LOST", number: 0, retryable: true });
      expect(one.message).toBe("the connection to the host ended with 1001 the host is stopping");
    }
    expect(await connection.closed).toEqual({ code: 1001, reason: "the host is stopping" });
  });

  test("a connection that breaks without a close frame is 1006", async () => {
    const { url } = await startPeer((socket) => socket.terminate());
    const connection = await dial(url);
    expect((await refusalOf(connection.call("x"))).data).toMatchObject({ close_code: 1006 });
    expect(await connection.closed).toMatchObject({ code: 1006 });
  });

  test("close rejects what waits and may be called twice", async () => {
    const { url } = await startPeer(() => undefined);
    const connection = await dial(url);
    const waiting = refusalOf(connection.call("x"));
    await Promise.all([connection.close(), connection.close()]);
    expect(await waiting).toMatchObject({ code: "CLOSED", number: 0, retryable: false });
    expect((await connection.closed).code).toBe(1000);
    expect(await refusalOf(connection.call("x"))).toMatchObject({ code: "CLOSED" });
  });

  test.each([
    ["text that is not JSON", "{"],
    ["JSON that is no object", "null"],
    ["an answer to nobody", '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}'],
  ])("%s ends it, for nobody may wait for ever", async (_what, text) => {
    const { url } = await startPeer((socket) => socket.send(text));
    const connection = await dial(url);
    expect(await refusalOf(connection.call("x"))).toMatchObject({ code: "CONNECTION_LOST" });
    expect(await connection.closed).toEqual({ code: 1002, reason: "not a JSON-RPC message" });
  });
});

describe("notifications", () => {
  test("reach every listener in order, until it leaves", async () => {
    const { url } = await startPeer((socket, { id }) => {
      for (const n of [1, 2]) {
        socket.send(JSON.stringify({ jsonrpc: "2.0", method: "run_event", params: { n } }));
      }
      socket.send(JSON.stringify({ jsonrpc: "2.0", method: "bare" }));
      answer(socket, id, null);
    });
    const connection = await dial(url);
    const heard: Record<"stays" | "leaves", unknown[]> = { stays: [], leaves: [] };
    connection.onNotification((...note) => heard.stays.push(note));
    const leave = connection.onNotification((...note) => heard.leaves.push(note));
    await connection.call("x");
    leave();
    await connection.call("x");
    const once_ = [["run_event", { n: 1 }], ["run_event", { n: 2 }], ["bare", {}]];
    expect(heard).toEqual({ stays: [...once_, ...once_], leaves: once_ });
  });
});

describe("with a real host", () => {
  const world = useHost();

  test("a new plugin connects, calls, and is refused what it may not", async () => {
    const admin = await dial(world().test.host.url, adminToken);
    expect(admin).toMatchObject({ identity: "runhost/admin", tenant_id: "default" });
    const { token } = await admin.call("plugin_register", { plugin_identity: "acme/bot" });
    const bot = await dial(world().test.host.url, token);
    expect(bot).toMatchObject({ identity: "acme/bot", tenant_id: "default" });
    expect(await bot.call("ping")).toMatchObject({ ok: true });
    expect(await refusalOf(bot.call("plugin_list"))).toMatchObject({
      code: "FORBIDDEN", number: -32002, data: { reason: "permission_missing" },
    });
    expect(await refusalOf(bot.call("nothing"))).toMatchObject({ code: "METHOD_NOT_FOUND" });
  });

  test("an unknown token is refused with the host's number", async () => {
    const { url } = world().test.host;
    expect(await refusalOf(connect({ url, token: "wrong" }))).toMatchObject({
      code: "UNAUTHENTICATED", number: -32001, message: `${url} does not accept this token`,
    });
  });

  test("a rotated token ends the connection that it opened with 4401", async () => {
    const admin = await dial(world().test.host.url, adminToken);
    const named = { plugin_identity: "acme/rotated" };
    const { token } = await admin.call("plugin_register", named);
    const bot = await dial(world().test.host.url, token);
    await admin.call("plugin_rotate_token", named);
    expect((await bot.closed).code).toBe(4401);
    expect(await refusalOf(bot.call("ping"))).toMatchObject({
      code: "UNAUTHENTICATED", number: -32001, retryable: false, data: { close_code: 4401 },
    });
  });
});
