// Looks through params that no schema has seen: nesting, NUL, unpaired surrogates, numbers that
// JSON cannot carry safely, keys that reach a prototype. Answers with issues, at most 20, for
// INVALID_PARAMS; never throws, never recurses, and stops at the depth limit.

import type { Issue } from "../contract/errors.js";
import { limits } from "../contract/limits.js";

const issues_max = 20;
const path_characters = 500;

/** One open container: its values in order, and their keys unless it is an array. */
interface Level {
  values: readonly unknown[];
  keys: readonly string[] | null;
  next: number;
}

/** `unsafe` holds the values of integer literals of the frame that lost digits when parsed. */
export function inspectParams(
  params: Record<string, unknown>,
  unsafe: ReadonlySet<number> | null,
): Issue[] {
  const issues: Issue[] = [];
  const levels: Level[] = [openLevel(params)];
  while (levels.length > 0 && issues.length < issues_max) {
    const level = levels[levels.length - 1]!;
    const at = level.next;
    if (at === level.values.length) {
      levels.pop();
      continue;
    }
    level.next += 1;
    const value = level.values[at];
    const nested = typeof value === "object" && value !== null;
    const found =
      (level.keys === null ? null : judgeKey(level.keys[at]!, value)) ??
      (nested ? judgeDepth(levels.length) : judgeScalar(value, unsafe));
    if (found !== null) issues.push({ path: pathOf(levels), message: found });
    else if (nested) levels.push(openLevel(value));
  }
  return issues;
}

function openLevel(container: object): Level {
  if (Array.isArray(container)) return { values: container, keys: null, next: 0 };
  return { values: Object.values(container), keys: Object.keys(container), next: 0 };
}

function judgeDepth(depth: number): string | null {
  return depth < limits.json_depth ? null : `params may nest at most ${limits.json_depth} levels`;
}

function judgeKey(key: string, value: unknown): string | null {
  if (key === "__proto__") return "a key must not be __proto__";
  if (key === "constructor" && typeof value === "object" && value !== null) {
    if (Object.hasOwn(value, "prototype")) return "constructor must not hold prototype";
  }
  const found = judgeText(key);
  return found === null ? null : `the key ${found}`;
}

function judgeScalar(value: unknown, unsafe: ReadonlySet<number> | null): string | null {
  if (typeof value === "string") return judgeText(value);
  if (typeof value !== "number") return null;
  if (!Number.isFinite(value)) return "must be a finite number";
  return unsafe?.has(value) ? "must be within ±(2^53 − 1)" : null;
}

/** Typed here because the compiler's ES2023 library does not list the method of Node 20. */
type WellFormed = { isWellFormed(): boolean };

function judgeText(text: string): string | null {
  if (text.includes("\0")) return "must not hold NUL";
  const wellFormed = (text as unknown as WellFormed).isWellFormed();
  return wellFormed ? null : "must not hold an unpaired surrogate";
}

/** The path of the value that was just looked at, one step for each open level. */
function pathOf(levels: readonly Level[]): string {
  const steps = levels.map(({ keys, next }) => (keys === null ? `${next - 1}` : keys[next - 1]!));
  return steps.join(".").slice(0, path_characters);
}

const longDigits = /[0-9]{16}/;
const quote = 0x22;
const backslash = 0x5c;

/**
 * Values of the integer literals beyond ±(2^53 − 1) in a JSON text, or null when it has none. A
 * parsed number does not tell how it was written, and 1e300 is allowed where an integer is not.
 */
export function findUnsafeIntegers(text: string): ReadonlySet<number> | null {
  if (!longDigits.test(text)) return null;
  const found = new Set<number>();
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (isDigit(code)) at = readLiteral(text, at, found);
  }
  return found.size === 0 ? null : found;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) {
    at += text.charCodeAt(at) === backslash ? 2 : 1;
  }
  return at;
}

/** Takes in one number from its first digit; the sign before it is looked up. */
function readLiteral(text: string, start: number, found: Set<number>): number {
  let end = start;
  while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
  const after = text[end];
  if (after === "." || after === "e" || after === "E") {
    while (end < text.length && /[0-9.eE+-]/.test(text[end]!)) end += 1;
  } else if (end - start >= 16) {
    const value = Number(text.slice(text[start - 1] === "-" ? start - 1 : start, end));
    if (!Number.isSafeInteger(value)) found.add(value);
  }
  return end - 1;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
