// The tail of one run, shared by all who follow it on this host: reads each new event once, keeps
// the latest in a bounded ring, and reads older pages for those who are behind, one page at a time
// for everybody whom it helps. It hands out events in order of sequence, without gap or repetition
// for any one reader, and says when the run has ended and nothing is left.

import type { FeedBounds, FeedReads, StoredEvent, TailPage } from "./parts.js";
import type { RunNamed } from "./signals.js";

export interface Reader {
  /** Sequence of the last event that it has taken. */
  readonly cursor: number;
  /** There may be more to take. */
  pump(): void;
  /** The run is gone. */
  lose(): void;
}

export interface TailParts {
  named: RunNamed;
  reads: Pick<FeedReads, "tail">;
  bounds: Pick<FeedBounds, "ring_events" | "ring_characters">;
  /** Everything after it is read into the ring, unless what stands before `head` is more than one
      page: then the ring begins there, and readers catch up at their own pace. */
  start: number;
  /** A sequence that the run had reached before the tail was opened. */
  head: number;
  onReadFailure(cause: unknown): void;
}

interface Page {
  after: number;
  items: readonly StoredEvent[];
}

export const page_events = 100;
/** Pages of the past that are kept for a reader that is not there yet. */
const pages_max = 4;

export class Tail {
  readonly named: RunNamed;
  readonly #parts: TailParts;
  /** Everything in (floor, position], and nothing else. */
  #ring: StoredEvent[] = [];
  #ring_characters = 0;
  #floor: number;
  #position: number;
  #ended: string | null = null;
  #pages: Page[] = [];
  /** A reader that cannot go on waits in one of these, or for room on its connection. */
  readonly #current = new Set<Reader>();
  readonly #behind = new Set<Reader>();
  #reading = false;
  #again = false;
  #catching = false;
  #closed = false;

  constructor(parts: TailParts) {
    this.#parts = parts;
    this.named = parts.named;
    this.#floor = parts.start;
    this.#position = parts.start;
  }

  get position(): number {
    return this.#position;
  }

  /** The run has ended and its last event has been read. */
  get ended(): boolean {
    return this.#ended !== null;
  }

  /** The next event for a reader, or the ended run; null: it is called when it can go on. */
  take(reader: Reader): StoredEvent | { ended: string } | null {
    const { cursor } = reader;
    if (cursor >= this.#position) {
      if (this.#ended !== null) return { ended: this.#ended };
      this.#current.add(reader);
      return null;
    }
    const isNear = cursor >= this.#floor && this.#ring.length > 0;
    const held = isNear ? this.#ring : this.#findPage(cursor);
    if (held !== null) return findAfter(held, cursor);
    this.#behind.add(reader);
    void this.#catchUp();
    return null;
  }

  forget(reader: Reader): void {
    this.#current.delete(reader);
    this.#behind.delete(reader);
  }

  close(): void {
    this.#closed = true;
  }

  /** There may be new events. */
  wake(): void {
    this.#again = true;
    if (!this.#reading && !this.#closed && this.#ended === null) void this.#follow();
  }

  /** Goes on with what a failed read left. */
  resume(): void {
    if (this.#behind.size > 0) void this.#catchUp();
  }

  async #follow(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        const after = this.#position;
        const page = await this.#read(after);
        if (page === null) return;
        const isLong = page.more && page.items.at(-1)!.sequence < this.#parts.head;
        if (isLong) this.#skipPast(after, page);
        else for (const item of page.items) this.#keep(item);
        this.#again ||= page.more;
        if (!page.more) this.#ended = page.ended;
        if (this.#ended !== null) this.#again = false;
        if (page.items.length > 0 || this.#ended !== null) await pumpAll(this.#current);
      }
    } catch (cause) {
      this.#parts.onReadFailure(cause);
    } finally {
      this.#reading = false;
    }
  }

  async #catchUp(): Promise<void> {
    if (this.#catching) return;
    this.#catching = true;
    try {
      while (this.#behind.size > 0 && !this.#closed) {
        const first = this.#behind.values().next().value!;
        const after = first.cursor;
        const page = await this.#read(after);
        if (page === null) return;
        this.#keepPage(after, page);
        // Whose turn it was goes last, so that everybody gets one.
        if (this.#behind.delete(first)) this.#behind.add(first);
        await pumpAll(this.#behind);
      }
    } catch (cause) {
      this.#parts.onReadFailure(cause);
    } finally {
      this.#catching = false;
    }
  }

  /** Null also when the tail has closed meanwhile. */
  async #read(after_sequence: number): Promise<TailPage | null> {
    const { reads, named } = this.#parts;
    const page = await reads.tail({ ...named, after_sequence, limit: page_events });
    if (this.#closed) return null;
    if (page !== null) return page;
    for (const reader of [...this.#current, ...this.#behind]) reader.lose();
    return null;
  }

  #keep(item: StoredEvent): void {
    const { ring_events, ring_characters } = this.#parts.bounds;
    this.#ring.push(item);
    this.#ring_characters += sizeOf(item);
    this.#position = item.sequence;
    while (this.#ring.length > ring_events || this.#ring_characters > ring_characters) {
      if (this.#ring.length === 1) return;
      const oldest = this.#ring.shift()!;
      this.#ring_characters -= sizeOf(oldest);
      this.#floor = oldest.sequence;
    }
  }

  #skipPast(after: number, page: TailPage): void {
    this.#keepPage(after, page);
    this.#floor = this.#position = this.#parts.head;
  }

  #keepPage(after: number, { items }: TailPage): void {
    // Nothing is stored above the cursor, so nothing between it and the ring.
    if (items.length === 0) this.#floor = Math.min(this.#floor, after);
    else this.#pages = [{ after, items }, ...this.#pages.slice(0, pages_max - 1)];
  }

  #findPage(cursor: number): readonly StoredEvent[] | null {
    const fits = ({ after, items }: Page): boolean =>
      after <= cursor && cursor < items.at(-1)!.sequence;
    return this.#pages.find(fits)?.items ?? null;
  }
}

/** Served in one turn: what they are told is written at its end. */
const turn_readers = 32;

/** Readers that still cannot go on put themselves back; one that has gone takes nothing. */
async function pumpAll(waiting: Set<Reader>): Promise<void> {
  const readers = [...waiting];
  waiting.clear();
  for (const [place, reader] of readers.entries()) {
    if (place > 0 && place % turn_readers === 0) await new Promise(setImmediate);
    reader.pump();
  }
}

const sizeOf = ({ event, interaction }: StoredEvent): number =>
  event.length + (interaction?.length ?? 0);

/** The first item above the cursor; there is one. */
function findAfter(items: readonly StoredEvent[], cursor: number): StoredEvent {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle]!.sequence > cursor) high = middle;
    else low = middle + 1;
  }
  return items[low]!;
}
