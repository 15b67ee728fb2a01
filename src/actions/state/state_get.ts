// Reads one value of a state scope of the caller's live run, with its version. Whether the run may
// use the scope its own policy says, never a param.

import { z } from "zod";
import { stateValue } from "../../contract/context_records.js";
import { storedKey } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { keyShape, readsState } from "./state_params.js";

export const stateGet = defineAction({
  name: "state_get",
  summary: "Read one value of the run's state.",
  params: z.strictObject(keyShape),
  result: stateValue,
  access: readsState,
  errors: [],
  async handle({ params, grant, ledger }) {
    return ledger.state.get(grant, { scope: params.scope, key: storedKey(params.key) });
  },
});
