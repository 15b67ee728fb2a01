// Lists runs, newest first: those of the caller's own scope, all that an administrator reaches, or
// those that the caller created.

import { z } from "zod";
import { read } from "../../contract/access.js";
import { limits } from "../../contract/limits.js";
import { runPage } from "../../contract/records.js";
import {
  cursor, filterList, id, optional, pageLimit, runnerId, runStatus, withDefault,
} from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const runList = defineAction({
  name: "run_list",
  summary: "List runs, newest first.",
  params: z.strictObject({
    run_id: optional(id),
    conversation_id: optional(id),
    runner_id: optional(runnerId),
    workspace_id: optional(id),
    statuses: optional(filterList(runStatus)),
    before_cursor: optional(cursor),
    limit: pageLimit(50, 100),
    include_total: withDefault(z.boolean(), false).describe(
      `counts up to ${limits.run_total_max}`,
    ),
  }),
  result: runPage,
  access: read({
    run: { capability: "run_list", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "none",
  }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.runs.list(grant, {
      conversation_id: params.conversation_id ?? null,
      runner_id: params.runner_id ?? null,
      workspace_id: params.workspace_id ?? null,
      statuses: params.statuses ?? null,
      before_cursor: params.before_cursor ?? null,
      limit: params.limit,
      include_total: params.include_total,
    });
  },
});
