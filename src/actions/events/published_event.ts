// What a caller may say about an event that comes in, and the event and run that the ledger is
// handed for it. The params about a run are accepted without a runner too, and then unused. Refuses
// INVALID_PARAMS, PAYLOAD_TOO_LARGE, then FORBIDDEN, as run_create does.

import { z } from "zod";
import { limitField } from "../../contract/canonical.js";
import { Refusal } from "../../contract/errors.js";
import type { GrantFacts } from "../../contract/grants.js";
import { openObject, optional, text, withDefault } from "../../contract/scalars.js";
import type { EventToPublish } from "../../ledger/context_requests.js";
import { removeBinary } from "../redaction.js";
import { buildEvent, buildInput } from "../run_defaults.js";
import { binding, bindingShape, eventShape, makingShape } from "../run_params.js";
import {
  fillRun, joinMembers, limitRequest, measureRequest, requireWorkspace,
} from "../run_request.js";

/** These two stand in `binding` only. */
const { event_types: _types, enabled: _enabled, ...bindingAtTop } = bindingShape;

export const publishParams = z.strictObject({
  ...eventShape,
  text: optional(text()),
  metadata: withDefault(openObject, {}),
  absorb: withDefault(z.boolean(), true),
  binding: optional(binding),
  ...bindingAtTop,
  ...makingShape,
  run_metadata: withDefault(openObject, {}),
});

export type PublishParams = z.output<typeof publishParams>;

export function buildPublished(asked: {
  params: PublishParams;
  sent: Record<string, unknown>;
  grant: GrantFacts;
}): Omit<EventToPublish, "traceparent"> {
  const { params, grant } = asked;
  const { issues, ...joined } = joinMembers(params, "message.received");
  if (issues.length > 0) throw new Refusal("INVALID_PARAMS", { issues });
  const measured = measureRequest(asked.sent);
  limitRequest(measured);
  limitField("metadata", params.metadata);
  limitField("run_metadata", params.run_metadata);
  requireWorkspace(grant, joined.event.workspace_id ?? null);
  const { runner_id } = joined.binding;
  const made = { ...joined, params, metadata: params.run_metadata };
  const input = buildInput(joined.event, params.text);
  return {
    event: buildEvent(joined.event),
    input,
    log_input: removeBinary(input),
    metadata: params.metadata,
    absorb: params.absorb,
    run: runner_id === undefined
      ? null
      : { ...fillRun({ ...made, runner_id }, grant), request_bytes: measured.bytes },
    fingerprint: measured.fingerprint,
  };
}
