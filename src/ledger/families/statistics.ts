// Statistics over runs, runners and runtimes, and the audit: what an operator reads.

import type { AuditPage } from "../../contract/records.js";
import type { RunnerStats, RunStats, RuntimeStats } from "../../contract/statistics.js";
import { listAudit } from "../../sql/audit_page.js";
import { pageBy } from "../answers.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";

export function createStatistics({ operate }: LedgerParts): Ledger["statistics"] {
  return {
    async ofRuns(grant, query) {
      return (await operate("run_stats", { grant, input: query }))["stats"] as RunStats;
    },
    async ofRunners(grant, query) {
      const { items, total_count } = await operate("runner_stats", { grant, input: query });
      const listed = items as RunnerStats["items"];
      const total = Number(total_count);
      return { items: listed, total_count: total, has_more: total > listed.length };
    },
    async ofRuntimes(grant) {
      return (await operate("runtime_stats", { grant, input: {} })) as unknown as RuntimeStats;
    },
  };
}

export function createAudit({ database }: LedgerParts): Ledger["audit"] {
  return {
    async page(grant, query) {
      const [row] = await database.query("audit_page", (sql) => listAudit(sql, { grant, query }));
      if (!row) throw new Error("audit_page answered no row");
      return pageBy(row.page, (item) => String(item["id"])) as AuditPage;
    },
  };
}
