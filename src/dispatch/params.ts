// Step 4 of a call: the findings of the frame gate, the two parameters that every method takes, and
// the schema of the action. Refuses with INVALID_PARAMS that lists at most 20 paths; a Refusal that
// a schema throws (a size, a payload rule) passes as it is. Messages never repeat a value.

import { z } from "zod";
import type { AnyAction } from "../actions/action.js";
import { Refusal, type Issue } from "../contract/errors.js";
import { listIssues } from "../contract/errors.js";
import { identity, openObject, optional } from "../contract/scalars.js";

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

export function checkParams(
  action: AnyAction,
  given: Record<string, unknown>,
  gateIssues: readonly Issue[],
): CheckedParams {
  // What the gate found could break a schema (depth) or vanish in it (__proto__).
  if (gateIssues.length > 0) throw refuseParams(gateIssues);
  const { caller_plugin_identity, _meta, ...sent } = given;
  const around = envelope.safeParse({ caller_plugin_identity, _meta });
  const parsed = around.success ? action.params.safeParse(sent) : null;
  if (around.success && parsed?.success) {
    return { params: parsed.data, sent };
  }
  throw refuseParams([
    ...(around.error ? listIssues(around.error) : []),
    ...(parsed?.error ? listIssues(parsed.error) : []),
  ]);
}

function refuseParams(found: readonly Issue[]): Refusal {
  const issues = found.slice(0, issuesMax).map((issue) => ({
    path: issue.path.slice(0, pathCharactersMax),
    message: issue.message.slice(0, messageCharactersMax),
  }));
  return new Refusal("INVALID_PARAMS", { issues });
}
