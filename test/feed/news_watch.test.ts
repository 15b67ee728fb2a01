// The watch on news and the signals it hears: each fact is told once, by whichever way it comes
// first; failures of a look cost nothing but time.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { watchNews, type NewsWatchParts } from "../../src/feed/news_watch.js";
import { createSignals, type CancelFact } from "../../src/feed/signals.js";

const useFakeTimers = () => void vi.useFakeTimers();
const useRealTimers = () => void vi.useRealTimers();
beforeEach(useFakeTimers);
afterEach(useRealTimers);

const fact = (run_id: string, tenant_id = "default"): CancelFact => ({
  tenant_id, run_id, status_reason: null, plugin_identity: "acme/one",
  claim_epoch: 1, claimed: true,
});

function watch(parts: Partial<NewsWatchParts<CancelFact>> = {}) {
  const delivered: string[] = [];
  const asked: number[] = [];
  const failures: unknown[] = [];
  const stored: CancelFact[] = [];
  const made = watchNews<CancelFact>({
    read: async (seconds) => {
      asked.push(seconds);
      return [...stored];
    },
    deliver: ({ tenant_id, run_id }) => void delivered.push(`${tenant_id} ${run_id}`),
    keysOf: ({ tenant_id, run_id }) => [`${tenant_id} ${run_id}`],
    interval_ms: 1000,
    isNeeded: () => true,
    onReadFailure: (cause) => void failures.push(cause),
    now_ms: () => Date.now(),
    ...parts,
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { ...made, delivered, asked, failures, stored, pass };
}

describe("watchNews", () => {
  test("what this host committed is told at once, and not again by the look", async () => {
    const { note, delivered, stored, pass } = watch();
    note(fact("r1"));
    expect(delivered).toEqual(["default r1"]);
    stored.push(fact("r1"), fact("r2"));
    await pass(3000);
    expect(delivered).toEqual(["default r1", "default r2"]);
  });

  test("one run id in two tenants is two runs", async () => {
    const { delivered, stored, pass } = watch();
    stored.push(fact("r1"), fact("r1", "t2"));
    await pass(2000);
    expect(delivered).toEqual(["default r1", "t2 r1"]);
  });

  test("looks back to the last look that succeeded, at most a minute", async () => {
    let broken = false;
    const asked: number[] = [];
    const { failures, pass } = watch({
      read: async (seconds) => {
        asked.push(seconds);
        if (broken) throw new Error("down");
        return [];
      },
    });
    await pass(1000);
    broken = true;
    await pass(10_000);
    broken = false;
    await pass(2000);
    expect([asked[0], asked[11], asked[12]]).toEqual([4, 14, 4]);
    expect(failures).toHaveLength(10);
    broken = true;
    await pass(120_000);
    expect(asked.at(-1)).toBe(60);
  });

  test("does not look while there is nobody to tell", async () => {
    let needed = false;
    const { asked, pass } = watch({ isNeeded: () => needed });
    await pass(10_000);
    expect(asked).toEqual([]);
    needed = true;
    await pass(1000);
    expect(asked).toEqual([4]);
  });

  test("memory is bounded: the oldest run may be told again", async () => {
    const { note, delivered } = watch({ remembered_max: 2 });
    for (const run_id of ["r1", "r2", "r3", "r2", "r1"]) note(fact(run_id));
    expect(delivered).toEqual(["default r1", "default r2", "default r3", "default r1"]);
  });

  test("of several keys one that is new is enough, and a fact without a key is always told", () => {
    const keys = [["a"], ["a", "b"], ["b", "a"], [], []];
    const { note, delivered } = watch({ keysOf: () => keys.shift()! });
    for (const run_id of ["r1", "r2", "r3", "r4", "r5"]) note(fact(run_id));
    expect(delivered).toEqual(["default r1", "default r2", "default r4", "default r5"]);
  });

  test("a hint brings the look forward; many hints share one, and one in the midst is kept", async () => {
    let answer = (): void => undefined;
    let looks = 0;
    const { look, pass } = watch({
      read: () => {
        looks += 1;
        return new Promise((resolve) => {
          answer = () => resolve([]);
        });
      },
    });
    for (let hint = 0; hint < 5; hint += 1) look();
    await pass(20);
    expect(looks).toBe(1);
    look();
    await pass(500);
    expect(looks).toBe(1);
    answer();
    await pass(20);
    expect(looks).toBe(2);
    answer();
    await pass(900);
    expect(looks).toBe(2);
    await pass(100);
    expect(looks).toBe(3);
  });

  test("a slow look is not overtaken by another, and tells nothing after the stop", async () => {
    let looks = 0;
    const { delivered, stop, pass } = watch({
      read: () => {
        looks += 1;
        return new Promise((resolve) => setTimeout(() => resolve([fact("r1")]), 5000));
      },
    });
    await pass(4000);
    expect(looks).toBe(1);
    stop();
    await pass(60_000);
    expect([looks, delivered]).toEqual([1, []]);
  });
});

describe("signals", () => {
  test("everybody who listens is told, in order, until they stop", () => {
    const signals = createSignals(() => undefined);
    const heard: string[] = [];
    const stop = signals.onRunClaimable((tenant_id) => heard.push(`a ${tenant_id}`));
    signals.onRunClaimable((tenant_id) => heard.push(`b ${tenant_id}`));
    signals.runClaimable("t1");
    stop();
    stop();
    signals.runClaimable("t2");
    expect(heard).toEqual(["a t1", "b t1", "b t2"]);
  });

  test("one that throws is reported and disturbs nobody", () => {
    const reported: unknown[] = [];
    const signals = createSignals((cause) => void reported.push(cause));
    const heard: string[] = [];
    const broken = new Error("broken");
    signals.onRunEnded(() => {
      throw broken;
    });
    signals.onRunEnded(({ run_id }) => heard.push(run_id));
    signals.runEnded({ tenant_id: "t", run_id: "r" });
    expect([heard, reported]).toEqual([["r"], [broken]]);
  });

  test("one that stops another in the midst of it is obeyed", () => {
    const signals = createSignals(() => undefined);
    const heard: string[] = [];
    let stopSecond = () => undefined as void;
    signals.onPluginChanged(() => stopSecond());
    stopSecond = signals.onPluginChanged(({ plugin_identity }) => heard.push(plugin_identity));
    signals.pluginChanged({ tenant_id: "t", plugin_identity: "a/b" });
    expect(heard).toEqual([]);
  });

  test("kinds do not mix", () => {
    const signals = createSignals(() => undefined);
    const heard: string[] = [];
    signals.onCancelRequested(({ run_id }) => heard.push(run_id));
    signals.runClaimable("t");
    signals.runEnded({ tenant_id: "t", run_id: "r0" });
    signals.cancelRequested(fact("r1"));
    expect(heard).toEqual(["r1"]);
  });
});
