// P9: what the host's process occupies while many connections have proved who they are and do
// nothing. The connections are held by several processes.

import { withHost } from "../bench.js";
import { makeRow, toSeries } from "../rows.js";
import { readResidentBytes } from "../world/host.js";
import { startLoad } from "../world/process.js";
import { setTimeout as delay } from "node:timers/promises";

const goal_connections = 10_000;
const per_process = 2500;
const megabyte = 1024 * 1024;

/** @param {import("../bench.js").Bench} bench */
export const measureIdle = (bench) => withHost(bench, "p9", async ({ host, target }) => {
  const wanted = bench.size.idle_connections;
  const before = (await readResidentBytes(host)) / megabyte;
  const loads = [];
  for (let left = wanted; left > 0; left -= per_process) {
    const connections = Math.min(left, per_process);
    const load = startLoad(bench.ending, "idle", { target, connections });
    // One after the other: connecting is not what is measured.
    await load.paused();
    loads.push(load);
    bench.say(`${wanted - left + connections} of ${wanted} connections`);
  }
  await delay(bench.size.idle_seconds * 1000, undefined, { signal: bench.ending.signal });
  const resident = (await readResidentBytes(host)) / megabyte;
  for (const load of loads) load.go();
  await Promise.all(loads.map(({ result }) => result));
  const each = (resident - before) / wanted;
  const notes = [`${before.toFixed(0)} MB before them, ${(each * 1024).toFixed(1)} KB each`];
  if (wanted !== goal_connections) {
    notes.push(`extrapolated from ${wanted} connections, with which it is ${resident.toFixed(0)} MB`);
  }
  const judged = resident + Math.max(0, goal_connections - wanted) * each;
  const figure = toSeries(`host with ${goal_connections} idle connections`, "MB", [judged]);
  return [makeRow("P9", { figure, notes })];
});
