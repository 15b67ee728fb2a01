// `ctx.steering()`: what reaches a run while it is worked on, item by item. Items are leased from
// the host when the handler asks for one, and confirmed when it asks for the next or completes; an
// item that a handler failed on, or never saw, stays unconfirmed and comes again.

import type { PulledSteering, SteeringItem } from "../../client/client.js";
import type { Bell } from "./bell.js";

export interface SteeringOptions {
  /**
   * The iteration ends when nothing has come for so long; 0 takes what is there. Default: it lasts
   * until the run is stopped, and then throws the reason.
   */
  idle_seconds?: number;
}

export interface InboxParts {
  /** Leases further items and confirms `ack` in one call. */
  pull(ack: string[]): Promise<PulledSteering>;
  ack(steering_ids: string[]): Promise<unknown>;
  /** Resolves when everything emitted so far is stored or refused. */
  settleEmits(): Promise<void>;
  /** Whether `ctx.ask` waits, or has waited, for this interaction. */
  isAsked(interaction_id: string): boolean;
  bell: Bell;
  stopping: AbortSignal;
  poll_seconds: number;
}

const known_types = [
  "message", "interaction.submitted", "interaction.cancelled", "interaction.expired",
];
/** steering_ack takes no more in one call, and one pull hands out no more. */
export const steering_items_max = 100;

export class Inbox {
  readonly #parts: InboxParts;
  /** Leased and not handed out; at most what one pull answers. */
  #leased: SteeringItem[] = [];
  /** Done with, and not yet confirmed. */
  #taken_in: string[] = [];
  /** Handed out by iterations that go on and have not asked for another item. */
  readonly #in_hand = new Set<string>();
  /** Handed out last by iterations that have ended; the next item asked for confirms them. */
  #left: string[] = [];

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  async *iterate({ idle_seconds = Infinity }: SteeringOptions = {}): AsyncGenerator<SteeringItem> {
    for (;;) {
      const item = await this.#next(idle_seconds);
      if (item === null) return;
      this.#in_hand.add(item.steering_id);
      try {
        yield item;
        this.#taken_in.push(item.steering_id);
        this.#in_hand.delete(item.steering_id);
      } finally {
        // A loop that ended by break or by a throw: whether the item counts, what follows decides.
        if (this.#in_hand.delete(item.steering_id)) this.#left.push(item.steering_id);
      }
    }
  }

  /** The handler completed: what it was handed is confirmed. */
  async finish(): Promise<void> {
    const done = [...this.#taken_in, ...this.#left, ...this.#in_hand];
    this.#taken_in = [];
    this.#left = [];
    this.#in_hand.clear();
    for (let from = 0; from < done.length; from += steering_items_max) {
      await this.#parts.ack(done.slice(from, from + steering_items_max));
    }
  }

  async #next(idle_seconds: number): Promise<SteeringItem | null> {
    const { stopping, bell, poll_seconds } = this.#parts;
    const idle_until = performance.now() + idle_seconds * 1000;
    this.#taken_in.push(...this.#left.splice(0));
    for (;;) {
      stopping.throwIfAborted();
      const seen = bell.rings;
      await this.#confirm();
      const item = this.#takeLeased();
      if (item !== null) return item;
      if (await this.#pull()) continue;
      stopping.throwIfAborted();
      const idle_ms = idle_until - performance.now();
      if (idle_ms <= 0) return null;
      await bell.wait(seen, Math.min(poll_seconds * 1000, idle_ms), stopping);
    }
  }

  /** The answer to an item is stored before the item is confirmed: a crash between repeats it. */
  async #confirm(): Promise<void> {
    if (this.#taken_in.length === 0) return;
    await this.#parts.settleEmits();
    const ids = this.#taken_in.splice(0, steering_items_max);
    try {
      await this.#parts.ack(ids);
    } catch (thrown) {
      this.#taken_in.unshift(...ids);
      throw thrown;
    }
  }

  #takeLeased(): SteeringItem | null {
    for (let item = this.#leased.shift(); item !== undefined; item = this.#leased.shift()) {
      const { steering_id, interaction } = item;
      const is_known = known_types.includes(item.type);
      const is_asked = interaction != null && this.#parts.isAsked(interaction.interaction_id);
      if (is_known && !is_asked) return item;
      this.#taken_in.push(steering_id);
    }
    return null;
  }

  async #pull(): Promise<boolean> {
    const ids = this.#taken_in.splice(0, steering_items_max);
    try {
      const { items } = await this.#parts.pull(ids);
      // One whose lease ran out comes again while it is still being worked on.
      this.#leased.push(...items.filter(({ steering_id }) => !this.#in_hand.has(steering_id)));
      return this.#leased.length > 0;
    } catch (thrown) {
      this.#taken_in.unshift(...ids);
      throw thrown;
    }
  }
}
