// Runs: making, reading, ending them, and the events of their ledger.

import type { ActionHost } from "../action.js";
import { runAppendResult } from "./run_append_result.js";
import { runCancel } from "./run_cancel.js";
import { runCreate } from "./run_create.js";
import { runEmitResult } from "./run_emit_result.js";
import { runEventsPage } from "./run_events_page.js";
import { runExplain } from "./run_explain.js";
import { runFinalize } from "./run_finalize.js";
import { runGet } from "./run_get.js";
import { runList } from "./run_list.js";
import { runRetry } from "./run_retry.js";
import { runWait } from "./run_wait.js";

export function register(h: ActionHost): void {
  h.action(runCreate);
  h.action(runGet);
  h.action(runExplain);
  h.action(runList);
  h.action(runEventsPage);
  h.action(runCancel);
  h.action(runWait);
  h.action(runRetry);
  h.action(runAppendResult);
  h.action(runEmitResult);
  h.action(runFinalize);
}
