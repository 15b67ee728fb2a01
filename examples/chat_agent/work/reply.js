// What the agent does for each wish of a message, and the part of the answer that comes of it. It
// touches the host only through what it is given: memory, history, leave to delete, the look-up
// that the run's events show. Used by converse.js.

import { readIntents } from "../rules/intents.js";
import { findTopic } from "../rules/knowledge.js";
import { countNotes, putFact, putNotes } from "../rules/wording.js";
import { places } from "./memory.js";

/**
 * @typedef {import("../rules/intents.js").Intent} Intent
 * @typedef {import("../rules/knowledge.js").Topic} Topic
 * @typedef {import("../rules/wording.js").Part} Part
 *
 * @typedef {object} Desk
 * @property {import("./memory.js").Memory} memory
 * @property {import("./history.js").History} history
 * @property {readonly Topic[]} topics
 * @property {number | null} sentences_max What the prompt asks for.
 * @property {(title: string) => Promise<"approve" | "decline" | "none">} askLeave
 * @property {(question: string, look: () => Topic | null) => Promise<Topic | null>} showLookUp
 *
 * @typedef {{ [Kind in Intent["kind"]]:
 *   (desk: Desk, intent: Extract<Intent, { kind: Kind }>) => Promise<string> }} Ways
 */

export const unknown_answer = "I do not know that; I know only a few things about runhost.";

/** @type {Ways} */
const ways = {
  greet: async () => "Hello. Ask me about runhost.",
  async introduce({ memory }, { name }) {
    await memory.change(places.name, () => name);
    return `Nice to meet you, ${name}.`;
  },
  async prefer({ memory }, { unit }) {
    await memory.change(places.unit, () => unit);
    return `I will count in ${unit}.`;
  },
  async note({ memory }, { text }) {
    /** @param {string[] | null} notes A run that is worked on twice notes it once. */
    const add = (notes) => [...(notes ?? []).filter((note) => note !== text), text];
    const { length } = await memory.change(places.notes, add);
    return `I noted: ${text}. That makes ${countNotes(length)}.`;
  },
  list_notes: async ({ memory }) => putNotes((await memory.read(places.notes)).value ?? []),
  async delete_notes({ memory, askLeave }) {
    const { value, version } = await memory.read(places.notes);
    if (value === null) return putNotes([]);
    const leave = await askLeave(`Delete ${countNotes(value.length)}?`);
    if (leave === "none") return "Nobody answered, so I kept your notes.";
    if (leave === "decline") return `I kept your ${countNotes(value.length)}.`;
    if (!(await memory.remove(places.notes, version))) return "Your notes changed; I kept them.";
    return `I deleted ${countNotes(value.length)}.`;
  },
  async recall({ history }, { words }) {
    const [latest] = await history.search(words);
    return latest === undefined
      ? `I find nothing about ${words} in what you said.`
      : `You said earlier: "${latest}"`;
  },
  async count({ memory }) {
    const { value } = await memory.read(places.answers);
    return `I have given ${value ?? 0} answers so far, to everybody.`;
  },
  correct: (desk, { question }) => ways.ask(desk, { kind: "ask", question }),
  async ask({ memory, history, topics, sentences_max, showLookUp }, { question }) {
    const topic = await showLookUp(question, () => findTopic(question, topics));
    if (topic === null) return unknown_answer;
    const [unit, earlier] = await Promise.all([memory.read(places.unit), history.list()]);
    const is_repeated = earlier
      .flatMap(readIntents)
      .some((past) => "question" in past && findTopic(past.question, topics) === topic);
    return putFact(topic.text, { unit: unit.value, sentences_max, is_repeated });
  },
};

/**
 * @param {Desk} desk
 * @param {Intent} intent
 * @returns {Promise<Part>}
 */
export async function reply(desk, intent) {
  const act = /** @type {(desk: Desk, intent: Intent) => Promise<string>} */ (ways[intent.kind]);
  return { kind: intent.kind, text: await act(desk, intent) };
}
