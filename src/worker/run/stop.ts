// Why the work on a run stops early: RunStopped is what `ctx.signal.reason` holds, RunFailed is
// what a handler throws to say how its run fails. Also decides how any other thrown value ends it.

import { HostError } from "../../client/client.js";

/**
 * - `cancel_requested`: somebody asked for the run's cancellation; the worker ends it `cancelled`.
 * - `deadline`: the run's `deadline_at` has passed; the worker ends it `timeout`.
 * - `shutdown`: the worker stops and the grace is over; the run goes back to the queue.
 * - `lease_lost`: the claim is gone, or somebody else ended the run; nothing more is written.
 * - `host_closed`: the Host was closed for good; nothing more can be written.
 * - `emit_failed`: an event that nobody awaited was refused (`cause`); the run fails with it.
 */
export type StopKind =
  | "cancel_requested" | "deadline" | "shutdown" | "lease_lost" | "host_closed" | "emit_failed";

/** The reason of `ctx.signal`, and what every refused `ctx` call of a stopped run rejects with. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";

  constructor(readonly kind: StopKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
  }
}

export interface RunFailedOptions {
  /** Up to 100 characters, for programs; default `runner.error`. */
  code?: string;
  /** True: another attempt is made, up to the run's `max_attempts`. Default false. */
  retryable?: boolean;
  /** Token counts of the failed attempt. */
  usage?: Record<string, unknown>;
  cause?: unknown;
}

/** Thrown by a handler: ends the run `failed`, or sends it back to the queue when `retryable`. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
  readonly code: string;
  readonly retryable: boolean;
  readonly usage: Record<string, unknown> | undefined;

  constructor(message: string, options: RunFailedOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code ?? "runner.error";
    this.retryable = options.retryable ?? false;
    this.usage = options.usage;
  }
}

export interface Failure {
  error: string;
  code: string;
  retryable: boolean;
}

/**
 * How a thrown value ends a run. RunFailed says so itself. A refusal of the host is as retryable as
 * the host says, except CONFLICT: another attempt reads the state anew. Anything else was not
 * expected and is retryable, so that `max_attempts` decides.
 */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof RunFailed) {
    const { code, retryable } = thrown;
    return { error: readText(thrown), code: cutText(code, code_characters), retryable };
  }
  if (thrown instanceof HostError) {
    const retryable = thrown.retryable || thrown.code === "CONFLICT";
    return { error: readText(thrown), code: "runner.error", retryable };
  }
  return { error: readText(thrown), code: "runner.error", retryable: true };
}

/** Of a `run.failed` event; the host cuts the run's status_reason at the same length. */
const error_characters = 2000;
const code_characters = 100;

function readText(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return cutText(text, error_characters);
}

/** What the host takes as text: no NUL and no unpaired surrogate, which a cut can leave behind. */
const cutText = (text: string, characters: number): string =>
  text.slice(0, characters).replace(/\0|\p{Surrogate}/gu, "\u{fffd}");
