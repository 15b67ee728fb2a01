// Turns checked params into the run that the ledger stores: members joined from their two places,
// defaults filled in, size and workspace judged; event_publish uses the same steps. What needs the
// database clock, other rows or the run's id is left to the ledger. Refuses INVALID_PARAMS,
// PAYLOAD_TOO_LARGE, then FORBIDDEN.

import { canonicalJson, limitField, measure, type Canonical } from "../contract/canonical.js";
import type { Issue } from "../contract/errors.js";
import { Refusal } from "../contract/errors.js";
import { coversWorkspace, type GrantFacts } from "../contract/grants.js";
import { limits } from "../contract/limits.js";
import type { PublishedRun } from "../ledger/context_requests.js";
import type { NewRun } from "../ledger/requests.js";
import { removeBinary } from "./redaction.js";
import { grantCapabilities, heldIn } from "./run_capabilities.js";
import { buildBinding, buildDelivery, buildEvent, buildInput } from "./run_defaults.js";
import type {
  BindingMembers, EventMembers, JoinedMembers, MakingParams, ResolvedParams, RunParams,
} from "./run_params.js";
import { bindingShape, eventShape } from "./run_params.js";

interface Gathered<M> {
  members: M;
  /** Where the caller put a member. */
  pathOf(name: keyof M & string): string;
}

/** Joins the places of each member; both given and different is refused at the top. */
function gather<M extends object>(
  places: { top: Partial<M>; inner: M | undefined; within: string },
  names: readonly string[],
  issues: Issue[],
): Gathered<M> {
  const members: Partial<M> = {};
  const { top, inner, within } = places;
  for (const name of names as (keyof M & string)[]) {
    const [above, below] = [top[name], inner?.[name]];
    members[name] = above ?? below;
    if (above === undefined || below === undefined) continue;
    if (canonicalJson(above) === canonicalJson(below)) continue;
    issues.push({ path: name, message: `differs from ${within}.${name}` });
  }
  const pathOf = (name: keyof M & string) =>
    top[name] === undefined && inner?.[name] !== undefined ? `${within}.${name}` : name;
  return { members: members as M, pathOf };
}

type Places = MakingParams & Partial<EventMembers & BindingMembers & { event: EventMembers }>;

/** Joins what may stand in two places, with what is wrong about it. */
export function joinMembers(
  params: Places,
  default_event_type: string,
): JoinedMembers & { issues: Issue[] } {
  const issues: Issue[] = [];
  const event = gather<EventMembers>(
    { top: params, inner: params.event, within: "event" }, Object.keys(eventShape), issues,
  );
  const binding = gather<BindingMembers>(
    { top: params, inner: params.binding, within: "binding" }, Object.keys(bindingShape), issues,
  );
  if (params.text !== undefined && event.members.input !== undefined) {
    issues.push({ path: "text", message: "excludes input" });
  }
  const event_type = event.members.event_type ?? default_event_type;
  const types = binding.members.event_types;
  if (types !== undefined && !types.includes(event_type)) {
    issues.push({ path: binding.pathOf("event_types"), message: "must contain event_type" });
  }
  return { event: { ...event.members, event_type }, binding: binding.members, issues };
}

/** Applies every rule about the params of run_create that a single member cannot say. */
function resolveParams(params: RunParams): ResolvedParams {
  const { event, binding, issues } = joinMembers(params, "api.invoked");
  if (params.deadline_at !== undefined && params.timeout_seconds !== undefined) {
    issues.push({ path: "deadline_at", message: "excludes timeout_seconds" });
  }
  issues.push(...findQueueParams(params));
  const { runner_id } = binding;
  if (runner_id === undefined) issues.push({ path: "runner_id", message: "is required" });
  if (issues.length > 0 || runner_id === undefined) {
    throw new Refusal("INVALID_PARAMS", { issues });
  }
  return { params, runner_id, event, binding, metadata: params.metadata };
}

const queueNames = ["queue_name", "requested_runtime_id", "max_attempts", "not_before"] as const;

function findQueueParams(params: RunParams): Issue[] {
  if (params.dispatch !== "running") return [];
  return queueNames
    .filter((name) => params[name] !== undefined)
    .map((name) => ({ path: name, message: "is for runs with dispatch queued" }));
}

const uncounted: ReadonlySet<string> = new Set([
  "run_id", "new_run_id", "wait_for_completion", "wait_seconds", "caller_plugin_identity", "_meta",
]);

/** Fingerprint and size of a request as it was sent. */
export function measureRequest(sent: Record<string, unknown>): Canonical {
  const counted = Object.entries(sent).filter(
    ([name, value]) => !uncounted.has(name) && value !== null,
  );
  return measure(Object.fromEntries(counted));
}

/** Refuses a request over 1 MiB. */
export function limitRequest(measured: Canonical): void {
  const limit_bytes = limits.request_bytes;
  if (measured.bytes <= limit_bytes) return;
  throw new Refusal("PAYLOAD_TOO_LARGE", { reason: "request", limit_bytes });
}

/** The workspace of a new run must be one that admin or creator permissions reach. */
export function requireWorkspace(
  held: Pick<GrantFacts, "admin" | "creator">,
  workspace_id: string | null,
): void {
  const reached = [held.admin, held.creator].some((one) => coversWorkspace(one, workspace_id));
  if (!reached) throw new Refusal("FORBIDDEN", { reason: "out_of_scope" });
}

/** Judges size, then workspace, and fills in what the request left out. */
export function buildRun(asked: {
  params: RunParams;
  sent: Record<string, unknown>;
  grant: GrantFacts;
}): Omit<NewRun, "traceparent"> {
  const { params, grant } = asked;
  const resolved = resolveParams(params);
  const measured = measureRequest(asked.sent);
  limitRequest(measured);
  limitField("metadata", params.metadata);
  requireWorkspace(grant, resolved.event.workspace_id ?? null);
  const filled = fillRun(resolved, grant);
  // Spreading it into a literal with so many members more costs ten times as much.
  return Object.assign(filled, {
    run_id: params.run_id ?? null,
    parent_run_id: params.parent_run_id ?? null,
    dispatch: params.dispatch,
    queue_name: params.dispatch === "queued" ? filled.queue_name : null,
    not_before: params.not_before ?? null,
    deadline_at: params.deadline_at ?? null,
    timeout_seconds: filled.timeout_seconds ?? defaultTimeout(params),
    fingerprint: measured.fingerprint,
    request_bytes: measured.bytes,
  });
}

/** The run as both methods make it, to be claimed from a queue and without a fixed end. */
export function fillRun(
  resolved: ResolvedParams,
  grant: GrantFacts,
): Omit<PublishedRun, "request_bytes"> {
  const { params, event } = resolved;
  const delivery = buildDelivery(event);
  const binding = buildBinding(resolved, delivery);
  const input = buildInput(event, params.text);
  const facts = {
    has_conversation: event.conversation_id !== undefined,
    has_state: binding.state_policy.enable_state && binding.state_policy.state_scopes.length > 0,
    has_prompt: params.prompt !== undefined,
  };
  const wanted = params.authorization?.available_apis ?? {};
  const held = heldIn(grant, event.workspace_id ?? null);
  const granted = grantCapabilities(wanted, facts, held);
  return {
    runner_id: resolved.runner_id,
    queue_name: params.queue_name ?? "default",
    priority: params.priority,
    requested_runtime_id: params.requested_runtime_id ?? null,
    max_attempts: params.max_attempts ?? limits.max_attempts.default,
    timeout_seconds: params.timeout_seconds ?? null,
    allow_unregistered_runner: params.allow_unregistered_runner,
    include_plugins: params.include_plugins ?? null,
    metadata: resolved.metadata,
    denied: granted.denied,
    event: buildEvent(event),
    input,
    log_input: removeBinary(input),
    binding,
    binding_named: binding.binding_id !== null,
    delivery,
    prompt: params.prompt ?? null,
    snapshot: {
      available_apis: granted.available_apis as Record<string, true>,
      state_policy: binding.state_policy,
    },
  };
}

/** A running run always has an end. */
function defaultTimeout({ dispatch, deadline_at }: RunParams): number | null {
  const unlimited = dispatch === "running" && deadline_at === undefined;
  return unlimited ? limits.timeout_seconds.default_running : null;
}
