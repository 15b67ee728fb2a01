// Every failure of the client is a HostError: a refusal that the host sent, or one of the client's
// own codes. It never holds a plugin token.

import type { Closing } from "./socket.js";

/**
 * `code` is a name of the protocol's error table, or one of the client's own, whose number is 0:
 *
 * - `UNREACHABLE`: no connection came about.
 * - `CONNECTION_LOST`: the connection ended before the answer and this call is not one that the
 *   client sends again by itself. It may or may not have taken effect.
 * - `TIMEOUT`: no answer within the call's time. `data.sent` tells whether it was sent at all.
 * - `CLOSED`: the client was closed. A call in flight may or may not have taken effect.
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: string;
  /** Which of several cases of `code`, where the protocol tells them apart. */
  readonly reason: string | undefined;
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** When to come back, where the host said so. */
  readonly retryAfterMs: number | undefined;

  /** `data` holds code, retryable and the details of this refusal, as the host sent them. */
  constructor(message: string, readonly number: number, readonly data: Record<string, any>) {
    super(message);
    this.code = String(data["code"] ?? "UNKNOWN");
    this.reason = typeof data["reason"] === "string" ? data["reason"] : undefined;
    this.retryable = data["retryable"] === true;
    const after = data["retry_after_ms"];
    this.retryAfterMs = typeof after === "number" ? after : undefined;
  }
}

/** The error object of an answer; a peer that leaves its data out is UNKNOWN. */
export function readRefusal(error: Record<string, any>): HostError {
  return new HostError(String(error["message"]), Number(error["code"]), error["data"] ?? {});
}

export const unreachable = (message: string): HostError =>
  new HostError(message, 0, { code: "UNREACHABLE", retryable: true });

export function connectionLost({ code: close_code, reason: close_reason }: Closing): HostError {
  const message = `the connection to the host ended with ${close_code} ${close_reason}`.trim();
  const data = { code: "CONNECTION_LOST", retryable: true, close_code, close_reason };
  return new HostError(message, 0, data);
}

export const clientClosed = (): HostError =>
  new HostError("the client is closed", 0, { code: "CLOSED", retryable: false });

export function callTimedOut(call: { method: string; ms: number; sent: boolean }): HostError {
  const { method, ms, sent } = call;
  const message = sent
    ? `${method} was not answered within ${ms} ms`
    : `${method} was not sent within ${ms} ms: the host is not connected, or takes no more calls`;
  return new HostError(message, 0, { code: "TIMEOUT", retryable: true, sent });
}

/** What the host would refuse by ending the connection. */
export function messageTooLarge(method: string, limit_bytes: number): HostError {
  const message = `${method} is over ${limit_bytes} bytes, the most that the host takes at once`;
  const data = { code: "PAYLOAD_TOO_LARGE", retryable: false, reason: "message", limit_bytes };
  return new HostError(message, -32009, data);
}

/** The host takes this token no more: it was refused, or what it opened was ended with 4401. */
export function tokenRefused(url: string, data: Record<string, any> = {}): HostError {
  const number = -32001;
  const message = `${url} does not accept this token`;
  return new HostError(message, number, { code: "UNAUTHENTICATED", retryable: false, ...data });
}
