// Stores a run durably before it answers. Repeating a call with its run_id is answered with the
// stored run; other content under that id is refused. For agent_run:admin and agent_run:create,
// within their workspaces.

import { permission } from "../../contract/access.js";
import { run } from "../../contract/records.js";
import { defineAction } from "../action.js";
import { runParams } from "../run_params.js";
import { buildRun } from "../run_request.js";

export const runCreate = defineAction({
  name: "run_create",
  summary: "Create a run, durably, and optionally wait until it has ended.",
  params: runParams,
  result: run,
  access: permission("agent_run:admin", "agent_run:create"),
  errors: ["CONFLICT", "NOT_FOUND", "PAYLOAD_TOO_LARGE", "DEADLINE_EXCEEDED"],
  writesTo: ({ run_id }) => (typeof run_id === "string" ? run_id : null),
  async handle({ params, sent, grant, ledger, traceparent }) {
    return ledger.runs.create(grant, { ...buildRun({ params, sent, grant }), traceparent });
  },
  async settle({ params, grant, ledger, signal }, created) {
    if (!params.wait_for_completion) return created;
    const { run_id } = created;
    const wait = { run_id, wait_seconds: params.wait_seconds, signal };
    const ended = await ledger.runs.waitForCompletion(grant, wait);
    return created.idempotent === true ? { ...ended, idempotent: true as const } : ended;
  },
});
