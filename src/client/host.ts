// The client as its users see it: one connected plugin, a typed method for every action of the
// protocol, live events, and a state to observe. client.ts and browser.ts hand in the socket.

import type { HostMethods } from "../../protocol/methods.js";
import { actionNames } from "../contract/action_names.js";
import { Calls, type CallOptions } from "./calls.js";
import type { Message } from "./connection.js";
import type { HostError } from "./host_error.js";
import { Link, type ConnectionState } from "./link.js";
import { Followers, type EventsOptions, type RunEvents } from "./run_events.js";
import type { Closing, OpenSocket } from "./socket.js";

export interface ConnectOptions {
  /** ws://HOST:PORT/rpc, or wss:// behind a TLS proxy. */
  url: string;
  /** As plugin_register issued it. */
  token: string;
  /** Of the program, up to 100 characters, for the host's log. */
  name?: string | undefined;
  /** Of the program, up to 100 characters, for the host's log. */
  version?: string | undefined;
  /** Default true: a connection that ends is made again, and the identity proved again. */
  reconnect?: boolean | undefined;
  /** How long a call may take that says nothing else, in milliseconds; default 30,000. */
  timeoutMs?: number | undefined;
  /**
   * How long the host may be silent before it is asked for a sign of life, in milliseconds; after
   * as long again the connection is given up. Default 15,000.
   */
  pingMs?: number | undefined;
  /** W3C trace context of the moment; asked at each call and sent with it. */
  traceparent?: (() => string | undefined) | undefined;
}

export type NotificationListener = (method: string, params: Record<string, any>) => void;

/**
 * A plugin that is connected to a host.
 *
 * Calls that are made while the connection is away wait for it, within their time. Calls under way
 * when it ends are sent again where the protocol says that a repeat does nothing twice; the others
 * are rejected with CONNECTION_LOST. Calls keep their order; but one that the host asked to come
 * back later is overtaken by those after it, so await each write that another one builds on.
 * Every failure is a {@link HostError}, except the reason of an aborted signal.
 */
export interface Host extends HostMethods<CallOptions> {
  /** Whom the token proved, AUTHOR/NAME. */
  readonly identity: string;
  readonly tenant_id: string;
  /** As they were when the connection was made last. */
  readonly permissions: readonly string[];
  readonly state: ConnectionState;
  /** Hears each change of `state`; the returned function ends it. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Any method by its wire name. The typed methods stand on this one. */
  call(method: string, params?: object, options?: CallOptions): Promise<any>;
  /** Hears every notification in order; the returned function ends it. */
  onNotification(listener: NotificationListener): () => void;
  /**
   * Every event of a run in order, those of the past first, until the run has ended.
   *
   * @example
   * const events = host.events(run_id);
   * for await (const event of events) show(event.sequence, event.type);
   * show(events.run?.status);
   */
  events(run_id: string, options?: EventsOptions): RunEvents;
  /** Settles once, when the client is closed for good, whoever did it; never rejects. */
  readonly closed: Promise<Closing>;
  /** Ends the connection; calls that still wait are rejected with CLOSED. */
  close(): Promise<void>;
}

/** Rejects with HostError, and with SyntaxError for a malformed address. */
export async function connectHost(
  openSocket: OpenSocket,
  options: ConnectOptions,
): Promise<Host> {
  const client = new Client(openSocket, options);
  await client.open();
  return client as unknown as Host;
}

class Client {
  identity = "";
  tenant_id = "";
  permissions: readonly string[] = [];
  readonly closed: Promise<Closing>;
  readonly #link: Link;
  readonly #calls: Calls;
  readonly #followers: Followers;
  readonly #listeners = new Set<NotificationListener>();
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  #settleClosed: (closing: Closing) => void = () => undefined;

  constructor(openSocket: OpenSocket, options: ConnectOptions) {
    const random = Math.random;
    const { url, traceparent, reconnect = true, timeoutMs = 30_000, pingMs = 15_000 } = options;
    this.closed = new Promise((settle) => (this.#settleClosed = settle));
    this.#calls = new Calls({ timeoutMs, traceparent, random });
    this.#followers = new Followers(this.#calls);
    this.#link = new Link({
      openSocket, url, proof: writeProof(options), reconnect, pingMs, random,
      hear: (...note) => this.#hear(...note),
      onOpen: (connection, proved) => {
        this.#note(proved);
        const { max_in_flight: calls = Infinity, max_message_bytes: bytes = Infinity } =
          proved["limits"] ?? {};
        this.#calls.useConnection(connection, { calls, bytes });
        this.#tellState();
      },
      onLost: (closing) => {
        this.#calls.loseConnection(closing);
        this.#followers.loseAll();
        this.#tellState();
      },
      onClosed: (closing, refusal) => this.#close(closing, refusal),
    });
    Object.assign(this, methodsOf(this));
  }

  open(): Promise<void> {
    return this.#link.open();
  }

  get state(): ConnectionState {
    return this.#link.state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  call(method: string, params: object = {}, options: CallOptions = {}): Promise<any> {
    const { signal, timeoutMs } = options;
    return this.#calls.call(method, params, { signal, timeoutMs });
  }

  onNotification(listener: NotificationListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  events(run_id: string, options: EventsOptions = {}): RunEvents {
    return this.#followers.follow(run_id, options);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #note({ plugin_identity, tenant_id, permissions }: Message): void {
    this.identity = plugin_identity;
    this.tenant_id = tenant_id;
    this.permissions = permissions ?? [];
  }

  #hear(method: string, params: Record<string, any>, characters: number): void {
    this.#followers.hear(method, params, characters);
    // One that throws is its owner's defect and takes neither the others nor the socket along.
    for (const hear of this.#listeners) queueMicrotask(() => hear(method, params));
  }

  #tellState(): void {
    const { state } = this;
    for (const hear of this.#stateListeners) queueMicrotask(() => hear(state));
  }

  #close(closing: Closing, refusal: () => HostError): void {
    this.#calls.close(refusal);
    this.#followers.loseAll();
    this.#tellState();
    this.#settleClosed(closing);
  }
}

function writeProof({ token, name, version }: ConnectOptions): object {
  if (name === undefined && version === undefined) return { token };
  return { token, client: { name: name ?? "runhost client", version } };
}

/** One method per action, under its wire name in camel case; `rpc.discover` is `discover`. */
function methodsOf(client: Client): Record<string, unknown> {
  return Object.fromEntries(actionNames.map((name) => [
    name.replace(/^rpc\./, "").replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    (params?: object, options?: CallOptions) => client.call(name, params, options),
  ]));
}
