// What a message asks for, read by a table of patterns: any text is answered, and what matches no
// pattern is a question. Pure. Used by work/reply.js, and by the demo to judge a question.

/**
 * @typedef {"seconds" | "minutes"} Unit
 *
 * @typedef {{ kind: "introduce", name: string } | { kind: "prefer", unit: Unit }
 *   | { kind: "note", text: string } | { kind: "list_notes" } | { kind: "delete_notes" }
 *   | { kind: "recall", words: string } | { kind: "count" } | { kind: "greet" }
 *   | { kind: "correct", question: string } | { kind: "ask", question: string }} Intent
 */

/** A message may do both of these at once. @type {[RegExp, (found: string) => Intent][]} */
const told = [
  [/\b(?:[Mm]y name is|[Ii] am|[Ii]'m|[Cc]all me) (\p{Lu}[\p{L}'-]*)/u,
    (name) => ({ kind: "introduce", name })],
  [/\bI (?:prefer|count in|think in) (seconds|minutes)\b/i,
    (unit) => ({ kind: "prefer", unit: /** @type {Unit} */ (unit.toLowerCase()) })],
];

/** Each says what the whole message is for. @type {[RegExp, (found: string) => Intent][]} */
const wanted = [
  [/^(?:please )?note(?: that|:)\s*(.*[^\s.])[\s.]*$/is, (text) => ({ kind: "note", text })],
  [/\b(?:delete|forget|remove) (?:all )?my notes\b/i, () => ({ kind: "delete_notes" })],
  [/\b(?:what are|show|list|read) (?:me )?(?:all )?my notes\b/i, () => ({ kind: "list_notes" })],
  [/^what did I (?:ask|say|write)(?: you)? about (?:an? |the )?(.*\w)\W*$/is,
    (words) => ({ kind: "recall", words })],
  [/^how many answers\b/i, () => ({ kind: "count" })],
  [/^(?:sorry|no|wait)\b\W*I meant?\b\W*(\w.*\w)/is, (question) => ({ kind: "correct", question })],
];

const greeting = /^(?:hi|hello|hey|good (?:morning|day|evening))\W*$/i;

/**
 * @param {string} text
 * @returns {[Intent, ...Intent[]]}
 */
export function readIntents(text) {
  const whole = text.trim();
  for (const [pattern, make] of wanted) {
    const found = pattern.exec(whole);
    if (found !== null) return [make(found[1] ?? "")];
  }
  const [first, ...others] = told.flatMap(([pattern, make]) => {
    const found = pattern.exec(whole);
    return found === null ? [] : [make(found[1] ?? "")];
  });
  if (first !== undefined) return [first, ...others];
  return [greeting.test(whole) ? { kind: "greet" } : { kind: "ask", question: whole }];
}
