// Claims and creates that travel in one statement: each gets what it would get alone, and none harms
// its neighbours. The functions are called as the host calls them, with grants as authz mints them.

import { expect, test } from "vitest";
import { fresh, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_MAX_IN_FLIGHT: "1000", RUNHOST_RECONCILE_SECONDS: "0" });

type Registered = Awaited<ReturnType<typeof registerPlugin>>;
type Item = { run_id: string; claim_epoch: number };

const ids = (items: readonly Item[]) => items.map(({ run_id }) => run_id);

async function create(plugin: Registered, params: Record<string, unknown> = {}): Promise<string> {
  return (await plugin.client.call("run_create", { runner_id: plugin.runner_id, ...params })).run_id;
}

interface Ask {
  runtime_id: string;
  max_runs?: number;
  queue_name?: string;
  runner_ids?: string[];
}

/** One statement with all of them; the outcomes in order. */
async function claimAll(plugin: Registered, asks: Ask[]) {
  const { sql } = world().clone;
  const grant = { caller: plugin.identity, action: "run_claim" };
  const inputs = asks.map((ask) => ({
    queue_name: null, runner_ids: null, lease_seconds: 60, max_runs: 1, ...ask,
    token_sha256s: Array.from({ length: ask.max_runs ?? 1 }, () => "ab".repeat(32)),
  }));
  const rows = await sql`select run_claim_batch('default', ${sql.json(asks.map(() => grant))},
    ${sql.json(inputs)}) as outcome`;
  return rows.map((row) => row["outcome"] as { runs?: Item[]; refusal?: { code: string } });
}

test("claims of one statement get different runs in order, refused ones nothing", async () => {
  const plugin = await registerPlugin(world());
  const { runtime_id } = plugin;
  const low = [await create(plugin), await create(plugin), await create(plugin)];
  const high = await create(plugin, { priority: 5 });
  const outcomes = await claimAll(plugin, [
    { runtime_id }, { runtime_id: "nobody" }, { runtime_id, max_runs: 2 }, { runtime_id },
    { runtime_id, runner_ids: ["plugin:acme/other/main"] }, { runtime_id },
  ]);
  expect(outcomes.map(({ runs, refusal }) => refusal?.code ?? ids(runs ?? []))).toEqual([
    [high], "NOT_FOUND", [low[0], low[1]], [low[2]], "FORBIDDEN", [],
  ]);
  const [row] = await world().clone.sql`select count(*)::int as claimed, max(claim_epoch)::int as top
    from agent_run where plugin_identity = ${plugin.identity} and status = 'claimed'`;
  expect(row).toEqual({ claimed: 4, top: 1 });
});

test("a run that is held for one runtime goes to that claim, in its place of the order", async () => {
  const plugin = await registerPlugin(world());
  const other = fresh("runtime");
  await plugin.client.call("runtime_register", { runtime_id: other });
  const held = await create(plugin, { requested_runtime_id: other, priority: 9 });
  const free = await create(plugin);
  const { runtime_id } = plugin;
  const [first, second, third] = await claimAll(plugin, [
    { runtime_id }, { runtime_id: other }, { runtime_id: other },
  ]);
  expect(ids(first?.runs ?? [])).toEqual([free]);
  expect(ids(second?.runs ?? [])).toEqual([held]);
  expect(third?.runs).toEqual([]);
});

test("filters of one statement do not give one claim's run to another", async () => {
  const plugin = await registerPlugin(world());
  const { runtime_id } = plugin;
  const slow = await create(plugin, { queue_name: "slow" });
  const fast = await create(plugin, { queue_name: "fast" });
  const outcomes = await claimAll(plugin, [
    { runtime_id, queue_name: "fast" }, { runtime_id, queue_name: "fast" }, { runtime_id },
    { runtime_id },
  ]);
  expect(outcomes.map(({ runs }) => ids(runs ?? []))).toEqual([[fast], [], [slow], []]);
});

test("due runs and leases that are over stand in the same order as those that wait", async () => {
  const plugin = await registerPlugin(world());
  const { runtime_id } = plugin;
  const { sql } = world().clone;
  const lapsed = await create(plugin, { priority: 1 });
  expect(ids((await claimAll(plugin, [{ runtime_id }]))[0]?.runs ?? [])).toEqual([lapsed]);
  const plain = await create(plugin, { priority: 1 });
  const soon = Math.floor(Date.now() / 1000) + 3600;
  const due = await create(plugin, { priority: 2, not_before: soon });
  const later = await create(plugin, { priority: 3, not_before: soon });
  expect((await claimAll(plugin, [{ runtime_id, max_runs: 5 }]))[0]?.runs?.map((run) => run.run_id))
    .toEqual([plain]);
  await sql`update agent_run set not_before = now() - interval '1 second' where run_id = ${due}`;
  await sql`update agent_run set claim_lease_expires_at = now() - interval '1 second'
    where run_id in ${sql([lapsed, plain])}`;
  const [taken] = await claimAll(plugin, [{ runtime_id, max_runs: 5 }]);
  expect(taken?.runs?.map((run) => [run.run_id, run.claim_epoch])).toEqual([
    [due, 1], [lapsed, 2], [plain, 2],
  ]);
  expect(await sql`select status from agent_run where run_id = ${later}`).toEqual([
    { status: "queued" },
  ]);
  const audit = await sql`select target_run_id from run_audit
    where action = 'run_reclaimed' and target_run_id in ${sql([lapsed, plain])} order by id`;
  expect(audit.map((row) => row["target_run_id"])).toEqual([lapsed, plain]);
});

test("new, repeated, conflicting and refused runs of one statement each get their own answer", async () => {
  const plugin = await registerPlugin(world());
  const { client, runner_id } = plugin;
  const [one, two, three, event] = [fresh("run"), fresh("run"), fresh("run"), fresh("event")];
  const scope = { event_id: event, conversation_id: "c1", event_type: "message.received" };
  const answers = await Promise.all([
    { runner_id, run_id: one, text: "a" },
    { runner_id, run_id: one, text: "a" },
    { runner_id, run_id: one, text: "b" },
    { runner_id: `${runner_id}_unknown`, run_id: fresh("run") },
    { runner_id, run_id: two, text: "hello", ...scope },
    { runner_id, run_id: three, text: "hello", ...scope },
    { runner_id, run_id: fresh("run"), ...scope, conversation_id: "c2" },
    { runner_id, run_id: fresh("run"), parent_run_id: "unseen" },
    { runner_id, run_id: fresh("run"), not_before: 2_000_000_000, timeout_seconds: 5 },
  ].map((params) => client.ask("run_create", params)));
  const told = answers.map(({ result, error }) => error
    ? error.data["reason"] ?? error.data.code
    : (result as { idempotent?: true }).idempotent ?? "made");
  expect(told).toEqual(["made", true, "run_id_reused", "NOT_FOUND", "made", "made",
    "event_id_reused", "not_authorized", "INVALID_PARAMS"]);
  const { sql } = world().clone;
  const [rows] = await sql`select
    (select count(*)::int from agent_run where plugin_identity = ${plugin.identity}) as runs,
    (select count(*)::int from agent_run_open where plugin_identity = ${plugin.identity}) as open,
    (select count(*)::int from agent_run_request q join agent_run r using (tenant_id, run_id)
      where r.plugin_identity = ${plugin.identity}) as requests,
    (select count(*)::int from transcript where event_id = ${event}) as messages,
    (select run_id from event_log where event_id = ${event}) as logged_for`;
  const logged_for = expect.toSatisfy((run_id) => run_id === two || run_id === three);
  expect(rows).toEqual({ runs: 3, open: 3, requests: 3, messages: 1, logged_for });
});

test("of many waiting claims each run finds one, at once, and all are served in the end", async () => {
  const plugin = await registerPlugin(world());
  const waiting = Array.from({ length: 20 }, () => plugin.client.call("run_claim", {
    runtime_id: plugin.runtime_id, wait_seconds: 30,
  }));
  const made: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    made.push(await create(plugin));
    await Promise.race(waiting);
  }
  const rest = Array.from({ length: 16 }, () => create(plugin));
  const taken = (await Promise.all(waiting)).map((item: Item) => item.run_id);
  made.push(...(await Promise.all(rest)));
  expect(taken.sort()).toEqual(made.sort());
});
