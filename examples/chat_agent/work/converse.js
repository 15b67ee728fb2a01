// What the runner `chat` does with one run: answers the message that began it, and whatever the
// person adds meanwhile. It writes in pieces and looks for further messages before each; one that
// comes while it writes changes the answer. Who takes the run over knows of all of them.

import { setTimeout as delay } from "node:timers/promises";
import { readIntents } from "../rules/intents.js";
import { composeAnswer, readSentencesMax, splitChunks } from "../rules/wording.js";
import { openHistory } from "./history.js";
import { openMemory, places } from "./memory.js";
import { reply } from "./reply.js";

/**
 * @typedef {import("runhost/worker").ClaimedRun} ClaimedRun
 * @typedef {import("runhost/worker").RunContext} RunContext
 * @typedef {import("../rules/knowledge.js").Topic} Topic
 * @typedef {import("../rules/wording.js").Part} Part
 * @typedef {Awaited<ReturnType<typeof openDesk>>} Desk
 *
 * @typedef {object} Heard A message of the person, whether it began the run or came later.
 * @property {string} event_id
 * @property {string} text
 * @property {boolean} is_typing The surface says that more is coming.
 */

const pace_ms = 60;
/** How long the end of an answer waits for a person who is typing. */
const typing_seconds = 60;

/**
 * @param {{ run: ClaimedRun, ctx: RunContext, topics: readonly Topic[] }} parts
 * @returns {Promise<{ role: string, content: string, resp_message_id: string }>} The answer.
 */
export async function converse({ run, ctx, topics }) {
  const desk = await openDesk({ run, ctx, topics });
  /** @type {Heard[]} */
  const heard = ctx.resumed?.checkpoint ?? [readHeard(run)];
  /** @type {Part[]} */
  let parts = [];
  for (let dealt_with = 0, draft = 1; ; draft += 1) {
    const news = heard.slice(dealt_with);
    dealt_with = heard.length;
    for (const message of news) parts = await addParts(desk, parts, message);
    const { value: name } = await desk.memory.read(places.name);
    const content = composeAnswer(parts, name);
    const resp_message_id = `${run.run_id}-${run.claim_epoch}-${draft}`;
    if (!(await write(ctx, heard, { content, resp_message_id }))) continue;
    await desk.memory.change(places.answers, (count) => (count ?? 0) + 1);
    return { role: "assistant", content, resp_message_id };
  }
}

/**
 * What the rules are given to act with.
 * @param {Parameters<typeof converse>[0]} parts
 */
async function openDesk({ run, ctx, topics }) {
  const prompt = run.available_apis["prompt_get"] ? await ctx.prompt() : [];
  let asked = 0;
  return {
    topics,
    memory: openMemory(ctx.state),
    history: openHistory(ctx.history),
    sentences_max: readSentencesMax(prompt),
    /**
     * The name of the question is the same for who takes the run over, and so is its answer.
     * @param {string} title
     */
    async askLeave(title) {
      asked += 1;
      const outcome = await ctx.ask({
        interaction_id: `delete-${asked}`,
        kind: "confirmation",
        title,
        actions: [
          { id: "approve", label: "Delete", style: "danger" },
          { id: "decline", label: "Keep" },
        ],
        fallback_text: `${title} Answer "approve" or "decline".`,
      });
      if (outcome.status !== "submitted") return "none";
      return outcome.action_id === "approve" ? "approve" : "decline";
    },
    /**
     * @param {string} question
     * @param {() => Topic | null} look
     */
    async showLookUp(question, look) {
      const tool = ctx.emit.tool("look_up");
      tool.started({ question });
      const topic = look();
      tool.completed({ topic: topic?.title ?? null });
      return topic;
    },
  };
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
 * @param {RunContext} ctx
 * @param {Heard[]} heard
 * @param {{ content: string, resp_message_id: string }} draft
 */
async function write(ctx, heard, { content, resp_message_id }) {
  for (const [msg_sequence, text] of splitChunks(content).entries()) {
    if (await listen(ctx, heard, 0)) return false;
    ctx.emit.delta({ content: text, resp_message_id, msg_sequence });
    await delay(pace_ms, undefined, { signal: ctx.signal });
  }
  return !(await listen(ctx, heard, heard.at(-1)?.is_typing ? typing_seconds : 0));
}

/**
 * Whether a message has come, or comes within the time. Looking again confirms it, so what was
 * heard is stored before that.
 * @param {RunContext} ctx
 * @param {Heard[]} heard
 * @param {number} idle_seconds
 */
async function listen(ctx, heard, idle_seconds) {
  for await (const item of ctx.steering({ idle_seconds })) {
    const is_known = heard.some(({ event_id }) => event_id === item.event["event_id"]);
    if (item.type !== "message" || is_known) continue;
    heard.push(readHeard(item));
    await ctx.checkpoint(heard);
    return true;
  }
  return false;
}

/**
 * @param {{ event: Record<string, any>, input: Record<string, any> | null }} source
 * @returns {Heard}
 */
const readHeard = ({ event, input }) => ({
  event_id: event["event_id"],
  text: typeof input?.["text"] === "string" ? input["text"] : "",
  is_typing: event["data"]?.typing === true,
});
