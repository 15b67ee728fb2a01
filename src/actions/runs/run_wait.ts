// Waits until a run has ended, whichever host ends it. Whoever may read the run may wait for it.

import { z } from "zod";
import { read } from "../../contract/access.js";
import { limits } from "../../contract/limits.js";
import { run } from "../../contract/records.js";
import { clamped, withDefault } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireTarget, targetShape } from "../target_params.js";

const seconds = limits.completion_wait_seconds;

export const runWait = defineAction({
  name: "run_wait",
  summary: "Wait until a run has ended.",
  params: z
    .strictObject({
      ...targetShape,
      wait_seconds: withDefault(clamped(seconds.min, seconds.max), seconds.default),
    })
    .superRefine(requireTarget),
  result: run,
  access: read({
    run: { capability: "run_get", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "required",
  }),
  errors: ["DEADLINE_EXCEEDED"],
  async handle({ params, grant, ledger, signal }) {
    return ledger.runs.wait(grant, { wait_seconds: params.wait_seconds, signal });
  },
});
