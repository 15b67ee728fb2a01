// Gives a claimed run back to its queue, or to its end where it may not be claimed again. Only the
// holder of the active claim can.

import { z } from "zod";
import { claim } from "../../contract/access.js";
import { run } from "../../contract/records.js";
import { id, optional, time, withDefault } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { requiredClaimShape } from "../claim_params.js";
import { readReason, reasonShape, requireOneReason } from "../target_params.js";

export const runReleaseClaim = defineAction({
  name: "run_release_claim",
  summary: "Give a claimed run back to its queue.",
  params: z
    .strictObject({
      run_id: optional(id),
      target_run_id: id,
      ...requiredClaimShape,
      status: withDefault(z.literal("queued"), "queued"),
      ...reasonShape,
      not_before: optional(time),
      refund_attempt: withDefault(z.boolean(), false),
    })
    .superRefine(requireOneReason),
  result: run,
  access: claim({ capability: "run_release_claim" }),
  errors: ["LEASE_LOST", "CONFLICT"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.claims.release(grant, {
      status_reason: readReason(params),
      not_before: params.not_before ?? null,
      refund_attempt: params.refund_attempt,
    });
  },
});
