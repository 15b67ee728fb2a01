// Whom the figures act as: an identity with one runner and as many runtimes as are asked for.

/**
 * @param {import("./scene.js").Scene} scene @param {{ url: string }} host
 * @param {{ runtimes?: number, permissions?: string[] }} [wanted]
 */
export async function makeWorld(scene, host, { runtimes = 1, permissions } = {}) {
  const admin = await scene.client({ url: host.url, token: scene.admin_token });
  const plugin_identity = "acme/chaos";
  const { token } = await admin.call("plugin_register", {
    plugin_identity, permissions: permissions ?? ["agent_run:create", "agent_run:admin", "runtime:admin"],
  });
  const plugin = await scene.client({ url: host.url, token });
  const runner_id = `plugin:${plugin_identity}/main`;
  await plugin.call("runner_register", { runners: [{ id: runner_id }] });
  const runtime_ids = Array.from({ length: runtimes }, (_, place) => `runtime-${place}`);
  for (const runtime_id of runtime_ids) {
    await plugin.call("runtime_register", { runtime_id, heartbeat_ttl_seconds: 3600 });
  }
  await admin.close();
  return { token, plugin_identity, runner_id, runtime_ids, plugin };
}

/** @typedef {Awaited<ReturnType<typeof makeWorld>>} World */

/** Claim params of a work item. @param {any} item */
export const claimOf = ({ claimed_by_runtime_id, claim_token, claim_epoch }) =>
  ({ runtime_id: claimed_by_runtime_id, claim_token, claim_epoch });

/** @param {number} ms */
export const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until it holds; false when the time is over.
 * @param {() => boolean | Promise<boolean>} condition @param {number} ms */
export async function waitUntil(condition, ms) {
  for (const until = performance.now() + ms; performance.now() < until; await rest(20)) {
    if (await condition()) return true;
  }
  return condition();
}

/** @param {number[]} values @param {number} share 0.5 is the median; 0 of nothing. */
export function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
