// JSON-RPC 2.0 over one bare WebSocket, by hand: calls are told apart by their id, notifications of
// the host have none. A refusal rejects with the host's code; a lost socket ends all that waits.

import { WebSocket } from "ws";

/**
 * @typedef {Record<string, any>} Params
 * @typedef {Awaited<ReturnType<typeof openLine>>} Line
 */

/**
 * @param {object} parts
 * @param {string} parts.url
 * @param {string} parts.token
 * @param {(method: string, params: Params) => void} parts.onNotification
 */
export async function openLine({ url, token, onNotification }) {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  /** @type {Map<number, { resolve: (result: any) => void, reject: (cause: Error) => void }>} */
  const waiting = new Map();
  let last_id = 0;

  socket.on("message", (data) => {
    const { id, method, params, result, error } = JSON.parse(String(data));
    if (method !== undefined) return onNotification(method, params);
    const call = waiting.get(id);
    waiting.delete(id);
    // The data's code is the name of the refusal; the message is for people.
    if (error) call?.reject(new Error(`${error.data?.code ?? error.code}: ${error.message}`));
    else call?.resolve(result);
  });
  const closed = new Promise((resolve) => {
    socket.on("close", (code) => {
      const lost = new Error(`the host closed the connection with ${code}`);
      for (const { reject } of waiting.values()) reject(lost);
      resolve(lost);
    });
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    // A token that the host does not take ends the upgrade with 401.
    socket.once("error", reject);
  });

  return {
    /** Resolves, with the reason, when the connection is gone. */
    closed,
    /**
     * @param {string} method
     * @param {Params} [params]
     * @returns {Promise<any>}
     */
    call: (method, params = {}) =>
      new Promise((resolve, reject) => {
        last_id += 1;
        waiting.set(last_id, { resolve, reject });
        socket.send(JSON.stringify({ jsonrpc: "2.0", id: last_id, method, params }));
      }),
    async close() {
      socket.close(1000);
      await closed;
    },
  };
}
