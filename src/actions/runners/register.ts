// Runners: what plugins declare that they can run.

import type { ActionHost } from "../action.js";
import { runnerList } from "./runner_list.js";
import { runnerRegister } from "./runner_register.js";

export function register(h: ActionHost): void {
  h.action(runnerRegister);
  h.action(runnerList);
}
