// What wire does for subscriptions: notifications follow the answer, raw text goes out as it is, room
// is told when bytes have left, and a connection that goes, or is to go, takes its own with it.

import { afterEach, describe, expect, test } from "vitest";
import type { Outgoing, Subscriber } from "../../src/wire/parts.js";
import { asPlugin, createGate, request, startTestWire, type Handler, type TestWire } from "./harness.js";

let wire: TestWire;
const settleWire = () => wire.stop();
afterEach(settleWire);

interface Attached extends Subscriber {
  outgoing: Outgoing;
  ended: number;
  flushes: number;
}

/** A feed that only notes what it is told. */
function createNotingFeed() {
  const attached: Attached[] = [];
  return {
    attached,
    attach(outgoing: Outgoing): Subscriber {
      const one: Attached = {
        outgoing,
        ended: 0,
        flushes: 0,
        subscribe: () => ({ subscription_id: `sub_${attached.length}`, begin: () => undefined }),
        unsubscribe: (subscription_id) => subscription_id === "held",
        flushed: () => void (one.flushes += 1),
        end: () => void (one.ended += 1),
      };
      attached.push(one);
      return one;
    },
  };
}

const note = (text: string): string => JSON.stringify({ jsonrpc: "2.0", method: "note", params: { text } });

async function open(handlers: Record<string, Handler>) {
  const feed = createNotingFeed();
  wire = await startTestWire({ handlers, parts: { feed } });
  const peer = await wire.dial(asPlugin);
  return { feed, peer, own: feed.attached[0]! };
}

describe("what follows an answer", () => {
  test("comes after it, also when it was ready before", async () => {
    const { peer, own } = await open({
      follow: async ({ afterAnswer }) => {
        afterAnswer(() => own.outgoing.send(note("first")));
        afterAnswer(() => own.outgoing.send(note("second")));
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { ok: true };
      },
    });
    expect(await peer.call("follow")).toMatchObject({ result: { ok: true } });
    expect((await peer.next()).params.text).toBe("first");
    expect((await peer.next()).params.text).toBe("second");
  });

  test("comes after the whole batch, in the order of the calls that were done first", async () => {
    const { peer, own } = await open({
      follow: ({ params, afterAnswer }) => {
        afterAnswer(() => own.outgoing.send(note(String(params["name"]))));
        return params["name"];
      },
      slow: () => new Promise((resolve) => setTimeout(() => resolve("late"), 30)),
    });
    peer.send([
      request(1, "follow", { name: "a" }), request(2, "slow"), request(3, "follow", { name: "b" }),
    ]);
    expect((await peer.next()).map(({ result }: { result: unknown }) => result))
      .toEqual(["a", "late", "b"]);
    expect((await peer.next()).params.text).toBe("a");
    expect((await peer.next()).params.text).toBe("b");
  });

  test("is done for a notification too, which has no answer", async () => {
    const { peer, own } = await open({
      follow: ({ afterAnswer }) => afterAnswer(() => own.outgoing.send(note("told"))),
    });
    peer.send({ jsonrpc: "2.0", method: "follow" });
    expect((await peer.next()).params.text).toBe("told");
  });

  test("is not done for a connection that is gone", async () => {
    const entered = createGate();
    const gate = createGate();
    let done = 0;
    const { peer, feed } = await open({
      follow: async ({ afterAnswer }) => {
        afterAnswer(() => void (done += 1));
        entered.open();
        await gate.opened;
      },
    });
    peer.send(request(1, "follow"));
    await entered.opened;
    peer.socket.terminate();
    await peer.closed();
    while (feed.attached[0]!.ended === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    gate.open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(done).toBe(0);
  });
});

describe("a connection", () => {
  test("hands raw text out as it is, and says when it has left", async () => {
    const { peer, own } = await open({});
    own.outgoing.send('{"jsonrpc":"2.0",  "method":"note"}');
    expect(own.outgoing.waiting_bytes).toBe(35);
    while (peer.received.length === 0) await peer.settle();
    expect(peer.received).toEqual(['{"jsonrpc":"2.0",  "method":"note"}']);
    expect(own.flushes).toBe(1);
    expect(own.outgoing.waiting_bytes).toBe(0);
  });

  test("subscribes and unsubscribes with the feed", async () => {
    const { peer } = await open({
      follow: ({ connection }) => connection.subscribe({} as never).subscription_id,
      leave: ({ connection, params }) => connection.unsubscribe(String(params["id"])),
    });
    expect((await peer.call("follow")).result).toBe("sub_1");
    expect((await peer.call("leave", { id: "held" })).result).toBe(true);
    expect((await peer.call("leave", { id: "other" })).result).toBe(false);
  });

  test("that closes ends its subscriptions, and takes no text any more", async () => {
    const { peer, own } = await open({});
    peer.socket.close();
    await peer.closed();
    while (own.ended === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    own.outgoing.send(note("late"));
    expect(own.outgoing.waiting_bytes).toBe(0);
  });

  test("whose key is revoked is told nothing more, while its last call is answered", async () => {
    const gate = createGate();
    const { peer, own } = await open({ slow: () => gate.opened });
    peer.send(request(1, "slow"));
    await peer.settle();
    wire.connections.revoke({ tenant_id: "default", plugin_identity: "acme/one" }, null);
    expect(own.ended).toBeGreaterThan(0);
    gate.open();
    await peer.closed();
  });

  test("that follows a busy run does not hold up the stop of its host", async () => {
    const { own } = await open({});
    const chatter = setInterval(() => own.ended === 0 && own.outgoing.send(note("more")), 1);
    const began_ms = performance.now();
    await wire.close();
    clearInterval(chatter);
    expect(performance.now() - began_ms).toBeLessThan(1500);
  });
});

test("steering_available goes to whom a cancel would go to", async () => {
  const { peer } = await open({
    claim: ({ connection }) =>
      connection.noteClaim({ tenant_id: "default", run_id: "run_1", claim_epoch: 3 }),
  });
  await peer.call("claim");
  const waiting = {
    tenant_id: "default", run_id: "run_1", pending: 2, plugin_identity: "acme/owner",
    claim_epoch: 3, claimed: true,
  };
  wire.connections.pushSteering({ ...waiting, claim_epoch: 2 });
  wire.connections.pushSteering({ ...waiting, claimed: false });
  wire.connections.pushSteering({ ...waiting, tenant_id: "other", plugin_identity: "acme/one" });
  wire.connections.pushSteering(waiting);
  wire.connections.pushSteering({ ...waiting, plugin_identity: "acme/one", pending: 3 });
  const message = (pending: number) => ({
    jsonrpc: "2.0", method: "steering_available", params: { run_id: "run_1", pending },
  });
  expect(await peer.next()).toEqual(message(2));
  expect(await peer.next()).toEqual(message(3));
  expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
});
