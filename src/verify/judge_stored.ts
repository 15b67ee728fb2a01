// Judges what the rows say by themselves: the claims of sql/invariants, and that the content of
// each event still has the fingerprint under which it was accepted (I4).

import type { Database } from "../sql/database.js";
import { countRows, findBreaches, storedClaims } from "../sql/invariants.js";
import { readContentAfter, type ContentKey, type StoredContent } from "../sql/stored_content.js";
import { measureContent } from "./acknowledged.js";
import type { Findings } from "./finding.js";

const page_rows = 2000;

export interface Progress {
  (done: string): void;
}

export async function judgeStored(
  database: Database,
  { findings, rows_max, progress }: { findings: Findings; rows_max: number; progress: Progress },
): Promise<void> {
  for (const claim of storedClaims) {
    progress(`${claim.invariant}: ${claim.breach}?`);
    const [counted] = await database.query("count_rows", (sql) => countRows(sql, claim.among));
    const [found] = await database.query("find_breaches", (sql) =>
      findBreaches(sql, claim, rows_max));
    findings.check(claim.invariant, counted!.rows);
    const { breaches, rows } = found!;
    findings.reportAll(claim.invariant, claim.breach, { count: breaches, rows });
  }
  await judgeContents(database, findings, progress);
}

async function judgeContents(
  database: Database,
  findings: Findings,
  progress: Progress,
): Promise<void> {
  let after: ContentKey = { tenant_id: "", run_id: "", sequence: 0 };
  for (let seen = 0; ; ) {
    const page = await database.query("content_page", (sql) =>
      readContentAfter(sql, after, page_rows));
    for (const event of page) judgeContent(event, findings);
    const last = page.at(-1);
    if (!last) return;
    seen += page.length;
    progress(`I4: ${seen} contents compared`);
    after = last;
  }
}

function judgeContent(event: StoredContent, findings: Findings): void {
  findings.check("I4");
  const { tenant_id, run_id, sequence } = event;
  if (hasFingerprint(event)) return;
  findings.report("I4", "the stored content is not the one that was accepted",
    { tenant_id, run_id, sequence });
}

/** An absent `metadata` is stored as {}, and was not part of what was measured. */
export function hasFingerprint({ fingerprint, ...event }: StoredContent): boolean {
  if (measureContent(event) === fingerprint) return true;
  const isEmpty = Object.keys(event.metadata).length === 0;
  return isEmpty && measureContent({ ...event, metadata: null }) === fingerprint;
}
