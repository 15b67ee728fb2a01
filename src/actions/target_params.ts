// The params by which calls name runs: the caller's own run, and the run that is acted upon.

import type { z } from "zod";
import { id, optional, text } from "../contract/scalars.js";

export const targetShape = {
  run_id: optional(id),
  target_run_id: optional(id),
};

/** target_run_id defaults to run_id; one of them names the run that is acted upon. */
export function requireTarget(
  params: { run_id?: string | undefined; target_run_id?: string | undefined },
  context: z.core.$RefinementCtx,
): void {
  if (params.target_run_id !== undefined || params.run_id !== undefined) return;
  const message = "is required where run_id is not given";
  context.addIssue({ code: "custom", path: ["target_run_id"], message });
}

/** Why a status changes, under its two names. */
export const reasonShape = {
  status_reason: optional(text(2000)),
  reason: optional(text(2000)),
};

interface Reasons {
  status_reason?: string | undefined;
  reason?: string | undefined;
}

export function requireOneReason(params: Reasons, context: z.core.$RefinementCtx): void {
  const { status_reason, reason } = params;
  if (status_reason === undefined || reason === undefined || status_reason === reason) return;
  const message = "is an alias of status_reason and differs from it";
  context.addIssue({ code: "custom", path: ["reason"], message });
}

export const readReason = (params: Reasons): string | null =>
  params.status_reason ?? params.reason ?? null;
