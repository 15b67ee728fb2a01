// Lists registered runtimes: all through a run that may and for administrators of runtimes, else
// the caller's own.

import { z } from "zod";
import { fleet } from "../../contract/access.js";
import { runtimePage } from "../../contract/records.js";
import {
  cursor, filterList, id, optional, pageLimit, runtimeStatuses,
} from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { labels } from "./runtime_params.js";

export const runtimeList = defineAction({
  name: "runtime_list",
  summary: "List registered runtimes.",
  params: z.strictObject({
    run_id: optional(id),
    statuses: optional(filterList(z.enum(runtimeStatuses))),
    labels: optional(labels),
    after_cursor: optional(cursor),
    limit: pageLimit(50, 500),
  }),
  result: runtimePage,
  access: fleet({ run: { capability: "runtime_list", mode: "live" }, admin: "runtime:admin" }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.runtimes.list(grant, {
      statuses: params.statuses ?? null,
      labels: params.labels ?? null,
      after_cursor: params.after_cursor ?? null,
      limit: params.limit,
    });
  },
});
