// Creates of runs, one per call, each worker one after the other.

import { runWorkers } from "./latency.js";
import { openLinks } from "./link.js";
import { goOnline } from "./plugin.js";

/**
 * @param {object} job
 * @param {import("./plugin.js").Target} job.target
 * @param {number} job.workers
 * @param {number} job.warmup_seconds
 * @param {number} job.seconds
 */
export async function createRuns({ target, workers, warmup_seconds, seconds }) {
  const links = await openLinks(target, workers);
  const [first] = links;
  if (first === undefined) throw new Error("no connection");
  await goOnline(first, target);
  const creation = JSON.stringify({ runner_id: target.runner_id, input: { text: "hello" } });
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    async perform(worker) {
      await (links[worker] ?? first).ask("run_create", creation);
    },
  });
  for (const link of links) link.close();
  return measured;
}
