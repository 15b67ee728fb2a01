// P7: do finished runs slow claims down? The same claims on two ledgers, each with its own host: one
// with few finished runs, one with many.

import { withHost } from "../bench.js";
import { Link } from "../load/link.js";
import { goOnline, hold_seconds, proofOf } from "../load/plugin.js";
import { makeRow, measureRounds, toSeries } from "../rows.js";
import { playScenario } from "../world/process.js";
import { fillQueue } from "../world/queue.js";
import { copyRuns } from "../world/seed.js";

/** @param {import("../bench.js").Bench} bench */
export const measureClaimsBesideFinished = (bench) =>
  withHost(bench, "p7_few", (few) => withHost(bench, "p7_many", async (many) => {
    await seedFinished(bench, few, bench.size.few_finished);
    await seedFinished(bench, many, bench.size.many_finished);
    return compareClaims(bench, { few, many, finished: bench.size.many_finished });
  }));

/**
 * @param {import("../bench.js").Bench} bench
 * @param {object} worlds
 * @param {import("../bench.js").HostWorld} worlds.few
 * @param {import("../bench.js").HostWorld} worlds.many
 * @param {number} worlds.finished
 */
export async function compareClaims(bench, { few, many, finished }) {
  const samples = bench.size.claim_samples;
  /** @param {string} name @param {import("../bench.js").HostWorld} world */
  const subject = (name, world) => ({
    name,
    prepare: () => fillQueue(world, Math.ceil(samples * 1.1) + 1),
    measure: () => playScenario(bench.ending, "claims", { target: world.target, samples }),
  });
  const found = await measureRounds(bench, [subject("few", few), subject("many", many)]);
  return [["P7 p50", "p50_ms"], ["P7 p99", "p99_ms"]].map(([key = "", of = ""]) => {
    /** @param {string} name */
    const values = (name) => (found[name] ?? []).map((measured) => Number(measured[of]));
    return makeRow(key, {
      figure: toSeries(`run_claim beside ${finished} finished`, "ms", values("many")),
      denominator: toSeries(`beside ${bench.size.few_finished}`, "ms", values("few")),
    });
  });
}

/**
 * @param {import("../bench.js").Bench} bench
 * @param {import("../bench.js").HostWorld} world
 * @param {number} count
 */
async function seedFinished(bench, { target, database }, count) {
  const link = await Link.open(target.url, target.token);
  await goOnline(link, target);
  const { run_id } = await link.call("run_create", { runner_id: target.runner_id });
  const { runtime_id } = target;
  const item = await link.call("run_claim", { runtime_id, lease_seconds: hold_seconds });
  await link.ask("run_finalize", `${proofOf(target, item)},"status":"completed"}`);
  link.close();
  const copying = { run_id, prefix: "finished-", count, whole: false };
  await copyRuns(database.sql, copying, bench.say);
}
