// The sweep over what time alone made due, step by step, and retention. Each step is one statement
// over a bounded number of rows and repeats while it finds a full step, a bounded number of times.

import type { Grant } from "../../contract/grants.js";
import { limits } from "../../contract/limits.js";
import type { Run, Runtime } from "../../contract/records.js";
import type { SweepReport } from "../../contract/statistics.js";
import type { LedgerFunction, Outcome } from "../../sql/ledger_function.js";
import type { Ledger, PurgeCount } from "../ledger.js";
import { type LedgerParts, tellSteering } from "../parts.js";

interface Step {
  parts: LedgerParts;
  grant: Grant<"permission">;
  name: LedgerFunction;
  input?: object;
  hear(outcome: Outcome): void;
}

export function createSweeps(parts: LedgerParts): Ledger["sweeps"] {
  return {
    reconcile: (grant, wanted) => reconcile(parts, grant, wanted),
    async purge(grant, wanted) {
      let runs = 0;
      const hear = (outcome: Outcome) => {
        runs += Number(outcome["runs"]);
      };
      const more = await repeatStep({ parts, grant, name: "sweep_retention", input: wanted, hear });
      return { runs, more };
    },
    async countPurge(grant, wanted) {
      const counted = await parts.operate("count_retention", { grant, input: wanted });
      return counted as unknown as PurgeCount;
    },
  };
}

/** True when the last round was still full. */
async function repeatStep({ parts, grant, name, input, hear }: Step): Promise<boolean> {
  const limit = limits.sweep_rows;
  for (let round = 0; round < limits.sweep_rounds; round += 1) {
    const outcome = await parts.operate(name, { grant, input: { ...input, limit } });
    tell(parts, grant.tenant_id, outcome);
    hear(outcome);
    if (Number(outcome["done"]) < limit) return false;
  }
  return true;
}

function tell({ told }: LedgerParts, tenant_id: string, outcome: Outcome): void {
  for (const run_id of (outcome["ended_run_ids"] as string[] | undefined) ?? []) {
    told.runEnded({ tenant_id, run_id });
  }
  if (outcome["queued"] === true) told.runClaimable(tenant_id);
  tellSteering(told, tenant_id, outcome["steering"]);
}

async function reconcile(
  parts: LedgerParts,
  grant: Grant<"permission">,
  wanted: { stale_after_seconds: number | null },
): Promise<SweepReport> {
  const counts = new Map<string, number>();
  const add = (name: string, count: unknown) =>
    void counts.set(name, (counts.get(name) ?? 0) + Number(count ?? 0));
  const stale_runtimes: Runtime[] = [];
  const released_claims: Run[] = [];
  const addEnds = ({ counts: ended }: Outcome) => {
    const found = ended as Record<string, number>;
    for (const status of ["queued", "failed", "timeout", "cancelled"]) add(status, found[status]);
  };
  const more = [
    await repeatStep({
      parts, grant, name: "sweep_runtimes", input: wanted,
      hear(outcome) {
        add("stale", outcome["done"]);
        stale_runtimes.push(...(outcome["stale_runtimes"] as Runtime[]));
      },
    }),
    await repeatStep({ parts, grant, name: "sweep_deadlines", hear: addEnds }),
    await repeatStep({
      parts, grant, name: "sweep_leases",
      hear(outcome) {
        addEnds(outcome);
        released_claims.push(...(outcome["released_claims"] as Run[]));
      },
    }),
    await repeatStep({
      parts, grant, name: "sweep_interactions",
      hear: ({ counts: found }) => add("interactions", (found as { expired: number }).expired),
    }),
    await repeatStep({
      parts, grant, name: "sweep_steering",
      hear: ({ counts: found }) => add("steering", (found as { expired: number }).expired),
    }),
  ];
  const counted = (name: string) => counts.get(name) ?? 0;
  return {
    stale_count: counted("stale"),
    released_claim_count: counted("queued"),
    exhausted_count: counted("failed"),
    timeout_count: counted("timeout"),
    cancelled_count: counted("cancelled"),
    expired_interaction_count: counted("interactions"),
    expired_steering_count: counted("steering"),
    stale_runtimes: cutList(stale_runtimes),
    released_claims: cutList(released_claims),
    more: more.includes(true),
  };
}

/** At most 100 items and 1 MiB of JSON, at least one if there is one. */
function cutList<Item>(items: readonly Item[]): Item[] {
  let held = 0;
  const first = items.slice(0, limits.sweep_listed);
  const end = first.findIndex((item, place) => {
    held += Buffer.byteLength(JSON.stringify(item));
    return place > 0 && held > limits.page_bytes;
  });
  return end < 0 ? first : first.slice(0, end);
}
