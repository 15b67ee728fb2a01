// Who may call, as data on each action. authz reads it twice: before the params are looked at
// (login and permissions that need no lookup) and when it mints the grant of the call.

export const permissions = [
  "agent_run:admin",
  "agent_run:create",
  "runtime:admin",
  "plugin:admin",
  "plugin:delegate",
] as const;
export type Permission = (typeof permissions)[number];

/** What plugin_register accepts beside the permissions themselves. */
export const grantablePermissions = [
  ...permissions,
  "agent_run:*",
  "runtime:*",
  "plugin:*",
  "agent_runner:admin",
  "*",
] as const;

/** Capability names of a run's snapshot. */
export const capabilities = [
  "run_get", "run_events_page", "run_cancel", "run_list", "history_page", "history_search",
  "event_page", "event_get", "steering_pull", "state", "prompt_get", "run_append_result",
  "run_finalize", "run_claim", "run_renew_claim", "run_release_claim", "runtime_register",
  "runtime_heartbeat", "runtime_deregister", "runtime_list",
] as const;
export type Capability = (typeof capabilities)[number];
/** Comes with an active claim only; no snapshot can grant it. */
export type ImpliedCapability = "run_emit_result";

/** `live`: the session may act. `persisted`: it may still read. `own`: it is the caller's. */
export type SessionMode = "live" | "persisted" | "own";

/** A path through the caller's own run: RUN(capability, mode) of the contract. */
export interface RunPath {
  capability: Capability;
  mode: SessionMode;
}

export type Access =
  /** Every connection; `before_login` also serves one that has not proved an identity. */
  | { kind: "open"; before_login: boolean }
  /** PERM: one of these permissions, checked before the params. */
  | { kind: "permission"; any: readonly Permission[] }
  /** Reading a target run, or what hangs on it. `target: "none"` means that t = s. */
  | {
      kind: "read";
      run: RunPath;
      admin?: Permission;
      creator?: boolean;
      /** `optional`: without a run of the caller's own, absent means all runs that are reached. */
      target: "required" | "optional" | "none";
    }
  /** The caller's own run, authority and subject. `fenced`: a shown claim has to be active. */
  | { kind: "session"; run: RunPath; fenced: boolean }
  /** As read with a target; another target than `run_id` needs a live session. */
  | { kind: "cancel"; run: RunPath; admin: Permission; creator: boolean }
  /** WRITE(capability): executor by claim or by a running session; administrators if `admin`. */
  | { kind: "write"; capability: Capability | ImpliedCapability; admin?: Permission }
  /** CLAIM(capability): the proof of an active claim, always. */
  | { kind: "claim"; capability: Capability }
  /** RUN(capability, live), ADMIN(runtime:admin), OWN: claiming and runtimes. */
  | { kind: "fleet"; run: RunPath; admin: Permission }
  /** ADMIN, CREATOR and, if `owner`, the owner of the target, in this order, without a run_id. */
  | { kind: "outside"; admin: Permission; owner: boolean }
  /** The connection itself: what only it holds. */
  | { kind: "connection" }
  /** OWN rows of the caller's plugin, or all of them with `admin`. */
  | { kind: "own"; admin?: Permission };

export type AccessKind = Access["kind"];

export const open = (options: { before_login: boolean }) => ({ kind: "open", ...options }) as const;
export const permission = (...any: Permission[]) => ({ kind: "permission", any }) as const;
export const read = (options: Omit<Extract<Access, { kind: "read" }>, "kind">) =>
  ({ kind: "read", ...options }) as const;
export const cancel = (options: Omit<Extract<Access, { kind: "cancel" }>, "kind">) =>
  ({ kind: "cancel", ...options }) as const;
export const write = (options: Omit<Extract<Access, { kind: "write" }>, "kind">) =>
  ({ kind: "write", ...options }) as const;
export const claim = (options: Omit<Extract<Access, { kind: "claim" }>, "kind">) =>
  ({ kind: "claim", ...options }) as const;
export const fleet = (options: Omit<Extract<Access, { kind: "fleet" }>, "kind">) =>
  ({ kind: "fleet", ...options }) as const;
export const own = (options: Omit<Extract<Access, { kind: "own" }>, "kind"> = {}) =>
  ({ kind: "own", ...options }) as const;
export const outside = (options: Omit<Extract<Access, { kind: "outside" }>, "kind">) =>
  ({ kind: "outside", ...options }) as const;
export const session = (options: Omit<Extract<Access, { kind: "session" }>, "kind">) =>
  ({ kind: "session", ...options }) as const;
export const ofConnection = () => ({ kind: "connection" }) as const;
