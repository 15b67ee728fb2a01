// Runs that stand still for one cause each. States that time brings are written into the rows, so
// nothing sleeps.

import { fresh, registerPlugin, type HostWorld, type Plugin } from "../support/host.js";
import type { Answer, Client, Params } from "../support/client.js";

export interface Still {
  plugin: Plugin;
  /** The queue that only this cause uses. */
  queue_name: string;
  run_id: string;
}

export const createRun = async (
  world: HostWorld, plugin: Plugin, more: Params = {},
): Promise<Answer> =>
  world.admin.call("run_create", { runner_id: plugin.runner_id, run_id: fresh("run"), ...more });

/** A plugin of its own with one online runtime, and one queued run. */
export async function makeStill(world: HostWorld, more: Params = {}): Promise<Still> {
  const plugin = await registerPlugin(world);
  const queue_name = fresh("queue");
  const isQueued = more["dispatch"] !== "running";
  const { run_id } = await createRun(world, plugin, { ...(isQueued ? { queue_name } : {}), ...more });
  return { plugin, queue_name, run_id };
}

export const explain = (client: Client, run_id: string): Promise<Answer> =>
  client.call("run_explain", { target_run_id: run_id });

/** As the plugin whose run it is. */
export const explainOwn = ({ plugin, run_id }: Still): Promise<Answer> =>
  plugin.client.call("run_explain", { run_id });

export const codesOf = (answer: Answer): string[] =>
  answer.reasons.map(({ code }: { code: string }) => code);

export const factsOf = (answer: Answer, code: string): Answer =>
  answer.reasons.find((reason: { code: string }) => reason.code === code);

export const claimIt = (still: Still, more: Params = {}): Promise<Answer> =>
  still.plugin.client.call("run_claim", {
    runtime_id: still.plugin.runtime_id, queue_name: still.queue_name, ...more,
  });

/** Moves an instant of the run, in seconds from now; null takes it away. */
export async function shift(
  { clone: { sql } }: HostWorld, run_id: string, column: string, seconds: number | null,
): Promise<void> {
  await sql`
    update agent_run set ${sql(column)} = now() + make_interval(secs => ${seconds})
    where run_id = ${run_id}`;
}
