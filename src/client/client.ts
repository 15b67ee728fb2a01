// The public client, `runhost/client`: one connection to a host, on which a plugin proves its
// identity, calls methods and hears notifications. Every refusal is a HostError. It does not
// reconnect: when the socket ends, what waits is rejected and `closed` settles.

import { openSocket, type Closing, type Socket } from "./socket.js";

export interface ConnectOptions {
  /** ws://HOST:PORT/rpc, or wss:// behind a TLS proxy. */
  url: string;
  /** As plugin_register issued it. */
  token: string;
  /** Of the program, up to 100 characters, for the host's log. */
  name?: string;
}

export type NotificationListener = (method: string, params: Record<string, any>) => void;

export interface HostConnection {
  /** Whom the token proved, AUTHOR/NAME. */
  readonly identity: string;
  readonly tenant_id: string;
  /** The result, or HostError. An aborted signal ends the waiting only, not the call itself. */
  call(method: string, params?: object, options?: { signal?: AbortSignal }): Promise<any>;
  /** Hears every notification in order; the returned function ends it. */
  onNotification(listener: NotificationListener): () => void;
  /** Settles when the connection is gone, whoever ended it; never rejects. */
  readonly closed: Promise<Closing>;
  /** Ends the connection; calls that still wait are rejected with CONNECTION_LOST. */
  close(): Promise<void>;
}

/**
 * `code` is a name of the protocol's error table, or one of the client's own, whose number is 0:
 * UNREACHABLE (no connection came about), CONNECTION_LOST (the socket ended before the answer; the
 * call may or may not have taken effect, and every write is safe to repeat).
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: string;
  readonly retryable: boolean;

  /** `data` holds code, retryable and the details of this refusal, as the host sent them. */
  constructor(message: string, readonly number: number, readonly data: Record<string, any>) {
    super(message);
    this.code = String(data["code"] ?? "UNKNOWN");
    this.retryable = data["retryable"] === true;
  }
}

/** Until the socket is open, and again until the host has said who this is. */
const connect_seconds = 10;

/** Proves the identity. Rejects with HostError, and with SyntaxError for a malformed address. */
export async function connect({ url, token, name }: ConnectOptions): Promise<HostConnection> {
  const socket = await openSocket(url, connect_seconds * 1000).catch((cause: Error) => {
    if (cause instanceof SyntaxError) throw cause;
    throw unreachable(`no host answers at ${url}: ${cause.message}`);
  });
  const connection = new Connection(socket);
  try {
    const params = { token, client: name === undefined ? undefined : { name } };
    const signal = AbortSignal.timeout(connect_seconds * 1000);
    const proved = await connection.call("plugin_connect", params, { signal });
    connection.identity = proved.plugin_identity;
    connection.tenant_id = proved.tenant_id;
    return connection;
  } catch (thrown) {
    void connection.close();
    if (!(thrown instanceof HostError)) throw unreachable(`${url} does not answer as a host does`);
    if (thrown.code !== "UNAUTHENTICATED") throw thrown;
    throw new HostError(`${url} does not accept this token`, thrown.number, thrown.data);
  }
}

type Message = Record<string, any>;
type Waiting = { resolve(answer: Message): void; reject(cause: unknown): void };

class Connection implements HostConnection {
  identity = "";
  tenant_id = "";
  readonly closed: Promise<Closing>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<NotificationListener>();
  #last_id = 0;
  #ended: Closing | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = socket.closed;
    socket.onText((text) => this.#hear(text));
    void socket.closed.then((closing) => {
      this.#ended = closing;
      for (const { reject } of this.#waiting.values()) reject(connectionLost(closing));
    });
  }

  async call(method: string, params = {}, { signal }: { signal?: AbortSignal } = {}) {
    signal?.throwIfAborted();
    if (this.#ended !== null) throw connectionLost(this.#ended);
    const id = (this.#last_id += 1);
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const answered = new Promise<Message>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    const abort = (): void => this.#waiting.get(id)?.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      this.#socket.send(text);
      const { result, error } = await answered;
      if (!error) return result;
      throw new HostError(String(error.message), Number(error.code), error.data ?? {});
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(id);
    }
  }

  onNotification(listener: NotificationListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#socket.close(1000, "");
    await this.closed;
  }

  #hear(text: string): void {
    const message = readMessage(text);
    // Whoever waits for what cannot be understood would wait for ever.
    if (message === null) return this.#socket.close(1002, "not a JSON-RPC message");
    const { id, method, params } = message;
    if (typeof method !== "string") return this.#waiting.get(id)?.resolve(message);
    // One that throws is its owner's defect and takes neither the others nor the socket along.
    for (const hear of this.#listeners) queueMicrotask(() => hear(method, params ?? {}));
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

const unreachable = (message: string): HostError =>
  new HostError(message, 0, { code: "UNREACHABLE", retryable: true });

function connectionLost({ code: close_code, reason: close_reason }: Closing): HostError {
  const message = `the connection to the host ended with ${close_code} ${close_reason}`.trim();
  const data = { code: "CONNECTION_LOST", retryable: true, close_code, close_reason };
  return new HostError(message, 0, data);
}
