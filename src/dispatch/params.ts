// Step 4 of a call: the findings of the frame gate, the two parameters that every method takes, and
// the schema of the action. Refuses with INVALID_PARAMS that lists at most 20 paths; a Refusal that
// a schema throws (a size, a payload rule) passes as it is. Messages never repeat a value.

import { z } from "zod";
import type { AnyAction } from "../actions/action.js";
import { Refusal, type Issue } from "../contract/errors.js";
import { listIssues } from "../contract/errors.js";
import { identity, openObject, optional } from "../contract/scalars.js";
import { findListIssues, isParams, itemsOf } from "./item_lists.js";

/** Accepted beside the params of every method. */
export const envelope = z.object({
  caller_plugin_identity: optional(identity),
  _meta: optional(openObject),
});

export interface CheckedParams {
  /** As the schema of the action gave them. */
  params: unknown;
  /** As they were sent, less what every method takes. */
  sent: Record<string, unknown>;
}

const issuesMax = 20;
const pathCharactersMax = 300;
const messageCharactersMax = 200;

/** What the frame gate finds in a value: it could break a schema (depth) or vanish (__proto__). */
export type Inspect = (params: Record<string, unknown>) => readonly Issue[];

export function checkParams(
  action: AnyAction,
  given: Record<string, unknown>,
  inspect: Inspect,
): CheckedParams {
  requireClean(inspect(given));
  const { caller_plugin_identity, _meta, ...own } = given;
  const around = envelope.safeParse({ caller_plugin_identity, _meta });
  const sent = action.list === undefined ? own : omitAbsent(own, action.list);
  const parsed = around.success ? action.params.safeParse(sent) : null;
  if (around.success && parsed?.success) {
    return { params: parsed.data, sent };
  }
  throw refuseParams([
    ...(around.error ? listIssues(around.error) : []),
    ...(parsed?.error ? listIssues(parsed.error) : []),
  ]);
}

/** Of a call in list form: the items, none of which has been looked at. */
export function checkList(
  name: string,
  given: Record<string, unknown>,
  inspect: Inspect,
): readonly unknown[] {
  const { [name]: list, ...around } = given;
  requireClean(inspect(around));
  const { caller_plugin_identity, _meta, ...beside } = around;
  const parsed = envelope.safeParse({ caller_plugin_identity, _meta });
  requireClean(parsed.error ? listIssues(parsed.error) : []);
  requireClean(findListIssues(name, list, beside));
  return itemsOf(list);
}

/** One item: what every method takes belongs to the call, not to an item. */
export function checkItem(action: AnyAction, item: unknown, inspect: Inspect): CheckedParams {
  if (!isParams(item)) throw refuseParams([{ path: "", message: "must be an object" }]);
  requireClean(inspect(item));
  const parsed = action.params.safeParse(item);
  if (parsed.success) return { params: parsed.data, sent: item };
  throw refuseParams(listIssues(parsed.error));
}

function requireClean(found: readonly Issue[]): void {
  if (found.length > 0) throw refuseParams(found);
}

/** null is absent, also where a list might have stood. */
function omitAbsent(given: Record<string, unknown>, name: string): Record<string, unknown> {
  if (given[name] !== null) return given;
  const { [name]: _, ...rest } = given;
  return rest;
}

function refuseParams(found: readonly Issue[]): Refusal {
  const issues = found.slice(0, issuesMax).map((issue) => ({
    path: issue.path.slice(0, pathCharactersMax),
    message: issue.message.slice(0, messageCharactersMax),
  }));
  return new Refusal("INVALID_PARAMS", { issues });
}
