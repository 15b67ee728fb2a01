// What a caller may say about a run that is made. Members of the event may stand at the top or in
// `event`, members of the binding at the top or in `binding`; the rules that join several of them
// stand in run_request.ts.

import { z } from "zod";
import { capabilities } from "../contract/access.js";
import { limits } from "../contract/limits.js";
import { message } from "../contract/result_payloads.js";
import {
  clamped, filterList, id, identity, integer, openObject, optional, runnerId, stateScopes, text,
  time, withDefault,
} from "../contract/scalars.js";

const eventType = text(100, 1).refine((value) => !value.startsWith("steering."), {
  message: "the prefix steering. is reserved",
});

const eventSource = text(50, 1).refine((value) => value !== "host", { message: "is reserved" });

const actor = z.strictObject({
  actor_type: optional(id),
  actor_id: optional(id),
  actor_name: optional(id),
});

const subject = z.strictObject({
  subject_type: optional(id),
  subject_id: optional(id),
});

const input = openObject.refine(
  ({ text: plain }) => plain === undefined || plain === null || typeof plain === "string",
  { path: ["text"], message: "must be a string or null" },
);

/** Members of `event`. */
export const eventShape = {
  event_type: optional(eventType),
  source: optional(eventSource),
  event_id: optional(id),
  event_time: optional(time),
  source_event_type: optional(text(100)),
  bot_id: optional(id),
  workspace_id: optional(id),
  conversation_id: optional(id),
  thread_id: optional(id),
  raw_ref: optional(id),
  actor: optional(actor),
  subject: optional(subject),
  input: optional(input),
  delivery: optional(openObject),
  data: optional(openObject),
};

const statePolicy = z.strictObject({
  enable_state: optional(z.boolean()),
  state_scopes: optional(
    z.array(z.enum(stateScopes)).overwrite((scopes) => [...new Set(scopes)]),
  ),
});

const deliveryPolicy = openObject.refine(
  ({ enable_interactions: set }) => set === undefined || typeof set === "boolean",
  { path: ["enable_interactions"], message: "must be true or false" },
);

/** Members of `binding` that may also stand at the top. */
export const bindingShape = {
  runner_id: optional(runnerId),
  binding_id: optional(id),
  agent_id: optional(id),
  event_types: optional(z.array(text(100))),
  enabled: optional(z.boolean().refine((value) => value, { message: "must be true" })),
  runner_config: optional(openObject),
  resource_policy: optional(openObject),
  state_policy: optional(statePolicy),
  delivery_policy: optional(deliveryPolicy),
};

const bindingScope = z
  .strictObject({
    type: z.enum(["agent", "bot", "workspace", "global"]),
    id: optional(id),
  })
  .refine((scope) => (scope.type === "global") === (scope.id === undefined), {
    path: ["id"],
    message: "is null exactly for the type global",
  });

export const binding = z.strictObject({ ...bindingShape, scope: optional(bindingScope) });

const availableApis = z.strictObject(
  Object.fromEntries(capabilities.map((name) => [name, optional(z.boolean())])),
);

const maxAttempts = integer(limits.max_attempts.min, limits.max_attempts.max);
const timeoutSeconds = integer(limits.timeout_seconds.min, limits.timeout_seconds.max);

/** How a run is made, beside its event and binding. */
export const makingShape = {
  prompt: optional(z.array(message).max(1000)),
  include_plugins: optional(filterList(identity)),
  allow_unregistered_runner: withDefault(z.boolean(), false),
  queue_name: optional(id),
  priority: withDefault(
    integer(limits.priority.min, limits.priority.max),
    limits.priority.default,
  ),
  requested_runtime_id: optional(id),
  max_attempts: optional(maxAttempts),
  timeout_seconds: optional(timeoutSeconds),
  authorization: optional(z.strictObject({ available_apis: optional(availableApis) })),
};

const wait = limits.completion_wait_seconds;

export const runParams = z.strictObject({
  run_id: optional(id),
  event: optional(z.strictObject(eventShape)),
  binding: optional(binding),
  ...eventShape,
  ...bindingShape,
  text: optional(text()),
  ...makingShape,
  dispatch: withDefault(z.enum(["queued", "running"]), "queued"),
  not_before: optional(time),
  deadline_at: optional(time),
  parent_run_id: optional(id),
  metadata: withDefault(openObject, {}),
  wait_for_completion: withDefault(z.boolean(), false),
  wait_seconds: withDefault(clamped(wait.min, wait.max), wait.default),
});

export type RunParams = z.output<typeof runParams>;

export type EventMembers = Pick<RunParams, keyof typeof eventShape>;
export type BindingMembers = Pick<RunParams, keyof typeof bindingShape>;

/** What run_create and event_publish say alike about the run, beside its event. */
export type MakingParams = Pick<RunParams, keyof typeof makingShape | "text" | "binding">;

/** Members of which each is known to stand in one place only. */
export interface JoinedMembers {
  event: EventMembers & { event_type: string };
  binding: BindingMembers;
}

export interface ResolvedParams extends JoinedMembers {
  params: MakingParams;
  runner_id: string;
  metadata: Record<string, unknown>;
}
