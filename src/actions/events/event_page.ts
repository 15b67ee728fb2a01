// Lists the events of the conversation of the caller's live run, newest first. Another conversation
// than the run's is refused; a run without one gets an empty page.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { eventPage as result } from "../../contract/context_records.js";
import { cursor, filterList, id, optional, pageLimit, text } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const eventPage = defineAction({
  name: "event_page",
  summary: "List the events of the run's conversation, newest first.",
  params: z.strictObject({
    run_id: id,
    conversation_id: optional(id),
    event_types: optional(filterList(text(100))),
    before_cursor: optional(cursor),
    limit: pageLimit(50, 100),
  }),
  result,
  access: session({ run: { capability: "event_page", mode: "live" }, fenced: false }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.history.events(grant, {
      conversation_id: params.conversation_id ?? null,
      event_types: params.event_types ?? null,
      before_cursor: params.before_cursor ?? null,
      limit: params.limit,
    });
  },
});
