// `runhost purge`: removes the runs that ended longer ago than is kept, tenant by tenant in bounded
// steps, as a host's sweep does, or with --dry-run says what would go. Safe beside working hosts.

import { readConfig, type Config } from "../../config.js";
import { Refusal } from "../../contract/errors.js";
import { openOfflineLedger, type OfflineLedger } from "../../offline_ledger.js";
import { drawTable, Failure, printResult, UsageError, type Invocation } from "../output.js";
import { createProgress } from "../terminal/progress.js";
import { refuseWithoutDatabase, withDatabaseUrl } from "./own_database.js";

export interface PurgeOptions {
  dryRun?: boolean;
  days?: string;
  tenant?: string;
}

type Counts = { tenant_id: string; runs: number } & Partial<Record<(typeof kinds)[number], number>>;

interface Wanted {
  retention_days: number;
  dry_run: boolean;
  tenant_id: string | null;
}

const kinds = ["events", "event_log", "transcript", "audit"] as const;
const days_max = 36_500;

export async function purgeRuns(invocation: Invocation, options: PurgeOptions): Promise<void> {
  const config = readConfig(invocation.environment);
  const retention_days = options.days === undefined
    ? config.retention_days
    : readDays(options.days);
  const dry_run = options.dryRun === true;
  const wanted = { retention_days, dry_run, tenant_id: options.tenant ?? null };
  const tenants = retention_days === 0 ? [] : await workOnDatabase(config, wanted);
  const runs = sum(tenants.map((counts) => counts.runs));
  const result = { dry_run, retention_days, runs, tenants };
  printResult(invocation, result, describe(wanted, tenants, runs));
}

function readDays(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= days_max) return Number(text);
  throw new UsageError(`--days: must be a whole number from 0 to ${days_max}`);
}

async function workOnDatabase(config: Config, wanted: Wanted): Promise<Counts[]> {
  const instead = "let it remove what RUNHOST_RETENTION_DAYS does not keep";
  await refuseWithoutDatabase(config, instead);
  return withDatabaseUrl(config, async (url) => {
    const removed: Counts[] = [];
    try {
      await workOnLedger(await openOfflineLedger(config, url), wanted, removed);
      return removed;
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      const already = wanted.dry_run ? {} : { removed };
      throw new Failure(`DATABASE_URL: ${thrown.message}`, already);
    }
  });
}

/** Fills `done` as it goes, so that what was removed before a failure is known. */
async function workOnLedger(opened: OfflineLedger, wanted: Wanted, done: Counts[]): Promise<void> {
  const progress = createProgress();
  try {
    for (const tenant_id of await chooseTenants(opened, wanted.tenant_id)) {
      const grant = opened.grantOf(tenant_id);
      const { retention_days } = wanted;
      if (wanted.dry_run) {
        const counted = await opened.ledger.sweeps.countPurge(grant, { retention_days });
        done.push({ tenant_id, ...counted });
        continue;
      }
      const counts = { tenant_id, runs: 0 };
      done.push(counts);
      for (let more = true; more;) {
        const purged = await opened.ledger.sweeps.purge(grant, { retention_days });
        counts.runs += purged.runs;
        progress.show(`${tenant_id}: ${counts.runs} runs removed`);
        more = purged.more;
      }
    }
  } finally {
    progress.wipe();
    await opened.close();
  }
}

async function chooseTenants(
  { tenants }: OfflineLedger,
  named: string | null,
): Promise<readonly string[]> {
  const known = await tenants();
  if (named === null) return known;
  if (!known.includes(named)) throw new Failure(`--tenant: there is no tenant ${named}`);
  return [named];
}

function describe(wanted: Wanted, tenants: readonly Counts[], runs: number): string[] {
  const { retention_days, dry_run } = wanted;
  if (retention_days === 0) return ["0 days keep everything: nothing is removed."];
  const concerned = tenants.filter((counts) =>
    counts.runs + sum(kinds.map((kind) => counts[kind] ?? 0)) > 0);
  const shown = dry_run ? kinds : [];
  const head = ["TENANT", "RUNS", ...shown.map((kind) => kind.toUpperCase().replace("_", " "))];
  const rows = concerned.map((counts) =>
    [counts.tenant_id, ...[counts.runs, ...shown.map((kind) => counts[kind] ?? 0)].map(String)]);
  const table = rows.length === 0 ? [] : drawTable([head, ...rows]);
  const counted = `${runs} ${runs === 1 ? "run" : "runs"}`;
  const what = `${counted} that ended more than ${retention_days} days ago`;
  const summary = dry_run ? `Would remove ${what}; nothing was removed.` : `Removed ${what}.`;
  return [...table, summary];
}

const sum = (counts: readonly number[]): number =>
  counts.reduce((total, count) => total + count, 0);
