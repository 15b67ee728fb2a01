// Messages on their way into a run: absorbed by a live one, handed over with a lease, confirmed, and
// when the run ends before that, carried to a follow-up run or dropped with a reason.

import { describe, expect, test } from "vitest";
import type { Params } from "../support/client.js";
import { claimOf, fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

interface Talk {
  plugin: Plugin;
  conversation_id: string;
  run_id: string;
  claim: ReturnType<typeof claimOf>;
}

const say = (talk: { plugin: Plugin; conversation_id: string }, text: string, params: Params = {}) =>
  talk.plugin.client.call("event_publish", {
    conversation_id: talk.conversation_id, text, ...params,
  });

/** A conversation with a claimed run, made by its first message. */
async function startTalk(params: Params = {}, plugin?: Plugin): Promise<Talk> {
  const owner = plugin ?? (await registerPlugin(world()));
  const talk = { plugin: owner, conversation_id: fresh("talk") };
  const made = await say(talk, "first", { runner_id: owner.runner_id, ...params });
  expect(made).toMatchObject({ disposition: "run_created", steering_id: null });
  const item = await owner.client.call("run_claim", { runtime_id: owner.runtime_id });
  expect(item.run_id).toBe(made.run_id);
  return { ...talk, run_id: made.run_id, claim: claimOf(item) };
}

const pull = (talk: Talk, params: Params = {}) =>
  talk.plugin.client.call("steering_pull", { run_id: talk.run_id, ...talk.claim, ...params });
const end = (talk: Talk, params: Params = { status: "completed" }) =>
  talk.plugin.client.call("run_finalize", { target_run_id: talk.run_id, ...talk.claim, ...params });
const statesOf = async (ids: string[]) => (await world().clone.sql<{ state: string }[]>`
  select state from agent_run_steering where steering_id in ${world().clone.sql(ids)} order by id`)
  .map(({ state }) => state);
const traces = (event_id: string) => world().clone.sql<{ event_type: string; steering: Params }[]>`
  select event_type, metadata -> 'steering' as steering from event_log
  where metadata #>> '{steering,source_event_id}' = ${event_id} order by id`;

describe("absorbing", () => {
  test("a message goes to the live run of its conversation, once", async () => {
    const talk = await startTalk();
    const told = talk.plugin.client.notified(({ method }) => method === "steering_available");
    const event_id = fresh("event");
    const first = await say(talk, "wait", { event_id });
    expect(first).toMatchObject({ event_id, disposition: "absorbed", run_id: talk.run_id });
    expect((await told).params).toEqual({ run_id: talk.run_id, pending: 1 });
    expect(await say(talk, "wait", { event_id })).toEqual({ ...first, idempotent: true });
    expect(await talk.plugin.client.refusal("event_publish", {
      event_id, conversation_id: talk.conversation_id, text: "other",
    })).toMatchObject({ code: "CONFLICT", reason: "event_id_reused" });
    const { items, pending } = await pull(talk);
    expect(items.length).toBe(1);
    expect(pending).toBe(0);
    expect(items[0]).toMatchObject({
      type: "message", steering_id: first.steering_id, claimed_run_id: talk.run_id,
      delivery_count: 1, interaction: null, actor: null,
      event: { event_id, event_type: "message.received", source: "api" },
      conversation: { conversation_id: talk.conversation_id, thread_id: null },
      input: { text: "wait", contents: [], attachments: [] },
    });
  });

  test.each<[string, Params]>([
    ["another thread", { thread_id: "t" }],
    ["another bot", { bot_id: "b" }],
    ["absorb: false", { absorb: false }],
    ["another event type", { event_type: "message.edited" }],
  ])("%s is only logged", async (_what, params) => {
    const talk = await startTalk();
    expect(await say(talk, "psst", params)).toMatchObject({
      disposition: "logged", run_id: null, steering_id: null,
    });
  });

  test.each<[string, (talk: Talk) => Promise<unknown>]>([
    ["a cancel was requested", (talk) =>
      talk.plugin.client.call("run_cancel", { target_run_id: talk.run_id })],
    ["its lease is over", (talk) => world().clone.sql`update agent_run
      set claim_lease_expires_at = now() where run_id = ${talk.run_id}`],
    ["its runner takes no steering", (talk) => talk.plugin.client.call("runner_register", {
      runners: [{ id: talk.plugin.runner_id, capabilities: { steering: false } }],
    })],
    ["it has ended", (talk) => end(talk)],
  ])("a run takes no message when %s", async (_why, change) => {
    const talk = await startTalk();
    await change(talk);
    expect(await say(talk, "late")).toMatchObject({ disposition: "logged" });
  });

  test("a run holds a hundred messages, then the next is only logged", async () => {
    const talk = await startTalk();
    await Promise.all(Array.from({ length: 100 }, (_, place) => say(talk, `message ${place}`)));
    expect(await say(talk, "one too many")).toMatchObject({ disposition: "logged" });
    const { items, pending } = await pull(talk, { limit: 40 });
    expect([items.length, pending]).toEqual([40, 60]);
  });

  test("a refused run creation stores nothing", async () => {
    const plugin = await registerPlugin(world());
    const event_id = fresh("event");
    expect(await plugin.client.refusal("event_publish", {
      event_id, text: "x", runner_id: `${plugin.runner_id}-unknown`, conversation_id: fresh("talk"),
    })).toMatchObject({ code: "NOT_FOUND", kind: "runner" });
    expect(await world().clone.sql`select from event_log where event_id = ${event_id}`)
      .toHaveLength(0);
  });
});

describe("handing over", () => {
  test("what was not confirmed comes again; what was confirmed does not", async () => {
    const talk = await startTalk();
    const first = await say(talk, "one");
    const second = await say(talk, "two");
    const got = await pull(talk, { mode: "one-at-a-time" });
    expect(got.items.map((item: Params) => item["steering_id"])).toEqual([first.steering_id]);
    expect(got.pending).toBe(1);
    await world().clone.sql`update agent_run_steering set lease_expires_at = now()
      where steering_id = ${first.steering_id}`;
    const again = await pull(talk);
    expect(again.items.map((item: Params) => [item["steering_id"], item["delivery_count"]]))
      .toEqual([[first.steering_id, 2], [second.steering_id, 1]]);
    const acked = await pull(talk, { ack: [first.steering_id, "nobody"] });
    expect(acked).toEqual({
      items: [], pending: 0, ack: { acked: [first.steering_id], not_found: ["nobody"] },
    });
    expect(await talk.plugin.client.call("steering_ack", {
      run_id: talk.run_id, ...talk.claim, steering_ids: [second.steering_id, first.steering_id],
    })).toEqual({ acked: [second.steering_id, first.steering_id], not_found: [] });
    expect(await statesOf([first.steering_id, second.steering_id])).toEqual(["injected", "injected"]);
    expect(await traces(first.event_id)).toMatchObject([{
      event_type: "steering.injected",
      steering: { status: "injected", claimed_by_run_id: talk.run_id },
    }]);
  });

  test("an item that was never delivered cannot be confirmed", async () => {
    const talk = await startTalk();
    const { steering_id } = await say(talk, "one");
    expect(await talk.plugin.client.call("steering_ack", {
      run_id: talk.run_id, ...talk.claim, steering_ids: [steering_id],
    })).toEqual({ acked: [], not_found: [steering_id] });
  });

  test("only the executor pulls, under its present claim", async () => {
    const talk = await startTalk();
    await say(talk, "one");
    const wrong = { ...talk.claim, claim_token: "0".repeat(32) };
    expect(await talk.plugin.client.refusal("steering_pull", { run_id: talk.run_id, ...wrong }))
      .toMatchObject({ code: "LEASE_LOST", reason: "claim_not_active" });
    const other = await registerPlugin(world());
    expect(await other.client.refusal("steering_pull", { run_id: talk.run_id }))
      .toMatchObject({ code: "FORBIDDEN", reason: "not_authorized" });
    await end(talk);
    expect(await talk.plugin.client.refusal("steering_pull", { run_id: talk.run_id, ...talk.claim }))
      .toMatchObject({ code: "SESSION_EXPIRED" });
  });

  test("a run that goes back to the queue hands its leased messages to the next claim", async () => {
    const talk = await startTalk();
    const { steering_id } = await say(talk, "one");
    await pull(talk);
    await talk.plugin.client.call("run_release_claim", { target_run_id: talk.run_id, ...talk.claim });
    expect(await statesOf([steering_id])).toEqual(["queued"]);
    const item = await talk.plugin.client.call("run_claim", { runtime_id: talk.plugin.runtime_id });
    const { items } = await pull({ ...talk, claim: claimOf(item) });
    expect(items).toMatchObject([{ steering_id, delivery_count: 2 }]);
  });
});

describe("leftovers", () => {
  test("go to one follow-up run, the oldest as its event", async () => {
    const talk = await startTalk({ timeout_seconds: 600, priority: 4, run_metadata: { a: 1 } });
    const actor = { actor_type: "user", actor_id: "ann", actor_name: "Ann" };
    const sent = [];
    for (const text of ["one", "two", "three"]) sent.push(await say(talk, text, { actor }));
    await pull(talk, { limit: 1 });
    await end(talk);
    const ids = sent.map(({ steering_id }) => steering_id);
    expect(await statesOf(ids)).toEqual(["redispatched", "queued", "queued"]);
    const item = await talk.plugin.client.call("run_claim", { runtime_id: talk.plugin.runtime_id });
    expect(item).toMatchObject({
      parent_run_id: talk.run_id, event_id: sent[0].event_id, input: { text: "one" },
      event: { event_id: sent[0].event_id, actor }, priority: 4, metadata: { a: 1 },
      conversation_id: talk.conversation_id, created_by: talk.plugin.identity,
    });
    expect(item.deadline_at - item.created_at).toBe(600);
    const follow = { ...talk, run_id: item.run_id, claim: claimOf(item) };
    expect((await pull(follow)).items.map((one: Params) => one["steering_id"])).toEqual(ids.slice(1));
    for (const { event_id } of sent) {
      expect(await traces(event_id)).toMatchObject([{
        event_type: "steering.redispatched",
        steering: {
          status: "redispatched", reason: "run_ended", original_event_id: event_id,
          claimed_run_id: talk.run_id, redispatched_run_id: item.run_id,
          claimed_runner_id: talk.plugin.runner_id,
        },
      }]);
    }
    const audit = await world().admin.call("audit_page", { action: "run_redispatched", limit: 1 });
    expect(audit.items).toMatchObject([{
      actor: "host", target_run_id: talk.run_id, detail: { new_run_id: item.run_id },
    }]);
    // The follow-up run keys the state of its actor as run_create would.
    await talk.plugin.client.call("state_set", {
      run_id: item.run_id, ...follow.claim, scope: "actor", key: "k", value: "kept",
    });
    const fresh_run = await talk.plugin.client.call("run_create", {
      runner_id: talk.plugin.runner_id, actor, dispatch: "running",
      conversation_id: talk.conversation_id, binding_id: item.binding_id,
    });
    const follow_key = await scopeKey(item.run_id);
    expect(follow_key).toMatch(/^actor:v2:[0-9a-f]{64}$/);
    expect(await scopeKey(fresh_run.run_id) === follow_key).toBe(
      await bindingOf(fresh_run.run_id) === await bindingOf(item.run_id));
  });

  test("are dropped, with a trace, where no follow-up run is possible", async () => {
    const talk = await startTalk();
    const { steering_id, event_id } = await say(talk, "one");
    await talk.plugin.client.call("runner_register", { runners: [], replace: true });
    await end(talk);
    expect(await statesOf([steering_id])).toEqual(["dropped"]);
    expect(await traces(event_id)).toMatchObject([
      { event_type: "steering.dropped", steering: { status: "dropped", reason: "run_ended" } },
    ]);
    expect(await talk.plugin.client.refusal("run_claim", { runtime_id: talk.plugin.runtime_id }))
      .toMatchObject({ code: "NO_RUN_AVAILABLE" });
  });
});

const scopeKey = async (run_id: string) => (await world().clone.sql`
  select snapshot #>> '{state_context,scope_keys,actor}' as key from agent_run
  where run_id = ${run_id}`)[0]?.["key"];
const bindingOf = async (run_id: string) => (await world().clone.sql`
  select snapshot ->> 'binding_identity' as name from agent_run
  where run_id = ${run_id}`)[0]?.["name"];
