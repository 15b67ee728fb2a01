// The params by which a caller shows its claim on a run. They come whole or not at all, and once
// they are given they alone decide: force and a shown claim exclude each other.

import type { z } from "zod";
import { id, integer, optional, text } from "../contract/scalars.js";

const claimEpoch = optional(integer(0, Number.MAX_SAFE_INTEGER));

/** Calls that may show a claim. */
export const shownClaimShape = {
  runtime_id: optional(id),
  claim_token: optional(text(64)),
  claim_epoch: claimEpoch,
};

/** Calls that rest on a claim. */
export const requiredClaimShape = {
  runtime_id: id,
  claim_token: text(64),
  claim_epoch: claimEpoch,
};

interface ShownClaim {
  runtime_id?: string | undefined;
  claim_token?: string | undefined;
  claim_epoch?: number | undefined;
}

export function requireWholeClaim(params: ShownClaim, context: z.core.$RefinementCtx): void {
  const { runtime_id, claim_token, claim_epoch } = params;
  if (runtime_id === undefined && claim_token === undefined && claim_epoch === undefined) return;
  const missing = [
    ...(runtime_id === undefined ? ["runtime_id"] : []),
    ...(claim_token === undefined ? ["claim_token"] : []),
  ];
  for (const name of missing) {
    const message = "is required with the other claim params";
    context.addIssue({ code: "custom", path: [name], message });
  }
}

export function refuseForceWithClaim(
  params: ShownClaim & { force: boolean },
  context: z.core.$RefinementCtx,
): void {
  const shown = params.runtime_id ?? params.claim_token ?? params.claim_epoch;
  if (!params.force || shown === undefined) return;
  context.addIssue({ code: "custom", path: ["force"], message: "excludes claim params" });
}
