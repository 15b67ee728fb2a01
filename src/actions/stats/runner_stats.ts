// The runners of a window by number of runs, with their outcomes and durations.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { pageLimit } from "../../contract/scalars.js";
import { runnerStats as result } from "../../contract/statistics.js";
import { defineAction } from "../action.js";
import { readWindow, windowShape } from "./window_params.js";

export const runnerStats = defineAction({
  name: "runner_stats",
  summary: "Statistics by runner over the runs created in a window.",
  params: z.strictObject({ ...windowShape, limit: pageLimit(50, 100) }),
  result,
  access: permission("agent_run:admin"),
  errors: [],
  async handle({ params, grant, ledger }) {
    const { limit } = params;
    return ledger.statistics.ofRunners(grant, { ...readWindow(params), limit });
  },
});
