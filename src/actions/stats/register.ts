// Statistics: runs, runners, runtimes.

import type { ActionHost } from "../action.js";
import { runnerStats } from "./runner_stats.js";
import { runStats } from "./run_stats.js";
import { runtimeStats } from "./runtime_stats.js";

export function register(h: ActionHost): void {
  h.action(runStats);
  h.action(runnerStats);
  h.action(runtimeStats);
}
