// The chat demo may only claim success when the host shows it: whatever is said, stored, delivered
// or decided otherwise than planned is a fault.

import { describe, expect, test } from "vitest";
import { judge } from "../../examples/chat_agent/verdict.js";

type Told = Parameters<typeof judge>[0][number];
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const answered = (content: string) => ({ role: "assistant", content, resp_message_id: "d" });

/** A person who asks to delete, adds to it, and gets an answer. */
function makeTold(id: string, runtime: string): Mutable<Told> {
  const run_id = `run-${id}`;
  const conversation_id = `talk-${id}`;
  const [text, then, answer] = [`${id} asks`, `${id} adds`, `${id} hears`];
  const events = [
    { type: "action.requested", data: {} },
    { type: "message.delta", data: { chunk: { content: "dropped", resp_message_id: "c" } } },
    { type: "message.delta", data: { chunk: answered(`${id} he`) } },
    { type: "message.delta", data: { chunk: answered("ars") } },
    { type: "tool.call.completed", data: {} },
    { type: "run.completed", data: { message: answered(answer) } },
  ].map((event, at) => ({ ...event, sequence: at + 1, source: runtime }));
  const record = (event_id: string, event_type: string, more: object) => ({
    event_id, event_type, source: "chat", input_summary: text, metadata: {}, ...more,
  });
  const steering = { source_event_id: `${id}-2`, claimed_by_run_id: run_id };
  const trace = { source: "host", input_summary: "taken in", metadata: { steering } };
  const lines = [
    ["user", text], ["user", then], ["assistant", answer],
  ] as [role: string, content: string][];
  return {
    person: {
      id, prompt: null, own_words: [`word of ${id}`], remembered: { name: id },
      lines: [{ text, then, decision: "approve", answer }],
    },
    conversation_id,
    sent: [
      { event_id: `${id}-1`, text, disposition: "run_created", run_id },
      { event_id: `${id}-2`, text: then, disposition: "absorbed", run_id },
    ],
    live: new Map([[run_id, [...events]]]),
    held: {
      runs: [{ run_id, conversation_id, status: "completed", status_reason: null, events }],
      interactions: [{ status: "submitted", submission: { action_id: "approve" } }],
      transcript: lines.map(([role, content]) => ({ role, content, conversation_id })),
      log: [
        record(`${id}-1`, "message.received", {}),
        record(`${id}-2`, "message.received", {}),
        record("trace", "steering.injected", trace),
      ],
      remembered: { name: id },
      answers: 2,
    },
  };
}

/** A demo in which all went well, changed in the conversation of one. */
function judgeChanged(change: (told: Mutable<Told>) => void): string[] {
  const ada = makeTold("ada", "runtime:1");
  change(ada);
  return judge([ada, makeTold("grace", "runtime:2")]);
}

const run = ({ held }: Told) => held.runs[0]!;
const record = ({ held }: Told, at: number) => held.log[at]!;

describe("judging what the host holds", () => {
  test("finds no fault where all went well", () => {
    expect(judgeChanged(() => undefined)).toEqual([]);
  });

  const faults: [fault: string, change: (told: Mutable<Told>) => void][] = [
    ["the transcript has \"user: other\", not \"user: ada adds\"",
      ({ held }) => void (held.transcript[1]!.content = "other")],
    ["the transcript has nothing, not \"assistant: ada hears\"",
      ({ held }) => void held.transcript.pop()],
    ["\"assistant: ada hears\" is too much",
      ({ held }) => void held.transcript.push(held.transcript[2]!)],
    ["the transcript has another's line",
      ({ held }) => void (held.transcript[0]!.conversation_id = "talk-grace")],
    ["run-ada ended as failed (tired)",
      (told) => void Object.assign(run(told), { status: "failed", status_reason: "tired" })],
    ["run-ada has 0 answers, not one", (told) => void (run(told).events[5]!.data = {})],
    ["run-ada has 2 answers, not one",
      (told) => void (run(told).events[4]!.data = { message: answered("ada hears") })],
    ["run-ada does not end with run.completed", (told) => void run(told).events.pop()],
    ["run-ada was seen live as 1,2,3,5,6, and holds 1,2,3,4,5,6",
      (told) => void (told.live.get("run-ada") as unknown[]).splice(3, 1)],
    ["run-ada was answered with something else than was written live",
      (told) => void (run(told).events[5]!.data = { message: answered("other") })],
    ["2 runs, not 1", ({ held }) => void held.runs.push(held.runs[0]!)],
    ["\"ada adds\" was run_created, not absorbed",
      ({ sent }) => void (sent[1]!.disposition = "run_created")],
    ["\"ada asks\" is 0 times in the event log", ({ held }) => void held.log.shift()],
    ["\"ada adds\" left the traces []", ({ held }) => void held.log.pop()],
    ["\"ada adds\" left the traces [\"steering.dropped run-ada\"]",
      (told) => void (record(told, 2)["event_type"] = "steering.dropped")],
    ["\"ada adds\" left the traces [\"steering.injected run-other\"]",
      (told) => void (record(told, 2)["metadata"].steering.claimed_by_run_id = "run-other")],
    ["\"ada asks\" left the traces [\"steering.injected run-ada\"]",
      (told) => void (record(told, 2)["metadata"].steering.source_event_id = "ada-1")],
    ["a trace tells what the person wrote",
      (told) => void (record(told, 2)["input_summary"] = "injected: ada adds")],
    ["approvals are [decline], not [approve]",
      ({ held }) => void (held.interactions[0]!["submission"].action_id = "decline")],
    ["approvals are [expired], not [approve]",
      ({ held }) => void (held.interactions[0]!["status"] = "expired")],
    ["approvals are [], not [approve]", ({ held }) => void held.interactions.pop()],
    ["remembered is {\"name\":\"grace\"}, not {\"name\":\"ada\"}",
      ({ held }) => void (held.remembered = { name: "grace" })],
    ["counts 1 answers, not 2", ({ held }) => void (held.answers = 1)],
    ["holds \"word of grace\" of another conversation",
      (told) => void (record(told, 0)["raw_ref"] = "a word of grace")],
  ];
  test.each(faults)("%s", (fault, change) => {
    expect(judgeChanged(change)).toContain(`ada: ${fault}`);
  });

  test("that two agents took part", () => {
    const conversations = ["ada", "grace"].map((id) => makeTold(id, "runtime:1"));
    expect(judge(conversations)).toEqual(["one agent did all the work"]);
  });
});
