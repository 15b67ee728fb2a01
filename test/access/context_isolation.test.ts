// A session reaches the data of its own conversation and nothing else (actions.md property 11, M.7
// to M.10, 3.4 SCOPE and CONV). One message, run, interaction and state key is planted in every
// scope; what each session must see is said here from the scopes alone.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccessWorld, nameAnswer } from "../support/access_world.js";
import type { Answer, Params } from "../support/client.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
let world: AccessWorld;

interface Scope {
  conversation_id: string | null;
  thread_id: string | null;
  bot_id: string | null;
  workspace_id: string | null;
}

type Plugin = "owner" | "plain";

/** A live run, and what was planted with it; `name` is a word of its own. */
interface Session extends Scope {
  name: string;
  plugin: Plugin;
  runner_id: string;
  run_id: string;
  binding: string;
  actor_id: string | null;
}

const cross = <A, B>(some: readonly A[], others: readonly B[]): (A & B)[] =>
  some.flatMap((one) => others.map((other) => ({ ...one, ...other })));
const values = <K extends string>(key: K, ...of: (string | null)[]) =>
  of.map((value) => ({ [key]: value }) as Record<K, string | null>);

const scopes: readonly Scope[] = [
  ...cross(cross(values("conversation_id", "A", "B", null), values("thread_id", null, "t1")),
    cross(values("bot_id", null, "b1"), values("workspace_id", null, "w1"))),
  { conversation_id: "A", thread_id: null, bot_id: "b2", workspace_id: "w1" },
  { conversation_id: "A", thread_id: null, bot_id: "b1", workspace_id: "w2" },
  { conversation_id: "A", thread_id: "t2", bot_id: "b1", workspace_id: "w1" },
];

const sessions: Session[] = [];
/** Events in the log: the messages, and the event of every run. */
const logged: (Scope & { event_id: string; run_id: string | null; word: string | null })[] = [];

/** M.7 SCOPED. */
const isScoped = (s: Scope, item: Scope): boolean =>
  s.conversation_id !== null && item.conversation_id === s.conversation_id
  && (s.bot_id === null || item.bot_id === s.bot_id)
  && (s.workspace_id === null || item.workspace_id === s.workspace_id)
  && item.thread_id === s.thread_id;

/** 3.4 SCOPE. */
const isInScope = (s: Session, t: Session): boolean =>
  s === t || (t.runner_id === s.runner_id && isScoped(s, t));

const scopeOf = ({ conversation_id, thread_id, bot_id, workspace_id }: Scope): Scope =>
  ({ conversation_id, thread_id, bot_id, workspace_id });

const everything = Object.fromEntries([
  "run_get", "run_events_page", "run_list", "history_page", "history_search", "event_page",
  "event_get", "steering_pull", "state", "prompt_get",
].map((name) => [name, true]));

async function makeSession(scope: Scope, rest: Partial<Session> = {}): Promise<Session> {
  const run_id = world.unique("run");
  const plugin = rest.plugin ?? "owner";
  const session: Session = {
    binding: "bound", actor_id: "u1", runner_id: `plugin:acme/${plugin}/r1`, ...scope, ...rest,
    plugin, run_id, name: `word${run_id.replace("_", "")}`,
  };
  await world.of("builtin").call("run_create", {
    run_id, ...scopeOf(scope), runner_id: session.runner_id, allow_unregistered_runner: true,
    dispatch: "running", timeout_seconds: 3600, binding_id: session.binding,
    actor: session.actor_id === null ? null : { actor_id: session.actor_id },
    state_policy: { state_scopes: ["conversation", "actor", "runner"] },
    prompt: [{ role: "user", content: session.name }],
    authorization: { available_apis: everything },
  });
  logged.push({ ...scopeOf(scope), event_id: `api:${run_id}`, run_id, word: null });
  await world.of(plugin).call("run_emit_result", {
    run_id, sequence: 1, type: "action.requested", data: {
      action: "interaction.requested",
      payload: { interaction_id: "ask", title: session.name, fallback_text: "?" },
    },
  });
  sessions.push(session);
  return session;
}

beforeAll(async () => {
  world = await AccessWorld.start(clone());
  for (const scope of scopes) {
    if (scope.conversation_id === null) continue;
    const event_id = world.unique("event");
    const word = `said${event_id.replace("_", "")}end`;
    await world.of("builtin").call("event_publish", {
      event_id, ...scope, text: `common ${word}`, absorb: false,
    });
    logged.push({ ...scope, event_id, run_id: null, word });
  }
  for (const scope of scopes) await makeSession(scope);
  const [twin, alone] = [
    { conversation_id: "A", thread_id: null, bot_id: "b1", workspace_id: "w1" },
    { conversation_id: null, thread_id: null, bot_id: null, workspace_id: null },
  ] as const;
  await makeSession(twin);
  await makeSession(twin, { runner_id: "plugin:acme/owner/r2" });
  await makeSession(twin, { plugin: "plain" });
  await makeSession(twin, { binding: "bound_otherwise" });
  await makeSession(twin, { actor_id: "u2" });
  await makeSession(twin, { actor_id: null });
  await makeSession(alone, { plugin: "plain" });
});
afterAll(() => world.stop());

const ask = (s: Session, method: string, params: Params = {}) =>
  world.of(s.plugin).call(method, { run_id: s.run_id, ...params });
const title = (s: Session): string =>
  [s.name, s.runner_id, s.binding, s.actor_id, ...Object.values(scopeOf(s))].join(" ");

/** What every session sees, and what it must see, by its title. */
async function expectEach<T>(
  see: (s: Session) => Promise<T>,
  due: (s: Session) => T,
): Promise<void> {
  const seen: (readonly [string, T])[] = [];
  for (const s of sessions) seen.push([title(s), await see(s)]);
  expect(seen).toEqual(sessions.map((s) => [title(s), due(s)]));
}

async function pageAll(s: Session, method: string, params: Params, next: string) {
  const items: Answer[] = [];
  for (let cursor: string | null = null; ;) {
    const page: Answer = await ask(s, method, { ...params, [next]: cursor, limit: 2 });
    items.push(...page.items);
    if (!page.has_more) return items;
    cursor = page.next_cursor;
  }
}

const contentsOf = (items: Answer[]): string[] => items.map(({ content }) => content).sort();
const messagesOf = (s: Scope): string[] =>
  logged.filter((item) => item.word !== null && isScoped(s, item))
    .map(({ word }) => `common ${word}`).sort();
const eventsOf = (s: Scope): string[] =>
  logged.filter((item) => isScoped(s, item)).map(({ event_id }) => event_id).sort();

test("the scopes tell every rule apart", () => {
  const counts = new Set(sessions.map((s) => messagesOf(s).length));
  expect(counts.size).toBeGreaterThan(3);
  expect(sessions.some((s) => s.conversation_id === null)).toBe(true);
});

describe("history", () => {
  test.each([["backward", "before_cursor"], ["forward", "after_cursor"]])(
    "history_page, %s", (direction, next) =>
      expectEach(async (s) => contentsOf(await pageAll(s, "history_page", { direction }, next)),
        messagesOf));

  test("history_page from any cursor", () =>
    expectEach(async (s) => {
      const pages = await Promise.all([{ after_cursor: "0" }, { before_cursor: "999999999" }]
        .map((params) => ask(s, "history_page", { ...params, limit: 100 })));
      return pages.map(({ items }) => contentsOf(items));
    }, (s) => [messagesOf(s), messagesOf(s)]));

  test.each(["common", "common said", "COMM", "saide"])("history_search for %s", (query) =>
    expectEach(async (s) => {
      const found = await ask(s, "history_search", { query, top_k: 100 });
      return { contents: contentsOf(found.items), total: found.total_count };
    }, (s) => {
      const due = messagesOf(s);
      return { contents: due, total: due.length };
    }));

  test("history_search for the very word of a message", async () => {
    const words = logged.flatMap(({ word }) => word ?? []);
    await expectEach(async (s) => {
      const found = await Promise.all(words.map((query) => ask(s, "history_search", { query })));
      return contentsOf(found.flatMap(({ items }) => items));
    }, messagesOf);
  });

  test("naming a conversation never widens", async () => {
    for (const conversation_id of ["A", "B", "C"]) {
      const named = { conversation_id };
      const ways = [
        ["history_page", named], ["event_page", named],
        ["history_search", { query: "common", filters: named }],
        ["run_list", named], ["interaction_list", named],
      ] as const;
      await expectEach((s) => Promise.all(ways.map(async ([method, params]) => {
        const answer = await world.of(s.plugin).ask(method, { run_id: s.run_id, ...params });
        return nameAnswer(answer as never);
      })), (s) => ways.map(() => (s.conversation_id === conversation_id
        ? "ok" : "FORBIDDEN/out_of_scope")));
    }
  });

  test("prompt_get is the run's own", () =>
    expectEach(async (s) => (await ask(s, "prompt_get")).prompt,
      (s) => [{ role: "user", content: s.name }]));
});

describe("events", () => {
  test("event_page", () =>
    expectEach(async (s) => (await pageAll(s, "event_page", {}, "before_cursor"))
      .map(({ event_id }) => event_id).sort(), eventsOf));

  test("event_page by type", () =>
    expectEach(async (s) => {
      const { items } = await ask(s, "event_page", { event_types: ["message.received"] });
      return items.length;
    }, (s) => messagesOf(s).length));

  test("event_get, of every event by every session", () =>
    expectEach(async (s) => {
      const answers = await Promise.all(logged.map(async ({ event_id }) =>
        [event_id, nameAnswer(await world.of(s.plugin)
          .ask("event_get", { run_id: s.run_id, event_id }) as never)]));
      return answers;
    }, (s) => logged.map((event) => [
      event.event_id,
      isScoped(s, event) || event.run_id === s.run_id ? "ok" : "FORBIDDEN/out_of_scope",
    ])));
});

describe("runs", () => {
  const reach = async (s: Session, method: string, params: Params = {}) =>
    Promise.all(sessions.map(async (t) => [title(t), nameAnswer(
      await world.of(s.plugin)
        .ask(method, { run_id: s.run_id, target_run_id: t.run_id, ...params }) as never)]));
  const due = (s: Session) => sessions.map((t) =>
    [title(t), isInScope(s, t) ? "ok" : "FORBIDDEN/out_of_scope"]);

  test("interaction_get of every run by every session", () =>
    expectEach((s) => reach(s, "interaction_get", { interaction_id: "ask" }), due));

  test("interaction_list of every run by every session", () =>
    expectEach((s) => reach(s, "interaction_list"), due));

  test("interaction_list without a target is of the run itself", () =>
    expectEach(async (s) => {
      const { items } = await ask(s, "interaction_list", { limit: 100 });
      return items.map(({ request }: Answer) => request.title);
    }, (s) => [s.name]));

  test("run_subscribe to every run out of scope", async () => {
    for (const s of sessions) {
      const outside = sessions.filter((t) => !isInScope(s, t));
      const answers = await Promise.all(outside.map((t) => world.of(s.plugin)
        .ask("run_subscribe", { run_id: s.run_id, target_run_id: t.run_id })));
      expect([...new Set(answers.map((answer) => nameAnswer(answer as never)))])
        .toEqual(["FORBIDDEN/out_of_scope"]);
    }
  });

  test("run_subscribe to a sibling sends that run and no other", async () => {
    const s = sessions.find((one) => sessions.some((t) => t !== one && isInScope(one, t)))!;
    const t = sessions.find((one) => one !== s && isInScope(s, one))!;
    const client = world.of(s.plugin);
    const { subscription_id } = await ask(s, "run_subscribe", { target_run_id: t.run_id });
    const ofIt = ({ params }: { params: Params }) => params["subscription_id"] === subscription_id;
    await client.notified((note) => ofIt(note) && note.method === "interaction_requested");
    const heard = client.notifications.filter(ofIt).map(({ method, params }) =>
      [method, params["run_id"], (params["interaction"] as Answer)?.request.title]);
    expect(heard).toEqual([
      ["run_event", t.run_id, undefined], ["interaction_requested", t.run_id, t.name],
    ]);
    expect(await client.call("run_unsubscribe", { subscription_id })).toEqual({ removed: true });
  });

  test("a plugin's own run answers no interaction, not even its own", async () => {
    for (const s of sessions.slice(0, 3)) {
      const at = { target_run_id: s.run_id, interaction_id: "ask" };
      for (const method of ["interaction_submit", "interaction_cancel"]) {
        const answer = await world.of(s.plugin).ask(method, at);
        expect(nameAnswer(answer as never)).toBe("INVALID_PARAMS/run_id");
      }
    }
  });
});

describe("state", () => {
  /** M.9: who shares a key, and who has none. */
  const identityIn: Record<string, (s: Session) => unknown[] | null> = {
    conversation: (s) => (s.conversation_id === null ? null : [s.conversation_id, s.thread_id]),
    actor: (s) => (s.actor_id === null ? null : [s.actor_id]),
    runner: () => [],
  };
  const keyOf = (s: Session, scope: string): string | null => {
    const identity = identityIn[scope]!(s);
    return identity === null ? null
      : JSON.stringify([s.runner_id, s.binding, s.bot_id, s.workspace_id, identity]);
  };

  test.each(Object.keys(identityIn))("scope %s is shared by its identity alone", async (scope) => {
    await expectEach(async (s) => nameAnswer(await world.of(s.plugin).ask("state_set", {
      run_id: s.run_id, scope, key: s.name, value: s.run_id,
    }) as never), (s) => (keyOf(s, scope) === null ? "FORBIDDEN/scope_unavailable" : "ok"));
    const sharing = (s: Session) => sessions.filter((t) =>
      keyOf(t, scope) !== null && keyOf(t, scope) === keyOf(s, scope));
    const holders = sessions.filter((s) => keyOf(s, scope) !== null);
    expect(holders.some((s) => sharing(s).length > 1)).toBe(true);
    expect(holders.some((s) => sharing(s).length === 1)).toBe(true);
    for (const s of holders) {
      const { keys } = await ask(s, "state_list", { scope });
      expect([title(s), keys]).toEqual([title(s), sharing(s).map(({ name }) => name).sort()]);
      const { keys: named } = await ask(s, "state_list", { scope, prefix: "word", after_key: "v" });
      expect(named).toEqual(keys);
    }
    for (const s of holders) {
      const reads = await Promise.all(holders.map((t) =>
        ask(s, "state_get", { scope, key: t.name })));
      expect(reads.map(({ value }) => value))
        .toEqual(holders.map((t) => (sharing(s).includes(t) ? t.run_id : null)));
    }
  });

  test("nobody deletes or overwrites another's", async () => {
    const scope = "conversation";
    const holders = sessions.filter((s) => keyOf(s, scope) !== null);
    const victim = holders.find((s) => s.name === sessions[0]!.name)!;
    const others = holders.filter((one) => keyOf(one, scope) !== keyOf(victim, scope));
    const named = { scope, key: victim.name };
    for (const s of others) {
      expect(await ask(s, "state_delete", named)).toEqual({ success: false });
    }
    for (const s of others) await ask(s, "state_set", { ...named, value: "other" });
    expect((await ask(victim, "state_get", { scope, key: victim.name })).value)
      .toBe(victim.run_id);
  });
});

describe("steering", () => {
  const isSame = (s: Scope, t: Scope): boolean =>
    JSON.stringify(scopeOf(s)) === JSON.stringify(scopeOf(t));

  test("a message reaches one run of its very scope, and no other hears of it", async () => {
    const absorbed = new Map<string, string[]>();
    for (const scope of scopes) {
      if (scope.conversation_id === null) continue;
      const text = world.unique("steer");
      const { disposition, run_id } = await world.of("builtin")
        .call("event_publish", { ...scope, text });
      expect(disposition).toBe("absorbed");
      expect(run_id).toBe(sessions.find((s) => isSame(s, scope))!.run_id);
      absorbed.set(run_id, [text]);
    }
    await expectEach(async (s) => {
      const { items, pending } = await ask(s, "steering_pull");
      return [items.map(({ input }: Answer) => input.text), pending];
    }, (s) => [absorbed.get(s.run_id) ?? [], 0]);
  });

  test("naming a runner narrows to it, also between plugins", async () => {
    const twins = sessions.filter((s) => isSame(s, {
      conversation_id: "A", thread_id: null, bot_id: "b1", workspace_id: "w1",
    }));
    for (const runner_id of new Set(twins.map((s) => s.runner_id))) {
      const { run_id, disposition } = await world.of("builtin").call("event_publish", {
        ...scopeOf(twins[0]!), runner_id, allow_unregistered_runner: true, text: "to one",
      });
      expect([disposition, run_id])
        .toEqual(["absorbed", twins.find((s) => s.runner_id === runner_id)!.run_id]);
    }
    const pulled = await Promise.all(twins.map(async (s) =>
      (await ask(s, "steering_pull")).items.length));
    const firsts = new Set([...new Set(twins.map((s) => s.runner_id))]
      .map((runner_id) => twins.find((s) => s.runner_id === runner_id)));
    expect(pulled).toEqual(twins.map((s) => (firsts.has(s) ? 1 : 0)));
  });

  test("no run confirms what is another's", async () => {
    const rows = await world.sql<{ steering_id: string; run_id: string }[]>`
      select steering_id, run_id from agent_run_steering order by id`;
    const ids = rows.map(({ steering_id }) => steering_id);
    await expectEach(async (s) => {
      const { acked, not_found } = await ask(s, "steering_ack", { steering_ids: ids });
      return [acked, not_found.length];
    }, (s) => {
      const mine = rows.filter(({ run_id }) => run_id === s.run_id)
        .map(({ steering_id }) => steering_id);
      return [mine, ids.length - mine.length];
    });
    expect(new Set(rows.map(({ run_id }) => run_id)).size).toBeGreaterThan(10);
  });

  test("an owner does not pull what is attached to a run that another has claimed", async () => {
    const queue_name = world.unique("queue");
    const run_id = world.unique("run");
    await world.of("builtin").call("run_create", {
      run_id, runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true, queue_name,
      conversation_id: run_id,
    });
    await world.of("runtime_admin")
      .call("run_claim", { runtime_id: "rt_runtime_admin", queue_name });
    await world.of("builtin")
      .call("event_publish", { conversation_id: run_id, text: "to the claim" });
    for (const params of [{}, { ack: ["steer_never"] }]) {
      const refusal = await world.of("owner").ask("steering_pull", { run_id, ...params });
      expect(nameAnswer(refusal as never)).toBe("LEASE_LOST/claim_required");
    }
    const refusal = await world.of("owner")
      .ask("steering_ack", { run_id, steering_ids: ["steer_never"] });
    expect(nameAnswer(refusal as never)).toBe("LEASE_LOST/claim_required");
    const { items } = await world.of("runtime_admin").call("steering_pull", { run_id });
    expect(items.map(({ input }: Answer) => input.text)).toEqual(["to the claim"]);
  });
});

describe("two plugins in one conversation", () => {
  const twins = () => {
    const scope = { conversation_id: "A", thread_id: null, bot_id: "b1", workspace_id: "w1" };
    const of = (plugin: Plugin) => sessions.find((s) => s.plugin === plugin
      && JSON.stringify(scopeOf(s)) === JSON.stringify(scope))!;
    return [of("owner"), of("plain")] as const;
  };

  test("read the same transcript", async () => {
    const [one, other] = twins();
    const pages = await Promise.all([one, other].map((s) => ask(s, "history_page")));
    expect(contentsOf(pages[0].items)).toEqual(contentsOf(pages[1].items));
    expect(pages[0].items.length).toBeGreaterThan(0);
  });

  test("never pass each other's run as their own, by no method", async () => {
    const [one, other] = twins();
    const calls: Record<string, Params> = {
      history_page: {}, history_search: { query: "common" }, event_get: { event_id: "e" },
      event_page: {}, prompt_get: {}, steering_pull: {}, steering_ack: { steering_ids: ["s"] },
      state_get: { scope: "runner", key: "k" }, state_set: { scope: "runner", key: "k" },
      state_delete: { scope: "runner", key: "k" }, state_list: { scope: "runner" },
      interaction_list: {}, interaction_get: { interaction_id: "ask" }, run_subscribe: {},
    };
    for (const [caller, victim] of [[one, other], [other, one]] as const) {
      for (const [method, params] of Object.entries(calls)) {
        const answer = await world.of(caller.plugin)
          .ask(method, { run_id: victim.run_id, ...params });
        expect([method, nameAnswer(answer as never)]).toEqual([method, "FORBIDDEN/not_authorized"]);
      }
    }
  });

  test("see each other's events of the conversation, but neither input nor run", async () => {
    const [one, other] = twins();
    const event = await ask(one, "event_get", { event_id: `api:${other.run_id}` });
    const shown = JSON.stringify({ ...event, event_id: null });
    expect(["run_id", "runner_id", "input\"", other.run_id, other.runner_id]
      .filter((word) => shown.includes(word))).toEqual([]);
  });
});
