// Runs: creating, reading, listing, cancelling, ending and waiting for their end.

import type { Grant, GrantFacts } from "../../contract/grants.js";
import { Refusal } from "../../contract/errors.js";
import type { Run, RunDetail, RunPage } from "../../contract/records.js";
import type { ExplainedRun } from "../../contract/statistics.js";
import { terminalStatuses } from "../../contract/scalars.js";
import { listRuns } from "../../sql/run_list.js";
import { limits } from "../../contract/limits.js";
import { pageBy, refuseIf } from "../answers.js";
import { makeId } from "../identifiers.js";
import type { Ledger } from "../ledger.js";
import { type LedgerParts, tellAftermath } from "../parts.js";
import { type MadeRun, nameRun, recordNewRun } from "../new_run.js";
import type { RunListQuery } from "../requests.js";

export function createRuns(parts: LedgerParts): Ledger["runs"] {
  const { operate, told } = parts;

  async function get(grant: Grant<"read">): Promise<Run> {
    return (await operate("run_get", { grant, input: {} }))["run"] as Run;
  }

  return {
    get,
    async getDetail(grant) {
      const found = await operate("run_get", { grant, input: { include_input: true } });
      return found["run"] as RunDetail;
    },
    async create(grant, run) {
      const input = nameRun(run);
      const { made, run: repeated } = await operate("run_create", { grant, input });
      const created = made === undefined
        ? (repeated as Run)
        : recordNewRun(grant.caller, input, made as MadeRun);
      if (created.status === "queued") told.runClaimable(grant.tenant_id);
      return created;
    },
    async explain(grant) {
      const fleet = parts.config_claimers(grant.tenant_id);
      return (await operate("run_explain", { grant, input: { fleet } }))["explanation"] as
        ExplainedRun;
    },
    list: (grant, query) => list(parts, grant, query),
    async cancel(grant, request) {
      const { tenant_id } = grant;
      const done = await operate("run_cancel", { grant, input: request });
      const run = done["run"] as Run;
      tellAftermath(told, { tenant_id, run_id: run.run_id }, done);
      if (done["requested"] === true) {
        const { run_id, plugin_identity, claim_epoch, cancel_reason: status_reason } = run;
        const claimed = run.status === "claimed";
        told.cancelRequested({
          tenant_id, run_id, status_reason, plugin_identity, claim_epoch, claimed,
        });
      }
      return run;
    },
    async finalize(grant, request) {
      const done = await operate("run_finalize", { grant, input: request });
      const run = done["run"] as Run;
      tellAftermath(told, { tenant_id: grant.tenant_id, run_id: run.run_id }, done);
      return run;
    },
    async retry(grant, request) {
      const run_id = request.new_run_id ?? makeId("run");
      const stored = await operate("run_retry", { grant, input: { ...request, run_id } });
      const created = stored["run"] as Run;
      if (created.status === "queued") told.runClaimable(grant.tenant_id);
      return created;
    },
    wait: (grant, wait) => waitForEnd(parts, { reading: grant, ...wait }),
    waitForCompletion(grant, { run_id, ...wait }) {
      const reading = { ...grant, run_id: null, target_run_id: run_id };
      return waitForEnd(parts, { reading, ...wait });
    },
  };
}

async function list(
  parts: LedgerParts,
  grant: Grant<"read">,
  query: RunListQuery,
): Promise<RunPage> {
  const [row] = await parts.database.query("run_list", (sql) => listRuns(sql, { grant, query }));
  if (!row) throw new Error("run_list answered no row");
  refuseIf(row.refusal);
  const page = pageBy(row.page, (item) => String(item["id"]));
  const total_is_capped = row.total !== null && row.total > limits.run_total_max;
  const total_count = total_is_capped ? limits.run_total_max : row.total;
  return { ...page, total_count, total_is_capped } as RunPage;
}

interface EndWait {
  reading: GrantFacts;
  wait_seconds: number;
  signal: AbortSignal;
}

/** Looks at the signal of this host, and at the ledger once a second for what others ended. */
async function waitForEnd(parts: LedgerParts, wait: EndWait): Promise<Run> {
  const ends = performance.now() + wait.wait_seconds * 1000;
  const { tenant_id, target_run_id } = wait.reading;
  for (;;) {
    const ended = parts.waits.untilRunEnded({ tenant_id, run_id: String(target_run_id) });
    try {
      const found = await parts.operate("run_get", { grant: wait.reading, input: {} });
      const run = found["run"] as Run;
      if ((terminalStatuses as readonly string[]).includes(run.status)) return run;
      if (wait.signal.aborted) throw new Refusal("UNAVAILABLE", {}, "the host is stopping");
      const left_ms = ends - performance.now();
      if (left_ms <= 0) {
        throw new Refusal("DEADLINE_EXCEEDED", { run_id: run.run_id, status: run.status });
      }
      // A little under a second: the look itself has to end within it.
      await ended.within(Math.min(left_ms, limits.wake_seconds * 900), wait.signal);
    } finally {
      ended.forget();
    }
  }
}
