// How the agent puts what it found: facts cut to what the prompt asks for and counted in the unit
// that the person prefers, and the parts of an answer joined and addressed. Pure.

/**
 * @typedef {import("./intents.js").Unit} Unit
 * @typedef {{ kind: string, text: string }} Part One message, or one wish of it, answered.
 * @typedef {{ unit: Unit | null, sentences_max: number | null, is_repeated: boolean }} Manner
 */

const chunk_words = 6;
const numbers = ["no", "one", "two", "three", "four", "five"];

/** @param {readonly Record<string, any>[]} prompt As prompt_get answers it. */
export function readSentencesMax(prompt) {
  const text = prompt.map(({ content }) => (typeof content === "string" ? content : "")).join("\n");
  const found = /\b(one|two|three|four|five) sentences?\b/i.exec(text);
  return found === null ? null : numbers.indexOf((found[1] ?? "").toLowerCase());
}

/**
 * @param {string} fact
 * @param {Manner} manner
 */
export function putFact(fact, { unit, sentences_max, is_repeated }) {
  const sentences = fact.split(/(?<=[.!?])\s+/).slice(0, sentences_max ?? undefined);
  const text = unit === "minutes" ? countInMinutes(sentences.join(" ")) : sentences.join(" ");
  return is_repeated ? `As you asked earlier: ${lowerFirst(text)}` : text;
}

/** @param {string} text */
const countInMinutes = (text) =>
  text.replace(/\b(\d+) seconds?\b/g, (_all, seconds) => {
    const minutes = Math.round(Number(seconds) / 6) / 10;
    return `${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
  });

/** @param {readonly string[]} notes */
export const putNotes = (notes) =>
  notes.length === 0 ? "You have no notes." : `Your notes: ${notes.join("; ")}.`;

/** @param {number} count */
export const countNotes = (count) => `${count} ${count === 1 ? "note" : "notes"}`;

/**
 * @param {readonly Part[]} parts
 * @param {string | null} name Of the person, once the agent knows it.
 */
export function composeAnswer(parts, name) {
  const text = parts.map((part) => part.text).join(" ");
  const [first] = parts;
  if (name === null || first === undefined || first.kind === "introduce") return text;
  return `${name}, ${lowerFirst(text)}`;
}

/** @param {string} text */
function lowerFirst(text) {
  return /^I\b/.test(text) ? text : text.slice(0, 1).toLowerCase() + text.slice(1);
}

/**
 * Pieces that give the text again when they are joined.
 * @param {string} text
 */
export function splitChunks(text) {
  const words = text.match(/\S+\s*/g) ?? [text];
  const chunks = [];
  for (let at = 0; at < words.length; at += chunk_words) {
    chunks.push(words.slice(at, at + chunk_words).join(""));
  }
  return chunks;
}
