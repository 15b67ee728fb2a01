// Takes a runtime out of service and gives its claimed runs back at once. A repeat succeeds with
// nothing to give back. Another's runtime is for administrators of runtimes.

import { z } from "zod";
import { fleet } from "../../contract/access.js";
import { runtime } from "../../contract/records.js";
import { id, optional } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const runtimeDeregister = defineAction({
  name: "runtime_deregister",
  summary: "Deregister a runtime and requeue the runs it has claimed.",
  params: z.strictObject({ run_id: optional(id), runtime_id: id }),
  result: z
    .object({ runtime, released_claim_count: z.number().int() })
    .meta({ id: "DeregisteredRuntime" }),
  access: fleet({
    run: { capability: "runtime_deregister", mode: "live" },
    admin: "runtime:admin",
  }),
  errors: ["FORBIDDEN", "NOT_FOUND"],
  async handle({ params, grant, ledger }) {
    return ledger.runtimes.deregister(grant, { runtime_id: params.runtime_id });
  },
});
