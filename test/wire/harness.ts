// A host that is only its wire floor: real sockets above, a scripted dispatcher below. It promises
// that everything it opened is closed by `stop`, and that no wait lasts longer than 10 s.

import { once } from "node:events";
import WebSocket from "ws";
import { bounds as fixedBounds } from "../../src/config.js";
import { Refusal } from "../../src/contract/errors.js";
import type { Dispatcher, IncomingCall } from "../../src/dispatch/dispatcher.js";
import { createRefuser, type Incident } from "../../src/dispatch/refuse.js";
import type { Proof, WireBounds } from "../../src/wire/parts.js";
import { startWire, type Wire, type WireParts } from "../../src/wire/server.js";

export type Handler = (call: IncomingCall) => unknown;

export interface TestWire extends Wire {
  calls: IncomingCall[];
  incidents: Incident[];
  logged: { fields: Record<string, unknown>; message: string }[];
  held: string[];
  dial(options?: DialOptions): Promise<Peer>;
  stop(): Promise<void>;
}

export interface DialOptions {
  headers?: Record<string, string>;
  path?: string;
  autoPong?: boolean;
  pauseAtOnce?: boolean;
}

export interface TestWireOptions {
  handlers?: Record<string, Handler>;
  bounds?: Partial<WireBounds>;
  parts?: Partial<WireParts>;
  identify?: (plugin_token: string) => Promise<Proof>;
}

export const goodToken = "rh_key_secret";
export const proof: Proof = {
  principal: { tenant_id: "default", plugin_identity: "acme/one" },
  key_id: "key",
};

export const wireBounds: WireBounds = {
  ...fixedBounds,
  max_message_bytes: 1_114_112,
  max_batch: 100,
  max_in_flight: 256,
  max_connections: 1000,
};

/** A promise that the test settles. */
export function createGate<T = void>() {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function identifyOne(plugin_token: string): Promise<Proof> {
  if (plugin_token === "rh_down") throw new Refusal("UNAVAILABLE");
  if (plugin_token === "rh_often") {
    throw new Refusal("RATE_LIMITED", { retry_after_ms: 1500 });
  }
  if (plugin_token === "rh_broken") throw new Error("directory is broken");
  const [, key_id] = plugin_token.split("_");
  if (plugin_token !== goodToken && plugin_token !== "rh_other_secret") {
    throw new Refusal("UNAUTHENTICATED");
  }
  return { ...proof, key_id: key_id! };
}

/** As the ladder does: identity first, then the method; a handler may return {effect, answer}. */
function scriptDispatcher(handlers: Record<string, Handler>, calls: IncomingCall[]): Dispatcher {
  const own: Record<string, Handler> = {
    plugin_connect: ({ connection, params }) => connection.login(String(params["token"])),
    ping: () => ({ ok: true }),
    echo: ({ params, inspect }) => ({ params, issues: inspect(params) }),
  };
  const all = new Map(Object.entries({ ...own, ...handlers }));
  return {
    listed: () => null,
    orderKeys: (method, params) =>
      method.startsWith("write") && typeof params["run_id"] === "string" ? [params["run_id"]] : [],
    call(input) {
      calls.push(input);
      const open = input.method === "plugin_connect" || input.method === "ping";
      const answer = (async () => {
        if (!open && input.connection.principal === null) throw new Refusal("UNAUTHENTICATED");
        const handler = all.get(input.method);
        if (handler === undefined) throw new Refusal("METHOD_NOT_FOUND");
        const issues = input.inspect(input.params);
        if (issues.length > 0 && input.method !== "echo") {
          throw new Refusal("INVALID_PARAMS", { issues });
        }
        return handler(input);
      })();
      const effect = Promise.resolve(input.params["effect"] as never);
      return { effect: effect.then(() => answer).then(noop, noop), answer };
    },
  };
}

const noop = (): void => undefined;

const noSubscriptions = {
  subscribe: () => ({ subscription_id: "sub", begin: noop }),
  unsubscribe: () => false,
  flushed: noop,
  end: noop,
};

export async function startTestWire(options: TestWireOptions = {}): Promise<TestWire> {
  const calls: IncomingCall[] = [];
  const incidents: Incident[] = [];
  const logged: TestWire["logged"] = [];
  const held: string[] = [];
  const peers: Peer[] = [];
  const note = (fields: Record<string, unknown>, message: string): void => {
    logged.push({ fields, message });
  };
  const wire = await startWire({
    host: "127.0.0.1",
    port: 0,
    allowed_origins: [],
    bounds: { ...wireBounds, ...options.bounds },
    dispatcher: scriptDispatcher(options.handlers ?? {}, calls),
    refuse: createRefuser((incident) => void incidents.push(incident), (text) => text),
    identities: {
      identify: options.identify ?? identifyOne,
      permissions: () => ["agent_run:create"],
      hold: ({ principal, key_id }) => {
        const name = `${principal.plugin_identity} ${key_id}`;
        held.push(name);
        return () => void held.splice(held.indexOf(name), 1);
      },
    },
    feed: { attach: () => noSubscriptions },
    ready: async () => ({ ready: true }),
    metrics: async () => ({ type: "text/plain; version=0.0.4", text: "up 1\n" }),
    openrpc: () => ({ openrpc: "1.3.2" }),
    log: { info: note, error: note },
    ...options.parts,
  });
  return {
    ...wire,
    calls,
    incidents,
    logged,
    held,
    async dial(dialOptions = {}) {
      const peer = await dial(wire.url, dialOptions);
      peers.push(peer);
      return peer;
    },
    async stop() {
      for (const peer of peers) peer.socket.terminate();
      await wire.close();
    },
  };
}

export const asPlugin: DialOptions = { headers: { authorization: `Bearer ${goodToken}` } };

export type Peer = ReturnType<typeof createPeer>;

/** Opens a socket; rejects with the status when the upgrade is refused. */
export async function dial(url: string, options: DialOptions = {}): Promise<Peer> {
  const address = options.path === undefined ? url : url.replace("/rpc", options.path);
  const socket = new WebSocket(address, {
    headers: options.headers,
    autoPong: options.autoPong ?? true,
    perMessageDeflate: false,
  });
  const peer = createPeer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      reject(new Error(String(response.statusCode)));
    });
  });
  if (options.pauseAtOnce) socket.pause();
  return peer;
}

function createPeer(socket: WebSocket) {
  const received: string[] = [];
  let arrived = createGate();
  socket.on("message", (data) => {
    received.push(String(data));
    arrived.open();
    arrived = createGate();
  });
  socket.on("error", noop);
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  let id = 0;

  async function next(): Promise<any> {
    while (received.length === 0) await within(arrived.opened, "a message");
    return JSON.parse(received.shift()!);
  }

  return {
    socket,
    received,
    next,
    closed: () => within(closed, "the close"),
    sendText: (text: string) => socket.send(text),
    send: (value: unknown) => socket.send(JSON.stringify(value)),
    /** Sends a request and takes the next message as its answer. */
    async call(method: string, params: unknown = {}): Promise<any> {
      id += 1;
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      return next();
    },
    /** Settles when the host has read everything sent so far and its answers have come. */
    async settle(): Promise<void> {
      const ponged = once(socket, "pong");
      socket.ping();
      await within(ponged, "the pong");
    },
  };
}

export async function within<T>(waited: Promise<T>, name: string, ms = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not come within ${ms} ms`)), ms);
  });
  return Promise.race([waited, late]).finally(() => clearTimeout(timer));
}

export const request = (id: unknown, method: string, params?: unknown) => ({
  jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }),
});
