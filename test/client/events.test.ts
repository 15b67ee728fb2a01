// The events of a run as an iterator, over everything that can happen between its first event and its
// end: a scripted peer for each case.

import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { RunEvent } from "../../src/client/client.js";
import { answer, dial, notify, reached, refusalOf, refuseAs, startPeer, type Peer } from "./peer.js";

const event = (sequence: number, extra = {}) => ({ run_id: "r", sequence, type: "x", ...extra });
const ended = { run_id: "r", status: "completed" };

interface Script {
  /** Told each subscription: sends what it likes. */
  subscribed(to: Subscription): void;
}

interface Subscription {
  socket: WebSocket;
  subscription_id: string;
  /** What the client has dealt with, 0 when it asks from the start. */
  after: number;
  /** Counts from 1. */
  nth: number;
  send(...sequences: number[]): void;
  end(): void;
}

async function startFollowed({ subscribed }: Script): Promise<Peer> {
  let nth = 0;
  return startPeer((socket, { id, method, params }) => {
    if (method !== "run_subscribe") return answer(socket, id, { removed: true });
    const subscription_id = `sub_${nth += 1}`;
    const to = { subscription_id, run_id: "r" };
    answer(socket, id, { subscription_id, run: {} });
    subscribed({
      socket, subscription_id, nth, after: Number(params["after_cursor"] ?? 0),
      send: (...sequences) => {
        for (const n of sequences) notify(socket, "run_event", { ...to, event: event(n) });
      },
      end: () => notify(socket, "run_ended", { subscription_id, run: ended }),
    });
  });
}

async function read(events: AsyncIterable<RunEvent>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { sequence } of events) seen.push(sequence);
  return seen;
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("the events of a run", () => {
  test("come in order and end with the run, which is told", async () => {
    const { url, frames } = await startFollowed({
      subscribed: ({ send, end }) => (send(1, 2, 5), end()),
    });
    const host = await dial(url);
    const events = host.events("r");
    expect(events.run).toBe(null);
    expect(await read(events)).toEqual([1, 2, 5]);
    expect(events.run).toEqual(ended);
    expect(frames.slice(1).map(({ method, params }) => [method, params])).toEqual([
      ["run_subscribe", { target_run_id: "r" }],
    ]);
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test("the iterator's own value is the ended run", async () => {
    const { url } = await startFollowed({ subscribed: ({ send, end }) => (send(1), end()) });
    const events = (await dial(url)).events("r");
    expect(await events.next()).toMatchObject({ done: false, value: { sequence: 1 } });
    expect(await events.next()).toEqual({ done: true, value: ended });
  });

  test("start after a cursor, and nothing is asked before the first is wanted", async () => {
    const { url, frames } = await startFollowed({
      subscribed: ({ send, end, after }) => (send(after + 1), end()),
    });
    const host = await dial(url);
    const events = host.events("r", { afterCursor: "7" });
    await host.ping();
    expect(frames.map(({ method }) => method)).toEqual(["plugin_connect", "ping"]);
    expect(await read(events)).toEqual([8]);
  });

  test("a connection that ends costs neither a gap nor a duplicate", async () => {
    const { url } = await startFollowed({
      subscribed: ({ socket, send, end, nth, after }) => {
        // Delivery is at least once: some are sent again.
        send(...range(Math.max(after - 1, 1), after + 3));
        if (nth === 5) return end();
        setTimeout(() => socket.terminate(), 5);
      },
    });
    expect(await read((await dial(url)).events("r"))).toEqual(range(1, 15));
  });

  test("one that was dropped as too slow resumes", async () => {
    const { url, frames } = await startFollowed({
      subscribed: ({ socket, subscription_id, send, end, nth }) => {
        if (nth === 3) return (send(4), end());
        if (nth === 2) send(1, 2, 3);
        const dropped = { subscription_id, reason: "slow", resume_after: nth === 1 ? "0" : "3" };
        notify(socket, "subscription_dropped", dropped);
      },
    });
    expect(await read((await dial(url)).events("r"))).toEqual([1, 2, 3, 4]);
    expect(frames.slice(1).map(({ params }) => params["after_cursor"])).toEqual([
      undefined, "0", "3",
    ]);
  });

  test("one that may be followed no longer throws, after what came before", async () => {
    const { url } = await startFollowed({
      subscribed: ({ socket, subscription_id, send }) => {
        send(1);
        notify(socket, "subscription_dropped", {
          subscription_id, reason: "not_authorized", resume_after: "1",
        });
      },
    });
    const events = (await dial(url)).events("r");
    expect(await events.next()).toMatchObject({ value: { sequence: 1 } });
    expect(await refusalOf(events.next())).toMatchObject({
      code: "FORBIDDEN", number: -32002, reason: "not_authorized", retryable: false,
    });
    expect((await events.next()).done).toBe(true);
  });

  test("a subscription that is refused throws what the host said", async () => {
    const { url } = await startPeer((socket, { id }) =>
      refuseAs(socket, id, { code: "FORBIDDEN", reason: "not_authorized", retryable: false }));
    expect(await refusalOf(read((await dial(url)).events("r")))).toMatchObject({ code: "FORBIDDEN" });
  });

  test("what belongs to another subscription is not heard", async () => {
    const { url } = await startFollowed({
      subscribed: ({ socket, send, end }) => {
        notify(socket, "run_event", { subscription_id: "sub_9", event: event(1) });
        notify(socket, "run_ended", { subscription_id: "sub_9", run: ended });
        send(2);
        end();
      },
    });
    expect(await read((await dial(url)).events("r"))).toEqual([2]);
  });

  test("a program that does not keep up holds a bounded part and reads the rest later", async () => {
    const total = 2600;
    const held: number[] = [];
    const { url, methods } = await startFollowed({
      subscribed: ({ send, end, after }) => {
        held.push(after);
        send(...range(after + 1, total));
        end();
      },
    });
    const host = await dial(url);
    const events = host.events("r");
    const first = await events.next();
    // An answer after all that was sent: it has been heard and is held, or was let go.
    await host.ping();
    await host.ping();
    expect(held).toEqual([0]);
    expect([(first.value as RunEvent).sequence, ...await read(events)]).toEqual(range(1, total));
    // The first event was taken out before or after the buffer was full.
    expect([1000, 1001]).toContain(held[1]);
    const left = methods().filter((name) => name === "run_unsubscribe");
    expect(left).toHaveLength(held.length - 1);
  });
});

describe("leaving", () => {
  test("break ends the subscription, and the abort listener", async () => {
    const { url, arrived, frames } = await startFollowed({ subscribed: ({ send }) => send(1, 2) });
    const host = await dial(url);
    for await (const { sequence } of host.events("r")) if (sequence === 2) break;
    await arrived(3);
    expect(frames[2]).toMatchObject({
      method: "run_unsubscribe", params: { subscription_id: "sub_1" },
    });
  });

  test("return ends also an iterator that waits for the next event", async () => {
    const { url, arrived } = await startFollowed({ subscribed: ({ send }) => send(1) });
    const events = (await dial(url)).events("r");
    await events.next();
    const waiting = events.next();
    expect(await events.return()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    await arrived(3);
  });

  test("leaving before the answer ends what the host opened meanwhile", async () => {
    let held = (): void => undefined;
    const peer = await startPeer((socket, { id, method }) => {
      if (method === "run_subscribe") held = () => answer(socket, id, { subscription_id: "sub_1" });
      else answer(socket, id, null);
    });
    const events = (await dial(peer.url)).events("r");
    const waiting = events.next();
    await peer.arrived(2);
    await events.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    held();
    await peer.arrived(3);
    expect(peer.frames[2]).toMatchObject({
      method: "run_unsubscribe", params: { subscription_id: "sub_1" },
    });
  });

  test("an aborted signal throws its reason and ends the subscription", async () => {
    const { url, arrived, methods } = await startFollowed({ subscribed: ({ send }) => send(1) });
    const abort = new AbortController();
    const events = (await dial(url)).events("r", { signal: abort.signal });
    await events.next();
    const waiting = events.next();
    abort.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await arrived(3);
    expect(methods()).toEqual(["run_subscribe", "run_unsubscribe"]);
    const late = (await dial(url)).events("r", { signal: abort.signal });
    await expect(late.next()).rejects.toBe("enough");
  });

  test("a closed client ends the iteration with CLOSED", async () => {
    const { url } = await startFollowed({ subscribed: ({ send }) => send(1) });
    const host = await dial(url);
    const events = host.events("r");
    await events.next();
    const waiting = refusalOf(events.next());
    await host.close();
    expect(await waiting).toMatchObject({ code: "CLOSED" });
  });

  test("an iterator outlives a host that is away for longer than a call may take", async () => {
    const peer = await startFollowed({ subscribed: ({ send }) => send(1) });
    const host = await dial(peer.url, { timeoutMs: 50 });
    const events = host.events("r");
    await events.next();
    const waiting = events.next();
    await peer.stop();
    await reached(host, "reconnecting");
    await refusalOf(host.ping());
    await startPeer((socket, { id, params }) => {
      answer(socket, id, { subscription_id: "sub_2" });
      const sequence = Number(params["after_cursor"]) + 1;
      notify(socket, "run_event", { subscription_id: "sub_2", event: event(sequence) });
    }, { port: peer.port });
    expect(await waiting).toMatchObject({ value: { sequence: 2 } });
  });
});
