// Waiting calls of this host, woken by its signals. A wait begins before the ledger is looked at,
// so that what happens in between is not missed; it ends by a signal, after a time, or when its
// call is given up. A run that can be claimed wakes one waiting claim of each kind, not all of
// them.

import type { RunNamed } from "./signals.js";

export interface Heard {
  onRunClaimable(listener: (tenant_id: string) => void): unknown;
  onRunEnded(listener: (named: RunNamed) => void): unknown;
}

/** Claims with equal parameters: what one of them finds, any of them could have found. */
export interface ClaimKind {
  tenant_id: string;
  kind: string;
}

export function createWaits(heard: Heard) {
  const ends = new Map<string, Set<() => void>>();
  const claims = new Map<string, Map<string, Set<() => void>>>();
  const endedKey = (named: RunNamed) => JSON.stringify([named.tenant_id, named.run_id]);
  /** One that has been woken is out of the set: the next signal is for the next one. */
  const wakeOne = (waiting: Set<() => void> | undefined): void => {
    const [first] = waiting ?? [];
    if (first === undefined) return;
    waiting?.delete(first);
    first();
  };
  heard.onRunClaimable((tenant_id) => {
    for (const waiting of claims.get(tenant_id)?.values() ?? []) wakeOne(waiting);
  });
  heard.onRunEnded((named) => {
    for (const resolve of ends.get(endedKey(named)) ?? []) resolve();
  });
  return {
    untilRunClaimable({ tenant_id, kind }: ClaimKind) {
      const kinds = claims.get(tenant_id) ?? new Map<string, Set<() => void>>();
      claims.set(tenant_id, kinds);
      const wait = begin(kinds, kind);
      return {
        within: wait.within,
        forget(): void {
          wait.forget();
          if (kinds.size === 0 && claims.get(tenant_id) === kinds) claims.delete(tenant_id);
        },
      };
    },
    /** A claim that leaves hands its turn on: there may be more to take, or its wake was unused. */
    wakeNextClaim({ tenant_id, kind }: ClaimKind): void {
      wakeOne(claims.get(tenant_id)?.get(kind));
    },
    untilRunEnded: (named: RunNamed) => begin(ends, endedKey(named)),
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
