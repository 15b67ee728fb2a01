// What the gate finds inside params, with the path, and what it must not find.

import { describe, expect, test } from "vitest";
import { readFrame } from "../../src/wire/frame.js";

function issuesOf(params: string): { path: string; message: string }[] {
  const text = `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`;
  const frame = readFrame(text, { max_batch: 1 });
  if (frame.kind !== "single" || frame.element.kind !== "request") throw new Error("no request");
  const { params: named, inspect } = frame.element;
  return [...inspect(named)];
}

const paths = (params: string) => issuesOf(params).map(({ path }) => path);
const nest = (levels: number) => '{"a":'.repeat(levels) + "1" + "}".repeat(levels);

describe("refused, with the path", () => {
  test.each<[string, string, string[]]>([
    ["NUL in a string", '{"a":{"b":["x","y\\u0000"]}}', ["a.b.1"]],
    ["NUL in a key", '{"a":{"b\\u0000":1}}', ["a.b\0"]],
    ["a high surrogate alone", '{"a":"\\ud83d"}', ["a"]],
    ["a low surrogate alone", '{"a":"x\\ude00y"}', ["a"]],
    ["surrogates in the wrong order", '{"a":"\\ude00\\ud83d"}', ["a"]],
    ["a surrogate alone in a key", '{"\\ud800":1}', ["\ud800"]],
    ["a number that overflows", '{"a":[0,1e400]}', ["a.1"]],
    ["minus infinity", '{"a":-1e999}', ["a"]],
    ["an integer of 400 digits", `{"a":${"9".repeat(400)}}`, ["a"]],
    ["2^53", '{"a":9007199254740992}', ["a"]],
    ["-2^53", '{"a":-9007199254740992}', ["a"]],
    ["2^53 + 1, which a parser rounds", '{"a":{"b":9007199254740993}}', ["a.b"]],
    ["after an escaped quote", '{"s":"\\\\\\"","a":12345678901234567890}', ["a"]],
    ["__proto__", '{"a":{"__proto__":{"x":1}}}', ["a.__proto__"]],
    ["__proto__ at the top", '{"__proto__":1}', ["__proto__"]],
    ["constructor with prototype", '{"a":[{"constructor":{"prototype":{}}}]}', ["a.0.constructor"]],
    ["65 levels", nest(65), [Array(64).fill("a").join(".")]],
    ["65 levels of arrays", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`, [`a${".0".repeat(63)}`]],
    ["several", '{"a":"\\u0000","b":1,"c":1e400}', ["a", "c"]],
  ])("%s", (_title, params, expected) => expect(paths(params)).toEqual(expected));
});

describe("taken", () => {
  test.each([
    ["an emoji", '{"a":"\\ud83d\\ude00"}'],
    ["the largest safe integers", '{"a":[9007199254740991,-9007199254740991]}'],
    ["sixteen digits that are safe", '{"a":1234567890123456}'],
    ["digits in a string and in a key", '{"12345678901234567890":"12345678901234567890"}'],
    ["a float beyond 2^53", '{"a":[1e300,12345678901234567890.5,12345678901234567890e1]}'],
    ["constructor without prototype", '{"constructor":{"x":1},"a":{"constructor":"prototype"}}'],
    ["prototype alone", '{"prototype":{"constructor":1}}'],
    ["64 levels", nest(64)],
    ["an empty object", "{}"],
  ])("%s", (_title, params) => expect(issuesOf(params)).toEqual([]));
});

test("at most twenty issues are listed", () => {
  expect(issuesOf(JSON.stringify({ a: Array(100).fill("\0") }))).toHaveLength(20);
});

test("a path is cut, whatever the keys hold", () => {
  const [issue] = issuesOf(JSON.stringify({ ["k".repeat(100_000)]: "\0" }));
  expect(issue!.path).toBe("k".repeat(500));
});

test("half a million containers are looked through at once", () => {
  const started = performance.now();
  expect(issuesOf(`{"a":[${"[],".repeat(350_000)}"\\u0000"]}`)).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(2000);
});
