// Claims: taking runs, keeping them, giving them back.

import type { ActionHost } from "../action.js";
import { runClaim } from "./run_claim.js";
import { runReleaseClaim } from "./run_release_claim.js";
import { runRenewClaim } from "./run_renew_claim.js";

export function register(h: ActionHost): void {
  h.action(runClaim);
  h.action(runRenewClaim);
  h.action(runReleaseClaim);
}
