// Hands the messages and answers that came in to the executor of the run, and leases them: what is
// not confirmed comes again when its lease is over. A shown claim has to be active.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { pulledSteering } from "../../contract/context_records.js";
import { limits } from "../../contract/limits.js";
import { clamped, id, optional, pageLimit, withDefault } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { requireWholeClaim, shownClaimShape } from "../claim_params.js";
import { steeringIds } from "./steering_ids.js";

const lease = limits.steering_lease_seconds;

const mode = z
  .string()
  .meta({ description: "all or one; one-at-a-time and one_at_a_time mean one; in any case" })
  .transform((sent) => sent.toLowerCase().replace(/^one([-_])at\1a\1time$/, "one"))
  .pipe(z.enum(["all", "one"]));

export const steeringPull = defineAction({
  name: "steering_pull",
  summary: "Take what came in for a run that the caller executes, and lease it.",
  params: z
    .strictObject({
      run_id: id,
      mode: withDefault(mode, "all"),
      limit: pageLimit(limits.steering_items, limits.steering_items),
      lease_seconds: withDefault(clamped(lease.min, lease.max), lease.default),
      ack: optional(steeringIds),
      ...shownClaimShape,
    })
    .superRefine(requireWholeClaim),
  result: pulledSteering,
  access: session({ run: { capability: "steering_pull", mode: "live" }, fenced: true }),
  errors: ["LEASE_LOST"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.steering.pull(grant, {
      limit: params.mode === "one" ? 1 : params.limit,
      lease_seconds: params.lease_seconds,
      ack: params.ack ?? null,
    });
  },
});
