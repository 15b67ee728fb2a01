// State that runs of one scope share: policy, versions, exact quotas under concurrency, lists.

import { describe, expect, test } from "vitest";
import type { Params } from "../support/client.js";
import { fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0", RUNHOST_MAX_IN_FLIGHT: "1000" });

async function startRun(plugin: Plugin, params: Params = {}): Promise<string> {
  const run = await plugin.client.call("run_create", {
    runner_id: plugin.runner_id, dispatch: "running", conversation_id: fresh("talk"), ...params,
  });
  return run.run_id;
}

const scope = "conversation";

describe("values", () => {
  test("are set, read, changed by version and deleted; versions are never used twice", async () => {
    const { client, ...plugin } = await registerPlugin(world());
    const run_id = await startRun({ client, ...plugin });
    const at = { run_id, scope, key: "k" };
    expect(await client.call("state_get", at)).toEqual({ value: null, found: false, version: 0 });
    expect(await client.refusal("state_set", { ...at, value: 1, if_version: 4 }))
      .toMatchObject({ code: "CONFLICT", reason: "version_mismatch", version: 0 });
    expect(await client.call("state_set", { ...at, value: { a: [1, null] }, if_version: 0 }))
      .toEqual({ success: true, version: 1 });
    expect(await client.refusal("state_set", { ...at, value: 2, if_version: 0 }))
      .toMatchObject({ reason: "version_mismatch", version: 1 });
    expect(await client.call("state_get", at))
      .toEqual({ value: { a: [1, null] }, found: true, version: 1 });
    expect(await client.refusal("state_delete", { ...at, if_version: 7 }))
      .toMatchObject({ reason: "version_mismatch", version: 1 });
    expect(await client.call("state_delete", { ...at, if_version: 1 })).toEqual({ success: true });
    expect(await client.call("state_delete", at)).toEqual({ success: false });
    expect(await client.call("state_delete", { ...at, if_version: 0 })).toEqual({ success: false });
    expect(await client.refusal("state_delete", { ...at, if_version: 1 }))
      .toMatchObject({ reason: "version_mismatch", version: 0 });
    expect(await client.call("state_set", at)).toEqual({ success: true, version: 2 });
    expect(await client.call("state_get", at)).toEqual({ value: null, found: true, version: 2 });
  });

  test("are shared by runs of the same scope and by no others", async () => {
    const plugin = await registerPlugin(world());
    const conversation_id = fresh("talk");
    const first = await startRun(plugin, { conversation_id, binding_id: "b" });
    const second = await startRun(plugin, { conversation_id, binding_id: "b" });
    const elsewhere = await startRun(plugin, { binding_id: "b" });
    const otherwise = await startRun(plugin, { conversation_id, binding_id: "c" });
    const set = (run_id: string, value: string, wanted: Params) =>
      plugin.client.call("state_set", { run_id, key: "k", value, ...wanted });
    await set(first, "talk", { scope });
    const get = async (run_id: string, wanted: string) =>
      (await plugin.client.call("state_get", { run_id, scope: wanted, key: "k" })).value;
    expect(await Promise.all([get(second, scope), get(elsewhere, scope), get(otherwise, scope)]))
      .toEqual(["talk", null, null]);
  });

  test("the key conversation_id means external.conversation_id", async () => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin);
    const at = { run_id, scope };
    await plugin.client.call("state_set", { ...at, key: "conversation_id", value: 5 });
    expect(await plugin.client.call("state_get", { ...at, key: "external.conversation_id" }))
      .toMatchObject({ value: 5 });
    expect(await plugin.client.call("state_list", { ...at, prefix: "conversation_id" }))
      .toEqual({ keys: ["external.conversation_id"], has_more: false, next_after_key: null });
  });

  test("keys are listed by their bytes, page by page, prefixes taken literally", async () => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin);
    const keys = ["a", "a%", "a%b", "a_b", "B", "ä", "😀", "z"];
    for (const key of keys) await plugin.client.call("state_set", { run_id, scope, key, value: 1 });
    const sorted = [...keys].sort((one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two)));
    const found: string[] = [];
    for (let after_key: string | null = null; ;) {
      const page: { keys: string[]; has_more: boolean; next_after_key: string | null } =
        await plugin.client.call("state_list", { run_id, scope, after_key, limit: 3 });
      found.push(...page.keys);
      if (!page.has_more) break;
      after_key = page.next_after_key;
    }
    expect(found).toEqual(sorted);
    expect((await plugin.client.call("state_list", { run_id, scope, prefix: "a%" })).keys)
      .toEqual(["a%", "a%b"]);
  });
});

describe("policy", () => {
  test.each<[string, Params, string, string]>([
    ["switched off", { state_policy: { enable_state: false } }, scope, "capability_missing"],
    ["a scope that is not listed", { state_policy: { state_scopes: ["actor"] } }, scope,
      "scope_disabled"],
    ["an actor that the run lacks", {}, "actor", "scope_unavailable"],
    ["a subject that is not listed", {}, "subject", "scope_disabled"],
  ])("%s", async (_what, params, wanted, reason) => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin, params);
    const at = { run_id, scope: wanted, key: "k" };
    for (const method of ["state_get", "state_set", "state_delete"]) {
      expect(await plugin.client.refusal(method, at)).toMatchObject({ code: "FORBIDDEN", reason });
    }
    expect(await plugin.client.refusal("state_list", { run_id, scope: wanted }))
      .toMatchObject({ code: "FORBIDDEN", reason });
  });

  test("a policy that is off beside a granted capability is state_disabled", async () => {
    const plugin = await registerPlugin(world());
    const run = await world().admin.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running", conversation_id: fresh("talk"),
      state_policy: { enable_state: false },
      authorization: { available_apis: { state: true } },
    });
    expect(await plugin.client.refusal("state_get", { run_id: run.run_id, scope, key: "k" }))
      .toMatchObject({ code: "FORBIDDEN", reason: "state_disabled", scope });
  });
});

describe("quotas", () => {
  test("a value may have 262144 bytes and not one more", async () => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin);
    const set = (length: number) => plugin.client.ask("state_set", {
      run_id, scope, key: "k", value: "x".repeat(length - 2),
    });
    expect((await set(262_144)).error).toBeUndefined();
    expect((await set(262_145)).error?.data).toMatchObject({
      code: "PAYLOAD_TOO_LARGE", reason: "value", limit_bytes: 262_144,
    });
  });

  test("1000 keys from many writers at once are exactly 1000", async () => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin);
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => world().test.connect(plugin.token)));
    const answers = await Promise.all(Array.from({ length: 1040 }, (_, place) =>
      clients[place % 8]?.ask("state_set", { run_id, scope, key: `key ${place}`, value: 1 })));
    const refused = answers.flatMap((answer) => (answer?.error ? [answer.error.data] : []));
    expect(refused.length).toBe(40);
    expect(refused.every((data) => data["reason"] === "scope_keys" && data["limit"] === 1000))
      .toBe(true);
    const versions = answers.flatMap((answer) =>
      (answer?.result ? [(answer.result as { version: number }).version] : []));
    expect(new Set(versions).size).toBe(1000);
    // A key that exists may still be written.
    const [kept] = (await plugin.client.call("state_list", { run_id, scope, limit: 1 })).keys;
    expect(await plugin.client.call("state_set", { run_id, scope, key: kept, value: 2 }))
      .toEqual({ success: true, version: 1001 });
  });

  test("8 MiB of one scope are never exceeded", async () => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, place) =>
      plugin.client.ask("state_set", {
        run_id, scope, key: `k${place}`, value: "x".repeat(262_000),
      })));
    const refused = answers.flatMap((answer) => (answer.error ? [answer.error.data["reason"]] : []));
    expect(new Set(refused)).toEqual(new Set(["scope_bytes"]));
    const [row] = await world().clone.sql`select s.total_bytes::int as total, s.key_count as keys,
        (select sum(bytes)::int from agent_runner_state v where v.scope_key = s.scope_key) as held
      from agent_runner_state_scope s order by total_bytes desc limit 1`;
    expect(row?.["total"]).toBe(row?.["held"]);
    expect(row?.["total"]).toBeLessThanOrEqual(8_388_608);
    expect(row?.["keys"]).toBe(40 - refused.length);
  });

  test("of many compare-and-set writers one wins each version", async () => {
    const plugin = await registerPlugin(world());
    const run_id = await startRun(plugin);
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => world().test.connect(plugin.token)));
    const answers = await Promise.all(clients.map((client, place) =>
      client.ask("state_set", { run_id, scope, key: "k", value: place, if_version: 0 })));
    expect(answers.filter(({ error }) => !error).length).toBe(1);
  });
});
