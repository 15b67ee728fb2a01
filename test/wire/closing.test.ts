// Why and how a connection ends: each row asserts the literal close code, and that what was being
// served is answered, cut or dropped as promised. Periods are shortened, never mocked.

import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Refusal } from "../../src/contract/errors.js";
import {
  asPlugin, createGate, dial, goodToken, proof, request, startTestWire, within, type Handler,
  type Peer, type TestWire,
} from "./harness.js";

let wire: TestWire;
const settleWire = () => wire.stop();
afterEach(settleWire);

const badConnect = (id: number) => request(id, "plugin_connect", { token: "rh_bad_token" });

describe("bad frames", () => {
  const rawFrame = (head: number[], payload: Buffer) => {
    const mask = Buffer.from([1, 2, 3, 4]);
    const masked = payload.map((byte, at) => byte ^ mask[at % 4]!);
    return Buffer.concat([Buffer.from([head[0]!, head[1]! | 0x80]), mask, masked]);
  };
  const raw = (peer: Peer, bytes: Buffer) => (peer.socket as any)._socket.write(bytes);

  test.each<[string, number, (peer: Peer) => void]>([
    ["a binary frame", 1003, (peer) => peer.socket.send(Buffer.from("{}"))],
    ["an empty binary frame", 1003, (peer) => peer.socket.send(Buffer.alloc(0))],
    ["a frame one byte too large", 1009, (peer) => peer.sendText(" ".repeat(2001))],
    ["fragments that add up to too much", 1009, (peer) => {
      peer.socket.send(" ".repeat(1500), { fin: false });
      peer.socket.send(" ".repeat(501), { fin: true });
    }],
    ["too many fragments", 1008, (peer) => {
      for (let n = 0; n < 1999; n += 1) peer.socket.send(" ", { fin: false });
      for (let n = 0; n < 16_385; n += 1) peer.socket.send("", { fin: false });
    }],
    ["bad UTF-8", 1007, (peer) => raw(peer, rawFrame([0x81, 2], Buffer.from([0xc3, 0x28])))],
    ["a reserved opcode", 1002, (peer) => raw(peer, rawFrame([0x83, 0], Buffer.alloc(0)))],
    ["a reserved bit", 1002, (peer) => raw(peer, rawFrame([0xc1, 2], Buffer.from("{}")))],
  ])("%s", async (_title, code, send) => {
    wire = await startTestWire({ bounds: { max_message_bytes: 2000 } });
    const peer = await wire.dial(asPlugin);
    send(peer);
    expect(await peer.closed()).toBe(code);
    expect(peer.received).toEqual([]);
  });

  test("a frame of exactly the limit is read", async () => {
    wire = await startTestWire({ bounds: { max_message_bytes: 2000 } });
    const peer = await wire.dial(asPlugin);
    const text = JSON.stringify(request(1, "ping"));
    peer.sendText(text + " ".repeat(2000 - text.length));
    expect(await peer.next()).toMatchObject({ id: 1, result: { ok: true } });
  });
});

describe("without an identity", () => {
  test("no success in time: 4401", async () => {
    wire = await startTestWire({ bounds: { connect_seconds: 0.2 } });
    const peer = await wire.dial();
    expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
    expect(await peer.call("plugin_connect", { token: "rh_bad_token" })).toMatchObject({
      error: { code: -32001 },
    });
    expect(await peer.closed()).toBe(4401);
  });

  test("our half ends behind the close frame, whether or not it is answered", async () => {
    wire = await startTestWire({ bounds: { connect_seconds: 0.2, close_seconds: 60 } });
    const { port } = new URL(wire.url);
    const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    const read: Buffer[] = [];
    socket.on("data", (bytes) => read.push(bytes));
    socket.write("GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    await within(once(socket, "end"), "the end", 3000);
    const text = "no identity was proved in time";
    const frame = Buffer.concat([Buffer.from([0x88, text.length + 2, 0x11, 0x31]), Buffer.from(text)]);
    expect(Buffer.concat(read).subarray(-frame.length)).toEqual(frame);
    socket.end();
  });

  test("a success in time stops the clock", async () => {
    wire = await startTestWire({ bounds: { connect_seconds: 0.2 } });
    const peers = [await wire.dial(), await wire.dial(asPlugin)];
    await peers[0]!.call("plugin_connect", { token: goodToken });
    await new Promise((resolve) => setTimeout(resolve, 400));
    for (const peer of peers) expect((await peer.call("echo")).error).toBe(undefined);
  });

  test("the fifth failure is answered, then 4401", async () => {
    wire = await startTestWire();
    const peer = await wire.dial();
    for (const id of [1, 2, 3, 4]) peer.send(badConnect(id));
    for (const id of [1, 2, 3, 4]) expect(await peer.next()).toMatchObject({ id });
    expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
    peer.send(badConnect(5));
    expect(await peer.next()).toMatchObject({ id: 5, error: { code: -32001 } });
    expect(await peer.closed()).toBe(4401);
  });

  test("five failures in one batch, and none is tried after the fifth", async () => {
    const tried: string[] = [];
    const identify = async (plugin_token: string) => {
      tried.push(plugin_token);
      throw new Refusal("UNAUTHENTICATED");
    };
    wire = await startTestWire({ identify });
    const peer = await wire.dial();
    peer.send([1, 2, 3, 4, 5, 6, 7].map(badConnect));
    expect(await peer.next()).toHaveLength(7);
    expect(await peer.closed()).toBe(4401);
    expect(tried).toHaveLength(5);
  });

  test("failures sent as notifications count", async () => {
    wire = await startTestWire();
    const peer = await wire.dial();
    for (let n = 0; n < 5; n += 1) {
      peer.send({ jsonrpc: "2.0", method: "plugin_connect", params: { token: "rh_bad_token" } });
    }
    expect(await peer.closed()).toBe(4401);
  });

  test("a database that does not answer is no failure of the peer", async () => {
    wire = await startTestWire();
    const peer = await wire.dial();
    for (let n = 0; n < 7; n += 1) {
      const answer = await peer.call("plugin_connect", { token: "rh_down" });
      expect(answer.error.code).toBe(-32012);
    }
    expect((await peer.call("plugin_connect", { token: goodToken })).error).toBe(undefined);
  });
});

describe("silence", () => {
  test("a peer that answers no ping is cut", async () => {
    wire = await startTestWire({ bounds: { ping_seconds: 0.1 } });
    const deaf = await wire.dial({ ...asPlugin, autoPong: false });
    const listening = await wire.dial(asPlugin);
    expect(await deaf.closed()).toBe(1006);
    expect(await listening.call("ping")).toMatchObject({ result: { ok: true } });
  });

  test("a peer that sends calls is alive, whatever it makes of pings", async () => {
    wire = await startTestWire({ bounds: { ping_seconds: 0.1 } });
    const peer = await wire.dial({ ...asPlugin, autoPong: false });
    for (let n = 0; n < 12; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
    }
  });
});

describe("a peer that does not read", () => {
  const page: Handler = () => "x".repeat(200_000);
  const bounds = { outgoing_pause_bytes: 500_000, outgoing_bytes_max: 1e9 };

  test("is closed with 1013 when more waits than allowed", async () => {
    const gate = createGate();
    const gated: Handler = (call) => gate.opened.then(() => page(call));
    wire = await startTestWire({
      handlers: { page: gated },
      bounds: { ...bounds, outgoing_bytes_max: 4_000_000, close_seconds: 5 },
    });
    const peer = await wire.dial({ ...asPlugin, pauseAtOnce: true });
    for (let id = 0; id < 200; id += 1) peer.send(request(id, "page"));
    await expect.poll(() => wire.calls.length).toBe(200);
    gate.open();
    await expect.poll(() => wire.calls[0]!.signal.aborted).toBe(true);
    peer.socket.resume();
    expect(await peer.closed()).toBe(1013);
    expect(peer.received.length).toBeLessThan(200);
    const other = await wire.dial(asPlugin);
    expect(await other.call("ping")).toMatchObject({ result: { ok: true } });
  });

  test("is not read any further, and is closed when it takes nothing for a while", async () => {
    wire = await startTestWire({ handlers: { page }, bounds: { ...bounds, stall_seconds: 0.5 } });
    const peer = await wire.dial({ ...asPlugin, pauseAtOnce: true });
    for (let id = 0; id < 250; id += 1) {
      peer.send(request(id, "page"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => wire.connections.size, { timeout: 5000 }).toBe(0);
    expect(wire.calls.length).toBeLessThan(250);
  });

  test("goes on where it was when it reads again", async () => {
    wire = await startTestWire({ handlers: { page }, bounds: { ...bounds, max_in_flight: 1000 } });
    const peer = await wire.dial({ ...asPlugin, pauseAtOnce: true });
    for (let id = 0; id < 150; id += 1) {
      peer.send(request(id, "page"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    peer.socket.resume();
    const ids = new Set<number>();
    for (let n = 0; n < 150; n += 1) ids.add((await peer.next()).id);
    expect(ids.size).toBe(150);
    expect(wire.connections.size).toBe(1);
  });

  test("one large answer may exceed the bound", async () => {
    wire = await startTestWire({ handlers: { page }, bounds: { outgoing_bytes_max: 300_000 } });
    const peer = await wire.dial(asPlugin);
    peer.send(Array.from({ length: 20 }, (_, id) => request(id, "page")));
    expect(await peer.next()).toHaveLength(20);
  });

  test("is cut when it ignores the close frame", async () => {
    wire = await startTestWire({ bounds: { connect_seconds: 0.1, close_seconds: 0.2 } });
    const socket = connect(Number(new URL(wire.http_url).port), "127.0.0.1");
    const ended = once(socket, "close");
    socket.write(
      "GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    socket.on("data", () => undefined).on("error", () => undefined);
    await within(ended, "the cut");
  });
});

describe("an identity that is gone", () => {
  test("closes with 4401 what the dead key proved, and nothing else", async () => {
    wire = await startTestWire();
    const old = await wire.dial(asPlugin);
    const fresh = await wire.dial({ headers: { authorization: "Bearer rh_other_secret" } });
    const unproved = await wire.dial();
    wire.connections.revoke(proof.principal, "other");
    expect(await old.closed()).toBe(4401);
    expect(await fresh.call("ping")).toMatchObject({ result: { ok: true } });
    expect(await unproved.call("ping")).toMatchObject({ result: { ok: true } });
    wire.connections.revoke(proof.principal, null);
    expect(await fresh.closed()).toBe(4401);
    await expect.poll(() => wire.held).toEqual([]);
  });

  test("leaves another tenant's identity of the same name alone", async () => {
    wire = await startTestWire();
    const peer = await wire.dial(asPlugin);
    wire.connections.revoke({ ...proof.principal, tenant_id: "other" }, null);
    await peer.settle();
    expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
  });

  test("the answer of the very call that revoked it still arrives; waits are cut", async () => {
    const cut = createGate<unknown>();
    const wait: Handler = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(cut.open(signal.reason)));
      });
    const rotate: Handler = async () => {
      wire.connections.revoke(proof.principal, "other");
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { rotated: true };
    };
    wire = await startTestWire({ handlers: { rotate, wait } });
    const peer = await wire.dial(asPlugin);
    peer.send(request(0, "wait"));
    peer.send(request(1, "rotate"));
    await peer.settle();
    peer.send(request(2, "ping"));
    const answers = [await peer.next(), await peer.next(), await peer.next()];
    const byId = Object.fromEntries(answers.map((answer) => [answer.id, answer]));
    expect(byId[1]).toMatchObject({ result: { rotated: true } });
    expect(byId[2]).toMatchObject({ error: { code: -32001 } });
    expect(byId[0]).toMatchObject({ result: null });
    expect(await peer.closed()).toBe(4401);
  });

  test("a call that does not end does not keep it open", async () => {
    wire = await startTestWire({ handlers: { wait: () => new Promise(() => undefined) } });
    const peer = await wire.dial(asPlugin);
    peer.send(request(0, "wait"));
    await peer.settle();
    wire.connections.revoke(proof.principal, null);
    expect(await within(peer.closed(), "the close", 3000)).toBe(4401);
  });
});

describe("drain", () => {
  test("finishes what is in flight, refuses what comes, closes with 1001", async () => {
    const gate = createGate();
    wire = await startTestWire({ handlers: { wait: () => gate.opened.then(() => "done") } });
    const busy = await wire.dial(asPlugin);
    const idle = await wire.dial();
    busy.send(request(1, "wait"));
    await busy.settle();
    const closing = wire.close();
    expect(await idle.closed()).toBe(1001);
    busy.send(request(2, "ping"));
    busy.send({ jsonrpc: "2.0", method: "ping" });
    expect(await busy.next()).toMatchObject({ id: 2, error: { code: -32012 } });
    await expect(dial(wire.url)).rejects.toThrow(/ECONNREFUSED/);
    gate.open();
    expect(await busy.next()).toMatchObject({ id: 1, result: "done" });
    expect(await busy.closed()).toBe(1001);
    await closing;
    expect(wire.calls).toHaveLength(1);
    expect(wire.connections.size).toBe(0);
  });

  test("cuts waits before the end, so that they are answered", async () => {
    const wait: Handler = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    wire = await startTestWire({
      handlers: { wait }, bounds: { drain_wait_seconds: 0.1, drain_seconds: 5 },
    });
    const peer = await wire.dial(asPlugin);
    peer.send(request(1, "wait"));
    await peer.settle();
    const closing = wire.close();
    expect(await peer.next()).toMatchObject({ id: 1, error: { code: -32012 } });
    expect(await peer.closed()).toBe(1001);
    await within(closing, "the end", 2000);
  });

  test("ends in time although a call does not", async () => {
    wire = await startTestWire({
      handlers: { wait: () => new Promise(() => undefined) },
      bounds: { drain_wait_seconds: 0.1, drain_seconds: 0.3 },
    });
    const peer = await wire.dial(asPlugin);
    peer.send(request(1, "wait"));
    await peer.settle();
    const closing = wire.close();
    expect(await peer.closed()).toBe(1001);
    await within(closing, "the end", 2000);
  });

  test("does not wait for peers that ignore it", async () => {
    wire = await startTestWire({ bounds: { close_seconds: 0.2 } });
    const peer = await wire.dial({ ...asPlugin, pauseAtOnce: true });
    await within(wire.close(), "the end", 3000);
    peer.socket.resume();
    expect([1001, 1006]).toContain(await peer.closed());
  });

  test("an upgrade that is being judged is refused with 503", async () => {
    const judged = createGate();
    const asked = createGate();
    const identify = async () => {
      asked.open();
      await judged.opened;
      return proof;
    };
    wire = await startTestWire({ identify });
    const busy = await wire.dial();
    busy.send(request(0, "plugin_connect", { token: goodToken }));
    await asked.opened;
    const dialling = dial(wire.url, asPlugin);
    dialling.catch(() => undefined);
    await busy.settle();
    const closing = wire.close();
    judged.open();
    await expect(dialling).rejects.toThrow("503");
    await closing;
  });
});
