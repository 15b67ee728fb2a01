// The ladder over small actions: the order of its checks, what reaches a handler, which refusals an
// action may give, and when a write counts as done.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Grant } from "../../src/contract/grants.js";
import { cancel, claim, open, own, permission, read, write } from "../../src/contract/access.js";
import { Refusal } from "../../src/contract/errors.js";
import { id, optional, withDefault } from "../../src/contract/scalars.js";
import { anything, createWorld, handAction, refusedWith } from "./hand_actions.js";

const echo = handAction({
  name: "runner_register",
  params: z.strictObject({
    text: z.string(), note: optional(id), size: withDefault(z.number(), 4),
  }),
  result: z.object({ seen: z.unknown() }),
  access: own(),
  handle: async ({ params, sent }) => ({ seen: { params, sent } }),
});

const adminOnly = handAction({
  name: "plugin_list",
  params: z.strictObject({ limit: z.number() }),
  result: anything,
  access: permission("plugin:admin"),
  handle: async () => ({ ok: true }),
});

const ping = handAction({
  name: "ping",
  params: z.strictObject({}),
  result: z.object({ ok: z.literal(true) }),
  access: open({ before_login: true }),
  handle: async () => ({ ok: true as const }),
});

const append = handAction({
  name: "run_append_result",
  params: z.strictObject({
    run_id: optional(id), target_run_id: optional(id), force: optional(z.boolean()),
    type: z.string().transform((type) => {
      if (type !== "unknown") return type;
      throw new Refusal("RESULT_REJECTED", { reason: "unknown_type", type });
    }),
  }),
  result: anything,
  access: write({ capability: "run_append_result", admin: "agent_run:admin" }),
  errors: ["RESULT_REJECTED"],
  handle: async ({ grant }) => ({ ...grant }),
});

const paths = (refused: unknown): string[] =>
  (refused as { issues: { path: string }[] }).issues.map((issue) => issue.path);

describe("the order of checks", () => {
  const world = createWorld([echo, adminOnly, ping, append], {
    "acme/bot": [], "acme/hub": ["plugin:delegate"], "acme/admin": ["plugin:admin"],
    "acme/lost": ["unreachable"],
  });
  const foreign = { caller_plugin_identity: "acme/other" };

  test.each([
    ["login before the method exists", "nothing", {}, null, { code: "UNAUTHENTICATED" }],
    ["login before anything else", "plugin_list", { bad: 1 }, null, { code: "UNAUTHENTICATED" }],
    ["facts before the method exists", "nothing", {}, "acme/lost", { code: "UNAVAILABLE" }],
    [
      "identity before the method exists", "nothing", foreign, "acme/bot",
      { code: "FORBIDDEN", reason: "identity_mismatch" },
    ],
    ["the method after the identity", "nothing", {}, "acme/bot", { code: "METHOD_NOT_FOUND" }],
    [
      "permission before params", "plugin_list", { bad: 1 }, "acme/bot",
      { code: "FORBIDDEN", reason: "permission_missing", permission: "plugin:admin" },
    ],
    [
      "params after permission", "plugin_list", { bad: 1 }, "acme/admin",
      { code: "INVALID_PARAMS" },
    ],
    [
      "the whole schema before a permission that one param needs", "run_append_result",
      { run_id: "r", force: true, type: "unknown" }, "acme/bot",
      { code: "RESULT_REJECTED", reason: "unknown_type" },
    ],
    [
      "then that permission", "run_append_result", { run_id: "r", force: true, type: "a" },
      "acme/bot",
      { code: "FORBIDDEN", reason: "permission_missing", permission: "agent_run:admin" },
    ],
  ])("%s", async (_, method, params, as, expected) => {
    expect(await refusedWith(world.call(method, params, { as }).answer)).toMatchObject(expected);
  });

  test("findings of the frame gate wait for step 4 and then stand alone", async () => {
    const issues = [{ path: "text", message: "must not hold NUL" }];
    const missing = await refusedWith(world.call("nothing", {}, { inspect: () => issues }).answer);
    expect(missing).toMatchObject({ code: "METHOD_NOT_FOUND" });
    const denied = await refusedWith(world.call("plugin_list", {}, { inspect: () => issues }).answer);
    expect(denied).toMatchObject({ code: "FORBIDDEN" });
    const refused = await refusedWith(world.call("runner_register", { x: 1 }, { inspect: () => issues }).answer);
    expect(refused).toEqual({ code: "INVALID_PARAMS", issues });
  });

  test("an open method is served before login", async () => {
    expect(await world.call("ping", {}, { as: null }).answer).toEqual({ ok: true });
    const refused = await refusedWith(world.call("ping", { x: 1 }, { as: null }).answer);
    expect(paths(refused)).toEqual(["x"]);
  });

  test("an open method is served while the database is away", async () => {
    expect(await world.call("ping", {}, { as: "acme/lost" }).answer).toEqual({ ok: true });
  });

  test.each(["toString", "__proto__", "constructor", ""])("%j is no method", async (method) => {
    const refused = await refusedWith(world.call(method).answer);
    expect(refused).toMatchObject({ code: "METHOD_NOT_FOUND", method });
  });
});

describe("params", () => {
  const world = createWorld([echo]);
  const call = (params: Record<string, unknown>) => world.call("runner_register", params).answer;

  test("a handler sees defaults filled in, null as absent, and what was sent", async () => {
    expect(await call({ text: "a", note: null, _meta: {}, caller_plugin_identity: null })).toEqual({
      seen: {
        params: { text: "a", note: undefined, size: 4 },
        sent: { text: "a", note: null },
      },
    });
  });

  test.each([
    [{ text: "a", _meta: 5 }, ["_meta"]],
    [{ text: "a", _meta: [] }, ["_meta"]],
    [{ text: "a", caller_plugin_identity: 5 }, ["caller_plugin_identity"]],
    [{ text: 5, _meta: "x" }, ["_meta"]],
    [{ text: "a", x: null, y: 1 }, ["x", "y"]],
    [{ x: 1 }, ["text", "x"]],
    [{ text: "a", size: "5" }, ["size"]],
  ])("%j is INVALID_PARAMS at %j", async (params, expected) => {
    expect(paths(await refusedWith(call(params))).sort()).toEqual(expected);
  });

  test("at most 20 issues, of bounded length, that do not repeat values", async () => {
    const long = "s".repeat(5000);
    const names = Array.from({ length: 50 }, (_, index) => [`x${index}`, 1]);
    const many = await refusedWith(call({ text: "a", ...Object.fromEntries(names) }));
    expect(paths(many).length).toBe(20);
    const refused = await refusedWith(call({ text: "a", size: long, [long]: 1 }));
    const { issues } = refused as { issues: { path: string; message: string }[] };
    expect(issues.map((issue) => issue.message).join(" ")).not.toContain("s".repeat(100));
    expect(Math.max(...issues.map((issue) => issue.path.length))).toBe(300);
  });
});

describe("the grant", () => {
  test("comes from the access of the action, the caller and the clock", async () => {
    const world = createWorld([append], { "acme/hub": ["plugin:delegate"], "acme/bot": [] });
    const params = { run_id: "r", type: "a", caller_plugin_identity: "acme/bot" };
    const grant = await world.call("run_append_result", params, { as: "acme/hub" }).answer;
    expect(grant).toMatchObject({
      tenant_id: "t1", caller: "acme/bot", via: "acme/hub", action: "run_append_result",
      now: "2026-01-01T00:00:00.000Z", run_id: "r", target_run_id: "r", read_days: 7,
    } satisfies Partial<Grant<"write">>);
    expect(world.told.calledAs).toEqual([{ tenant_id: "t1", plugin_identity: "acme/bot" }]);
  });

  test("the connection counts as the other identity only when the call was admitted", async () => {
    const world = createWorld([append], { "acme/hub": ["plugin:delegate"], "acme/bot": [] });
    for (const params of [
      { run_id: "r", type: "a", caller_plugin_identity: "acme/none" },
      { type: "a", caller_plugin_identity: "acme/bot" },
      { run_id: "r", type: "a" },
    ]) {
      await world.call("run_append_result", params, { as: "acme/hub" }).answer.catch(() => null);
    }
    expect(world.told.calledAs).toEqual([]);
  });
});

describe("answers", () => {
  const failing = (access: Parameters<typeof handAction>[0]["access"], thrown: unknown) =>
    createWorld(
      [
        handAction({
          name: "run_get",
          params: z.strictObject({ run_id: optional(id) }),
          result: anything,
          access,
          errors: ["CONFLICT"],
          handle: async () => Promise.reject(thrown),
        }),
      ],
      { "acme/bot": ["*"] },
    ).call("run_get", { run_id: "r" }).answer;

  const reading = read({ run: { capability: "run_get", mode: "live" }, target: "required" });
  const writing = write({ capability: "run_emit_result" });

  test.each([
    ["CONFLICT", own()], ["FORBIDDEN", own()], ["UNAVAILABLE", open({ before_login: true })],
    ["UNAUTHENTICATED", open({ before_login: true })], ["INVALID_PARAMS", own()],
    ["NOT_FOUND", reading], ["SESSION_EXPIRED", reading], ["LEASE_LOST", writing],
    ["OVERLOADED", own()], ["RATE_LIMITED", own()],
  ] as const)("%s is declared or belongs to the ladder", async (code, access) => {
    const thrown = new Refusal(code, { run_id: "r" });
    expect(await refusedWith(failing(access, thrown))).toEqual({ code, run_id: "r" });
  });

  test.each([
    ["RUN_TERMINAL", own()], ["NOT_FOUND", own()], ["LEASE_LOST", reading],
    ["NOT_FOUND", read({ ...reading, target: "none" })],
    ["SESSION_EXPIRED", permission("plugin:admin")], ["NO_RUN_AVAILABLE", writing],
  ] as const)("%s that is neither is a defect", async (code, access) => {
    const thrown = new Refusal(code);
    const refused = await refusedWith(failing(access, thrown));
    expect(refused).toBeInstanceOf(Error);
    expect(refused).toMatchObject({
      message: `run_get does not declare the refusal ${code}`, cause: thrown,
    });
  });

  test("anything else that a handler throws goes through as it is", async () => {
    const thrown = new TypeError("ours");
    expect(await refusedWith(failing(own(), thrown))).toBe(thrown);
  });

  test("a result outside its schema is a defect that names the place, not the value", async () => {
    const action = handAction({
      name: "run_get",
      params: z.strictObject({}),
      result: z.object({ run: z.object({ status: z.literal("queued") }) }),
      access: own(),
      handle: async () => ({ run: { status: "secret value" as "queued" } }),
    });
    const refused = await refusedWith(createWorld([action]).call("run_get").answer);
    expect(String(refused)).toContain("run_get answers outside its result schema: run.status:");
    expect(String(refused)).not.toContain("secret value");
  });

  test("members that the result schema does not list are not sent", async () => {
    const action = handAction({
      name: "run_get", params: z.strictObject({}), result: z.object({ a: z.number() }),
      access: own(), handle: async () => ({ a: 1, claim_token: "never" }),
    });
    expect(await createWorld([action]).call("run_get").answer).toEqual({ a: 1 });
  });
});

describe("effect and settle", () => {
  test("the effect is there while the wait goes on; what settles is the answer", async () => {
    let finish = (_: { step: string }): void => undefined;
    const action = handAction({
      name: "run_create", params: z.strictObject({}), result: z.object({ step: z.string() }),
      access: own(),
      handle: async () => ({ step: "stored" }),
      settle: (_, result) =>
        new Promise((resolve) => {
          finish = ({ step }) => resolve({ step: `${result.step} ${step}` });
        }),
    });
    const { effect, answer } = createWorld([action]).call("run_create");
    await effect;
    finish({ step: "ended" });
    expect(await answer).toEqual({ step: "stored ended" });
  });

  test("the effect settles after a refusal, before and inside the handler", async () => {
    const world = createWorld([echo, append]);
    for (const [method, params] of [["nothing", {}], ["runner_register", {}]] as const) {
      const { effect, answer } = world.call(method, params);
      const refused = refusedWith(answer);
      expect(await effect).toBeUndefined();
      expect(await refused).toMatchObject({ code: expect.any(String) });
    }
  });

  test("a refused settle is judged like a refused handler", async () => {
    const waiting = (code: "DEADLINE_EXCEEDED" | "NO_RUN_AVAILABLE") =>
      handAction({
        name: "run_create", params: z.strictObject({}), result: anything, access: own(),
        errors: ["DEADLINE_EXCEEDED"],
        handle: async () => ({}),
        settle: async () => Promise.reject(new Refusal(code)),
      });
    const late = createWorld([waiting("DEADLINE_EXCEEDED")]).call("run_create");
    expect(await refusedWith(late.answer)).toEqual({ code: "DEADLINE_EXCEEDED" });
    const undeclared = createWorld([waiting("NO_RUN_AVAILABLE")]).call("run_create");
    expect(await refusedWith(undeclared.answer)).toBeInstanceOf(Error);
  });
});

describe("orderKeys", () => {
  const params = z.strictObject({});
  const plain = { params, result: anything, handle: async () => ({}) };
  const run = { capability: "run_cancel", mode: "live" } as const;
  const world = createWorld([
    append,
    handAction({
      ...plain, name: "run_cancel",
      access: cancel({ run, admin: "agent_run:admin", creator: true }),
    }),
    handAction({ ...plain, name: "run_renew_claim", access: claim({ capability: "run_cancel" }) }),
    handAction({ ...plain, name: "run_get", access: read({ run, target: "required" }) }),
    handAction({
      ...plain, name: "run_create", access: permission("agent_run:admin"),
      writesTo: (given) => (typeof given["run_id"] === "string" ? given["run_id"] : null),
    }),
  ]);
  test.each<[string, Record<string, unknown>, string | null]>([
    ["run_append_result", { run_id: "a" }, "a"],
    ["run_append_result", { run_id: "a", target_run_id: "b" }, "b"],
    ["run_append_result", { run_id: 5 }, null],
    ["run_append_result", {}, null],
    ["run_cancel", { target_run_id: "b" }, "b"],
    ["run_renew_claim", { target_run_id: "b", run_id: "a" }, "b"],
    ["run_get", { run_id: "a" }, null],
    ["run_create", { run_id: "a" }, "a"],
    ["run_create", { run_id: {} }, null],
    ["nothing", { run_id: "a" }, null],
  ])("%s %j writes to %j", (method, given, expected) => {
    expect(world.dispatcher.orderKeys(method, given)).toEqual(expected === null ? [] : [expected]);
  });
});

test("one debug line per call, with how it ended and without params", async () => {
  const world = createWorld([echo], { "acme/hub": ["plugin:delegate"], "acme/bot": [] });
  const secret = "a value of the caller";
  const params = { text: secret, caller_plugin_identity: "acme/bot" };
  await world.call("runner_register", params, { as: "acme/hub" }).answer;
  await refusedWith(world.call(`${secret}`.repeat(20), {}, { as: "acme/hub" }).answer);
  await refusedWith(world.call("runner_register", {}, { as: null }).answer);
  const lines = world.told.debug.map(({ fields }) => fields);
  expect(lines).toMatchObject([
    { method: "runner_register", code: "ok", plugin_identity: "acme/bot", via: "acme/hub" },
    { code: "METHOD_NOT_FOUND", plugin_identity: "acme/hub", via: null, tenant_id: "t1" },
    { code: "UNAUTHENTICATED", plugin_identity: null, tenant_id: null },
  ]);
  expect(JSON.stringify(lines[0])).not.toContain(secret);
  expect(String(lines[1]?.["method"]).length).toBe(100);
  expect(lines.every((line) => Number(line["duration_ms"]) >= 0)).toBe(true);
});

describe("a grant that is asked for again", () => {
  const known: Record<string, string[]> = {};
  let call: { grant: Grant<"read">; again(): Promise<Grant<"read">> };
  const world = createWorld([handAction({
    name: "run_get",
    params: z.strictObject({ target_run_id: optional(id), caller_plugin_identity: optional(id) }),
    result: anything,
    access: read({
      run: { capability: "run_get", mode: "live" }, admin: "agent_run:admin", target: "required",
    }),
    handle: async (given) => {
      call = given as unknown as typeof call;
      return {};
    },
  })], known);
  const begin = async (permissions: Record<string, string[]>, as: string, params = {}) => {
    for (const name of Object.keys(known)) delete known[name];
    Object.assign(known, permissions);
    await world.call("run_get", { target_run_id: "r", ...params }, { as }).answer;
  };

  test("says the same while nothing has changed", async () => {
    await begin({ "acme/bot": ["agent_run:admin"] }, "acme/bot");
    expect(await call.again()).toEqual(call.grant);
    expect(call.grant).toMatchObject({ caller: "acme/bot", via: null, target_run_id: "r" });
  });

  test("is refused as the ladder would by now", async () => {
    await begin({ "acme/bot": ["agent_run:admin"] }, "acme/bot");
    known["acme/bot"] = [];
    expect(await refusedWith(call.again())).toMatchObject({ code: "INVALID_PARAMS" });
    known["acme/bot"] = ["unreachable"];
    expect(await refusedWith(call.again())).toMatchObject({ code: "UNAVAILABLE" });
    delete known["acme/bot"];
    expect(await refusedWith(call.again())).toMatchObject({ code: "UNAUTHENTICATED" });
  });

  test("asks for the delegation anew", async () => {
    const delegate = ["plugin:delegate", "agent_run:admin"];
    await begin({ "acme/hub": delegate, "acme/bot": ["agent_run:admin"] }, "acme/hub", {
      caller_plugin_identity: "acme/bot",
    });
    expect(await call.again()).toMatchObject({ caller: "acme/bot", via: "acme/hub" });
    known["acme/hub"] = ["agent_run:admin"];
    expect(await refusedWith(call.again())).toMatchObject({
      code: "FORBIDDEN", reason: "identity_mismatch",
    });
  });
});
