// Requests to a person: asked by a run, answered once by whoever may, and heard by the run as steering.

import { describe, expect, test } from "vitest";
import type { Params } from "../support/client.js";
import { claimOf, fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0", RUNHOST_MAX_IN_FLIGHT: "1000" });

const form = {
  title: "Travel", fallback_text: "Where to?",
  fields: [
    { id: "city", label: "City", type: "text", required: true },
    { id: "nights", label: "Nights", type: "number" },
    { id: "late", label: "Late", type: "boolean", required: true },
    { id: "class", label: "Class", type: "select", options: [
      { value: "eco", label: "Economy" }, { value: "biz", label: "Business" },
    ] },
    { id: "extras", label: "Extras", type: "multiselect", options: [
      { value: "bag", label: "Bag" }, { value: "meal", label: "Meal" },
    ] },
  ],
  actions: [{ id: "book", label: "Book" }, { id: "stop", label: "Stop" }],
};

interface Asked {
  plugin: Plugin;
  run_id: string;
  interaction_id: string;
  claim: ReturnType<typeof claimOf>;
}

async function ask(payload: Params = form, params: Params = {}): Promise<Asked> {
  const plugin = await registerPlugin(world());
  await plugin.client.call("run_create", {
    runner_id: plugin.runner_id, conversation_id: fresh("talk"), ...params,
  });
  const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
  const interaction_id = fresh("ask");
  await plugin.client.call("run_emit_result", {
    target_run_id: item.run_id, ...claimOf(item), sequence: 1, type: "action.requested",
    data: { action: "interaction.requested", payload: { interaction_id, ...payload } },
  });
  return { plugin, run_id: item.run_id, interaction_id, claim: claimOf(item) };
}

const at = ({ run_id, interaction_id }: Asked) => ({ target_run_id: run_id, interaction_id });
const good = { action_id: "book", values: { city: "Rome", late: false } };
const answer = (asked: Asked, params: Params = good) =>
  asked.plugin.client.ask("interaction_submit", { ...at(asked), ...params });
const hear = async (asked: Asked) => (await asked.plugin.client.call("steering_pull", {
  run_id: asked.run_id, ...asked.claim,
})).items;

describe("answering", () => {
  test("an answer is stored once and reaches the run as steering", async () => {
    const asked = await ask();
    const stored = await asked.plugin.client.call("interaction_get", at(asked));
    expect(stored).toMatchObject({
      status: "pending", request: { kind: "form", title: "Travel" }, submission: null,
    });
    expect(stored.expires_at - stored.created_at).toBe(1800);
    expect(stored.request.expires_at).toBe(stored.expires_at);
    const told = asked.plugin.client.notified(({ method }) => method === "steering_available");
    const { result } = await answer(asked);
    expect(result).toMatchObject({
      status: "submitted", submitted_by: asked.plugin.identity,
      submission: { ...good, actor_id: null },
    });
    expect((await told).params).toEqual({ run_id: asked.run_id, pending: 1 });
    expect((await answer(asked)).result).toEqual({ ...(result as object), idempotent: true });
    expect((await answer(asked, { ...good, action_id: "stop" })).error?.data).toMatchObject({
      code: "CONFLICT", reason: "interaction_not_pending", status: "submitted",
    });
    const items = await hear(asked);
    expect(items).toMatchObject([{
      type: "interaction.submitted", input: null, actor: null,
      event: {
        event_type: "interaction.submitted", event_id: null, source: "host",
        data: { interaction_id: asked.interaction_id },
      },
      interaction: { status: "submitted", submission: good },
    }]);
  });

  test.each<[string, Params, string[]]>([
    ["no action", { values: good.values }, ["action_id"]],
    ["an unknown action", { ...good, action_id: "fly" }, ["action_id"]],
    ["a required field is missing", { ...good, values: { late: true } }, ["values.city"]],
    ["a required field is empty", { ...good, values: { city: "", late: true } }, ["values.city"]],
    ["a field that was not asked", { ...good, values: { ...good.values, zip: "1" } },
      ["values.zip"]],
    ["wrong types", { ...good, values: { city: 1, late: "no", nights: "2", class: 3, extras: "bag" } },
      ["values.city", "values.nights", "values.late", "values.class", "values.extras"]],
    ["no such option", { ...good, values: { ...good.values, class: "first", extras: ["bag", "x"] } },
      ["values.class", "values.extras"]],
    ["an option twice", { ...good, values: { ...good.values, extras: ["bag", "bag"] } },
      ["values.extras"]],
    ["text over 20000", { ...good, values: { ...good.values, city: "x".repeat(20_001) } },
      ["values.city"]],
  ])("%s is refused with its path and leaves the request pending", async (_what, params, paths) => {
    const asked = await ask();
    const { error } = await answer(asked, params);
    expect(error?.data.code).toBe("INVALID_PARAMS");
    const issues = error?.data["issues"] as { path: string }[];
    expect(issues.map(({ path }) => path).sort()).toEqual([...paths].sort());
    expect((await answer(asked)).result).toMatchObject({ status: "submitted" });
  });

  test("of 50 concurrent answers one is accepted", async () => {
    const asked = await ask();
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => world().test.connect(asked.plugin.token)));
    const answers = await Promise.all(Array.from({ length: 50 }, (_, place) =>
      clients[place % 10]?.ask("interaction_submit", {
        ...at(asked), action_id: "book", values: { city: `City ${place}`, late: true },
      })));
    expect(answers.filter((one) => one && !one.error).length).toBe(1);
    const refused = answers.flatMap((one) => (one?.error ? [one.error.data["reason"]] : []));
    expect(new Set(refused)).toEqual(new Set(["interaction_not_pending"]));
    expect((await hear(asked)).length).toBe(1);
  });

  test("a creator answers for the asked actor only; an administrator may leave it out", async () => {
    const actor = { actor_type: "user", actor_id: "ann" };
    const asked = await ask({ title: "Sure?", fallback_text: "Sure?" }, { actor });
    for (const params of [{}, { actor_id: "bob" }]) {
      expect((await answer(asked, params)).error?.data).toMatchObject({
        code: "FORBIDDEN", reason: "out_of_scope",
      });
    }
    expect(await world().admin.refusal("interaction_submit", { ...at(asked), actor_id: "bob" }))
      .toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
    expect(await world().admin.call("interaction_submit", at(asked)))
      .toMatchObject({ status: "submitted", submitted_by: "runhost/admin" });
    const { items } = await world().admin.call("audit_page", { action: "interaction_submit", limit: 1 });
    expect(items).toMatchObject([{
      target_run_id: asked.run_id,
      detail: { interaction_id: asked.interaction_id, action_id: null },
    }]);
  });

  test("an answer after the time is a conflict, and the row is expired", async () => {
    const asked = await ask();
    await world().clone.sql`update agent_interaction set expires_at = now()
      where interaction_id = ${asked.interaction_id}`;
    expect((await answer(asked)).error?.data).toMatchObject({
      code: "CONFLICT", reason: "interaction_not_pending", status: "expired",
    });
    expect(await hear(asked)).toMatchObject([{ type: "interaction.expired" }]);
  });
});

describe("cancelling and ending", () => {
  test("a cancel is repeated safely and reaches the run", async () => {
    const asked = await ask();
    const cancel = { ...at(asked), reason: "changed my mind" };
    const first = await asked.plugin.client.call("interaction_cancel", cancel);
    expect(first).toMatchObject({ status: "cancelled", status_reason: "changed my mind" });
    expect(await asked.plugin.client.call("interaction_cancel", at(asked)))
      .toEqual({ ...first, idempotent: true });
    expect((await answer(asked)).error?.data).toMatchObject({ status: "cancelled" });
    expect(await hear(asked)).toMatchObject([{ type: "interaction.cancelled" }]);
  });

  test("the end of the run cancels what is pending and drops what was not heard", async () => {
    const asked = await ask();
    await asked.plugin.client.call("run_finalize", {
      target_run_id: asked.run_id, ...asked.claim, status: "completed",
    });
    expect(await asked.plugin.client.call("interaction_get", at(asked)))
      .toMatchObject({ status: "cancelled", status_reason: "run ended" });
    const heard = await ask();
    await answer(heard);
    await heard.plugin.client.call("run_finalize", {
      target_run_id: heard.run_id, ...heard.claim, status: "completed",
    });
    const rows = await world().clone.sql`select state from agent_run_steering
      where run_id = ${heard.run_id}`;
    expect([...rows]).toEqual([{ state: "dropped" }]);
  });
});

describe("reading", () => {
  test("lists reach what the caller may see, newest first, page by page", async () => {
    const asked = await ask();
    for (const sequence of [2, 3]) {
      await asked.plugin.client.call("run_emit_result", {
        target_run_id: asked.run_id, ...asked.claim, sequence, type: "action.requested",
        data: {
          action: "interaction.requested",
          payload: { ...form, interaction_id: `${asked.interaction_id}-${sequence}` },
        },
      });
    }
    const ids: string[] = [];
    for (let before_cursor: string | null = null; ;) {
      const page: { items: { interaction_id: string }[]; next_cursor: string | null } =
        await asked.plugin.client.call("interaction_list", { before_cursor, limit: 2 });
      ids.push(...page.items.map(({ interaction_id }) => interaction_id));
      before_cursor = page.next_cursor;
      if (before_cursor === null) break;
    }
    const { interaction_id } = asked;
    expect(ids).toEqual([`${interaction_id}-3`, `${interaction_id}-2`, interaction_id]);
    const own = await asked.plugin.client.call("interaction_list", { run_id: asked.run_id });
    expect(own.items.length).toBe(3);
    expect(await asked.plugin.client.refusal("interaction_list", {
      run_id: asked.run_id, conversation_id: "elsewhere",
    })).toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
    const other = await registerPlugin(world());
    expect((await other.client.call("interaction_list", {})).items).toEqual([]);
    expect(await other.client.refusal("interaction_get", at(asked)))
      .toMatchObject({ code: "FORBIDDEN", reason: "not_authorized" });
    expect(await asked.plugin.client.refusal("interaction_get", { ...at(asked), interaction_id: "x" }))
      .toMatchObject({ code: "NOT_FOUND", kind: "interaction", id: "x" });
  });
});
