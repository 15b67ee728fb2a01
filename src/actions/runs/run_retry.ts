// Makes a new run from the stored request of one that has ended. Repeating a call with its
// new_run_id is answered with the stored run. For administrators, the creator, and, of failures,
// the owner.

import { z } from "zod";
import { outside } from "../../contract/access.js";
import { limits } from "../../contract/limits.js";
import { run } from "../../contract/records.js";
import { id, integer, optional, time, withDefault } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { measureRequest } from "../run_request.js";

const { timeout_seconds } = limits;

export const runRetry = defineAction({
  name: "run_retry",
  summary: "Create a new run from the request of one that has ended.",
  params: z
    .strictObject({
      target_run_id: id,
      new_run_id: optional(id),
      dispatch: withDefault(z.enum(["queued", "running"]), "queued"),
      timeout_seconds: optional(integer(timeout_seconds.min, timeout_seconds.max)),
      not_before: optional(time),
    })
    .superRefine(({ dispatch, not_before }, context) => {
      if (dispatch !== "running" || not_before === undefined) return;
      const message = "is for runs with dispatch queued";
      context.addIssue({ code: "custom", path: ["not_before"], message });
    }),
  result: run,
  access: outside({ admin: "agent_run:admin", owner: true }),
  errors: ["CONFLICT", "NOT_FOUND"],
  writesTo: ({ new_run_id }) => (typeof new_run_id === "string" ? new_run_id : null),
  async handle({ params, sent, grant, ledger, traceparent }) {
    return ledger.runs.retry(grant, {
      new_run_id: params.new_run_id ?? null,
      dispatch: params.dispatch,
      timeout_seconds: params.timeout_seconds ?? null,
      not_before: params.not_before ?? null,
      fingerprint: measureRequest(sent).fingerprint,
      traceparent,
    });
  },
});
