// Confirms items that the runner has taken in, so that they never come again. Confirming one twice
// succeeds. For the executor of the run; a shown claim has to be active.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { steeringAck as result } from "../../contract/context_records.js";
import { id } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { requireWholeClaim, shownClaimShape } from "../claim_params.js";
import { steeringIds } from "./steering_ids.js";

export const steeringAck = defineAction({
  name: "steering_ack",
  summary: "Confirm what was taken in by a run that the caller executes.",
  params: z
    .strictObject({ run_id: id, steering_ids: steeringIds.min(1), ...shownClaimShape })
    .superRefine(requireWholeClaim),
  result,
  access: session({ run: { capability: "steering_pull", mode: "live" }, fenced: true }),
  errors: ["LEASE_LOST"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.steering.acknowledge(grant, { ids: params.steering_ids });
  },
});
