// Lists interactions, newest first: those of one run, or of every run that an administrator or a
// creator reaches.

import { z } from "zod";
import { interactionPage } from "../../contract/context_records.js";
import {
  cursor, filterList, id, interactionStatuses, optional, pageLimit,
} from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { targetShape } from "../target_params.js";
import { readsMany } from "./interaction_access.js";

export const interactionList = defineAction({
  name: "interaction_list",
  summary: "List interactions, newest first.",
  params: z.strictObject({
    ...targetShape,
    statuses: optional(filterList(z.enum(interactionStatuses))),
    conversation_id: optional(id),
    before_cursor: optional(cursor),
    limit: pageLimit(50, 100),
  }),
  result: interactionPage,
  access: readsMany,
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.interactions.list(grant, {
      statuses: params.statuses ?? null,
      conversation_id: params.conversation_id ?? null,
      before_cursor: params.before_cursor ?? null,
      limit: params.limit,
    });
  },
});
