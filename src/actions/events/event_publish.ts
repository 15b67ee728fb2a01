// Brings an event in: it is logged, then absorbed into a live run, or a run is made of it, or it is
// only logged. Repeating a call with its event_id is answered with the stored outcome; other
// content under that id is refused. For agent_run:admin and agent_run:create, within their
// workspaces.

import { permission } from "../../contract/access.js";
import { publishedEvent } from "../../contract/context_records.js";
import { defineAction } from "../action.js";
import { buildPublished, publishParams } from "./published_event.js";

export const eventPublish = defineAction({
  name: "event_publish",
  summary: "Log an event, and absorb it into a live run or create a run of it.",
  params: publishParams,
  result: publishedEvent,
  access: permission("agent_run:admin", "agent_run:create"),
  errors: ["CONFLICT", "NOT_FOUND", "PAYLOAD_TOO_LARGE"],
  writesTo: () => null,
  async handle({ params, sent, grant, ledger, traceparent }) {
    const published = buildPublished({ params, sent, grant });
    return ledger.ingress.publish(grant, { ...published, traceparent });
  },
});
