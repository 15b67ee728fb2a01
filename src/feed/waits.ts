// Waiting calls of this host, woken by its signals. A wait begins before the ledger is looked at,
// so that what happens in between is not missed; it ends by a signal, after a time, or when its
// call is given up.

import type { RunNamed } from "./signals.js";

export interface Heard {
  onRunClaimable(listener: (tenant_id: string) => void): unknown;
  onRunEnded(listener: (named: RunNamed) => void): unknown;
}

export function createWaits(heard: Heard) {
  const waiting = new Map<string, Set<() => void>>();
  const wake = (key: string): void => {
    for (const resolve of waiting.get(key) ?? []) resolve();
  };
  const claimableKey = (tenant_id: string) => JSON.stringify([tenant_id]);
  const endedKey = (named: RunNamed) =>
    JSON.stringify([named.tenant_id, named.run_id]);
  heard.onRunClaimable((tenant_id) => wake(claimableKey(tenant_id)));
  heard.onRunEnded((named) => wake(endedKey(named)));
  return {
    untilRunClaimable: (tenant_id: string) => begin(waiting, claimableKey(tenant_id)),
    untilRunEnded: (named: RunNamed) => begin(waiting, endedKey(named)),
  };
}

function begin(waiting: Map<string, Set<() => void>>, key: string) {
  const waiters = waiting.get(key) ?? new Set();
  waiting.set(key, waiters);
  let resolve = (): void => undefined;
  const signalled = new Promise<void>((done) => {
    resolve = done;
  });
  waiters.add(resolve);
  return {
    /** Resolves at the signal, after `wait_ms`, or when `signal` aborts. */
    async within(wait_ms: number, signal: AbortSignal): Promise<void> {
      if (signal.aborted) return;
      const timer = setTimeout(resolve, wait_ms);
      signal.addEventListener("abort", resolve, { once: true });
      await signalled;
      clearTimeout(timer);
      signal.removeEventListener("abort", resolve);
    },
    forget(): void {
      waiters.delete(resolve);
      if (waiters.size === 0 && waiting.get(key) === waiters) waiting.delete(key);
    },
  };
}
