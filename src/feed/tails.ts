// The tails of this host: one per run that somebody follows here, gone with its last reader. Wakes
// them by signals, and by a look at the heads of all followed runs of a tenant each interval, so
// that a lost signal costs latency and never an event. Bounds the reads of all tails together.

import type { FeedBounds, FeedReads } from "./parts.js";
import type { RunNamed } from "./signals.js";
import { page_events, Tail, type Reader } from "./tail.js";

export interface TailsParts {
  reads: FeedReads;
  bounds: FeedBounds;
  onReadFailure(cause: unknown): void;
}

export interface Tails {
  readonly size: number;
  /** The tail that a reader takes its events from; to be given back by `leave`. */
  join(wanted: Wanted, reader: Reader): Tail;
  leave(tail: Tail, reader: Reader): void;
  wake(named: RunNamed): void;
  stop(): void;
}

interface Entry {
  tail: Tail;
  readers: Set<Reader>;
}

type Wanted = RunNamed & { last_sequence: number };

export function createTails(parts: TailsParts): Tails {
  const { reads, bounds, onReadFailure } = parts;
  const tenants = new Map<string, Map<string, Entry>>();
  const takeTurn = createTurns(bounds.reads_max);
  const inTurn: Pick<FeedReads, "tail"> = { tail: (query) => takeTurn(() => reads.tail(query)) };
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  function open({ tenant_id, run_id, last_sequence }: Wanted, after: number): Entry {
    // A short past is read into the ring: one read instead of two.
    const isShort = last_sequence - after <= page_events;
    const start = isShort ? Math.min(after, last_sequence) : last_sequence;
    const named = { tenant_id, run_id };
    const head = last_sequence;
    const tail = new Tail({ named, reads: inTurn, bounds, start, head, onReadFailure });
    const entry = { tail, readers: new Set<Reader>() };
    const runs = tenants.get(tenant_id) ?? new Map<string, Entry>();
    tenants.set(tenant_id, runs.set(run_id, entry));
    timer ??= setTimeout(look, bounds.poll_ms);
    tail.wake();
    return entry;
  }

  async function look(): Promise<void> {
    await Promise.all([...tenants.values()].map((runs) => lookAt(parts, runs)));
    timer = tenants.size > 0 && !stopped ? setTimeout(look, bounds.poll_ms) : null;
  }

  return {
    get size() {
      return [...tenants.values()].reduce((sum, runs) => sum + runs.size, 0);
    },
    join(wanted, reader) {
      const known = tenants.get(wanted.tenant_id)?.get(wanted.run_id);
      const entry = known ?? open(wanted, reader.cursor);
      entry.readers.add(reader);
      return entry.tail;
    },
    leave(tail, reader) {
      const { tenant_id, run_id } = tail.named;
      const runs = tenants.get(tenant_id);
      const entry = runs?.get(run_id);
      tail.forget(reader);
      if (!runs || !entry?.readers.delete(reader) || entry.readers.size > 0) return;
      tail.close();
      runs.delete(run_id);
      if (runs.size === 0) tenants.delete(tenant_id);
    },
    wake({ tenant_id, run_id }) {
      tenants.get(tenant_id)?.get(run_id)?.tail.wake();
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Wakes those tails of one tenant that are behind their runs. */
async function lookAt(parts: TailsParts, runs: ReadonlyMap<string, Entry>): Promise<void> {
  for (const { tail } of runs.values()) tail.resume();
  const open = [...runs.values()].map(({ tail }) => tail).filter((tail) => !tail.ended);
  const [first] = open;
  if (first === undefined) return;
  const { tenant_id } = first.named;
  const run_ids = open.map(({ named }) => named.run_id);
  try {
    const heads = await parts.reads.heads({ tenant_id, run_ids });
    const found = new Map(heads.map((head) => [head.run_id, head]));
    for (const tail of open) {
      const head = found.get(tail.named.run_id);
      // A run that is not found has been removed; the tail finds that out for its readers.
      if (!head || head.ended || head.last_sequence > tail.position) tail.wake();
    }
  } catch (cause) {
    parts.onReadFailure(cause);
  }
}

/** At most `max` at work at one moment; the rest follow in order. */
function createTurns(max: number) {
  const waiting: (() => void)[] = [];
  let free = max;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
