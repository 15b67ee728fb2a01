// Every way in which a call of the context methods can name a run, or what hangs on it, that is not
// the caller's. `id` is that run or an id of the same form that was never made.

import type { Params } from "../support/client.js";

export interface Naming {
  id: string;
  /** A live run of the caller's own, every capability granted. */
  own: string;
  /** The claim of the other run, where it has one; else a guess. */
  claim: Params;
}

export type Variant = readonly [method: string, what: string, params: (named: Naming) => Params];

const runId = (method: string, more: (named: Naming) => Params = () => ({})): Variant[] => [
  [method, "run_id", (named) => ({ run_id: named.id, ...more(named) })],
];
const withClaim = (method: string, more: (named: Naming) => Params): Variant[] => [
  ...runId(method, more),
  [method, "run_id, its claim", (named) => ({ run_id: named.id, ...more(named), ...named.claim })],
  [method, "own run, its claim", (named) =>
    ({ run_id: named.own, ...more(named), ...named.claim })],
];
const readers = (method: string, more: Params): Variant[] => [
  [method, "run_id", ({ id }) => ({ run_id: id, ...more })],
  [method, "target_run_id", ({ id }) => ({ target_run_id: id, ...more })],
  [method, "both", ({ id, own }) => ({ run_id: own, target_run_id: id, ...more })],
  [method, "run_id is the other's", ({ id, own }) => ({ run_id: id, target_run_id: own, ...more })],
];
const writers = (method: string, more: Params): Variant[] => [
  [method, "target_run_id", ({ id }) => ({ target_run_id: id, ...more })],
  [method, "run_id too", ({ id, own }) => ({ run_id: own, target_run_id: id, ...more })],
];

const state = { scope: "conversation", key: "k" };

/** Through a session of the caller's own. */
export const throughOwn: readonly Variant[] = [
  ["event_get", "its event", ({ id, own }) => ({ run_id: own, event_id: `api:${id}` })],
  ["event_get", "its message", ({ id, own }) => ({ run_id: own, event_id: `said_${id}` })],
  ["steering_ack", "its item", ({ id, own }) =>
    ({ run_id: own, steering_ids: [`steer_${id}`, "steer_never"] })],
  ["steering_pull", "its item", ({ id, own }) => ({ run_id: own, ack: [`steer_${id}`] })],
];

export const onRuns: readonly Variant[] = [
  ...runId("history_page"), ...runId("history_search", () => ({ query: "marrow" })),
  ...runId("event_page"), ...runId("prompt_get"),
  ...runId("event_get", ({ id }) => ({ event_id: `api:${id}` })),
  ...runId("event_get", ({ id }) => ({ event_id: `said_${id}` })),
  ...withClaim("steering_pull", () => ({})),
  ...withClaim("steering_ack", ({ id }) => ({ steering_ids: [`steer_${id}`] })),
  ...runId("state_get", () => state), ...runId("state_list", () => ({ scope: "conversation" })),
  ...withClaim("state_set", () => ({ ...state, value: 1 })),
  ...withClaim("state_delete", () => state),
  ...readers("interaction_list", {}), ...readers("interaction_get", { interaction_id: "ask" }),
  ...readers("interaction_get", { interaction_id: "never" }),
  ...readers("interaction_list", { conversation_id: "elsewhere" }),
  ...writers("interaction_submit", { interaction_id: "ask", values: { note: "a word" } }),
  ...writers("interaction_submit", { interaction_id: "ask", values: { wrong: 1 } }),
  ...writers("interaction_submit", { interaction_id: "never" }),
  ...writers("interaction_cancel", { interaction_id: "ask" }),
  ...readers("run_subscribe", {}), ...readers("run_subscribe", { after_cursor: "99" }),
  ...throughOwn,
];
