// Removes one value of a state scope of the caller's live run; success is false where there is
// none. With if_version only that version is removed.

import { z } from "zod";
import { storedKey } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { requireWholeClaim, shownClaimShape } from "../claim_params.js";
import { ifVersion, keyShape, writesState } from "./state_params.js";

export const stateDelete = defineAction({
  name: "state_delete",
  summary: "Remove one value of the run's state.",
  params: z
    .strictObject({ ...keyShape, if_version: ifVersion, ...shownClaimShape })
    .superRefine(requireWholeClaim),
  result: z.object({ success: z.boolean() }).meta({ id: "StateDeleted" }),
  access: writesState,
  errors: ["CONFLICT"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.state.delete(grant, {
      scope: params.scope,
      key: storedKey(params.key),
      if_version: params.if_version ?? null,
    });
  },
});
