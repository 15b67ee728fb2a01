// Access sheet: run_wait, run_retry. Expectations are read from the contract (actions.md §3.5, M.2,
// M.3), never recorded from a host. Waits are of 0 s, so a run that goes on answers at once.

import type { ColumnName } from "./columns.js";
import { authenticated } from "./sheet_plugins.js";
import { byBoth, bySession, byTarget, deniedButClaimed } from "./sheet_reads.js";
import {
  beforeMethod, expiredForeign, override, plains, type Group, type Row, type Scene,
} from "./sheet.js";

const goesOn = "M.3 run_wait: access as run_get; 1.7: a wait ran out, the run goes on";
const noClaimer =
  "3.4 CLAIMER: the lease of an ended run is not active; 4.2: it ends with the lease";
const holders = [
  "foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim",
] as const satisfies ColumnName[];
/** acme/owner on claims whose run goes on. */
const ownGoing = [
  "claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch",
  "expired_owner_bare", "expired_owner_claim", "released_claim",
] as const satisfies ColumnName[];

const waitOwn: readonly Group[] = override(bySession, [
  [["owner_live", "owner_over", "owner_queued", "delegate_owner", "other_runner",
    "other_conversation", "other_bot", "other_thread", "no_conversation", ...ownGoing, ...holders,
    "run_admin_session"], "DEADLINE_EXCEEDED", goesOn],
]);

const waitTarget: readonly Group[] = override(byTarget, [
  [["creator", "creator_limited_in", "run_admin", "run_admin_over", "run_admin_queued",
    "run_admin_session", "limited_in", "builtin"], "DEADLINE_EXCEEDED", goesOn],
]);

const waitBoth: readonly Group[] = override(byBoth, [
  [["owner_live", "owner_over", "owner_queued", "ended_inside", "failed_inside", "delegate_owner",
    ...ownGoing, ...holders, ...expiredForeign, "run_admin_session", "run_admin_over",
    "run_admin_queued", "limited_in"], "DEADLINE_EXCEEDED", goesOn],
]);

const waitDenied: readonly Group[] = override(deniedButClaimed, [
  [["claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch", ...holders],
    "DEADLINE_EXCEEDED", "3.2: run_get opens run_wait, and CLAIM_CAPS holds it; 1.7"],
  [["run_admin_session"], "DEADLINE_EXCEEDED",
    "3.5 rule 1: HOLDS(P) and IN_WS(P, t) come before CAP; 1.7"],
]);

/** Every run has ended before the call, so nothing waits and no claim is a session. */
const waitEnded: readonly Group[] = override(bySession, [
  [holders, "FORBIDDEN/not_authorized", noClaimer],
]);

const waitEndedDenied: readonly Group[] = override(deniedButClaimed, [
  [["claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch"],
    "FORBIDDEN/capability_missing", "3.4 CAP: denied, and without a lease nothing is implied"],
  [holders, "FORBIDDEN/not_authorized", noClaimer],
]);

const wait = ({ naming }: Scene) => ({ ...naming, wait_seconds: 0 });

const owned = "M.2 run_retry, OWNER alone: of failed and timeout, READABLE";
const going = "M.2 run_retry: CONFLICT run_not_retryable: target not terminal";
const completed = "M.2 run_retry, OWNER alone: status is not failed or timeout: run_not_retryable";
const unread = "M.2 run_retry, OWNER alone: not READABLE: run_not_retryable";
const nobody = "M.2 run_retry: neither ADMIN, CREATOR nor OWNER(t): not_authorized";
const limited = "M.2 run_retry: else not_authorized; NOT_FOUND is for an unlimited administrator";

/** What is refused whatever state the target is in. */
const retryRefused: readonly Group[] = [
  ...beforeMethod,
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", nobody],
  [[...holders, ...expiredForeign], "FORBIDDEN/not_authorized",
    "M.2 run_retry: a claim is no path: ADMIN, CREATOR, OWNER(t)"],
  [[...plains, "plugin_admin", "plugin_admin_limited", "tenant_b_plugin"],
    "FORBIDDEN/not_authorized", nobody],
  [["runtime_admin", "runtime_admin_missing"], "FORBIDDEN/not_authorized",
    "3.1: runtime:admin does not open run_retry"],
  [["creator_other", "creator_missing", "creator_limited_out"], "FORBIDDEN/not_authorized",
    "3.4 CREATOR: run.created_by = caller and IN_WS; M.2: else not_authorized"],
  [["limited_out", "limited_null", "limited_missing"], "FORBIDDEN/not_authorized", limited],
  [["run_admin_missing"], "NOT_FOUND/run",
    "M.2 run_retry: NOT_FOUND for an unlimited administrator"],
  [["tenant_b_admin"], "NOT_FOUND/run",
    "1.9: another tenant's id is answered as an id that does not exist"],
];

/** target_run_id; the target as the column has it. */
const retrying: readonly Group[] = [
  ...retryRefused,
  [["owner_live", "owner_over", "owner_queued", "delegate_owner", "other_runner",
    "other_conversation", "other_bot", "other_thread", "no_conversation", ...ownGoing],
  "CONFLICT/run_not_retryable", going],
  [["ended_inside", "claim_ended"], "CONFLICT/run_not_retryable", completed],
  [["failed_inside"], "ok", owned],
  [["ended_past"], "CONFLICT/run_not_retryable", completed],
  [["target_ended"], "CONFLICT/run_not_retryable", unread],
  [["creator", "creator_limited_in"], "CONFLICT/run_not_retryable", going],
  [["run_admin", "run_admin_session", "run_admin_over", "run_admin_queued", "limited_in",
    "builtin"], "CONFLICT/run_not_retryable", going],
  [["run_admin_ended"], "ok", "M.2 run_retry: status and READABLE bind OWNER alone"],
];

/** As retrying; what went on has failed a moment ago. */
const retryingFailed: readonly Group[] = override(retrying, [
  [["owner_live", "owner_over", "owner_queued", "other_runner", "other_conversation", "other_bot",
    "other_thread", "no_conversation", ...ownGoing], "ok", owned],
  [["delegate_owner"], "ok", "wire.md §3: judged as if the other identity had made the call"],
  [["creator", "creator_limited_in"], "ok", "M.2 run_retry: CREATOR (3.4)"],
  [["run_admin", "run_admin_session", "run_admin_over", "run_admin_queued", "limited_in",
    "builtin"], "ok", "M.2 run_retry: ADMIN(agent_run:admin), IN_WS (3.5 rule 2)"],
]);

const unknown = (path: string, why: string): readonly Group[] => [
  ...beforeMethod, [authenticated, `INVALID_PARAMS/${path}`, why],
];

const retry = ({ naming }: Scene) => naming;

export const waitRows: readonly Row[] = [
  { action: "run_wait", variant: "own run", naming: "run_id", params: wait, cells: waitOwn },
  { action: "run_wait", variant: "target only", naming: "target", params: wait, cells: waitTarget },
  {
    action: "run_wait", variant: "session and target", naming: "both", params: wait,
    cells: waitBoth,
  },
  {
    action: "run_wait", variant: "own run, capability denied", naming: "run_id",
    grants: { run_get: false }, params: wait, cells: waitDenied,
  },
  {
    action: "run_wait", variant: "own run, ended", naming: "run_id", ended: true, params: wait,
    cells: waitEnded,
  },
  {
    action: "run_wait", variant: "target only, ended", naming: "target", ended: true,
    params: wait, cells: byTarget,
  },
  {
    action: "run_wait", variant: "session and target, the target ended", naming: "both",
    ended: true, params: wait, cells: byBoth,
  },
  {
    action: "run_wait", variant: "own run, ended, capability denied", naming: "run_id",
    grants: { run_get: false }, ended: true, params: wait, cells: waitEndedDenied,
  },
  { action: "run_retry", variant: "target", naming: "target", params: retry, cells: retrying },
  {
    action: "run_retry", variant: "target, failed", naming: "target", ended: true,
    params: retry, cells: retryingFailed,
  },
  {
    action: "run_retry", variant: "target, failed, to be running", naming: "target", ended: true,
    params: (scene) => ({ ...retry(scene), new_run_id: scene.fresh, dispatch: "running" }),
    cells: retryingFailed,
  },
  {
    action: "run_retry", variant: "with a run_id", naming: "same", params: retry,
    cells: unknown("run_id", "3.5: a method that does not list run_id takes none; 1.2: step 4"),
  },
  {
    action: "run_retry", variant: "not_before with dispatch running", naming: "target",
    params: (scene) => ({ ...retry(scene), dispatch: "running", not_before: 4102444800 }),
    cells: unknown("not_before",
      "M.2 run_retry: with dispatch running INVALID_PARAMS; 1.2: step 4"),
  },
];
