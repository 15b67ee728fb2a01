// How long a created run waits for a claimer that waits already: from the answer of run_create to
// the answer of run_claim, on two connections, one run at a time.

import { setTimeout as delay } from "node:timers/promises";
import { percentile } from "./latency.js";
import { openLinks } from "./link.js";
import { goOnline, hold_seconds, proofOf, resultOf } from "./plugin.js";

/** Until the claimer's call has reached the host and found nothing. */
const settle_ms = 25;

/**
 * @param {object} job
 * @param {import("./plugin.js").Target} job.target
 * @param {number} job.samples
 */
export async function pickUp({ target, samples }) {
  const [creator, claimer] = await openLinks(target, 2);
  if (creator === undefined || claimer === undefined) throw new Error("no connection");
  await goOnline(creator, target);
  const wait = JSON.stringify({
    runtime_id: target.runtime_id, lease_seconds: hold_seconds, wait_seconds: 30,
  });
  const creation = JSON.stringify({ runner_id: target.runner_id });
  const warmup = Math.ceil(samples / 10);
  /** @type {number[]} */
  const waits_ms = [];
  for (let sample = -warmup; sample < samples; sample += 1) {
    const claimed = claimer.ask("run_claim", wait).then((answer) => ({
      answer, at_ms: performance.now(),
    }));
    await delay(settle_ms);
    await creator.ask("run_create", creation);
    const created_ms = performance.now();
    const { answer, at_ms } = await claimed;
    // A claim that is answered before the create waited for nothing.
    if (sample >= 0) waits_ms.push(Math.max(0, at_ms - created_ms));
    const proof = proofOf(target, resultOf(answer));
    await claimer.ask("run_finalize", `${proof},"status":"completed"}`);
  }
  for (const link of [creator, claimer]) link.close();
  return { p50_ms: percentile(waits_ms, 0.5), p99_ms: percentile(waits_ms, 0.99), count: samples };
}
