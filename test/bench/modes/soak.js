// Full speed for minutes: appends and whole lives of runs at once, while the host's RSS and heap are
// looked at from outside. Flat means that the last quarter of the time is not above the second one,
// the first being left to warm up.

import { setTimeout as delay } from "node:timers/promises";
import { scaled, withHost } from "../bench.js";
import { median } from "../load/latency.js";
import { showNumber } from "../table.js";
import { readMetrics, registerPlugin } from "../world/host.js";
import { playScenario } from "../world/process.js";

const samples_per_run = 120;
const megabyte = 1024 * 1024;
/** What may be between the two quarters: collections come when they come. */
const allowance = { share: 0.1, megabytes: 10 };
const metrics = ["process_resident_memory_bytes", "nodejs_heap_size_used_bytes"];

/**
 * @param {import("../bench.js").Bench} bench
 * @param {number} minutes
 */
export const measureSoak = (bench, minutes) => withHost(bench, "soak", async (world) => {
  const seconds = minutes * 60;
  const warmup_seconds = Math.min(bench.size.warmup_seconds, seconds / 10);
  const job = { warmup_seconds, seconds };
  const other = await registerPlugin(world.host);
  const loads = Promise.all([
    playScenario(bench.ending, "appends", {
      ...job, target: world.target, connections: scaled(bench, 32), in_flight: scaled(bench, 128),
    }),
    playScenario(bench.ending, "lifecycle", { ...job, target: other, workers: scaled(bench, 32) }),
  ]);
  loads.catch(() => undefined);
  const samples = await watchMemory(bench, world.host, seconds + warmup_seconds);
  const [appends, lives] = await loads;
  const rss = judgeGrowth(samples.map(({ at_seconds, rss_mb }) => [at_seconds, rss_mb]));
  const heap = judgeGrowth(samples.map(({ at_seconds, heap_mb }) => [at_seconds, heap_mb]));
  console.log([
    "", `${minutes} minutes: ${Math.round(appends.per_second)} appends per s and ` +
      `${Math.round(lives.per_second)} lives of runs per s, ${samples.length} looks`,
    `RSS ${describeGrowth(rss)}`, `heap ${describeGrowth(heap)}`, "",
  ].join("\n"));
  return { soak: { minutes, appends, lives, rss, heap, samples } };
});

/**
 * @param {import("../bench.js").Bench} bench
 * @param {import("../world/host.js").BenchHost} host
 * @param {number} seconds
 */
async function watchMemory(bench, host, seconds) {
  const begin_ms = performance.now();
  const pause_ms = Math.max(100, (seconds * 1000) / samples_per_run);
  const samples = [];
  for (;;) {
    const at_seconds = (performance.now() - begin_ms) / 1000;
    if (at_seconds >= seconds) return samples;
    const [rss, heap] = await readMetrics(host, metrics);
    const sample = {
      at_seconds, rss_mb: (rss ?? Number.NaN) / megabyte, heap_mb: (heap ?? Number.NaN) / megabyte,
    };
    samples.push(sample);
    if (samples.length % 10 === 0) {
      bench.say(`${Math.round(at_seconds)} s: RSS ${showNumber(sample.rss_mb)} MB, ` +
        `heap ${showNumber(sample.heap_mb)} MB`);
    }
    await delay(pause_ms, undefined, { signal: bench.ending.signal });
  }
}

/**
 * The growth from the second quarter to the last, and the slope of a straight line through all
 * samples after the first quarter.
 * @param {readonly (readonly [number, number])[]} points seconds and megabytes
 */
export function judgeGrowth(points) {
  const quarter = Math.floor(points.length / 4);
  const before = median(points.slice(quarter, 2 * quarter).map(([, value]) => value));
  const after = median(points.slice(-quarter).map(([, value]) => value));
  const settled = points.slice(quarter);
  const mean_x = settled.reduce((sum, [x]) => sum + x, 0) / settled.length;
  const mean_y = settled.reduce((sum, [, y]) => sum + y, 0) / settled.length;
  const above = settled.reduce((sum, [x, y]) => sum + (x - mean_x) * (y - mean_y), 0);
  const below = settled.reduce((sum, [x]) => sum + (x - mean_x) ** 2, 0);
  const mb_per_minute = below === 0 ? 0 : (above / below) * 60;
  const is_flat = after <= before * (1 + allowance.share) + allowance.megabytes;
  return { before_mb: before, after_mb: after, mb_per_minute, is_flat };
}

/** @param {ReturnType<typeof judgeGrowth>} growth */
const describeGrowth = ({ before_mb, after_mb, mb_per_minute, is_flat }) =>
  `${showNumber(before_mb)} MB in the second quarter, ${showNumber(after_mb)} MB in the last, ` +
  `${mb_per_minute.toFixed(2)} MB per minute: ${is_flat ? "flat" : "grows"}`;
