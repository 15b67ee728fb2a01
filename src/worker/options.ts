// The options of a worker: their defaults, their bounds, and the check that names what is wrong.
// Throws TypeError or RangeError; called by createWorker only.

import type { Host } from "../client/client.js";
import { randomUUID } from "node:crypto";
import type { ClaimedRun } from "./run/run_context.js";
import { readRunners, type Runner, type Runners } from "./runners.js";

/** Something went wrong that the worker lives on with, or that it could not begin for; for logs. */
export interface WorkerProblem {
  /** The method that was refused, or the function of yours that threw: `handler`, `traceparent`. */
  what: string;
  error: unknown;
  run_id?: string;
}

export interface WorkerOptions {
  /** An open connection of `runhost/client`. It stays the caller's to close, after the worker. */
  host: Host;
  /** Handlers by runner name; `summarize` serves the runner `plugin:<identity>/summarize`. */
  runners: Runners;
  /** Runs worked on at once, 1 to 1000. Default 8. */
  concurrency?: number;
  /**
   * Name of this process in the tenant. It has to be its own: two workers alive under one name
   * hand back each other's runs when one stops. Default: a made one, `worker-<uuid>`. A plugin may
   * have 1000 names registered at a time. One that stops cleanly gives its name back; one that is
   * killed does not, so give processes that are often killed a name that comes again.
   */
  runtime_id?: string;
  /** Claims from this queue only. Default: from every queue. */
  queue_name?: string;
  /** How long a claim holds without a renewal, 2 to 3600; renewed at a third. Default 60. */
  lease_seconds?: number;
  /** How long one claim call waits for work at the host, 1 to 60. Default 20. */
  wait_seconds?: number;
  /** The runtime counts as stale after this, 5 to 3600; a heartbeat each third. Default 60. */
  heartbeat_ttl_seconds?: number;
  /** How often steering and pending questions are looked at without a hint, 1 to 60. Default 5. */
  poll_seconds?: number;
  /** How long a handler whose signal was aborted may take to end, 0 to 600. Default 10. */
  settle_seconds?: number;
  /** Of the runtime's record, as runtime_register takes them. */
  display_name?: string;
  version?: string;
  labels?: Record<string, string>;
  metadata?: Record<string, unknown>;
  /**
   * The W3C context with which every call about a run is sent, such as that of a span of your own;
   * asked once, when the run is claimed. Default: what the run remembers of whoever made it.
   */
  traceparent?: (run: ClaimedRun) => string | undefined;
  /** Hears what went wrong: refused calls, also the first, handlers that throw. Default: nobody. */
  onProblem?: (problem: WorkerProblem) => void;
}

export interface CheckedOptions {
  runners: ReadonlyMap<string, Runner>;
  concurrency: number;
  runtime_id: string;
  queue_name: string | undefined;
  lease_seconds: number;
  wait_seconds: number;
  heartbeat_ttl_seconds: number;
  poll_seconds: number;
  settle_seconds: number;
  traceparent: (run: ClaimedRun) => string | undefined;
  /** What else runtime_register is given. */
  runtime: Pick<WorkerOptions, "display_name" | "version" | "labels" | "metadata">;
}

interface Bound {
  default: number;
  min: number;
  max: number;
}

const concurrency_bound: Bound = { default: 8, min: 1, max: 1000 };
// A lease of one second leaves no time for a renewal between two whole seconds.
const lease_bound: Bound = { default: 60, min: 2, max: 3600 };
const wait_bound: Bound = { default: 20, min: 1, max: 60 };
const heartbeat_bound: Bound = { default: 60, min: 5, max: 3600 };
const poll_bound: Bound = { default: 5, min: 1, max: 60 };
const settle_bound: Bound = { default: 10, min: 0, max: 600 };
const grace_bound: Bound = { default: 30, min: 0, max: 86_400 };

export function checkOptions(options: WorkerOptions): CheckedOptions {
  const { host, runtime_id, queue_name, display_name, version, labels, metadata } = options;
  if (typeof host?.call !== "function") throw new TypeError("host is not a connected Host");
  return {
    runners: readRunners(options.runners, host.identity),
    concurrency: readWhole("concurrency", options.concurrency, concurrency_bound),
    runtime_id: runtime_id ?? `worker-${randomUUID()}`,
    queue_name,
    lease_seconds: readWhole("lease_seconds", options.lease_seconds, lease_bound),
    wait_seconds: readWhole("wait_seconds", options.wait_seconds, wait_bound),
    heartbeat_ttl_seconds:
      readWhole("heartbeat_ttl_seconds", options.heartbeat_ttl_seconds, heartbeat_bound),
    poll_seconds: readNumber("poll_seconds", options.poll_seconds, poll_bound),
    settle_seconds: readNumber("settle_seconds", options.settle_seconds, settle_bound),
    traceparent: options.traceparent ?? ((run) => run.traceparent),
    runtime: {
      ...(display_name === undefined ? {} : { display_name }),
      ...(version === undefined ? {} : { version }),
      ...(labels === undefined ? {} : { labels }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

export const readGrace = (grace_seconds: number | undefined): number =>
  readNumber("grace_seconds", grace_seconds, grace_bound);

function readWhole(name: string, given: number | undefined, bound: Bound): number {
  const value = readNumber(name, given, bound);
  if (!Number.isInteger(value)) throw new RangeError(`${name} is ${value}, not a whole number`);
  return value;
}

function readNumber(name: string, given: number | undefined, bound: Bound): number {
  const value = given ?? bound.default;
  if (typeof value === "number" && value >= bound.min && value <= bound.max) return value;
  throw new RangeError(`${name} is ${value}, not within ${bound.min} to ${bound.max}`);
}
