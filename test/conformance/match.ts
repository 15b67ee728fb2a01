// The matcher of `expect` and `notify`: objects match in part, arrays element by element, all else
// exactly. An object with one member that begins with `$` is a matcher of protocol/README.md.

import type { Json } from "./link.js";

type Matcher = (actual: Json, argument: Json, path: string) => string[];

const matchers: Record<string, Matcher> = {
  $type: (actual, name, path) =>
    typeNames(actual).includes(name) ? [] : [`${path}: is no ${name}: ${show(actual)}`],
  $match: (actual, pattern, path) =>
    typeof actual === "string" && new RegExp(pattern, "u").test(actual)
      ? []
      : [`${path}: does not match ${pattern}: ${show(actual)}`],
  $absent: (actual, _argument, path) =>
    actual === undefined ? [] : [`${path}: should be absent: ${show(actual)}`],
  $length: (actual, length, path) =>
    measure(actual) === length ? [] : [`${path}: has not length ${length}: ${show(actual)}`],
  $between: (actual, [low, high], path) =>
    typeof actual === "number" && actual >= low && actual <= high
      ? []
      : [`${path}: is not from ${low} to ${high}: ${show(actual)}`],
  $has: (actual, wanted: Json[], path) => {
    if (!Array.isArray(actual)) return [`${path}: is no list: ${show(actual)}`];
    const missing = wanted.filter((one) => !actual.some((item) => !differences(item, one).length));
    return missing.map((one) => `${path}: holds nothing like ${show(one)}: ${show(actual)}`);
  },
  $exact: (actual, value, path) => {
    const same = canonical(actual) === canonical(value);
    return same ? [] : [`${path}: is ${show(actual)} instead of ${show(value)}`];
  },
  $not: (actual, value, path) =>
    differences(actual, value).length > 0 ? [] : [`${path}: should not be ${show(actual)}`],
};

/** What keeps `actual` from matching, one line each; empty when it matches. */
export function differences(actual: Json, expected: Json, path = "answer"): string[] {
  if (Array.isArray(expected)) return compareLists(actual, expected, path);
  if (typeof expected !== "object" || expected === null) {
    return actual === expected ? [] : [`${path}: is ${show(actual)} instead of ${show(expected)}`];
  }
  const [name, ...others] = Object.keys(expected);
  const matcher = others.length === 0 && name !== undefined ? matchers[name] : undefined;
  if (matcher) return matcher(actual, expected[name!], path);
  if (name?.startsWith("$")) throw new Error(`${path}: there is no matcher ${name}`);
  if (typeof actual !== "object" || actual === null || Array.isArray(actual)) {
    return [`${path}: is no object: ${show(actual)}`];
  }
  return Object.entries(expected).flatMap(([key, value]) =>
    differences(Object.hasOwn(actual, key) ? actual[key] : undefined, value, `${path}.${key}`),
  );
}

function compareLists(actual: Json, expected: Json[], path: string): string[] {
  if (!Array.isArray(actual)) return [`${path}: is no list: ${show(actual)}`];
  if (actual.length !== expected.length) {
    const lengths = `${actual.length} elements instead of ${expected.length}`;
    return [`${path}: has ${lengths}: ${show(actual)}`];
  }
  return expected.flatMap((one, at) => differences(actual[at], one, `${path}.${at}`));
}

function typeNames(value: Json): string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  return Number.isSafeInteger(value) ? ["number", "integer"] : [typeof value];
}

function measure(value: Json): number | null {
  if (typeof value === "string") return [...value].length;
  return Array.isArray(value) ? value.length : null;
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_key, inner) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function show(value: Json): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
