// One connection of the load generator: JSON-RPC over ws with any number of calls in flight. It
// reads as little of an answer as it can, because what it spends is taken from what it measures. A
// call that the host could not serve in time is repeated, as the contract allows, and counted; one
// that is refused rejects with the host's error text. Used by the load processes.

import { WebSocket } from "ws";

const attempts_max = 5;
const head = '{"jsonrpc":"2.0","id":';

/** What happened in this process. */
export const counted = { repeated_calls: 0 };

/**
 * @typedef {(text: string) => void} Hear
 * @typedef {object} Call
 * @property {string} method
 * @property {string} params
 * @property {Hear} resolve
 * @property {(error: Error) => void} reject
 */

export class Link {
  #socket;
  #next_id = 0;
  /** @type {Map<number, Call & { attempt: number }>} */
  #waiting = new Map();
  /** Hears every text that answers no call. @type {Hear} */
  onNotification = () => undefined;

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#hear(data.toString()));
    socket.on("close", (code) => this.#end(new Error(`the host closed the connection: ${code}`)));
    socket.on("error", (error) => this.#end(error));
  }

  /**
   * @param {string} url
   * @param {string} token
   * @returns {Promise<Link>}
   */
  static open(url, token) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
      });
      socket.once("open", () => resolve(new Link(socket)));
      socket.once("error", reject);
    });
  }

  /**
   * The text of the answer, unread but for its id and that it is no error.
   * @param {string} method
   * @param {string} params JSON text
   * @returns {Promise<string>}
   */
  ask(method, params) {
    return new Promise((resolve, reject) => this.#send({ method, params, resolve, reject }, 1));
  }

  /** @param {Call} call @param {number} attempt */
  #send(call, attempt) {
    const id = (this.#next_id += 1);
    this.#waiting.set(id, { ...call, attempt });
    this.#socket.send(`${head}${id},"method":"${call.method}","params":${call.params}}`);
  }

  /**
   * @param {string} method
   * @param {Record<string, unknown>} [params]
   * @returns {Promise<any>}
   */
  async call(method, params = {}) {
    return JSON.parse(await this.ask(method, JSON.stringify(params))).result;
  }

  close() {
    this.#socket.removeAllListeners("close");
    this.#end(new Error("the connection was closed"));
    this.#socket.terminate();
  }

  /** @param {string} text */
  #hear(text) {
    if (!text.startsWith(head)) return this.onNotification(text);
    const end = text.indexOf(",", head.length);
    const id = Number(text.slice(head.length, end));
    const call = this.#waiting.get(id);
    if (call === undefined) return this.onNotification(text);
    this.#waiting.delete(id);
    if (text.startsWith(',"result":', end)) return call.resolve(text);
    const is_late = text.includes('"code":"UNAVAILABLE"') && call.attempt < attempts_max;
    if (!is_late) return call.reject(new Error(text));
    counted.repeated_calls += 1;
    this.#send(call, call.attempt + 1);
  }

  /** @param {Error} error */
  #end(error) {
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of lost) reject(error);
  }
}

/**
 * @param {{ url: string, token: string }} target
 * @param {number} count
 */
export async function openLinks({ url, token }, count) {
  /** @type {Link[]} */
  const links = [];
  // In steps: a host's backlog of unproved upgrades is no part of what is measured.
  while (links.length < count) {
    const step = Math.min(50, count - links.length);
    links.push(...(await Promise.all(Array.from({ length: step }, () => Link.open(url, token)))));
  }
  return links;
}
