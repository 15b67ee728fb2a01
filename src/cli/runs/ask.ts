// Asks about one run by its id alone: as an administrator or creator, and where neither admits, as
// the plugin whose own run it is.

import { HostError, type Host } from "../../client/client.js";

export interface Naming {
  run_id?: string;
  target_run_id?: string;
}

/** The answer, and how the run had to be named for it. */
export async function askAbout(
  host: Host, method: string, run_id: string, params: object = {},
): Promise<{ answer: any; naming: Naming }> {
  const target = { target_run_id: run_id };
  try {
    return { answer: await host.call(method, { ...params, ...target }), naming: target };
  } catch (thrown) {
    if (!isWithoutPath(thrown)) throw thrown;
    const own = { run_id };
    return { answer: await host.call(method, { ...params, ...own }), naming: own };
  }
}

/** Neither permission admitted the call; a run_id of one's own may. */
function isWithoutPath(thrown: unknown): boolean {
  if (!(thrown instanceof HostError)) return false;
  if (thrown.code === "FORBIDDEN") return thrown.data["reason"] === "not_authorized";
  const issues: { path: string }[] = thrown.data["issues"] ?? [];
  return thrown.code === "INVALID_PARAMS" && issues.some(({ path }) => path === "run_id");
}
