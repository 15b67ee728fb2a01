// Statistics against figures computed here, from run_list over the same runs.

import { expect, test } from "vitest";
import { claimOf, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

interface Run {
  run_id: string;
  runner_id: string;
  status: string;
  dispatch: string;
  created_at_ms: number;
  started_at_ms: number | null;
  finished_at_ms: number | null;
}

async function listAll(): Promise<Run[]> {
  const found: Run[] = [];
  for (let before_cursor: string | null = null; ;) {
    const page: { items: Run[]; next_cursor: string | null; has_more: boolean } =
      await world().admin.call("run_list", { before_cursor, limit: 7 });
    found.push(...page.items);
    expect(page.has_more).toBe(page.next_cursor !== null);
    if (!page.has_more) return found;
    before_cursor = page.next_cursor;
  }
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Continuous percentile: linear between the two nearest ranks. */
function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  return (sorted[low] ?? 0) + ((sorted[high] ?? 0) - (sorted[low] ?? 0)) * (place - low);
}

const count = (runs: Run[], ...statuses: string[]) =>
  runs.filter(({ status }) => statuses.includes(status)).length;

const durationsOf = (runs: Run[]) => runs.filter(({ status }) => status === "completed")
  .map((run) => ((run.finished_at_ms ?? 0) - (run.started_at_ms ?? 0)) / 1000);

async function makeRuns(): Promise<void> {
  const statuses = ["completed", "completed", "completed", "failed", "cancelled", "timeout"];
  for (const size of [30, 12]) {
    const plugin = await registerPlugin(world());
    for (let place = 0; place < size; place += 1) {
      await plugin.client.call("run_create", { runner_id: plugin.runner_id });
      if (place % 7 === 6) continue;
      const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
      const status = statuses[place % statuses.length];
      await plugin.client.call("run_finalize", {
        target_run_id: item.run_id, ...claimOf(item), status,
      });
    }
    await plugin.client.call("run_create", { runner_id: plugin.runner_id, dispatch: "running" });
  }
  // Durations and waits of their own, whole milliseconds as the records show them.
  await world().clone.sql`update agent_run set
    created_at = date_trunc('milliseconds', created_at - make_interval(secs => id * 7)),
    started_at = date_trunc('milliseconds', started_at - make_interval(secs => id * 5)),
    finished_at = date_trunc('milliseconds', finished_at + make_interval(secs => id * id % 97))`;
}

test("run_stats and runner_stats agree with what run_list shows", async () => {
  await makeRuns();
  const runs = await listAll();
  expect(runs.length).toBe(44);
  const stats = await world().admin.call("run_stats");
  const durations = durationsOf(runs);
  const waits = runs.filter((run) => run.dispatch === "queued" && run.started_at_ms !== null)
    .map((run) => ((run.started_at_ms ?? 0) - run.created_at_ms) / 1000);
  const terminal = count(runs, "completed", "failed", "cancelled", "timeout");
  expect(stats).toMatchObject({
    runner_id: null, total_count: 44, created_count: 0,
    queued_count: count(runs, "queued"), claimed_count: 0, running_count: 2,
    completed_count: count(runs, "completed"), failed_count: count(runs, "failed"),
    cancelled_count: count(runs, "cancelled"), timeout_count: count(runs, "timeout"),
  });
  expect(stats.end_time - stats.start_time).toBe(3600);
  expect(stats.throughput_per_hour).toBe(44);
  const rates: [number, number][] = [
    [stats.success_rate, count(runs, "completed") / 44],
    [stats.failure_rate, count(runs, "failed", "timeout") / 44],
    [stats.terminal_success_rate, count(runs, "completed") / terminal],
  ];
  for (const [got, wanted] of rates) expect(got).toBeCloseTo(wanted, 4);
  const seconds: [number, number][] = [
    [stats.avg_duration_seconds, mean(durations)],
    [stats.p50_duration_seconds, percentile(durations, 0.5)],
    [stats.p95_duration_seconds, percentile(durations, 0.95)],
    [stats.p99_duration_seconds, percentile(durations, 0.99)],
    [stats.avg_queue_wait_seconds, mean(waits)],
    [stats.p95_queue_wait_seconds, percentile(waits, 0.95)],
  ];
  for (const [got, wanted] of seconds) expect(Math.abs(got - wanted)).toBeLessThan(0.0051);
  const byRunner = await world().admin.call("runner_stats");
  expect(byRunner).toMatchObject({ total_count: 2, has_more: false });
  const totals = byRunner.items.map((item: { total_runs: number }) => item.total_runs);
  expect(totals).toEqual([31, 13]);
  for (const item of byRunner.items) {
    const own = runs.filter(({ runner_id }) => runner_id === item.runner_id);
    expect(item).toMatchObject({
      runner_label: {}, active_runs: count(own, "queued", "claimed", "running"),
      completed_runs: count(own, "completed"), failed_runs: count(own, "failed", "timeout"),
      cancelled_runs: count(own, "cancelled"),
    });
    expect(Math.abs(item.avg_duration_seconds - mean(durationsOf(own)))).toBeLessThan(0.0051);
    expect(Math.abs(item.p95_duration_seconds - percentile(durationsOf(own), 0.95)))
      .toBeLessThan(0.0051);
  }
  const one = await world().admin.call("runner_stats", { limit: 1 });
  expect(one).toMatchObject({ total_count: 2, has_more: true, items: [byRunner.items[0]] });
});

test("an empty window counts nothing and knows no rate", async () => {
  expect(await world().admin.call("run_stats", { start_time: 0, end_time: 10 })).toEqual({
    start_time: 0, end_time: 10, runner_id: null, total_count: 0, created_count: 0,
    queued_count: 0, claimed_count: 0, running_count: 0, completed_count: 0, failed_count: 0,
    cancelled_count: 0, timeout_count: 0, throughput_per_hour: 0, success_rate: null,
    failure_rate: null, terminal_success_rate: null, avg_duration_seconds: null,
    p50_duration_seconds: null, p95_duration_seconds: null, p99_duration_seconds: null,
    avg_queue_wait_seconds: null, p95_queue_wait_seconds: null,
  });
});

test.each([
  [{ start_time: 11, end_time: 10 }],
  [{ start_time: 0, end_time: 31 * 86_400 + 1 }],
  [{ start_time: 99_999_999_999 }],
])("a window %j is refused by name", async (params) => {
  for (const method of ["run_stats", "runner_stats"]) {
    const refused = await world().admin.refusal(method, params);
    expect(refused).toMatchObject({ code: "INVALID_PARAMS", issues: [{ path: "start_time" }] });
  }
});

test("runtime_stats counts by the status that lists show", async () => {
  const before = await world().admin.call("runtime_stats");
  const plugin = await registerPlugin(world(), { runtime: { status: "draining" } });
  await world().clone.sql`update agent_runtime set heartbeat_deadline_at = now() - interval '1 s',
    last_heartbeat_at = now() - interval '1000 s' where runtime_id = ${plugin.runtime_id}`;
  const after = await world().admin.call("runtime_stats");
  expect(after).toMatchObject({
    total_count: before.total_count + 1, stale_count: before.stale_count + 1,
    draining_count: before.draining_count, queued_runs: before.queued_runs,
    active_runs: before.active_runs,
  });
  expect(Math.abs(after.max_heartbeat_age_seconds - 1000)).toBeLessThan(10);
});
