// Every action's schema against tables of params; and the published JSON Schema against the same
// accepted rows, so that what rpc.discover tells a peer is what the host takes.

import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { actionNames } from "../../src/contract/action_names.js";
import { contextTables } from "./tables/params_context.js";
import { fleetTables } from "./tables/params_fleet.js";
import { ingressTables } from "./tables/params_ingress.js";
import { pluginTables } from "./tables/params_plugins.js";
import { runCreateTable } from "./tables/params_run_create.js";
import { runTables } from "./tables/params_runs.js";
import { statisticsTables } from "./tables/params_statistics.js";
import { collectActions, judgeParams, objectOf } from "./schemas.js";

const actions = collectActions();
const tables = [
  ...pluginTables, ...runTables, runCreateTable, ...fleetTables, ...statisticsTables,
  ...ingressTables, ...contextTables,
];
const named = (name: string) => {
  const action = actions.get(name);
  if (action === undefined) throw new Error(`there is no action ${name}`);
  return action;
};

it("tables hold each action once", () => {
  expect(tables.map((table) => table.action).sort()).toEqual([...actionNames].sort());
});

for (const table of tables) {
  describe(table.action, () => {
    const action = named(table.action);
    it.each(table.accepted)("takes %s", (_why, params) => {
      expect(judgeParams(action, params)).toHaveProperty("params");
    });
    it.each(table.refused)("refuses %s", (_why, params, paths) => {
      expect(judgeParams(action, params)).toEqual({ paths });
    });
    it("publishes a closed JSON Schema that takes the accepted rows", () => {
      const schema = z.toJSONSchema(action.params, {
        io: "input",
        target: "draft-7",
        unrepresentable: "any",
      }) as Record<string, unknown>;
      expect(schema["additionalProperties"]).toBe(false);
      const validate = new Ajv({ strict: false }).compile(schema);
      for (const [why, params] of table.accepted) {
        const sent: unknown = JSON.parse(JSON.stringify(params));
        expect([why, validate(sent), validate.errors]).toEqual([why, true, null]);
      }
      const [, broken] = table.refused[0] ?? [];
      expect(broken).toBeTypeOf("object");
    });
  });
}

describe("clamped numbers and defaults", () => {
  const rows: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["plugin_list", {}, { limit: 50 }],
    ["plugin_list", { limit: 0 }, { limit: 1 }],
    ["plugin_list", { limit: 101 }, { limit: 100 }],
    ["run_list", {}, { limit: 50, include_total: false }],
    ["run_list", { limit: -7 }, { limit: 1 }],
    ["run_list", { limit: 999 }, { limit: 100 }],
    ["run_list", { statuses: ["queued", "failed", "queued"] }, { statuses: ["queued", "failed"] }],
    ["run_events_page", { run_id: "r" }, { direction: "forward", limit: 50 }],
    ["runner_list", {}, { limit: 100 }],
    ["runner_list", { limit: 501 }, { limit: 500 }],
    ["runtime_list", {}, { limit: 50 }],
    ["runtime_list", { limit: 501 }, { limit: 500 }],
    ["run_claim", { runtime_id: "r" }, { lease_seconds: 60, wait_seconds: 0 }],
    ["run_claim", { runtime_id: "r", lease_seconds: 0, max_runs: 0, wait_seconds: -1 },
      { lease_seconds: 1, max_runs: 1, wait_seconds: 0 }],
    ["run_claim", { runtime_id: "r", lease_seconds: 3601, max_runs: 101, wait_seconds: 61 },
      { lease_seconds: 3600, max_runs: 100, wait_seconds: 60 }],
    ["run_renew_claim", { target_run_id: "r", runtime_id: "r", claim_token: "t" },
      { lease_seconds: 60 }],
    ["run_release_claim", { target_run_id: "r", runtime_id: "r", claim_token: "t" },
      { status: "queued", refund_attempt: false }],
    ["run_get", { run_id: "r" }, { include_input: false }],
    ["run_finalize", { run_id: "r", status: "failed" }, { force: false }],
    ["runtime_register", { runtime_id: "r", heartbeat_ttl_seconds: 1 },
      { heartbeat_ttl_seconds: 5 }],
    ["runtime_register", { runtime_id: "r", heartbeat_ttl_seconds: 86_400 },
      { heartbeat_ttl_seconds: 3600 }],
    ["run_create", { runner_id: "plugin:a/b/c" },
      { dispatch: "queued", priority: 0, metadata: {}, wait_seconds: 30,
        wait_for_completion: false, allow_unregistered_runner: false }],
    ["run_create", { runner_id: "plugin:a/b/c", wait_seconds: 301 }, { wait_seconds: 300 }],
    ["run_wait", { run_id: "r" }, { wait_seconds: 30 }],
    ["run_wait", { run_id: "r", wait_seconds: -1 }, { wait_seconds: 0 }],
    ["run_wait", { run_id: "r", wait_seconds: 301 }, { wait_seconds: 300 }],
    ["run_retry", { target_run_id: "r" }, { dispatch: "queued" }],
    ["runtime_reconcile", { stale_after_seconds: -0.5 }, { stale_after_seconds: 0 }],
    ["runtime_reconcile", { stale_after_seconds: 0.25 }, { stale_after_seconds: 0.25 }],
    ["runtime_reconcile", { stale_after_seconds: 86_400.5 }, { stale_after_seconds: 86_400 }],
    ["runner_stats", {}, { limit: 50 }],
    ["runner_stats", { limit: 0 }, { limit: 1 }],
    ["runner_stats", { limit: 101 }, { limit: 100 }],
    ["audit_page", {}, { limit: 50 }],
    ["audit_page", { limit: -1 }, { limit: 1 }],
    ["audit_page", { limit: 101 }, { limit: 100 }],
    ["plugin_connect", {}, { protocol_version: "1" }],
    ["event_publish", {}, { absorb: true, metadata: {}, run_metadata: {}, priority: 0,
      allow_unregistered_runner: false }],
    ["history_page", { run_id: "r" },
      { direction: "backward", limit: 50, include_attachments: false }],
    ["history_page", { run_id: "r", limit: 101 }, { limit: 100 }],
    ["history_search", { run_id: "r", query: "  a b\n" }, { query: "a b", top_k: 10 }],
    ["history_search", { run_id: "r", query: "x", top_k: 101 }, { top_k: 100 }],
    ["history_search", { run_id: "r", query: "x", filters: { roles: ["a", "b", "a"] } },
      { filters: { roles: ["a", "b"] } }],
    ["event_page", { run_id: "r", limit: -1 }, { limit: 1 }],
    ["steering_pull", { run_id: "r" }, { mode: "all", limit: 100, lease_seconds: 60 }],
    ["steering_pull", { run_id: "r", mode: "ONE_at_a_Time", limit: 0, lease_seconds: 4 },
      { mode: "one", limit: 1, lease_seconds: 5 }],
    ["steering_pull", { run_id: "r", mode: "aLL", limit: 101, lease_seconds: 601,
      ack: ["a", "b", "a"] }, { mode: "all", limit: 100, lease_seconds: 600, ack: ["a", "b"] }],
    ["steering_ack", { run_id: "r", steering_ids: ["a", "a"] }, { steering_ids: ["a"] }],
    ["state_set", { run_id: "r", scope: "actor", key: "k" }, { value: null, bytes: 4 }],
    ["state_set", { run_id: "r", scope: "actor", key: "k", value: { b: "é", a: 1e2 } },
      { bytes: 18 }],
    ["state_list", { run_id: "r", scope: "runner" }, { limit: 100 }],
    ["state_list", { run_id: "r", scope: "runner", limit: 500 }, { limit: 100 }],
    ["interaction_list", {}, { limit: 50 }],
    ["interaction_list", { statuses: ["expired", "expired"] }, { statuses: ["expired"] }],
    ["interaction_submit", { target_run_id: "t", interaction_id: "i" }, { values: {} }],
    ["plugin_register", { plugin_identity: "a/b", permissions: ["*", "*"] },
      { permissions: ["*"] }],
  ];
  it.each(rows)("%s %j", (name, params, expected) => {
    expect(judgeParams(named(name), params)).toEqual({ params: expect.objectContaining(expected) });
  });
});

describe("stored fields have at most 64 KiB", () => {
  const rows: [string, string, Record<string, unknown>][] = [
    ["plugin_register", "metadata", { plugin_identity: "a/b" }],
    ["run_finalize", "usage", { run_id: "r", status: "failed" }],
    ["run_finalize", "cost", { run_id: "r", status: "failed" }],
    ["run_finalize", "metadata", { run_id: "r", status: "failed" }],
    ["runtime_register", "capabilities", { runtime_id: "r" }],
    ["runtime_register", "metadata", { runtime_id: "r" }],
    ["runtime_heartbeat", "capabilities", { runtime_id: "r" }],
    ["runtime_heartbeat", "metadata", { runtime_id: "r" }],
  ];
  const details = (path: string) => ({
    code: "PAYLOAD_TOO_LARGE",
    details: { reason: "field", path, limit_bytes: 65_536 },
  });

  it.each(rows)("%s %s", (name, field, params) => {
    const within = judgeParams(named(name), { ...params, [field]: objectOf(65_536) });
    expect(within).toHaveProperty("params");
    const over = judgeParams(named(name), { ...params, [field]: objectOf(65_537) });
    expect(over).toEqual(details(field));
  });

  it.each(["runtime_register", "runtime_heartbeat"])("%s labels", (name) => {
    const labels = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`label${at}`, "x".repeat(250)]),
    );
    expect(judgeParams(named(name), { runtime_id: "r", labels })).toEqual(details("labels"));
  });

  it("runner descriptors have at most 256 KiB, and the refusal names the runner", () => {
    const id = "plugin:a/b/c";
    const other = { id: "plugin:a/b/d" };
    const room = 262_144 - JSON.stringify({ id, raw_manifest: {} }).length + "{}".length;
    const fits = { id, raw_manifest: objectOf(room) };
    const large = { id, raw_manifest: objectOf(room + 1) };
    const judge = (runner: unknown) =>
      judgeParams(named("runner_register"), { runners: [other, runner] });
    expect(judge(fits)).toHaveProperty("params");
    expect(judge(large)).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      details: { reason: "field", path: "runners.1", limit_bytes: 262_144 },
    });
  });

  it("a state value at most 256 KiB", () => {
    const key = { run_id: "r", scope: "actor", key: "k" };
    const over = judgeParams(named("state_set"), { ...key, value: objectOf(262_145) });
    expect(over).toEqual({
      code: "PAYLOAD_TOO_LARGE", details: { reason: "value", limit_bytes: 262_144 },
    });
  });

  it("a submission at most 256 KiB, its action and actor counted", () => {
    const params = { target_run_id: "t", interaction_id: "i", action_id: "ok" };
    const around = '{"action_id":"ok","actor_id":null,"values":}'.length;
    const judge = (bytes: number) =>
      judgeParams(named("interaction_submit"), { ...params, values: objectOf(bytes - around) });
    expect(judge(262_144)).toHaveProperty("params");
    expect(judge(262_145)).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      details: { reason: "field", path: "values", limit_bytes: 262_144 },
    });
  });

  it("a wrong type comes before a size", () => {
    const value = objectOf(262_145);
    expect(judgeParams(named("state_set"), { run_id: "r", scope: "actor", value })).toEqual({
      paths: ["key"],
    });
    const params = { run_id: "r", status: "failed", usage: objectOf(70_000), cost: 5 };
    expect(judgeParams(named("run_finalize"), params)).toEqual({ paths: ["cost"] });
  });
});
