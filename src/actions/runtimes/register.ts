// Runtimes: the processes that claim runs.

import type { ActionHost } from "../action.js";
import { runtimeDeregister } from "./runtime_deregister.js";
import { runtimeHeartbeat } from "./runtime_heartbeat.js";
import { runtimeList } from "./runtime_list.js";
import { runtimeReconcile } from "./runtime_reconcile.js";
import { runtimeRegister } from "./runtime_register.js";

export function register(h: ActionHost): void {
  h.action(runtimeRegister);
  h.action(runtimeHeartbeat);
  h.action(runtimeDeregister);
  h.action(runtimeList);
  h.action(runtimeReconcile);
}
