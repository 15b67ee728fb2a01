// Reads one interaction of a run. An unknown one is told only to a caller that may read the run.

import { z } from "zod";
import { interaction } from "../../contract/context_records.js";
import { id } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireTarget, targetShape } from "../target_params.js";
import { readsOne } from "./interaction_access.js";

export const interactionGet = defineAction({
  name: "interaction_get",
  summary: "Read one interaction of a run.",
  params: z.strictObject({ ...targetShape, interaction_id: id }).superRefine(requireTarget),
  result: interaction,
  access: readsOne,
  errors: ["NOT_FOUND"],
  async handle({ params, grant, ledger }) {
    return ledger.interactions.get(grant, { interaction_id: params.interaction_id });
  },
});
