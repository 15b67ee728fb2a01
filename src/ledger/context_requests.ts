// What actions hand to the ledger about what surrounds a run: events that come in, history,
// steering, state, interactions. Names are those of the wire and of the columns.

import type { stateScopes } from "../contract/scalars.js";
import type { NewRun } from "./requests.js";

/** A run to be made by event_publish where no live run takes the message. */
export type PublishedRun = Omit<
  NewRun,
  | "run_id" | "parent_run_id" | "dispatch" | "not_before" | "deadline_at" | "fingerprint"
  | "traceparent"
>;

export interface EventToPublish {
  /** event_id is made by the ledger when null; the members of NewRun.event otherwise. */
  event: NewRun["event"];
  input: Record<string, unknown>;
  log_input: Record<string, unknown>;
  /** Of the event row. */
  metadata: Record<string, unknown>;
  absorb: boolean;
  /** Null: no runner is named. */
  run: PublishedRun | null;
  /** SHA-256 over the canonical request, hex. */
  fingerprint: string;
  /** W3C; the trace that a run made of the event belongs to. */
  traceparent: string | null;
}

export interface HistoryQuery {
  conversation_id: string | null;
  before_cursor: string | null;
  after_cursor: string | null;
  direction: "forward" | "backward";
  limit: number;
  include_attachments: boolean;
}

export interface HistorySearch {
  query: string;
  conversation_id: string | null;
  roles: string[] | null;
  item_types: string[] | null;
  top_k: number;
}

export interface EventLogQuery {
  conversation_id: string | null;
  event_types: string[] | null;
  before_cursor: string | null;
  limit: number;
}

export interface SteeringPull {
  limit: number;
  lease_seconds: number;
  /** Items to confirm first; null: none, and no `ack` in the answer. */
  ack: string[] | null;
}

export interface StateKey {
  scope: (typeof stateScopes)[number];
  /** Already mapped: `conversation_id` means `external.conversation_id`. */
  key: string;
}

export interface StateToSet extends StateKey {
  value: unknown;
  /** Canonical size of the value. */
  bytes: number;
  if_version: number | null;
}

export interface StateListQuery {
  scope: (typeof stateScopes)[number];
  prefix: string | null;
  after_key: string | null;
  limit: number;
}

export interface InteractionQuery {
  statuses: string[] | null;
  conversation_id: string | null;
  before_cursor: string | null;
  limit: number;
}

export interface InteractionAnswer {
  interaction_id: string;
  submission: {
    action_id: string | null;
    values: Record<string, unknown>;
    actor_id: string | null;
  };
  /** SHA-256 over the canonical submission, hex. */
  fingerprint: string;
}
