// Whether a subscription is still admitted is asked again and again: one question for all that share an
// answer, a refusal ends them, a database that does not answer changes nothing.

import { beforeEach, expect, test } from "vitest";
import { Refusal } from "../../src/contract/errors.js";
import type { Grant } from "../../src/contract/grants.js";
import { follow, grantOf, openLine, PlantedRun, quickBounds, upTo, useFeed } from "./world.js";

const world = useFeed();
const rounds = (count: number) =>
  new Promise((resolve) => setTimeout(resolve, quickBounds.admission_ms * count));

beforeEach(() => {
  world().judge.now = async () => undefined;
});

test.each([
  "FORBIDDEN", "SESSION_EXPIRED", "NOT_FOUND", "INVALID_PARAMS", "UNAUTHENTICATED",
] as const)("%s from the ledger ends it, whatever it was sent last", async (code) => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(3);
  const at = openLine(world());
  const subscription_id = follow(at, run, { after: 1 });
  await at.line.until((line) => line.sequences.length === 2);
  await rounds(2);
  expect(at.line.messages).toHaveLength(2);
  world().judge.now = () => Promise.reject(new Refusal(code));
  expect(await at.line.told("subscription_dropped")).toEqual({
    subscription_id, reason: "not_authorized", resume_after: "3",
  });
  await run.storeNext(1);
  await rounds(1);
  expect(at.line.messages).toHaveLength(3);
  expect(world().feed.tails).toBe(0);
});

test("a caller who would not be let in again is not kept, not even on an ended run", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(200, { characters: 2000 });
  await run.end();
  const at = openLine(world());
  at.line.flowing = false;
  let standing: () => Promise<Grant<"read">> = async () => grantOf();
  follow(at, run, { again: () => standing() });
  await rounds(1.5);
  expect(at.line.messages.at(-1)?.method).toBe("run_event");
  standing = () => Promise.reject(new Refusal("UNAUTHENTICATED"));
  expect(await at.line.told("subscription_dropped")).toMatchObject({ reason: "not_authorized" });
});

test("what the end of the run took away does not keep its last events back", async () => {
  const run = await PlantedRun.plant(world());
  await run.storeNext(200, { characters: 2000 });
  const at = openLine(world());
  at.line.flowing = false;
  follow(at, run);
  await at.line.until((line) => line.sequences.length > 10);
  await run.end();
  world().judge.now = () => Promise.reject(new Refusal("SESSION_EXPIRED"));
  await rounds(1.5);
  expect(at.line.messages.at(-1)?.method).toBe("run_event");
  at.line.flowing = true;
  at.line.drain();
  await at.line.told("run_ended");
  expect(at.line.sequences).toEqual(upTo(200));
});

test("no answer is no refusal; a defect is reported and changes nothing either", async () => {
  const run = await PlantedRun.plant(world());
  const at = openLine(world());
  const defect = new Error("defect");
  follow(at, run);
  world().judge.now = () => Promise.reject(new Refusal("UNAVAILABLE"));
  await rounds(2);
  world().judge.now = () => Promise.reject(defect);
  await rounds(2);
  world().judge.now = async () => undefined;
  expect(at.line.messages).toEqual([]);
  expect(new Set(world().failures.splice(0))).toEqual(new Set([defect]));
  await run.end();
  await at.line.told("run_ended");
});

test("a thousand of one caller on one run are one question", async () => {
  const run = await PlantedRun.plant(world());
  const lines = upTo(8).map(() => openLine(world()));
  for (const at of lines) for (const _ of upTo(125)) follow(at, run);
  const other = openLine(world());
  follow(other, run, { caller: "acme/two" });
  world().counts.judged = 0;
  await rounds(5);
  expect(world().counts.judged).toBeGreaterThanOrEqual(4);
  expect(world().counts.judged).toBeLessThanOrEqual(12);
  world().judge.now = ({ caller }) =>
    caller === "acme/two" ? Promise.resolve() : Promise.reject(new Refusal("FORBIDDEN"));
  await Promise.all(lines.map(({ line }) => line.until(({ messages }) => messages.length === 125)));
  expect(other.line.messages).toEqual([]);
  other.subscriber.end();
  world().counts.judged = 0;
  await rounds(3);
  expect(world().counts.judged).toBe(0);
  expect(world().feed.tails).toBe(0);
});
