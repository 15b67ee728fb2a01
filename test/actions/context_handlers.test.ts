// What the handlers of context and subscriptions hand on: names mapped, absent made null, one item
// at a time, and nothing sent before the answer. The ledger of these calls throws what reached it.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ActionName } from "../../src/contract/action_names.js";
import { Refusal } from "../../src/contract/errors.js";
import { collectActions, judgeParams, refusalOf } from "./schemas.js";

const actions = collectActions();
const grant = { tenant_id: "default", caller: "acme/bot" };

class Reached extends Error {
  constructor(readonly operation: string, readonly request: unknown) {
    super(operation);
  }
}

/** Every operation throws what it was given, but those of `answers`. */
const ledgerOf = (answers: Record<string, unknown>): unknown =>
  new Proxy({}, {
    get: (_ledger, family) =>
      new Proxy({}, {
        get: (_family, name) => async (given: unknown, request: unknown) => {
          const operation = `${String(family)}.${String(name)}`;
          expect(given).toBe(grant);
          if (operation in answers) return answers[operation];
          throw new Reached(operation, request);
        },
      }),
  });

interface Around {
  answers?: Record<string, unknown>;
  connection?: Record<string, unknown>;
  again?: () => Promise<unknown>;
  afterAnswer?: (work: () => void) => void;
}

async function handle(
  name: ActionName,
  sent: Record<string, unknown>,
  around: Around = {},
): Promise<unknown> {
  const action = actions.get(name);
  if (action === undefined) throw new Error(`there is no ${name}`);
  const judged = judgeParams(action, sent);
  if (!("params" in judged)) throw new Error(`refused by its schema: ${JSON.stringify(judged)}`);
  return action.handle({
    ...around, params: judged.params, sent, grant, ledger: ledgerOf(around.answers ?? {}),
  } as unknown as Parameters<typeof action.handle>[0]);
}

async function reached(name: ActionName, sent: Record<string, unknown>): Promise<unknown[]> {
  try {
    await handle(name, sent);
  } catch (thrown) {
    if (thrown instanceof Reached) return [thrown.operation, thrown.request];
    throw thrown;
  }
  throw new Error(`${name} did not reach the ledger`);
}

const run_id = "r";
const key = { run_id, scope: "actor", key: "k" };
const named = { target_run_id: "t", interaction_id: "i" };
const nothing = { conversation_id: null, before_cursor: null };
const external = "external.conversation_id";

type Row = [name: ActionName, sent: Record<string, unknown>, operation: string, request: unknown];

const rows: Row[] = [
  ["history_page", { run_id }, "history.page",
    { ...nothing, after_cursor: null, direction: "backward", limit: 50,
      include_attachments: false }],
  ["history_page",
    { run_id, conversation_id: "c", before_cursor: "9", after_cursor: "1", direction: "forward",
      limit: 5, include_attachments: true },
    "history.page",
    { conversation_id: "c", before_cursor: "9", after_cursor: "1", direction: "forward", limit: 5,
      include_attachments: true }],
  ["history_search", { run_id, query: " x " }, "history.search",
    { query: "x", conversation_id: null, roles: null, item_types: null, top_k: 10 }],
  ["history_search",
    { run_id, query: "%", top_k: 3,
      filters: { conversation_id: "c", roles: ["user"], item_types: ["message"] } },
    "history.search",
    { query: "%", conversation_id: "c", roles: ["user"], item_types: ["message"], top_k: 3 }],
  ["event_get", { run_id, event_id: "e" }, "history.event", { event_id: "e" }],
  ["event_page", { run_id }, "history.events", { ...nothing, event_types: null, limit: 50 }],
  ["event_page", { run_id, conversation_id: "c", event_types: ["a"], before_cursor: "2" },
    "history.events",
    { conversation_id: "c", event_types: ["a"], before_cursor: "2", limit: 50 }],
  ["prompt_get", { run_id }, "history.prompt", undefined],
  ["steering_pull", { run_id }, "steering.pull", { limit: 100, lease_seconds: 60, ack: null }],
  ["steering_pull", { run_id, mode: "one", limit: 7 }, "steering.pull",
    { limit: 1, lease_seconds: 60, ack: null }],
  ["steering_pull", { run_id, mode: "ONE-at-a-time", ack: [] }, "steering.pull",
    { limit: 1, lease_seconds: 60, ack: [] }],
  ["steering_pull", { run_id, mode: "All", limit: 7, ack: ["a", "a"] }, "steering.pull",
    { limit: 7, lease_seconds: 60, ack: ["a"] }],
  ["steering_ack", { run_id, steering_ids: ["b", "a", "b"] }, "steering.acknowledge",
    { ids: ["b", "a"] }],
  ["state_get", key, "state.get", { scope: "actor", key: "k" }],
  ["state_get", { ...key, key: "conversation_id" }, "state.get", { scope: "actor", key: external }],
  ["state_set", key, "state.set",
    { scope: "actor", key: "k", value: null, bytes: 4, if_version: null }],
  ["state_set", { ...key, key: "conversation_id", value: { b: 1, a: "é" }, if_version: 0 },
    "state.set",
    { scope: "actor", key: external, value: { b: 1, a: "é" }, bytes: 16, if_version: 0 }],
  ["state_delete", { ...key, key: "conversation_id" }, "state.delete",
    { scope: "actor", key: external, if_version: null }],
  ["state_list", { run_id, scope: "actor" }, "state.list",
    { scope: "actor", prefix: null, after_key: null, limit: 100 }],
  ["state_list", { run_id, scope: "actor", prefix: "conversation_id", after_key: "a" },
    "state.list", { scope: "actor", prefix: external, after_key: "a", limit: 100 }],
  ["state_list", { run_id, scope: "actor", prefix: "conversation" }, "state.list",
    { scope: "actor", prefix: "conversation", after_key: null, limit: 100 }],
  ["interaction_list", {}, "interactions.list", { ...nothing, statuses: null, limit: 50 }],
  ["interaction_get", named, "interactions.get", { interaction_id: "i" }],
  ["interaction_cancel", { ...named, reason: "late" }, "interactions.cancel",
    { interaction_id: "i", status_reason: "late" }],
  ["interaction_cancel", named, "interactions.cancel",
    { interaction_id: "i", status_reason: null }],
];

it.each(rows)("%s %j reaches %s", async (name, sent, operation, request) => {
  expect(await reached(name, sent)).toEqual([operation, request]);
});

it("interaction_submit hands on the submission, whole, with its fingerprint", async () => {
  const written = '{"action_id":null,"actor_id":"u","values":{"f":null}}';
  const sent = { ...named, values: { f: null }, actor_id: "u" };
  expect(await reached("interaction_submit", sent)).toEqual(["interactions.submit", {
    interaction_id: "i",
    submission: { action_id: null, values: { f: null }, actor_id: "u" },
    fingerprint: createHash("sha256").update(written, "utf8").digest("hex"),
  }]);
});

it("event_publish hands on what was built", async () => {
  const action = actions.get("event_publish");
  const held = { permission: "agent_run:admin", workspaces: null };
  const publish = async (_grant: unknown, event: unknown) => ({ event });
  const answer = await action?.handle({
    params: { ...action.params.parse({}) as object }, sent: {},
    grant: { admin: held, creator: null, held: [held] }, ledger: { ingress: { publish } },
  } as unknown as Parameters<typeof action.handle>[0]);
  expect(answer).toMatchObject({ event: { absorb: true, run: null } });
});

describe("run_subscribe", () => {
  const target = { run_id: "t" };
  const again = async () => grant;
  const answers = { "runs.get": target };

  function connect(subscribed: unknown[], begin: () => void = () => {}) {
    return {
      subscribe(wanted: unknown) {
        subscribed.push(wanted);
        return { subscription_id: "sub_1", begin };
      },
    };
  }

  it.each([
    [undefined, 0], [null, 0], ["0", 0], ["17", 17],
    ["9007199254740991", 9_007_199_254_740_991], ["9007199254740992", 9_007_199_254_740_991],
    ["9223372036854775807", 9_007_199_254_740_991],
  ])("after_cursor %j is sequence %d", async (after_cursor, after_sequence) => {
    const subscribed: unknown[] = [];
    const answer = await handle("run_subscribe", { target_run_id: "t", after_cursor }, {
      answers, again, connection: connect(subscribed), afterAnswer: () => {},
    });
    expect(answer).toEqual({ subscription_id: "sub_1", run: target });
    expect(subscribed).toEqual([{ grant, again, after_sequence, run: target }]);
  });

  it("begins after the answer, not with it", async () => {
    const order: string[] = [];
    const later: (() => void)[] = [];
    await handle("run_subscribe", { target_run_id: "t" }, {
      answers, again, connection: connect([], () => order.push("begun")),
      afterAnswer: (work) => later.push(work),
    });
    order.push("answered");
    for (const work of later) work();
    expect(order).toEqual(["answered", "begun"]);
  });

  it("asks for nothing after the answer when there is no room", async () => {
    const later: unknown[] = [];
    const connection = {
      subscribe() {
        throw new Refusal("OVERLOADED");
      },
    };
    const attempt = () => handle("run_subscribe", { target_run_id: "t" }, {
      answers, again, connection, afterAnswer: (work) => later.push(work),
    });
    expect((await refusalOf(attempt)).code).toBe("OVERLOADED");
    expect(later).toEqual([]);
  });

  it("subscribes to nothing that may not be read", async () => {
    const subscribed: unknown[] = [];
    const attempt = handle("run_subscribe", { target_run_id: "t" }, {
      again, connection: connect(subscribed), afterAnswer: () => {},
    });
    await expect(attempt).rejects.toThrow("runs.get");
    expect(subscribed).toEqual([]);
  });
});

it.each([true, false])("run_unsubscribe says whether it removed one: %j", async (removed) => {
  const named: string[] = [];
  const connection = {
    unsubscribe(subscription_id: string) {
      named.push(subscription_id);
      return removed;
    },
  };
  const answer = await handle("run_unsubscribe", { subscription_id: "sub_1" }, { connection });
  expect([answer, named]).toEqual([{ removed }, ["sub_1"]]);
});

describe("declared access", () => {
  const session = (capability: string, fenced: boolean) =>
    ({ kind: "session", run: { capability, mode: "live" }, fenced });
  const readers = {
    kind: "read", run: { capability: "run_get", mode: "persisted" }, admin: "agent_run:admin",
    creator: true,
  };
  const writers = { kind: "outside", admin: "agent_run:admin", owner: false };
  const declared: [ActionName, unknown, string[]][] = [
    ["event_publish", { kind: "permission", any: ["agent_run:admin", "agent_run:create"] },
      ["CONFLICT", "NOT_FOUND", "PAYLOAD_TOO_LARGE"]],
    ["run_subscribe",
      { ...readers, run: { capability: "run_events_page", mode: "persisted" },
        target: "required" },
      ["OVERLOADED"]],
    ["run_unsubscribe", { kind: "connection" }, []],
    ["history_page", session("history_page", false), []],
    ["history_search", session("history_search", false), []],
    ["event_get", session("event_get", false), []],
    ["event_page", session("event_page", false), []],
    ["prompt_get", session("prompt_get", false), ["NOT_FOUND"]],
    ["steering_pull", session("steering_pull", true), ["LEASE_LOST"]],
    ["steering_ack", session("steering_pull", true), ["LEASE_LOST"]],
    ["state_get", session("state", false), []],
    ["state_set", session("state", true), ["PAYLOAD_TOO_LARGE", "CONFLICT"]],
    ["state_delete", session("state", true), ["CONFLICT"]],
    ["state_list", session("state", false), []],
    ["interaction_list", { ...readers, target: "optional" }, []],
    ["interaction_get", { ...readers, target: "required" }, ["NOT_FOUND"]],
    ["interaction_submit", writers, ["NOT_FOUND", "CONFLICT", "PAYLOAD_TOO_LARGE"]],
    ["interaction_cancel", writers, ["NOT_FOUND", "CONFLICT"]],
  ];
  it.each(declared)("%s", (name, access, errors) => {
    expect(actions.get(name)).toMatchObject({ access, errors });
    expect(actions.get(name)?.errors).toEqual(errors);
  });
});
