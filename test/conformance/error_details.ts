// What error.data holds beside code and retryable, as the contract lists it (1.7): the details that
// clients read. Further members are allowed; none of these may be missing or of another type.

import type { Json } from "./link.js";

type Shape = Record<string, "string" | "number" | "issues" | "id">;

const none: Shape = {};

/** By code alone. */
const plain: Record<string, Shape> = {
  PARSE_ERROR: none, INVALID_REQUEST: none, METHOD_NOT_FOUND: none, UNAUTHENTICATED: none,
  NO_RUN_AVAILABLE: none, OVERLOADED: none, UNAVAILABLE: none,
  INVALID_PARAMS: { issues: "issues" },
  INTERNAL: { incident: "string" },
  NOT_FOUND: { kind: "string", id: "id" },
  RUN_TERMINAL: { status: "string" },
  SESSION_EXPIRED: { run_id: "id" },
  RATE_LIMITED: { retry_after_ms: "number" },
  DEADLINE_EXCEEDED: { run_id: "id", status: "string" },
};

/** By code and reason: the reasons are a closed list. */
const reasoned: Record<string, Record<string, Shape>> = {
  FORBIDDEN: {
    identity_mismatch: none, not_authorized: none, out_of_scope: none,
    permission_missing: { permission: "string" },
    capability_missing: { capability: "string" },
    state_disabled: { scope: "string" },
    scope_disabled: { scope: "string" },
    scope_unavailable: { scope: "string" },
  },
  LEASE_LOST: { claim_required: none, claim_not_active: none },
  RESULT_REJECTED: {
    unknown_type: { type: "string" },
    invalid_payload: { type: "string", issues: "issues" },
    side_effecting_type: { type: "string" },
  },
  CONFLICT: {
    run_id_reused: none, event_id_reused: none, interaction_id_reused: none, attempt_used: none,
    sequence_reused: { last_sequence: "number" },
    sequence_out_of_order: { last_sequence: "number" },
    status_differs: { status: "string" },
    runtime_not_online: { status: "string" },
    run_not_retryable: { status: "string" },
    retry_limit: { status: "string" },
    interaction_not_pending: { status: "string" },
    version_mismatch: { version: "number" },
    quota_exceeded: { limit: "number" },
  },
  PAYLOAD_TOO_LARGE: {
    result: { limit_bytes: "number" },
    request: { limit_bytes: "number" },
    value: { limit_bytes: "number" },
    scope_bytes: { limit_bytes: "number" },
    scope_keys: { limit: "number" },
    field: { limit_bytes: "number", path: "string" },
  },
};

const kinds = ["run", "runtime", "runner", "plugin", "interaction", "prompt"];

export const coveredCodes = [...Object.keys(plain), ...Object.keys(reasoned)];

/** What is wrong with the details; empty when all are there. */
export function judgeDetails(data: Json): string[] {
  const reasons = reasoned[data.code];
  const shape = reasons === undefined ? plain[data.code] : reasons[data.reason];
  if (shape === undefined) return [`${data.code} has no reason ${String(data.reason)}`];
  const faults = Object.entries(shape)
    .filter(([name, kind]) => !fits(data[name], kind))
    .map(([name, kind]) => `${name} is no ${kind}`);
  if (data.code !== "NOT_FOUND") return faults;
  if (!kinds.includes(data.kind)) faults.push(`kind is ${String(data.kind)}`);
  if (data.kind === "runner" && !fits(data.runner_id, "id")) faults.push("runner_id is no id");
  return faults;
}

function fits(value: Json, kind: Shape[string]): boolean {
  if (kind === "issues") {
    return Array.isArray(value) && value.length > 0 && value.every(
      (issue) => typeof issue?.path === "string" && typeof issue?.message === "string",
    );
  }
  return kind === "number" ? Number.isSafeInteger(value) : typeof value === "string";
}
