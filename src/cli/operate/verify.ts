// `runhost verify`: judges the promises of the ledger from the database and from journals of
// clients, and shows what breaks them. Changes nothing. Exit code 1 on a breach.

import { accessSync, constants } from "node:fs";
import { readConfig } from "../../config.js";
import { Refusal } from "../../contract/errors.js";
import { openOfflineDatabase } from "../../offline_ledger.js";
import type { Finding } from "../../verify/finding.js";
import { JournalError } from "../../verify/journal.js";
import { verifyLedger } from "../../verify/verify.js";
import { createProgress } from "../terminal/progress.js";
import { drawTable, Failure, printResult, UsageError, type Invocation } from "../output.js";
import { refuseWithoutDatabase, withDatabaseUrl } from "./own_database.js";

export interface VerifyOptions {
  journal?: string[];
  rows?: string;
}

const rows_max = 1000;

export async function verifyDatabase(
  invocation: Invocation,
  options: VerifyOptions,
): Promise<void> {
  const config = readConfig(invocation.environment);
  const progress = createProgress();
  const verification = {
    files: readFiles(options.journal ?? []),
    rows_max: readRows(options.rows ?? "10"),
    progress: (done: string) => progress.show(done.slice(0, 78)),
  };
  await refuseWithoutDatabase(config, "name its database in DATABASE_URL");
  const findings = await withDatabaseUrl(config, async (url) => {
    const database = await openOfflineDatabase(config, url);
    try {
      return await verifyLedger(database, verification);
    } catch (thrown) {
      if (thrown instanceof JournalError) throw new UsageError(`--journal: ${thrown.message}`);
      if (thrown instanceof Refusal) throw new Failure(`DATABASE_URL: ${thrown.message}`);
      throw thrown;
    } finally {
      progress.wipe();
      await database.close();
    }
  });
  const broken = findings.filter(({ breaches }) => breaches > 0);
  const result = { ok: broken.length === 0, findings };
  if (result.ok) return printResult(invocation, result, describe(findings));
  if (!invocation.options.json) printResult(invocation, result, describe(findings));
  const names = broken.map(({ invariant }) => invariant).join(", ");
  throw new Failure(`broken: ${names}`, { findings });
}

function readFiles(files: readonly string[]): readonly string[] {
  for (const file of files) {
    try {
      accessSync(file, constants.R_OK);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new UsageError(`--journal: ${file} cannot be read (${code})`);
    }
  }
  return files;
}

function readRows(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= rows_max) return Number(text);
  throw new UsageError(`--rows: must be a whole number from 1 to ${rows_max}`);
}

function describe(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ invariant, promise, checked, breaches }) =>
    [breaches === 0 ? "ok" : "BROKEN", invariant, String(checked), String(breaches), promise]);
  const table = drawTable([["VERDICT", "", "CHECKED", "BREACHES", "PROMISE"], ...rows]);
  const details = findings.flatMap(({ invariant, found }) =>
    found.flatMap(({ breach, count, rows: offending }) => [
      "", `${invariant}: ${breach} (${count})`,
      ...offending.map((row) => `  ${JSON.stringify(row)}`),
      ...(count > offending.length ? [`  … and ${count - offending.length} more`] : []),
    ]));
  return [...table, ...details];
}
