// Follows a run over this connection: every stored event above the cursor, then every new one, in
// sequence order, then its end. Nothing is sent before the answer. Whoever may page the events of
// the run may follow it, for as long as that holds.

import { z } from "zod";
import { read } from "../../contract/access.js";
import { run } from "../../contract/records.js";
import { cursor, id, optional } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireTarget, targetShape } from "../target_params.js";

export const runSubscribe = defineAction({
  name: "run_subscribe",
  summary: "Follow the events of a run until it has ended.",
  params: z
    .strictObject({ ...targetShape, after_cursor: optional(cursor) })
    .superRefine(requireTarget),
  result: z.object({ subscription_id: id, run }).meta({ id: "Subscription" }),
  access: read({
    run: { capability: "run_events_page", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "required",
  }),
  errors: ["OVERLOADED"],
  async handle({ params, grant, ledger, connection, again, afterAnswer }) {
    const target = await ledger.runs.get(grant);
    const after_sequence = readSequence(params.after_cursor);
    const { subscription_id, begin } = connection.subscribe({
      grant, again, after_sequence, run: target,
    });
    afterAnswer(begin);
    return { subscription_id, run: target };
  },
});

/** No sequence is greater than 2^53 − 1: a cursor beyond that is past the end as well. */
const readSequence = (after: string | undefined): number =>
  Math.min(Number(after ?? 0), Number.MAX_SAFE_INTEGER);
