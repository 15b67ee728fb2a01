// What hangs on a run that a caller may not see answers byte for byte as what was never made, but
// for the ids that were sent (actions.md property 10), and what hangs on a run of another tenant
// likewise, also for administrators (1.9). Nothing of it is shown or changed.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  plantContext, plantInteraction, readContext, secret,
} from "../support/access_context.js";
import { makeRun, type RunSpec } from "../support/access_runs.js";
import { AccessWorld, identityOf, tenantOf, type CallerName } from "../support/access_world.js";
import type { Params } from "../support/client.js";
import { useClone } from "../support/clone.js";
import { onRuns, throughOwn, type Naming, type Variant } from "./sheet_context_variants.js";

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

const base: RunSpec = {
  state: "running", plugin: "acme/owner", runner: "r1", conversation: true, thread: null,
  workspace: "w2", by: "builtin", claimer: "owner",
};
const guess = { runtime_id: "rt_owner", claim_token: "0".repeat(32) };

/** A run that is not the caller's, with one of everything, and a live run of the caller's own. */
async function furnish(caller: CallerName, spec: RunSpec) {
  const place = { conversation_id: world.unique("conversation"), grants: "all" } as const;
  const hidden = await makeRun(world, spec, place);
  await plantContext(world, hidden.run_id);
  const isB = tenantOf(caller) === "tenant-b";
  const own = await makeRun(world, {
    ...base, plugin: identityOf(caller), workspace: "w1", by: isB ? "tenant_b_admin" : "builtin",
  }, place);
  return { id: hidden.run_id, own: own.run_id, claim: hidden.claim ?? guess, ...place };
}

const absent = (id: string): string => id.replace("run_", "nil_");

/** Calls whose answers tell the named run from one that was never made. */
async function compare(
  caller: CallerName,
  named: Naming,
  variants: readonly Variant[],
): Promise<string[]> {
  const differing: string[] = [];
  for (const [method, what, params] of variants) {
    const there = await listen(caller, method, params(named), named);
    const nowhere = await listen(caller, method, params({ ...named, id: absent(named.id) }), named);
    if (there !== nowhere) differing.push(`${method}, ${what}: ${there} / ${nowhere}`);
    if (there.includes(secret)) differing.push(`${method}, ${what}: ${there} shows it`);
  }
  return differing;
}

async function listen(
  caller: CallerName,
  method: string,
  params: Params,
  { id }: Naming,
): Promise<string> {
  const { error, result } = await world.of(caller).ask(method, params);
  const text = JSON.stringify(error ?? result)
    .replaceAll(id, "ID").replaceAll(absent(id), "ID").replace(/sub_[0-9a-f-]{36}/g, "SUB")
    .replace(/"(version|pending)":\d+/g, "\"$1\":N");
  return error === undefined ? `answered ${text}` : text;
}

const blind = [
  "plain", "creator_other", "creator_limited", "limited", "runtime_admin", "plugin_admin", "former",
] as const satisfies CallerName[];
const hidden: Record<string, RunSpec> = {
  running: base,
  claimed: { ...base, state: "claimed" },
  "claimed, its lease over": { ...base, state: "expired" },
  queued: { ...base, state: "queued" },
  "ended inside the read window": { ...base, state: "ended_inside" },
  "ended past it": { ...base, state: "ended_past" },
  "created by another": { ...base, by: "creator" },
  "without a workspace": { ...base, workspace: null },
};

describe.each(blind)("%s sees no difference", (caller) => {
  test.each(Object.entries(hidden))("in what hangs on a run that is %s", async (_title, spec) => {
    const named = await furnish(caller, spec);
    const of = { tenant_id: "default", run_id: named.id };
    const before = await readContext(world, of);
    expect(await compare(caller, named, onRuns)).toEqual([]);
    expect(await readContext(world, of)).toEqual(before);
  });
});

test("who may see the run does see a difference, so there is one to see", async () => {
  const named = await furnish("run_admin", base);
  const differing = (await compare("run_admin", named, onRuns)).map((line) => line.split(",")[0]);
  expect([...new Set(differing)].sort()).toEqual([
    "interaction_cancel", "interaction_get", "interaction_list", "interaction_submit",
    "run_subscribe",
  ]);
  const own = await furnish("owner", base);
  const methods = (await compare("owner", own, onRuns)).map((line) => line.split(",")[0]);
  expect(new Set([...differing, ...methods]).size).toBe(new Set(onRuns.map(([name]) => name)).size);
});

describe("the owner of a session sees no difference", () => {
  const outside: Record<string, Partial<RunSpec>> = {
    "its own plugin, another runner": { runner: "r2" },
    "its own plugin, another workspace": {},
    "its own plugin, another thread": { workspace: "w1", thread: "t1" },
    "its own plugin, another conversation": { workspace: "w1", conversation: "other" },
    "its own plugin, no conversation": { workspace: "w1", conversation: false },
    "another plugin": { plugin: "acme/plain" },
  };
  test.each(Object.entries(outside))("in a run of %s", async (_title, spec) => {
    const planted = { ...base, ...spec };
    if (spec.conversation === false) return expectNoConversation(planted);
    const named = await furnish("owner", planted);
    const of = { tenant_id: "default", run_id: named.id };
    const before = await readContext(world, of);
    const both = onRuns.filter(([, what]) => what === "both");
    expect(both.length).toBeGreaterThan(4);
    expect(await compare("owner", named, [...both, ...throughOwn])).toEqual([]);
    expect(await readContext(world, of)).toEqual(before);
  });

  /** Such a run has no transcript and no state; what it can have is planted. */
  async function expectNoConversation(spec: RunSpec): Promise<void> {
    const place = { conversation_id: world.unique("conversation"), grants: "all" } as const;
    const id = (await makeRun(world, spec, place)).run_id;
    const own = (await makeRun(world, { ...base, workspace: "w1" }, place)).run_id;
    const named = { id, own, claim: guess };
    const both = onRuns.filter(([, what]) => what === "both");
    expect(await compare("owner", named, [...both, ...throughOwn])).toEqual([]);
  }

  test("in events: unknown, another's, of another conversation, of another tenant", async () => {
    const { own, conversation_id } = await furnish("owner", base);
    const other = world.unique("event");
    const place = { conversation_id, workspace_id: "w2", text: secret };
    await world.of("builtin").call("event_publish", { event_id: `${other}_w2`, ...place });
    await world.of("builtin").call("event_publish", {
      event_id: `${other}_talk`, ...place, workspace_id: "w1", conversation_id: "elsewhere",
    });
    await world.of("tenant_b_admin").call("event_publish", {
      event_id: `${other}_b`, ...place, workspace_id: "w1",
    });
    const answers = await Promise.all(["_w2", "_talk", "_b", "_never"].map((end) =>
      world.of("owner").ask("event_get", { run_id: own, event_id: `${other}${end}` })));
    for (const { error } of answers) expect(error).toEqual(answers[3]!.error);
    expect(answers[3]!.error?.data).toEqual({
      code: "FORBIDDEN", retryable: false, reason: "out_of_scope",
    });
  });

  test("an event_id that is taken shows as taken, and nothing else", async () => {
    const event_id = world.unique("event");
    await world.of("builtin").call("event_publish", { event_id, workspace_id: "w2", text: secret });
    for (const workspace_id of ["w1", "w2"]) {
      const sent = { event_id, workspace_id };
      expect(await world.of("creator").refusal("event_publish", sent)).toEqual({
        number: -32004, code: "CONFLICT", retryable: false, reason: "event_id_reused",
      });
    }
  });
});

describe("interaction_list without a run", () => {
  interface Planted { run_id: string; tenant_id: string; workspace_id: string; created_by: string }
  const here = ({ tenant_id }: Planted) => tenant_id === "default";
  const inW1 = (row: Planted) => here(row) && row.workspace_id === "w1";
  const readers: readonly (readonly [CallerName, (row: Planted) => boolean])[] = [
    ["builtin", here], ["run_admin", here], ["limited", inW1],
    ["creator", (row) => here(row) && row.created_by === "acme/creator"],
    ["creator_other", (row) => here(row) && row.created_by === "acme/creator_other"],
    ["creator_limited", (row) => inW1(row) && row.created_by === "acme/creator_limited"],
    ["tenant_b_admin", ({ tenant_id }) => tenant_id === "tenant-b"],
  ];
  const conversation_id = "listed";

  beforeAll(async () => {
    const place = { conversation_id, grants: "default" } as const;
    for (const workspace of ["w1", "w2", null]) {
      for (const rest of [
        {}, { by: "creator" }, { created_by: "creator_limited" },
        { state: "ended_past" }, { by: "tenant_b_admin" },
      ] as const satisfies readonly Partial<RunSpec>[]) {
        const { run_id } = await makeRun(world, { ...base, workspace, ...rest }, place);
        await plantInteraction(world, run_id);
      }
    }
    await plantInteraction(world,
      (await makeRun(world, { ...base, workspace: "w1", by: "creator_other" }, place)).run_id);
  });

  test.each(readers)("shows %s what it reaches", async (caller, sees) => {
    const rows = await world.sql<Planted[]>`
      select i.run_id, i.tenant_id, i.workspace_id, r.created_by, i.status
      from agent_interaction i join agent_run r using (tenant_id, run_id)
      where i.conversation_id = ${conversation_id}`;
    const due = rows.filter(sees).map(({ run_id }) => run_id).sort();
    expect(due.length).toBeGreaterThan(0);
    const list = async (params: Params) => {
      const items: Params[] = [];
      for (let before_cursor: unknown = null; ;) {
        const page = await world.of(caller)
          .call("interaction_list", { ...params, before_cursor, limit: 2 });
        items.push(...page.items);
        if (!page.has_more) return items;
        before_cursor = page.next_cursor;
      }
    };
    const idsOf = (items: Params[]) => items.map((item) => String(item["run_id"])).sort();
    expect(idsOf(await list({ conversation_id }))).toEqual(due);
    const [pending, cancelled] = [
      await list({ conversation_id, statuses: ["pending"] }),
      await list({ conversation_id, statuses: ["cancelled"] }),
    ];
    expect(idsOf([...pending, ...cancelled])).toEqual(due);
    const all = (await list({})).filter((item) => item["conversation_id"] === conversation_id);
    expect(idsOf(all)).toEqual(due);
  });
});

describe("of another tenant", () => {
  const directions = [
    ["the built-in administrator", "builtin"], ["agent_run:admin", "run_admin"],
    ["runtime:admin", "runtime_admin"], ["a creator", "creator"],
    ["the plugin of the same name", "owner"],
    ["an administrator of tenant-b", "tenant_b_admin"],
    ["the plugin of the same name in tenant-b", "tenant_b_plugin"],
  ] as const satisfies readonly (readonly [string, CallerName])[];

  test.each(directions.flatMap(([title, caller]) =>
    (["running", "claimed"] as const).map((state) => [title, state, caller] as const)),
  )("%s is told nothing of what hangs on a run that is %s", async (_title, state, caller) => {
    const isB = tenantOf(caller) === "tenant-b";
    const tenant_id = isB ? "default" : "tenant-b";
    const named = await furnish(caller, {
      ...base, state, workspace: "w1", by: isB ? "builtin" : "tenant_b_admin",
      claimer: isB ? "owner" : "tenant_b_plugin",
    });
    const before = await readContext(world, { tenant_id });
    expect(await compare(caller, named, onRuns)).toEqual([]);
    expect(await readContext(world, { tenant_id })).toEqual(before);
  });

  test("an event_id is free, and stands for its own event in each", async () => {
    const event_id = world.unique("event");
    const conversation_id = world.unique("conversation");
    const place = { conversation_id, grants: "all" } as const;
    const here = (await makeRun(world, { ...base, workspace: null }, place)).run_id;
    const there = (await makeRun(world, {
      ...base, workspace: null, by: "tenant_b_admin",
    }, place)).run_id;
    const sent = { event_id, conversation_id };
    const one = await world.of("builtin").call("event_publish", { ...sent, text: "one" });
    const two = await world.of("tenant_b_admin").call("event_publish", { ...sent, text: "two" });
    expect([one, two]).toMatchObject([
      { disposition: "absorbed", run_id: here }, { disposition: "absorbed", run_id: there },
    ]);
    expect([one.idempotent, two.idempotent]).toEqual([undefined, undefined]);
    expect(await world.of("builtin").call("event_publish", { ...sent, text: "one" }))
      .toEqual({ ...one, idempotent: true });
    expect(await world.of("tenant_b_admin").call("event_publish", { ...sent, text: "two" }))
      .toEqual({ ...two, idempotent: true });
    for (const [caller, run_id, text] of [
      ["owner", here, "one"], ["tenant_b_plugin", there, "two"],
    ] as const) {
      const client = world.of(caller);
      expect((await client.call("event_get", { run_id, event_id })).input_summary).toBe(text);
      const { items } = await client.call("history_page", { run_id });
      expect(items.map((item: Params) => item["content"])).toEqual([text]);
      const pulled = await client.call("steering_pull", { run_id });
      expect(pulled.items.map((item: Params) => (item["input"] as Params)["text"]))
        .toEqual([text]);
    }
    const acked = await world.of("tenant_b_plugin")
      .call("steering_ack", { run_id: there, steering_ids: [one.steering_id, two.steering_id] });
    expect(acked).toEqual({ acked: [two.steering_id], not_found: [one.steering_id] });
    const [left] = await world.sql`
      select state from agent_run_steering where steering_id = ${one.steering_id}`;
    expect(left).toEqual({ state: "leased" });
  });

  test("a message is absorbed by no run of another", async () => {
    const place = { conversation_id: world.unique("conversation"), grants: "all" } as const;
    await makeRun(world, { ...base, workspace: null }, place);
    const { conversation_id } = place;
    expect(await world.of("tenant_b_admin").call("event_publish", { conversation_id, text: "x" }))
      .toMatchObject({ disposition: "logged", run_id: null, steering_id: null });
  });

  test("state, interactions and answers of runs with one name stay apart", async () => {
    const run_id = world.unique("run");
    const sides = [["builtin", "owner"], ["tenant_b_admin", "tenant_b_plugin"]] as const;
    for (const [admin, plugin] of sides) {
      await world.of(admin).call("run_create", {
        run_id, runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true,
        conversation_id: run_id, dispatch: "running", prompt: [{ role: "user", content: admin }],
      });
      await world.of(plugin).call("run_emit_result", {
        run_id, sequence: 1, type: "action.requested", data: {
          action: "interaction.requested",
          payload: { interaction_id: "ask", title: admin, fallback_text: "?" },
        },
      });
    }
    const state = { run_id, scope: "conversation" };
    const at = { target_run_id: run_id, interaction_id: "ask" };
    await world.of("owner").call("state_set", { ...state, key: "k", value: "builtin" });
    await world.of("builtin").call("interaction_submit", at);
    const seen = await Promise.all(sides.map(async ([admin, plugin]) => {
      const client = world.of(plugin);
      const [prompt, keys, list, pulled] = [
        await client.call("prompt_get", { run_id }), await client.call("state_list", state),
        await client.call("interaction_list", { run_id }),
        await client.call("steering_pull", { run_id }),
      ];
      return [admin, prompt.prompt[0].content, keys.keys.length, list.items.length,
        list.items[0].request.title, list.items[0].status, pulled.items.length];
    }));
    expect(seen).toEqual([
      ["builtin", "builtin", 1, 1, "builtin", "submitted", 1],
      ["tenant_b_admin", "tenant_b_admin", 0, 1, "tenant_b_admin", "pending", 0],
    ]);
    const listed = await world.of("tenant_b_admin").call("interaction_list", { limit: 100 });
    expect(JSON.stringify(listed)).not.toContain("submitted\"");
  });
});

describe("subscriptions", () => {
  const emit = (caller: CallerName, run_id: string, sequence: number) =>
    world.of(caller).call("run_emit_result", {
      run_id, sequence, type: "message.delta", data: { chunk: { role: "a", content: caller } },
    });
  const heardBy = (caller: CallerName, subscription_id: string) =>
    world.of(caller).notifications.filter(({ params }) =>
      params["subscription_id"] === subscription_id);
  const until = (caller: CallerName, subscription_id: string, method: string) =>
    world.of(caller).notified((note) =>
      note.method === method && note.params["subscription_id"] === subscription_id);

  test("each tenant hears its own run, though both have one name", async () => {
    const run_id = world.unique("run");
    const make = (admin: CallerName) => world.of(admin).call("run_create", {
      run_id, runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true,
      dispatch: "running",
    });
    await make("builtin");
    await make("tenant_b_admin");
    const sides = [
      ["builtin", "owner", { target_run_id: run_id }], ["owner", "owner", { run_id }],
      ["tenant_b_admin", "tenant_b_plugin", { target_run_id: run_id }],
      ["tenant_b_plugin", "tenant_b_plugin", { run_id }],
    ] as const;
    const held = await Promise.all(sides.map(([caller, , params]) =>
      world.of(caller).call("run_subscribe", params)));
    await emit("owner", run_id, 1);
    await emit("owner", run_id, 2);
    await emit("tenant_b_plugin", run_id, 1);
    for (const caller of ["owner", "tenant_b_plugin"] as const) {
      const last = caller === "owner" ? 3 : 2;
      await world.of(caller)
        .call("run_emit_result", { run_id, sequence: last, type: "run.completed", data: {} });
    }
    for (const [index, [caller, plugin]] of sides.entries()) {
      const { subscription_id } = held[index]!;
      await until(caller, subscription_id, "run_ended");
      const heard = heardBy(caller, subscription_id).map(({ method, params }) => {
        const data = (params["event"] as Params | undefined)?.["data"] as Params | undefined;
        return [method, (data?.["chunk"] as Params | undefined)?.["content"]];
      });
      const chunks = plugin === "owner" ? 2 : 1;
      expect(heard).toEqual([
        ...Array.from({ length: chunks }, () => ["run_event", plugin]),
        ["run_event", undefined], ["run_ended", undefined],
      ]);
    }
  });

  test("only the connection that holds one ends it", async () => {
    const place = { conversation_id: world.unique("conversation"), grants: "default" } as const;
    const { run_id } = await makeRun(world, base, place);
    const { subscription_id } = await world.of("owner").call("run_subscribe", { run_id });
    for (const caller of ["plain", "builtin", "tenant_b_plugin", "tenant_b_admin"] as const) {
      const answers = await Promise.all([subscription_id, "sub_never"].map((id) =>
        world.of(caller).call("run_unsubscribe", { subscription_id: id })));
      expect(answers).toEqual([{ removed: false }, { removed: false }]);
    }
    await emit("owner", run_id, 1);
    await until("owner", subscription_id, "run_event");
    const end = () => world.of("owner").call("run_unsubscribe", { subscription_id });
    expect([await end(), await end()]).toEqual([{ removed: true }, { removed: false }]);
    await emit("owner", run_id, 2);
    const again = await world.of("owner").call("run_subscribe", { run_id, after_cursor: "1" });
    await until("owner", again.subscription_id, "run_event");
    expect(heardBy("owner", subscription_id).length).toBe(1);
    await world.of("owner")
      .call("run_unsubscribe", { subscription_id: again.subscription_id });
  });
});
