// runtime_reconcile sweeps the whole of the caller's tenant, whatever the caller may see, and tells
// of the runs in its workspaces only (actions.md M.6, 3.5, 1.9). Work of every step lies in each
// workspace and in another tenant, in different numbers.

import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRun, type RunSpec } from "../support/access_runs.js";
import { AccessWorld } from "../support/access_world.js";
import type { Answer, Params } from "../support/client.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

const base: RunSpec = {
  state: "running", plugin: "acme/owner", runner: "r1", conversation: true, thread: null,
  workspace: "w1", by: "builtin", claimer: "owner",
};
const ofB: RunSpec = { ...base, by: "tenant_b_admin", claimer: "tenant_b_plugin" };

interface Due {
  requeued: string[];
  exhausted: string[];
  cancelled: string[];
  timed_out: string[];
}

const outcome: Record<keyof Due, string> = {
  requeued: "queued", exhausted: "failed", cancelled: "cancelled", timed_out: "timeout",
};

/** Work of each step in one workspace: so many of everything. */
async function plantDue(spec: RunSpec, size: number): Promise<Due> {
  const make = async (count: number, state: RunSpec["state"]) => {
    const made: string[] = [];
    for (let done = 0; done < count; done += 1) {
      const place = { conversation_id: world.unique("due"), grants: "default" } as const;
      made.push((await makeRun(world, { ...spec, state }, place)).run_id);
    }
    return made;
  };
  const lapsed = await make(3 * size, "claimed");
  const timed_out = await make(size, "running");
  const [requeued, exhausted, cancelled] = [
    lapsed.slice(0, size), lapsed.slice(size, 2 * size), lapsed.slice(2 * size),
  ];
  const { sql } = world;
  await sql`
    update agent_run set claim_lease_expires_at = now() - interval '1 second'
    where run_id in ${sql(lapsed)}`;
  await sql`update agent_run set max_attempts = 1 where run_id in ${sql(exhausted)}`;
  await sql`
    update agent_run set cancel_requested_at = now(), cancel_reason = 'stop'
    where run_id in ${sql(cancelled)}`;
  await sql`
    update agent_run set deadline_at = now() - interval '1 second'
    where run_id in ${sql(timed_out)}`;
  await plantHangingOn(await make(size, "running"));
  return { requeued, exhausted, cancelled, timed_out };
}

/** An interaction that is over and a steering item whose lease is over, on live runs. */
async function plantHangingOn(run_ids: string[]): Promise<void> {
  for (const run_id of run_ids) {
    await world.sql`
      insert into agent_interaction (tenant_id, run_id, interaction_id, sequence, runner_id,
        workspace_id, request, expires_at)
      select tenant_id, run_id, 'ask', 1, runner_id, workspace_id, '{}', now() - interval '1 second'
      from agent_run where run_id = ${run_id}`;
    await world.sql`
      insert into agent_run_steering (tenant_id, steering_id, run_id, type, state,
        lease_expires_at, payload)
      select tenant_id, 'steer_' || run_id, run_id, 'message', 'leased',
        now() - interval '1 second', '{}'
      from agent_run where run_id = ${run_id}`;
  }
}

const makeStale = async (...runtime_ids: string[]) => {
  await world.sql`
    update agent_runtime set heartbeat_deadline_at = now() - interval '1 second'
    where runtime_id in ${world.sql(runtime_ids)}`;
};

const statusesOf = async (run_ids: readonly string[]): Promise<string[]> => {
  const rows = await world.sql`
    select distinct status from agent_run where run_id in ${world.sql(run_ids)}`;
  return rows.map(({ status }) => status);
};

const countDue = (size: number) => ({
  released_claim_count: size, exhausted_count: size, cancelled_count: size, timeout_count: size,
  expired_interaction_count: size, expired_steering_count: size, more: false,
});
const listed = (runs: Answer[]): string[] => runs.map(({ run_id }) => run_id).sort();
const names = (runtimes: Answer[]): string[] =>
  runtimes.map(({ runtime_id }) => runtime_id).sort();

test("with nothing due it answers nothing", async () => {
  expect(await world.of("builtin").call("runtime_reconcile", {})).toEqual({
    ...countDue(0), stale_count: 0, stale_runtimes: [], released_claims: [],
  });
});

test("a limited permission sweeps all of the tenant and is told of its workspaces", async () => {
  const inside = await plantDue(base, 1);
  const outside = [
    await plantDue({ ...base, workspace: "w2" }, 2),
    await plantDue({ ...base, workspace: null }, 1),
  ];
  const other = await plantDue(ofB, 1);
  await makeStale("rt_former", "rt_tenant_b_admin");
  const report = await world.of("limited").call("runtime_reconcile", {});
  expect(report).toMatchObject({ ...countDue(1), stale_count: 1 });
  expect(listed(report.released_claims)).toEqual(inside.requeued);
  // 3.5: runtimes have no workspace.
  expect(names(report.stale_runtimes)).toEqual(["rt_former"]);
  for (const due of [inside, ...outside]) {
    for (const [name, status] of Object.entries(outcome)) {
      expect(await statusesOf(due[name as keyof Due])).toEqual([status]);
    }
  }
  expect(await statusesOf([...other.requeued, ...other.exhausted, ...other.cancelled]))
    .toEqual(["claimed"]);
  expect(await statusesOf(other.timed_out)).toEqual(["running"]);
  const [left] = await world.sql`
    select (select array_agg(distinct tenant_id) from agent_interaction
        where status = 'pending') as asked,
      (select array_agg(distinct tenant_id) from agent_run_steering
        where state = 'leased') as leased,
      (select array_agg(runtime_id) from agent_runtime
        where heartbeat_deadline_at < now() and status <> 'stale') as silent`;
  expect(left).toEqual({
    asked: ["tenant-b"], leased: ["tenant-b"], silent: ["rt_tenant_b_admin"],
  });
});

test("the other tenant sweeps and is told of its own", async () => {
  const report = await world.of("tenant_b_admin").call("runtime_reconcile", {});
  expect(report).toMatchObject({ ...countDue(1), stale_count: 1 });
  expect(names(report.stale_runtimes)).toEqual(["rt_tenant_b_admin"]);
  expect(report.released_claims.every(({ created_by }: Params) => created_by === "acme/admin"))
    .toBe(true);
});

test.each(["builtin", "runtime_admin"] as const)("%s is told of every workspace",
  async (caller) => {
    const due = [
      await plantDue(base, 1), await plantDue({ ...base, workspace: "w2" }, 1),
      await plantDue({ ...base, workspace: null }, 1),
    ];
    const report = await world.of(caller).call("runtime_reconcile", {});
    expect(report).toMatchObject({ ...countDue(3), stale_count: 0 });
    expect(listed(report.released_claims))
      .toEqual(due.flatMap(({ requeued }) => requeued).sort());
  });

test("what it did is in the audit of the host, each row in its workspace", async () => {
  const { items } = await world.of("limited").call("audit_page", { actor: "host", limit: 100 });
  expect(items.length).toBeGreaterThan(0);
  expect([...new Set(items.map((item: Params) => item["workspace_id"]))]).toEqual(["w1"]);
  expect([...new Set(items.map((item: Params) => item["action"]))].sort())
    .toEqual(["run_cancelled", "run_exhausted", "run_requeued", "run_timeout"]);
  expect(items.every((item: Params) => item["permission"] === null && item["via"] === null))
    .toBe(true);
  const { items: stale } = await world.of("runtime_admin")
    .call("audit_page", { action: "runtime_stale" });
  expect(stale.map((item: Params) => [item["domain"], item["target_runtime_id"]]))
    .toEqual([["runtime", "rt_former"]]);
});
