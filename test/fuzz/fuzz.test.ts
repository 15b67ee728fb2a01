// The quick form of `npm run fuzz`: a few thousand frames against a host in its own process, and that
// the judge finds what is planted. A seed that fails is named in the failure.

import { describe, expect, test } from "vitest";
import { useClone } from "../support/clone.js";
import { fuzz } from "./fuzz.js";
import { createJudge } from "./judge.js";
import { readSeedCalls } from "./corpus.js";
import { sampleFrames } from "./mutate.js";
import { readOptions } from "./options.js";

const clone = useClone();

test("a host withstands damaged frames", { timeout: 240_000 }, async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? (Date.now() % 1e9) + 1);
  const printed: string[] = [];
  const report = await fuzz(
    { frames: 2000, seed, connections: 8, database_url: clone().url },
    (line) => printed.push(line),
  );
  expect([seed, report.offences]).toEqual([seed, []]);
  expect(report.sent).toBe(2000);
  // Damage that only ever met the first check would prove little.
  for (const code of ["ok", "INVALID_PARAMS", "FORBIDDEN", "INVALID_REQUEST", "PARSE_ERROR"]) {
    expect([code, report.codes[code] ?? 0]).toEqual([code, expect.any(Number)]);
    expect(report.codes[code], code).toBeGreaterThan(5);
  }
  expect(printed[0]).toBe(`seed ${seed}, 2000 frames, 8 connections`);
});

describe("the judge", () => {
  const judged = (text: string, sent = "") => {
    const judge = createJudge(["rh_secret"]);
    judge.judge(text, sent);
    return judge.offences.map(({ breach }) => breach);
  };
  const error = (code: string, message: string, more = {}) => JSON.stringify({
    jsonrpc: "2.0", id: 1, error: { code: -1, message, data: { code, retryable: false, ...more } },
  });

  test.each<[string, string]>([
    ["is no JSON", "{"],
    ["is no JSON-RPC", "7"],
    ["is no JSON-RPC", '{"id":1,"result":{}}'],
    ["an empty batch", "[]"],
    ["neither or both", '{"jsonrpc":"2.0","id":1}'],
    ["neither or both", '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
    ["an error of another shape", '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}'],
    ["INTERNAL", error("INTERNAL", "an incident")],
    ["shows our insides", error("CONFLICT", "x\n    at Object.call (dispatcher.js:1:2)")],
    ["shows our insides", error("CONFLICT", 'syntax error at or near "select"')],
    ["shows our insides", error("CONFLICT", "m", { detail: 'relation "agent_run" does not exist' })],
    ["shows a secret", '{"jsonrpc":"2.0","id":1,"result":{"token":"rh_secret"}}'],
  ])("finds: %s in %s", (breach, text) => expect(judged(text)).toContain(breach));

  test("is silent about what is right", () => {
    expect(judged('{"jsonrpc":"2.0","id":1,"result":{}}')).toEqual([]);
    expect(judged('{"jsonrpc":"2.0","method":"run_event","params":{}}')).toEqual([]);
    expect(judged(error("CONFLICT", "The id stands for something else."))).toEqual([]);
    expect(judged('{"jsonrpc":"2.0","id":1,"result":"rh_secret"}', "rh_secret")).toEqual([]);
  });
});

describe("the stream", () => {
  test("is the same for one seed, another for the next, and of every kind", () => {
    const calls = readSeedCalls();
    const stream = (seed: number) => sampleFrames({ calls, seed, count: 500 });
    expect(stream(5)).toEqual(stream(5));
    expect(stream(5)).not.toEqual(stream(6));
    expect(new Set(stream(5).map(({ kind }) => kind))).toEqual(new Set([
      "call as it stands", "damaged call", "flipped bits", "batch", "example", "any JSON", "any text",
    ]));
  });
});

test.each([
  [["--frames", "0"], "--frames: must be a whole number from 1 to 100000000"],
  [["--seed", "x"], "--seed: must be a whole number from 1 to 2147483647"],
  [["--connections", "1e9"], "--connections: must be a whole number from 1 to 1000"],
])("%s is refused by name", (argv, message) => {
  expect(() => readOptions(argv, {})).toThrow(message);
});
