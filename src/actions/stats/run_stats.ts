// Counts, rates, durations and queue waits over the runs created in a window.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { optional, runnerId } from "../../contract/scalars.js";
import { runStats as result } from "../../contract/statistics.js";
import { defineAction } from "../action.js";
import { readWindow, windowShape } from "./window_params.js";

export const runStats = defineAction({
  name: "run_stats",
  summary: "Statistics over the runs created in a window.",
  params: z.strictObject({ ...windowShape, runner_id: optional(runnerId) }),
  result,
  access: permission("agent_run:admin"),
  errors: [],
  async handle({ params, grant, ledger }) {
    const runner_id = params.runner_id ?? null;
    return ledger.statistics.ofRuns(grant, { ...readWindow(params), runner_id });
  },
});
