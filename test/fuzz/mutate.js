// The grammar of mutations: a seeded stream of frames, most of them calls that are nearly right.
// The same seed gives the same frames.

import fc from "fast-check";
import { specification } from "./corpus.js";

/** @typedef {import("./corpus.js").SeedCall} SeedCall */
/** @typedef {{ text: string | Buffer, kind: string }} Frame */

/** @type {unknown[]} */
const evil = [
  null, true, false, 0, -0, -1, 1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 63), 1e308, "",
  " ", "0", "null", "\u0000", "a\u0000b", "\ud800", "\udfff\ud800", "é".repeat(256), "x".repeat(256),
  "x".repeat(70_000), "%", "_", "\\", "'; drop table agent_run; --", "$1", "{}", "[]", "../../etc/passwd",
  "plugin:a/b/c", "plugin:/", "a/b", "runhost/admin", "default", "9223372036854775808", "-1", "1e3",
  [], {}, [[]], [null], [{}], { a: 1 }, { "": "" }, { constructor: {} }, Array(101).fill("x"),
  Array(2000).fill(0),
];
/** Spelled into the text, because JSON.stringify cannot write them. */
const raw = ["NaN", "Infinity", "-", "01", "1e999", "-1e999", "0.1e", '"\\x"', '"\\u12"', "{,}", "[1,]",
  "undefined", "'a'", "/**/1", '{"__proto__":1}', '{"constructor":{"prototype":{}}}',
  "12345678901234567890", '"\\u0000"', '"\\ud800"', `${"[".repeat(70)}${"]".repeat(70)}`];

const evilValue = fc.oneof(fc.constantFrom(...evil), fc.json().map((text) => JSON.parse(text)),
  fc.string({ unit: "binary" }));

/** One step of damage to a value, as data, so that fast-check can print and shrink it. */
const step = fc.record({
  how: fc.constantFrom("replace", "replace", "replace", "delete", "unknown", "wrap", "nest", "rename",
    "repeat", "raw"),
  /** Which member, by a share of all of them. */
  where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  /** The envelope is damaged now and then, the params most of the time. */
  envelope: fc.nat(11).map((turn) => turn === 0),
  value: evilValue,
  raw: fc.constantFrom(...raw),
  name: fc.constantFrom("run_id", "target_run_id", "limit", "extra", "_meta", "caller_plugin_identity",
    "__proto__", "tenant_id", "claim_token", "sequence", "data", ""),
});

/** @typedef {{ holder: any, key: string | number }} Place */

/** @param {any} value @returns {Place[]} */
function listPlaces(value) {
  /** @type {Place[]} */
  const places = [];
  const walk = (/** @type {any} */ node) => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      places.push({ holder: node, key });
      walk(node[key]);
    }
  };
  walk(value);
  return places;
}

const marker = "\u0001raw\u0001";

/** @param {any} message @param {any} damage @returns {string | null} text to stand at the marker */
function apply(message, damage) {
  const places = listPlaces(damage.envelope ? message : message.params);
  const place = places[Math.floor(damage.where * places.length)];
  if (!place) return null;
  const { holder, key } = place;
  if (damage.how === "replace") holder[key] = structuredClone(damage.value);
  else if (damage.how === "delete") delete holder[key];
  else if (damage.how === "unknown") {
    Object.defineProperty(holder, damage.name, {
      value: damage.value, enumerable: true, writable: true, configurable: true,
    });
  } else if (damage.how === "wrap") holder[key] = [holder[key]];
  else if (damage.how === "nest") {
    for (let depth = 0; depth < 70; depth += 1) holder[key] = { n: holder[key] };
  } else if (damage.how === "rename") {
    const kept = holder[key];
    delete holder[key];
    holder[damage.name || "renamed"] = kept;
  } else if (damage.how === "repeat") holder[key] = Array(3).fill(holder[key]);
  else {
    holder[key] = marker;
    return damage.raw;
  }
  return null;
}

/** @param {readonly SeedCall[]} calls */
function callFrames(calls) {
  const chosen = fc.constantFrom(...calls);
  const id = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 1, max: 1e9 }) },
    { weight: 1, arbitrary: evilValue });
  return fc.record({ call: chosen, id, steps: fc.array(step, { maxLength: 3 }) })
    .map(({ call, id: number, steps }) => {
      const message = structuredClone({ jsonrpc: "2.0", id: number, ...call });
      /** @type {string | null} */
      let spelled = null;
      for (const damage of steps) spelled = apply(message, damage) ?? spelled;
      const text = JSON.stringify(message) ?? "null";
      const frame = spelled === null ? text : text.replace(JSON.stringify(marker), () => spelled);
      return { text: frame, kind: steps.length === 0 ? "call as it stands" : "damaged call" };
    });
}

/** @param {fc.Arbitrary<Frame>} frames */
function damagedBytes(frames) {
  const flips = fc.array(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { minLength: 1, maxLength: 8 });
  return fc.record({ frame: frames, flips, cut: fc.option(fc.nat()) }).map(({ frame, flips: list, cut }) => {
    const bytes = Buffer.from(frame.text);
    for (const { at, bit } of bytes.length === 0 ? [] : list) {
      const place = at % bytes.length;
      bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
    }
    const kept = cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
    return { text: kept.toString("utf8"), kind: "flipped bits" };
  });
}

/**
 * Frames number `from` to `from + count` of a seed's stream.
 * @param {{ calls: readonly SeedCall[], seed: number, count: number }} wanted @returns {Frame[]}
 */
export function sampleFrames({ calls, seed, count }) {
  const single = callFrames(calls);
  const batch = fc.array(single, { maxLength: 12 }).map((frames) =>
    ({ text: `[${frames.map(({ text }) => text).join(",")}]`, kind: "batch" }));
  const examples = fc.constantFrom(...specification).map((text) => ({ text, kind: "example" }));
  const frames = fc.oneof(
    { weight: 60, arbitrary: single },
    { weight: 12, arbitrary: damagedBytes(single) },
    { weight: 8, arbitrary: batch },
    { weight: 4, arbitrary: damagedBytes(examples) },
    { weight: 4, arbitrary: examples },
    { weight: 4, arbitrary: fc.json().map((text) => ({ text, kind: "any JSON" })) },
    { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 200 })
      .map((text) => ({ text, kind: "any text" })) },
  );
  return fc.sample(frames, { seed, numRuns: count });
}
