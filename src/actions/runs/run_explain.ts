// Says why a run is not moving, as exact predicates over the ledger. Whoever may read the run may
// ask; the answer names no run and no runtime but those that the Run itself shows.

import { z } from "zod";
import { read } from "../../contract/access.js";
import {
  type JudgedReason, runExplanation, type RunReason,
} from "../../contract/statistics.js";
import { defineAction } from "../action.js";
import { requireTarget, targetShape } from "../target_params.js";

export const runExplain = defineAction({
  name: "run_explain",
  summary: "Say why a run is not moving, as a closed list of reasons with their facts.",
  params: z.strictObject(targetShape).superRefine(requireTarget),
  result: runExplanation,
  access: read({
    run: { capability: "run_get", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "required",
  }),
  errors: [],
  async handle({ grant, ledger }) {
    const { status, reasons, ...judged } = await ledger.runs.explain(grant);
    const worded = reasons.map((reason) => ({ ...reason, message: phrase(reason, status) }));
    return { ...judged, status, reasons: worded as RunReason[] };
  },
});

const instant = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
const because = (reason: string | null): string => (reason === null ? "" : `: ${reason}`);
const among = {
  queue: "", plugin: " of its plugin", creator: " that you created", scope: " of its conversation",
};

/** One sentence for people; programs read the code and the facts. */
function phrase(reason: JudgedReason, status: string): string {
  switch (reason.code) {
    case "ended":
      return `ended ${status} at ${instant(reason.finished_at)}${because(reason.status_reason)}`;
    case "never_queued":
      return "was never queued, so nobody can claim it";
    case "lease_held":
      return `runtime ${reason.runtime_id} holds its lease until `
        + instant(reason.lease_expires_at);
    case "lease_over":
      return `the lease of runtime ${reason.runtime_id} was over at `
        + `${instant(reason.lease_expires_at)}; the next claim or sweep takes it from there`;
    case "owner_executes":
      return `${reason.plugin_identity} executes it until ${instant(reason.deadline_at)}`;
    case "deadline_passed":
      return `its deadline was ${instant(reason.deadline_at)}; the next sweep ends it`;
    case "cancel_requested":
      return `a cancel was requested at ${instant(reason.cancel_requested_at)}`
        + `${because(reason.cancel_reason)}; it has not ended yet`;
    case "interaction_pending":
      return `waits for an answer to interaction ${reason.interaction_id} until `
        + `${instant(reason.expires_at)} (${reason.pending_count} pending)`;
    case "plugin_disabled":
      return `plugin ${reason.plugin_identity} is disabled`;
    case "runner_not_registered":
      return `runner ${reason.runner_id} is withdrawn or was never registered`;
    default:
      return phraseWaiting(reason);
  }
}

type Waiting = Extract<JudgedReason, {
  code: "attempts_exhausted" | "not_due" | "no_online_runtime" | "pinned_runtime_not_online"
    | "runs_ahead" | "awaiting_claim";
}>;

function phraseWaiting(reason: Waiting): string {
  switch (reason.code) {
    case "attempts_exhausted":
      return `${reason.dispatch_attempts} of ${reason.max_attempts} attempts are used`;
    case "not_due":
      return `is not due before ${instant(reason.not_before)}`;
    case "no_online_runtime":
      return `no runtime that may claim for ${reason.plugin_identity} is online`;
    case "pinned_runtime_not_online": {
      const { runtime_id, runtime_status } = reason;
      const seen = runtime_status === "online" ? "may not claim it" : "is not online";
      const known = runtime_status === null ? " or may not claim it" : ` (${runtime_status})`;
      return `is pinned to runtime ${runtime_id}, which ${seen}${known}`;
    }
    case "runs_ahead":
      return `${reason.capped ? "more than " : ""}${reason.count} `
        + `${reason.count === 1 ? "run" : "runs"}${among[reason.among]} before it in queue `
        + reason.queue_name;
    case "awaiting_claim":
      return `waits in queue ${reason.queue_name} for the next fitting run_claim`;
  }
}
