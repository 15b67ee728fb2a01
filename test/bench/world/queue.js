// Fills the queue of a host with copies of one run that was created through the socket.

import { Link } from "../load/link.js";
import { goOnline } from "../load/plugin.js";
import { copyRuns } from "./seed.js";

let fillings = 0;

/**
 * @param {import("../bench.js").HostWorld} world
 * @param {number} count
 * @param {Record<string, unknown>} [params] of run_create
 */
export async function fillQueue({ target, database }, count, params = {}) {
  const link = await Link.open(target.url, target.token);
  await goOnline(link, target);
  const { run_id } = await link.call("run_create", { runner_id: target.runner_id, ...params });
  link.close();
  // Names that no earlier filling has used.
  fillings += 1;
  const copying = { run_id, prefix: `queued-${fillings}-`, count, whole: false };
  await copyRuns(database.sql, copying, () => undefined);
}
