// Every call that is not answered yet, in the order in which it was made: what waits for a
// connection, for room on it, or for its answer. Each has its own time and its own signal. After a
// reconnect those that may be repeated are sent again, in that order; the others are refused.

import { backOffMs } from "./back_off.js";
import type { Connection, Message } from "./connection.js";
import {
  callTimedOut, connectionLost, messageTooLarge, readRefusal, type HostError,
} from "./host_error.js";
import { planCall, type Plan } from "./repeats.js";
import type { Closing } from "./socket.js";

export interface CallOptions {
  /** Ends the waiting at once, with the signal's reason; a call that was sent takes its course. */
  signal?: AbortSignal | undefined;
  /** How long the call may take, reconnects and repeats included; `wait_seconds` comes on top. */
  timeoutMs?: number | undefined;
}

interface Call extends Plan {
  method: string;
  /** Params as JSON, written once. */
  text: string;
  ends_at: number;
  waits_until: number;
  attempts: number;
  phase: "waiting" | "sent" | "resting" | "settled";
  /** What comes out: a result, or something to throw. */
  settle(outcome: () => any): void;
  rest?: ReturnType<typeof setTimeout>;
  hear: ((result: any) => void) | undefined;
}

/** What the host takes on one connection: calls in flight, bytes in one frame. */
export interface Limits {
  calls: number;
  bytes: number;
}

interface CallsOptions {
  timeoutMs: number;
  traceparent: (() => string | undefined) | undefined;
  random: () => number;
}

/** Refusals after which the same call may well succeed. */
const transient = ["UNAVAILABLE", "OVERLOADED", "RATE_LIMITED"];
/** At most what stands around the params in a frame. */
const envelope_bytes = 150;
/** setTimeout takes no longer time. */
const longest_ms = 2 ** 31 - 1;

export class Calls {
  readonly #options: CallsOptions;
  readonly #calls = new Set<Call>();
  /** Those of `#calls` that may be sent, oldest first. */
  readonly #waiting = new Set<Call>();
  #connection: Connection | null = null;
  #limits: Limits = { calls: 0, bytes: 0 };
  #closed: (() => HostError) | null = null;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /**
   * `hear` is told the result at once, before any notification that follows the answer, and also
   * where the call was given up meanwhile.
   */
  async call(
    method: string,
    given: object,
    { signal, timeoutMs, hear }: CallOptions & { hear?: (result: any) => void } = {},
  ): Promise<any> {
    signal?.throwIfAborted();
    if (this.#closed !== null) throw this.#closed();
    const plan = planCall(method, this.#trace(given));
    const text = JSON.stringify(plan.params);
    const ms = (timeoutMs ?? this.#options.timeoutMs) + plan.wait_ms;
    let stop = (): void => undefined;
    const outcome = await new Promise<() => any>((settle) => {
      const now = performance.now();
      const call: Call = {
        ...plan, method, text, attempts: 0, phase: "waiting", settle, hear,
        ends_at: now + ms, waits_until: now + plan.wait_ms,
      };
      const timer = ms > longest_ms ? undefined : setTimeout(() => {
        const refused = { method, ms, sent: call.attempts > 0 };
        this.#settle(call, () => { throw callTimedOut(refused); });
      }, Math.max(ms, 0));
      const abort = (): void => this.#settle(call, () => { throw signal?.reason; });
      signal?.addEventListener("abort", abort);
      stop = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      this.#calls.add(call);
      this.#waiting.add(call);
      this.#sendWaiting();
    });
    stop();
    return outcome();
  }

  /** What waits is sent now, oldest first. */
  useConnection(connection: Connection, limits: Limits): void {
    this.#connection = connection;
    this.#limits = limits;
    this.#waiting.clear();
    for (const call of this.#calls) if (call.phase === "waiting") this.#waiting.add(call);
    this.#sendWaiting();
  }

  /** The connection ended and another one is looked for. */
  loseConnection(closing: Closing): void {
    this.#connection = null;
    this.#waiting.clear();
    for (const call of this.#calls) {
      if (call.phase !== "sent") continue;
      if (call.repeatable) call.phase = "waiting";
      else this.#settle(call, () => { throw connectionLost(closing); });
    }
  }

  /** There will be no other connection. */
  close(refusal: () => HostError): void {
    this.#closed = refusal;
    this.#connection = null;
    for (const call of this.#calls) this.#settle(call, () => { throw refusal(); });
  }

  #trace(given: object): object {
    const traceparent = this.#options.traceparent?.();
    if (traceparent === undefined) return given;
    const { _meta } = given as Record<string, any>;
    return { ...given, _meta: { traceparent, ..._meta } };
  }

  #sendWaiting(): void {
    const connection = this.#connection;
    for (const call of this.#waiting) {
      if (connection === null || connection.unanswered >= this.#limits.calls) return;
      if (!this.#send(connection, call)) return;
      this.#waiting.delete(call);
    }
  }

  /** False on a connection that is closing: the call never left, and waits for the next one. */
  #send(connection: Connection, call: Call): boolean {
    const { bytes } = this.#limits;
    // The host would end the connection, and with it every other call.
    if (isLonger(call.text, bytes - envelope_bytes)) {
      this.#settle(call, () => { throw messageTooLarge(call.method, bytes); });
      return true;
    }
    call.phase = "sent";
    call.attempts += 1;
    const attempt = call.attempts;
    const is_taken = connection.send(call.method, writeParams(call), (answer) => {
      if (!answer["error"]) call.hear?.(answer["result"]);
      // It may have been given up, or be under way on a later connection.
      if (call.phase === "sent" && call.attempts === attempt) this.#take(call, answer);
      this.#sendWaiting();
    });
    if (is_taken) return true;
    call.phase = "waiting";
    call.attempts -= 1;
    return false;
  }

  #take(call: Call, { result, error }: Message): void {
    if (!error) return this.#settle(call, () => result);
    const refusal = readRefusal(error);
    const { random } = this.#options;
    const rest_ms = refusal.retryAfterMs ?? backOffMs(call.attempts, random);
    const worthwhile = call.repeatable && transient.includes(refusal.code)
      && performance.now() + rest_ms < call.ends_at;
    if (!worthwhile) return this.#settle(call, () => { throw readRefusal(error); });
    call.phase = "resting";
    call.rest = setTimeout(() => {
      call.phase = "waiting";
      this.#waiting.add(call);
      this.#sendWaiting();
    }, rest_ms);
  }

  #settle(call: Call, outcome: () => any): void {
    call.phase = "settled";
    clearTimeout(call.rest);
    this.#calls.delete(call);
    this.#waiting.delete(call);
    call.settle(outcome);
  }
}

/** Whether the text has more UTF-8 bytes; most are too short to be counted. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}

/** A repeated wait lasts only as long as the first was to last. */
function writeParams({ params, text, wait_ms, waits_until, attempts }: Call): string {
  if (wait_ms === 0 || attempts === 1) return text;
  const left_ms = Math.max(waits_until - performance.now(), 0);
  return JSON.stringify({ ...params, wait_seconds: Math.ceil(left_ms / 1000) });
}
