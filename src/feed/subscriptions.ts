// The subscriptions of one connection: each takes its run's events at its own pace, while the
// connection has room. A connection that stays too full for too long loses them all and is told
// where to resume. Nothing waits for a subscriber, and nothing is kept for it but its cursor.

import { Refusal } from "../contract/errors.js";
import { limits } from "../contract/limits.js";
import type { Admissions } from "./admissions.js";
import type { FeedBounds, Outgoing, StoredEvent, Subscriber, Wanted } from "./parts.js";
import type { Reader, Tail } from "./tail.js";
import type { Tails } from "./tails.js";

export interface SubscriberParts {
  outgoing: Outgoing;
  tails: Tails;
  admissions: Admissions;
  bounds: Pick<FeedBounds, "waiting_bytes_max" | "slow_ms">;
  makeId(): string;
}

type DropReason = "slow" | "not_authorized";

export function createSubscriber(parts: SubscriberParts): Subscriber {
  const { outgoing, bounds } = parts;
  const held = new Map<string, Subscription>();
  const blocked = new Set<Subscription>();
  let slow: NodeJS.Timeout | null = null;
  let ended = false;

  const room: Room = {
    hasRoom: () => outgoing.waiting_bytes < bounds.waiting_bytes_max,
    block(subscription) {
      blocked.add(subscription);
      slow ??= setTimeout(dropAll, bounds.slow_ms);
    },
    send: (text) => outgoing.send(text),
    remove(subscription) {
      held.delete(subscription.id);
      if (blocked.delete(subscription) && blocked.size === 0) forgive();
    },
  };

  function dropAll(): void {
    for (const subscription of [...held.values()]) subscription.drop("slow");
  }

  function forgive(): void {
    if (slow !== null) clearTimeout(slow);
    slow = null;
  }

  function unblock(): void {
    forgive();
    const waiting = [...blocked];
    blocked.clear();
    for (const subscription of waiting) subscription.pump();
  }

  return {
    subscribe(wanted) {
      const limit = limits.subscriptions_per_connection;
      if (held.size >= limit) throw new Refusal("OVERLOADED", { limit });
      const subscription = new Subscription(parts.makeId(), wanted, { ...parts, room });
      held.set(subscription.id, subscription);
      return {
        subscription_id: subscription.id,
        begin: () => void (ended || subscription.start()),
      };
    },
    unsubscribe(subscription_id) {
      const subscription = held.get(subscription_id);
      subscription?.end();
      return subscription !== undefined;
    },
    flushed() {
      // Half of the bound, or a trickle would pass for keeping up.
      const isLow = outgoing.waiting_bytes <= bounds.waiting_bytes_max / 2;
      if (isLow && blocked.size > 0) unblock();
    },
    end() {
      ended = true;
      for (const subscription of [...held.values()]) subscription.end();
    },
  };
}

/** What a subscription shares with the others of its connection. */
interface Room {
  hasRoom(): boolean;
  /** Calls `pump` when there is room again. */
  block(subscription: Subscription): void;
  send(text: string): void;
  remove(subscription: Subscription): void;
}

type OwnParts = Pick<SubscriberParts, "tails" | "admissions"> & { room: Room };

class Subscription implements Reader {
  readonly id: string;
  readonly #parts: OwnParts;
  readonly #admitted: Pick<Wanted, "grant" | "again">;
  readonly #named: { tenant_id: string; run_id: string; last_sequence: number };
  readonly #starts: ReturnType<typeof writeStarts>;
  #cursor: number;
  #tail: Tail | null = null;
  #gone = false;
  #forgetAdmission = (): void => undefined;

  constructor(id: string, wanted: Wanted, parts: OwnParts) {
    const { grant, again, run, after_sequence } = wanted;
    const { run_id, last_sequence } = run;
    this.id = id;
    this.#parts = parts;
    this.#admitted = { grant, again };
    this.#named = { tenant_id: grant.tenant_id, run_id, last_sequence };
    this.#starts = writeStarts(id, run_id);
    this.#cursor = after_sequence;
  }

  get cursor(): number {
    return this.#cursor;
  }

  start(): void {
    if (this.#gone || this.#tail !== null) return;
    const { tails, admissions } = this.#parts;
    const { run_id } = this.#named;
    this.#tail = tails.join(this.#named, this);
    const refuse = (): void => this.drop("not_authorized");
    this.#forgetAdmission = admissions.watch({ ...this.#admitted, run_id, refuse });
    this.pump();
  }

  pump(): void {
    while (!this.#gone && this.#tail !== null) {
      if (!this.#parts.room.hasRoom()) return this.#parts.room.block(this);
      const next = this.#tail.take(this);
      if (next === null) return;
      if ("ended" in next) return this.#tellEnd(next.ended);
      this.#tellEvent(next);
    }
  }

  /** The run is gone, and with it what admitted the subscription. */
  lose(): void {
    this.drop("not_authorized");
  }

  drop(reason: DropReason): void {
    if (this.#gone) return;
    this.end();
    const resume_after = JSON.stringify(String(this.#cursor));
    const rest = `"reason":"${reason}","resume_after":${resume_after}`;
    this.#parts.room.send(`${this.#starts.dropped}${rest}}}`);
  }

  end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#forgetAdmission();
    if (this.#tail !== null) this.#parts.tails.leave(this.#tail, this);
    this.#parts.room.remove(this);
  }

  #tellEvent({ sequence, event, interaction }: StoredEvent): void {
    const { room } = this.#parts;
    this.#cursor = sequence;
    room.send(`${this.#starts.event}${event}}}`);
    if (interaction !== null) room.send(`${this.#starts.interaction}${interaction}}}`);
  }

  #tellEnd(run: string): void {
    this.end();
    this.#parts.room.send(`${this.#starts.ended}${run}}}`);
  }
}

/** Notifications of one subscription up to what is told, which is JSON already: nothing is parsed
    or written anew for one of many subscribers. */
function writeStarts(subscription_id: string, run_id: string) {
  const address = `"subscription_id":${JSON.stringify(subscription_id)}`;
  const run = `${address},"run_id":${JSON.stringify(run_id)}`;
  const start = (method: string, rest: string): string =>
    `{"jsonrpc":"2.0","method":"${method}","params":{${rest},`;
  return {
    event: `${start("run_event", run)}"event":`,
    interaction: `${start("interaction_requested", run)}"interaction":`,
    ended: `${start("run_ended", address)}"run":`,
    dropped: start("subscription_dropped", address),
  };
}
