// The topics of a knowledge file, and the one that a question is about: by the words they share. A
// question that shares too little gets no topic rather than a wrong one. Pure.

/** @typedef {{ title: string, text: string }} Topic */

const title_weight = 3;
/** One word of the title, or two of the text. */
const score_min = 2;

const stop_words = new Set(
  ("a about again an and are be can could did do does explain for from happens has have how i if " +
    "in is it its know long many may me mean much my of on or please remind say tell that the " +
    "there they this to was what when where which who why will with would you your").split(" "),
);

/**
 * @param {string} markdown Each heading of the second level begins a topic.
 * @returns {Topic[]}
 */
export function parseKnowledge(markdown) {
  const [, ...sections] = markdown.split(/^## +/m);
  return sections.map((section) => {
    const [title = "", ...lines] = section.split("\n");
    return { title: title.trim(), text: lines.join(" ").replace(/\s+/g, " ").trim() };
  });
}

/**
 * The words that carry meaning, each once, in the singular.
 * @param {string} text
 */
export function listWords(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.filter((word) => !stop_words.has(word)).map(makeSingular))];
}

/** @param {string} word */
const makeSingular = (word) =>
  word.length > 3 && /[^sui]s$/.test(word) ? word.slice(0, -1) : word;

/**
 * The best topic; of equals the first.
 * @param {string} question
 * @param {readonly Topic[]} topics
 * @returns {Topic | null}
 */
export function findTopic(question, topics) {
  const asked = listWords(question);
  let best = /** @type {Topic | null} */ (null);
  let best_score = score_min - 1;
  for (const topic of topics) {
    const score = scoreTopic(asked, topic);
    if (score > best_score) [best, best_score] = [topic, score];
  }
  return best;
}

/**
 * Nothing, if most of what was asked does not occur in the topic.
 * @param {readonly string[]} asked
 * @param {Topic} topic
 */
function scoreTopic(asked, { title, text }) {
  const in_title = new Set(listWords(title));
  const in_text = new Set(listWords(text));
  const titled = asked.filter((word) => in_title.has(word)).length;
  const told = asked.filter((word) => !in_title.has(word) && in_text.has(word)).length;
  return (titled + told) * 2 < asked.length ? 0 : titled * title_weight + told;
}
