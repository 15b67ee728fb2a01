// Stores one event in a run's ledger, with no effect beside it. Repeating one sequence with the
// same content is safe; other content under it, and types that have side effects, are refused.

import { z } from "zod";
import { write } from "../../contract/access.js";
import { runEvent } from "../../contract/records.js";
import { whenSound, withDefault } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { refuseForceWithClaim } from "../claim_params.js";
import { checkResultParams, readResult, resultShape } from "../result_params.js";

export const runAppendResult = defineAction({
  name: "run_append_result",
  summary: "Append one result event to a run, without any effect.",
  params: z
    .strictObject({ ...resultShape, force: withDefault(z.boolean(), false) })
    .superRefine(checkResultParams)
    .superRefine(refuseForceWithClaim)
    .transform(
      whenSound((params) => ({ ...params, event: readResult(params, { emitted: false }) })),
    ),
  result: runEvent,
  access: write({ capability: "run_append_result", admin: "agent_run:admin" }),
  errors: ["PAYLOAD_TOO_LARGE", "RESULT_REJECTED", "CONFLICT", "RUN_TERMINAL", "LEASE_LOST"],
  writesTo: namedTarget,
  ordered: true,
  list: "results",
  async handle({ params, grant, ledger }) {
    return ledger.events.append(grant, params.event);
  },
});
