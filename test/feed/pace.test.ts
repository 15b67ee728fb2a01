// Who reads too slowly is paused, then told where to resume; who reads fast is never dropped, however
// long the history; and neither costs anybody else anything.

import { expect, test } from "vitest";
import { follow, openLine, PlantedRun, quickBounds, upTo, useFeed } from "./world.js";

const world = useFeed();
const characters = 5000;
const event_bytes = characters + 500;

test("a connection that takes nothing gets what fits, and is told where to resume", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(40, { characters });
  const slow = openLine(world());
  slow.line.flowing = false;
  const first = follow(slow, run);
  const second = follow(slow, run, { after: 39 });
  const beside = openLine(world());
  follow(beside, run);
  await run.storeNext(10, { characters });
  await beside.line.until((line) => line.sequences.length === 50);
  await slow.line.until((line) =>
    line.messages.filter(({ method }) => method === "subscription_dropped").length === 2);
  expect(slow.line.most_bytes).toBeLessThan(quickBounds.waiting_bytes_max + 2 * event_bytes);
  const dropped = slow.line.messages.filter(({ method }) => method === "subscription_dropped");
  for (const { params } of dropped) {
    const { subscription_id, reason, resume_after } = params;
    expect([first, second]).toContain(subscription_id);
    expect(reason).toBe("slow");
    const seen = slow.line.sequencesOf(subscription_id);
    expect(resume_after).toBe(String(seen.at(-1) ?? (subscription_id === first ? 0 : 39)));
  }
  expect(slow.subscriber.unsubscribe(first)).toBe(false);
  const { resume_after } = dropped.find(({ params }) => params["subscription_id"] === first)!.params;
  slow.line.drain();
  slow.line.flowing = true;
  const again = follow(slow, run, { after: Number(resume_after) });
  await run.end();
  await slow.line.told("run_ended");
  expect([...slow.line.sequencesOf(first), ...slow.line.sequencesOf(again)]).toEqual(upTo(50));
  beside.subscriber.end();
  expect(world().feed.tails).toBe(0);
});

test("few events that fill many pages are read as fast as they are taken", async () => {
  const run = await PlantedRun.plant(world());
  // Four of them fill a page; the tail of a run that is followed from here on would keep all.
  await run.storeNext(30, { characters: 250_000 });
  const slow = openLine(world());
  slow.line.flowing = false;
  const before = world().counts.tail;
  follow(slow, run);
  await slow.line.until((line) => line.sequences.length > 0);
  await run.storeNext(1);
  await slow.line.told("subscription_dropped");
  // The first page; what came after the past, and another look at it when its hint came.
  expect(world().counts.tail - before).toBeLessThanOrEqual(4);
  slow.line.drain();
  slow.line.flowing = true;
  follow(slow, run, { after: slow.line.sequences.at(-1)! });
  await slow.line.until((line) => line.sequences.length === 31);
  await run.storeNext(2);
  await run.end();
  await slow.line.told("run_ended");
  expect(slow.line.sequences).toEqual(upTo(33));
  expect(world().feed.tails).toBe(0);
});

test("one that drains in time goes on where it was, without a word", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(60, { characters });
  const at = openLine(world());
  at.line.flowing = false;
  follow(at, run);
  for (let round = 0; at.line.sequences.length < 60; round += 1) {
    expect(round).toBeLessThan(100);
    await new Promise((resolve) => setTimeout(resolve, quickBounds.slow_ms / 6));
    at.line.drain();
  }
  expect(at.line.sequences).toEqual(upTo(60));
  expect(at.line.messages).toHaveLength(60);
  at.subscriber.end();
});

test("a trickle that never brings it below half is too slow", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(60, { characters });
  const at = openLine(world());
  at.line.flowing = false;
  follow(at, run);
  const trickle = setInterval(() => at.line.drain(1000), 20);
  const { reason } = await at.line.told("subscription_dropped");
  clearInterval(trickle);
  expect(reason).toBe("slow");
});

test("what is full but has nothing more to tell is not slow", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(5, { characters });
  const at = openLine(world());
  at.line.flowing = false;
  follow(at, run);
  await at.line.until((line) => line.sequences.length === 5);
  await new Promise((resolve) => setTimeout(resolve, quickBounds.slow_ms * 2));
  expect(at.line.messages).toHaveLength(5);
  at.subscriber.end();
});

test("one that leaves while it waits does not make the others slow", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(60, { characters });
  const idle = await PlantedRun.plant(world());
  const at = openLine(world());
  at.line.flowing = false;
  const waiting = follow(at, run);
  follow(at, idle);
  await at.line.until(({ waiting_bytes }) => waiting_bytes >= quickBounds.waiting_bytes_max);
  at.subscriber.unsubscribe(waiting);
  at.line.drain();
  await new Promise((resolve) => setTimeout(resolve, quickBounds.slow_ms * 2));
  expect(at.line.messages.at(-1)?.method).toBe("run_event");
  await idle.end();
  expect(await at.line.told("run_ended")).toMatchObject({ run: { run_id: idle.run_id } });
});

test("a long history goes to a fast reader at its pace, and is not dropped", async () => {
  const run = await PlantedRun.plant(world());
  for (let batch = 0; batch < 10; batch += 1) await run.storeNext(100, { characters });
  const at = openLine(world());
  follow(at, run);
  await run.end();
  await at.line.told("run_ended");
  expect(at.line.sequences).toEqual(upTo(1000));
  expect(at.line.most_bytes).toBeLessThan(quickBounds.waiting_bytes_max + 2 * event_bytes);
});

test("many that share a connection take turns", async () => {
  const runs = await Promise.all(upTo(20).map(() => PlantedRun.plant(world())));
  for (const run of runs) await run.storeNext(100, { characters: 1000 });
  const at = openLine(world());
  for (const run of runs) follow(at, run);
  await at.line.until((line) => line.sequences.length === 2000);
  expect(at.line.messages).toHaveLength(2000);
  at.subscriber.end();
  expect(world().feed.tails).toBe(0);
});
