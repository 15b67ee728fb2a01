// Claims alone, for their latency, and churn: runs that are created, claimed and ended without end,
// for the rate of claims second by second.

import { openLinks } from "./link.js";
import { runWorkers, sumUp } from "./latency.js";
import { claimParams, goOnline, hold_seconds, proofOf, resultOf } from "./plugin.js";

/**
 * One after the other on one connection; the claimed runs stay claimed.
 * @param {object} job
 * @param {import("./plugin.js").Target} job.target
 * @param {number} job.samples
 * @param {string[]} [job.runner_ids]
 */
export async function claimOnly({ target, samples, runner_ids }) {
  const [link] = await openLinks(target, 1);
  if (link === undefined) throw new Error("no connection");
  await goOnline(link, target);
  const claim = JSON.stringify({
    runtime_id: target.runtime_id, lease_seconds: hold_seconds, runner_ids,
  });
  /** @type {number[]} */
  const samples_ms = [];
  const warmup = Math.ceil(samples / 10);
  for (let sample = -warmup; sample < samples; sample += 1) {
    const begin_ms = performance.now();
    await link.ask("run_claim", claim);
    if (sample >= 0) samples_ms.push(performance.now() - begin_ms);
  }
  link.close();
  return sumUp(samples_ms, samples_ms.reduce((sum, ms) => sum + ms, 0) / 1000);
}

/**
 * Tells its parent once the workers are up, and answers with the claims of each second.
 * @param {object} job
 * @param {import("./plugin.js").Target} job.target
 * @param {number} job.workers
 * @param {number} job.seconds
 * @param {import("./main.js").Control} control
 */
export async function churnRuns({ target, workers, seconds }, control) {
  const links = await openLinks(target, workers);
  const [first] = links;
  if (first === undefined) throw new Error("no connection");
  await goOnline(first, target);
  const creation = JSON.stringify({ runner_id: target.runner_id });
  const claim = claimParams(target);
  await control.pause({ ready: true });
  const begin_ms = performance.now();
  /** @type {number[]} */
  const claims_by_second = Array.from({ length: seconds }, () => 0);
  await runWorkers({
    workers, warmup_seconds: 0, seconds,
    async perform(worker) {
      const link = links[worker] ?? first;
      await link.ask("run_create", creation);
      const answer = await link.ask("run_claim", claim);
      const second = Math.floor((performance.now() - begin_ms) / 1000);
      if (second < seconds) claims_by_second[second] = (claims_by_second[second] ?? 0) + 1;
      await link.ask("run_finalize", `${proofOf(target, resultOf(answer))},"status":"completed"}`);
    },
  });
  for (const link of links) link.close();
  return { claims_by_second };
}
