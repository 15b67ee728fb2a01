// What a handler may leave waiting: events up to a number and a size, and gates that let calls pass
// in their order. No host: nothing here is answered before the test says so.

import { setMaxListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { createGate } from "../../src/worker/repeat.js";
import { EmitQueue } from "../../src/worker/run/emit_queue.js";
import { signal } from "./world.js";

const openQueue = () => {
  const lost = new AbortController();
  setMaxListeners(0, lost.signal);
  const unheard: unknown[] = [];
  const sent: number[] = [];
  const hold = (...sequences: number[]): Promise<never> => {
    sent.push(...sequences);
    return new Promise((_, reject) => {
      lost.signal.addEventListener("abort", () => reject(lost.signal.reason));
    });
  };
  const queue = new EmitQueue({
    last_sequence: 0,
    lost: lost.signal,
    send: ({ sequence }) => hold(sequence),
    sendTogether: (events) => hold(...events.map(({ sequence }) => sequence)),
    onLost: () => undefined,
    onUnheardRefusal: (refusal) => unheard.push(refusal),
  });
  return { queue, lost, unheard, sent };
};

const turn = () => new Promise((resolve) => setImmediate(resolve));
const delta = { type: "message.delta", data: { chunk: { role: "assistant", content: "x" } } };

describe("events that wait", () => {
  test("are at most a thousand; the next one is refused, and unheard refusals are told", async () => {
    const { queue, lost, unheard, sent } = openQueue();
    for (let count = 0; count < 1000; count += 1) void queue.push(delta);
    await turn();
    expect(sent).toHaveLength(100);
    for (let count = 0; count < 100; count += 1) void queue.push(delta);
    await turn();
    expect(unheard).toEqual([]);
    await expect(queue.push(delta)).rejects.toMatchObject({
      code: "worker.emit_queue_full", retryable: true,
    });
    void queue.push(delta);
    await turn();
    expect(unheard).toMatchObject([{ code: "worker.emit_queue_full" }]);
    lost.abort(new Error("over"));
    await queue.settle();
  });

  test("hold at most 16 Mi characters", async () => {
    const { queue, lost } = openQueue();
    const large = (characters: number) =>
      queue.push({ type: "message.completed", data: { text: "x".repeat(characters) } });
    const in_flight = large(1_000_000);
    await turn();
    const waiting = Array.from({ length: 16 }, () => large(1_040_000));
    await expect(large(1_040_000)).rejects.toMatchObject({ code: "worker.emit_queue_full" });
    waiting.push(in_flight, large(1000));
    lost.abort(new Error("over"));
    for (const emit of waiting) await expect(emit).rejects.toThrow("over");
  });

  test("are rejected with the reason when the claim is lost, and so is every later one", async () => {
    const { queue, lost, unheard } = openQueue();
    const emits = [1, 2, 3].map(() => queue.push({ ...delta, type: "message.completed" }));
    lost.abort(new Error("lease lost"));
    emits.push(queue.push(delta));
    for (const result of await Promise.allSettled(emits)) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "lease lost" } });
    }
    expect(unheard).toEqual([]);
  });
});

describe("a gate", () => {
  test("lets as many pass as its limit, the others in the order of their coming", async () => {
    const pass = createGate(2);
    const begun: number[] = [];
    const ends = [1, 2, 3, 4].map(() => signal());
    const passed = ends.map((end, index) => pass(async () => {
      begun.push(index);
      await end.promise;
    }));
    expect(begun).toEqual([0, 1]);
    ends[1]?.give();
    await passed[1];
    expect(begun).toEqual([0, 1, 2]);
    for (const end of ends) end.give();
    await Promise.all(passed);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test("is passed on by one that fails", async () => {
    const pass = createGate(1);
    const failed = pass(() => Promise.reject(new Error("no")));
    const next = pass(() => Promise.resolve("yes"));
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });
});
