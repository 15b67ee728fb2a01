// Access sheet: what a run asks for while it works, by method. The cells are read from the contract
// (actions.md §3.2, 3.4–3.6, M.2, M.3, M.7–M.10), never recorded from a host.

import { eventRows } from "./sheet_context_events.js";
import { interactionRows } from "./sheet_context_interactions.js";
import { sessionRows } from "./sheet_context_session.js";
import { stateRows } from "./sheet_context_state.js";
import type { Row } from "./sheet.js";

/** Pinned beside the methods of the other sheets. */
export const contextMethods = [
  "event_publish", "run_subscribe", "run_unsubscribe", "history_page", "history_search",
  "event_get", "event_page", "steering_pull", "steering_ack", "prompt_get", "state_get",
  "state_set", "state_delete", "state_list", "interaction_list", "interaction_get",
  "interaction_submit", "interaction_cancel",
];

export const contextRows: readonly Row[] = [
  ...sessionRows, ...stateRows, ...interactionRows, ...eventRows,
];
