// A bare JSON-RPC client for tests: it speaks the wire as it stands, knows nothing of src, and keeps
// every notification it gets.

import { WebSocket } from "ws";

export interface RpcErrorBody {
  code: number;
  message: string;
  data: { code: string; retryable: boolean } & Record<string, unknown>;
}

export class RpcFailure extends Error {
  constructor(readonly error: RpcErrorBody) {
    super(`${error.code} ${JSON.stringify(error.data)}: ${error.message}`);
  }
}

export type Params = Record<string, unknown>;
export type Answer = any;

interface Waiting {
  resolve(answer: { result?: unknown; error?: RpcErrorBody }): void;
}

export class Client {
  readonly notifications: { method: string; params: Params }[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly waiting = new Map<number, Waiting>();
  private readonly watchers = new Set<() => void>();
  private next = 1;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("message", (data) => this.hear(String(data)));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const { resolve } of this.waiting.values()) {
        resolve({ error: { code: 0, message: "closed", data: { code: "CLOSED", retryable: true } } });
      }
      this.waiting.clear();
    });
  }

  /** Opens a socket; with a token it authenticates on the upgrade request. */
  static open(url: string, token?: string, headers: Record<string, string> = {}): Promise<Client> {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, { headers: { ...authorization, ...headers } });
    const client = new Client(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(client));
      socket.once("unexpected-response", (_request, response) => {
        reject(new Error(`refused with ${response.statusCode}`));
      });
      socket.once("error", reject);
    });
  }

  /** The result; throws RpcFailure for an error answer. */
  async call(method: string, params: Params = {}): Promise<Answer> {
    const answer = await this.ask(method, params);
    if (answer.error) throw new RpcFailure(answer.error);
    return answer.result;
  }

  /** The error's data, with its number as `number`; throws when the call succeeds. */
  async refusal(method: string, params: Params = {}): Promise<Answer> {
    const answer = await this.ask(method, params);
    if (!answer.error) {
      throw new Error(`${method} was expected to be refused: ${JSON.stringify(answer.result)}`);
    }
    return { number: answer.error.code, ...answer.error.data };
  }

  ask(method: string, params: unknown): Promise<{ result?: unknown; error?: RpcErrorBody }> {
    const id = this.next;
    this.next += 1;
    return new Promise((resolve) => {
      this.waiting.set(id, { resolve });
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** The first notification, past or to come, that fits. */
  async notified(fits: (note: { method: string; params: Params }) => boolean) {
    for (;;) {
      const found = this.notifications.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.watchers.add(resolve));
      this.watchers.clear();
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  private hear(text: string): void {
    const message = JSON.parse(text);
    if (message.method !== undefined) {
      this.notifications.push(message);
      for (const watcher of this.watchers) watcher();
      return;
    }
    this.waiting.get(message.id)?.resolve(message);
    this.waiting.delete(message.id);
  }
}
