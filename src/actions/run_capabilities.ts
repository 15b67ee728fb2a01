// What a new run may do: the defaults of each capability and what the request changes of them. Once
// stored with the run they never change.

import type { Capability, Permission } from "../contract/access.js";
import { capabilities } from "../contract/access.js";
import { coversWorkspace, type GrantFacts } from "../contract/grants.js";

/** What the default of a capability may depend on. */
export interface RunFacts {
  has_conversation: boolean;
  has_state: boolean;
  has_prompt: boolean;
}

type Default = keyof RunFacts | "granted" | "not_granted";

const defaults: Record<Capability, Default> = {
  run_get: "granted",
  run_events_page: "granted",
  run_cancel: "granted",
  run_list: "has_conversation",
  history_page: "has_conversation",
  history_search: "has_conversation",
  event_page: "has_conversation",
  event_get: "has_conversation",
  steering_pull: "has_conversation",
  state: "has_state",
  prompt_get: "has_prompt",
  run_append_result: "not_granted",
  run_finalize: "not_granted",
  run_claim: "not_granted",
  run_renew_claim: "not_granted",
  run_release_claim: "not_granted",
  runtime_register: "not_granted",
  runtime_heartbeat: "not_granted",
  runtime_deregister: "not_granted",
  runtime_list: "not_granted",
};

/** Capabilities over queue and runtimes: granting one needs runtime:admin as well. */
const fleetCapabilities: ReadonlySet<Capability> = new Set<Capability>([
  "run_claim", "run_renew_claim", "run_release_claim", "runtime_register", "runtime_heartbeat",
  "runtime_deregister", "runtime_list",
]);

/** Permissions that the caller holds in the workspace of the run. */
export interface HeldHere {
  permissions: readonly Permission[];
}

export const heldIn = (grant: GrantFacts, workspace_id: string | null): HeldHere => ({
  permissions: grant.held
    .filter((held) => coversWorkspace(held, workspace_id))
    .map(({ permission }) => permission),
});

export interface GrantedCapabilities {
  available_apis: Partial<Record<Capability, true>>;
  /** The first permission that the wish needs and the caller lacks. */
  denied: { permission: Permission } | null;
}

/** Defaults of the run, changed by what the request wants of single names. */
export function grantCapabilities(
  wanted: Partial<Record<string, boolean>>,
  facts: RunFacts,
  held: HeldHere,
): GrantedCapabilities {
  const available_apis: Partial<Record<Capability, true>> = {};
  let denied: { permission: Permission } | null = null;
  for (const name of capabilities) {
    const wish = wanted[name];
    const byDefault = isDefault(defaults[name], facts);
    if (wish ?? byDefault) available_apis[name] = true;
    if (wish === true && !byDefault) denied ??= findMissing(name, held);
  }
  return { available_apis, denied };
}

function isDefault(rule: Default, facts: RunFacts): boolean {
  if (rule === "granted" || rule === "not_granted") return rule === "granted";
  return facts[rule];
}

function findMissing(name: Capability, held: HeldHere): { permission: Permission } | null {
  const needed: Permission[] = fleetCapabilities.has(name)
    ? ["agent_run:admin", "runtime:admin"]
    : ["agent_run:admin"];
  const permission = needed.find((wanted) => !held.permissions.includes(wanted));
  return permission === undefined ? null : { permission };
}
