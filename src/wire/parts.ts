// The words between main, the rooms of wire and the socket: what is handed in, by shape alone, so
// that wire imports neither the directory of identities nor the configuration.

import type { Refusal } from "../contract/errors.js";
import type { IncomingCall } from "../dispatch/dispatcher.js";

/** What dispatch sees of a connection. */
export type ServedConnection = IncomingCall["connection"];
export type Principal = NonNullable<ServedConnection["principal"]>;
export type NotedClaim = Parameters<ServedConnection["noteClaim"]>[0];

/** What a token proved; key_id is null for the built-in administrator. */
export interface Proof {
  principal: Principal;
  key_id: string | null;
}

/** The directory of identities, as far as wire needs it. */
export interface Identities {
  /** `address` is where the peer calls from; UNAUTHENTICATED, RATE_LIMITED or UNAVAILABLE. */
  identify(plugin_token: string, address: string): Promise<Proof>;
  permissions(principal: Principal): readonly string[];
  /** Keeps an identity fresh while a connection counts as its own; returns the release. */
  hold(proof: Proof): () => void;
}

/** The subscriptions of one connection; the feed keeps them. */
export interface Subscriber extends Pick<ServedConnection, "subscribe" | "unsubscribe"> {
  /** Bytes have left. */
  flushed(): void;
  /** Ends them all and says nothing. */
  end(): void;
}

/** The way out that subscriptions write to, text frame by text frame. */
export interface Outgoing {
  readonly waiting_bytes: number;
  send(text: string): void;
}

export interface Feed {
  attach(outgoing: Outgoing): Subscriber;
}

/** How a connection is to end. */
export interface Leave {
  code: number;
  reason: string;
  /** The answer to calls that come from now on. */
  refusal: Refusal;
  /** Waits are cut after the first, the socket closes after the second. */
  cut_ms: number;
  wait_ms: number;
}

/** One socket; server.ts makes it. */
export interface Transport {
  /** Of the peer, as the socket tells it. */
  readonly address: string;
  send(text: string, flushed: () => void): void;
  ping(): void;
  /** `at_once`: nothing more is written, whether or not the peer answers the close frame. */
  close(code: number, reason: string, at_once: boolean): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  /** Bytes read so far: whatever arrives is a sign of life. */
  received(): number;
}

/** The operator's limits, as config.ts documents them. */
export interface WireBounds {
  max_message_bytes: number;
  max_batch: number;
  max_in_flight: number;
  max_connections: number;
  connect_seconds: number;
  connect_failures: number;
  upgrade_seconds: number;
  half_open_max: number;
  ping_seconds: number;
  ping_misses: number;
  drain_seconds: number;
  drain_wait_seconds: number;
  close_seconds: number;
  outgoing_pause_bytes: number;
  outgoing_bytes_max: number;
  stall_seconds: number;
  remembered_per_connection: number;
}

export interface WireLog {
  info(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}
