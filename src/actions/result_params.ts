// The params of run_append_result and run_emit_result: members at the top or in the container
// `result`, made into one event. The payload rules are part of the schema, because they are judged
// before the run is looked at; their refusals leave the parse as they are.

import { z } from "zod";
import { canonicalJson } from "../contract/canonical.js";
import { checkResult } from "../contract/result_payloads.js";
import { id, integer, openObject, optional, text } from "../contract/scalars.js";
import type { NewResult } from "../ledger/requests.js";
import { requireWholeClaim, shownClaimShape } from "./claim_params.js";
import { describeEffects } from "./result_effects.js";
import { requireTarget, targetShape } from "./target_params.js";

const eventShape = {
  sequence: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  type: optional(text(100, 1)),
  data: optional(openObject),
  usage: optional(openObject),
  metadata: optional(openObject),
};

const container = z.strictObject({
  ...eventShape,
  run_id: optional(id),
  timestamp: optional(z.number()),
});

/** The shape that both methods take. */
export const resultShape = {
  ...targetShape,
  ...eventShape,
  event_type: optional(text(100, 1)),
  result: optional(container),
  ...shownClaimShape,
};

const plain = z.strictObject(resultShape);
export type ResultParams = z.output<typeof plain>;

const memberNames = ["sequence", "type", "data", "usage", "metadata"] as const;

/** Every rule about the params of a result that a single member cannot say. */
export function checkResultParams(params: ResultParams, context: z.core.$RefinementCtx): void {
  const refuse = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  requireTarget(params, context);
  requireWholeClaim(params, context);
  const { type, event_type, result } = params;
  if (type !== undefined && event_type !== undefined && type !== event_type) {
    refuse(["event_type"], "is an alias of type and differs from it");
  }
  const top = { ...params, type: type ?? event_type };
  for (const name of memberNames) {
    if (differ(top[name], result?.[name])) refuse([name], `differs from result.${name}`);
  }
  for (const name of ["sequence", "type"] as const) {
    if ((top[name] ?? result?.[name]) === undefined) refuse([name], "is required");
  }
  const target = params.target_run_id ?? params.run_id;
  if (result?.run_id !== undefined && target !== undefined && result.run_id !== target) {
    refuse(["result", "run_id"], "is not the run that is written to");
  }
}

function differ(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return false;
  return canonicalJson(one) !== canonicalJson(other);
}

const noEffects = { state: null, message: null, interaction: null };

/** The one event that checked params stand for; `emitted` events may have effects. */
export function readResult(params: ResultParams, how: { emitted: boolean }): NewResult {
  const inside = params.result;
  const sequence = params.sequence ?? inside?.sequence;
  const type = params.type ?? params.event_type ?? inside?.type;
  if (sequence === undefined || type === undefined) {
    throw new Error("readResult was given params that checkResultParams has not seen");
  }
  const checked = checkResult({
    type,
    data: params.data ?? inside?.data,
    usage: params.usage ?? inside?.usage,
    metadata: params.metadata ?? inside?.metadata,
    emitted: how.emitted,
  });
  const { data, bytes, usage, metadata, fingerprint } = checked;
  const { state, message, interaction } = how.emitted ? describeEffects(checked) : noEffects;
  // Members as jsonb keeps them, short names first: it need not sort the events of a batch.
  return {
    data, type: checked.type, bytes, state, usage, message, metadata, sequence, fingerprint,
    interaction,
  };
}
