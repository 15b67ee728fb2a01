// Ends a run that nobody executes, and asks the executor of a live one to end it. It always
// succeeds for an admitted caller; only the first request counts, and an ended run stays as it is.

import { z } from "zod";
import { cancel } from "../../contract/access.js";
import { run } from "../../contract/records.js";
import { defineAction, namedTarget } from "../action.js";
import {
  readReason, reasonShape, requireOneReason, requireTarget, targetShape,
} from "../target_params.js";

export const runCancel = defineAction({
  name: "run_cancel",
  summary: "Cancel a run, or ask its executor to.",
  params: z
    .strictObject({ ...targetShape, ...reasonShape })
    .superRefine(requireTarget)
    .superRefine(requireOneReason),
  result: run,
  access: cancel({
    run: { capability: "run_cancel", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
  }),
  errors: [],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.runs.cancel(grant, { status_reason: readReason(params) });
  },
});
