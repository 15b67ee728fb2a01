// Other ends for the client: a scripted peer that does what a test says, and a wire in front of a real
// host that can be cut or frozen. Whatever a test opens here is closed after it.

import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { connect, HostError, type ConnectOptions, type Host } from "../../src/client/client.js";

export type Frame = { id: number; method: string; params: Record<string, any> };
export type Reply = (socket: WebSocket, frame: Frame) => void;

/** To be undone after the test, latest first. */
export const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export const answer = (socket: WebSocket, id: number, result: unknown): void =>
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }));

export const refuse = (socket: WebSocket, id: number, error: unknown): void =>
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, error }));

export const refuseAs = (socket: WebSocket, id: number, data: Record<string, unknown>): void =>
  refuse(socket, id, { code: -32000, message: String(data["code"]), data });

export const notify = (socket: WebSocket, method: string, params: unknown): void =>
  socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));

export const who = { plugin_identity: "acme/bot", tenant_id: "t1", permissions: ["agent_run:create"] };

export interface Peer {
  url: string;
  port: number;
  /** Every frame, in the order of arrival. */
  frames: Frame[];
  /** The methods of the frames, but for plugin_connect. */
  methods(): string[];
  /** Settles when that many frames have arrived. */
  arrived(count: number): Promise<void>;
  cut(): void;
  stop(): Promise<void>;
}

/** A peer that lets one token in and leaves all other frames to `reply`. */
export async function startPeer(
  reply: Reply,
  { port = 0, proved = who, takes = "good" }:
    { port?: number; proved?: object; takes?: string } = {},
): Promise<Peer> {
  const server = new WebSocketServer({ port, host: "127.0.0.1" });
  await once(server, "listening");
  const frames: Frame[] = [];
  const watchers = new Set<() => void>();
  server.on("connection", (socket) => {
    socket.on("error", () => undefined);
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      frames.push(frame);
      for (const look of watchers) look();
      if (frame.method === "plugin_connect" && frame.params["token"] === takes) {
        return answer(socket, frame.id, proved);
      }
      return reply(socket, frame);
    });
  });
  const cut = (): void => server.clients.forEach((socket) => socket.terminate());
  const stop = (): Promise<void> => {
    cut();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  ends.push(stop);
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${chosen}/rpc`, port: chosen, frames, cut, stop,
    methods: () => frames.map(({ method }) => method).filter((name) => name !== "plugin_connect"),
    arrived: (count) => new Promise((resolve) => {
      const look = (): void => {
        if (frames.length >= count) resolve();
      };
      watchers.add(look);
      look();
    }),
  };
}

/** Ends with the test. */
export async function dial(
  url: string,
  options: Partial<ConnectOptions> = {},
): Promise<Host> {
  const host = await connect({ url, token: "good", ...options });
  ends.push(() => host.close());
  return host;
}

export async function refusalOf(work: Promise<unknown>): Promise<HostError> {
  const thrown = await work.then(
    (result) => new Error(`no refusal but ${JSON.stringify(result)}`),
    (cause: unknown) => cause,
  );
  if (!(thrown instanceof HostError)) throw thrown;
  return thrown;
}

/** Settles when the client is in that state, now or later. */
export function reached(host: Host, state: Host["state"]): Promise<void> {
  return new Promise((resolve) => {
    if (host.state === state) return resolve();
    const leave = host.onState((now) => {
      if (now !== state) return;
      leave();
      resolve();
    });
  });
}

export interface Wire {
  url: string;
  /** Ends every connection that goes through it, without a word. */
  cut(): void;
  /** From now on nothing gets through, in both directions; the sockets stay. */
  freeze(): void;
  /** From now on nobody gets through any more; what is connected stays. */
  refuse(): void;
}

/** A TCP wire to a host's port. */
export async function startWire(target: string): Promise<Wire> {
  const { port } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    const far = connectTcp(Number(port), "127.0.0.1");
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => undefined);
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => pairs.forEach(([near]) => near.destroy());
  ends.push(() => {
    cut();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port: near } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${near}/rpc`,
    cut,
    freeze: () => {
      for (const socket of [...pairs].flat()) socket.removeAllListeners("data").resume();
    },
    refuse: () => void server.close(),
  };
}
