// Takes work: runs of the caller's own plugin, of its run's scope, or any run for an administrator
// of runtimes, highest priority first. Waits up to wait_seconds when there is none.

import { z } from "zod";
import { fleet } from "../../contract/access.js";
import { Refusal } from "../../contract/errors.js";
import type { GrantFacts } from "../../contract/grants.js";
import { limits } from "../../contract/limits.js";
import { workItem } from "../../contract/records.js";
import {
  clamped, filterList, id, optional, ownerOfRunner, runnerId, withDefault,
} from "../../contract/scalars.js";
import { defineAction } from "../action.js";

const { lease_seconds, claim_runs, claim_wait_seconds } = limits;

export const runClaim = defineAction({
  name: "run_claim",
  summary: "Claim the next run, or with max_runs several, for a runtime.",
  params: z.strictObject({
    run_id: optional(id),
    runtime_id: id,
    queue_name: optional(id),
    runner_ids: optional(filterList(runnerId)),
    lease_seconds: withDefault(
      clamped(lease_seconds.min, lease_seconds.max),
      lease_seconds.default,
    ),
    max_runs: optional(clamped(claim_runs.min, claim_runs.max)),
    wait_seconds: withDefault(
      clamped(claim_wait_seconds.min, claim_wait_seconds.max),
      claim_wait_seconds.default,
    ),
  }),
  result: z.union([workItem, z.object({ runs: z.array(workItem) }).meta({ id: "WorkItems" })]),
  access: fleet({ run: { capability: "run_claim", mode: "live" }, admin: "runtime:admin" }),
  errors: ["FORBIDDEN", "NOT_FOUND", "CONFLICT", "NO_RUN_AVAILABLE"],
  async handle({ params, grant, ledger, signal, connection }) {
    requireOwnRunners(grant, params);
    const runs = await ledger.claims.take(grant, {
      runtime_id: params.runtime_id,
      queue_name: params.queue_name ?? null,
      runner_ids: params.runner_ids ?? null,
      lease_seconds: params.lease_seconds,
      max_runs: params.max_runs ?? 1,
      wait_seconds: params.wait_seconds,
      signal,
    });
    for (const { run_id, claim_epoch } of runs) {
      connection.noteClaim({ tenant_id: grant.tenant_id, run_id, claim_epoch });
    }
    if (params.max_runs !== undefined) return { runs };
    const [first] = runs;
    if (first === undefined) throw new Error("claims.take answered with no run");
    return first;
  },
});

/** Without a run_id and without the permission a caller takes its own plugin's runs only. */
function requireOwnRunners(
  grant: GrantFacts,
  params: { run_id?: string | undefined; runner_ids?: string[] | undefined },
): void {
  if (params.run_id !== undefined || grant.admin !== null) return;
  const isOwn = (runner: string) => ownerOfRunner(runner) === grant.caller;
  if ((params.runner_ids ?? []).every(isOwn)) return;
  throw new Refusal("FORBIDDEN", { reason: "out_of_scope" });
}
