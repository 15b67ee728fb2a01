// Brings each piece of news to this host's connections once, whichever host made it: what this host
// commits comes by `note` at once, the rest by looking into the ledger each interval, and at once
// when a hint says so. Memory is bounded; news without a key is always delivered.

export interface NewsWatchParts<Fact> {
  /** News of the last `seconds` seconds, made on any host. */
  read(seconds: number): Promise<readonly Fact[]>;
  deliver(fact: Fact): void;
  /** A fact is delivered when one of its keys is new. */
  keysOf(fact: Fact): readonly string[];
  interval_ms: number;
  /** Without connections there is nobody to tell. */
  isNeeded(): boolean;
  onReadFailure(cause: unknown): void;
  remembered_max?: number;
  now_ms?: () => number;
}

export interface NewsWatch<Fact> {
  note(fact: Fact): void;
  /** Looks soon: there is something to see. */
  look(): void;
  stop(): void;
}

/** Transactions that were slow to commit are still seen. */
const overlap_seconds = 3;
const seconds_max = 60;
/** Hints that come thick share a look. */
const hinted_ms = 10;

export function watchNews<Fact>(parts: NewsWatchParts<Fact>): NewsWatch<Fact> {
  const now_ms = parts.now_ms ?? (() => performance.now());
  const remembered_max = parts.remembered_max ?? 20_000;
  const delivered = new Set<string>();
  let looked_ms = now_ms();
  let stopped = false;
  let reading = false;
  let hinted = false;
  let timer = setTimeout(look, parts.interval_ms);

  function note(fact: Fact): void {
    const keys = parts.keysOf(fact);
    const unseen = keys.filter((key) => !delivered.has(key));
    if (stopped || (unseen.length === 0 && keys.length > 0)) return;
    for (const key of unseen) delivered.add(key);
    for (const oldest of delivered) {
      if (delivered.size <= remembered_max) break;
      delivered.delete(oldest);
    }
    parts.deliver(fact);
  }

  async function look(): Promise<void> {
    reading = true;
    hinted = false;
    try {
      if (parts.isNeeded()) await readOnce();
      else looked_ms = now_ms();
    } catch (cause) {
      parts.onReadFailure(cause);
    }
    reading = false;
    schedule(hinted ? hinted_ms : parts.interval_ms);
  }

  function schedule(after_ms: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(look, after_ms);
  }

  async function readOnce(): Promise<void> {
    const began_ms = now_ms();
    const seconds = Math.ceil((began_ms - looked_ms) / 1000) + overlap_seconds;
    for (const fact of await parts.read(Math.min(seconds, seconds_max))) note(fact);
    looked_ms = began_ms;
  }

  return {
    note,
    look() {
      if (hinted) return;
      hinted = true;
      if (!reading) schedule(hinted_ms);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
