// Reads one run: through the caller's own run, as an administrator, or as its creator.

import { z } from "zod";
import { read } from "../../contract/access.js";
import { run, runDetail } from "../../contract/records.js";
import { withDefault } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireTarget, targetShape } from "../target_params.js";

export const runGet = defineAction({
  name: "run_get",
  summary: "Read a run, with include_input also its event, input, binding and delivery.",
  params: z
    .strictObject({ ...targetShape, include_input: withDefault(z.boolean(), false) })
    .superRefine(requireTarget),
  result: z.union([runDetail, run]),
  access: read({
    run: { capability: "run_get", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "required",
  }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return params.include_input ? ledger.runs.getDetail(grant) : ledger.runs.get(grant);
  },
});
