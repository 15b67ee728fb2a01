// Takes a pending interaction back; the run hears of it as steering. One that was cancelled before
// is answered. For administrators and the creator of the run.

import { z } from "zod";
import { interaction } from "../../contract/context_records.js";
import { id } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { readReason, reasonShape, requireOneReason } from "../target_params.js";
import { answers } from "./interaction_access.js";

export const interactionCancel = defineAction({
  name: "interaction_cancel",
  summary: "Take back a pending interaction of a run.",
  params: z
    .strictObject({ target_run_id: id, interaction_id: id, ...reasonShape })
    .superRefine(requireOneReason),
  result: interaction,
  access: answers,
  errors: ["NOT_FOUND", "CONFLICT"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.interactions.cancel(grant, {
      interaction_id: params.interaction_id,
      status_reason: readReason(params),
    });
  },
});
