// What the runner `chat` does with one run: answers the message that began it, and whatever the
// person adds meanwhile. It writes in pieces and looks for further messages before each; one that
// comes while it writes changes the answer. Nothing is confirmed before its answer is stored.

import { setTimeout as delay } from "node:timers/promises";
import { readIntents } from "../rules/intents.js";
import { composeAnswer, readSentencesMax, splitChunks } from "../rules/wording.js";
import { askApproval } from "./approval.js";
import { openHistory } from "./history.js";
import { openInbox, readHeard } from "./inbox.js";
import { openMemory, places } from "./memory.js";
import { reply } from "./reply.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("../../document_report/work/held_run.js").HeldRun} HeldRun
 * @typedef {import("../rules/knowledge.js").Topic} Topic
 * @typedef {import("../rules/wording.js").Part} Part
 * @typedef {import("./inbox.js").Heard} Heard
 * @typedef {Awaited<ReturnType<typeof openDesk>>} Desk
 */

const pace_ms = 60;
/** How long the end of an answer waits for a person who is typing. */
const typing_ms = 8000;

/**
 * @param {object} parts
 * @param {Host} parts.connection
 * @param {HeldRun} parts.held
 * @param {string} parts.runtime_id
 * @param {readonly Topic[]} parts.topics
 */
export async function converse({ connection, held, runtime_id, topics }) {
  const { claim_token, claim_epoch } = held.item;
  const claim = { runtime_id, claim_token, claim_epoch };
  const inbox = openInbox({ connection, held, claim });
  try {
    const desk = await openDesk({ connection, held, inbox, claim, topics });
    if (!(await hasAnswer(connection, held))) {
      const { event, input } = held.item;
      await answer(desk, [readHeard({ event, input })]);
    }
    await inbox.confirm();
    for (let more = inbox.takeMessages(); more.length > 0; more = inbox.takeMessages()) {
      await answer(desk, more);
      await inbox.confirm();
    }
    await held.emit("run.completed", { finish_reason: "stop" });
  } finally {
    inbox.close();
  }
}

/**
 * A worker before this one may have answered the first message; what it had taken in besides, and
 * not confirmed, is handed over again.
 * @param {Host} connection
 * @param {HeldRun} held
 */
async function hasAnswer(connection, { item: { run_id, last_sequence } }) {
  let after_cursor = last_sequence === 0 ? null : "0";
  while (after_cursor !== null) {
    const page = await connection.call("run_events_page", { run_id, after_cursor });
    if (page.items.some((/** @type {any} */ { type }) => type === "message.completed")) return true;
    after_cursor = page.next_cursor;
  }
  return false;
}

/**
 * @param {object} parts
 * @param {Host} parts.connection
 * @param {HeldRun} parts.held
 * @param {import("./inbox.js").Inbox} parts.inbox
 * @param {object} parts.claim
 * @param {readonly Topic[]} parts.topics
 */
async function openDesk({ connection, held, inbox, claim, topics }) {
  const { run_id, claim_epoch, available_apis } = held.item;
  const { prompt } = available_apis["prompt_get"]
    ? await connection.call("prompt_get", { run_id })
    : { prompt: [] };
  let asked = 0;
  let looked_up = 0;
  return {
    held,
    inbox,
    topics,
    memory: openMemory({ connection, run_id, claim }),
    history: openHistory({ connection, run_id }),
    sentences_max: readSentencesMax(prompt),
    drafts: 0,
    /** @param {string} title */
    askLeave(title) {
      asked += 1;
      return askApproval({ connection, held, inbox }, { interaction_id: `delete-${asked}`, title });
    },
    /**
     * @param {string} question
     * @param {() => Topic | null} look
     */
    async showLookUp(question, look) {
      looked_up += 1;
      const tool_call_id = `look_up-${claim_epoch}-${looked_up}`;
      const called = { tool_call_id, tool_name: "look_up" };
      await held.emit("tool.call.started", { ...called, parameters: { question } });
      const topic = look();
      const result = { topic: topic?.title ?? null };
      await held.emit("tool.call.completed", { ...called, result });
      return topic;
    },
  };
}

/**
 * One answer to some messages, and to those that come until it is written.
 * @param {Desk} desk
 * @param {Heard[]} messages
 */
async function answer(desk, messages) {
  const { held, inbox, memory } = desk;
  /** @type {Part[]} */
  let parts = [];
  for (let news = messages; ; news = inbox.takeMessages()) {
    for (const message of news) parts = await addParts(desk, parts, message);
    const { value: name } = await memory.read(places.name);
    const content = composeAnswer(parts, name);
    desk.drafts += 1;
    const resp_message_id = `${held.item.run_id}-${held.item.claim_epoch}-${desk.drafts}`;
    const is_typing = news.at(-1)?.is_typing === true;
    if (!(await write(desk, { content, resp_message_id, is_typing }))) continue;
    await memory.change(places.answers, (count) => (count ?? 0) + 1);
    const message = { role: "assistant", content, resp_message_id };
    return held.emit("message.completed", { message });
  }
}

/**
 * A correction takes the place of the question before it.
 * @param {Desk} desk
 * @param {readonly Part[]} parts
 * @param {Heard} message
 */
async function addParts(desk, parts, { event_id, text }) {
  desk.history.leaveOut(event_id);
  const kept = [...parts];
  for (const intent of readIntents(text)) {
    if (intent.kind === "correct" && kept.at(-1)?.kind === "ask") kept.pop();
    const part = await reply(desk, intent);
    kept.push(intent.kind === "correct" ? { ...part, kind: "ask" } : part);
  }
  return kept;
}

/**
 * Whether the draft stands: it was written to its end, and no further message came.
 * @param {Desk} desk
 * @param {{ content: string, resp_message_id: string, is_typing: boolean }} draft
 */
async function write({ held, inbox }, { content, resp_message_id, is_typing }) {
  for (const [msg_sequence, text] of splitChunks(content).entries()) {
    if (await inbox.look()) return false;
    const chunk = { role: "assistant", content: text, resp_message_id, msg_sequence };
    await held.emit("message.delta", { chunk });
    await delay(pace_ms, undefined, { signal: held.signal });
  }
  return !(await inbox.waitUntil(inbox.hasMessages, is_typing ? typing_ms : 0));
}
