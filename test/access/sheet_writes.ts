// Access sheet: run_append_result, run_emit_result, run_finalize. Expectations are read from the
// contract (actions.md §3.6 WRITE, administrator write, 5.4, M.4), never recorded from a host.

import type { ColumnName } from "./columns.js";
import {
  beforeMethod, creators, override, ownRuns, plains, strangers, type Group, type Row, type Scene,
} from "./sheet.js";

const executor = "3.6: OWNER(t), status is running and LIVE(t)";
const proof = "3.6: CLAIM_PROOF(t)";
const noProof = "3.6: not CLAIM_PROOF(t): claim_not_active";
const unknownClaim = "3.4 CLAIM_KNOWN: wrong token, epoch or a row that went back to queued";
const claimRequired = "3.6: no claim shown and the status is not running: claim_required";
const sessionOver = "3.6: status running but not LIVE: SESSION_EXPIRED";
const noSession = "3.6: SESSION(run_id, own), 3.4: neither OWNER nor CLAIMER: not_authorized";
const everyCaller = "3.6: SESSION of a given run_id still has to hold; property 8.12";
const terminal = "5.4: admission, then the terminal run";
const noRun = "3.6: none, absent: INVALID_PARAMS at run_id";
const notLiveSession = "3.6, other run: SESSION(run_id, live)";
const scope = "3.6, other run: SCOPE(s, t)";
const neverOther = "3.6, none, other run: never the executor";
const adminLive = "3.6: an administrator writes to a LIVE run only with force: claim_required";
const adminNotLive = "3.6: an administrator may write if t is not LIVE";
const limitedRefused = "3.6: as in 3.5 rule 3: out_of_scope where a limited ADMIN was tried";
const capability = "3.4 CAP: the snapshot does not grant it (3.2)";
const forceNeeds = "3.6: force without the permission is permission_missing";
const forceClaim = "3.6: force with claim params is INVALID_PARAMS";
const otherTenant = "1.9: another tenant's id is answered as an id that does not exist";

const shown = [
  "claimer_owner_claim", "wrong_token", "wrong_epoch", "foreign_wrong_epoch",
  "expired_owner_claim", "released_claim", "claim_ended", "foreign_claim", "former_claim",
  "expired_foreign_claim",
] as const satisfies ColumnName[];

/** run_id alone, every capability granted. The ended runs are answered by `ended`. */
const bySession: readonly Group[] = [
  ...beforeMethod,
  [["owner_live", "other_runner", "other_conversation", "other_bot", "other_thread",
    "no_conversation"], "ok",
    executor],
  [["delegate_owner"], "ok", "wire.md §3: judged as if the other identity had made the call"],
  [["owner_over"], "SESSION_EXPIRED", sessionOver],
  [["owner_queued"], "LEASE_LOST/claim_required", claimRequired],
  [["ended_inside", "failed_inside", "ended_past", "target_ended"], "RUN_TERMINAL",
    "3.6: SESSION(run_id, own) asks nothing of time; 5.4: terminal"],
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", noSession],
  [["claimer_owner_bare", "expired_owner_bare"], "LEASE_LOST/claim_required", claimRequired],
  [["claimer_owner_claim"], "ok", proof],
  [["wrong_token", "wrong_epoch", "foreign_wrong_epoch", "released_claim"],
    "LEASE_LOST/claim_not_active", unknownClaim],
  [["expired_owner_claim"], "LEASE_LOST/claim_not_active", noProof],
  [["claim_ended"], "RUN_TERMINAL", terminal],
  [["foreign_bare"], "LEASE_LOST/claim_required", claimRequired],
  [["foreign_claim", "former_claim"], "ok", "3.6: SESSION as CLAIMER, then CLAIM_PROOF(t)"],
  [["expired_foreign_bare", "expired_foreign_claim"], "FORBIDDEN/not_authorized",
    "4.2: after the lease SESSION answers not_authorized to another claimer; 3.6"],
  [strangers, "FORBIDDEN/not_authorized", everyCaller],
  [["run_admin_session"], "ok", executor],
];

/** target_run_id alone. */
const byTarget: readonly Group[] = [
  ...beforeMethod,
  [[...ownRuns, "other_plugin", "missing"], "INVALID_PARAMS/run_id", noRun],
  [["claimer_owner_bare", "expired_owner_bare", "foreign_bare", "expired_foreign_bare"],
    "INVALID_PARAMS/run_id", noRun],
  [["claimer_owner_claim", "foreign_claim", "former_claim"], "ok", proof],
  [["wrong_token", "wrong_epoch", "foreign_wrong_epoch", "released_claim"],
    "LEASE_LOST/claim_not_active", unknownClaim],
  [["expired_owner_claim", "expired_foreign_claim"], "LEASE_LOST/claim_not_active", noProof],
  [["claim_ended"], "RUN_TERMINAL", "3.6: CLAIM_KNOWN(t) admits; 5.4: terminal"],
  [[...plains, ...creators, "runtime_admin", "runtime_admin_missing", "plugin_admin",
    "plugin_admin_limited", "tenant_b_plugin"], "INVALID_PARAMS/run_id", noRun],
  [["run_admin", "run_admin_session", "limited_in", "builtin"], "LEASE_LOST/claim_required",
    adminLive],
  [["run_admin_over", "run_admin_queued"], "ok", adminNotLive],
  [["run_admin_ended"], "RUN_TERMINAL", terminal],
  [["run_admin_missing"], "NOT_FOUND/run", "3.6: a target that does not exist: as in 3.5 rule 3"],
  [["limited_out", "limited_null", "limited_missing"], "FORBIDDEN/out_of_scope", limitedRefused],
  [["tenant_b_admin"], "NOT_FOUND/run", otherTenant],
];

/** A session and another run, every capability granted. */
const byBoth: readonly Group[] = [
  ...beforeMethod,
  [["owner_live", "delegate_owner"], "LEASE_LOST/claim_required", neverOther],
  [["owner_over", "owner_queued", "ended_inside", "failed_inside", "ended_past"],
    "SESSION_EXPIRED", notLiveSession],
  [["target_ended"], "RUN_TERMINAL", "5.4: admission, then terminal, then who the executor is"],
  [["other_runner", "other_conversation", "other_bot", "other_thread", "no_conversation",
    "other_plugin", "missing"], "FORBIDDEN/out_of_scope", scope],
  [["claimer_owner_bare", "expired_owner_bare", "foreign_bare", "expired_foreign_bare"],
    "LEASE_LOST/claim_required", neverOther],
  [["claimer_owner_claim", "foreign_claim", "former_claim"], "ok", proof],
  [["wrong_token", "wrong_epoch", "foreign_wrong_epoch", "released_claim"],
    "LEASE_LOST/claim_not_active", unknownClaim],
  [["expired_owner_claim", "expired_foreign_claim"], "LEASE_LOST/claim_not_active", noProof],
  [["claim_ended"], "RUN_TERMINAL", "3.6: CLAIM_KNOWN(t) admits; 5.4: terminal"],
  [[...plains, ...creators], "FORBIDDEN/not_authorized", noSession],
  [["run_admin", "builtin"], "FORBIDDEN/not_authorized", everyCaller],
  [["run_admin_session", "limited_in"], "LEASE_LOST/claim_required", adminLive],
  [["run_admin_over", "run_admin_queued"], "ok", adminNotLive],
  [["run_admin_ended"], "RUN_TERMINAL", terminal],
  [["run_admin_missing"], "NOT_FOUND/run", "3.6: a target that does not exist: as in 3.5"],
  [["runtime_admin", "runtime_admin_missing", "plugin_admin", "plugin_admin_limited"],
    "FORBIDDEN/out_of_scope", scope],
  [["limited_out", "limited_null", "limited_missing"], "FORBIDDEN/out_of_scope", scope],
  [["tenant_b_plugin"], "FORBIDDEN/out_of_scope", otherTenant],
  [["tenant_b_admin"], "NOT_FOUND/run", otherTenant],
];

/** run_id alone, and the snapshot does not grant the method. */
const bySessionUngranted: readonly Group[] = override(bySession, [
  [[...ownRuns, "expired_owner_bare"], "FORBIDDEN/capability_missing", capability],
  [["claimer_owner_bare", "foreign_bare"], "LEASE_LOST/claim_required",
    "3.2 CLAIM_CAPS admits the holder of the claim, 3.6: claim_required"],
  [["run_admin_session"], "ok", "3.6: an administrator is admitted where CAP refuses; executor"],
]);

const byBothUngranted: readonly Group[] = override(byBoth, [
  [["owner_live", "delegate_owner", "target_ended", "other_runner", "other_conversation",
    "other_bot", "other_thread", "no_conversation", "other_plugin", "missing", "claimer_owner_bare",
    "claimer_owner_claim", "wrong_token", "wrong_epoch", "foreign_wrong_epoch",
    "expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended", "foreign_bare",
    "foreign_claim", "former_claim", "expired_foreign_bare", "expired_foreign_claim",
    "runtime_admin", "runtime_admin_missing", "plugin_admin", "plugin_admin_limited",
    "limited_out", "limited_null", "limited_missing", "tenant_b_plugin"],
    "FORBIDDEN/capability_missing",
  "3.6, other run: CAP(s, t, c) stands before SCOPE; 3.2 CLAIM_CAPS is for the claimed run only"],
]);

/** run_id alone; emitting needs no capability. */
const emitBySession: readonly Group[] = override(bySession, [
  [["run_admin_session"], "ok", "3.6: run_emit_result needs no capability; executor"],
]);

const emitByTarget: readonly Group[] = override(byTarget, [
  [["run_admin", "run_admin_session", "run_admin_over", "run_admin_queued", "run_admin_ended",
    "run_admin_missing", "limited_in", "limited_out", "limited_null", "limited_missing",
    "builtin", "tenant_b_admin"], "INVALID_PARAMS/run_id",
  "3.6: administrator write: never run_emit_result; none, absent: INVALID_PARAMS at run_id"],
]);

/** run_emit_result is no capability name, so no snapshot lets a session emit for another run. */
const emitByBoth: readonly Group[] = override(byBothUngranted, [
  [["run_admin_session", "run_admin_over", "run_admin_queued", "run_admin_ended",
    "run_admin_missing", "limited_in", "tenant_b_admin"], "FORBIDDEN/capability_missing",
  "3.6: never an administrator write; 3.2: run_emit_result is not a name of its own"],
]);

/** As append, where an ended run answers a repeat of its status, and another status not. */
const finalizeBySession = override(bySession, [
  [["ended_inside", "ended_past", "claim_ended"], "ok",
    "M.4: admission, then terminal with the same status: the stored run; 1.8"],
  [["target_ended", "failed_inside"], "CONFLICT/status_differs",
    "M.4: terminal with another status"],
]);

const finalizeByTarget = override(byTarget, [
  [["claim_ended"], "ok", "M.4: CLAIM_KNOWN admits, terminal with the same status; 1.8"],
  [["run_admin_ended"], "ok", "M.4: terminal with the same status; 1.8"],
]);

const finalizeByBoth = override(byBoth, [
  [["target_ended"], "CONFLICT/status_differs", "M.4: terminal with another status"],
  [["claim_ended", "run_admin_ended"], "ok", "M.4: terminal with the same status; 1.8"],
]);

const finalizeUngranted = override(bySessionUngranted, [
  [["claim_ended"], "ok", "M.4: CLAIM_KNOWN admits, terminal with the same status; 1.8"],
]);

/** force, on a target without run_id. */
const byForce: readonly Group[] = override(byTarget, [
  [[...ownRuns, "other_plugin", "missing", "claimer_owner_bare", "expired_owner_bare",
    "foreign_bare", "expired_foreign_bare", ...plains, ...creators, "runtime_admin",
    "runtime_admin_missing", "plugin_admin", "plugin_admin_limited", "tenant_b_plugin"],
    "FORBIDDEN/permission_missing",
  forceNeeds],
  [shown, "INVALID_PARAMS/force", forceClaim],
  [["run_admin", "run_admin_session", "limited_in", "builtin"], "ok",
    "3.6: an administrator may write if it passes force"],
]);

/** force, on the caller's own run. */
const byForceOwn: readonly Group[] = override(bySession, [
  [[...ownRuns, "claimer_owner_bare", "expired_owner_bare", "foreign_bare"],
    "FORBIDDEN/permission_missing", forceNeeds],
  [["other_plugin", "missing", "expired_foreign_bare", ...plains, ...creators, "runtime_admin",
    "runtime_admin_missing", "plugin_admin", "plugin_admin_limited", "tenant_b_plugin"],
    "FORBIDDEN/permission_missing",
  "1.2 step 5: a permission that one parameter needs, which no lookup can change; 3.6"],
  [shown, "INVALID_PARAMS/force", forceClaim],
  [["run_admin_session"], "ok", executor],
]);

const result = ({ naming }: Scene) => ({
  ...naming, sequence: 1, type: "tool.call.started",
  data: { tool_call_id: "call", tool_name: "tool" },
});
const ending = ({ naming }: Scene) => ({ ...naming, status: "completed" });
const forced = { force: true };

const writing = { claim: "shown", grants: "all" } as const;

export const writeRows: readonly Row[] = [
  {
    action: "run_append_result", variant: "own run", naming: "run_id", ...writing, params: result,
    cells: bySession,
  },
  {
    action: "run_append_result", variant: "target = run_id", naming: "same", ...writing,
    params: result, cells: bySession,
  },
  {
    action: "run_append_result", variant: "own run, not granted", naming: "run_id",
    claim: "shown", params: result, cells: bySessionUngranted,
  },
  {
    action: "run_append_result", variant: "target only", naming: "target", ...writing,
    params: result, cells: byTarget,
  },
  {
    action: "run_append_result", variant: "session and target", naming: "both", ...writing,
    params: result, cells: byBoth,
  },
  {
    action: "run_append_result", variant: "session and target, not granted", naming: "both",
    claim: "shown", params: result, cells: byBothUngranted,
  },
  {
    action: "run_append_result", variant: "target only, force", naming: "target", ...writing,
    params: (scene) => ({ ...result(scene), ...forced }), cells: byForce,
  },
  {
    action: "run_append_result", variant: "own run, force", naming: "run_id", ...writing,
    params: (scene) => ({ ...result(scene), ...forced }), cells: byForceOwn,
  },
  {
    action: "run_emit_result", variant: "own run, nothing granted", naming: "run_id",
    claim: "shown", params: result, cells: emitBySession,
  },
  {
    action: "run_emit_result", variant: "target only", naming: "target", ...writing,
    params: result, cells: emitByTarget,
  },
  {
    action: "run_emit_result", variant: "session and target", naming: "both", ...writing,
    params: result, cells: emitByBoth,
  },
  {
    action: "run_finalize", variant: "own run", naming: "run_id", ...writing, params: ending,
    cells: finalizeBySession,
  },
  {
    action: "run_finalize", variant: "own run, not granted", naming: "run_id", claim: "shown",
    params: ending, cells: finalizeUngranted,
  },
  {
    action: "run_finalize", variant: "target only", naming: "target", ...writing, params: ending,
    cells: finalizeByTarget,
  },
  {
    action: "run_finalize", variant: "session and target", naming: "both", ...writing,
    params: ending, cells: finalizeByBoth,
  },
  {
    action: "run_finalize", variant: "target only, force", naming: "target", ...writing,
    params: (scene) => ({ ...ending(scene), ...forced }),
    cells: override(byForce, [
      [["run_admin_ended"], "ok", "M.4: terminal with the same status; 1.8"],
    ]),
  },
];
