// What reaches a run while its handler works: messages in order and once, confirmed when they are
// done with; questions to people and every way they end.

import { describe, expect, test } from "vitest";
import type { InteractionOutcome, InteractionRequest, RunStopped } from "../../src/worker/worker.js";
import { fresh, useHost } from "../support/host.js";
import { deafen, openBench, overlay, signal, type Bench } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

/** A run of a conversation, made by its first message. */
async function startTalk(bench: Bench, name = "chat", params: object = {}) {
  const conversation_id = fresh("talk");
  const say = (text: string, more: object = {}) =>
    world().admin.call("event_publish", { conversation_id, text, ...more });
  const made = await say("first", { runner_id: `plugin:${bench.identity}/${name}`, ...params });
  return { run_id: made.run_id as string, conversation_id, say };
}

const statesOf = async (run_id: string): Promise<string[]> =>
  (await world().clone.sql<{ state: string }[]>`
    select state from agent_run_steering where run_id = ${run_id} order by id`)
    .map(({ state }) => state);

const textOf = (item: { input?: any }): string => item.input.text;

describe("messages", () => {
  test("come in their order, each once, and are confirmed one by one", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const go = signal();
    const heard: string[] = [];
    const states: string[][] = [];
    await bench.work({
      chat: async (run, ctx) => {
        begun.give();
        await go.promise;
        for await (const item of ctx.steering({ idle_seconds: 0 })) {
          heard.push(textOf(item));
          states.push(await statesOf(run.run_id));
        }
        return "bye";
      },
    });
    const talk = await startTalk(bench);
    await begun.promise;
    for (const text of ["a", "b", "c"]) await talk.say(text);
    go.give();
    expect(await bench.waitFor(talk.run_id)).toMatchObject({ status: "completed" });
    expect(heard).toEqual(["a", "b", "c"]);
    expect(states).toEqual([
      ["leased", "leased", "leased"], ["injected", "leased", "leased"],
      ["injected", "injected", "leased"],
    ]);
    expect(await statesOf(talk.run_id)).toEqual(["injected", "injected", "injected"]);
  });

  test("wake a handler that waits, by the hint; and without a hint after poll_seconds", async () => {
    for (const muffled of [false, true]) {
      const bench = await openBench(world());
      const waiting = signal();
      await bench.work({
        chat: async (_run, ctx) => {
          const items = ctx.steering();
          waiting.give();
          const { value } = await items.next();
          return textOf(value);
        },
      }, muffled ? { host: deafen(bench.host), poll_seconds: 1 } : { poll_seconds: 60 });
      const talk = await startTalk(bench);
      await waiting.promise;
      await talk.say("hello");
      expect(await bench.waitFor(talk.run_id)).toMatchObject({ status: "completed" });
      expect((await bench.eventsOf(talk.run_id))[0]?.data.message.content).toBe("hello");
      expect(await statesOf(talk.run_id)).toEqual(["injected"]);
    }
  });

  test("the answer to a message is stored before the message is confirmed", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const go = signal();
    const order: string[] = [];
    const host = overlay(bench.host, {
      runEmitResult: async (params: any, options: any): Promise<any> => {
        const answer = await bench.host.runEmitResult(params, options);
        order.push(String(params.type));
        return answer;
      },
      call(method, params, options) {
        if (method === "steering_ack") order.push("ack");
        return bench.host.call(method, params, options);
      },
    });
    await bench.work({
      chat: async (_run, ctx) => {
        begun.give();
        await go.promise;
        for await (const item of ctx.steering({ idle_seconds: 0 })) {
          void ctx.emit.message(textOf(item));
        }
      },
    }, { host });
    const talk = await startTalk(bench);
    await begun.promise;
    await talk.say("a");
    go.give();
    await bench.waitFor(talk.run_id);
    expect(order).toEqual(["message.completed", "ack", "run.completed"]);
  });

  test("the last in hand is confirmed by completing, and not by failing", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const heard: string[] = [];
    await bench.work({
      chat: async (run, ctx) => {
        begun.give();
        for await (const item of ctx.steering()) {
          heard.push(`${run.claim_epoch} ${textOf(item)}`);
          if (run.claim_epoch === 1) throw new Error("on the way");
          break;
        }
      },
    });
    const talk = await startTalk(bench);
    await begun.promise;
    await talk.say("a");
    expect(await bench.waitFor(talk.run_id)).toMatchObject({ status: "completed", claim_epoch: 2 });
    expect(heard).toEqual(["1 a", "2 a"]);
    expect(await statesOf(talk.run_id)).toEqual(["injected"]);
  });

  test("items of a type that nobody knows are confirmed and passed over", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const go = signal();
    const heard: string[] = [];
    const host = overlay(bench.host, {
      async call(method, params, options) {
        const answer = await bench.host.call(method, params, options);
        if (method !== "steering_pull") return answer;
        const items = answer.items.map((item: any) =>
          item.input.text === "b" ? { ...item, type: "weather.changed" } : item);
        return { ...answer, items };
      },
    });
    await bench.work({
      chat: async (_run, ctx) => {
        begun.give();
        await go.promise;
        for await (const item of ctx.steering({ idle_seconds: 0 })) heard.push(textOf(item));
      },
    }, { host });
    const talk = await startTalk(bench);
    await begun.promise;
    for (const text of ["a", "b", "c"]) await talk.say(text);
    go.give();
    await bench.waitFor(talk.run_id);
    expect(heard).toEqual(["a", "c"]);
    expect(await statesOf(talk.run_id)).toEqual(["injected", "injected", "injected"]);
  });

  test("waiting for them ends with the reason when the run is cancelled", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const thrown = signal<RunStopped>();
    await bench.work({
      chat: async (_run, ctx) => {
        begun.give();
        try {
          for await (const item of ctx.steering()) textOf(item);
        } catch (reason) {
          thrown.give(reason as RunStopped);
          throw reason;
        }
      },
    });
    const talk = await startTalk(bench);
    await begun.promise;
    await world().admin.call("run_cancel", { target_run_id: talk.run_id });
    expect(await thrown.promise).toMatchObject({ kind: "cancel_requested" });
    expect(await bench.waitFor(talk.run_id)).toMatchObject({ status: "cancelled" });
  });
});

describe("a question", () => {
  const question: InteractionRequest = {
    kind: "confirmation", title: "Delete it?",
    actions: [{ id: "yes", label: "Yes" }, { id: "no", label: "No" }],
  };

  /** A run that asks; what it was told, and how its interaction is named. */
  async function startAsking(bench: Bench, options: object = {}, request = question) {
    const told = signal<InteractionOutcome | RunStopped>();
    await bench.work({
      ask: async (_run, ctx) => {
        told.give(await ctx.ask(request).catch((thrown) => thrown));
        const missed = [];
        for await (const item of ctx.steering({ idle_seconds: 0 })) missed.push(item.type);
        return missed.join() || "none";
      },
    }, options);
    const run_id = await bench.create("ask", { conversation_id: fresh("talk") });
    let found: any;
    while (found === undefined) {
      const { items } = await world().admin.call("interaction_list", { target_run_id: run_id });
      [found] = items;
    }
    return { run_id, told, interaction_id: found.interaction_id as string };
  }

  test("is answered by a person; the answer is not told a second time", async () => {
    const bench = await openBench(world());
    const { run_id, told, interaction_id } = await startAsking(bench, { poll_seconds: 60 });
    await world().admin.call("interaction_submit", {
      target_run_id: run_id, interaction_id, action_id: "yes",
    });
    expect(await told.promise).toMatchObject({
      status: "submitted", action_id: "yes", values: {}, interaction: { interaction_id },
    });
    await bench.waitFor(run_id);
    const events = await bench.eventsOf(run_id);
    expect(events.at(-1)?.data.message.content).toBe("none");
    expect(events[0]?.data.payload).toMatchObject({ fallback_text: "Delete it?" });
    expect(await statesOf(run_id)).toEqual(["injected"]);
  });

  test("its answer is seen without a hint too", async () => {
    const bench = await openBench(world());
    const options = { host: deafen(bench.host), poll_seconds: 1 };
    const { run_id, told, interaction_id } = await startAsking(bench, options);
    await world().admin.call("interaction_submit", {
      target_run_id: run_id, interaction_id, action_id: "no",
    });
    expect(await told.promise).toMatchObject({ status: "submitted", action_id: "no" });
  });

  test("that is withdrawn resolves as cancelled", async () => {
    const bench = await openBench(world());
    const { run_id, told, interaction_id } = await startAsking(bench);
    await world().admin.call("interaction_cancel", {
      target_run_id: run_id, interaction_id, reason: "settled by phone",
    });
    expect(await told.promise).toMatchObject({
      status: "cancelled", status_reason: "settled by phone",
    });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
  });

  test("that nobody answers in time resolves as expired, sweep or not", async () => {
    const bench = await openBench(world());
    const { run_id, told } = await startAsking(bench, { poll_seconds: 1 });
    await world().clone.sql`update agent_interaction set expires_at = now() - interval '10 s'
      where run_id = ${run_id}`;
    expect(await told.promise).toMatchObject({ status: "expired" });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
  });

  test("rejects when the run is cancelled, and is cancelled with it", async () => {
    const bench = await openBench(world());
    const { run_id, told, interaction_id } = await startAsking(bench);
    await world().admin.call("run_cancel", { target_run_id: run_id, reason: "too late" });
    expect(await told.promise).toMatchObject({ name: "RunStopped", kind: "cancel_requested" });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "cancelled" });
    expect(await world().admin.call("interaction_get", { target_run_id: run_id, interaction_id }))
      .toMatchObject({ status: "cancelled", status_reason: "run ended" });
  });

  test("that the host refuses rejects with the refusal", async () => {
    const bench = await openBench(world());
    let refusal: unknown;
    await bench.work({
      ask: async (_run, ctx) => {
        const field = { id: "a", label: "A", type: "text" as const };
        refusal = await ctx.ask({ ...question, fields: [field, field] }).catch((thrown) => thrown);
      },
    });
    expect(await bench.waitFor(await bench.create("ask"))).toMatchObject({ status: "completed" });
    expect(refusal).toMatchObject({ code: "RESULT_REJECTED", reason: "invalid_payload" });
  });

  test("of one's own name is the same question in the next attempt, answered meanwhile", async () => {
    const bench = await openBench(world());
    const asked = signal();
    const outcomes: unknown[] = [];
    await bench.work({
      ask: async (run, ctx) => {
        const answer = ctx.ask({ ...question, interaction_id: "delete-1" });
        if (run.claim_epoch === 1) {
          await ctx.emit.delta("asked");
          asked.give();
          throw new Error("interrupted");
        }
        outcomes.push(await answer);
      },
    });
    const run_id = await bench.create("ask");
    await asked.promise;
    await world().admin.call("interaction_submit", {
      target_run_id: run_id, interaction_id: "delete-1", action_id: "yes",
    });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 2 });
    expect(outcomes).toMatchObject([{ status: "submitted", action_id: "yes" }]);
  });

  test("asked without waiting is answered through steering", async () => {
    const bench = await openBench(world());
    const asked = signal();
    await bench.work({
      ask: async (_run, ctx) => {
        await ctx.emit.interaction({ ...question, interaction_id: "later" });
        asked.give();
        for await (const item of ctx.steering()) {
          return `${item.type} ${item.interaction?.submission?.["action_id"]}`;
        }
        return "nothing";
      },
    });
    const run_id = await bench.create("ask");
    await asked.promise;
    await world().admin.call("interaction_submit", {
      target_run_id: run_id, interaction_id: "later", action_id: "no",
    });
    await bench.waitFor(run_id);
    expect((await bench.eventsOf(run_id)).at(-1)?.data.message.content)
      .toBe("interaction.submitted no");
  });
});
