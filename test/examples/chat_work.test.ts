// What the chat agent does with a run: what it remembers, on a state made by hand; and on a real
// host, that an agent which takes a run over knows what the one before it was told and had asked.

import { afterEach, describe, expect, test } from "vitest";
import { connect, HostError, type Host } from "runhost/client";
import { createWorker } from "runhost/worker";
import { converse } from "../../examples/chat_agent/work/converse.js";
import { openHistory } from "../../examples/chat_agent/work/history.js";
import { openMemory, places } from "../../examples/chat_agent/work/memory.js";
import { fresh, useHost } from "../support/host.js";

type State = Parameters<typeof openMemory>[0];
type History = Parameters<typeof openHistory>[0];

const refusal = (code: string, reason: string) => new HostError(code, 1, { code, reason });

/** Answers each method's calls from its list, in order; what is an Error is thrown. */
function make<T>(answers: Record<string, unknown[]>): { made: T; calls: unknown[][] } {
  const calls: unknown[][] = [];
  const methods = Object.entries(answers).map(([name, list]) => [name, async (...args: unknown[]) => {
    calls.push([name, ...args]);
    const answer = list.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  }]);
  return { made: Object.fromEntries(methods), calls };
}

test("a change that meets another one is computed again from what the other stored", async () => {
  const { made, calls } = make<State>({
    get: [{ value: 4, version: 7 }, { value: 5, version: 8 }],
    set: [refusal("CONFLICT", "version_mismatch"), { version: 9 }],
  });
  expect(await openMemory(made).change(places.answers, (count) => count + 1)).toBe(6);
  expect(calls.at(-1)).toEqual(["set", "runner", "answers", 6, { if_version: 8 }]);
});

test("nothing is removed that has changed; any other refusal is told", async () => {
  const { made, calls } = make<State>({
    delete: [refusal("CONFLICT", "version_mismatch"), { success: true },
      refusal("LEASE_LOST", "claim_not_active")],
  });
  const memory = openMemory(made);
  expect(await memory.remove(places.notes, 3)).toBe(false);
  expect(await memory.remove(places.notes, 4)).toBe(true);
  await expect(memory.remove(places.notes, 5)).rejects.toThrow("LEASE_LOST");
  expect(calls[0]).toEqual(["delete", "conversation", "notes", { if_version: 3 }]);
});

test("history is what the person said before this run", async () => {
  const items = [
    { role: "user", event_id: "now", content: "d" }, { role: "assistant", content: "c" },
    { role: "user", event_id: "before", content: "b" }, { role: "user", content: null },
  ];
  const { made } = make<History>({ page: [{ items }], search: [{ items }] });
  const history = openHistory(made);
  history.leaveOut("now");
  expect(await history.list()).toEqual(["b", ""]);
  expect(await history.search("b")).toEqual(["b", ""]);
});

describe("an agent that takes a run over", { timeout: 60_000 }, () => {
  const world = useHost();
  const hosts: Host[] = [];
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
  });
  const topics = [
    { title: "Lease", text: "A lease is a time." }, { title: "Epoch", text: "An epoch counts." },
  ];

  /** A conversation with its person's side, and agents that can be started and lost. */
  async function openTalk() {
    const plugin_identity = `acme/${fresh("chat")}`;
    const { token } = await world().admin.call("plugin_register", {
      plugin_identity, permissions: ["agent_run:create"],
    });
    const open = async () => {
      const host = await connect({ url: world().test.host.url, token });
      hosts.push(host);
      return host;
    };
    const host = await open();
    const conversation_id = fresh("talk");
    const startAgent = async () => {
      const agentHost = await open();
      const worker = createWorker({
        host: agentHost,
        runners: {
          chat: { resumable: true, run: (run, ctx) => converse({ run, ctx, topics }) },
        },
        lease_seconds: 2,
        poll_seconds: 1,
        settle_seconds: 0,
      });
      await worker.ready;
      /** Nothing is given back: its claim lasts until its lease is over. */
      return { lose: () => agentHost.close() };
    };
    const write = (text: string, typing = false) => host.eventPublish({
      runner_id: `plugin:${plugin_identity}/chat`, conversation_id, text, data: { typing },
      state_policy: { state_scopes: ["conversation", "runner"] },
    });
    const untilEvent = async (run_id: string | null, action: string) => {
      for await (const event of host.events(String(run_id))) {
        if (event.data["action"] === action) return event;
      }
      throw new Error(`${run_id} ended without ${action}`);
    };
    const untilEnd = async (run_id: string | null) => {
      const events = host.events(String(run_id));
      let answer = "";
      for await (const { data } of events) answer = data["message"]?.content ?? answer;
      return { status: events.run?.status, reason: events.run?.status_reason, answer };
    };
    return { host, startAgent, write, untilEvent, untilEnd };
  }

  test("answers what the one before it had heard, which is confirmed already", async () => {
    const { startAgent, write, untilEvent, untilEnd } = await openTalk();
    const first = await startAgent();
    const { run_id } = await write("What is a lease?", true);
    // The agent is at it when something is stored.
    const added = untilEvent(run_id, "worker.checkpoint");
    expect(await write("And an epoch?", true)).toMatchObject({ disposition: "absorbed", run_id });
    await added;
    const { sql } = world().clone;
    const countInjected = async () => (await sql`select from agent_run_steering
      where run_id = ${run_id} and state = 'injected'`).count;
    await expect.poll(countInjected, { timeout: 20_000 }).toBe(1);
    await first.lose();
    await startAgent();
    expect(await write("I am Ada.")).toMatchObject({ disposition: "absorbed", run_id });
    expect(await untilEnd(run_id)).toEqual({
      status: "completed",
      reason: "stop",
      answer: "Ada, a lease is a time. An epoch counts. Nice to meet you, Ada.",
    });
    const [counted] = await sql`select count(*)::int as items, max(state) as state
      from agent_run_steering where run_id = ${run_id}`;
    expect(counted).toEqual({ items: 2, state: "injected" });
  });

  test("waits for the answer to the question that was asked before it", async () => {
    const { host, startAgent, write, untilEvent, untilEnd } = await openTalk();
    const first = await startAgent();
    await untilEnd((await write("Note: buy tea.")).run_id);
    const { run_id } = await write("Delete my notes.");
    const asked = await untilEvent(run_id, "interaction.requested");
    expect(asked.data["payload"]).toMatchObject({
      interaction_id: "delete-1", kind: "confirmation", title: "Delete 1 note?",
    });
    await first.lose();
    const answer = { interaction_id: "delete-1", action_id: "approve" };
    await host.interactionSubmit({ target_run_id: String(run_id), ...answer });
    await startAgent();
    expect(await untilEnd(run_id)).toMatchObject({ status: "completed", answer: "I deleted 1 note." });
    const [counted] = await world().clone.sql`
      select count(*)::int as asked from agent_interaction where run_id = ${run_id}`;
    expect(counted).toEqual({ asked: 1 });
    expect(await untilEnd((await write("What are my notes?")).run_id))
      .toMatchObject({ answer: "You have no notes." });
  });

  test("keeps the notes where the question was taken back, or declined", async () => {
    const { host, startAgent, write, untilEvent, untilEnd } = await openTalk();
    await startAgent();
    await untilEnd((await write("Note: buy tea.")).run_id);
    const ends = [];
    for (const decision of ["take back", "decline"]) {
      const { run_id } = await write("Delete my notes.");
      await untilEvent(run_id, "interaction.requested");
      const target = { target_run_id: String(run_id), interaction_id: "delete-1" };
      if (decision === "take back") await host.interactionCancel(target);
      else await host.interactionSubmit({ ...target, action_id: decision });
      ends.push((await untilEnd(run_id)).answer);
    }
    expect(ends).toEqual(["Nobody answered, so I kept your notes.", "I kept your 1 note."]);
  });
});
