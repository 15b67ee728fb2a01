// What the chat agent asks of the host while it holds a run, on a host made by hand: what is
// confirmed and when, a change that meets another one, and a question that was asked before.

import { expect, test } from "vitest";
import { HostError } from "runhost/client";
import { askApproval } from "../../examples/chat_agent/work/approval.js";
import { openHistory } from "../../examples/chat_agent/work/history.js";
import { openInbox } from "../../examples/chat_agent/work/inbox.js";
import { openMemory, places } from "../../examples/chat_agent/work/memory.js";

type Connection = Parameters<typeof openInbox>[0]["connection"];
type Held = Parameters<typeof openInbox>[0]["held"];
type Listener = Parameters<Connection["onNotification"]>[0];

const run_id = "run_1";
const claim = { runtime_id: "agent-1", claim_token: "t", claim_epoch: 2 };
const refusal = (code: string, reason: string) => new HostError(code, 1, { code, reason });
const message = (steering_id: string, text: string) => ({
  steering_id, type: "message", event: { event_id: `event-${steering_id}`, data: {} },
  input: { text }, interaction: null,
});

/** Answers each call from the list of its method, in order; what is an Error is thrown. */
function makeHost(answers: Record<string, unknown[]>) {
  const calls: [method: string, params: Record<string, any>][] = [];
  const emitted: [type: string, data: Record<string, any>][] = [];
  const listeners = new Set<Listener>();
  const connection = {
    async call(method: string, params: Record<string, any>) {
      calls.push([method, params]);
      const answer = answers[method]?.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? { items: [] };
    },
    onNotification(listener: Listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as unknown as Connection;
  const held = {
    item: { run_id },
    signal: new AbortController().signal,
    emit: async (type: string, data: object) => void emitted.push([type, data]),
  } as unknown as Held;
  return { calls, emitted, listeners, connection, held };
}

test("steering is taken once, in order, and confirmed only when asked", async () => {
  const { calls, connection, held, listeners } = makeHost({
    steering_pull: [
      { items: [message("a", "one"), { ...message("x", ""), type: "of.later", input: null }] },
      { items: [message("a", "one"), message("b", "two")] },
      { items: [message("c", "three")] },
    ],
  });
  const inbox = openInbox({ connection, held, claim });
  expect(await inbox.look()).toBe(true);
  expect(await inbox.look()).toBe(true);
  expect(inbox.takeMessages().map(({ event_id, text }) => [event_id, text]))
    .toEqual([["event-a", "one"], ["event-b", "two"]]);
  expect(calls.map(([method]) => method)).toEqual(["steering_pull", "steering_pull"]);
  await inbox.confirm();
  expect(calls.slice(2)).toEqual([
    ["steering_ack", { run_id, ...claim, steering_ids: ["a", "x", "b"] }],
    ["steering_pull", { run_id, ...claim }],
  ]);
  expect(inbox.takeMessages().map(({ text }) => text)).toEqual(["three"]);
  inbox.close();
  expect(listeners.size).toBe(0);
});

test("a notification of this run wakes who waits, one of another run does not", async () => {
  const pulls: unknown[] = [{ items: [] }];
  const { connection, held, listeners, calls } = makeHost({ steering_pull: pulls });
  const inbox = openInbox({ connection, held, claim });
  const waiting = inbox.waitUntil(inbox.hasMessages, 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  pulls.push({ items: [message("a", "one")] });
  for (const hear of listeners) hear("steering_available", { run_id: "run_2", pending: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toHaveLength(1);
  const began_ms = performance.now();
  for (const hear of listeners) hear("steering_available", { run_id, pending: 1 });
  expect(await waiting).toBe(true);
  expect(performance.now() - began_ms).toBeLessThan(400);
});

test("a wait ends with its time, and without a notification it still finds what came", async () => {
  const nothing = makeHost({});
  const idle = openInbox({ ...nothing, claim });
  expect(await idle.waitUntil(idle.hasMessages, 0)).toBe(false);
  const silent = makeHost({ steering_pull: [{ items: [] }, { items: [message("a", "one")] }] });
  const inbox = openInbox({ ...silent, claim });
  expect(await inbox.waitUntil(inbox.hasMessages)).toBe(true);
});

test("a change that meets another one is computed again from what the other stored", async () => {
  const { calls, connection } = makeHost({
    state_get: [{ value: 4, version: 7 }, { value: 5, version: 8 }],
    state_set: [refusal("CONFLICT", "version_mismatch"), { success: true, version: 9 }],
  });
  const memory = openMemory({ connection, run_id, claim });
  expect(await memory.change(places.answers, (count) => count + 1)).toBe(6);
  const place = { scope: "runner", key: "answers" };
  expect(calls.at(-1)).toEqual(
    ["state_set", { run_id, ...claim, ...place, value: 6, if_version: 8 }],
  );
});

test("nothing is removed that has changed; any other refusal is told", async () => {
  const { connection } = makeHost({
    state_delete: [refusal("CONFLICT", "version_mismatch"), { success: true },
      refusal("LEASE_LOST", "claim_not_active")],
  });
  const memory = openMemory({ connection, run_id, claim });
  expect(await memory.remove(places.notes, 3)).toBe(false);
  expect(await memory.remove(places.notes, 4)).toBe(true);
  await expect(memory.remove(places.notes, 5)).rejects.toThrow("LEASE_LOST");
});

test("history is what the person said before this run", async () => {
  const items = [
    { role: "user", event_id: "now", content: "d" }, { role: "assistant", content: "c" },
    { role: "user", event_id: "before", content: "b" }, { role: "user", content: null },
  ];
  const { connection } = makeHost({ history_page: [{ items }], history_search: [{ items }] });
  const history = openHistory({ connection, run_id });
  history.leaveOut("now");
  expect(await history.list()).toEqual(["b", ""]);
  expect(await history.search("b")).toEqual(["b", ""]);
});

const question = { interaction_id: "delete-1", title: "Delete 1 note?" };
const decided = (action_id: string | null, status = "submitted") => ({
  interaction_id: "delete-1", status, submission: action_id === null ? null : { action_id },
});
const delivered = (interaction: object) => ({
  items: [{ steering_id: "s", type: "interaction.submitted", event: {}, input: null, interaction }],
});

test("leave is asked once, and the answer comes as steering", async () => {
  const unknown = refusal("NOT_FOUND", "");
  const asked = makeHost({
    interaction_get: [unknown], steering_pull: [delivered(decided("approve"))],
  });
  const inbox = openInbox({ ...asked, claim });
  expect(await askApproval({ ...asked, inbox }, question)).toBe("approve");
  expect(asked.emitted).toEqual([["action.requested", {
    action: "interaction.requested",
    payload: expect.objectContaining({ ...question, kind: "confirmation" }),
  }]]);
  expect(inbox.hasMessages()).toBe(false);
});

test("whoever takes the run over waits for the same answer, or finds it", async () => {
  const pending = makeHost({
    interaction_get: [decided(null, "pending")],
    steering_pull: [delivered(decided(null, "expired"))],
  });
  const inbox = openInbox({ ...pending, claim });
  expect(await askApproval({ ...pending, inbox }, question)).toBe("none");
  expect(pending.emitted).toEqual([]);
  const found = makeHost({ interaction_get: [decided("decline")] });
  const other = openInbox({ ...found, claim });
  expect(await askApproval({ ...found, inbox: other }, question)).toBe("decline");
  expect(found.emitted).toEqual([]);
});
