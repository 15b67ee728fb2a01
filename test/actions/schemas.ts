// The declared actions by name, and what their schemas say to params: the parsed value, each
// path of INVALID_PARAMS once, or the refusal that a schema throws.

import type { AnyAction } from "../../src/actions/action.js";
import { registerAll } from "../../src/actions/index.js";
import { Refusal } from "../../src/contract/errors.js";
import { listIssues } from "../../src/contract/errors.js";

export function collectActions(): Map<string, AnyAction> {
  const actions = new Map<string, AnyAction>();
  registerAll({
    action(declared) {
      if (actions.has(declared.name)) throw new Error(`${declared.name} is registered twice`);
      actions.set(declared.name, declared as unknown as AnyAction);
    },
  });
  return actions;
}

export type Judged =
  | { params: Record<string, unknown> }
  | { paths: string[] }
  | { code: string; details: Readonly<Record<string, unknown>> };

export function judgeParams(action: AnyAction, params: unknown): Judged {
  try {
    const parsed = action.params.safeParse(params);
    if (parsed.success) return { params: parsed.data as Record<string, unknown> };
    return { paths: [...new Set(listIssues(parsed.error).map((issue) => issue.path))] };
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    return { code: thrown.code, details: thrown.details };
  }
}

/** The refusal that `attempt` throws or rejects with. */
export async function refusalOf(attempt: () => unknown): Promise<Refusal> {
  try {
    await attempt();
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
  throw new Error("nothing was refused");
}

export const longText = (characters: number): string => "x".repeat(characters);
/** One code point, two UTF-16 units each. */
export const wideText = (characters: number): string => "😀".repeat(characters);
export const names = (count: number, prefix = "n"): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`);

/** An object whose canonical JSON has exactly `bytes` bytes. */
export const objectOf = (bytes: number): Record<string, unknown> => ({
  a: longText(bytes - '{"a":""}'.length),
});

/** `levels` arrays inside each other. */
export function nest(levels: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

/** Rows of one action: accepted params, and refused ones with every path that is named. */
export interface ParamsTable {
  action: string;
  accepted: [why: string, params: Record<string, unknown>][];
  refused: [why: string, params: Record<string, unknown>, paths: string[]][];
}
