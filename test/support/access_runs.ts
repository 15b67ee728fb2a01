// Runs in each state that the contract tells apart, made through the wire; what time brings is
// written into the row.

import {
  identityOf, runtimeOf, tenantOf, type AccessWorld, type CallerName,
} from "./access_world.js";
import type { Params } from "./client.js";

export type RunState =
  | "running" // dispatch running, before its deadline
  | "over" // running, 61 s past its deadline: not LIVE
  | "queued"
  | "claimed" // with an active lease
  | "expired" // claimed, the lease over
  | "released" // was claimed, went back to queued
  | "claim_ended" // completed by the holder of the claim
  | "ended_inside" // completed, inside the read window of 7 days
  | "failed_inside" // failed, inside it
  | "ended_past" // completed, past it
  | "failed_past" // failed, past it
  | "missing"; // never made

export interface RunSpec {
  state: RunState;
  plugin: string;
  runner: string;
  /** False: no conversation. `other`: not the one that the cell's runs share. */
  conversation: boolean | "other";
  thread: string | null;
  workspace: string | null;
  /** No bot where it is left out. */
  bot?: string;
  /** Who creates it, and so the tenant it lies in. */
  by: CallerName;
  /** Who claims it, where the state says that it is or was claimed. */
  claimer: CallerName;
  /** Who is written down as its creator, where that is not whoever made it for the test. */
  created_by?: CallerName;
}

export type Grants = "default" | "all" | Record<string, boolean>;

export interface MadeRun {
  run_id: string;
  /** The claim params of the caller that claimed it. */
  claim: Params | null;
}

const all = Object.fromEntries([
  "run_get", "run_events_page", "run_cancel", "run_list", "history_page", "history_search",
  "event_page", "event_get", "steering_pull", "state", "prompt_get", "run_append_result",
  "run_finalize", "run_claim", "run_renew_claim", "run_release_claim", "runtime_register",
  "runtime_heartbeat", "runtime_deregister", "runtime_list",
].map((name) => [name, true]));

const claimedStates: readonly RunState[] = ["claimed", "expired", "released", "claim_ended"];

export interface RunPlace {
  conversation_id: string;
  grants: Grants;
  /** The queue to lie in; a queue of its own where it is left out. */
  queue_name?: string;
}

export async function makeRun(
  world: AccessWorld,
  spec: RunSpec,
  place: RunPlace,
): Promise<MadeRun> {
  const run_id = world.unique("run");
  if (spec.state === "missing") return { run_id, claim: null };
  const queue_name = place.queue_name ?? world.unique("queue");
  const isQueued = spec.state === "queued" || claimedStates.includes(spec.state);
  await world.of(spec.by).call("run_create", {
    run_id,
    runner_id: `plugin:${spec.plugin}/${spec.runner}`,
    allow_unregistered_runner: true,
    conversation_id: nameConversation(spec.conversation, place.conversation_id),
    thread_id: spec.thread,
    workspace_id: spec.workspace,
    bot_id: spec.bot,
    ...(isQueued ? { queue_name } : { dispatch: "running" }),
    ...authorize(spec, place.grants),
  });
  const claim = claimedStates.includes(spec.state)
    ? await claimRun(world, { run_id, queue_name, claimer: spec.claimer }) : null;
  await bringInto(world, spec, { run_id, claim });
  if (spec.created_by !== undefined) {
    await world.sql`
      update agent_run set created_by = ${identityOf(spec.created_by)}
      where tenant_id = 'default' and run_id = ${run_id}`;
  }
  return { run_id, claim };
}

function nameConversation(kind: RunSpec["conversation"], shared: string): string | null {
  if (kind === false) return null;
  return kind === "other" ? `${shared}_other` : shared;
}

/** Creators may grant nothing; what they made is reached through CREATOR, never by a capability. */
function authorize(spec: RunSpec, grants: Grants): Params {
  if (grants === "default" || spec.by === "creator" || spec.by === "creator_other") return {};
  return { authorization: { available_apis: grants === "all" ? all : grants } };
}

async function claimRun(
  world: AccessWorld,
  { run_id, queue_name, claimer }: { run_id: string; queue_name: string; claimer: CallerName },
): Promise<Params> {
  // A claim of somebody who has lost runtime:admin since is taken by one who has it, and handed on.
  const taker = claimer === "former" ? "runtime_admin" : claimer;
  const { claim_token, claim_epoch } = await world.of(taker)
    .call("run_claim", { runtime_id: runtimeOf(taker), queue_name, lease_seconds: 3600 });
  if (taker !== claimer) {
    await world.sql`
      update agent_run set claimed_by_identity = ${identityOf(claimer)},
        claimed_by_runtime_id = ${runtimeOf(claimer)}
      where tenant_id = ${tenantOf(claimer)} and run_id = ${run_id}`;
  }
  return { runtime_id: runtimeOf(claimer), claim_token, claim_epoch };
}

async function bringInto(world: AccessWorld, spec: RunSpec, run: MadeRun): Promise<void> {
  const { sql } = world;
  const { run_id } = run;
  const end = (status: string) =>
    world.of("builtin").call("run_finalize", { target_run_id: run_id, status, force: true });
  const endAgo = (days: number) => sql`
    update agent_run set finished_at = now() - make_interval(days => ${days})
    where tenant_id = 'default' and run_id = ${run_id}`;
  switch (spec.state) {
    case "over":
      await sql`
        update agent_run set deadline_at = now() - interval '61 seconds'
        where tenant_id = 'default' and run_id = ${run_id}`;
      return;
    case "expired":
      await sql`
        update agent_run set claim_lease_expires_at = now() - interval '1 second'
        where tenant_id = 'default' and run_id = ${run_id}`;
      return;
    case "released":
      await world.of(spec.claimer)
        .call("run_release_claim", { target_run_id: run_id, ...run.claim });
      return;
    case "claim_ended":
      await world.of(spec.claimer)
        .call("run_finalize", { target_run_id: run_id, status: "completed", ...run.claim });
      return;
    case "ended_inside":
      await end("completed");
      await endAgo(6);
      return;
    case "failed_inside":
      await end("failed");
      await endAgo(6);
      return;
    case "ended_past":
      await end("completed");
      await endAgo(8);
      return;
    case "failed_past":
      await end("failed");
      await endAgo(8);
      return;
    default:
      return;
  }
}
