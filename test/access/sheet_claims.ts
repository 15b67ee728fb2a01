// Access sheet: run_claim, run_renew_claim, run_release_claim. Expectations are read from the
// contract (actions.md §3.6 CLAIM, 4.2, M.5), never recorded from a host.

import {
  beforeMethod, creators, expiredForeign, limiteds, override, ownRuns, plains, strangers,
  type Group, type Row, type Scene,
} from "./sheet.js";

const ownPath = "M.5 OWN: plugin_identity = caller";
const nothing = "M.5: none on the caller's path: NO_RUN_AVAILABLE; property 8.4";
const adminPath = "M.5 ADMIN: all with IN_WS(runtime:admin)";
const noSession = "3.4 SESSION: neither OWNER nor CLAIMER, or no such run: not_authorized";
const everyCaller = "3.5 rule 1: SESSION must hold for every caller; no permission replaces it";
const notLive = "3.4 SESSION, mode live: not LIVE: SESSION_EXPIRED";
const leaseOver = "4.2: after the lease SESSION answers not_authorized to another claimer";
const noProof = "3.6 CLAIM: no permission replaces the proof: claim_not_active";
const proof = "3.6 CLAIM: CLAIM_PROOF(t)";
const scope = "3.6 CLAIM, other run_id: SCOPE(s, t), also for no such run (3.4)";

/** No run_id; one queued run of the column's plugin and workspace lies in the queue. */
const claiming: readonly Group[] = [
  ...beforeMethod,
  [ownRuns, "ok", ownPath],
  [["other_plugin", "missing"], "NO_RUN_AVAILABLE", nothing],
  [["claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch",
    "expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended"], "ok", ownPath],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch", ...expiredForeign, "runtime_admin"],
    "ok", adminPath],
  [["runtime_admin_missing"], "NO_RUN_AVAILABLE", nothing],
  [["former_claim", ...plains, ...creators, "plugin_admin", "plugin_admin_limited"],
    "NO_RUN_AVAILABLE", nothing],
  [["run_admin", "run_admin_over", "run_admin_queued", "run_admin_ended", "run_admin_missing"],
    "NO_RUN_AVAILABLE", "3.1: agent_run:admin does not open run_claim beyond OWN"],
  [["run_admin_session"], "ok", ownPath],
  [["limited_in"], "ok", adminPath],
  [["limited_out", "limited_null", "limited_missing"], "NO_RUN_AVAILABLE",
    "M.5 ADMIN: all with IN_WS(runtime:admin); 3.4: null is in no limited set"],
  [["builtin"], "ok", adminPath],
  [["tenant_b_plugin", "tenant_b_admin"], "NO_RUN_AVAILABLE",
    "1.9: the connection's tenant is part of every query"],
];

/** A run_id, every capability granted; one more queued run in its scope lies in the queue. */
const claimingBySession: readonly Group[] = [
  ...beforeMethod,
  [["owner_live", "delegate_owner", "other_runner", "other_conversation", "other_bot",
    "other_thread"], "ok",
    "M.5 RUN: the session's runner, conversation, bot, workspace and thread"],
  [["no_conversation"], "FORBIDDEN/out_of_scope", "M.5 RUN: the session has no conversation"],
  [["owner_over", "owner_queued", "ended_inside", "failed_inside", "ended_past", "target_ended"],
    "SESSION_EXPIRED",
    notLive],
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", noSession],
  [["claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch"], "ok",
    "3.4 SESSION: OWNER, and LIVE while the lease is active; M.5 RUN"],
  [["expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended"],
    "SESSION_EXPIRED", notLive],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch"], "ok",
    "3.5 rule 1: SESSION as CLAIMER, then ADMIN"],
  [["former_claim"], "ok", "4.2: a live session of the claimer with the snapshot's capabilities"],
  [expiredForeign, "FORBIDDEN/not_authorized", leaseOver],
  [strangers, "FORBIDDEN/not_authorized", everyCaller],
  [["run_admin_session"], "ok", "M.5 RUN: its own session and the capability granted"],
];

const claimingUngranted: readonly Group[] = override(claimingBySession, [
  [["owner_live", "delegate_owner", "other_runner", "other_conversation", "other_bot",
    "other_thread", "no_conversation", "claimer_owner_bare", "claimer_owner_claim", "wrong_token",
    "wrong_epoch", "former_claim", "run_admin_session"], "FORBIDDEN/capability_missing",
  "3.2: run_claim is not granted in a new run, and no active claim implies it"],
]);

/** The runtime is acme/owner's, who registered it. */
const withOwnersRuntime: readonly Group[] = override(claiming, [
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch", ...expiredForeign, "runtime_admin",
    "runtime_admin_missing", "former_claim", ...plains, ...creators, "plugin_admin",
    "plugin_admin_limited", "run_admin", "run_admin_session", "run_admin_over",
    "run_admin_queued", "run_admin_ended", "run_admin_missing", ...limiteds, "builtin"],
    "FORBIDDEN/out_of_scope",
  "M.5: a runtime of another identity, for administrators too, is out_of_scope"],
  [["tenant_b_plugin", "tenant_b_admin"], "NOT_FOUND/runtime",
    "1.9: runtime_id means nothing in another tenant"],
]);

const everyone = claiming.filter((group) => !beforeMethod.includes(group))
  .flatMap(([names]) => names);

const unknownRuntime: readonly Group[] = [
  ...beforeMethod, [everyone, "NOT_FOUND/runtime", "M.5: runtime unknown: NOT_FOUND"],
];

/** OWN may only ask for its own runners. */
const foreignRunners: readonly Group[] = override(claiming, [
  [[...ownRuns, "other_plugin", "missing", "claimer_owner_bare", "claimer_owner_claim",
    "wrong_token", "wrong_epoch", "expired_owner_bare", "expired_owner_claim", "released_claim",
    "claim_ended", "former_claim", ...plains, ...creators, "plugin_admin", "plugin_admin_limited",
    "run_admin", "run_admin_session", "run_admin_over", "run_admin_queued", "run_admin_ended",
    "run_admin_missing", "tenant_b_plugin"], "FORBIDDEN/out_of_scope",
  "M.5 OWN: a runner_ids element outside plugin:<caller>/"],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch", ...expiredForeign, "runtime_admin",
    "limited_in", "builtin"],
    "NO_RUN_AVAILABLE", "M.5 ADMIN: runner_ids only filter"],
]);

/** target_run_id and claim params; columns that show none guess. */
const proving: readonly Group[] = [
  ...beforeMethod,
  [[...ownRuns, "other_plugin", "missing"], "LEASE_LOST/claim_not_active", noProof],
  [["claimer_owner_bare", "wrong_token", "wrong_epoch", "expired_owner_bare",
    "expired_owner_claim", "released_claim", "claim_ended"], "LEASE_LOST/claim_not_active",
  noProof],
  [["claimer_owner_claim", "foreign_claim"], "ok", proof],
  [["former_claim"], "ok", "3.6 CLAIM: only renewing needs runtime:admin as well"],
  [["foreign_bare", "foreign_wrong_epoch", ...expiredForeign], "LEASE_LOST/claim_not_active",
    noProof],
  [[...strangers, "run_admin_session"], "LEASE_LOST/claim_not_active", noProof],
];

const renewing: readonly Group[] = override(proving, [
  [["former_claim"], "FORBIDDEN/permission_missing",
    "3.6 CLAIM: renewing a claim on another plugin's run needs HOLDS(runtime:admin) as well"],
]);

/** run_id = target_run_id. */
const provingSame: readonly Group[] = override(proving, [
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", noSession],
  [expiredForeign, "FORBIDDEN/not_authorized", leaseOver],
  [strangers, "FORBIDDEN/not_authorized", "3.6 CLAIM: SESSION(run_id, own); property 8.12"],
]);

const renewingSame: readonly Group[] = override(provingSame, [
  [["former_claim"], "FORBIDDEN/permission_missing",
    "3.6 CLAIM: renewing a claim on another plugin's run needs HOLDS(runtime:admin) as well"],
]);

/** Another run_id, every capability granted. */
const provingBoth: readonly Group[] = override(proving, [
  [["owner_over", "owner_queued", "ended_inside", "failed_inside", "ended_past"], "SESSION_EXPIRED",
    "3.6 CLAIM, other run_id: SESSION(run_id, live)"],
  [["other_runner", "other_conversation", "other_bot", "other_thread", "no_conversation",
    "other_plugin", "missing"], "FORBIDDEN/out_of_scope", scope],
  [[...plains, ...creators, "run_admin", "builtin"], "FORBIDDEN/not_authorized", noSession],
  [["run_admin_session", "run_admin_over", "run_admin_queued", "run_admin_ended",
    "run_admin_missing", "plugin_admin", "plugin_admin_limited", "tenant_b_plugin"],
    "FORBIDDEN/out_of_scope", scope],
  [["runtime_admin", "runtime_admin_missing", ...limiteds, "tenant_b_admin"],
    "LEASE_LOST/claim_not_active",
    "3.6 CLAIM: HOLDS(runtime:admin) spares CAP and SCOPE, never the proof"],
]);

const renewingBoth: readonly Group[] = override(provingBoth, [
  [["former_claim"], "FORBIDDEN/permission_missing",
    "3.6 CLAIM: renewing a claim on another plugin's run needs HOLDS(runtime:admin) as well"],
]);

const provingUngranted: readonly Group[] = override(provingBoth, [
  [["owner_live", "delegate_owner", "target_ended", "other_runner", "other_conversation",
    "other_bot", "other_thread", "no_conversation", "other_plugin", "missing", "claimer_owner_bare",
    "claimer_owner_claim", "wrong_token", "wrong_epoch", "expired_owner_bare",
    "expired_owner_claim", "released_claim", "claim_ended", "former_claim", "run_admin_session",
    "run_admin_over", "run_admin_queued", "run_admin_ended", "run_admin_missing", "plugin_admin",
    "plugin_admin_limited", "tenant_b_plugin"], "FORBIDDEN/capability_missing",
  "3.6 CLAIM, other run_id: CAP(s, t, c); 3.2 CLAIM_CAPS is for the claimed run only"],
]);

const asNamed = ({ naming }: Scene) => naming;
const takeOwn = ({ naming, judged, queue_name }: Scene) =>
  ({ ...naming, runtime_id: `rt_${judged}`, queue_name });

const proofRows = (
  action: string,
  cells: Record<"target" | "same" | "both" | "ungranted", readonly Group[]>,
): Row[] => [
  {
    action, variant: "target", naming: "target", claim: "required", params: asNamed,
    cells: cells.target,
  },
  {
    action, variant: "target = run_id", naming: "same", claim: "required", params: asNamed,
    cells: cells.same,
  },
  {
    action, variant: "session and target", naming: "both", claim: "required", grants: "all",
    params: asNamed, cells: cells.both,
  },
  {
    action, variant: "session and target, not granted", naming: "both", claim: "required",
    params: asNamed, cells: cells.ungranted,
  },
];

export const claimRows: readonly Row[] = [
  {
    action: "run_claim", variant: "no run", naming: "none", needs: ["queue"], params: takeOwn,
    cells: claiming,
  },
  {
    action: "run_claim", variant: "own run", naming: "run_id", grants: "all", needs: ["queue"],
    params: takeOwn, cells: claimingBySession,
  },
  {
    action: "run_claim", variant: "own run, not granted", naming: "run_id", needs: ["queue"],
    params: takeOwn, cells: claimingUngranted,
  },
  {
    action: "run_claim", variant: "runtime of acme/owner", naming: "none", needs: ["queue"],
    params: ({ queue_name }) => ({ runtime_id: "rt_owner", queue_name }),
    cells: withOwnersRuntime,
  },
  {
    action: "run_claim", variant: "runtime that does not exist", naming: "none",
    needs: ["queue"],
    params: ({ queue_name, fresh }) => ({ runtime_id: `rt_${fresh}`, queue_name }),
    cells: unknownRuntime,
  },
  {
    action: "run_claim", variant: "runners of another plugin", naming: "none", needs: ["queue"],
    params: (scene) => ({ ...takeOwn(scene), runner_ids: ["plugin:other/plugin/r"] }),
    cells: foreignRunners,
  },
  ...proofRows("run_renew_claim", {
    target: renewing, same: renewingSame, both: renewingBoth, ungranted: provingUngranted,
  }),
  ...proofRows("run_release_claim", {
    target: proving, same: provingSame, both: provingBoth, ungranted: provingUngranted,
  }),
];
