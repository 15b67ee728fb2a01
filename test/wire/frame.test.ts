// The frame gate alone: every kind of text becomes requests, refusals or nothing, and none of them
// makes it throw. Codes are literals of the wire contract.

import { describe, expect, test } from "vitest";
import { readFrame, type Element } from "../../src/wire/frame.js";

const read = (text: string, max_batch = 100) => readFrame(text, { max_batch });

function show(element: Element): unknown {
  if (element.kind === "response") return "response";
  if (element.kind === "invalid") return { code: element.refusal.code, id: element.id };
  const { id, method, params, inspect } = element;
  return { id, method, params, issues: inspect(params).map(({ path }) => path) };
}

function single(text: string): unknown {
  const frame = read(text);
  return frame.kind === "single" ? show(frame.element) : frame.elements.map(show);
}

const parseError = { code: "PARSE_ERROR", id: null };
const invalid = (id: unknown = null) => ({ code: "INVALID_REQUEST", id });
const call = (id: unknown, method: string, params: unknown = {}) => ({
  id, method, params, issues: [],
});

describe("one frame", () => {
  test.each<[string, string, unknown]>([
    ["empty text", "", parseError],
    ["no JSON", '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', parseError],
    [
      "a broken batch",
      '[{"jsonrpc":"2.0","method":"sum","id":"1"},{"jsonrpc":"2.0","method"]',
      parseError,
    ],
    ["a byte order mark", '\ufeff{"jsonrpc":"2.0","id":1,"method":"m"}', parseError],
    ["a control character in a string", '{"jsonrpc":"2.0","id":1,"method":"a\nb"}', parseError],
    ["null", "null", invalid()],
    ["true", "true", invalid()],
    ["a number", "1", invalid()],
    ["a string", '"x"', invalid()],
    ["an empty object", "{}", invalid()],
    ["another object", '{"foo":"boo"}', invalid()],
    [
      "method is a number, as in the specification",
      '{"jsonrpc":"2.0","method":1,"params":"bar"}',
      invalid(),
    ],
    ["method is missing", '{"jsonrpc":"2.0","id":7}', invalid(7)],
    ["no version", '{"id":"a","method":"m"}', invalid("a")],
    ["version as number", '{"jsonrpc":2.0,"id":"a","method":"m"}', invalid("a")],
    ["version 1.0", '{"jsonrpc":"1.0","id":"a","method":"m"}', invalid("a")],
    ["params is a string", '{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}', invalid(1)],
    ["params is null", '{"jsonrpc":"2.0","id":1,"method":"m","params":null}', invalid(1)],
    ["params is a number", '{"jsonrpc":"2.0","method":"m","params":5}', invalid()],
    ["a request without params", '{"jsonrpc":"2.0","id":1,"method":"m"}', call(1, "m")],
    [
      "a notification",
      '{"jsonrpc":"2.0","method":"m","params":{"a":1}}',
      call(undefined, "m", { a: 1 }),
    ],
    ["an unknown member", '{"jsonrpc":"2.0","id":1,"method":"m","extra":1}', call(1, "m")],
    ["white space around", ' {"jsonrpc":"2.0","id":1,"method":"m"}\n', call(1, "m")],
    ["a result from the peer", '{"jsonrpc":"2.0","id":1,"result":5}', "response"],
    [
      "an error from the peer",
      '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}',
      "response",
    ],
    ["a result without id", '{"jsonrpc":"2.0","result":5}', invalid()],
    ["result and error", '{"jsonrpc":"2.0","id":1,"result":5,"error":{}}', invalid(1)],
    [
      "the members stand in a prototype",
      '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"m"}}',
      invalid(),
    ],
  ])("%s", (_title, text, expected) => {
    expect(single(text)).toEqual(expected);
  });

  test.each<[string, unknown]>([
    [
      '""',
      ""], ['"a\\ud800"',
      "a\ud800"], ["0",
      0], ["-7",
      -7], ["1.5",
      1.5], ["9007199254740991",
      9007199254740991,
    ],
  ])("id %s is echoed", (id, expected) => {
    expect(single(`{"jsonrpc":"2.0","id":${id},"method":"m"}`)).toEqual(call(expected, "m"));
  });

  test.each([
    "null", "true", "{}", "[]", "[1]", "9007199254740992", "-9007199254740993", "1e400", "1e300",
  ])("id %s is refused with id null", (id) => {
    expect(single(`{"jsonrpc":"2.0","id":${id},"method":"m"}`)).toEqual(invalid());
  });

  test("params by position keep their place in the ladder", () => {
    expect(single('{"jsonrpc":"2.0","id":1,"method":"m","params":[1,2]}'))
      .toEqual({ id: 1, method: "m", params: {}, issues: [""] });
  });
});

describe("batches", () => {
  test("an empty one is one refusal", () => expect(single("[]")).toEqual(invalid()));

  test.each<[string, unknown[]]>([
    ["[1]", [invalid()]],
    ["[1,2,3]", [invalid(), invalid(), invalid()]],
    ["[null]", [invalid()]],
    ["[[]]", [invalid()]],
    ['[{"jsonrpc":"2.0","id":1,"result":1}]', ["response"]],
    [
      '[{"jsonrpc":"2.0","id":1,"method":"a"},{"foo":1},{"jsonrpc":"2.0","method":"b"}]',
      [call(1, "a"), invalid(), call(undefined, "b")],
    ],
  ])("%s", (text, expected) => expect(single(text)).toEqual(expected));

  test("one element more than allowed is one refusal", () => {
    const element = { jsonrpc: "2.0", id: 1, method: "m" };
    const elements = (count: number) => JSON.stringify(Array(count).fill(element));
    expect(read(elements(3), 3)).toMatchObject({ kind: "batch", elements: { length: 3 } });
    expect(read(elements(4), 3)).toMatchObject({
      kind: "single", element: { id: null, refusal: { code: "INVALID_REQUEST" } },
    });
    expect(single(elements(50_000))).toEqual(invalid());
  });

  test("a million levels of arrays are one wrong element", () => {
    expect(single("[".repeat(1e6) + "]".repeat(1e6))).toEqual([invalid()]);
  });
});
