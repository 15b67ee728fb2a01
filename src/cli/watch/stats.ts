// `runhost stats`: how runs, runners and runtimes have been doing.

import type { RunnerStats, RunStats, RuntimeStats } from "../../contract/statistics.js";
import {
  drawFacts, drawTable, printItem, printResult, readCount, type Invocation,
} from "../output.js";
import { withHost } from "../reach.js";

export interface WindowOptions {
  hours?: string;
  runner?: string;
}

const hours_max = 31 * 24;

/** From so many hours ago until now; the host's own default where nothing is named. */
function readWindow({ hours }: WindowOptions): { start_time?: number } {
  if (hours === undefined) return {};
  const seconds = readCount("--hours", hours, hours_max) * 3600;
  return { start_time: Math.floor(Date.now() / 1000) - seconds };
}

const seconds = (figure: number | null): string => (figure === null ? "–" : `${figure} s`);
const share = (figure: number | null): string =>
  figure === null ? "–" : `${(figure * 100).toFixed(1)} %`;

export async function showRunStats(invocation: Invocation, options: WindowOptions): Promise<void> {
  const params = { ...readWindow(options), runner_id: options.runner };
  const stats: RunStats = await withHost(invocation, (host) => host.call("run_stats", params));
  const hours = Math.round((stats.end_time - stats.start_time) / 360) / 10;
  printResult(invocation, stats, drawFacts([
    ["runs created", `${stats.total_count} in ${hours} h`],
    ["queued", stats.queued_count], ["claimed", stats.claimed_count],
    ["running", stats.running_count], ["completed", stats.completed_count],
    ["failed", stats.failed_count], ["cancelled", stats.cancelled_count],
    ["timeout", stats.timeout_count],
    ["ended well", share(stats.terminal_success_rate)],
    ["duration", `mean ${seconds(stats.avg_duration_seconds)}, p50 ${
      seconds(stats.p50_duration_seconds)}, p95 ${seconds(stats.p95_duration_seconds)}, p99 ${
      seconds(stats.p99_duration_seconds)}`],
    ["wait in queue", `mean ${seconds(stats.avg_queue_wait_seconds)}, p95 ${
      seconds(stats.p95_queue_wait_seconds)}`],
  ]));
}

export async function showRunnerStats(
  invocation: Invocation, options: WindowOptions & { limit?: string },
): Promise<void> {
  const limit = options.limit === undefined ? undefined : readCount("--limit", options.limit, 100);
  const params = { ...readWindow(options), limit };
  const stats: RunnerStats = await withHost(invocation, (host) =>
    host.call("runner_stats", params));
  if (invocation.options.json) return stats.items.forEach(printItem);
  const head = [
    "RUNNER", "RUNS", "ACTIVE", "COMPLETED", "FAILED", "CANCELLED", "WELL", "MEAN", "P95",
  ];
  const rows = stats.items.map((item) => [
    item.runner_id.slice("plugin:".length), String(item.total_runs), String(item.active_runs),
    String(item.completed_runs), String(item.failed_runs), String(item.cancelled_runs),
    share(item.success_rate), seconds(item.avg_duration_seconds),
    seconds(item.p95_duration_seconds),
  ]);
  printResult(invocation, stats, rows.length === 0 ? "No runs." : drawTable([head, ...rows]));
  if (stats.has_more) {
    process.stderr.write(`These are ${rows.length} of ${stats.total_count} runners.\n`);
  }
}

export async function showRuntimeStats(invocation: Invocation): Promise<void> {
  const stats: RuntimeStats = await withHost(invocation, (host) => host.call("runtime_stats"));
  printResult(invocation, stats, drawFacts([
    ["runtimes", stats.total_count], ["online", stats.online_count],
    ["draining", stats.draining_count], ["offline", stats.offline_count],
    ["stale", stats.stale_count],
    ["heartbeat age", `mean ${seconds(stats.avg_heartbeat_age_seconds)}, at most ${
      seconds(stats.max_heartbeat_age_seconds)}`],
    ["runs queued", stats.queued_runs], ["runs claimed", stats.claimed_runs],
    ["runs active", stats.active_runs],
  ]));
}
