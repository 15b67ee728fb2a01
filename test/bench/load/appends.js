// Appends of single events to claimed runs: each of `in_flight` runs has one append under way, and
// the runs are spread evenly over the connections.

import { runWorkers } from "./latency.js";
import { openLinks } from "./link.js";
import { eventData, eventType, goOnline, hold_seconds, proofOf } from "./plugin.js";

/**
 * @param {object} job
 * @param {import("./plugin.js").Target} job.target
 * @param {number} job.connections
 * @param {number} job.in_flight
 * @param {number} job.warmup_seconds
 * @param {number} job.seconds
 */
export async function appendEvents({ target, connections, in_flight, warmup_seconds, seconds }) {
  const links = await openLinks(target, connections);
  const [first] = links;
  if (first === undefined) throw new Error("no connection");
  await goOnline(first, target);
  const tails = await Promise.all(Array.from({ length: in_flight }, async (_, worker) => {
    const link = links[worker % links.length] ?? first;
    await link.call("run_create", { runner_id: target.runner_id });
    const { runtime_id } = target;
    const item = await link.call("run_claim", { runtime_id, lease_seconds: hold_seconds });
    return { link, proof: proofOf(target, item), sequence: 0, item };
  }));
  const event = `"type":"${eventType}","data":${eventData}`;
  const measured = await runWorkers({
    workers: in_flight, warmup_seconds, seconds,
    async perform(worker) {
      const tail = tails[worker];
      if (tail === undefined) return false;
      tail.sequence += 1;
      const params = `${tail.proof},${event},"sequence":${tail.sequence}}`;
      await tail.link.ask("run_append_result", params);
    },
  });
  await Promise.all(tails.map(({ link, proof }) =>
    link.ask("run_finalize", `${proof},"status":"completed"}`)));
  for (const link of links) link.close();
  return measured;
}
