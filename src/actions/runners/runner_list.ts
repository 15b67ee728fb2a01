// Lists registered runners in order of first registration: all for administrators of runs, else the
// caller's own.

import { z } from "zod";
import { own } from "../../contract/access.js";
import { Refusal } from "../../contract/errors.js";
import { runnerPage } from "../../contract/records.js";
import { cursor, filterList, identity, optional, pageLimit } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const runnerList = defineAction({
  name: "runner_list",
  summary: "List registered runners.",
  params: z.strictObject({
    include_plugins: optional(filterList(identity)),
    after_cursor: optional(cursor),
    limit: pageLimit(100, 500),
  }),
  result: runnerPage,
  access: own({ admin: "agent_run:admin" }),
  errors: ["FORBIDDEN"],
  async handle({ params, grant, ledger }) {
    const named = params.include_plugins ?? [];
    if (grant.admin === null && named.some((one) => one !== grant.caller)) {
      throw new Refusal("FORBIDDEN", { reason: "out_of_scope" });
    }
    return ledger.runners.list(grant, {
      include_plugins: params.include_plugins ?? null,
      after_cursor: params.after_cursor ?? null,
      limit: params.limit,
    });
  },
});
