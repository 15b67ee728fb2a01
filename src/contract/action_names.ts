// The closed list of methods that this host serves. An action registers under one of these names
// or not at all; a name of this list without an action stops the start.

export const actionNames = [
  "plugin_connect",
  "ping",
  "rpc.discover",
  "plugin_register",
  "plugin_list",
  "plugin_rotate_token",
  "plugin_set_enabled",
  "run_create",
  "run_get",
  "run_list",
  "run_events_page",
  "run_cancel",
  "run_wait",
  "run_retry",
  "run_append_result",
  "run_emit_result",
  "run_finalize",
  "run_claim",
  "run_renew_claim",
  "run_release_claim",
  "runner_register",
  "runner_list",
  "runtime_register",
  "runtime_heartbeat",
  "runtime_deregister",
  "runtime_list",
  "runtime_reconcile",
  "run_stats",
  "runner_stats",
  "runtime_stats",
  "audit_page",
] as const;

export type ActionName = (typeof actionNames)[number];
