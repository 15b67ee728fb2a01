// The list form over small actions: what refuses a list as a whole, what stands in the place of an
// item, and in which order items start.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { write } from "../../src/contract/access.js";
import { Refusal } from "../../src/contract/errors.js";
import { id, optional } from "../../src/contract/scalars.js";
import { anything, createWorld, handAction, refusedWith } from "./hand_actions.js";

const params = z.strictObject({
  run_id: optional(id), target_run_id: optional(id), force: optional(z.boolean()), type: z.string(),
});
const gates = new Map<string, () => void>();
const started: string[] = [];

/** Waits for its gate where the type names one. */
async function work(type: string): Promise<void> {
  started.push(type);
  if (type === "undeclared") throw new Refusal("NO_RUN_AVAILABLE");
  if (type === "broken") throw new Error("a secret cause");
  if (type === "taken") throw new Refusal("CONFLICT", { reason: "sequence_reused" });
  if (type.startsWith("gate")) await new Promise<void>((open) => gates.set(type, open));
}

const plain = {
  params, result: anything, errors: ["CONFLICT"],
  access: write({ capability: "run_append_result", admin: "agent_run:admin" }),
} as const;
const append = handAction({
  ...plain, errors: ["CONFLICT"], name: "run_append_result", list: "results", ordered: true,
  handle: async ({ params: { type }, grant }) => {
    await work(type);
    return { type, target: grant.target_run_id, force: grant.force };
  },
});
const finalize = handAction({
  ...plain, errors: ["CONFLICT"], name: "run_finalize", list: "runs",
  handle: async ({ params: { type } }) => {
    await work(type);
    return { type };
  },
});

const world = createWorld([append, finalize], {
  "acme/bot": [], "acme/admin": ["agent_run:admin"], "acme/hub": ["plugin:delegate"],
});
const results = (...items: unknown[]) => ({ results: items });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a list is refused as a whole", () => {
  const item = { run_id: "r", type: "a" };
  const own = { caller_plugin_identity: "acme/other" };
  test.each<[string, Record<string, unknown>, string | null, object]>([
    ["of nobody", results(item), null, { code: "UNAUTHENTICATED" }],
    ["in another's name", { ...results(item), ...own }, "acme/bot",
      { code: "FORBIDDEN", reason: "identity_mismatch" }],
    ["when it is none", { results: {} }, "acme/bot",
      { issues: [{ path: "results", message: "must be a list of 1 to 100 items" }] }],
    ["when it is empty", results(), "acme/bot", { issues: [{ path: "results" }] }],
    ["when it is too long", results(...Array(101).fill(item)), "acme/bot",
      { issues: [{ path: "results" }] }],
    ["with the other form", { ...results(item), type: "a" }, "acme/bot",
      { issues: [{ path: "type", message: "must not stand beside results" }] }],
    ["with a wrong envelope", { ...results(item), _meta: 5 }, "acme/bot",
      { issues: [{ path: "_meta" }] }],
  ])("%s, and no item is looked at", async (_what, given, as, expected) => {
    started.length = 0;
    expect(await refusedWith(world.call("run_append_result", given, { as }).answer))
      .toMatchObject(expected);
    expect(started).toEqual([]);
  });

  test("with at most 20 issues", async () => {
    const beside = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`x${at}`, 1]));
    const refused = await refusedWith(
      world.call("run_append_result", { ...results(item), ...beside }).answer,
    );
    expect((refused as { issues: unknown[] }).issues).toHaveLength(20);
  });
});

describe("an item", () => {
  test("has its own grant, and its error in its place", async () => {
    world.told.incidents.length = 0;
    const { items } = await world.call("run_append_result", results(
      { run_id: "r", target_run_id: "t", type: "one" },
      { run_id: "r", type: "taken" },
      { type: "no target" },
      { run_id: "r", type: "x", force: true },
      { run_id: "r", type: 5, other: 1 },
      ["r"],
      { run_id: "r", type: "undeclared" },
      { run_id: "r", type: "broken" },
      { run_id: "s", type: "two" },
    )).answer as { items: any[] };
    expect(items.map(({ result, error }) => result?.type ?? error.data.code)).toEqual([
      "one", "CONFLICT", "INVALID_PARAMS", "FORBIDDEN", "INVALID_PARAMS", "INVALID_PARAMS",
      "INTERNAL", "INTERNAL", "two",
    ]);
    expect([items[0].result.target, items[8].result.target]).toEqual(["t", "s"]);
    expect(items[1].error).toMatchObject({
      code: -32004, data: { code: "CONFLICT", retryable: false, reason: "sequence_reused" },
    });
    expect(items[4].error.data.issues.map(({ path }: { path: string }) => path))
      .toEqual(["type", "other"]);
    expect(JSON.stringify(items)).not.toContain("secret");
    expect(world.told.incidents.map(({ method }) => method))
      .toEqual(["run_append_result", "run_append_result"]);
  });

  test("is forced only by whom the permission is", async () => {
    const item = { target_run_id: "r", type: "x", force: true };
    const { items } = await world.call("run_append_result", results(item, item), {
      as: "acme/admin",
    }).answer as { items: any[] };
    expect(items.map(({ result }) => result.force)).toEqual([true, true]);
  });

  test("is looked through alone: what one hides refuses no other", async () => {
    const inspect = (given: Record<string, unknown>) =>
      given["type"] === "bad" ? [{ path: "type", message: "must not hold NUL" }] : [];
    const { items } = await world.call("run_append_result",
      results({ run_id: "r", type: "bad" }, { run_id: "r", type: "good" }), { inspect },
    ).answer as { items: any[] };
    expect(items[0].error.data.issues).toEqual([{ path: "type", message: "must not hold NUL" }]);
    expect(items[1].result.type).toBe("good");
  });

  test("names nobody, and holds no list", async () => {
    const { items } = await world.call("run_append_result", results(
      { run_id: "r", type: "a", caller_plugin_identity: "acme/bot" },
      { run_id: "r", type: "a", results: null },
    )).answer as { items: any[] };
    expect(items.map(({ error }) => error.data.issues[0].path))
      .toEqual(["caller_plugin_identity", "results"]);
  });
});

describe("the order", () => {
  test("where the ledger keeps it: all start at once, then the next call may", async () => {
    started.length = 0;
    let handed: string[] = [];
    const call = world.call("run_append_result", results(
      { run_id: "r", type: "gate1" }, { run_id: "r", type: "b" }, { run_id: "s", type: "c" },
    ), { handOn: () => (handed = [...started]) });
    await turn();
    expect(handed).toEqual(["gate1", "b", "c"]);
    gates.get("gate1")!();
    await call.effect;
  });

  test("elsewhere an item waits for the one before it on its run, and for no other", async () => {
    started.length = 0;
    const call = world.call("run_finalize", { runs: [
      { run_id: "r", type: "gate2" }, { run_id: "x", target_run_id: "r", type: "b" },
      { run_id: "s", type: "c" },
    ] });
    await turn();
    expect(started).toEqual(["gate2", "c"]);
    gates.get("gate2")!();
    const { items } = await call.answer as { items: any[] };
    expect(items.map(({ result }) => result.type)).toEqual(["gate2", "b", "c"]);
    expect(started).toEqual(["gate2", "c", "b"]);
  });

  test.each<[unknown, string[], number | null]>([
    [[{ run_id: "a" }, { target_run_id: "b", run_id: "a" }, { run_id: "a" }], ["a", "b"], 3],
    [[5, null, [], { run_id: 7 }], [], 4],
    [[], [], 1],
    [Array(101).fill({ run_id: "a" }), [], 1],
    ["a", [], 1],
    [null, [], null],
  ])("the runs of %j", (list, runs, calls) => {
    const given = { results: list };
    expect(world.dispatcher.orderKeys("run_append_result", given)).toEqual(runs);
    expect(world.dispatcher.listed("run_append_result", given)).toBe(calls);
  });

  test("one log line for the whole list", async () => {
    world.told.debug.length = 0;
    await world.call("run_append_result", results({ run_id: "r", type: "a" }, 5)).answer;
    expect(world.told.debug.map(({ fields }) => fields["code"])).toEqual(["ok"]);
  });
});
