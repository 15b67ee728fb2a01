// One socket to a host: calls out, their answers and the host's notifications in. It counts what
// the host still has to answer, and looks whether the host is alive. It does not reconnect.

import type { Closing, Socket } from "./socket.js";

export type Message = Record<string, any>;
export type Hear = (method: string, params: Record<string, any>, characters: number) => void;

interface ConnectionOptions {
  socket: Socket;
  /** Hears every notification, in order with the answers. */
  hear: Hear;
  /** Without a sign of life for this long the host is asked for one; for twice as long: cut. */
  pingMs: number;
}

export class Connection {
  readonly closed: Promise<Closing>;
  readonly #socket: Socket;
  readonly #hearNotification: Hear;
  readonly #answers = new Map<number, (answer: Message) => void>();
  readonly #pingMs: number;
  /** How many calls the host has answered. */
  answered = 0;
  #last_id = 0;
  #heard_at = performance.now();
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ socket, hear, pingMs }: ConnectionOptions) {
    this.#socket = socket;
    this.#hearNotification = hear;
    this.#pingMs = pingMs;
    this.closed = socket.closed;
    socket.onText((text) => this.#hear(text));
    void this.closed.then(() => {
      this.#ended = true;
      clearTimeout(this.#timer);
    });
  }

  /** Calls that the host has not answered; the caller may have given up some of them. */
  get unanswered(): number {
    return this.#answers.size;
  }

  /**
   * `params` is JSON text. The answer is told at once, before anything that came after it. False:
   * the connection is closing, and the call never left.
   */
  send(method: string, params: string, answered: (answer: Message) => void): boolean {
    const id = (this.#last_id += 1);
    const name = JSON.stringify(method);
    const text = `{"jsonrpc":"2.0","id":${id},"method":${name},"params":${params}}`;
    if (!this.#socket.send(text)) return false;
    this.#answers.set(id, answered);
    return true;
  }

  close(code = 1000, reason = ""): void {
    this.#socket.close(code, reason);
  }

  cut(reason: string): void {
    this.#socket.cut(reason);
  }

  /** From now on a host that says nothing is asked, and cut when it does not answer. */
  watch(): void {
    const idle_ms = performance.now() - this.#heard_at;
    if (idle_ms < this.#pingMs) return this.#lookIn(this.#pingMs - idle_ms, () => this.watch());
    const asked_at = performance.now();
    this.send("ping", "{}", () => undefined);
    const judge = (): void => {
      if (this.#heard_at >= asked_at) return this.watch();
      this.cut("the host gives no sign of life");
    };
    // A program that was busy all the time reads what has arrived before it judges the host.
    this.#lookIn(this.#pingMs, () => this.#lookIn(0, judge));
  }

  #lookIn(ms: number, look: () => void): void {
    if (!this.#ended) this.#timer = setTimeout(look, ms);
  }

  #hear(text: string): void {
    this.#heard_at = performance.now();
    const message = readMessage(text);
    // Whoever waits for what cannot be understood would wait for ever.
    if (message === null) return this.close(1002, "not a JSON-RPC message");
    const { id, method, params } = message;
    if (typeof method === "string") {
      return this.#hearNotification(method, params ?? {}, text.length);
    }
    const answered = this.#answers.get(id);
    this.#answers.delete(id);
    this.answered += 1;
    answered?.(message);
  }
}

/** A notification, or an answer to a call; null for anything else. */
function readMessage(text: string): Message | null {
  try {
    const message = JSON.parse(text);
    return typeof message.method === "string" || typeof message.id === "number" ? message : null;
  } catch {
    return null;
  }
}
