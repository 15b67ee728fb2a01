// Answers a pending interaction, once: of several answers one wins, and the run hears of it as
// steering. A repeat of the same answer by the same identity succeeds. For administrators and the
// creator of the run; whether action and values fit the stored request the ledger judges.

import { z } from "zod";
import { measure } from "../../contract/canonical.js";
import { interaction } from "../../contract/context_records.js";
import { Refusal } from "../../contract/errors.js";
import { limits } from "../../contract/limits.js";
import { id, openObject, optional, whenSound, withDefault } from "../../contract/scalars.js";
import type { InteractionAnswer } from "../../ledger/context_requests.js";
import { defineAction, namedTarget } from "../action.js";
import { answers } from "./interaction_access.js";

const plain = z.strictObject({
  target_run_id: id,
  interaction_id: id,
  action_id: optional(id),
  values: withDefault(openObject, {}),
  actor_id: optional(id),
});

export const interactionSubmit = defineAction({
  name: "interaction_submit",
  summary: "Answer a pending interaction of a run.",
  params: plain.transform(whenSound((params) => ({ ...params, answer: readAnswer(params) }))),
  result: interaction,
  access: answers,
  errors: ["NOT_FOUND", "CONFLICT", "PAYLOAD_TOO_LARGE"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.interactions.submit(grant, params.answer);
  },
});

/** The answer as it is stored; its size is judged before the run is looked at. */
function readAnswer(params: z.output<typeof plain>): InteractionAnswer {
  const submission = {
    action_id: params.action_id ?? null,
    values: params.values,
    actor_id: params.actor_id ?? null,
  };
  const { bytes, fingerprint } = measure(submission);
  const limit_bytes = limits.interaction_bytes;
  if (bytes > limit_bytes) {
    throw new Refusal("PAYLOAD_TOO_LARGE", { reason: "field", path: "values", limit_bytes });
  }
  return { interaction_id: params.interaction_id, submission, fingerprint };
}
