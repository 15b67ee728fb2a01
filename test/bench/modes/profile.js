// Where the host's own time goes: it runs under --cpu-prof while one path is driven at full speed,
// and the functions in which it spent most are printed. The profiles stay with the results.

import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { scaled, timing, withHost } from "../bench.js";
import { renderTable } from "../table.js";
import { playScenario } from "../world/process.js";
import { fillQueue } from "../world/queue.js";

const largest = 5;
const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * @typedef {{ name: string, place: string, share: number }} Cost
 * @typedef {object} CpuProfile
 * @property {{ id: number, callFrame: { functionName: string, url: string, lineNumber: number } }[]} nodes
 * @property {number[]} samples
 * @property {number[]} timeDeltas microseconds
 */

/** @param {import("../bench.js").Bench} bench */
export async function measureProfile(bench) {
  const folder = resolve(bench.out, "profiles");
  await mkdir(folder, { recursive: true });
  const job = timing(bench);
  const paths = {
    appends: (/** @type {import("../bench.js").HostWorld} */ { target }) =>
      playScenario(bench.ending, "appends", {
        ...job, target, connections: scaled(bench, 64), in_flight: scaled(bench, 256),
      }),
    claims: async (/** @type {import("../bench.js").HostWorld} */ world) => {
      await fillQueue(world, bench.size.queue);
      return playScenario(bench.ending, "take", {
        ...job, target: world.target, workers: scaled(bench, 50),
      });
    },
  };
  /** @type {Record<string, unknown>} */
  const profiles = {};
  for (const [path, drive] of Object.entries(paths)) {
    const own = join(bench.postgres.folder, `profile-${path}`);
    const measured = await withHost(bench, path, drive, ["--cpu-prof", "--cpu-prof-dir", own]);
    const [written = ""] = await readdir(own);
    const file = join(folder, `${path}.cpuprofile`);
    await moveFile(join(own, written), file);
    const profile = JSON.parse(await readFile(file, "utf8"));
    const costs = findCosts(profile, job.warmup_seconds + job.seconds);
    const rate = Math.round(measured.per_second);
    console.log(`\n${path}, ${rate} per s under the profiler, CPU time by function (${file})`);
    console.log(renderCosts(costs));
    profiles[path] = { per_second: measured.per_second, file, costs: costs.slice(0, 40) };
  }
  return { profiles };
}

/** Over a border of file systems too. @param {string} from @param {string} to */
async function moveFile(from, to) {
  const { copyFile } = await import("node:fs/promises");
  await rename(from, to).catch(() => copyFile(from, to));
}

/**
 * Self time by function, the largest first, as a share of the time that was not idle. Only the last
 * seconds count: what is before them is the start of the process.
 * @param {CpuProfile} profile
 * @param {number} last_seconds
 * @returns {Cost[]}
 */
export function findCosts({ nodes, samples, timeDeltas }, last_seconds) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  /** @type {Map<string, { name: string, place: string, time: number }>} */
  const times = new Map();
  let left = timeDeltas.reduce((sum, time) => sum + time, 0);
  let busy = 0;
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    const time = timeDeltas[index] ?? 0;
    const is_early = left > last_seconds * 1e6;
    left -= time;
    if (is_early) return;
    if (frame === undefined || frame.functionName === "(idle)") return;
    busy += time;
    const name = frame.functionName || "(anonymous)";
    const file = frame.url.replace("file://", "").replace(root, "")
      .replace(/^.*\/?node_modules\//, "");
    const place = file === "" ? "native" : `${file}:${frame.lineNumber + 1}`;
    const key = `${name} ${place}`;
    const found = times.get(key) ?? { name, place, time: 0 };
    found.time += time;
    times.set(key, found);
  });
  return [...times.values()]
    .map(({ name, place, time }) => ({ name, place, share: time / busy }))
    .sort((a, b) => b.share - a.share);
}

/** @param {readonly Cost[]} costs */
function renderCosts(costs) {
  /** @type {Map<string, number>} */
  const rooms = new Map();
  for (const { place, share } of costs) {
    const room = place.startsWith("dist/")
      ? place.split("/").slice(0, 2).join("/").replace(/:\d+$/, "")
      : (place.split("/")[0] ?? "").replace(/^node:.*/, "node");
    rooms.set(room, (rooms.get(room) ?? 0) + share);
  }
  const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)} %`;
  const by_room = [...rooms].sort((a, b) => b[1] - a[1]).slice(0, 8)
    .map(([room, share]) => `${room} ${percent(share)}`).join(", ");
  const lines = costs.slice(0, largest).map(({ name, place, share }) =>
    [percent(share), name, place]);
  return [...renderTable([["self", "function", "where"], ...lines]), `by room: ${by_room}`]
    .join("\n");
}
