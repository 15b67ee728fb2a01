// What judges the figures, shown breaches that were planted and, beside each, what is right.

import { describe, expect, test } from "vitest";
import { createChance } from "./chance.js";
import { judge } from "./chaos.js";
import { judgeErrors } from "./figures/r12.js";
import { judgeStale } from "./figures/r2.js";
import { findOverlaps, judgeFreed, takeLease, type Leases } from "./figures/r3.js";
import { timeToRecover } from "./figures/r5.js";
import { judgeTakeover, worst } from "./figures/r6.js";
import { changeContent, findGrowth, judgeChange, judgeRepeat } from "./figures/r7.js";
import { judgeReading } from "./figures/r8.js";
import { compareHundredths } from "./figures/r9.js";
import { judgeCancels } from "./figures/r10.js";
import { readOptions } from "./options.js";
import { createTally, findForeign } from "./tally.js";

const call = (method: string, params: object, more: object = {}) =>
  ({ method, params, sent_at_ms: 1000, answered_at_ms: 1010, ...more });
const acked = (method: string, params: object, result: object) => call(method, params, { result });

describe("the verdict", () => {
  const timings = [{ name: "ms", value: 11, limit: 10 }];
  test.each([
    ["holds", { counts: {}, breaches: [] }, true],
    ["BROKEN", { counts: {}, breaches: ["one"] }, false],
    ["BROKEN", { counts: {}, breaches: [], timings }, true],
    ["BROKEN", { counts: {}, breaches: [], timings: [{ name: "ms", value: Number.NaN, limit: 10 }] }, true],
    ["holds", { counts: {}, breaches: [], timings }, false],
    ["skipped", { counts: {}, breaches: [], skipped: "why" }, true],
  ] as const)("%s", (verdict, outcome, timed) =>
    expect(judge({ ...outcome, breaches: [...outcome.breaches] } as never, { timed })).toBe(verdict));
});

describe("the tally of journals (R1, R4, R5, R12)", () => {
  const tallyOf = (...lines: object[]) => {
    const tally = createTally();
    for (const line of lines) tally.take(line);
    return tally;
  };
  const created = acked("run_create", { run_id: "r" }, { run_id: "r" });
  const ended = (status: string, more = {}) =>
    acked("run_finalize", { target_run_id: "r", status }, { run_id: "r", status, ...more });
  const repeated = { idempotent: true };

  test("counts what was acknowledged, refused and never answered", () => {
    const { counts, refusals } = tallyOf(created, call("run_claim", {}),
      call("run_claim", {}, { error: { code: "NO_RUN_AVAILABLE" } }));
    expect(counts).toMatchObject({ acked_writes: 1, unanswered: 1, refused: 1, duplicates: 0 });
    expect(refusals).toEqual({ NO_RUN_AVAILABLE: 1 });
  });

  test("finds a creation, an event and a publication that were new twice", () => {
    const event = acked("run_append_result", { run_id: "r", sequence: 1 }, { sequence: 1 });
    const published = acked("event_publish", { event_id: "e" }, { event_id: "e" });
    expect(tallyOf(created, created, event, event, published, published).counts.duplicates).toBe(3);
    const again = acked("run_create", { run_id: "r" }, { run_id: "r", ...repeated });
    expect(tallyOf(created, again).counts.duplicates).toBe(0);
  });

  test("finds a run that was finalized twice", () => {
    const emitted = acked("run_emit_result", { run_id: "r", sequence: 9 }, { run_status: "completed" });
    expect(tallyOf(ended("completed"), ended("failed")).counts.double_finalized).toBe(1);
    expect(tallyOf(emitted, ended("completed")).counts.double_finalized).toBe(1);
    expect(tallyOf(ended("completed"), ended("failed", repeated)).counts.double_finalized).toBe(1);
    expect(tallyOf(ended("completed"), ended("completed", repeated)).counts.double_finalized).toBe(0);
  });

  test("finds rows that nobody wrote", () => {
    const tally = tallyOf(call("run_create", { run_id: "r" }), call("run_append_result", { run_id: "r", sequence: 1 }));
    expect(findForeign(tally, ["r", "r 1"])).toEqual([]);
    expect(findForeign(tally, ["r", "r 1", "r 2", "s"])).toEqual(["r 2", "s"]);
  });
});

describe("R2", () => {
  const write = (sent_at_ms: number) => ({ ...acked("run_append_result", { target_run_id: "r" }, {}), sent_at_ms });
  const facts = (lines: object[], codes?: string[]) => judgeStale({
    lines, taken_over: new Map([["r", 2000]]), told: new Map(codes ? [["r", codes]] : []),
  });

  test("finds a write that was taken after the next claim", () => {
    expect(facts([write(2001)], ["LEASE_LOST"])).toMatchObject({ stale: 1, lease_lost: 1 });
    expect(facts([write(1999)], ["LEASE_LOST"])).toEqual({ stale: 0, lease_lost: 1, breaches: [] });
  });

  test.each([["accepted", "LEASE_LOST"], ["RUN_TERMINAL"], []])("finds an old holder that was told %s", (...codes) =>
    expect(facts([], codes).breaches).toHaveLength(1));
});

describe("R3 and R11", () => {
  const claim = (claim_epoch: number, expires: number) => acked("run_claim", { lease_seconds: 1 },
    { run_id: "r", claim_epoch, claim_lease_expires_at_ms: expires });
  const on = (method: string, claim_epoch: number, result: object) =>
    acked(method, { target_run_id: "r", claim_epoch }, result);
  const leasesOf = (...lines: object[]) => {
    const leases: Leases = new Map();
    const impossible = lines.flatMap((line) => takeLease(leases, line) ?? []);
    return { leases, impossible };
  };

  test("finds two live leases, and an epoch given twice", () => {
    expect(findOverlaps(leasesOf(claim(1, 5000), claim(2, 5999)).leases)).toHaveLength(1);
    expect(findOverlaps(leasesOf(claim(1, 5000), claim(2, 6000)).leases)).toEqual([]);
    const renewed = on("run_renew_claim", 1, { claim_lease_expires_at_ms: 5500 });
    expect(findOverlaps(leasesOf(claim(1, 5000), renewed, claim(2, 6100)).leases)).toHaveLength(1);
    expect(findOverlaps(leasesOf(claim(1, 5000), on("run_release_claim", 1, {}), claim(2, 5100)).leases)).toEqual([]);
    expect(leasesOf(claim(1, 5000), claim(1, 6000)).impossible).toHaveLength(1);
  });

  test("finds a healthy lease that was swept, one that was never freed, and how late the others were", () => {
    const { leases } = leasesOf(claim(1, 5000));
    const freed = (at: number[], until_ms = 9000, ended = new Set<string>()) =>
      judgeFreed({ leases, freed: new Map([["r", at]]), ended, until_ms });
    expect(freed([4999]).early).toHaveLength(1);
    expect(freed([4000, 5300])).toMatchObject({ early: [], latest_ms: 300, abandoned: 1, never: [] });
    expect(freed([]).never).toHaveLength(1);
    expect(freed([], 6000).never).toEqual([]);
    expect(freed([], 9000, new Set(["r"])).never).toEqual([]);
  });

  test("a renewal that may have been done says nothing of how late, until it is answered", () => {
    const sent = { method: "run_renew_claim", params: { target_run_id: "r", claim_epoch: 1 } };
    const judge = (...lines: object[]) => judgeFreed({
      leases: leasesOf(claim(1, 5000), ...lines).leases, freed: new Map([["r", [8000]]]),
      ended: new Set(), until_ms: 9000,
    });
    expect(judge().latest_ms).toBe(3000);
    expect(judge(sent)).toMatchObject({ latest_ms: 0, never: [], abandoned: 1, unsure: 1 });
    expect(judge(sent, on("run_renew_claim", 1, { claim_lease_expires_at_ms: 7900 })).latest_ms).toBe(100);
    expect(judge(sent, { ...sent, error: { code: "LEASE_LOST" } }).latest_ms).toBe(3000);
  });
});

describe("R5, R6 and R9 measure", () => {
  test("the time until calls are as many as before", () => {
    const every = (ms: number, from: number, until: number) =>
      Array.from({ length: (until - from) / ms }, (_, place) => from + place * ms);
    const facts = { struck_at: 0, rate: 100, share: 0.9, until: 5000 };
    expect(timeToRecover({ ...facts, answered: every(10, 0, 5000) })).toBe(1000);
    expect(timeToRecover({ ...facts, answered: every(10, 2000, 5000) })).toBe(2900);
    expect(timeToRecover({ ...facts, answered: every(20, 0, 5000) })).toBe(Infinity);
  });

  test("who took over, when, and too soon", () => {
    const lease_ends = new Map([["r", 5000]]);
    expect(judgeTakeover({ lease_ends, taken: new Map([["r", 5200]]) })).toEqual({ breaches: [], latest_ms: 200 });
    expect(judgeTakeover({ lease_ends, taken: new Map([["r", 4999]]) }).breaches).toHaveLength(1);
    expect(judgeTakeover({ lease_ends, taken: new Map() }).breaches).toHaveLength(1);
    expect(worst([{ name: "a", value: 1, limit: 5 }, { name: "a", value: 4, limit: 5 }]))
      .toEqual([{ name: "a", value: 4, limit: 5 }]);
  });

  test("the hundredth of all calls against that of others", () => {
    const to = (slowest: number) => [...Array(150).fill(5), slowest, slowest];
    expect(compareHundredths(to(10), to(11))).toBe(10);
    expect(compareHundredths([10], [9])).toBe(-10);
  });
});

describe("R7", () => {
  const line = acked("run_append_result", { sequence: 1, data: {} }, { id: 7, run_id: "r", sequence: 1 });
  const answer = { result: { ...line, ...(line as any).result, idempotent: true } };

  test("finds a repeat that is new, other or refused", () => {
    expect(judgeRepeat(line as never, answer)).toBeNull();
    expect(judgeRepeat(line as never, { result: { ...answer.result, id: 8 } })).toMatch("another id");
    expect(judgeRepeat(line as never, { result: { ...answer.result, idempotent: undefined } })).toMatch("not known");
    expect(judgeRepeat(line as never, { error: { data: { code: "CONFLICT" } } })).toMatch("refused");
    expect(judgeRepeat(line as never, null)).toMatch("refused");
  });

  test("finds a change that was taken, and rows that came of it", () => {
    expect(judgeChange(line as never, { error: { data: { code: "CONFLICT" } } })).toBeNull();
    expect(judgeChange(line as never, { result: {} })).toMatch("changed run_append_result");
    expect(judgeChange(line as never, { error: { data: { code: "LEASE_LOST" } } })).toMatch("LEASE_LOST");
    expect(findGrowth({ a: 1, b: 2 }, { a: 1, b: 3 })).toEqual(["b had 2 rows and has 3"]);
  });

  test.each(["run_create", "run_finalize", "run_append_result", "run_emit_result", "event_publish"])(
    "changes what %s says", (method) => {
      const params = { text: "t", status: "failed", data: { tool_name: "n" }, type: "tool.call.started" };
      expect(changeContent(method, params)).not.toEqual(params);
    });
});

test.each([
  [[1, 2, 3], true, null],
  [[1, 3], true, "3 where 2"],
  [[1, 2, 2], true, "2 where 3"],
  [[1, 2], true, "2 of 3"],
  [[1, 2, 3], false, "not told of the end"],
])("R8 judges %j", (sequences, ended, wrong) => {
  const found = judgeReading({ reader: "one", sequences, last: 3, ended });
  if (wrong === null) expect(found).toBeNull();
  else expect(found).toMatch(wrong);
});

describe("R10", () => {
  const cancel = acked("run_cancel", { target_run_id: "r" }, {});
  const later = (method: string, result: object, sent_at_ms = 1010) =>
    ({ ...acked(method, { target_run_id: "r" }, result), sent_at_ms });
  const judged = (line: object | null, status = "cancelled") =>
    judgeCancels(line ? [line, cancel] : [cancel], new Map([["r", status]])).breaches;

  test("finds a renewal that did not tell, another end, and a run that goes on", () => {
    expect(judged(later("run_renew_claim", { cancel_requested_at: null }))).toHaveLength(1);
    expect(judged(later("run_finalize", { status: "completed" }))).toHaveLength(1);
    expect(judged(later("run_claim", {}))).toHaveLength(1);
    expect(judged(null, "completed")).toHaveLength(1);
    expect(judgeCancels([cancel], new Map()).breaches).toHaveLength(1);
  });

  test("is silent about what is right", () => {
    expect(judged(null)).toEqual([]);
    expect(judged(later("run_renew_claim", { cancel_requested_at: 1 }))).toEqual([]);
    expect(judged(later("run_renew_claim", { cancel_requested_at: null }, 1009))).toEqual([]);
  });
});

test("R12 leaves to the program what only a program can repeat", () => {
  expect(judgeErrors({ "run_claim CONNECTION_LOST": 2, "run_claim NO_RUN_AVAILABLE": 9 }))
    .toEqual({ errors: [], repeated: 2 });
  expect(judgeErrors({ "run_create TIMEOUT": 1 }).errors).toEqual(["run_create TIMEOUT: 1"]);
});

describe("the words of the command", () => {
  const read = (...argv: string[]) => readOptions(argv, {}, ["R1", "R11"]);

  test("a seed draws the same numbers again, and each figure its own", () => {
    const draw = (seed: number, name: string) => createChance(seed, name).shuffle([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(draw(3, "R1")).toEqual(draw(3, "R1"));
    expect(draw(3, "R1")).not.toEqual(draw(4, "R1"));
    expect(draw(3, "R1")).not.toEqual(draw(3, "R2"));
    expect([...draw(3, "R1")].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("are read, and refused by name", () => {
    expect(read("--quick", "--only", "r1,R11", "--seed", "5")).toMatchObject({ size: "quick", only: ["R1", "R11"], seed: 5 });
    expect(read()).toMatchObject({ size: "full", only: null, keep: false });
    expect(() => read("--only", "R99")).toThrow("--only: R99 is no figure");
    expect(() => read("--seed", "0")).toThrow("--seed");
    expect(() => read("--fast")).toThrow("--fast");
  });
});
