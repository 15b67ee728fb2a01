// What a claim reads does not grow with what stands in its way, nor with what has ended: counted in
// blocks that its statement touches, not in time.

import { beforeAll, expect, test } from "vitest";
import { registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

/** A claim that looked at the rows in front would touch a block for each of them. */
const blocks_max = 200;
const rows_each = 10_000;
let plugin: Awaited<ReturnType<typeof registerPlugin>>;

interface Planted {
  runner_id?: string;
  queue_name?: string;
  requested_runtime_id?: string;
  not_before?: string;
  finished_at?: string;
}

/** Copies of the run `seed`, with a higher priority than any other. */
const plant = (own: Planted) => world().clone.sql`
  insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, dispatch, status,
    queue_name, priority, requested_runtime_id, not_before, snapshot, started_at, finished_at)
  select tenant_id, 'planted-' || gen_random_uuid(), ${own.runner_id ?? plugin.runner_id},
    plugin_identity, created_by, dispatch, ${own.finished_at ? "completed" : "queued"},
    ${own.queue_name ?? "default"}, 9, ${own.requested_runtime_id ?? null},
    ${own.not_before ?? null}::timestamptz, snapshot, ${own.finished_at ?? null}::timestamptz,
    ${own.finished_at ?? null}::timestamptz
  from agent_run cross join generate_series(1, ${rows_each}) where run_id = 'seed'`;

beforeAll(async () => {
  plugin = await registerPlugin(world());
  const { client, runner_id } = plugin;
  await client.call("run_create", { runner_id, run_id: "seed", queue_name: "seeds" });
  await plant({ finished_at: "2020-01-01" });
  await plant({ not_before: "2100-01-01" });
  await plant({ requested_runtime_id: "another" });
  await plant({ runner_id: `plugin:${plugin.identity}/other`, queue_name: "others" });
  await world().clone.sql`insert into agent_run_request
      (tenant_id, run_id, event, input, binding, delivery)
    select tenant_id, run_id, '{}', '{}', '{}', '{}' from agent_run where queue_name = 'others'`;
}, 240_000);

/** The blocks that the second claim of a connection touches, when its plans are made. */
async function blocksOf(filters: Record<string, unknown>): Promise<number> {
  const { sql } = world().clone;
  const grant = { caller: plugin.identity, action: "run_claim" };
  const input = {
    queue_name: null, runner_ids: null, runtime_id: plugin.runtime_id, lease_seconds: 60,
    max_runs: 1, token_sha256s: ["ab".repeat(32)], ...filters,
  };
  return sql.begin(async (transaction) => {
    const claim = () => transaction`explain (analyze, buffers, format json)
      select run_claim('default', ${sql.json(grant)}::jsonb, ${sql.json(input)}::jsonb)`;
    await claim();
    const [row] = await claim();
    const { Plan } = row!["QUERY PLAN"][0];
    const [taken] = await transaction`select count(*)::int as runs from agent_run_open
      where status = 'claimed'`;
    expect(taken).toEqual({ runs: 2 });
    await transaction`update agent_run set status = 'queued', claim_lease_expires_at = null,
      claim_token_sha256 = null where status = 'claimed'`;
    return Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"];
  });
}

const shapes: [string, () => Record<string, unknown>][] = [
  ["any run of the caller", () => ({})],
  ["runs of one runner", () => ({ runner_ids: [plugin.runner_id] })],
  ["runs of one queue", () => ({ queue_name: "wanted" })],
];

test.each(shapes)("%s: what stands in front is not read", async (_title, filters) => {
  for (let made = 0; made < 2; made += 1) {
    await plugin.client.call("run_create", { runner_id: plugin.runner_id, queue_name: "wanted" });
  }
  expect(await blocksOf(filters())).toBeLessThan(blocks_max);
});
