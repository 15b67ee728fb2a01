// Stores one event and applies its effect, both or neither: the path of an executor. It has no
// administrator path. A repeat of one sequence never applies an effect twice.

import { z } from "zod";
import { write } from "../../contract/access.js";
import { emittedEvent } from "../../contract/records.js";
import { whenSound } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { checkResultParams, readResult, resultShape } from "../result_params.js";

export const runEmitResult = defineAction({
  name: "run_emit_result",
  summary: "Store one result event of a run and apply its effect, in one transaction.",
  params: z
    .strictObject(resultShape)
    .superRefine(checkResultParams)
    .transform(
      whenSound((params) => ({ ...params, event: readResult(params, { emitted: true }) })),
    ),
  result: emittedEvent,
  access: write({ capability: "run_emit_result" }),
  errors: [
    "FORBIDDEN", "PAYLOAD_TOO_LARGE", "RESULT_REJECTED", "CONFLICT", "RUN_TERMINAL", "LEASE_LOST",
  ],
  writesTo: namedTarget,
  ordered: true,
  list: "results",
  async handle({ params, grant, ledger }) {
    return ledger.events.emit(grant, params.event);
  },
});
