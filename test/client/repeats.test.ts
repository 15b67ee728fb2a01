// The table of calls that are sent again, and the typed methods, against the closed list of actions;
// and how long the client rests before it looks for a host.

import { describe, expect, expectTypeOf, test } from "vitest";
import type {
  Host, Run, RunCancelParams, RunDetail, WorkItem, WorkItems,
} from "../../src/client/client.js";
import { backOffMs } from "../../src/client/back_off.js";
import { planCall } from "../../src/client/repeats.js";
import { actionNames, type ActionName } from "../../src/contract/action_names.js";
import type { HostMethods } from "../../protocol/methods.js";
import { answer, dial, startPeer } from "./peer.js";

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type MethodName<Name extends string> = Name extends `rpc.${infer Rest}` ? Camel<Rest> : Camel<Name>;

describe("typed methods", () => {
  test("there is one for every action, and no other", () => {
    expectTypeOf<keyof HostMethods<unknown>>().toEqualTypeOf<MethodName<ActionName>>();
  });

  test("each calls its action by the wire name", async () => {
    const { url, methods } = await startPeer((socket, { id }) => answer(socket, id, null));
    const host = await dial(url);
    const own = Object.entries(host).filter(([, value]) => typeof value === "function");
    expect(own.map(([name]) => name)).toEqual(actionNames.map((name) =>
      name === "rpc.discover" ? "discover"
        : name.split("_").map((word, at) => at === 0 ? word : word[0]!.toUpperCase() + word.slice(1)).join("")));
    for (const [, method] of own) await method();
    expect(methods()).toEqual([...actionNames].filter((name) => name !== "plugin_connect"));
  });

  test("params and results are those of the action", () => {
    const host = {} as Host;
    expectTypeOf(host.runWait).returns.resolves.toEqualTypeOf<Run>();
    expectTypeOf<RunCancelParams>().toHaveProperty("status_reason");
    const claims = () => [
      host.runClaim({ runtime_id: "a" }), host.runClaim({ runtime_id: "a", max_runs: 3 }),
    ] as const;
    expectTypeOf(claims).returns.toEqualTypeOf<readonly [Promise<WorkItem>, Promise<WorkItems>]>();
    const gets = () => [
      host.runGet({ run_id: "r" }), host.runGet({ run_id: "r", include_input: true }),
    ] as const;
    expectTypeOf(gets).returns.toEqualTypeOf<readonly [Promise<Run>, Promise<RunDetail>]>();
    // @ts-expect-error a parameter that the action does not know
    void (() => host.runCreate({ runnerid: "plugin:a/b/c" }));
    // @ts-expect-error one that it requires
    void (() => host.runtimeHeartbeat({}));
  });
});

describe("calls that are sent again", () => {
  /** Section 1.8 of the contract and its methods: what a repeat changes, or does not tell again. */
  const once = [
    "plugin_register", "plugin_rotate_token", "run_claim", "run_release_claim", "runtime_reconcile",
    "steering_pull",
  ];

  test("are all but those that the protocol says are not the same when repeated", () => {
    const not = actionNames.filter((name) => !planCall(name, {}).repeatable);
    expect(not.sort()).toEqual(once);
  });

  test("under if_version a write is not", () => {
    for (const name of ["state_set", "state_delete"]) {
      expect([name, planCall(name, { if_version: 0 }).repeatable]).toEqual([name, false]);
      expect([name, planCall(name, { if_version: null }).repeatable]).toEqual([name, true]);
    }
  });

  test("an id that the caller gives stays; given params are not changed", () => {
    const given = Object.freeze({ run_id: "mine" });
    expect(planCall("run_create", given).params).toEqual({ run_id: "mine" });
    expect(Object.keys(planCall("run_get", Object.freeze({})).params)).toEqual([]);
    const ids = Array.from({ length: 1000 }, () => planCall("run_create", {}).params["run_id"]);
    expect(new Set(ids).size).toBe(1000);
  });
});

describe("back-off", () => {
  const least = () => 0;
  const most = () => 1 - Number.EPSILON;
  test.each([
    [0, 0, 100], [1, 100, 200], [2, 200, 400], [3, 400, 800], [4, 800, 1600], [5, 1600, 3200],
    [6, 2500, 5000], [7, 2500, 5000], [60, 2500, 5000], [5000, 2500, 5000],
  ])("attempt %i rests between %i and %i ms", (attempt, low, high) => {
    expect(backOffMs(attempt, least)).toBe(low);
    expect(backOffMs(attempt, most)).toBeLessThanOrEqual(high);
    expect(backOffMs(attempt, most)).toBeGreaterThan(high * 0.999);
    expect(backOffMs(attempt, () => 0.5)).toBeCloseTo((low + high) / 2, 6);
  });
});
