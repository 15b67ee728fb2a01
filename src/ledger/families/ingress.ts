// What comes in: an event is logged once and handed to a live run, made into a run, or only logged.

import type { PublishedEvent } from "../../contract/context_records.js";
import { fitId, makeId } from "../identifiers.js";
import type { Ledger } from "../ledger.js";
import { type LedgerParts, tellSteering } from "../parts.js";
import type { EventToPublish, PublishedRun } from "../context_requests.js";
import type { NewRun } from "../requests.js";
import { buildSnapshot } from "../snapshot.js";

export function createIngress({ operate, told }: LedgerParts): Ledger["ingress"] {
  return {
    async publish(grant, event) {
      const done = await operate("event_publish", { grant, input: nameEvent(event) });
      if (done["queued"] === true) told.runClaimable(grant.tenant_id);
      tellSteering(told, grant.tenant_id, done["steering"]);
      return done["published"] as PublishedEvent;
    },
  };
}

/** Gives an event, and the run that may come of it, the ids that the request left to the host. */
function nameEvent(published: EventToPublish): object {
  const event = { ...published.event, event_id: published.event.event_id ?? makeId("evt") };
  const attachments = published.log_input["attachments"];
  return {
    ...published,
    event,
    run: published.run === null ? null : nameRun(published.run, { ...published, event }),
    steering_id: makeId("steer"),
    attachment_refs: Array.isArray(attachments) ? attachments : [],
  };
}

function nameRun(
  published: PublishedRun,
  { event, traceparent }: Pick<NewRun, "event" | "traceparent">,
): object {
  const run: NewRun = {
    ...published,
    event,
    traceparent,
    run_id: makeId("run"),
    parent_run_id: null,
    dispatch: "queued",
    not_before: null,
    deadline_at: null,
    fingerprint: "",
  };
  const binding_id =
    run.binding.binding_id ?? fitId(`api:${run.runner_id}:${run.run_id}`, "bind");
  return {
    ...run,
    fingerprint: null,
    binding: { ...run.binding, binding_id },
    snapshot: buildSnapshot({ run, binding_id }),
  };
}
