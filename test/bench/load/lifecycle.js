// Whole lives of runs: create, claim, emit ten events, finalize; each worker one run at a time, each
// call after the answer to the one before. A worker claims what comes, not what it created.

import { runWorkers } from "./latency.js";
import { openLinks } from "./link.js";
import {
  claimParams, eventData, eventType, goOnline, proofOf, resultOf,
} from "./plugin.js";

export const events_per_run = 10;

/**
 * @param {object} job
 * @param {import("./plugin.js").Target} job.target
 * @param {number} job.workers
 * @param {number} job.warmup_seconds
 * @param {number} job.seconds
 */
export async function runLifecycles({ target, workers, warmup_seconds, seconds }) {
  const links = await openLinks(target, workers);
  const [first] = links;
  if (first === undefined) throw new Error("no connection");
  await goOnline(first, target);
  const creation = JSON.stringify({ runner_id: target.runner_id });
  const claim = claimParams(target);
  const event = `"type":"${eventType}","data":${eventData}`;
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    async perform(worker) {
      const link = links[worker] ?? first;
      await link.ask("run_create", creation);
      const proof = proofOf(target, resultOf(await link.ask("run_claim", claim)));
      for (let sequence = 1; sequence <= events_per_run; sequence += 1) {
        await link.ask("run_emit_result", `${proof},${event},"sequence":${sequence}}`);
      }
      await link.ask("run_finalize", `${proof},"status":"completed"}`);
    },
  });
  for (const link of links) link.close();
  return measured;
}
