// Which refusals a call may meet before and beside its handler, by kind of access: they need not be
// declared by the action. Any other refusal that an action does not declare is a defect of ours.

import type { AnyAction } from "../actions/action.js";
import type { Access } from "../contract/access.js";
import type { ErrorCode } from "../contract/errors.js";

const everywhere: readonly ErrorCode[] = [
  "INVALID_PARAMS", "INTERNAL", "UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "OVERLOADED",
  "UNAVAILABLE",
];

/** NOT_FOUND belongs to the administrator path of a target; a proof answers LEASE_LOST instead. */
function byAccess(access: Access): readonly ErrorCode[] {
  switch (access.kind) {
    case "open":
    case "permission":
    case "own":
      return [];
    case "fleet":
      return ["SESSION_EXPIRED"];
    case "read":
      return access.target === "none" ? ["SESSION_EXPIRED"] : ["SESSION_EXPIRED", "NOT_FOUND"];
    case "cancel":
      return ["SESSION_EXPIRED", "NOT_FOUND"];
    case "outside":
      return ["NOT_FOUND"];
    case "connection":
      return [];
    case "session":
      return access.fenced ? ["SESSION_EXPIRED", "LEASE_LOST"] : ["SESSION_EXPIRED"];
    case "write":
      return ["SESSION_EXPIRED", "NOT_FOUND", "LEASE_LOST"];
    case "claim":
      return ["SESSION_EXPIRED", "LEASE_LOST"];
  }
}

/** Every refusal that a call of this action may be answered with, without repetition. */
export function possibleRefusals(action: Pick<AnyAction, "access" | "errors">): ErrorCode[] {
  return [...new Set([...everywhere, ...byAccess(action.access), ...action.errors])];
}
