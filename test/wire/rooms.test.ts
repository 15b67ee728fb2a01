// The small rooms of wire alone: order, outbox and liveness, with a clock that the test moves.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLiveness } from "../../src/wire/liveness.js";
import { createOrder } from "../../src/wire/order.js";
import { createOutbox } from "../../src/wire/outbox.js";

const useFakeTimers = () => void vi.useFakeTimers();
const useRealTimers = () => void vi.useRealTimers();
beforeEach(useFakeTimers);
afterEach(useRealTimers);

const turn = () => vi.advanceTimersByTimeAsync(0);

describe("order", () => {
  test("one after the other within a key, nobody waits across keys", async () => {
    const order = createOrder();
    const seen: string[] = [];
    const places = ["a", "a", "b", "a"].map((key) => order.take(key, "write"));
    places.forEach(({ before }, at) => void before?.then(() => seen.push(`a${at}`)));
    expect(places.map(({ before }) => before === null)).toEqual([true, false, true, false]);
    await turn();
    expect(seen).toEqual([]);
    places[0]!.giveWay();
    await turn();
    expect(seen).toEqual(["a1"]);
    places[1]!.giveWay();
    await turn();
    expect(seen).toEqual(["a1", "a3"]);
  });

  test("a place given back early lets nobody overtake", async () => {
    const order = createOrder();
    const [first, second, third] = [order.take("a", "write"), order.take("a", "write"), order.take("a", "write")];
    let started = false;
    void third.before!.then(() => (started = true));
    second.giveWay();
    await turn();
    expect(started).toBe(false);
    first.giveWay();
    await turn();
    expect(started).toBe(true);
  });

  test("one that was handed on lets the next of its kind start, and no other", async () => {
    const order = createOrder();
    const seen: string[] = [];
    const kinds = ["append", "append", "end", "append"];
    const places = kinds.map((kind) => order.take("a", kind));
    places.forEach(({ before }, at) => void before?.then(() => seen.push(`${kinds[at]}${at}`)));
    places[1]!.handOn();
    await turn();
    expect(seen).toEqual([]);
    places[0]!.handOn();
    await turn();
    expect(seen).toEqual(["append1"]);
    places[1]!.giveWay();
    await turn();
    expect(seen).toEqual(["append1"]);
    places[0]!.giveWay();
    await turn();
    expect(seen).toEqual(["append1", "end2"]);
    places[2]!.handOn();
    await turn();
    expect(seen).toEqual(["append1", "end2"]);
    places[2]!.giveWay();
    await turn();
    expect(seen).toEqual(["append1", "end2", "append3"]);
  });

  test("a key is forgotten with its last place", async () => {
    const order = createOrder();
    const places = [order.take("a", "write"), order.take("a", "write")];
    expect(order.tail("a")).toBeInstanceOf(Promise);
    for (const place of places) place.giveWay();
    await turn();
    expect(order.tail("a")).toBe(null);
    expect(order.take("a", "write").before).toBe(null);
  });

  test("giving way twice is giving way once", async () => {
    const order = createOrder();
    const [first, second, third] = [order.take("a", "write"), order.take("a", "write"), order.take("a", "write")];
    first.giveWay();
    first.giveWay();
    let started = false;
    void third.before!.then(() => (started = true));
    await turn();
    expect(started).toBe(false);
    second.giveWay();
    await turn();
    expect(started).toBe(true);
  });
});

describe("outbox", () => {
  function open() {
    const flushes: (() => void)[] = [];
    const seen: string[] = [];
    const outbox = createOutbox({
      write: (text, flushed) => {
        seen.push(`write ${text.length}`);
        flushes.push(flushed);
      },
      pause: () => seen.push("pause"),
      resume: () => seen.push("resume"),
      onStuck: () => seen.push("stuck"),
      pause_bytes: 100,
      bytes_max: 300,
      stall_ms: 1000,
    });
    outbox.onEmpty(() => seen.push("empty"));
    const take = () => seen.splice(0);
    return { outbox, seen, take, flush: () => flushes.shift()!() };
  }
  const text = (bytes: number) => "x".repeat(bytes);

  test("pauses above the mark and resumes at half of it", () => {
    const { outbox, take, flush } = open();
    for (const bytes of [50, 50, 20]) outbox.send(text(bytes));
    expect(take()).toEqual(["write 50", "write 50", "write 20", "pause"]);
    expect(outbox.paused).toBe(true);
    flush();
    expect(take()).toEqual([]);
    flush();
    expect(take()).toEqual(["resume"]);
    expect(outbox.empty).toBe(false);
    flush();
    expect(take()).toEqual(["empty"]);
    expect(outbox.empty).toBe(true);
  });

  test("past the bound it is stuck, once, and takes nothing more", () => {
    const { outbox, take } = open();
    for (const bytes of [200, 100, 1, 1]) outbox.send(text(bytes));
    expect(take()).toEqual(["write 200", "pause", "write 100", "stuck"]);
    outbox.stop();
    vi.advanceTimersByTime(10_000);
    expect(take()).toEqual([]);
  });

  test("one frame may exceed the bound when nothing waits", () => {
    const { outbox, take, flush } = open();
    outbox.send(text(1000));
    flush();
    outbox.send(text(1000));
    expect(take()).toEqual(["write 1000", "pause", "resume", "empty", "write 1000", "pause"]);
  });

  test("bytes are counted, not characters", () => {
    const { outbox, take } = open();
    outbox.send("\u{1F600}".repeat(26));
    expect(take()).toEqual(["write 52", "pause"]);
  });

  test("a paused peer is stuck when nothing leaves for a while", () => {
    const { outbox, take, flush } = open();
    for (const bytes of [120, 120]) outbox.send(text(bytes));
    vi.advanceTimersByTime(900);
    flush();
    vi.advanceTimersByTime(900);
    expect(take()).toEqual(["write 120", "pause", "write 120"]);
    vi.advanceTimersByTime(100);
    expect(take()).toEqual(["stuck"]);
  });

  test("one that is not paused is never stuck by time", () => {
    const { outbox, take } = open();
    outbox.send(text(100));
    vi.advanceTimersByTime(1_000_000);
    expect(take()).toEqual(["write 100"]);
  });

  test("flushes after the stop change nothing", () => {
    const { outbox, take, flush } = open();
    outbox.send(text(200));
    outbox.stop();
    flush();
    outbox.send(text(1));
    expect(take()).toEqual(["write 200", "pause"]);
  });
});

describe("liveness", () => {
  function watch() {
    const peer = { received: 0, paused: false };
    const seen: string[] = [];
    const liveness = createLiveness({
      received: () => peer.received,
      isPaused: () => peer.paused,
      ping: () => seen.push("ping"),
      onDead: () => seen.push("dead"),
      period_ms: 20_000,
      misses_max: 2,
    });
    const pass = (periods: number) => {
      vi.advanceTimersByTime(periods * 20_000);
      return seen.splice(0);
    };
    return { peer, liveness, pass };
  }

  test("two misses after the first ping end it, once", () => {
    const { pass } = watch();
    expect(pass(2)).toEqual(["ping", "ping"]);
    expect(pass(5)).toEqual(["dead"]);
  });

  test("any byte in between starts the count anew", () => {
    const { peer, pass } = watch();
    expect(pass(2)).toEqual(["ping", "ping"]);
    peer.received += 1;
    expect(pass(2)).toEqual(["ping", "ping"]);
    expect(pass(1)).toEqual(["dead"]);
  });

  test("a peer that is not being read is not judged", () => {
    const { peer, pass } = watch();
    pass(1);
    peer.paused = true;
    expect(pass(10)).toEqual([]);
    peer.paused = false;
    expect(pass(2)).toEqual(["ping", "ping"]);
  });

  test("nothing happens after the stop", () => {
    const { liveness, pass } = watch();
    liveness.stop();
    expect(pass(10)).toEqual([]);
  });
});
