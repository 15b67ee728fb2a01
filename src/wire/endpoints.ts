// The plain HTTP endpoints, without HTTP: path and method in, status and text out. They need no
// identity and show none of what plugins store but the names of queues, in the metrics; these are
// refused (403) to a page that had its name rebound to this machine. Any other path is 404. Called
// by server.ts only.

import { rpcPath } from "./handshake.js";
import type { WireLog } from "./parts.js";

export type Readiness = { ready: true } | { ready: false; reason: string };

export interface EndpointParts {
  ready(): Promise<Readiness>;
  /** Text for Prometheus and its content type. */
  metrics(): Promise<{ type: string; text: string }>;
  openrpc(): unknown;
  isStopping(): boolean;
  /** Whether the Host header is one that no foreign page can have. */
  isExpectedHost(host: string | undefined): boolean;
  log: WireLog;
}

export interface Reply {
  status: number;
  /** One line of JSON, or the metrics. */
  text: string;
  headers: Record<string, string>;
}

export interface Asked {
  method: string;
  path: string;
  host: string | undefined;
}

export type Endpoints = (asked: Asked) => Promise<Reply>;

export function createEndpoints(parts: EndpointParts): Endpoints {
  let asking: Promise<Readiness> | null = null;
  let described: Reply | null = null;
  const answers = new Map<string, () => Reply | Promise<Reply>>([
    ["/healthz", () => reply(200, { ok: true })],
    ["/readyz", readiness],
    ["/metrics", async () => write(200, await parts.metrics())],
    ["/openrpc.json", () => (described ??= reply(200, parts.openrpc()))],
    [rpcPath, () => refuse(426, "a WebSocket upgrade is needed", { upgrade: "websocket" })],
  ]);

  async function readiness(): Promise<Reply> {
    const stopping: Readiness = { ready: false, reason: "the host is stopping" };
    const body = parts.isStopping() ? stopping : await askOnce();
    return reply(body.ready ? 200 : 503, body);
  }

  /** However many ask, the database hears of it once at a time. */
  function askOnce(): Promise<Readiness> {
    asking ??= parts.ready().finally(() => {
      asking = null;
    });
    return asking;
  }

  return async ({ method, path, host }) => {
    const answer = answers.get(path);
    if (answer === undefined) return refuse(404, "not found");
    if (method !== "GET" && method !== "HEAD") {
      return refuse(405, "method not allowed", { allow: "GET, HEAD" });
    }
    if (path === "/metrics" && !parts.isExpectedHost(host)) return refuse(403, "unexpected host");
    try {
      return await answer();
    } catch (cause) {
      parts.log.error({ err: cause, path }, "an endpoint failed");
      return refuse(500, "internal error");
    }
  };
}

/** The same words for a refused upgrade. */
export function refuse(status: number, error: string, headers = {}): Reply {
  return reply(status, { error }, headers);
}

function reply(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  const type = "application/json; charset=utf-8";
  return write(status, { type, text: JSON.stringify(body) }, headers);
}

function write(
  status: number,
  { type, text }: { type: string; text: string },
  headers: Record<string, string> = {},
): Reply {
  const own = {
    "content-type": type,
    "content-length": String(Buffer.byteLength(text)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  return { status, text, headers: { ...own, ...headers } };
}
