// The steering of one claimed run. What the host hands over is kept until it is used, and confirmed
// only when the answer that it led to is stored: a worker that dies before that loses nothing. The
// notification wakes early; the pull is what counts.

import { setTimeout as delay } from "node:timers/promises";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("../../document_report/work/held_run.js").HeldRun} HeldRun
 * @typedef {ReturnType<typeof openInbox>} Inbox
 *
 * @typedef {object} Heard A message of a person, whether it began the run or came later.
 * @property {string} event_id
 * @property {string} text
 * @property {boolean} is_typing The surface says that more is coming.
 */

const look_every_ms = 500;
const ack_max = 100;

/**
 * @param {{ event: Record<string, any>, input: Record<string, any> | null }} source
 * @returns {Heard}
 */
export const readHeard = ({ event, input }) => ({
  event_id: event["event_id"],
  text: typeof input?.["text"] === "string" ? input["text"] : "",
  is_typing: event["data"]?.typing === true,
});

/**
 * @param {object} parts
 * @param {Host} parts.connection
 * @param {HeldRun} parts.held
 * @param {object} parts.claim The proof of the claim: a worker that lost it is handed nothing.
 */
export function openInbox({ connection, held, claim }) {
  const { run_id } = held.item;
  /** @type {Set<string>} */
  const seen = new Set();
  /** @type {string[]} */
  let unconfirmed = [];
  /** @type {Heard[]} */
  let messages = [];
  /** @type {Map<string, Record<string, any>>} */
  const answered = new Map();
  let wake = () => undefined;
  const close = connection.onNotification((method, params) => {
    if (method === "steering_available" && params.run_id === run_id) wake();
  });

  async function pull() {
    held.signal.throwIfAborted();
    const { items } = await connection.call("steering_pull", { run_id, ...claim });
    for (const item of items) {
      if (seen.has(item.steering_id)) continue;
      seen.add(item.steering_id);
      unconfirmed.push(item.steering_id);
      // An item of another kind is confirmed and passed over: kinds may be added.
      if (item.type === "message") messages.push(readHeard(item));
      if (item.interaction) answered.set(item.interaction.interaction_id, item.interaction);
    }
  }

  return {
    close,
    /** Pulls once; whether there are messages to take. */
    async look() {
      await pull();
      return messages.length > 0;
    },
    takeMessages() {
      const taken = messages;
      messages = [];
      return taken;
    },
    /**
     * Pulls, at least once, until something holds or time is up.
     * @param {() => boolean} holds
     * @param {number} [wait_ms]
     */
    async waitUntil(holds, wait_ms = Infinity) {
      const until_ms = performance.now() + wait_ms;
      for (;;) {
        const woken = new Promise((resolve) => (wake = () => void resolve(undefined)));
        await pull();
        if (holds()) return true;
        if (performance.now() >= until_ms) return false;
        const waited = delay(look_every_ms, undefined, { signal: held.signal });
        await Promise.race([woken, waited.catch(() => undefined)]);
      }
    },
    hasMessages: () => messages.length > 0,
    /** @param {string} interaction_id */
    answerTo: (interaction_id) => answered.get(interaction_id),
    /** All that was handed over has led to an answer. Looks for what came meanwhile, too. */
    async confirm() {
      while (unconfirmed.length > 0) {
        const steering_ids = unconfirmed.slice(0, ack_max);
        await connection.call("steering_ack", { run_id, ...claim, steering_ids });
        unconfirmed = unconfirmed.slice(steering_ids.length);
      }
      await pull();
    },
  };
}
