// What a load process is as a plugin: one identity with a runner and an online runtime, and the
// frames that executors send. Used by the scenarios.

/**
 * @typedef {object} Target
 * @property {string} url
 * @property {string} token
 * @property {string} runner_id
 * @property {string} runtime_id
 *
 * @typedef {{ run_id: string, claim_token: string }} WorkItem
 */

/** Longer than any measurement: leases and heartbeats that run out are not what is measured. */
export const hold_seconds = 3600;

/**
 * Safe to repeat: later processes of the same plugin find it as it is.
 * @param {import("./link.js").Link} link
 * @param {Target} target
 */
export async function goOnline(link, { runner_id, runtime_id }) {
  await link.call("runner_register", { runners: [{ id: runner_id }] });
  await link.call("runtime_register", { runtime_id, heartbeat_ttl_seconds: hold_seconds });
}

/**
 * The beginning of the params of a write on the proof of a claim, to which the rest is added.
 * @param {Target} target
 * @param {WorkItem} item
 */
export const proofOf = ({ runtime_id }, { run_id, claim_token }) =>
  JSON.stringify({ target_run_id: run_id, runtime_id, claim_token }).slice(0, -1);

/** The event that is stored everywhere: by us, by pgbench and by direct SQL. */
export const eventType = "tool.call.completed";
export const eventData = JSON.stringify({
  tool_call_id: "call-1", tool_name: "search", result: { text: "twelve documents were found" },
});

/** @param {Target} target */
export const claimParams = ({ runtime_id }) => JSON.stringify({
  runtime_id, lease_seconds: hold_seconds,
});

/** True for the refusal that says that the queue is empty. @param {unknown} thrown */
export const isEmpty = (thrown) =>
  thrown instanceof Error && thrown.message.includes('"NO_RUN_AVAILABLE"');

/** @param {string} answer @returns {any} */
export const resultOf = (answer) => JSON.parse(answer).result;
