// Access sheet: run_get, run_events_page, run_list, run_cancel. Expectations are read from the
// contract (actions.md §3.5, M.3), never recorded from a host.

import {
  beforeMethod, creators, expiredForeign, limiteds, override, ownClaims, ownRuns, owners, plains,
  runAdmins, runtimeAdmins, strangers, type Group, type Row, type Scene,
} from "./sheet.js";

const asNamed = ({ naming }: Scene) => naming;

const ownSession = "3.4 SESSION: OWNER holds; 3.2: the capability is granted in a new run";
const readable = "3.4 READABLE: an ended run may be read inside RUNHOST_SNAPSHOT_READ_DAYS";
const unreadable = "3.4 SESSION, mode persisted: past the read window it is SESSION_EXPIRED";
const noSession = "3.4 SESSION: neither OWNER nor CLAIMER, or no such run: not_authorized";
const everyCaller = "3.5 rule 1: SESSION must hold for every caller; no permission replaces it";
const claimerSession = "4.2: while the lease is active the claimed run is the claimer's session";
const leaseOver = "4.2: after the lease SESSION answers not_authorized to another claimer";
const noPath = "3.5 rule 3: no permission and no run_id: INVALID_PARAMS at run_id";
const scope = "3.4 SCOPE: another runner, conversation, thread or plugin, none, or no such run";
const siblings = "3.4 SCOPE: same runner, conversation, bot, workspace and thread";
const adminAdmits = "3.5 rule 2: ADMIN needs HOLDS(P) and IN_WS(P, t)";
const unlimitedMissing = "3.5 rule 3: NOT_FOUND where an unlimited ADMIN was tried";
const limitedRefused = "3.5 rule 3: out_of_scope where a limited ADMIN was tried";
const creatorRefused = "3.5 rule 3: not_authorized where only CREATOR was tried";
const otherTenant = "1.9: another tenant's id is answered as an id that does not exist";

/** run_id alone; mode persisted. */
export const bySession: readonly Group[] = [
  ...beforeMethod,
  [["owner_live", "owner_over", "owner_queued"], "ok", ownSession],
  [["delegate_owner"], "ok", "wire.md §3: judged as if the other identity had made the call"],
  [["other_runner", "other_conversation", "other_bot", "other_thread", "no_conversation"], "ok",
    ownSession],
  [["ended_inside", "failed_inside"], "ok", readable],
  [["ended_past", "target_ended"], "SESSION_EXPIRED", unreadable],
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", noSession],
  [ownClaims, "ok", ownSession],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim"], "ok", claimerSession],
  [expiredForeign, "FORBIDDEN/not_authorized", leaseOver],
  [["run_admin_session"], "ok", ownSession],
  [strangers, "FORBIDDEN/not_authorized", everyCaller],
];

/** target_run_id alone. */
export const byTarget: readonly Group[] = [
  ...beforeMethod,
  [owners, "INVALID_PARAMS/run_id", noPath],
  [["former_claim", ...plains, "plugin_admin", "plugin_admin_limited"], "INVALID_PARAMS/run_id",
    noPath],
  [runtimeAdmins, "INVALID_PARAMS/run_id", "3.1: runtime:admin does not open reading runs; 3.5"],
  [["creator", "creator_limited_in"], "ok", "3.4 CREATOR: run.created_by = caller, IN_WS"],
  [["creator_other", "creator_missing", "creator_limited_out"], "FORBIDDEN/not_authorized",
    creatorRefused],
  [["run_admin", "run_admin_over", "run_admin_queued", "run_admin_ended"], "ok", adminAdmits],
  [["run_admin_session"], "ok", adminAdmits],
  [["run_admin_missing"], "NOT_FOUND/run", unlimitedMissing],
  [["limited_in"], "ok", adminAdmits],
  [["limited_out", "limited_null", "limited_missing"], "FORBIDDEN/out_of_scope", limitedRefused],
  [["builtin"], "ok", adminAdmits],
  [["tenant_b_plugin"], "INVALID_PARAMS/run_id", noPath],
  [["tenant_b_admin"], "NOT_FOUND/run", otherTenant],
];

/** A session and another run; the session in mode persisted. */
export const byBoth: readonly Group[] = [
  ...beforeMethod,
  [["owner_live", "owner_over", "owner_queued", "ended_inside", "failed_inside"], "ok", siblings],
  [["delegate_owner"], "ok", "wire.md §3: judged as if the other identity had made the call"],
  [["target_ended"], "ok", "3.4 READABLE is asked of the session, not of the target"],
  [["ended_past"], "SESSION_EXPIRED", unreadable],
  [["other_runner", "other_conversation", "other_bot", "other_thread", "no_conversation",
    "other_plugin", "missing"], "FORBIDDEN/out_of_scope", scope],
  [ownClaims, "ok", siblings],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim", ...expiredForeign],
    "ok", claimerSession],
  [[...plains, ...creators], "FORBIDDEN/not_authorized", noSession],
  [["run_admin", "builtin"], "FORBIDDEN/not_authorized", everyCaller],
  [["run_admin_over", "run_admin_queued", "run_admin_ended"], "ok",
    "3.5 rule 1: with a session of its own, admitted when IN_WS(P, t)"],
  [["run_admin_missing"], "NOT_FOUND/run", "3.5 rule 1: NOT_FOUND when WS(P) is unlimited"],
  [["runtime_admin", "runtime_admin_missing", "plugin_admin", "plugin_admin_limited"],
    "FORBIDDEN/out_of_scope", scope],
  [["limited_in"], "ok", "3.5 rule 1: admitted when IN_WS(P, t)"],
  [["limited_out", "limited_null", "limited_missing"], "FORBIDDEN/out_of_scope",
    "3.5 rule 1: outside WS(P), SCOPE decides"],
  [["tenant_b_plugin"], "FORBIDDEN/out_of_scope", otherTenant],
  [["tenant_b_admin"], "NOT_FOUND/run", otherTenant],
  [["run_admin_session"], "ok", "3.5 rule 1: admitted when IN_WS(P, t)"],
];

/** As byBoth, where another target than the session needs a live session. */
const byBothLive: readonly Group[] = override(byBoth, [
  [["owner_over", "owner_queued", "ended_inside", "failed_inside"], "SESSION_EXPIRED",
    "M.3 run_cancel: for another target RUN(run_cancel, live); 3.4 LIVE"],
]);

/** As bySession, where the snapshot denies what an active claim implies. */
export const deniedButClaimed: readonly Group[] = override(bySession, [
  [["delegate_owner", "owner_live", "owner_over", "owner_queued", "ended_inside", "failed_inside",
    "other_runner", "other_conversation", "other_bot", "other_thread", "no_conversation",
    "expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended"],
    "FORBIDDEN/capability_missing",
  "3.4 CAP: only the value true grants (3.2), and no active claim implies it"],
  [["claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch", "foreign_bare",
    "foreign_claim", "foreign_wrong_epoch", "former_claim"], "ok",
    "3.2 CLAIM_CAPS holds run_get for the claimed run"],
  [["run_admin_session"], "ok", "3.5 rule 1: HOLDS(P) and IN_WS(P, t) come before CAP"],
]);

/** As bySession, where the snapshot denies what no claim implies. */
const denied: readonly Group[] = override(bySession, [
  [[...ownRuns.filter((name) => name !== "ended_past" && name !== "target_ended"), ...ownClaims,
    "foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim"],
    "FORBIDDEN/capability_missing",
  "3.4 CAP: the snapshot does not grant it and 3.2 CLAIM_CAPS does not hold it"],
  [["run_admin_session"], "ok", "3.5 rule 1: HOLDS(P) and IN_WS(P, t) come before CAP"],
]);

const listNoConversation: readonly Group[] = override(bySession, [
  [["no_conversation"], "FORBIDDEN/capability_missing",
    "3.2: run_list is granted when the run has a conversation"],
]);

const listEverything: readonly Group[] = override(byTarget, [
  [creators, "ok", "3.5: a list through CREATOR shows runs with created_by = caller"],
  [runAdmins, "ok", "3.5: a list through ADMIN needs no target"],
  [limiteds, "ok", "3.5: a list through a limited permission shows runs with IN_WS"],
  [["builtin", "tenant_b_admin"], "ok", "3.5: a list through ADMIN needs no target"],
]);

/** Filters that differ from the session's values. */
const listElsewhere: readonly Group[] = override(listNoConversation, [
  [["owner_live", "owner_over", "owner_queued", "delegate_owner", "ended_inside", "failed_inside",
    "other_runner", "other_conversation", "other_bot", "other_thread", ...ownClaims,
    "foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim"],
    "FORBIDDEN/out_of_scope",
  "M.3 run_list: through RUN each filter must equal the session's value"],
  [["run_admin_session"], "ok", "3.5 rule 1: ADMIN admits; M.3: through ADMIN filters only filter"],
]);

const reading = (action: string): Row[] => [
  { action, variant: "own run", naming: "run_id", params: asNamed, cells: bySession },
  { action, variant: "target only", naming: "target", params: asNamed, cells: byTarget },
  { action, variant: "session and target", naming: "both", params: asNamed, cells: byBoth },
];

export const readRows: readonly Row[] = [
  ...reading("run_get"),
  {
    action: "run_get", variant: "own run, capability denied", naming: "run_id",
    grants: { run_get: false }, params: asNamed, cells: deniedButClaimed,
  },
  ...reading("run_explain"),
  {
    action: "run_explain", variant: "own run, capability denied", naming: "run_id",
    grants: { run_get: false }, params: asNamed, cells: deniedButClaimed,
  },
  ...reading("run_events_page"),
  {
    action: "run_events_page", variant: "own run, capability denied", naming: "run_id",
    grants: { run_events_page: false }, params: asNamed, cells: deniedButClaimed,
  },
  {
    action: "run_list", variant: "own run", naming: "run_id", params: asNamed,
    cells: listNoConversation,
  },
  {
    action: "run_list", variant: "own run, filter of another conversation", naming: "run_id",
    params: ({ naming }) => ({ ...naming, conversation_id: "elsewhere" }), cells: listElsewhere,
  },
  {
    action: "run_list", variant: "own run, filter of another runner", naming: "run_id",
    params: ({ naming }) => ({ ...naming, runner_id: "plugin:acme/elsewhere/r" }),
    cells: listElsewhere,
  },
  {
    action: "run_list", variant: "own run, filter of another workspace", naming: "run_id",
    params: ({ naming }) => ({ ...naming, workspace_id: "w9" }), cells: listElsewhere,
  },
  { action: "run_list", variant: "no run", naming: "none", cells: listEverything },
  {
    action: "run_cancel", variant: "own run", naming: "run_id", params: asNamed, cells: bySession,
  },
  {
    action: "run_cancel", variant: "target only", naming: "target", params: asNamed,
    cells: byTarget,
  },
  {
    action: "run_cancel", variant: "session and target", naming: "both", params: asNamed,
    cells: byBothLive,
  },
  {
    action: "run_cancel", variant: "own run, capability denied", naming: "run_id",
    grants: { run_cancel: false }, params: asNamed, cells: denied,
  },
];
