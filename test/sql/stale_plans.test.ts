// What a statement reads does not hang on what statistics say: its plans are made while the tables
// are all but empty and kept by the connection, then the tables grow. Counted in rows, not in time.

import { createHash } from "node:crypto";
import type { ReservedSql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runParams } from "../../src/actions/run_params.js";
import { buildRun } from "../../src/actions/run_request.js";
import type { GrantFacts } from "../../src/contract/grants.js";
import { checkResult } from "../../src/contract/result_payloads.js";
import { nameRun } from "../../src/ledger/new_run.js";
import type { Sql } from "../../src/sql/database.js";
import { type PluginRow, readPlugins } from "../../src/sql/plugin_facts.js";
import type { Answer, Params } from "../support/client.js";
import { type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

/** A plan that scans reads each of the planted rows, once for each write. */
const rows_planted = 20_000;
const writes = 10;
const rows_max_each = 25;

/** Each has made its plans while there was next to nothing, and keeps them. */
let connection: ReservedSql;
let plugin: Plugin;

const grantOf = (changes: Partial<GrantFacts> = {}): GrantFacts => ({
  tenant_id: "default", caller: plugin.identity, via: null, action: "run_create", now: null,
  run_id: null, target_run_id: null, capability: null, mode: null, admin: null,
  creator: { permission: "agent_run:create", workspaces: null },
  held: [{ permission: "agent_run:create", workspaces: null }],
  claim: null, force: false, unlimited: [], read_days: 7, ...changes,
});

const newRun = (sent: Params) => nameRun({
  ...buildRun({ params: runParams.parse(sent), sent, grant: grantOf() }), traceparent: null,
});

/** Claims as many runs as there are writes, in one statement. */
const claims = () => ({
  grants: [grantOf({ action: "run_claim" })],
  inputs: [{
    queue_name: null, runner_ids: null, runtime_id: plugin.runtime_id, lease_seconds: 60,
    max_runs: writes, token_sha256s: Array(writes).fill(tokenHash),
  }],
});
const tokenHash = createHash("sha256").update("the token").digest("hex");

interface Batch {
  name: string;
  of(runs: readonly string[]): { grants: object[]; inputs: object[] };
}

const each = (of: (run_id: string, place: number) => [object, object]): Batch["of"] => (runs) => {
  const calls = runs.map(of);
  return { grants: calls.map(([grant]) => grant), inputs: calls.map(([, input]) => input) };
};

const create = (own: (run_id: string, place: number) => Params): Batch["of"] =>
  each((run_id, place) => [grantOf(), newRun({ runner_id: plugin.runner_id, ...own(run_id, place) })]);

const held = (run_id: string) => grantOf({
  target_run_id: run_id, capability: "run_append_result",
  claim: { runtime_id: plugin.runtime_id, token_sha256: tokenHash, epoch: 1 },
});

const append = (run_id: string): [object, object] => {
  const data = { tool_call_id: "call", tool_name: "look" };
  const sent = { type: "tool.call.started", data, usage: undefined, metadata: undefined };
  const none = { interaction: null, state: null, message: null };
  return [held(run_id), { sequence: 1, ...checkResult({ ...sent, emitted: false }), ...none }];
};

const claimOf = (run_id: string) =>
  ({ run_id, caller: plugin.identity, now: null, ...held(run_id).claim });

const batches: [string, Batch][] = [
  ["plain appends", {
    name: "store_plain_results", of: (runs) => ({
      grants: runs.map((run_id) => ({ ...claimOf(run_id), first: 1, last: 1 })),
      inputs: runs.map((run_id, place) => ({ ...append(run_id)[1], run: place + 1 })),
    }),
  }],
  ["plain ends", {
    name: "end_plain_runs",
    of: (runs) => ({
      grants: runs.map((run_id) => ({ ...claimOf(run_id), status: "completed" })), inputs: [],
    }),
  }],
  ["creates", { name: "run_create_batch", of: create(() => ({})) }],
  ["repeated creates", { name: "run_create_batch", of: create((run_id) => ({ run_id })) }],
  ["creates with a parent",
    { name: "run_create_batch", of: create((parent_run_id) => ({ parent_run_id })) }],
  ["creates for events that are logged", {
    name: "run_create_batch", of: create((run_id) => ({ event_id: `api:${run_id}` })),
  }],
  ["creates for one event", { name: "run_create_batch", of: create(() => ({ event_id: "one" })) }],
  ["appends", { name: "run_append_batch", of: each(append) }],
  ["renewals",
    { name: "run_renew_batch", of: each((run_id) => [held(run_id), { lease_seconds: 60 }]) }],
  ["ends", {
    name: "run_finalize_batch", of: each((run_id) => [held(run_id), {
      status: "completed", status_reason: null, usage: null, cost: null, metadata: null,
    }]),
  }],
];

async function call(name: string, { grants, inputs }: ReturnType<Batch["of"]>): Promise<Answer[]> {
  const more = inputs.length === 0 ? connection``
    : connection`, ${connection.json(inputs as never)}::jsonb`;
  const rows = await connection`select to_json(${connection(name)}('default',
    ${connection.json(grants as never)}::jsonb ${more})) as outcome`;
  return rows.map(({ outcome }) => outcome);
}

async function rowsRead(): Promise<number> {
  const [row] = await connection`select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
    from pg_stat_xact_user_tables`;
  return row!["rows"] as number;
}

async function findPlugins(identities: readonly string[]): Promise<PluginRow[]> {
  const named = { tenant_id: "default", identities };
  const rows = await readPlugins(connection as unknown as Sql, named);
  return rows.filter(({ tenant_id }) => tenant_id !== null) as PluginRow[];
}

const nothing = async (): Promise<void> => undefined;

/** The rows that `work` read, in a transaction that is taken back with what it did. */
async function countRows(
  prepare: () => Promise<void>,
  work: () => Promise<void>,
): Promise<number> {
  await connection`begin`;
  try {
    await prepare();
    const before = await rowsRead();
    await work();
    return (await rowsRead()) - before;
  } finally {
    await connection`rollback`;
  }
}

/** Rows that a batch on claimed runs reads for each of its writes. */
async function readBy({ name, of }: Batch): Promise<number> {
  let claimed: string[] = [];
  const claim = async (): Promise<void> => {
    const [{ runs }] = (await call("run_claim_batch", claims())) as [Answer];
    claimed = runs.map(({ run_id }: Answer) => run_id as string);
    expect(claimed).toHaveLength(writes);
  };
  const rows = await countRows(claim, async () => {
    const answers = await call(name, of(claimed));
    for (const { refusal } of answers) expect(refusal).toBeUndefined();
    // A plain statement says nothing of what it leaves.
    if (!name.startsWith("run_create")) expect(JSON.stringify(answers)).toContain(claimed.at(-1));
  });
  return rows / writes;
}

/** Copies of one of the runs that stand in the queue, ended long ago, with all that they had. */
const grow = () => world().clone.sql.begin(async (sql) => {
  await sql`insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by,
      event_id, dispatch, status, queue_name, snapshot, started_at, finished_at)
    select tenant_id, 'planted-' || n, runner_id, plugin_identity, created_by, 'planted-' || n,
      dispatch, 'completed', queue_name, snapshot, now(), now()
    from agent_run cross join generate_series(1, ${rows_planted}::int) n where run_id = 'seed'`;
  await sql`insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery)
    select tenant_id, 'planted-' || n, '{}', '{}', '{}', '{}'
    from agent_run_request cross join generate_series(1, ${rows_planted}::int) n
    where run_id = 'seed'`;
  await sql`insert into event_log (tenant_id, event_id, event_type, source, run_id)
    select 'default', 'planted-' || n, 'api.invoked', 'api', 'planted-' || n
    from generate_series(1, ${rows_planted}::int) n`;
  await sql`insert into plugin (tenant_id, plugin_identity)
    select 'default', 'planted/p' || n from generate_series(1, 5000) n`;
  await sql`insert into plugin_token (tenant_id, key_id, plugin_identity, secret_sha256)
    select 'default', 'planted-' || n, 'planted/p' || n, sha256('x')
    from generate_series(1, 5000) n`;
  await sql`insert into runner (tenant_id, runner_id, plugin_identity)
    select 'default', 'plugin:planted/p' || n || '/main', 'planted/p' || n
    from generate_series(1, 5000) n`;
});

beforeAll(async () => {
  const { sql } = world().clone;
  for (const table of tables) {
    await sql`alter table ${sql(table)} set (autovacuum_enabled = false)`;
  }
  plugin = await registerPlugin(world());
  connection = await sql.reserve();
  // Those that need no run make their plans before there is one.
  const nobody = Array.from({ length: writes }, (_, n) => `nobody-${n}`);
  for (const [, { name, of }] of batches) {
    await countRows(nothing, async () => void (await call(name, of(nobody))));
  }
  for (let n = 0; n < 7; n += 1) await findPlugins([plugin.identity]);
  const { client, runner_id } = plugin;
  await client.call("run_create", { runner_id, run_id: "seed" });
  for (let n = 1; n < writes; n += 1) await client.call("run_create", { runner_id });
}, 120_000);

afterAll(() => connection.release());

const tables = ["agent_run", "agent_run_open", "agent_run_request", "agent_run_event",
  "agent_run_ended", "event_log", "plugin", "plugin_token", "runner"];

/** Back to the few rows that there were, counted, with plans that are kept. */
async function shrink(): Promise<void> {
  const { sql } = world().clone;
  await sql`delete from agent_run where run_id like 'planted-%'`;
  await sql`delete from agent_run_request where run_id like 'planted-%'`;
  await sql`delete from event_log where event_id like 'planted-%'`;
  await sql`delete from runner where runner_id like 'plugin:planted/%'`;
  await sql`delete from plugin_token where plugin_identity like 'planted/%'`;
  await sql`delete from plugin where plugin_identity like 'planted/%'`;
  for (const table of tables) await sql`vacuum (analyze) ${sql(table)}`;
  // Postgres judges a statement six times before it may keep a plan.
  for (let n = 0; n < 7; n += 1) for (const [, batch] of batches) await readBy(batch);
}

const states: [string, () => Promise<unknown>][] = [
  ["planned on empty tables", grow],
  ["planned when few rows were counted", () => shrink().then(grow)],
];

describe.each(states)("%s", (_state, reach) => {
  beforeAll(reach, 120_000);

  test.each(batches)("%s read few rows for each write", async (_kind, batch) => {
    expect(await readBy(batch)).toBeLessThan(rows_max_each);
  });

  test("identities read few rows for each name", async () => {
    const identities = Array.from({ length: 200 }, (_, n) => `planted/p${n + 1}`);
    const rows = await countRows(nothing, async () => {
      expect(await findPlugins(identities)).toHaveLength(identities.length);
    });
    expect(rows / identities.length).toBeLessThan(rows_max_each);
  });

  test("a claim reads few rows for each run", async () => {
    const rows = await countRows(nothing, async () => {
      const [claimed] = await call("run_claim_batch", claims());
      expect(claimed.runs).toHaveLength(writes);
    });
    expect(rows / writes).toBeLessThan(rows_max_each);
  });
});
