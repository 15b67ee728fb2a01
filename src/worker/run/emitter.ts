// `ctx.emit`: the result events of the contract as methods. Each returns a promise of the stored
// event that need not be awaited. Once the run is stopped nothing new may begin (delta, tool
// started, action, interaction); what records something done is taken while the claim holds.

import type { EmittedEvent, Message, StateSetParams } from "../../client/client.js";
import type { EventToEmit } from "./emit_queue.js";

/** Where a key of the state lives; the run's state policy says which of them are open. */
export type StateScope = StateSetParams["scope"];

/** A piece of a message; `role` is `assistant` unless given. */
export type Chunk = Partial<Message> & {
  all_content?: string;
  is_final?: boolean;
  msg_sequence?: number;
};

/** What a person is asked; see the contract's interactions. */
export interface InteractionRequest {
  /** Names the question within the run. Default: a made one, new with every attempt. */
  interaction_id?: string;
  kind?: "form" | "confirmation" | "choice";
  title: string;
  description?: string;
  fields?: InteractionField[];
  actions?: { id: string; label: string; style?: "default" | "primary" | "danger" }[];
  /** Seconds since the epoch, within a day. Default: 1800 s from now. */
  expires_at?: number;
  /** For surfaces that show text only. Default: the title. */
  fallback_text?: string;
}

export interface InteractionField {
  id: string;
  label: string;
  type: "text" | "textarea" | "select" | "multiselect" | "number" | "boolean" | "file";
  required?: boolean;
  options?: { value: string; label: string; description?: string }[];
  placeholder?: string;
  default?: unknown;
}

/** One call of a tool. Each method emits one event. */
export interface ToolReport {
  readonly tool_call_id: string;
  started(parameters?: Record<string, unknown>): Promise<EmittedEvent>;
  completed(result?: Record<string, unknown>): Promise<EmittedEvent>;
  failed(error: string, result?: Record<string, unknown>): Promise<EmittedEvent>;
}

/**
 * Events are numbered and stored in the order of these calls, whether or not they are awaited; one
 * whose answer was lost is sent again and stored once. A promise resolves when the host has stored
 * the event. It may be left alone: if the event is then refused, the run's work is stopped
 * (`emit_failed`) and the run fails with the refusal. Up to 1000 events (16 Mi characters of JSON)
 * wait per run; one more is refused, so a long stream should await now and then.
 */
export interface Emitter {
  /** `message.delta`: a piece of text, or a chunk. */
  delta(piece: string | Chunk): Promise<EmittedEvent>;
  /** `message.completed`: a whole message, which joins the conversation's transcript. */
  message(message: string | Message): Promise<EmittedEvent>;
  /** `tool.call.started` and `tool.call.completed`; the id is made unless given. */
  tool(tool_name: string, tool_call_id?: string): ToolReport;
  /** `state.updated`: sets a key of the runner's state together with the event. */
  state(scope: StateScope, key: string, value: unknown): Promise<EmittedEvent>;
  /** `action.requested` of any kind but an interaction. */
  action(action: string, details?: { target?: object; payload?: object }): Promise<EmittedEvent>;
  /** Asks a person without waiting; the answer comes through `ctx.steering()`. See `ctx.ask`. */
  interaction(request: InteractionRequest): Promise<EmittedEvent>;
}

export const readMessage = (message: string | Message): Message =>
  typeof message === "string" ? { role: "assistant", content: message } : message;

export const interactionEvent = (request: InteractionRequest): EventToEmit => ({
  type: "action.requested",
  data: {
    action: "interaction.requested",
    payload: { ...request, fallback_text: request.fallback_text ?? request.title },
  },
});

export interface EmitterParts {
  push(event: EventToEmit): Promise<EmittedEvent>;
  /** Rejects with the reason instead, once the run is stopped. */
  pushNew(event: EventToEmit): Promise<EmittedEvent>;
  /** A name that no other attempt of this run makes. */
  makeId(prefix: string): string;
}

export function createEmitter({ push, pushNew, makeId }: EmitterParts): Emitter {
  return {
    delta(piece) {
      const chunk = typeof piece === "string" ? { content: piece } : piece;
      return pushNew({ type: "message.delta", data: { chunk: { role: "assistant", ...chunk } } });
    },
    message: (message) =>
      push({ type: "message.completed", data: { message: readMessage(message) } }),
    tool(tool_name, tool_call_id = makeId("tool")) {
      const named = { tool_call_id, tool_name };
      const complete = (more: object): Promise<EmittedEvent> =>
        push({ type: "tool.call.completed", data: { ...named, ...more } });
      return {
        tool_call_id,
        started: (parameters) =>
          pushNew({ type: "tool.call.started", data: { ...named, parameters } }),
        completed: (result) => complete({ result }),
        failed: (error, result) => complete({ error, result }),
      };
    },
    state: (scope, key, value) =>
      push({ type: "state.updated", data: { scope, key, value: value ?? null } }),
    action: (action, details = {}) =>
      pushNew({ type: "action.requested", data: { action, ...details } }),
    interaction(request) {
      const interaction_id = request.interaction_id ?? makeId("ask");
      return pushNew(interactionEvent({ ...request, interaction_id }));
    },
  };
}
