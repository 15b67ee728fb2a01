// Lists the keys of a state scope of the caller's live run, in the order of their bytes. The prefix
// is taken literally.

import { z } from "zod";
import { stateKeys } from "../../contract/context_records.js";
import { optional, pageLimit, storedKey, text } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { readsState, scopeShape } from "./state_params.js";

export const stateList = defineAction({
  name: "state_list",
  summary: "List the keys of the run's state.",
  params: z.strictObject({
    ...scopeShape,
    prefix: optional(text(255)),
    after_key: optional(text(255)),
    limit: pageLimit(100, 100),
  }),
  result: stateKeys,
  access: readsState,
  errors: [],
  async handle({ params, grant, ledger }) {
    const { prefix } = params;
    return ledger.state.list(grant, {
      scope: params.scope,
      prefix: prefix === undefined ? null : storedKey(prefix),
      after_key: params.after_key ?? null,
      limit: params.limit,
    });
  },
});
