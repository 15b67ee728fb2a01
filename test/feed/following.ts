// What tests of a live host share: runs at work, events appended to them, and what a client was told.

import type { Client, Params } from "../support/client.js";
import { claimOf, type Plugin } from "../support/host.js";

export interface LiveRun {
  run_id: string;
  item: Params & Parameters<typeof claimOf>[0];
  /** Claim params and target. */
  target: Params;
}

/** Creates a run and claims it by the plugin's runtime. */
export async function startRun(plugin: Plugin, params: Params = {}): Promise<LiveRun> {
  const { run_id } = await plugin.client.call("run_create", {
    runner_id: plugin.runner_id, ...params,
  });
  const item = await plugin.client.call("run_claim", {
    runtime_id: plugin.runtime_id, lease_seconds: 600,
  });
  if (item.run_id !== run_id) throw new Error(`${item.run_id} was claimed`);
  return { run_id, item, target: { target_run_id: run_id, ...claimOf(item) } };
}

/** Appends one event. */
export const append = (client: Client, run: LiveRun, sequence: number, text = "x") =>
  client.call("run_append_result", {
    ...run.target, sequence, type: "tool.call.started",
    data: { tool_call_id: `c${sequence}`, tool_name: "t", parameters: { text } },
  });

export const finish = (client: Client, run: LiveRun) =>
  client.call("run_finalize", { ...run.target, status: "completed" });

/** Sequences told to one subscription, in the order of their arrival. */
export const sequencesOf = (client: Client, subscription_id: string): number[] =>
  client.notifications
    .filter(({ method, params }) => method === "run_event"
      && params["subscription_id"] === subscription_id)
    .map(({ params }) => (params["event"] as { sequence: number }).sequence);

export const told = (client: Client, method: string, subscription_id?: string) =>
  client.notified((note) => note.method === method && (subscription_id === undefined
    || note.params["subscription_id"] === subscription_id));

export const toldEvent = (client: Client, subscription_id: string, sequence: number) =>
  client.notified(({ method, params }) => method === "run_event"
    && params["subscription_id"] === subscription_id
    && (params["event"] as { sequence: number }).sequence === sequence);
