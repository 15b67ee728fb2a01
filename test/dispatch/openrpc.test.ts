// The published document, judged by the validator of the OpenRPC project, by the rules of the OpenRPC
// specification that its meta-schema cannot say, and by ajv in the dialect that the document declares.

import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { beforeAll, describe, expect, test } from "vitest";
import { registerAll } from "../../src/actions/index.js";
import { describeOpenrpc } from "../../src/dispatch/describe.js";
import { createHost } from "../../src/dispatch/host.js";
import { fieldWords } from "../../src/dispatch/wording/fields.js";
import { paramWords } from "../../src/dispatch/wording/params.js";
import { useHost } from "../support/host.js";
import { judgeCalls, openrpcJudge } from "../support/openrpc_judge.js";

type Json = any;

const world = useHost();
const { parseOpenRPCDocument, validateOpenRPCDocument } = openrpcJudge();
let document: Json;

beforeAll(async () => {
  document = await world().admin.call("rpc.discover");
});

/** The document with one thing changed, as a copy. */
function changed(change: (copy: Json) => void): Json {
  const copy = structuredClone(document);
  change(copy);
  return copy;
}

test("the validator of the OpenRPC project takes what rpc.discover answers", () => {
  expect(validateOpenRPCDocument(document)).toBe(true);
});

test("the same over HTTP, and as it is committed", async () => {
  const url = new URL("/openrpc.json", world().test.host.url.replace("ws:", "http:"));
  expect(await (await fetch(url)).json()).toEqual(document);
  const file = new URL("../../protocol/openrpc.json", import.meta.url);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(document);
});

test.each<[string, (copy: Json) => void]>([
  ["a method without params", (copy) => delete copy.methods[0].params],
  ["a parameter without schema", (copy) => delete copy.methods[0].params[0].schema],
  ["an unknown version", (copy) => (copy.openrpc = "9.9.9")],
  ["an error without number", (copy) => delete copy.components.errors.CONFLICT.code],
  ["a member that OpenRPC does not have", (copy) => (copy.methods[0].access = "x")],
])("the validator refuses %s", (_what, change) => {
  const judge = () => validateOpenRPCDocument(changed(change));
  let judged: unknown;
  try {
    judged = judge();
  } catch (cause) {
    judged = cause;
  }
  expect(judged).not.toBe(true);
});

describe("what the specification asks in words", () => {
  test("method names are unique, and so are the names of a method's params", () => {
    const names = document.methods.map((method: Json) => method.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, params } of document.methods) {
      const own = params.map((param: Json) => param.name);
      expect(new Set(own).size, name).toBe(own.length);
    }
  });

  test("optional params stand after all required ones", () => {
    for (const { name, params } of document.methods) {
      const required = params.map((param: Json) => Number(param.required === true));
      expect(required, name).toEqual([...required].sort((a, b) => b - a));
    }
  });

  test("every reference leads somewhere: the document can be written out without any", async () => {
    const parsed = await parseOpenRPCDocument(structuredClone(document));
    expect(parsed.methods.length).toBe(document.methods.length);
    expect(JSON.stringify(parsed.methods)).not.toContain("#/components/");
  });

  test("error numbers are whole, unique, and those of JSON-RPC where they are of its range", () => {
    const numbers = Object.values<Json>(document.components.errors).map(({ code }) => code);
    expect(new Set(numbers).size).toBe(numbers.length);
    const reserved = numbers.filter((code) => code >= -32768 && code <= -32000);
    // -32000 to -32099 are the implementation's own; below them JSON-RPC 2.0 has these five.
    const own = reserved.filter((code) => code >= -32099);
    const theirs = reserved.filter((code) => code < -32099);
    expect(theirs.sort()).toEqual([-32600, -32601, -32602, -32603, -32700]);
    expect(own.length + theirs.length).toBe(numbers.length);
  });
});

describe("schemas", () => {
  // OpenRPC 1.3 names draft 7. Types of a union stand in its branches, which strictTypes overlooks.
  let ajv: Ajv;
  const compile = (schema: Json) =>
    ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"all#/components')));

  beforeAll(() => {
    ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true, keywords: ["components"] });
    ajv.addSchema({
      $id: "all",
      $schema: "http://json-schema.org/draft-07/schema#",
      components: JSON.parse(
        JSON.stringify(document.components).replaceAll('"#/components', '"all#/components'),
      ),
    });
  });

  test("params and result of every method, and every notification, compile as draft 7", () => {
    for (const { name, params, result } of document.methods) {
      for (const { name: param, schema } of [...params, result]) {
        expect(() => compile(schema), `${name} ${param}`).not.toThrow();
      }
    }
    for (const { name, params } of document["x-notifications"]) {
      for (const { schema } of params) expect(() => compile(schema), name).not.toThrow();
    }
  });

  test("a misspelt keyword or a reference to nothing would not", () => {
    expect(() => compile({ type: "string", maxLenght: 3 })).toThrow("maxLenght");
    expect(() => compile({ $ref: "#/components/schemas/Nobody" })).toThrow("Nobody");
  });
});

test("the method call validator of the OpenRPC project judges calls by the document", async () => {
  const calls = await judgeCalls(document);
  const judge = (method: string, params: Json) => calls.validate(method, params);
  expect(judge("run_get", { run_id: "r" })).toEqual([]);
  expect(judge("run_get", { run_id: null, target_run_id: "r" })).toEqual([]);
  expect(judge("run_get", { run_id: 5 })).toHaveLength(1);
  expect(judge("run_claim", {})).toHaveLength(1);
  expect(judge("run_claim", { runtime_id: "r", lease_seconds: 900_000 })).toEqual([]);
});

test("the notifications of the wire contract, with their params", () => {
  const listed = document["x-notifications"].map(({ name, params }: Json) => [
    name, params.map((param: Json) => param.name).join(", "),
  ]);
  expect(Object.fromEntries(listed)).toEqual({
    run_event: "subscription_id, run_id, event",
    interaction_requested: "subscription_id, run_id, interaction",
    run_ended: "subscription_id, run",
    run_cancel_requested: "run_id, status_reason",
    steering_available: "run_id, pending",
    subscription_dropped: "subscription_id, reason, resume_after",
  });
});

describe("words", () => {
  const host = createHost();
  registerAll(host);
  const { methods, components } = describeOpenrpc(host.seal(), "1.0.0");
  const fields: [record: string, name: string, field: Json][] = Object.entries(components.schemas)
    .flatMap(([record, { properties = {} }]) =>
      Object.entries(properties as object).map(([name, field]) =>
        [record, name, field] as [string, string, Json]));

  test("every parameter is described, and nothing is described that no method has", () => {
    const silent = methods.flatMap(({ name, params }) =>
      params.filter(({ description }) => !description).map((param) => `${name}.${param.name}`));
    expect(silent).toEqual([]);
    const known = new Set(methods.flatMap(({ name, params }) =>
      params.flatMap((param) => [param.name, `${name}.${param.name}`])));
    expect(Object.keys(paramWords).filter((key) => !known.has(key))).toEqual([]);
  });

  test("so is every field of a record", () => {
    const silent = fields.filter(([, , field]) => !field.description);
    expect(silent.map(([record, name]) => `${record}.${name}`)).toEqual([]);
  });

  test("each is a sentence", () => {
    const wrong = Object.entries({ ...fieldWords, ...paramWords }).filter(([, words]) =>
      !/^(?:[A-Z]|[a-z_]+:|\d).*\.$/s.test(words) || words.length > 120);
    expect(wrong).toEqual([]);
  });
});
