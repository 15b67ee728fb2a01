// What a subscriber gets: every event above its cursor, once and in order, then the end; whatever the
// moment at which it comes, and however many come beside it.

import { expect, test } from "vitest";
import { Refusal } from "../../src/contract/errors.js";
import { follow, openLine, PlantedRun, tenant_id, upTo, useFeed } from "./world.js";

const world = useFeed();

test("replays what is stored, goes on with what comes, and tells the end last", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(230);
  const at = openLine(world());
  const subscription_id = follow(at, run);
  await at.line.until((line) => line.sequences.length === 230);
  await run.storeNext(3);
  await run.storeNext(1);
  await run.end();
  const ended = await at.line.told("run_ended");
  expect(at.line.sequences).toEqual(upTo(234));
  expect(at.line.messages.at(-1)?.method).toBe("run_ended");
  expect(ended).toMatchObject({
    subscription_id, run: { run_id: run.run_id, status: "completed", last_sequence: 234 },
  });
  expect(Object.keys(ended)).toEqual(["subscription_id", "run"]);
  expect(at.subscriber.unsubscribe(subscription_id)).toBe(false);
  expect(world().feed.tails).toBe(0);
});

test("a run_event holds the record that run_events_page shows", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(1);
  const at = openLine(world());
  const subscription_id = follow(at, run);
  const told = await at.line.told("run_event");
  expect(Object.keys(told)).toEqual(["subscription_id", "run_id", "event"]);
  const [row] = await world().clone.sql`select event_record(e) as event from agent_run_event e
    where run_id = ${run.run_id}`;
  expect(told).toEqual({ subscription_id, run_id: run.run_id, event: row!["event"] });
  expect(at.line.messages[0]).toMatchObject({ jsonrpc: "2.0", method: "run_event" });
  at.subscriber.end();
});

test.each([0, 7, 100, 101, 199, 200])("on an ended run, after %i of 200", async (after) => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(200);
  await run.end();
  const at = openLine(world());
  follow(at, run, { after });
  await at.line.told("run_ended");
  expect(at.line.sequences).toEqual(upTo(200, after));
  expect(at.line.messages).toHaveLength(201 - after);
  expect(world().feed.tails).toBe(0);
});

test("a run that ends without an event", async () => {
  const run = await PlantedRun.plant(world());
  const at = openLine(world());
  follow(at, run);
  await run.end();
  await at.line.told("run_ended");
  expect(at.line.messages).toHaveLength(1);
});

test("sequences with holes, and cursors in holes, before and beyond them", async () => {
  const run = await PlantedRun.plant(world());
  const sequences = [1000, 1007, 1008, 5000, ...upTo(160).map((place) => 9000 + place * 10)];
  await run.store(sequences);
  const lines = [0, 3, 1000, 1003, 5001, 8000, 9005, 10_600, 12_000].map((after) => {
    const at = openLine(world());
    follow(at, run, { after });
    return { ...at, after };
  });
  await run.store([11_000, 12_000]);
  await run.store([12_001]);
  await run.end();
  await Promise.all(lines.map(({ line }) => line.told("run_ended")));
  const all = [...sequences, 11_000, 12_000, 12_001];
  for (const { line, after } of lines) {
    expect(line.sequences).toEqual(all.filter((sequence) => sequence > after));
  }
});

test("hand-over under writes: whenever one comes, nothing is missed or repeated", async () => {
  const run = await PlantedRun.plant(world());
  const total = 1500;
  const lines: { at: ReturnType<typeof openLine>; after: number }[] = [];
  for (let batch = 0; run.last < total; batch += 1) {
    const count = Math.min(1 + Math.floor(Math.random() * 40), total - run.last);
    // Every third batch is told by nobody: the look finds it.
    const storing = run.storeNext(count, { told: Math.random() > 0.3 });
    if (batch % 3 === 0) {
      const at = openLine(world());
      const after = Math.floor(Math.random() * (run.last + 20));
      follow(at, run, { after });
      lines.push({ at, after });
    }
    await storing;
  }
  await run.end();
  await Promise.all(lines.map(({ at }) => at.line.told("run_ended")));
  expect(lines.length).toBeGreaterThan(10);
  for (const { at, after } of lines) {
    expect(at.line.sequences).toEqual(upTo(total, after));
  }
  expect(world().feed.tails).toBe(0);
});

test("an event is read and written once for all who follow its run", async () => {
  const run = await PlantedRun.plant(world());
  const lines = Array.from({ length: 100 }, () => openLine(world()));
  for (const at of lines) follow(at, run);
  await run.storeNext(1);
  await Promise.all(lines.map(({ line }) => line.until((one) => one.sequences.length === 1)));
  const before = world().counts.tail;
  for (let count = 2; count <= 21; count += 1) {
    await run.storeNext(1);
    await Promise.all(lines.map(({ line }) => line.until((one) => one.sequences.length === count)));
  }
  // The look may find an event that its signal has told already.
  expect(world().counts.tail - before).toBeGreaterThanOrEqual(20);
  expect(world().counts.tail - before).toBeLessThanOrEqual(60);
  for (const { subscriber } of lines) subscriber.end();
  expect(world().feed.tails).toBe(0);
});

test("those who replay together share the pages", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(1000);
  const before = world().counts.tail;
  const lines = Array.from({ length: 60 }, () => openLine(world()));
  lines.forEach((at, place) => follow(at, run, { after: place * 3 }));
  await Promise.all(lines.map(({ line }) => line.until((one) => one.sequences.at(-1) === 1000)));
  lines.forEach(({ line }, place) => expect(line.sequences).toEqual(upTo(1000, place * 3)));
  expect(world().counts.tail - before).toBeLessThan(40);
  for (const { subscriber } of lines) subscriber.end();
});

test("who is nearly up to date does not wait for one who replays it all", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(4000);
  const [long, short] = [openLine(world()), openLine(world())];
  follow(long, run);
  follow(short, run, { after: 3700 });
  await short.line.until((line) => line.sequences.at(-1) === 4000);
  expect(long.line.sequences.length).toBeLessThan(1500);
  await long.line.until((line) => line.sequences.length === 4000);
  for (const { subscriber } of [long, short]) subscriber.end();
});

test("large events come in pages of one mebibyte, and stay whole", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(12, { characters: 300_000 });
  const page = await world().reads.tail({
    tenant_id, run_id: run.run_id, after_sequence: 0, limit: 100,
  });
  expect(page?.items).toHaveLength(3);
  expect(page?.more).toBe(true);
  const at = openLine(world());
  follow(at, run);
  await at.line.until((line) => line.sequences.length === 12);
  expect(at.line.messages.every(({ params }) => params["event"].data.content.length === 300_000))
    .toBe(true);
  at.subscriber.end();
});

test("an interaction is told after the event that asked for it, and before the next", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(3);
  await world().clone.sql`update agent_run_event set type = 'action.requested'
    where run_id = ${run.run_id} and sequence in (2, 3)`;
  await world().clone.sql`insert into agent_interaction (tenant_id, run_id, interaction_id, sequence,
      runner_id, request, expires_at)
    values (${tenant_id}, ${run.run_id}, 'ask-1', 2, 'plugin:acme/one/main', '{"title": "May I?"}',
      now() + interval '1 hour')`;
  await run.end();
  const at = openLine(world());
  const subscription_id = follow(at, run);
  await at.line.told("run_ended");
  expect(at.line.messages.map(({ method }) => method)).toEqual([
    "run_event", "run_event", "interaction_requested", "run_event", "run_ended",
  ]);
  expect(at.line.messages[2]!.params).toMatchObject({
    subscription_id, run_id: run.run_id,
    interaction: { interaction_id: "ask-1", status: "pending", request: { title: "May I?" } },
  });
});

test("two subscriptions of one connection to one run are two", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(5);
  const at = openLine(world());
  const first = follow(at, run);
  const second = follow(at, run, { after: 3 });
  await at.line.until((line) => line.sequences.length === 7);
  expect(at.subscriber.unsubscribe(first)).toBe(true);
  await run.storeNext(1);
  await at.line.until((line) => line.sequencesOf(second).length === 3);
  expect(at.line.sequencesOf(first)).toEqual(upTo(5));
  expect(at.line.sequencesOf(second)).toEqual([4, 5, 6]);
  at.subscriber.end();
});

test("nothing is told before begin, nor after unsubscribe", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(5);
  const at = openLine(world());
  const wanted = {
    grant: { tenant_id } as never, again: async () => ({}) as never, after_sequence: 0,
    run: run.record(),
  };
  const held = at.subscriber.subscribe(wanted);
  const given = at.subscriber.subscribe(wanted);
  expect(at.subscriber.unsubscribe(given.subscription_id)).toBe(true);
  expect(at.subscriber.unsubscribe(given.subscription_id)).toBe(false);
  given.begin();
  await run.storeNext(1);
  expect(world().feed.tails).toBe(0);
  held.begin();
  held.begin();
  await at.line.until((line) => line.sequences.length === 6);
  at.subscriber.unsubscribe(held.subscription_id);
  const sent = at.line.messages.length;
  await run.storeNext(10);
  await world().reads.heads({ tenant_id, run_ids: [run.run_id] });
  expect(at.line.messages).toHaveLength(sent);
  expect(at.line.sequences).toEqual(upTo(6));
  expect(world().feed.tails).toBe(0);
});

test("a connection holds 256, and a place is free again when one goes", async () => {
  const run = await PlantedRun.plant(world());
  const at = openLine(world());
  const ids = Array.from({ length: 256 }, () => follow(at, run));
  expect(new Set(ids).size).toBe(256);
  expect(() => follow(at, run)).toThrow(new Refusal("OVERLOADED", { limit: 256 }));
  expect(at.subscriber.unsubscribe(ids[9]!)).toBe(true);
  follow(at, run);
  follow(openLine(world()), run);
  await run.end();
  await at.line.until((line) =>
    line.messages.filter(({ method }) => method === "run_ended").length === 256);
  // The other connection is served in a later turn.
  await expect.poll(() => world().feed.tails).toBe(0);
  follow(at, run);
});

test("a connection that ends leaves nothing behind, not even a tail", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(500);
  const lines = [openLine(world()), openLine(world())];
  for (const at of lines) for (const after of [0, 250, 500]) follow(at, run, { after });
  expect(world().feed.tails).toBe(1);
  lines[0]!.subscriber.end();
  const sent = lines[0]!.line.messages.length;
  await run.storeNext(1);
  await lines[1]!.line.until((line) => line.sequences.filter((one) => one === 501).length === 3);
  expect(lines[0]!.line.messages).toHaveLength(sent);
  lines[1]!.subscriber.end();
  expect(world().feed.tails).toBe(0);
  follow(lines[1]!, run);
  expect(world().feed.tails).toBe(0);
});

test("reads that fail cost time, not events", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(300);
  const at = openLine(world());
  let reads = 0;
  world().broken.tail = () => {
    reads += 1;
    if (reads >= 4) world().broken.tail = null;
    return new Refusal("UNAVAILABLE");
  };
  follow(at, run);
  await at.line.until((line) => line.sequences.length === 300);
  world().broken.tail = () => {
    world().broken.tail = null;
    return new Refusal("UNAVAILABLE");
  };
  await run.end();
  await at.line.told("run_ended");
  expect(at.line.sequences).toEqual(upTo(300));
  expect(world().failures.splice(0).length).toBeGreaterThanOrEqual(5);
});

test("a run that has been removed ends its subscriptions", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(2);
  const at = openLine(world());
  const subscription_id = follow(at, run);
  await at.line.until((line) => line.sequences.length === 2);
  await world().clone.sql`delete from agent_run where run_id = ${run.run_id}`;
  expect(await at.line.told("subscription_dropped")).toEqual({
    subscription_id, reason: "not_authorized", resume_after: "2",
  });
  expect(world().feed.tails).toBe(0);
});
