// The columns of the access sheet: who calls, what the caller shows, and which runs the call names.
// A row names one run (`run`), or the caller's session (`session`) and another run (`target`).

import type { CallerName } from "../support/access_world.js";
import type { RunSpec } from "../support/access_runs.js";

export interface Column {
  /** The connection; `nobody` has proved no identity, `disabled` has tried and failed. */
  caller: CallerName | "nobody";
  /** Sent as caller_plugin_identity. */
  as?: string;
  /** What the caller shows to methods that take claim params; nothing where it is left out. */
  shows?: "claim" | "wrong_token" | "wrong_epoch";
  run: RunSpec;
  session: RunSpec;
  target: RunSpec;
}

const live: RunSpec = {
  state: "running", plugin: "acme/owner", runner: "r1", conversation: true, thread: null,
  workspace: "w1", by: "builtin", claimer: "owner",
};
const missing: RunSpec = { ...live, state: "missing" };
const claimed: RunSpec = { ...live, state: "claimed" };
const expired: RunSpec = { ...live, state: "expired" };
const foreign: RunSpec = { ...claimed, claimer: "runtime_admin" };
const byFormer: RunSpec = { ...claimed, claimer: "former" };
const inBot: RunSpec = { ...live, bot: "b1" };
const sessionOf = (plugin: string): RunSpec => ({ ...live, plugin });

/** The call names `run`, or a live session of the owner and `run` as another run in its scope. */
const on = (caller: Column["caller"], run: RunSpec, rest: Partial<Column> = {}): Column => ({
  caller, run, session: live, target: run, ...rest,
});
/** The session itself is in another state; where two runs are named the other one is live. */
const within = (caller: Column["caller"], run: RunSpec): Column => ({
  caller, run, session: run, target: live,
});

export const columns = {
  no_login: on("nobody", live),
  disabled: on("disabled", live),

  mismatch: on("plain", live, { as: "acme/owner" }),
  delegate_owner: on("delegate", live, { as: "acme/owner" }),
  delegate_more: on("delegate", live, { as: "acme/run_admin" }),
  delegate_config: on("delegate", live, { as: "acme/limited" }),
  delegate_builtin: on("delegate", live, { as: "runhost/admin" }),
  delegate_unknown: on("delegate", live, { as: "acme/nobody" }),
  delegate_disabled: on("delegate", live, { as: "acme/disabled" }),
  delegate_other_tenant: on("delegate", live, { as: "acme/admin" }),

  plain: on("plain", live),
  config_off: on("config_off", live),

  owner_live: on("owner", live),
  owner_over: within("owner", { ...live, state: "over" }),
  owner_queued: within("owner", { ...live, state: "queued" }),
  ended_inside: within("owner", { ...live, state: "ended_inside" }),
  failed_inside: within("owner", { ...live, state: "failed_inside" }),
  ended_past: within("owner", { ...live, state: "ended_past" }),
  target_ended: on("owner", { ...live, state: "failed_past" }),
  other_runner: on("owner", { ...live, runner: "r2" }),
  other_conversation: on("owner", { ...live, conversation: "other" }),
  other_bot: on("owner", { ...inBot, bot: "b2" }, { session: inBot }),
  other_thread: on("owner", { ...live, thread: "t1" }),
  no_conversation: on("owner", { ...live, conversation: false }, {
    session: { ...live, conversation: false },
  }),
  other_plugin: on("owner", sessionOf("acme/plain")),
  missing: on("owner", missing),

  claimer_owner_bare: on("owner", claimed),
  claimer_owner_claim: on("owner", claimed, { shows: "claim" }),
  wrong_token: on("owner", claimed, { shows: "wrong_token" }),
  wrong_epoch: on("owner", claimed, { shows: "wrong_epoch" }),
  expired_owner_bare: on("owner", expired),
  expired_owner_claim: on("owner", expired, { shows: "claim" }),
  released_claim: on("owner", { ...live, state: "released" }, { shows: "claim" }),
  claim_ended: on("owner", { ...live, state: "claim_ended" }, { shows: "claim" }),
  foreign_bare: on("runtime_admin", foreign, { session: foreign }),
  foreign_claim: on("runtime_admin", foreign, { session: foreign, shows: "claim" }),
  foreign_wrong_epoch: on("runtime_admin", foreign, { session: foreign, shows: "wrong_epoch" }),
  former_claim: on("former", byFormer, { session: byFormer, shows: "claim" }),
  expired_foreign_bare: on("runtime_admin", { ...foreign, state: "expired" }, { session: foreign }),
  expired_foreign_claim: on("runtime_admin", { ...foreign, state: "expired" }, {
    session: foreign, shows: "claim",
  }),

  creator: on("creator", { ...live, by: "creator" }),
  creator_other: on("creator_other", { ...live, by: "creator" }),
  creator_missing: on("creator", missing),
  creator_limited_in: on("creator_limited", { ...live, created_by: "creator_limited" }),
  creator_limited_out: on("creator_limited", {
    ...live, workspace: "w2", created_by: "creator_limited",
  }),
  former_creator: on("plain", { ...live, created_by: "plain" }),

  run_admin: on("run_admin", live),
  run_admin_session: on("run_admin", live, {
    run: sessionOf("acme/run_admin"), session: sessionOf("acme/run_admin"),
  }),
  run_admin_over: on("run_admin", { ...live, state: "over" }, {
    session: sessionOf("acme/run_admin"),
  }),
  run_admin_queued: on("run_admin", { ...live, state: "queued" }, {
    session: sessionOf("acme/run_admin"),
  }),
  run_admin_ended: on("run_admin", { ...live, state: "ended_past" }, {
    session: sessionOf("acme/run_admin"),
  }),
  run_admin_missing: on("run_admin", missing, { session: sessionOf("acme/run_admin") }),
  runtime_admin: on("runtime_admin", live, { session: sessionOf("acme/runtime_admin") }),
  runtime_admin_missing: on("runtime_admin", missing, {
    session: sessionOf("acme/runtime_admin"),
  }),
  plugin_admin: on("plugin_admin", live, { session: sessionOf("acme/plugin_admin") }),
  plugin_admin_limited: on("plugin_admin_limited", live, {
    session: sessionOf("acme/plugin_admin_limited"),
  }),
  limited_in: on("limited", live, { session: sessionOf("acme/limited") }),
  limited_out: on("limited", { ...live, workspace: "w2" }, { session: sessionOf("acme/limited") }),
  limited_null: on("limited", { ...live, workspace: null }, {
    session: sessionOf("acme/limited"),
  }),
  limited_missing: on("limited", missing, { session: sessionOf("acme/limited") }),
  builtin: on("builtin", live),

  tenant_b_plugin: on("tenant_b_plugin", live, { session: { ...live, by: "tenant_b_admin" } }),
  tenant_b_admin: on("tenant_b_admin", live, {
    session: { ...sessionOf("acme/admin"), by: "tenant_b_admin" },
  }),
} satisfies Record<string, Column>;

export type ColumnName = keyof typeof columns;
export const columnNames = Object.keys(columns) as ColumnName[];

/** The kinds of caller, and the columns that play each of them. */
export const kinds = {
  "no login": ["no_login"],
  "disabled identity": ["disabled"],
  "another's name without delegation": ["mismatch"],
  "delegate for a plugin without permissions": ["delegate_owner"],
  "delegate for what it may not name": [
    "delegate_more", "delegate_config", "delegate_builtin", "delegate_unknown",
    "delegate_disabled", "delegate_other_tenant",
  ],
  "plugin without a run": ["plain", "config_off", "other_plugin", "missing", "former_creator"],
  "own run": ["owner_live"],
  "own run that is not live": ["owner_over", "owner_queued"],
  "same scope, other runner": ["other_runner"],
  "other conversation, bot or thread, or no conversation": [
    "other_conversation", "other_bot", "other_thread", "no_conversation",
  ],
  "ended run inside the read window": ["ended_inside", "failed_inside"],
  "ended run past the read window": ["ended_past", "target_ended"],
  "claimer that is the owner": [
    "claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch",
  ],
  "claimer that is not the owner": [
    "foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim",
  ],
  "expired lease": [
    "expired_owner_bare", "expired_owner_claim", "expired_foreign_bare", "expired_foreign_claim",
  ],
  "claim that is over": ["released_claim", "claim_ended"],
  "creator": ["creator", "creator_other", "creator_missing"],
  "limited creator": ["creator_limited_in", "creator_limited_out"],
  "agent_run:admin": [
    "run_admin", "run_admin_session", "run_admin_over", "run_admin_queued", "run_admin_ended",
    "run_admin_missing",
  ],
  "runtime:admin": ["runtime_admin", "runtime_admin_missing"],
  "plugin:admin": ["plugin_admin", "plugin_admin_limited"],
  "limited administrator inside its workspaces": ["limited_in"],
  "limited administrator outside its workspaces": [
    "limited_out", "limited_null", "limited_missing",
  ],
  "built-in administrator": ["builtin"],
  "other tenant": ["tenant_b_plugin", "tenant_b_admin"],
} as const satisfies Record<string, readonly ColumnName[]>;
