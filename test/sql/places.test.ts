// The narrow tables of open and ended runs say what agent_run says, whatever moved a run: a claim,
// a renewal or an end, which keep them in their own statement, or any other update, by the trigger.

import type postgres from "postgres";
import { expect, test } from "vitest";
import { claimOf, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

type Plugin = Awaited<ReturnType<typeof registerPlugin>>;

const create = async ({ client, runner_id }: Plugin, params: object = {}): Promise<string> =>
  (await client.call("run_create", { runner_id, ...params })).run_id;

const claim = ({ client, runtime_id }: Plugin, params: object = {}) =>
  client.call("run_claim", { runtime_id, ...params });

/** Runs that the narrow tables leave out, make up, or show otherwise than they are. */
async function misplaced(sql: postgres.ISql): Promise<string[]> {
  const rows = await sql`
    with open as (select o.* from agent_run r cross join lateral open_rows(r) o),
      ended as (select tenant_id, id, status, finished_at from agent_run
        where finished_at is not null),
      stored as (select tenant_id, id, status, finished_at from agent_run_ended)
    select format('%s of %s', row_to_json(x), x.id) as run from (
      (select * from open except select * from agent_run_open) union all
      (select * from agent_run_open except select * from open)) x
    union all select format('%s of %s', row_to_json(x), x.id) from (
      (select * from ended except select * from stored) union all
      (select * from stored except select * from ended)) x`;
  return rows.map((row) => row["run"] as string);
}

const run_claim = "select run_claim('default', $1, $2) as outcome";
const run_finalize = "select run_finalize_batch('default', $1, $2) as outcome";

/** What a claim of one run is called with; the token of all that it takes is the same. */
const claimCall = ({ identity, runtime_id }: Plugin) => [
  { caller: identity, action: "run_claim" },
  {
    queue_name: null, runner_ids: null, runtime_id, lease_seconds: 60, max_runs: 1,
    token_sha256s: ["ab".repeat(32)],
  },
];

const finalizeCall = ({ identity, runtime_id }: Plugin, run_id: string) => [
  [{
    caller: identity, action: "run_finalize", target_run_id: run_id,
    claim: { runtime_id, token_sha256: "ab".repeat(32), epoch: null },
  }],
  [{ status: "completed", status_reason: null }],
];

test("after each move of a run", async () => {
  const plugin = await registerPlugin(world());
  const { client } = plugin;
  const { sql } = world().clone;
  const moves: Record<string, () => Promise<unknown>> = {
    "is claimed": async () => {
      await create(plugin);
      const { runs: [item] } = await claim(plugin, { max_runs: 1 });
      return client.call("run_renew_claim", { target_run_id: item.run_id, ...claimOf(item) });
    },
    "is claimed with others, each ends its own way": async () => {
      for (let made = 0; made < 5; made += 1) await create(plugin, { timeout_seconds: 500 });
      const { runs } = await claim(plugin, { max_runs: 5 });
      const [done, failed, back, cancelled, kept] = runs.map((item: { run_id: string }) =>
        ({ target_run_id: item.run_id, ...claimOf(item as never) }));
      await client.call("run_finalize", { ...done, status: "completed" });
      await client.call("run_emit_result", {
        ...failed, sequence: 1, type: "run.failed", data: { error: "no", retryable: true },
      });
      await client.call("run_release_claim", back);
      await client.call("run_cancel", { target_run_id: cancelled.target_run_id });
      await client.call("run_finalize", { ...cancelled, status: "cancelled" });
      return client.call("run_renew_claim", { ...kept, lease_seconds: 3600 });
    },
    "is taken from a claim whose lease is over": async () => {
      await sql`update agent_run set claim_lease_expires_at = now() - interval '1 second'
        where status = 'claimed'`;
      await claim(plugin, { max_runs: 10 });
    },
    "is changed by hand": () => sql`update agent_run set status = 'failed', finished_at = now(),
      claim_lease_expires_at = null where status = 'claimed'`,
    "is opened again by hand": () => sql`update agent_run set status = 'queued',
      finished_at = null, claim_token_sha256 = null where status = 'failed'`,
    "is removed": () => sql`delete from agent_run where status = 'queued'`,
  };
  for (const [move, perform] of Object.entries(moves)) {
    await perform();
    expect([move, await misplaced(sql)]).toEqual([move, []]);
  }
});

test("an update in the transaction of a claim or an end is not taken for theirs", async () => {
  const plugin = await registerPlugin(world());
  const run_id = await create(plugin);
  await world().clone.sql.begin(async (held) => {
    const [claimed] = await held.unsafe(run_claim, claimCall(plugin));
    expect(claimed!["outcome"].runs[0].run_id).toBe(run_id);
    await held`update agent_run set cancel_requested_at = now() where run_id = ${run_id}`;
    expect(await misplaced(held)).toEqual([]);
    const [ended] = await held.unsafe(run_finalize, finalizeCall(plugin, run_id));
    expect(ended!["outcome"].ended).toBe(true);
    expect(await misplaced(held)).toEqual([]);
    await held`update agent_run set finished_at = finished_at + interval '1 day'
      where run_id = ${run_id}`;
    expect(await misplaced(held)).toEqual([]);
  });
});

test("plans that were made for hardly any runs read no more when there are many", async () => {
  const plugin = await registerPlugin(world());
  const held = await world().clone.sql.reserve();
  const blocksOf = async (statement: string, parameters: object[]): Promise<number> => {
    const [row] = await held.unsafe(
      `explain (analyze, buffers, format json) ${statement}`, parameters as never[]);
    const { Plan } = row!["QUERY PLAN"][0];
    return Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"];
  };
  try {
    let blocks: number[] = [];
    for (const [round, copies] of [60, 0, 0, 20_000, 0].entries()) {
      const run_id = await create(plugin, { run_id: `first-${round}`, priority: 90 });
      await held`with copy as (insert into agent_run (tenant_id, run_id, runner_id,
            plugin_identity, created_by, dispatch, status, queue_name, snapshot)
          select tenant_id, run_id || '-' || n, runner_id, plugin_identity, created_by, dispatch, status,
            queue_name, snapshot
          from agent_run cross join generate_series(1, ${copies}) n where run_id = ${run_id}
          returning run_id)
        insert into agent_run_request (tenant_id, run_id, event, input, binding, delivery)
        select 'default', run_id, '{}', '{}', '{}', '{}' from copy`;
      if (round === 0) await held`analyze`;
      blocks = [
        await blocksOf(run_claim, claimCall(plugin)),
        await blocksOf(run_finalize, finalizeCall(plugin, run_id)),
      ];
      const [run] = await held`select status from agent_run where run_id = ${run_id}`;
      expect(run).toEqual({ status: "completed" });
    }
    expect(Math.max(...blocks)).toBeLessThan(200);
  } finally {
    held.release();
  }
});
