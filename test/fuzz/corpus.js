// What mutation starts from: every call of the conformance fixtures, every frame that the JSON-RPC 2.0
// specification shows in its examples, and frames that are hostile as a whole.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const protocol = fileURLToPath(new URL("../../protocol/", import.meta.url));

/** @typedef {{ method: string, params: Record<string, unknown> }} SeedCall */

/** @returns {SeedCall[]} */
export function readSeedCalls() {
  const folder = join(protocol, "fixtures");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  /** @type {Map<string, SeedCall>} */
  const calls = new Map();
  for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
    const { steps } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const { send } of steps ?? []) {
      const { method, params } = send ?? {};
      if (typeof method !== "string" || typeof params !== "object" || params === null) continue;
      if (!Array.isArray(params)) calls.set(JSON.stringify([method, params]), { method, params });
    }
  }
  if (calls.size < 100) throw new Error(`only ${calls.size} calls were found in ${folder}`);
  return [...calls.values()];
}

/** Section 7 of the specification, as written there. */
export const specification = [
  '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
  '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
  '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
  '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
  '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}',
  '{"jsonrpc": "2.0", "method": "foobar"}',
  '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
  '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
  '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
  '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]',
  "[]",
  "[1]",
  "[1,2,3]",
  `[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
    {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
    {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"}, {"foo": "boo"},
    {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
    {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]`,
  '[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},{"jsonrpc": "2.0", "method": "n"}]',
];

const call = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

/**
 * Frames that are hostile as they stand; text and bytes. The heavy ones are sent once each.
 * @type {readonly { name: string, heavy?: true, make(): string | Buffer | (string | Buffer)[] }[]}
 */
export const hostile = [
  { name: "null", make: () => "null" },
  { name: "[null]", make: () => "[null]" },
  { name: "empty text", make: () => "" },
  { name: "a string", make: () => '"ping"' },
  { name: "id is an object", make: () => '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}' },
  { name: "id is null", make: () => '{"jsonrpc":"2.0","id":null,"method":"ping"}' },
  { name: "id is no safe integer", make: () => '{"jsonrpc":"2.0","id":1e400,"method":"ping"}' },
  { name: "an answer", make: () => '{"jsonrpc":"2.0","id":1,"result":{}}' },
  { name: "an error answer", make: () => '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}' },
  { name: "method of the prototype", make: () => call.replace("ping", "__proto__") },
  { name: "method constructor", make: () => call.replace("ping", "constructor") },
  { name: "method toString", make: () => call.replace("ping", "toString") },
  { name: "prototype key", make: () => call.replace("}", ',"params":{"__proto__":{"x":1}}}') },
  { name: "NUL in a key", make: () => call.replace("}", ',"params":{"a\\u0000":1}}') },
  { name: "lone surrogate", make: () => call.replace("}", ',"params":{"a":"\\ud800"}}') },
  { name: "byte order mark", make: () => `\ufeff${call}` },
  { name: "binary frame", make: () => Buffer.from(call) },
  { name: "bad UTF-8 in a binary frame", make: () => Buffer.from([0xff, 0xfe, 0x00, 0xc0]) },
  { name: "fragments", make: () => [call.slice(0, 9), call.slice(9, 20), call.slice(20)] },
  { name: "10^6 deep", heavy: true, make: () => `${"[".repeat(500_000)}${"]".repeat(500_000)}` },
  { name: "10^6 deep params", heavy: true,
    make: () => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(200_000)}1` +
      `${"}".repeat(200_000)}}` },
  { name: "a batch of 50,000", heavy: true, make: () => `[${Array(27_000).fill(call).join(",")}]` },
  { name: "a batch of 50,000 nulls", heavy: true, make: () => `[${Array(50_000).fill("null").join(",")}]` },
  { name: "100 MB", heavy: true, make: () => `"${"x".repeat(100_000_000)}"` },
  { name: "1 MB of digits", heavy: true, make: () => call.replace(":1", `:${"9".repeat(1_000_000)}`) },
  { name: "1 MB of key", heavy: true, make: () => call.replace("}", `,"${"k".repeat(1_000_000)}":1}`) },
];
