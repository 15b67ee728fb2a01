// Judges the invariants I1 to I4, I6 and I8 of a ledger, from its rows and from the journals of
// clients. Reads only. While hosts write, an answer may be judged against a newer state: what was
// acknowledged before this began is judged exactly.

import type { Database } from "../sql/database.js";
import { createAcknowledged, takeCall, takeRead, type Acknowledged } from "./acknowledged.js";
import { Findings, type Finding } from "./finding.js";
import { readJournal } from "./journal.js";
import { judgeJournals } from "./judge_journals.js";
import { judgeStored, type Progress } from "./judge_stored.js";

export interface Verification {
  files: readonly string[];
  /** Offending rows kept of each kind of breach. */
  rows_max: number;
  progress: Progress;
}

export async function verifyLedger(
  database: Database,
  { files, rows_max, progress }: Verification,
): Promise<Finding[]> {
  const findings = new Findings(rows_max);
  // The journals first: what they hold was acknowledged before the rows are read.
  const tenants = new Map<string, Acknowledged>();
  for (const file of files) {
    progress(`reading ${file}`);
    for await (const line of readJournal(file)) {
      const facts = tenants.get(line.tenant_id) ?? createAcknowledged();
      tenants.set(line.tenant_id, facts);
      if (line.kind === "call") takeCall(facts, line, findings);
      else takeRead(facts, line);
    }
  }
  await judgeStored(database, { findings, rows_max, progress });
  for (const [tenant_id, facts] of tenants) {
    progress(`comparing the journals of tenant ${tenant_id}`);
    await judgeJournals({ database, findings, tenant_id, facts });
  }
  return findings.list();
}
