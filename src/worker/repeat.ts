// Calls that are repeated until they are answered or given up, and gates that bound how many are
// in flight: the host refuses more than its limit per connection, which all runs share.

import { setTimeout as delay } from "node:timers/promises";
import { HostError } from "../client/client.js";

const first_pause_ms = 100;
const longest_pause_ms = 2000;

/** Before the attempt after `failures` failed ones; jittered, and never less than the host asks. */
export function pauseAfter(failures: number, thrown?: unknown): number {
  const asked_ms = thrown instanceof HostError ? thrown.retryAfterMs ?? 0 : 0;
  const backed_off_ms = Math.min(first_pause_ms * 2 ** (failures - 1), longest_pause_ms);
  return Math.max(backed_off_ms * (0.5 + Math.random() / 2), asked_ms);
}

export const isRetryable = (thrown: unknown): boolean =>
  thrown instanceof HostError && thrown.retryable;

export const isRefusal = (thrown: unknown, ...codes: string[]): thrown is HostError =>
  thrown instanceof HostError && codes.includes(thrown.code);

/** Resolves after the time, at once when the signal aborts; never rejects. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

/** Resolves when the work has settled, after the time, or when the signal aborts; never rejects. */
export async function waitFor(
  work: Promise<unknown>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const late = pause(milliseconds, AbortSignal.any([signal, over.signal]));
  await Promise.race([work.catch(() => undefined), late]);
  over.abort();
}

/** Repeats what is retryable; rejects with any other refusal, and with the reason when aborted. */
export async function repeatCall<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isRetryable(thrown)) throw thrown;
      await pause(pauseAfter(failures, thrown), signal);
    }
  }
}

/** Runs the work when there is room; first come, first served, so that order survives a wait. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function createGate(limit: number): Gate {
  const waiting: (() => void)[] = [];
  let free = limit;

  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  }

  return (work) =>
    new Promise((resolve, reject) => {
      // Started by whoever leaves, in the same turn, so that nobody slips in between.
      const start = (): void => void work().finally(leave).then(resolve, reject);
      if (free === 0) return void waiting.push(start);
      free -= 1;
      start();
    });
}
