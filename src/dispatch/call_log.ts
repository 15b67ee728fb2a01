// One debug line per call: which method, how it ended, how long it took and for whom. Never params,
// results or the text of what was thrown.

import type { CallLog, Principal } from "../actions/action.js";
import { Refusal, type ErrorCode } from "../contract/errors.js";

export interface CallOutcome {
  method: string;
  code: ErrorCode | "ok";
  duration_ms: number;
  principal: Principal | null;
  via: string | null;
}

/** A peer may send any name for a method. */
const methodCharactersMax = 100;

export function logCall(log: CallLog, outcome: CallOutcome): void {
  const { principal, method, ...rest } = outcome;
  log.debug(
    {
      method: method.slice(0, methodCharactersMax),
      ...rest,
      plugin_identity: principal?.plugin_identity ?? null,
      tenant_id: principal?.tenant_id ?? null,
    },
    "call",
  );
}

export function codeOf(thrown: unknown): ErrorCode {
  return thrown instanceof Refusal ? thrown.code : "INTERNAL";
}
