// Reads the stored events of a run by sequence, in either direction.

import { z } from "zod";
import { read } from "../../contract/access.js";
import { runEventPage } from "../../contract/records.js";
import { cursor, optional, pageLimit, withDefault } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireTarget, targetShape } from "../target_params.js";

export const runEventsPage = defineAction({
  name: "run_events_page",
  summary: "Read the stored events of a run, by sequence.",
  params: z
    .strictObject({
      ...targetShape,
      before_cursor: optional(cursor),
      after_cursor: optional(cursor),
      direction: withDefault(z.enum(["forward", "backward"]), "forward"),
      limit: pageLimit(50, 100),
    })
    .superRefine(requireTarget),
  result: runEventPage,
  access: read({
    run: { capability: "run_events_page", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "required",
  }),
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.events.page(grant, {
      before_cursor: params.before_cursor ?? null,
      after_cursor: params.after_cursor ?? null,
      direction: params.direction,
      limit: params.limit,
    });
  },
});
