// Takes runs from a pre-filled queue and completes them: one run per call, or with max_runs and the
// list form of run_finalize where the host has it. Ends early when the queue is empty.

import { runWorkers } from "./latency.js";
import { openLinks } from "./link.js";
import { claimParams, goOnline, hold_seconds, isEmpty, proofOf, resultOf } from "./plugin.js";

/**
 * @typedef {object} TakeJob
 * @property {import("./plugin.js").Target} target
 * @property {number} workers
 * @property {number} warmup_seconds
 * @property {number} seconds
 */

/** @param {TakeJob} job */
export async function takeOneByOne({ target, workers, warmup_seconds, seconds }) {
  const links = await openLinks(target, workers);
  const [first] = links;
  if (first === undefined) throw new Error("no connection");
  await goOnline(first, target);
  const claim = claimParams(target);
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    async perform(worker) {
      const link = links[worker] ?? first;
      const answer = await link.ask("run_claim", claim).catch(refuseUnlessEmpty);
      if (answer === null) return false;
      const proof = proofOf(target, resultOf(answer));
      await link.ask("run_finalize", `${proof},"status":"completed"}`);
    },
  });
  for (const link of links) link.close();
  return measured;
}

/** @param {TakeJob & { max_runs: number }} job */
export async function takeMany({ target, workers, warmup_seconds, seconds, max_runs }) {
  const links = await openLinks(target, workers);
  const [first] = links;
  if (first === undefined) throw new Error("no connection");
  await goOnline(first, target);
  const list_form = await takesLists(first);
  const claim = JSON.stringify({
    runtime_id: target.runtime_id, lease_seconds: hold_seconds, max_runs,
  });
  const taken = new Map();
  const measured = await runWorkers({
    workers, warmup_seconds, seconds,
    weigh: (worker) => taken.get(worker),
    async perform(worker) {
      const link = links[worker] ?? first;
      const answer = await link.ask("run_claim", claim).catch(refuseUnlessEmpty);
      if (answer === null) return false;
      /** @type {{ runs: import("./plugin.js").WorkItem[] }} */
      const { runs } = resultOf(answer);
      taken.set(worker, runs.length);
      const proofs = runs.map((item) => `${proofOf(target, item)},"status":"completed"}`);
      if (list_form) await finalizeList(link, proofs);
      else await Promise.all(proofs.map((proof) => link.ask("run_finalize", proof)));
    },
  });
  for (const link of links) link.close();
  return { ...measured, list_form };
}

/** @param {unknown} thrown @returns {null} */
function refuseUnlessEmpty(thrown) {
  if (isEmpty(thrown)) return null;
  throw thrown;
}

/**
 * Whether this host documents the list form of run_finalize.
 * @param {import("./link.js").Link} link
 * @returns {Promise<boolean>}
 */
async function takesLists(link) {
  /** @type {{ methods: { name: string, params: { name: string }[] }[] }} */
  const { methods } = await link.call("rpc.discover");
  const finalize = methods.find(({ name }) => name === "run_finalize");
  return finalize?.params.some(({ name }) => name === "runs") ?? false;
}

/**
 * An item that was refused is answered in its place and counts as a failure of the benchmark.
 * @param {import("./link.js").Link} link
 * @param {readonly string[]} proofs
 */
async function finalizeList(link, proofs) {
  const answer = await link.ask("run_finalize", `{"runs":[${proofs.join(",")}]}`);
  if (answer.includes('"error":{')) throw new Error(`a listed run was refused: ${answer}`);
}
