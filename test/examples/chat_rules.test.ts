// What the chat agent makes of a message, case by case: what is wished, which topic a question is
// about, and how the answer is put. No host takes part.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readIntents } from "../../examples/chat_agent/rules/intents.js";
import {
  findTopic, listWords, parseKnowledge,
} from "../../examples/chat_agent/rules/knowledge.js";
import {
  composeAnswer, putFact, putNotes, readSentencesMax, splitChunks,
} from "../../examples/chat_agent/rules/wording.js";
import { writeScript } from "../../examples/chat_agent/script.js";

const file = new URL("../../examples/chat_agent/knowledge.md", import.meta.url);
const topics = parseKnowledge(readFileSync(file, "utf8"));

describe("what a message wishes", () => {
  const cases: [text: string, intents: object[]][] = [
    ["Hello, my name is Ada.", [{ kind: "introduce", name: "Ada" }]],
    ["i'm Zoë", [{ kind: "introduce", name: "Zoë" }]],
    ["I am Grace, and I prefer minutes.",
      [{ kind: "introduce", name: "Grace" }, { kind: "prefer", unit: "minutes" }]],
    ["I think in SECONDS", [{ kind: "prefer", unit: "seconds" }]],
    ["Note: buy tea.", [{ kind: "note", text: "buy tea" }]],
    ["please note that tea is\nout of stock. ", [{ kind: "note", text: "tea is\nout of stock" }]],
    ["Note: my name is Ada", [{ kind: "note", text: "my name is Ada" }]],
    ["Please delete my notes!", [{ kind: "delete_notes" }]],
    ["What are my notes?", [{ kind: "list_notes" }]],
    ["show me all my notes", [{ kind: "list_notes" }]],
    ["What did I ask about the epoch?", [{ kind: "recall", words: "epoch" }]],
    ["what did I say about old % signs??", [{ kind: "recall", words: "old % signs" }]],
    ["How many answers have you given?", [{ kind: "count" }]],
    ["Sorry, I meant a lease.", [{ kind: "correct", question: "a lease" }]],
    ["No, I mean: what is a run?", [{ kind: "correct", question: "what is a run" }]],
    ["Good morning!", [{ kind: "greet" }]],
    ["  What is a run? ", [{ kind: "ask", question: "What is a run?" }]],
    ["i am tired", [{ kind: "ask", question: "i am tired" }]],
    ["Note:", [{ kind: "ask", question: "Note:" }]],
    ["", [{ kind: "ask", question: "" }]],
  ];
  test.each(cases)("%j", (text, intents) => {
    expect(readIntents(text)).toEqual(intents);
  });
});

describe("which topic a question is about", () => {
  test("every topic of the file is found by its title, and says something", () => {
    expect(topics.length).toBeGreaterThan(10);
    expect(topics.map(({ title }) => findTopic(`What is a ${title}?`, topics)?.title))
      .toEqual(topics.map(({ title }) => title));
    expect(topics.filter(({ text }) => !/^[A-Z].{20,}\.$/.test(text))).toEqual([]);
  });

  const cases: [question: string, title: string | null][] = [
    ["And what is a LEASE again?", "Lease"],
    ["leases", "Lease"],
    ["What happens when a worker loses its lease?", "Lease"],
    ["How does a worker acknowledge steering?", "Steering"],
    ["Where is the transcript of what people wrote?", "History"],
    ["Hello, what is a run?", "Run"],
    ["What is the capital of France?", null],
    ["What does the lease of a small flat in Paris cost?", null],
    ["Who wrote it?", null],
    ["What is Postgres?", null],
    ["what is the", null],
    ["", null],
  ];
  test.each(cases)("%j: %s", (question, title) => {
    expect(findTopic(question, topics)?.title ?? null).toBe(title);
  });

  test("of equals the first, of unequals the better", () => {
    const made = parseKnowledge("# T\nno\n## One\nred blue\n\n## Two\nred\nblue green\n##\n");
    expect(made).toEqual([
      { title: "One", text: "red blue" }, { title: "Two", text: "red blue green ##" },
    ]);
    expect(findTopic("red blue", made)?.title).toBe("One");
    expect(findTopic("red blue green", made)?.title).toBe("Two");
    expect(findTopic("red", made)).toBeNull();
    expect(parseKnowledge("no headings")).toEqual([]);
  });

  test("words are counted once, without case, plural or small words", () => {
    expect(listWords("What is a claim, and what are CLAIMS? It's the process status."))
      .toEqual(["claim", "s", "process", "status"]);
  });
});

describe("how an answer is put", () => {
  const manner = { unit: null, sentences_max: null, is_repeated: false };
  const fact = "It lasts 60 seconds. Or 90 seconds, or 1800 seconds. 1 second is too short!";
  const facts: [title: string, given: Partial<Parameters<typeof putFact>[1]>, text: string][] = [
    ["as it is", {}, fact],
    ["in seconds", { unit: "seconds" }, fact],
    ["in minutes", { unit: "minutes" },
      "It lasts 1 minute. Or 1.5 minutes, or 30 minutes. 0 minutes is too short!"],
    ["in one sentence", { sentences_max: 1 }, "It lasts 60 seconds."],
    ["in more sentences than there are", { sentences_max: 5 }, fact],
    ["once more", { is_repeated: true, sentences_max: 1 },
      "As you asked earlier: it lasts 60 seconds."],
  ];
  test.each(facts)("a fact %s", (_title, given, text) => {
    expect(putFact(fact, { ...manner, ...given })).toBe(text);
  });

  const prompts: [prompt: object[], sentences_max: number | null][] = [
    [[], null],
    [[{ role: "system", content: "Answer in one sentence." }], 1],
    [[{ role: "system", content: "Be kind." }, { role: "system", content: "Three sentences." }], 3],
    [[{ role: "system", content: [{ type: "text", text: "one sentence" }] }], null],
  ];
  test.each(prompts)("the prompt %j asks for %s", (prompt, sentences_max) => {
    expect(readSentencesMax(prompt)).toBe(sentences_max);
  });

  const answers: [parts: [kind: string, text: string][], name: string | null, text: string][] = [
    [[["ask", "A run is."]], null, "A run is."],
    [[["ask", "A run is."], ["ask", "An epoch is."]], "Ada", "Ada, a run is. An epoch is."],
    [[["introduce", "Nice, Ada."], ["prefer", "I will."]], "Ada", "Nice, Ada. I will."],
    [[["note", "I noted: x."]], "Ada", "Ada, I noted: x."],
    [[["ask", "It is."]], "Ada", "Ada, it is."],
  ];
  test.each(answers)("%j to %s", (parts, name, text) => {
    expect(composeAnswer(parts.map(([kind, part]) => ({ kind, text: part })), name)).toBe(text);
  });

  test("notes", () => {
    expect(putNotes([])).toBe("You have no notes.");
    expect(putNotes(["a", "b"])).toBe("Your notes: a; b.");
  });

  test("pieces give the text again", () => {
    for (const text of ["", " ", "one", "a b c d e f", "a b  c d e f g\nh ", "é".repeat(500)]) {
      expect(splitChunks(text).join("")).toBe(text);
    }
    expect(splitChunks("a b c d e f g")).toEqual(["a b c d e f ", "g"]);
  });
});

describe("a question of one's own, at the end of the script", () => {
  const cases: [question: string, answer: string][] = [
    ["What is the colour of the sky?",
      "Ada, I do not know that; I know only a few things about runhost."],
    ["What is an epoch?", "Ada, as you asked earlier: an epoch counts the claims of a run, and " +
      "only grows. Once a newer claim exists, nothing is written under an older epoch."],
    ["Tell me about the tenant", "Ada, a tenant is the outermost boundary; nothing of one tenant " +
      "can be seen or changed from another."],
  ];
  test.each(cases)("%s", (question, answer) => {
    const [ada] = writeScript(topics, question);
    expect(ada?.lines.at(-1)).toEqual({ text: question, answer });
  });
});
