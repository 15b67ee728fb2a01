// What feed is handed and what it serves, by shape: reads of the ledger, the outgoing side of a
// connection, the wanted subscription. feed imports neither ledger nor wire.

import type { Grant } from "../contract/grants.js";
import type { Run } from "../contract/records.js";
import type { RunNamed } from "./signals.js";

/** One event as it goes out. */
export interface StoredEvent {
  sequence: number;
  /** JSON, made once for all subscribers. */
  event: string;
  /** JSON of the interaction that the event asked for. */
  interaction: string | null;
}

export interface TailPage {
  items: StoredEvent[];
  /** There are more events than the page holds. */
  more: boolean;
  /** The run as JSON, once it has ended. */
  ended: string | null;
}

export interface RunHead {
  run_id: string;
  last_sequence: number;
  ended: boolean;
}

export interface FeedReads {
  /** Events after a sequence, in order; null when there is no such run. */
  tail(
    query: RunNamed & { after_sequence: number; limit: number },
  ): Promise<TailPage | null>;
  heads(wanted: { tenant_id: string; run_ids: readonly string[] }): Promise<readonly RunHead[]>;
}

/** The way out of one connection. */
export interface Outgoing {
  /** Bytes that were sent and have not left the process. */
  readonly waiting_bytes: number;
  send(text: string): void;
}

export interface Wanted {
  /** What admits the subscription; its target is the run to follow. */
  grant: Grant<"read">;
  again(): Promise<Grant<"read">>;
  after_sequence: number;
  run: Run;
}

/** Subscriptions of one connection. */
export interface Subscriber {
  subscribe(wanted: Wanted): { subscription_id: string; begin(): void };
  unsubscribe(subscription_id: string): boolean;
  /** To be called when bytes have left the connection. */
  flushed(): void;
  /** Ends them all and says nothing. */
  end(): void;
}

export interface FeedBounds {
  /** A connection on which this much waits to leave is sent no more events. */
  waiting_bytes_max: number;
  /** One that has not sent half of it by then loses its subscriptions. */
  slow_ms: number;
  /** What a run's tail keeps for those who are nearly up to date. */
  ring_events: number;
  ring_characters: number;
  /** Looks for what hints did not tell. */
  poll_ms: number;
  /** How often it is asked whether a subscription is still admitted. */
  admission_ms: number;
  /** Reads at one moment, of all tails: subscribers leave the pool to others. */
  reads_max: number;
}
