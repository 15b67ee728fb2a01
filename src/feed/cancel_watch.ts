// Brings each cancel request to this host's connections once, whichever host took it: what this
// host commits comes by `note` at once, the rest by looking into the ledger each interval. Memory
// is bounded; a push that is lost costs latency, because every renewal tells of the cancel too.

import type { CancelFact } from "./signals.js";

export interface CancelWatchParts {
  /** Cancel requests of the last `seconds` seconds, on any host. */
  read(seconds: number): Promise<readonly CancelFact[]>;
  deliver(fact: CancelFact): void;
  interval_ms: number;
  /** Without connections there is nobody to tell. */
  isNeeded(): boolean;
  onReadFailure(cause: unknown): void;
  remembered_max?: number;
  now_ms?: () => number;
}

export interface CancelWatch {
  note(fact: CancelFact): void;
  stop(): void;
}

/** Transactions that were slow to commit are still seen; longer gaps are left to renewals. */
const overlap_seconds = 3;
const seconds_max = 60;

export function watchCancels(parts: CancelWatchParts): CancelWatch {
  const now_ms = parts.now_ms ?? (() => performance.now());
  const remembered_max = parts.remembered_max ?? 20_000;
  const delivered = new Set<string>();
  let looked_ms = now_ms();
  let stopped = false;
  let timer = setTimeout(look, parts.interval_ms);

  function note(fact: CancelFact): void {
    // Neither a tenant nor a run id holds NUL.
    const key = `${fact.tenant_id}\0${fact.run_id}`;
    if (stopped || delivered.has(key)) return;
    delivered.add(key);
    if (delivered.size > remembered_max) delivered.delete(delivered.values().next().value!);
    parts.deliver(fact);
  }

  async function look(): Promise<void> {
    try {
      if (parts.isNeeded()) await readOnce();
      else looked_ms = now_ms();
    } catch (cause) {
      parts.onReadFailure(cause);
    }
    if (!stopped) timer = setTimeout(look, parts.interval_ms);
  }

  async function readOnce(): Promise<void> {
    const began_ms = now_ms();
    const seconds = Math.ceil((began_ms - looked_ms) / 1000) + overlap_seconds;
    for (const fact of await parts.read(Math.min(seconds, seconds_max))) note(fact);
    looked_ms = began_ms;
  }

  return {
    note,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
