// Batches of creates: whatever stands beside a create in its statement, it gets the outcome and
// leaves the rows that it would alone; and the answer to a new run is what a reading of it shows.

import { describe, expect, test } from "vitest";
import { runParams } from "../../src/actions/run_params.js";
import { buildRun } from "../../src/actions/run_request.js";
import { nameRun } from "../../src/ledger/new_run.js";
import type { GrantFacts } from "../../src/contract/grants.js";
import { type Answer, type Params } from "../support/client.js";
import { fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost();

const grantOf = (plugin: Plugin, changes: Partial<GrantFacts> = {}): GrantFacts => ({
  tenant_id: "default", caller: plugin.identity, via: null, action: "run_create", now: null,
  run_id: null, target_run_id: null, capability: null, mode: null, admin: null,
  creator: { permission: "agent_run:create", workspaces: null },
  held: [{ permission: "agent_run:create", workspaces: null }],
  claim: null, force: false, unlimited: [], read_days: 7, ...changes,
});

/** One statement with a create for each of `sent`; the outcomes, in short. */
async function createAll(grant: GrantFacts, sent: readonly Params[]): Promise<string[]> {
  const inputs = sent.map((one) =>
    nameRun({ ...buildRun({ params: runParams.parse(one), sent: one, grant }), traceparent: null }));
  const { sql } = world().clone;
  const rows = await sql`select run_create_batch('default',
    ${sql.json(sent.map(() => grant) as never)}::jsonb, ${sql.json(inputs as never)}::jsonb)
    as outcome`;
  return rows.map(({ outcome }) => outline(outcome));
}

function outline({ refusal, run, made }: Answer): string {
  if (refusal) return [refusal.code, refusal.reason].filter((one) => one !== undefined).join(" ");
  if (run) return run.idempotent === true ? "repeated" : "a stored run";
  return Number.isInteger(made.id) && Number.isInteger(made.at_ms) ? "made" : "nothing";
}

/** What stands in each table of a run: equally many rows, or none. */
async function tablesOf(run_ids: readonly string[]): Promise<string[]> {
  const rows = await world().clone.sql`select r.run_id, q.run_id is not null as requested,
      o.id is not null as open
    from agent_run r left join agent_run_request q using (tenant_id, run_id)
      left join agent_run_open o on o.tenant_id = r.tenant_id and o.id = r.id
    where r.run_id = any (${run_ids as string[]}) order by r.run_id`;
  expect(rows.every(({ requested, open }) => requested && open)).toBe(true);
  return rows.map(({ run_id }) => run_id as string);
}

describe("one statement", () => {
  test("good, repeated, conflicting and refused creates share it", async () => {
    const plugin = await registerPlugin(world());
    const { runner_id, client } = plugin;
    const name = fresh("mixed");
    const stored = { runner_id, run_id: `${name}-stored`, event_id: `${name}-logged`, bot_id: "b" };
    await client.call("run_create", stored);
    const other = { runner_id, input: { text: "other" } };
    const outcomes = await createAll(grantOf(plugin), [
      { runner_id, run_id: `${name}-a`, event_id: `${name}-event`, text: "hello" },
      { runner_id, run_id: `${name}-a`, event_id: `${name}-event`, text: "hello" },
      { ...other, run_id: `${name}-a` },
      { ...other, run_id: `${name}-b`, event_id: `${name}-event` },
      { ...other, run_id: `${name}-c`, event_id: `${name}-event`, conversation_id: "elsewhere" },
      stored,
      { ...other, run_id: `${name}-stored` },
      { ...other, run_id: `${name}-d`, event_id: `${name}-logged`, bot_id: "b" },
      { ...other, run_id: `${name}-e`, event_id: `${name}-logged` },
      { runner_id: `${runner_id}-unknown`, run_id: `${name}-f` },
      { ...other, run_id: `${name}-g`, parent_run_id: fresh("nobody") },
      { ...other, run_id: `${name}-h`, parent_run_id: `${name}-stored` },
      { ...other, run_id: `${name}-i`, deadline_at: 1 },
      { ...other, run_id: `${name}-j`, timeout_seconds: 5, not_before: 4_000_000_000 },
      { ...other, run_id: `${name}-k`, include_plugins: ["no/one"] },
      { ...other, run_id: `${name}-l`, authorization: { available_apis: { run_list: true } } },
      { ...other, run_id: `${name}-m` },
    ]);
    expect(outcomes).toEqual([
      "made", "repeated", "CONFLICT run_id_reused", "made", "CONFLICT event_id_reused", "repeated",
      "CONFLICT run_id_reused", "made", "CONFLICT event_id_reused", "NOT_FOUND",
      "FORBIDDEN not_authorized", "made", "INVALID_PARAMS", "INVALID_PARAMS", "NOT_FOUND",
      "FORBIDDEN permission_missing", "made",
    ]);
    const named = "abcdefghijklm".split("").map((letter) => `${name}-${letter}`);
    expect(await tablesOf([...named, stored.run_id]))
      .toEqual(["a", "b", "d", "h", "m", "stored"].map((end) => `${name}-${end}`));
    const events = await world().clone.sql`select event_id, run_id from event_log
      where event_id in (${`${name}-event`}, ${`${name}-logged`}) order by event_id`;
    expect(events.map((row) => ({ ...row }))).toEqual([
      { event_id: `${name}-event`, run_id: `${name}-a` },
      { event_id: `${name}-logged`, run_id: stored.run_id },
    ]);
  });

  test("a message is in the transcript once, for the first run that it led to", async () => {
    const plugin = await registerPlugin(world());
    const conversation_id = fresh("talk");
    const message = { event_type: "message.received", conversation_id, text: "hi" };
    const create = (run_id: string, event_id: string) =>
      ({ runner_id: plugin.runner_id, ...message, run_id, event_id });
    const [a, b, c] = [fresh("run"), fresh("run"), fresh("run")] as const;
    const [first, second] = [fresh("event"), fresh("event")] as const;
    const outcomes = await createAll(grantOf(plugin), [
      create(b, first), create(a, first), create(c, second),
    ]);
    expect(outcomes).toEqual(["made", "made", "made"]);
    const items = await world().clone.sql`select event_id, run_id, runner_id, content, role,
      transcript_id ~ '^msg_[0-9a-f-]{36}$' as named from transcript
      where conversation_id = ${conversation_id} order by event_id = ${second}`;
    const item = { runner_id: plugin.runner_id, content: "hi", role: "user", named: true };
    expect(items.map((row) => ({ ...row }))).toEqual([
      { ...item, event_id: first, run_id: b }, { ...item, event_id: second, run_id: c },
    ]);
  });

  test("an administrator's creates are audited, those that made a run and no others", async () => {
    const plugin = await registerPlugin(world());
    const { runner_id } = plugin;
    const admin = { permission: "agent_run:admin", workspaces: null } as const;
    const [made, refused] = [fresh("run"), fresh("run")];
    const outcomes = await createAll(grantOf(plugin, { admin, held: [admin], creator: null }), [
      { runner_id, run_id: made }, { runner_id, run_id: made }, { runner_id: "plugin:no/one/x",
        run_id: refused },
    ]);
    expect(outcomes).toEqual(["made", "repeated", "NOT_FOUND"]);
    const audited = await world().clone.sql`select target_run_id from run_audit
      where action = 'run_create' and actor = ${plugin.identity}`;
    expect(audited.map(({ target_run_id }) => target_run_id)).toEqual([made]);
  });
});

describe("the answer", () => {
  const shapes: [string, Params][] = [
    ["nothing but a runner", {}],
    ["a running run", { dispatch: "running" }],
    ["a running run with a timeout", { dispatch: "running", timeout_seconds: 7 }],
    ["a deadline", { deadline_at: 4_000_000_000 }],
    ["a timeout", { timeout_seconds: 61 }],
    ["a time before which it waits", { not_before: 4_000_000_000 }],
    ["a queue", { queue_name: "q", priority: -3, max_attempts: 4, requested_runtime_id: "r" }],
    ["its scope", { conversation_id: "c", thread_id: "t", workspace_id: "w", bot_id: "b" }],
    ["its binding", { binding: { binding_id: "bound", agent_id: "agent" }, event_id: "" }],
    ["metadata", { metadata: { b: 1e30, a: [0.1, -0, null, "ß", { z: true }], "": {} } }],
  ];

  test.each(shapes)("with %s it is what a reading shows", async (_title, params) => {
    const { client, runner_id } = await registerPlugin(world());
    const event = params["event_id"] === "" ? { event_id: fresh("event") } : {};
    const created = await client.call("run_create", { runner_id, ...params, ...event });
    expect(created.status).toBe(params["dispatch"] ?? "queued");
    expect(await client.call("run_get", { run_id: created.run_id })).toEqual(created);
  });

  test("to a child it names the parent", async () => {
    const { client, runner_id } = await registerPlugin(world());
    const { run_id: parent_run_id } = await client.call("run_create", { runner_id });
    const created = await client.call("run_create", { runner_id, parent_run_id });
    expect(created.parent_run_id).toBe(parent_run_id);
    expect(await client.call("run_get", { run_id: created.run_id })).toEqual(created);
  });
});
