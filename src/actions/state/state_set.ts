// Writes one value of a state scope of the caller's live run; the last write wins, or with
// if_version the first. Refuses a value over its size, and a scope over its keys or bytes.

import { z } from "zod";
import { measure } from "../../contract/canonical.js";
import { Refusal } from "../../contract/errors.js";
import { limits } from "../../contract/limits.js";
import { json, storedKey, whenSound } from "../../contract/scalars.js";
import { defineAction, namedTarget } from "../action.js";
import { requireWholeClaim, shownClaimShape } from "../claim_params.js";
import { ifVersion, keyShape, writesState } from "./state_params.js";

export const stateSet = defineAction({
  name: "state_set",
  summary: "Write one value of the run's state.",
  params: z
    .strictObject({
      ...keyShape,
      value: json.optional(),
      if_version: ifVersion,
      ...shownClaimShape,
    })
    .superRefine(requireWholeClaim)
    .transform(whenSound((params) => ({ ...params, ...measureValue(params.value ?? null) }))),
  result: z
    .object({ success: z.literal(true), version: z.number().int() })
    .meta({ id: "StateWritten" }),
  access: writesState,
  errors: ["PAYLOAD_TOO_LARGE", "CONFLICT"],
  writesTo: namedTarget,
  async handle({ params, grant, ledger }) {
    return ledger.state.set(grant, {
      scope: params.scope,
      key: storedKey(params.key),
      value: params.value,
      bytes: params.bytes,
      if_version: params.if_version ?? null,
    });
  },
});

/** The value with its size, which is judged before the run is looked at. */
function measureValue(value: unknown): { value: unknown; bytes: number } {
  const { bytes } = measure(value);
  const limit_bytes = limits.state_value_bytes;
  if (bytes <= limit_bytes) return { value, bytes };
  throw new Refusal("PAYLOAD_TOO_LARGE", { reason: "value", limit_bytes });
}
