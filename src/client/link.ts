// Keeps one proven connection to a host: opens it, proves the identity on it, and after its end
// looks for the next one until the client is closed or the host takes the token no more.

import { backOffMs } from "./back_off.js";
import { Connection, type Hear, type Message } from "./connection.js";
import {
  clientClosed, connectionLost, HostError, readRefusal, tokenRefused, unreachable,
} from "./host_error.js";
import type { Closing, OpenSocket } from "./socket.js";

export type ConnectionState = "open" | "reconnecting" | "closed";

interface LinkOptions {
  openSocket: OpenSocket;
  url: string;
  /** Params of plugin_connect. */
  proof: object;
  reconnect: boolean;
  pingMs: number;
  random: () => number;
  hear: Hear;
  /** What plugin_connect answered, each time. */
  onOpen(connection: Connection, proved: Message): void;
  onLost(closing: Closing): void;
  /** Once; `refusal` makes what every later call is refused with. */
  onClosed(closing: Closing, refusal: () => HostError): void;
}

/** Until the socket is open, and again until the host has said who this is. */
const connect_ms = 10_000;
/** The close code of a token that is revoked or of a plugin that is disabled. */
const revoked_code = 4401;
/** A connection that lasted this long, or carried a call, was a good one: attempts start anew. */
const steady_ms = 5000;

export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #state: ConnectionState = "reconnecting";
  #connection: Connection | null = null;
  #attempt = 0;
  #opened_at = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The first connection; rejects where it does not come about. */
  async open(): Promise<void> {
    this.#use(await this.#dial());
  }

  /** Settles when the socket is gone. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#end({ code: 1000, reason: "" }, clientClosed);
    connection?.close();
    await connection?.closed;
  }

  #use({ connection, proved }: { connection: Connection; proved: Message }): void {
    if (this.#stop.signal.aborted) return connection.close();
    this.#state = "open";
    this.#connection = connection;
    this.#opened_at = performance.now();
    connection.watch();
    void connection.closed.then((closing) => this.#lose(connection, closing));
    this.#options.onOpen(connection, proved);
  }

  #lose({ answered }: Connection, closing: Closing): void {
    this.#connection = null;
    if (this.#state === "closed") return;
    if (closing.code === revoked_code) {
      const { code: close_code, reason: close_reason } = closing;
      const data = { close_code, close_reason };
      return this.#end(closing, () => tokenRefused(this.#options.url, data));
    }
    if (!this.#options.reconnect) return this.#end(closing, () => connectionLost(closing));
    this.#state = "reconnecting";
    const steady = performance.now() - this.#opened_at > steady_ms;
    if (steady || answered > 1) this.#attempt = 0;
    this.#options.onLost(closing);
    void this.#reconnect(closing);
  }

  async #reconnect(lost: Closing): Promise<void> {
    for (let soonest_ms = 0; !this.#stop.signal.aborted; ) {
      const rest_ms = Math.max(backOffMs(this.#attempt, this.#options.random), soonest_ms);
      await rest(rest_ms, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#attempt += 1;
      try {
        return this.#use(await this.#dial());
      } catch (thrown) {
        const refusal = thrown as HostError;
        soonest_ms = refusal.retryAfterMs ?? 0;
        // Whoever repeats what was refused for good only loads the host.
        if (refusal.retryable || refusal.code === "INTERNAL") continue;
        return this.#end(lost, () => new HostError(refusal.message, refusal.number, refusal.data));
      }
    }
  }

  #end(closing: Closing, refusal: () => HostError): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#stop.abort();
    this.#options.onClosed(closing, refusal);
  }

  async #dial(): Promise<{ connection: Connection; proved: Message }> {
    const { openSocket, url, hear, pingMs } = this.#options;
    const socket = await this.#limitTime((signal) => openSocket(url, signal))
      .catch((cause: Error) => {
        if (cause.name === "SyntaxError") throw cause;
        throw unreachable(`no host answers at ${url}: ${cause.message}`);
      });
    const connection = new Connection({ socket, hear, pingMs });
    try {
      const proved = await this.#limitTime((signal) => this.#prove(connection, signal));
      return { connection, proved };
    } catch (thrown) {
      if ((thrown as HostError).code === "UNREACHABLE") connection.cut("no host");
      else connection.close();
      throw thrown;
    }
  }

  async #prove(connection: Connection, signal: AbortSignal): Promise<Message> {
    const { url, proof } = this.#options;
    const { result, error } = await new Promise<Message>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(noHost(url)));
      void connection.closed.then((closing) => reject(connectionLost(closing)));
      connection.send("plugin_connect", JSON.stringify(proof), resolve);
    });
    if (!error) {
      if (typeof result?.plugin_identity === "string") return result;
      throw noHost(url);
    }
    const refusal = readRefusal(error);
    throw refusal.code === "UNAUTHENTICATED" ? tokenRefused(url, refusal.data) : refusal;
  }

  /** Work whose signal aborts when its time is over or the client is closed. */
  async #limitTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const end = (): void => limit.abort();
    const timer = setTimeout(end, connect_ms);
    this.#stop.signal.addEventListener("abort", end);
    try {
      return await work(limit.signal);
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", end);
    }
  }
}

const noHost = (url: string): HostError => unreachable(`${url} does not answer as a host does`);

/** Settles early when the signal aborts. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
