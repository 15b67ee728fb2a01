// P11: from the answer to the writer until the event is with a subscriber. Two hosts on one database:
// the writer is on one, all subscribers are on the other, each on a connection of its own.

import { setTimeout as delay } from "node:timers/promises";
import { withHost } from "../bench.js";
import { machineNow } from "../load/fanout.js";
import { percentile } from "../load/latency.js";
import { Link } from "../load/link.js";
import { goOnline, hold_seconds } from "../load/plugin.js";
import { makeRow, measureRounds, toSeries } from "../rows.js";
import { startHost } from "../world/host.js";
import { startLoad } from "../world/process.js";

const follower_processes = 2;
/** Between two events: low load, so that one is everywhere before the next. */
const pause_ms = 150;

/** @param {import("../bench.js").Bench} bench */
export const measureFanOut = (bench) => withHost(bench, "p11", async ({ database, target }) => {
  const far = await startHost(bench.ending, { database_url: database.url });
  const { ours = [] } = await measureRounds(bench, [
    { name: "ours", measure: () => measureOnce(bench, { near: target, far_url: far.url }) },
  ]);
  await far.stop();
  const { followers, followed_events } = bench.size;
  const notes = [`${followers} connections on the other host, ${followed_events} events a round`];
  return [
    makeRow("P11 p50", { notes, figure: toSeries("delivery", "ms", ours.map((o) => o.p50_ms)) }),
    makeRow("P11 p99", { figure: toSeries("delivery", "ms", ours.map((o) => o.p99_ms)) }),
  ];
});

/**
 * @param {import("../bench.js").Bench} bench
 * @param {{ near: import("../load/plugin.js").Target, far_url: string }} hosts
 */
async function measureOnce(bench, { near, far_url }) {
  const { followers, followed_events } = bench.size;
  const writer = await Link.open(near.url, near.token);
  await goOnline(writer, near);
  const { run_id } = await writer.call("run_create", {
    runner_id: near.runner_id, dispatch: "running", timeout_seconds: hold_seconds,
  });
  const warmup = Math.ceil(followed_events / 5);
  const last_sequence = warmup + followed_events;
  const job = {
    target: { url: far_url, token: near.token }, run_id, after_sequence: 0, last_sequence,
    followers: Math.ceil(followers / follower_processes),
  };
  const loads = Array.from({ length: follower_processes }, () =>
    startLoad(bench.ending, "followers", job));
  await Promise.all(loads.map((load) => load.paused()));
  for (const load of loads) load.go();
  const answered = new Map();
  const data = { chunk: { role: "assistant", content: "Twelve documents" } };
  for (let sequence = 1; sequence <= last_sequence; sequence += 1) {
    await writer.call("run_emit_result", { run_id, sequence, type: "message.delta", data });
    answered.set(sequence, machineNow());
    await delay(pause_ms, undefined, { signal: bench.ending.signal });
  }
  const heard = await Promise.all(loads.map(({ result }) => result));
  writer.close();
  /** @type {number[]} */
  const waits_ms = [];
  for (const [sequence, at_ms] of heard.flatMap(({ arrivals }) => arrivals)) {
    if (sequence > warmup) waits_ms.push(Math.max(0, at_ms - answered.get(sequence)));
  }
  return { p50_ms: percentile(waits_ms, 0.5), p99_ms: percentile(waits_ms, 0.99) };
}
