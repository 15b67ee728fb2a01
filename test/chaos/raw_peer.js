// A connection that shows what the wire does: no repeats, no reconnects, and how long each request
// went unanswered.

import { WebSocket } from "ws";

/** @param {string} url @param {string} token @param {{ hear?: (method: string, params: any) => void }} [options] */
export async function openRawPeer(url, token, { hear = () => undefined } = {}) {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false,
  });
  /** @type {Map<number, { settle(answer: any): void, sent: number }>} */
  const unanswered = new Map();
  let last_id = 0;
  let oldest_ms = 0;
  let ended = /** @type {string | null} */ (null);
  socket.on("message", (data) => {
    const message = JSON.parse(String(data));
    if (message.method !== undefined) return hear(message.method, message.params);
    const waiting = unanswered.get(message.id);
    if (waiting === undefined) return;
    unanswered.delete(message.id);
    oldest_ms = Math.max(oldest_ms, performance.now() - waiting.sent);
    waiting.settle(message);
  });
  const closed = new Promise((resolve) => {
    socket.once("close", (code) => {
      ended = `the connection ended with ${code}`;
      for (const { settle } of unanswered.values()) settle(null);
      unanswered.clear();
      resolve(code);
    });
  });
  await new Promise((resolve, reject) => {
    socket.once("open", () => resolve(undefined));
    socket.on("error", reject);
  });
  return {
    socket,
    closed,
    /** The longest that a request waited for its answer. */
    oldestMs: () => oldest_ms,
    /** The answer's result or error; null when the connection ended first.
     * @param {string} method @param {object} params @returns {Promise<any>} */
    ask(method, params) {
      if (ended !== null) return Promise.resolve(null);
      last_id += 1;
      const id = last_id;
      return new Promise((settle) => {
        unanswered.set(id, { settle, sent: performance.now() });
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }), () => undefined);
      });
    },
    close() {
      socket.terminate();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openRawPeer>>} RawPeer */
