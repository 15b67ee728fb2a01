// Runners and runtimes: what plugins declare about the code and the processes that execute runs.

import { Refusal } from "../../contract/errors.js";
import type { RunnerDescriptor, RunnerPage, Runtime, RuntimePage } from "../../contract/records.js";
import { listRunners } from "../../sql/runner_list.js";
import { listRuntimes } from "../../sql/runtime_list.js";
import { pageBy, pageByCursor, refuseIf } from "../answers.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";

export function createRunners({ database, operate }: LedgerParts): Ledger["runners"] {
  return {
    async register(grant, declared) {
      const done = await operate("runner_register", { grant, input: declared });
      return {
        items: done["items"] as RunnerDescriptor[],
        withdrawn_count: Number(done["withdrawn_count"]),
      };
    },
    async list(grant, query) {
      const foreign = query.include_plugins?.some((named) => named !== grant.caller) ?? false;
      if (grant.admin === null && foreign) {
        throw new Refusal("FORBIDDEN", { reason: "out_of_scope" });
      }
      const [row] = await database.query("runner_list", (sql) =>
        listRunners(sql, { grant, query }),
      );
      if (!row) throw new Error("runner_list answered no row");
      return pageByCursor(row.page) as RunnerPage;
    },
  };
}

export function createRuntimes({ database, operate, told }: LedgerParts): Ledger["runtimes"] {
  return {
    async register(grant, registration) {
      const done = await operate("runtime_register", { grant, input: registration });
      return done["runtime"] as Runtime;
    },
    async heartbeat(grant, beat) {
      return (await operate("runtime_heartbeat", { grant, input: beat }))["runtime"] as Runtime;
    },
    async deregister(grant, named) {
      const done = await operate("runtime_deregister", { grant, input: named });
      const { tenant_id } = grant;
      for (const run_id of done["ended_run_ids"] as string[] | undefined ?? []) {
        told.runEnded({ tenant_id, run_id });
      }
      if (done["queued"] === true) told.runClaimable(tenant_id);
      return {
        runtime: done["runtime"] as Runtime,
        released_claim_count: Number(done["released_claim_count"]),
      };
    },
    async list(grant, query) {
      const [row] = await database.query("runtime_list", (sql) =>
        listRuntimes(sql, { grant, query }),
      );
      if (!row) throw new Error("runtime_list answered no row");
      refuseIf(row.refusal);
      const page = pageBy(row.page, (item) => String(item["id"]));
      return { ...page, total_count: row.total } as RuntimePage;
    },
  };
}
