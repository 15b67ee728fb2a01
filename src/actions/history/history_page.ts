// Reads the transcript of the conversation of the caller's live run, in either direction. Another
// conversation than the run's is refused; a run without one gets an empty page.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { transcriptPage } from "../../contract/context_records.js";
import { cursor, id, optional, pageLimit, withDefault } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const historyPage = defineAction({
  name: "history_page",
  summary: "Read the transcript of the run's conversation.",
  params: z.strictObject({
    run_id: id,
    conversation_id: optional(id),
    before_cursor: optional(cursor),
    after_cursor: optional(cursor),
    direction: withDefault(z.enum(["backward", "forward"]), "backward"),
    limit: pageLimit(50, 100),
    include_attachments: withDefault(z.boolean(), false),
  }),
  result: transcriptPage,
  access: session({ run: { capability: "history_page", mode: "live" }, fenced: false }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.history.page(grant, {
      conversation_id: params.conversation_id ?? null,
      before_cursor: params.before_cursor ?? null,
      after_cursor: params.after_cursor ?? null,
      direction: params.direction,
      limit: params.limit,
      include_attachments: params.include_attachments,
    });
  },
});
