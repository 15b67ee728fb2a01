// Judges what the host holds: was everything said, remembered, taken in and decided as the script
// has it, each conversation for itself? One sentence for each fault, so an empty list is success.
// Pure. Used by demo.js.

import { isDeepStrictEqual } from "node:util";
import { listDrafts } from "./surface.js";

/**
 * @typedef {import("./script.js").Person} Person
 * @typedef {import("./surface.js").Sent} Sent
 * @typedef {import("./surface.js").LiveEvent} LiveEvent
 * @typedef {import("./ledger.js").Held} Held
 *
 * @typedef {object} Told One conversation: how it was planned, seen live, and held.
 * @property {Person} person
 * @property {string} conversation_id
 * @property {readonly Sent[]} sent
 * @property {ReadonlyMap<string, readonly LiveEvent[]>} live
 * @property {Held} held
 */

/** @param {readonly Told[]} conversations */
export function judge(conversations) {
  const faults = conversations.flatMap((told) => {
    const found = [
      ...judgeTranscript(told),
      ...judgeRuns(told),
      ...judgeDelivery(told),
      ...judgeApprovals(told),
      ...judgeMemory(told, conversations),
      ...judgeWords(told, conversations),
    ];
    return found.map((fault) => `${told.person.id}: ${fault}`);
  });
  const agents = new Set(
    conversations.flatMap(({ held }) =>
      held.runs.flatMap(({ events }) => events.map(({ source }) => source)),
    ),
  );
  return agents.size >= 2 ? faults : [...faults, "one agent did all the work"];
}

/** @param {Told} told */
function judgeTranscript({ person, conversation_id, held }) {
  const wanted = person.lines.flatMap(({ text, then, answer }) => [
    `user: ${text}`,
    ...(then === undefined ? [] : [`user: ${then}`]),
    `assistant: ${answer}`,
  ]);
  const found = held.transcript.map(({ role, content }) => `${role}: ${content}`);
  const faults = wanted.flatMap((line, at) =>
    found[at] === line ? [] : [`the transcript has ${quote(found[at])}, not ${quote(line)}`],
  );
  const extra = found.slice(wanted.length).map((line) => `${quote(line)} is too much`);
  const strange = held.transcript.filter((item) => item.conversation_id !== conversation_id);
  return [...faults, ...extra, ...strange.map(() => "the transcript has another's line")];
}

/** @param {Told} told */
function judgeRuns({ person, live, held: { runs } }) {
  const faults = runs.flatMap((run) => {
    const seen = live.get(run.run_id) ?? [];
    return findRunFaults(run, seen).map((fault) => `${run.run_id} ${fault}`);
  });
  const { length } = person.lines;
  return runs.length === length ? faults : [...faults, `${runs.length} runs, not ${length}`];
}

/**
 * @param {Held["runs"][number]} run
 * @param {readonly LiveEvent[]} seen
 */
function findRunFaults({ status, status_reason, events }, seen) {
  const faults = [];
  if (status !== "completed") faults.push(`ended as ${status} (${status_reason})`);
  const messages = events.flatMap(({ data }) => data["message"] ?? []);
  if (messages.length !== 1) faults.push(`has ${messages.length} answers, not one`);
  if (events.at(-1)?.type !== "run.completed") faults.push("does not end with run.completed");
  const [seen_numbers, numbers] = [seen, events].map((list) => list.map((one) => one.sequence));
  if (!isDeepStrictEqual(seen_numbers, numbers)) {
    faults.push(`was seen live as ${seen_numbers}, and holds ${numbers}`);
  }
  const last = listDrafts(seen).at(-1)?.text;
  if (last !== messages.at(-1)?.content) {
    faults.push("was answered with something else than was written live");
  }
  return faults;
}

/**
 * The message that began a run is its input; every other has to be taken in by the run it reached.
 * @param {Told} told
 */
function judgeDelivery({ person, sent, held: { log } }) {
  const faults = sent.flatMap(({ event_id, text, disposition, run_id }) => {
    const is_added = person.lines.some(({ then }) => then === text);
    const wanted = is_added ? "absorbed" : "run_created";
    const stored = log.filter((record) => record["event_id"] === event_id).length;
    const traces = log.flatMap(({ event_type, metadata: { steering } }) =>
      steering?.source_event_id === event_id ? [`${event_type} ${steering.claimed_by_run_id}`] : [],
    );
    return [
      ...(disposition === wanted ? [] : [`${quote(text)} was ${disposition}, not ${wanted}`]),
      ...(stored === 1 ? [] : [`${quote(text)} is ${stored} times in the event log`]),
      ...(isDeepStrictEqual(traces, is_added ? [`steering.injected ${run_id}`] : [])
        ? []
        : [`${quote(text)} left the traces ${JSON.stringify(traces)}`]),
    ];
  });
  const texts = sent.map(({ text }) => text);
  const told = log.filter(({ source, input_summary }) =>
    source === "host" && texts.some((text) => String(input_summary).includes(text)),
  );
  return [...faults, ...told.map(() => "a trace tells what the person wrote")];
}

/** @param {Told} told */
function judgeApprovals({ person, held: { interactions } }) {
  const wanted = person.lines.flatMap(({ decision }) => decision ?? []);
  const found = interactions.map(({ status, submission }) =>
    status === "submitted" ? submission.action_id : status,
  );
  return isDeepStrictEqual(found, wanted) ? [] : [`approvals are [${found}], not [${wanted}]`];
}

/**
 * @param {Told} told
 * @param {readonly Told[]} conversations
 */
function judgeMemory({ person, held: { remembered, answers } }, conversations) {
  const wanted = conversations.reduce((sum, { held }) => sum + held.runs.length, 0);
  const faults = isDeepStrictEqual(remembered, person.remembered)
    ? []
    : [`remembered is ${JSON.stringify(remembered)}, not ${JSON.stringify(person.remembered)}`];
  return answers === wanted ? faults : [...faults, `counts ${answers} answers, not ${wanted}`];
}

/**
 * No word of one conversation in anything that the host holds about another.
 * @param {Told} told
 * @param {readonly Told[]} conversations
 */
function judgeWords({ person, held }, conversations) {
  const text = JSON.stringify(held);
  return conversations
    .filter((other) => other.person !== person)
    .flatMap((other) => other.person.own_words.filter((word) => text.includes(word)))
    .map((word) => `holds ${quote(word)} of another conversation`);
}

/** @param {string | undefined} text */
const quote = (text) => (text === undefined ? "nothing" : `"${text}"`);
