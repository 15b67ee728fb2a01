// Checkpoints of resumable runners: an event of the run's own ledger holds the value, so that it
// needs no state policy, is stored in order with everything else, and is fenced like it.

import type { RunEvent, RunEventPage } from "../../client/client.js";
import type { EventToEmit } from "./emit_queue.js";

/** What an earlier attempt left, for a runner that is `resumable`. */
export interface Resumed {
  /** The highest sequence that was stored; this attempt's events follow it. */
  last_sequence: number;
  /** The value of the last `ctx.checkpoint`; null where there was none. */
  checkpoint: any;
}

const checkpoint_action = "worker.checkpoint";
const page_limit = 100;

export const checkpointEvent = (value: unknown): EventToEmit => ({
  type: "action.requested",
  data: { action: checkpoint_action, payload: { value: value ?? null } },
});

/** Reads the run's events from the end until it meets a checkpoint. */
export async function readCheckpoint(
  readPage: (params: object) => Promise<RunEventPage>,
): Promise<unknown> {
  let before_cursor: string | null = null;
  do {
    const params: object = { direction: "backward", limit: page_limit, before_cursor };
    const page: RunEventPage = await readPage(params);
    const found = page.items.find(isCheckpoint);
    if (found) return (found.data["payload"] as { value: unknown }).value;
    before_cursor = page.next_cursor;
  } while (before_cursor !== null);
  return null;
}

const isCheckpoint = ({ type, data }: RunEvent): boolean =>
  type === "action.requested" && data["action"] === checkpoint_action;
