// What a new run's event, input, binding and delivery hold where the request left members out. Ids
// that are made from the run's id, and the time of the event, are the ledger's to fill in. Members
// stand in the order in which jsonb keeps them, which spares Postgres the sorting.

import type { NewRun } from "../ledger/requests.js";
import type { EventMembers, JoinedMembers, ResolvedParams } from "./run_params.js";

export function buildEvent(event: JoinedMembers["event"]): NewRun["event"] {
  const { event_type } = event;
  return {
    data: event.data ?? {},
    actor: event.actor === undefined ? null : dropAbsent(event.actor),
    bot_id: event.bot_id ?? null,
    source: event.source ?? "api",
    raw_ref: event.raw_ref ?? null,
    subject: event.subject === undefined ? null : dropAbsent(event.subject),
    event_id: event.event_id ?? null,
    thread_id: event.thread_id ?? null,
    event_time: event.event_time ?? null,
    event_type,
    workspace_id: event.workspace_id ?? null,
    conversation_id: event.conversation_id ?? null,
    source_event_type: event.source_event_type ?? event_type,
  };
}

export function buildInput(
  event: EventMembers,
  text: string | undefined,
): Record<string, unknown> {
  return event.input ?? { text: text ?? null, contents: [], attachments: [] };
}

export function buildDelivery(event: EventMembers): Record<string, unknown> {
  return (
    event.delivery ?? {
      surface: "api",
      reply_target: null,
      supports_edit: false,
      supports_reaction: false,
      supports_streaming: false,
      platform_capabilities: {},
    }
  );
}

/** The binding as it is stored; its scope says whose state the run shares. */
export function buildBinding(
  { params, runner_id, event, binding }: ResolvedParams,
  delivery: Record<string, unknown>,
) {
  return {
    scope: fillScope(params.binding?.scope) ?? defaultScope({
      agent_id: binding.agent_id, bot_id: event.bot_id, workspace_id: event.workspace_id,
    }),
    enabled: true,
    agent_id: binding.agent_id ?? null,
    runner_id,
    binding_id: binding.binding_id ?? null,
    event_types: binding.event_types ?? [event.event_type],
    state_policy: {
      enable_state: binding.state_policy?.enable_state ?? true,
      state_scopes: binding.state_policy?.state_scopes ?? ["conversation", "actor"],
    },
    runner_config: binding.runner_config ?? {},
    delivery_policy: binding.delivery_policy ?? {
      enable_reply: false,
      enable_streaming: delivery["supports_streaming"] === true,
      enable_interactions: true,
    },
    resource_policy: binding.resource_policy ?? {},
  };
}

interface Scope {
  type: "agent" | "bot" | "workspace" | "global";
  id: string | null;
}

function fillScope(sent: { type: Scope["type"]; id?: string | undefined } | undefined) {
  return sent === undefined ? null : { type: sent.type, id: sent.id ?? null };
}

function defaultScope(named: {
  agent_id?: string | undefined;
  bot_id?: string | undefined;
  workspace_id?: string | undefined;
}): Scope {
  if (named.agent_id !== undefined) return { type: "agent", id: named.agent_id };
  if (named.bot_id !== undefined) return { type: "bot", id: named.bot_id };
  if (named.workspace_id !== undefined) return { type: "workspace", id: named.workspace_id };
  return { type: "global", id: null };
}

function dropAbsent(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
