// What the host publishes, judged by a JSON Schema validator and by literal excerpts.

import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { registerAll } from "../../src/actions/index.js";
import { claim, fleet, open, own, permission, read, write } from "../../src/contract/access.js";
import { run, runPage } from "../../src/contract/records.js";
import {
  clamped, filterList, id, json, openObject, optional, pageLimit, runnerId, text, withDefault,
} from "../../src/contract/scalars.js";
import {
  describeAccess, describeErrors, describeOpenrpc, describeSchemas,
} from "../../src/dispatch/describe.js";
import { createHost } from "../../src/dispatch/host.js";
import { handAction, seal } from "./hand_actions.js";

const getAccess = read({
  run: { capability: "run_get", mode: "persisted" },
  admin: "agent_run:admin",
  creator: true,
  target: "required",
});

const actions = seal(
  handAction({
    name: "run_get",
    summary: "Read one run.",
    params: z
      .strictObject({
        run_id: optional(id),
        target_run_id: id,
        limit: pageLimit(50, 100),
        wait_seconds: optional(clamped(0, 60)),
        runner_ids: optional(filterList(runnerId)),
        data: withDefault(openObject, {}),
        value: json,
        nested: optional(z.strictObject({ a: text(3, 1), b: optional(z.boolean()) })),
      })
      .superRefine(() => undefined)
      .transform((params) => ({ wrapped: params })),
    result: run,
    access: getAccess,
    errors: ["CONFLICT", "NOT_FOUND"],
    handle: async () => Promise.reject(new Error("not called")),
  }),
  handAction({
    name: "run_list",
    params: z.strictObject({}),
    result: runPage,
    access: own(),
    handle: async () => Promise.reject(new Error("not called")),
  }),
);

const ajv = () => new Ajv({ strict: true, strictTypes: false, allErrors: true });

describe("describeSchemas", () => {
  const schemas = describeSchemas(actions);

  test("has params and result of each method and each named schema, once", () => {
    expect(Object.keys(schemas)).toEqual([
      "Cursor", "Id", "Identity", "Run", "RunPage", "RunStatus", "RunnerId", "run_get.params",
      "run_get.result", "run_list.params", "run_list.result",
    ]);
  });

  test("every schema stands alone and has no $id", () => {
    for (const schema of Object.values(schemas)) {
      expect(() => ajv().compile(schema)).not.toThrow();
      expect(JSON.stringify(schema)).not.toMatch(/"\$?id":"/);
      expect(JSON.stringify(schema)).not.toContain("9007199254740991");
    }
  });

  const good = { target_run_id: "t", value: null };
  test.each<[Record<string, unknown>, boolean]>([
    [good, true],
    [{ ...good, run_id: null, nested: null, data: null, limit: null, runner_ids: null }, true],
    [{ ...good, caller_plugin_identity: "a/b", _meta: { traceparent: "x" } }, true],
    [{ ...good, caller_plugin_identity: null, _meta: null }, true],
    [{ ...good, wait_seconds: 900, limit: 0 }, true],
    [{ ...good, value: [{ a: null }], nested: { a: "abc", b: null } }, true],
    [{ value: 1 }, false],
    [{ ...good, target_run_id: null }, false],
    [{ ...good, target_run_id: "" }, false],
    [{ ...good, target_run_id: "x".repeat(256) }, false],
    [{ ...good, limit: 1.5 }, false],
    [{ ...good, limit: "5" }, false],
    [{ ...good, unknown: null }, false],
    [{ ...good, nested: { a: "abcd" } }, false],
    [{ ...good, nested: { a: "a", c: 1 } }, false],
    [{ ...good, runner_ids: [] }, false],
    [{ ...good, runner_ids: ["acme/bot/x"] }, false],
    [{ ...good, data: [] }, false],
    [{ ...good, caller_plugin_identity: "nobody" }, false],
    [{ ...good, _meta: 5 }, false],
  ])("params %j: %j", (params, expected) => {
    expect(ajv().validate(schemas["run_get.params"]!, params)).toBe(expected);
  });

  test("results stay open to fields that a later host adds", () => {
    const page = {
      items: [], next_cursor: null, prev_cursor: null, has_more: false, total_count: null,
      total_is_capped: false,
    };
    const validate = ajv().compile(schemas["run_list.result"]!);
    expect(validate({ ...page, later: 1 })).toBe(true);
    expect(validate({ ...page, has_more: null })).toBe(false);
    expect(validate({ items: [] })).toBe(false);
  });

  test("the same actions give the same bytes", () => {
    expect(JSON.stringify(describeSchemas(actions))).toBe(JSON.stringify(schemas));
  });

  test("params that are not a closed object stop the description", () => {
    const loose = handAction({
      name: "run_get", params: z.object({}), result: run, access: own(),
      handle: async () => Promise.reject(new Error("not called")),
    });
    expect(() => describeSchemas(seal(loose))).toThrow(
      "the params of run_get are not a closed object",
    );
  });
});

describe("describeOpenrpc", () => {
  const document = describeOpenrpc(actions, "1.2.3");
  const method = document.methods[0]!;

  test("names itself and its methods", () => {
    expect(document.openrpc).toBe("1.3.2");
    expect(document.info).toMatchObject({ title: "runhost", version: "1.2.3" });
    expect(document.methods.map((one) => one.name)).toEqual(["run_get", "run_list"]);
    expect(method.summary).toBe("Read one run.");
    expect(method.paramStructure).toBe("by-name");
    expect(method["x-access"]).toContain("the permission agent_run:admin");
  });

  test("lists params, required ones first as OpenRPC asks, those of every method too", () => {
    expect(method.params.map(({ name, required }) => [name, required])).toEqual([
      ["target_run_id", true], ["value", true], ["run_id", false], ["limit", false],
      ["wait_seconds", false], ["runner_ids", false], ["data", false], ["nested", false],
      ["caller_plugin_identity", false], ["_meta", false],
    ]);
    const schemaOf = (name: string) => method.params.find((one) => one.name === name)?.schema;
    expect(schemaOf("run_id")).toEqual({
      anyOf: [{ $ref: "#/components/schemas/Id" }, { type: "null" }],
    });
    expect(schemaOf("limit")).toEqual({
      default: 50,
      anyOf: [
        { type: "integer", description: "moved to the nearest of 1 and 100" }, { type: "null" },
      ],
    });
  });

  test("every reference of the document leads somewhere in it", () => {
    const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? [];
    const targets = [...new Set(references.map((one) => one.slice(8, -1)))];
    expect(targets.length).toBeGreaterThan(10);
    for (const target of targets) {
      const steps = target.replace("#/", "").split("/");
      const found = steps.reduce<unknown>(
        (at, step) => (at as Record<string, unknown> | undefined)?.[step],
        document,
      );
      expect(found, target).toBeTypeOf("object");
    }
  });

  test("lists the refusals of the ladder and of the action, each once", () => {
    expect(method.errors.map(({ $ref }) => $ref.replace("#/components/errors/", ""))).toEqual([
      "INVALID_PARAMS", "INTERNAL", "UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "OVERLOADED",
      "UNAVAILABLE", "SESSION_EXPIRED", "NOT_FOUND", "CONFLICT",
    ]);
    expect(document.components.errors["LEASE_LOST"]).toEqual({
      code: -32005,
      message: "The write needs an active claim; none was shown, or the shown one is not active.",
      data: { code: "LEASE_LOST", retryable: false },
    });
  });
});

test("every action of the host can be described, and each schema compiles", () => {
  const host = createHost();
  registerAll(host);
  const sealed = host.seal();
  const schemas = describeSchemas(sealed);
  for (const { name } of sealed.all) {
    expect(() => ajv().compile(schemas[`${name}.params`]!), name).not.toThrow();
    expect(() => ajv().compile(schemas[`${name}.result`]!), name).not.toThrow();
  }
  expect(describeOpenrpc(sealed, "1.0.0").methods.length).toBe(50);
});

test("describeErrors is the table of the contract", () => {
  const described = describeErrors();
  expect(Object.entries(described).map(([name, row]) => [name, row.code, row.retryable])).toEqual([
    ["PARSE_ERROR", -32700, false], ["INVALID_REQUEST", -32600, false],
    ["METHOD_NOT_FOUND", -32601, false], ["INVALID_PARAMS", -32602, false],
    ["INTERNAL", -32603, false], ["UNAUTHENTICATED", -32001, false], ["FORBIDDEN", -32002, false],
    ["NOT_FOUND", -32003, false], ["CONFLICT", -32004, false], ["LEASE_LOST", -32005, false],
    ["RUN_TERMINAL", -32006, false], ["SESSION_EXPIRED", -32007, false],
    ["NO_RUN_AVAILABLE", -32008, true], ["PAYLOAD_TOO_LARGE", -32009, false],
    ["RATE_LIMITED", -32010, true], ["OVERLOADED", -32011, true], ["UNAVAILABLE", -32012, true],
    ["RESULT_REJECTED", -32013, false], ["DEADLINE_EXCEEDED", -32014, true],
  ]);
  expect(Object.values(described).every((row) => row.when.length > 20)).toBe(true);
});

test.each([
  [open({ before_login: true }), "every connection, also before login"],
  [permission("agent_run:admin", "agent_run:create"),
    "one of the permissions agent_run:admin, agent_run:create"],
  [getAccess,
    "a readable run of the caller's own that grants run_get, named by run_id; or the permission " +
      "agent_run:admin; or agent_run:create, for runs that the caller created"],
  [write({ capability: "run_emit_result" }), "the proof of an active claim; or the caller's own running run"],
  [write({ capability: "run_finalize", admin: "agent_run:admin" }),
    "the proof of an active claim; or the caller's own running run that grants run_finalize; or " +
      "the permission agent_run:admin"],
  [claim({ capability: "run_renew_claim" }),
    "the proof of an active claim; no permission replaces it"],
  [fleet({ run: { capability: "run_claim", mode: "live" }, admin: "runtime:admin" }),
    "a live run of the caller's own that grants run_claim, named by run_id; or the permission " +
      "runtime:admin; or what belongs to the caller's plugin"],
  [own(), "what belongs to the caller's plugin"],
] as const)("access in words: %j", (access, words) => {
  expect(describeAccess(access)).toBe(words);
});
