// Sweeps the caller's tenant now: stale runtimes, deadlines, leases, interactions, steering leases.
// The sweep is the same whatever the caller may see; a limited permission sees its workspaces' runs
// only.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { limits } from "../../contract/limits.js";
import { optional } from "../../contract/scalars.js";
import { sweepReport } from "../../contract/statistics.js";
import { defineAction } from "../action.js";

const max = limits.stale_after_seconds_max;

const staleAfter = z
  .number()
  .meta({ description: `seconds, fractions allowed, moved to the nearest of 0 and ${max}` })
  .overwrite((value) => Math.min(max, Math.max(0, value)));

export const runtimeReconcile = defineAction({
  name: "runtime_reconcile",
  summary: "Sweep what time made due: heartbeats, deadlines, leases, expiries.",
  params: z.strictObject({ stale_after_seconds: optional(staleAfter) }),
  result: sweepReport,
  access: permission("runtime:admin"),
  errors: [],
  async handle({ params, grant, ledger }) {
    const stale_after_seconds = params.stale_after_seconds ?? null;
    return ledger.sweeps.reconcile(grant, { stale_after_seconds });
  },
});
