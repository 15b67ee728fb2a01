// The table of every answer that is not a result, and the one exception that domain code throws.
// Numbers and retryability are the wire contract's; dispatch/refuse.ts alone turns them into JSON.

import type { z } from "zod";

export interface ErrorRow {
  number: number;
  retryable: boolean;
  when: string;
}

export const errorTable = {
  PARSE_ERROR: { number: -32700, retryable: false, when: "The frame is not JSON." },
  INVALID_REQUEST: {
    number: -32600,
    retryable: false,
    when: "The frame is not a JSON-RPC 2.0 request, or the batch is empty or too large.",
  },
  METHOD_NOT_FOUND: { number: -32601, retryable: false, when: "The host has no such method." },
  INVALID_PARAMS: {
    number: -32602,
    retryable: false,
    when: "The params do not match the method's schema; data.issues lists path and message.",
  },
  INTERNAL: {
    number: -32603,
    retryable: false,
    when: "A defect of the host; data.incident is the id under which its log has the cause.",
  },
  UNAUTHENTICATED: {
    number: -32001,
    retryable: false,
    when: "The connection has not proved an identity, or the proof is not accepted.",
  },
  FORBIDDEN: {
    number: -32002,
    retryable: false,
    when: "A permission, capability or scope is missing, or the run is another plugin's.",
  },
  NOT_FOUND: {
    number: -32003,
    retryable: false,
    when: "The thing named by data.kind and data.id does not exist.",
  },
  CONFLICT: {
    number: -32004,
    retryable: false,
    when: "A key is reused with other content, or the state does not allow the transition.",
  },
  LEASE_LOST: {
    number: -32005,
    retryable: false,
    when: "The write needs an active claim; none was shown, or the shown one is not active.",
  },
  RUN_TERMINAL: { number: -32006, retryable: false, when: "A write to a run that has ended." },
  SESSION_EXPIRED: {
    number: -32007,
    retryable: false,
    when: "The run named by run_id is the caller's own but does not authorize this call now.",
  },
  NO_RUN_AVAILABLE: {
    number: -32008,
    retryable: true,
    when: "There is nothing to claim, now or within wait_seconds.",
  },
  PAYLOAD_TOO_LARGE: {
    number: -32009,
    retryable: false,
    when: "A stored value is over its limit.",
  },
  RATE_LIMITED: {
    number: -32010,
    retryable: true,
    when: "Too many calls; data.retry_after_ms says when to come back.",
  },
  OVERLOADED: {
    number: -32011,
    retryable: true,
    when: "A limit on requests in flight or on a queue is reached.",
  },
  UNAVAILABLE: {
    number: -32012,
    retryable: true,
    when: "The database cannot be reached, or the host is stopping. Every write may be repeated.",
  },
  RESULT_REJECTED: {
    number: -32013,
    retryable: false,
    when: "The ledger does not take this result event.",
  },
  DEADLINE_EXCEEDED: {
    number: -32014,
    retryable: true,
    when: "A wait ran out; the thing waited for goes on.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export interface Issue {
  /** Dotted path below params, for example `event.actor.actor_id` or `runners.0.id`. */
  path: string;
  message: string;
}

/** A typed refusal: `details` becomes `error.data` beside `code` and `retryable`. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, details: Record<string, unknown> = {}, message?: string) {
    super(message ?? describeRefusal(code, details));
    this.name = "Refusal";
    this.code = code;
    this.details = details;
  }
}

/** INVALID_PARAMS for one path. */
export function invalidParam(path: string, message: string): Refusal {
  return new Refusal("INVALID_PARAMS", { issues: [{ path, message }] });
}

function describeRefusal(code: ErrorCode, details: Record<string, unknown>): string {
  const issues = details["issues"];
  if (Array.isArray(issues) && issues.length > 0) {
    const first = issues[0] as Issue;
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
    return `${first.path === "" ? "params" : first.path}: ${first.message}${more}`;
  }
  const facts = Object.entries(details)
    .filter(([, value]) => typeof value === "string" || typeof value === "number")
    .map(([name, value]) => `${name} ${String(value).slice(0, 255)}`);
  return facts.length > 0 ? `${errorTable[code].when} ${facts.join(", ")}` : errorTable[code].when;
}

type Finding = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The findings of one parse; `prefix` is the dotted path of the value that was parsed. */
export function listIssues(error: { issues: readonly Finding[] }, prefix = ""): Issue[] {
  const root: Path = prefix === "" ? [] : prefix.split(".");
  return error.issues.flatMap((finding) => describeFinding(finding, root));
}

function describeFinding(finding: Finding, root: Path): Issue[] {
  const path = [...root, ...finding.path];
  if (finding.code === "unrecognized_keys") {
    return finding.keys.map((key) => ({
      path: writePath([...path, key]),
      message: "is not a known parameter",
    }));
  }
  if (finding.code === "invalid_union") {
    const meant = finding.errors.find((branch) => branch.every((inner) => inner.path.length > 0));
    if (meant !== undefined && meant.length > 0) {
      return meant.flatMap((inner) => describeFinding(inner, path));
    }
  }
  if (finding.code === "invalid_key") {
    const reason = finding.issues[0]?.message ?? "is not a usable name";
    return [{ path: writePath(path), message: reason }];
  }
  return [{ path: writePath(path), message: finding.message }];
}

const writePath = (path: Path): string => path.map(String).join(".");
