// The background sweep. One host of the fleet at a time has the duty, by a lease in the database
// that the next host takes over when it runs out; each tenant with due work is swept in turn. Two
// sweeps at once are harmless, none for a while is too: every method judges leases and deadlines by
// the clock.

import type { Grant } from "../contract/grants.js";
import type { CreatedLedger } from "../ledger/create.js";

export interface ReconcilerParts {
  ledger: CreatedLedger["ledger"];
  duty: CreatedLedger["duty"];
  /** The grant under which the host sweeps a tenant. */
  grantOf(tenant_id: string): Grant<"permission">;
  /** Names this host among those of the fleet. */
  holder: string;
  /** 0: never. */
  reconcile_seconds: number;
  /** 0: everything is kept. */
  retention_days: number;
  onFailure(cause: unknown): void;
  /** Told after each sweep of a tenant. */
  onSwept?(report: SweptTenant): void;
}

export interface SweptTenant {
  tenant_id: string;
  report: Awaited<ReturnType<CreatedLedger["ledger"]["sweeps"]["reconcile"]>>;
  purged_runs: number;
}

/** The period varies by up to 20 %, so that hosts which started together do not stay together. */
const jitter = 0.2;

export function startReconciler(parts: ReconcilerParts): { stop(): Promise<void> } {
  if (parts.reconcile_seconds === 0) return { stop: async () => undefined };
  let stopped = false;
  let timer: NodeJS.Timeout;
  let under_way: Promise<void> = Promise.resolve();
  const plan = (): void => {
    const varied = 1 + jitter * (2 * Math.random() - 1);
    timer = setTimeout(() => {
      under_way = sweepIfOnDuty(parts, () => stopped).catch(parts.onFailure).then(() => {
        if (!stopped) plan();
      });
    }, parts.reconcile_seconds * 1000 * varied);
  };
  plan();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await under_way;
    },
  };
}

async function sweepIfOnDuty(parts: ReconcilerParts, isStopped: () => boolean): Promise<void> {
  const { ledger, duty, holder, reconcile_seconds, retention_days } = parts;
  // Longer than the longest period: who sweeps keeps the duty, who died loses it within two.
  const seconds = reconcile_seconds * 1.5 + 1;
  if (!(await duty.take({ duty: "reconcile", holder, seconds }))) return;
  for (const tenant_id of await duty.tenantsWithDueWork(retention_days)) {
    if (isStopped()) return;
    const grant = parts.grantOf(tenant_id);
    const report = await ledger.sweeps.reconcile(grant, { stale_after_seconds: null });
    const purged = retention_days > 0
      ? await ledger.sweeps.purge(grant, { retention_days })
      : { runs: 0 };
    parts.onSwept?.({ tenant_id, report, purged_runs: purged.runs });
    if (!(await duty.take({ duty: "reconcile", holder, seconds }))) return;
  }
}
