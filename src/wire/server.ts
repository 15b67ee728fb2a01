// The room of ws and of HTTP: listens, answers the plain endpoints, lets sockets in after the
// handshake, and turns each into a Transport for its connection. Refuses binary frames with 1003,
// larger ones than allowed with 1009, bad UTF-8 with 1007. main starts it last and stops it first.

import {
  createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import type { Dispatcher } from "../dispatch/dispatcher.js";
import type { Refuser } from "../dispatch/refuse.js";
import type { Connection } from "./connection.js";
import { createConnections, type Connections } from "./connections.js";
import {
  createEndpoints, refuse, type Endpoints, type Readiness, type Reply,
} from "./endpoints.js";
import {
  isExpectedHost, judgeUpgrade, rpcPath, type HandshakeRules, type Verdict,
} from "./handshake.js";
import type { Feed, Identities, Transport, WireBounds, WireLog } from "./parts.js";
import { createRpc } from "./rpc.js";

export type { Readiness } from "./endpoints.js";

export interface WireParts {
  host: string;
  /** 0 picks a free one. */
  port: number;
  allowed_origins: readonly string[];
  bounds: WireBounds;
  dispatcher: Dispatcher;
  refuse: Refuser;
  identities: Identities;
  feed: Feed;
  ready(): Promise<Readiness>;
  metrics(): Promise<{ type: string; text: string }>;
  openrpc(): unknown;
  log: WireLog;
}

export interface Wire {
  /** ws://…/rpc */
  url: string;
  http_url: string;
  connections: Omit<Connections, "open" | "drain">;
  /** Stops accepting, answers what is in flight, closes all sockets; safe to call twice. */
  close(): Promise<void>;
}

export async function startWire(parts: WireParts): Promise<Wire> {
  const { bounds, identities, log } = parts;
  const connections = createConnections({ ...parts, rpc: createRpc(parts.refuse) });
  let closing: Promise<void> | null = null;
  const isStopping = (): boolean => closing !== null;
  const names = { bound_host: parts.host, allowed_origins: parts.allowed_origins };
  const endpoints = createEndpoints({
    ...parts, isStopping, isExpectedHost: (host) => isExpectedHost(host, names),
  });
  const http = createServer({
    headersTimeout: bounds.upgrade_seconds * 1000,
    requestTimeout: bounds.upgrade_seconds * 1000,
    // The default looks for unfinished requests every 30 s only; and thousands that came in one
    // second would all be closed in one turn.
    connectionsCheckingInterval: checking_ms,
  });
  http.maxConnections = bounds.max_connections + bounds.half_open_max;
  const answer_ms = bounds.upgrade_seconds * 1000;
  http.on("request", (request, response) => {
    // Of a peer that reads slowly or not at all; otherwise answers and sockets would pile up.
    const cut = setTimeout(() => request.socket.destroy(), answer_ms);
    response.once("close", () => clearTimeout(cut));
    void answerRequest(endpoints, request, response);
  });
  const rules = {
    ...names,
    isClosed: () => isStopping() || connections.size >= bounds.max_connections,
    identify: identities.identify,
  };
  const door = createDoor({ endpoints, rules, connections, bounds, log });
  http.on("upgrade", (request, socket, head) => door.open({ request, socket, head }));

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => http.close(resolve));
    await connections.drain();
    door.cut();
    const cut = setTimeout(() => http.closeAllConnections(), bounds.close_seconds * 1000);
    await closed;
    clearTimeout(cut);
  }

  const port = await listenOn(http, parts);
  http.on("error", (cause) => log.error({ err: cause }, "the listener failed"));
  const authority = `${reachableHost(parts.host)}:${port}`;
  return {
    url: `ws://${authority}${rpcPath}`,
    http_url: `http://${authority}`,
    connections,
    close: () => (closing ??= close()),
  };
}

const checking_ms = 50;

/** Connections that the system keeps until they are looked at; Node's own 511 overflow when a fleet
    of clients comes back at once, and what overflows waits for seconds. */
const accept_queue = 4096;

function listenOn(http: Server, { host, port }: WireParts): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen({ port, host, backlog: accept_queue }, () => {
      http.off("error", reject);
      resolve((http.address() as AddressInfo).port);
    });
  });
}

async function answerRequest(
  endpoints: Endpoints,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const method = request.method ?? "";
  const { host } = request.headers;
  const { status, text, headers } = await endpoints({ method, path: pathOf(request), host });
  response.writeHead(status, headers).end(method === "HEAD" ? undefined : text);
}

interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

interface DoorParts {
  endpoints: Endpoints;
  rules: HandshakeRules;
  connections: Connections;
  bounds: WireBounds;
  log: WireLog;
}

/** Lets upgrades in or refuses them; `cut` ends every socket that ever asked and still stands. */
function createDoor({ endpoints, rules, connections, bounds, log }: DoorParts) {
  const standing = new Set<Duplex>();
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: bounds.max_message_bytes,
  });

  async function judge({ request, socket, head }: Upgrade): Promise<void> {
    const path = pathOf(request);
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      const { method = "", headers: { host } } = request;
      return writeReply(socket, await endpoints({ method, path, host }));
    }
    const address = request.socket.remoteAddress ?? "";
    const judged = await judgeUpgrade({ path, address, ...pickHeaders(request) }, rules);
    if (socket.destroyed) return;
    // Others have come in, or the host began to stop, while the identity was looked up.
    const verdict = judged.status === 101 && rules.isClosed() ? unavailable : judged;
    if (verdict.status !== 101) return writeReply(socket, refuseUpgrade(verdict));
    upgrades.handleUpgrade(request, socket, head, (ws) => {
      listen(ws, connections.open(toTransport(ws, socket as Socket), verdict.proof));
    });
  }

  return {
    open(upgrade: Upgrade): void {
      const { socket } = upgrade;
      standing.add(socket);
      socket.once("close", () => standing.delete(socket));
      socket.on("error", () => socket.destroy());
      judge(upgrade).catch((cause: unknown) => {
        log.error({ err: cause }, "an upgrade failed");
        writeReply(socket, refuse(500, "internal error"));
      });
    },
    cut(): void {
      for (const socket of standing) socket.destroy();
    },
  };
}

const unavailable = { status: 503 } as const;

function refuseUpgrade(verdict: Exclude<Verdict, { status: 101 }>): Reply {
  const { status } = verdict;
  const headers: Record<string, string> = {};
  if (status === 401) headers["www-authenticate"] = "Bearer";
  if (status === 503) headers["retry-after"] = "1";
  if (status === 429) {
    headers["retry-after"] = String(Math.ceil(verdict.retry_after_ms / 1000));
  }
  return refuse(status, STATUS_CODES[status] ?? "", headers);
}

function pickHeaders({ headers }: IncomingMessage) {
  return { host: headers.host, origin: headers.origin, authorization: headers.authorization };
}

function listen(ws: WebSocket, connection: Connection): void {
  ws.on("message", (data: RawData, isBinary: boolean) => {
    if (isBinary) connection.close(1003, "binary frames are not taken");
    else connection.receive(data.toString());
  });
  // ws has already sent the close code of a bad frame; this sees to it that the socket goes.
  ws.on("error", () => connection.close(1002, "bad frame"));
  ws.on("close", () => connection.finish());
}

function toTransport(ws: WebSocket, socket: Socket): Transport {
  let corked = false;
  const uncork = (): void => {
    corked = false;
    socket.uncork();
  };
  return {
    address: socket.remoteAddress ?? "",
    send(text, flushed) {
      // What is answered in one turn leaves in one write: the system call costs more than the rest.
      if (!corked) process.nextTick(uncork);
      if (!corked) socket.cork();
      corked = true;
      ws.send(text, () => flushed());
    },
    ping: () => ws.ping(),
    close(code, reason, at_once) {
      ws.close(code, reason);
      if (at_once) socket.end();
    },
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    received: () => socket.bytesRead,
  };
}

/** A peer that does not take the answer by then is cut. */
const reply_ms = 5000;

/** Node has given the socket away, so the answer is spelled out here; it ends the connection. */
function writeReply(socket: Duplex, { status, text, headers }: Reply): void {
  const cut = setTimeout(() => socket.destroy(), reply_ms);
  socket.once("close", () => clearTimeout(cut));
  const lines = Object.entries({ ...headers, connection: "close" });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head}\r\n${text}`);
}

function pathOf(request: IncomingMessage): string {
  const target = request.url ?? "";
  return target.startsWith("/") ? target.split("?", 1)[0]! : "";
}

/** An address that a client on this machine can open. */
function reachableHost(bound: string): string {
  if (bound === "0.0.0.0") return "127.0.0.1";
  if (bound === "::") return "[::1]";
  return bound.includes(":") ? `[${bound}]` : bound;
}
