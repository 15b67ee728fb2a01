// Ends a run. A repeat with the same status is answered, another status is refused. Administrators
// may end a run that nobody executes, and with force any run.

import { z } from "zod";
import { write } from "../../contract/access.js";
import { limitFields } from "../../contract/canonical.js";
import { run } from "../../contract/records.js";
import {
  openObject, optional, terminalStatuses, whenSound, withDefault,
} from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { refuseForceWithClaim, requireWholeClaim, shownClaimShape } from "../claim_params.js";
import {
  readReason, reasonShape, requireOneReason, requireTarget, targetShape,
} from "../target_params.js";

export const runFinalize = defineAction({
  name: "run_finalize",
  summary: "End a run with a status.",
  params: z
    .strictObject({
      ...targetShape,
      status: z.enum(terminalStatuses),
      ...reasonShape,
      usage: optional(openObject),
      cost: optional(openObject),
      metadata: optional(openObject),
      ...shownClaimShape,
      force: withDefault(z.boolean(), false),
    })
    .superRefine(requireTarget)
    .superRefine(requireOneReason)
    .superRefine(requireWholeClaim)
    .superRefine(refuseForceWithClaim)
    .transform(whenSound((params) => limitFields(params, ["usage", "cost", "metadata"]))),
  result: run,
  access: write({ capability: "run_finalize", admin: "agent_run:admin" }),
  errors: ["CONFLICT", "LEASE_LOST", "SESSION_EXPIRED", "PAYLOAD_TOO_LARGE"],
  writesTo: namedTarget,
  list: "runs",
  async handle({ params, grant, ledger }) {
    return ledger.runs.finalize(grant, {
      status: params.status,
      status_reason: readReason(params),
      usage: params.usage ?? null,
      cost: params.cost ?? null,
      metadata: params.metadata ?? null,
    });
  },
});
