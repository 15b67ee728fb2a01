// Reads one event of the log, through the caller's live run: the run's own, one linked to it, or
// one of its conversation. Any other event is refused like one that does not exist.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { eventRecord } from "../../contract/context_records.js";
import { id } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const eventGet = defineAction({
  name: "event_get",
  summary: "Read one event that the caller's run may see.",
  params: z.strictObject({ run_id: id, event_id: id }),
  result: eventRecord,
  access: session({ run: { capability: "event_get", mode: "live" }, fenced: false }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.history.event(grant, { event_id: params.event_id });
  },
});
