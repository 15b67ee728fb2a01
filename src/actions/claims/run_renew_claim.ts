// Extends the lease of an active claim, counted from now. Only its holder can; nothing stands in
// for the proof of the claim.

import { z } from "zod";
import { claim } from "../../contract/access.js";
import { limits } from "../../contract/limits.js";
import { renewedRun } from "../../contract/records.js";
import { clamped, id, optional, withDefault } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { requiredClaimShape } from "../claim_params.js";

const { lease_seconds } = limits;

export const runRenewClaim = defineAction({
  name: "run_renew_claim",
  summary: "Extend the lease of a claimed run.",
  params: z.strictObject({
    run_id: optional(id),
    target_run_id: id,
    ...requiredClaimShape,
    lease_seconds: withDefault(
      clamped(lease_seconds.min, lease_seconds.max),
      lease_seconds.default,
    ),
  }),
  result: renewedRun,
  access: claim({ capability: "run_renew_claim" }),
  errors: ["LEASE_LOST"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.claims.renew(grant, { lease_seconds: params.lease_seconds });
  },
});
