// How the runtimes are, and how much work is queued and claimed now.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { runtimeStats as result } from "../../contract/statistics.js";
import { defineAction } from "../action.js";

export const runtimeStats = defineAction({
  name: "runtime_stats",
  summary: "Runtimes by status, heartbeat ages, and the runs that are active or queued.",
  params: z.strictObject({}),
  result,
  access: permission("runtime:admin"),
  errors: [],
  async handle({ grant, ledger }) {
    return ledger.statistics.ofRuntimes(grant);
  },
});
