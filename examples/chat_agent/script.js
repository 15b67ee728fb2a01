// Who talks in the demo, what they write, and what the agent has to answer. Both follow their
// script at the same time; a line with `then` is added to while the agent writes, by both at once.

import { findTopic } from "./rules/knowledge.js";
import { unknown_answer } from "./work/reply.js";

/**
 * @typedef {import("./rules/knowledge.js").Topic} Topic
 *
 * @typedef {object} Line
 * @property {string} text
 * @property {string} [then] Written while the agent answers.
 * @property {"approve" | "decline"} [decision] What is answered when the agent asks for leave.
 * @property {string} answer
 *
 * @typedef {object} Person
 * @property {string} id
 * @property {import("runhost/client").Message[] | null} prompt Handed to the agent with every run.
 * @property {Line[]} lines
 * @property {readonly string[]} own_words May not turn up in another conversation.
 * @property {Record<string, unknown>} remembered State of the conversation in the end.
 */

/**
 * @param {readonly Topic[]} topics
 * @param {string | null} own_question Asked by Ada in the end.
 * @returns {Person[]}
 */
export function writeScript(topics, own_question) {
  /** @param {string} title */
  const fact = (title) => topics.find((topic) => topic.title === title)?.text ?? "";
  const ada = writeAda(fact);
  if (own_question !== null) {
    const topic = findTopic(own_question, topics);
    const earlier = ["Lease", "Epoch"].includes(topic?.title ?? "") ? "as you asked earlier: " : "";
    const known = `Ada, ${earlier}${lowerFirst(topic?.text ?? "")}`;
    const answer = topic === null ? `Ada, ${unknown_answer}` : known;
    ada.lines.push({ text: own_question, answer });
  }
  return [ada, writeGrace(fact)];
}

/**
 * @param {(title: string) => string} fact
 * @returns {Person}
 */
const writeAda = (fact) => ({
  id: "ada",
  prompt: null,
  own_words: ["Ada", "renew early", "an epoch"],
  remembered: { name: "Ada" },
  lines: [
    { text: "Hello, my name is Ada.", answer: "Nice to meet you, Ada." },
    {
      text: "What is a lease?",
      then: "And what is an epoch?",
      answer: `Ada, ${lowerFirst(fact("Lease"))} ${fact("Epoch")}`,
    },
    { text: "Note: renew early.", answer: "Ada, I noted: renew early. That makes 1 note." },
    {
      text: "What did I ask about the epoch?",
      answer: 'Ada, you said earlier: "And what is an epoch?"',
    },
    { text: "Please delete my notes.", decision: "approve", answer: "Ada, I deleted 1 note." },
    { text: "What are my notes?", answer: "Ada, you have no notes." },
  ],
});

/**
 * @param {(title: string) => string} fact
 * @returns {Person}
 */
const writeGrace = (fact) => ({
  id: "grace",
  prompt: [{ role: "system", content: "Answer in one sentence." }],
  own_words: ["Grace", "buy tea", "minute", "France"],
  remembered: { name: "Grace", unit: "minutes", notes: ["buy tea"] },
  lines: [
    {
      text: "I am Grace, and I prefer minutes.",
      answer: "Nice to meet you, Grace. I will count in minutes.",
    },
    {
      text: "What is steering?",
      then: "Sorry, I meant a lease.",
      answer: `Grace, ${lowerFirst(inMinutes(firstSentence(fact("Lease"))))}`,
    },
    { text: "Note: buy tea.", answer: "Grace, I noted: buy tea. That makes 1 note." },
    {
      text: "And what is a lease again?",
      answer: `Grace, as you asked earlier: ${lowerFirst(inMinutes(firstSentence(fact("Lease"))))}`,
    },
    { text: "Delete my notes!", decision: "decline", answer: "Grace, I kept your 1 note." },
    { text: "What are my notes?", answer: "Grace, your notes: buy tea." },
    { text: "What is the capital of France?", answer: `Grace, ${unknown_answer}` },
  ],
});

/** @param {string} text */
const lowerFirst = (text) => text.slice(0, 1).toLowerCase() + text.slice(1);

/** @param {string} text */
const firstSentence = (text) => text.slice(0, text.indexOf(".") + 1);

/**
 * Written out, so that the script does not expect whatever the rules do.
 * @param {string} text
 */
const inMinutes = (text) => text.replace("60 seconds", "1 minute");
