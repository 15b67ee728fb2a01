// Access sheet: runners and runtimes. Expectations are read from the contract (actions.md §3.5,
// M.6), never recorded from a host.

import type { ColumnName } from "./columns.js";
import {
  beforeMethod, creators, expiredForeign, limiteds, override, owners, plains, runAdmins,
  runtimeAdmins, strangers, type Group, type Row, type Scene,
} from "./sheet.js";

const others = [
  "former_claim", ...plains, ...creators, ...runAdmins, ...runtimeAdmins, "plugin_admin",
  "plugin_admin_limited", ...limiteds, "builtin",
] as const satisfies ColumnName[];
const tenantB = ["tenant_b_plugin", "tenant_b_admin"] as const satisfies ColumnName[];

const forAll = (why: string): readonly Group[] => [
  ...beforeMethod, [[...owners, ...others, ...tenantB], "ok", why],
];

const notLive = "3.4 SESSION, mode live: not LIVE: SESSION_EXPIRED";
const noSession = "3.4 SESSION: neither OWNER nor CLAIMER, or no such run: not_authorized";
const everyCaller = "3.5 rule 1: SESSION must hold for every caller; no permission replaces it";

const ownersRunner: readonly Group[] = override(forAll("M.6 OWN: the caller's own ids"), [
  [[...others, "tenant_b_admin"], "FORBIDDEN/out_of_scope",
    "M.6 runner_register: every id must be plugin:<caller>/…, also for administrators"],
]);

const ownersRunners: readonly Group[] = override(forAll("M.6 OWN: only the caller itself"), [
  [["former_claim", ...plains, ...creators, ...runtimeAdmins, "plugin_admin",
    "plugin_admin_limited"],
    "FORBIDDEN/out_of_scope", "M.6 runner_list: through OWN only the caller itself"],
  [[...runAdmins, "builtin", "tenant_b_admin"], "ok", "M.6 ADMIN(agent_run:admin): all"],
  [limiteds, "ok", "M.6 ADMIN; 3.5: runners, runtimes and plugins have no workspace"],
]);

/** A runtime of acme/owner that nobody but acme/owner may register again. */
const ownersRuntime: readonly Group[] = override(forAll("M.6: the runtime is the caller's own"), [
  [others, "FORBIDDEN/out_of_scope",
    "M.6 runtime_register: on every path the runtime must be new or the caller's own"],
  [tenantB, "ok", "1.9: the id means nothing in another tenant: there it is new"],
]);

const administered = [
  ...runtimeAdmins, ...limiteds, "builtin",
] as const satisfies ColumnName[];

/** A runtime of acme/owner that administrators may hold or withdraw. */
const heldRuntime: readonly Group[] = override(ownersRuntime, [
  [administered, "ok", "M.6 ADMIN(runtime:admin); 3.5: runtimes have no workspace"],
  [tenantB, "NOT_FOUND/runtime", "1.9: as an id that does not exist: NOT_FOUND runtime"],
]);

const heldWithFields: readonly Group[] = override(heldRuntime, [
  [administered, "FORBIDDEN/out_of_scope",
    "M.6 runtime_heartbeat: an administrator on another's runtime: any other field"],
]);

const heldWithoutStatus: readonly Group[] = override(heldRuntime, [
  [administered, "INVALID_PARAMS/status",
    "M.6 runtime_heartbeat: an administrator on another's runtime: status is required"],
]);

const unknownRuntime: readonly Group[] = [
  ...beforeMethod,
  [[...owners, ...others, ...tenantB], "NOT_FOUND/runtime",
    "M.6: NOT_FOUND runtime, unknown: runtime ids are public names"],
];

/** run_id given, every capability granted, on a runtime of the caller's own. */
const bySession: readonly Group[] = [
  ...beforeMethod,
  [["owner_live", "delegate_owner", "other_runner", "other_conversation", "other_bot",
    "other_thread", "no_conversation", "claimer_owner_bare", "claimer_owner_claim", "wrong_token",
  "wrong_epoch"], "ok", "3.5 rule 1: a live session of its own, the capability granted (3.2)"],
  [["owner_over", "owner_queued", "ended_inside", "failed_inside", "ended_past", "target_ended",
    "expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended"],
  "SESSION_EXPIRED", notLive],
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", noSession],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch", "former_claim"], "ok",
    "4.2: the claimed run is a live session of the claimer with the snapshot's capabilities"],
  [expiredForeign, "FORBIDDEN/not_authorized",
    "4.2: after the lease SESSION answers not_authorized to another claimer"],
  [strangers, "FORBIDDEN/not_authorized", everyCaller],
  [["run_admin_session"], "ok", "3.5 rule 1: its own session and the capability granted"],
];

const bySessionUngranted: readonly Group[] = override(bySession, [
  [["owner_live", "delegate_owner", "other_runner", "other_conversation", "other_bot",
    "other_thread", "no_conversation", "claimer_owner_bare", "claimer_owner_claim", "wrong_token",
    "wrong_epoch", "former_claim", "run_admin_session"], "FORBIDDEN/capability_missing",
  "3.2: not granted in a new run; 3.5 rule 1: OWN does not apply when run_id is given"],
  [["foreign_bare", "foreign_claim", "foreign_wrong_epoch"], "ok",
    "3.5 rule 1: HOLDS(runtime:admin) admits before CAP"],
]);

const runner = (identity: string) => [{ id: `plugin:${identity}/sheet` }];
const identities: Record<string, string> = {
  builtin: "runhost/admin", tenant_b_plugin: "acme/owner", tenant_b_admin: "acme/admin",
};
const ownRunner = ({ judged }: Scene) =>
  ({ runners: runner(identities[judged] ?? `acme/${judged}`) });
const freshRuntime = ({ naming, fresh }: Scene) => ({ ...naming, runtime_id: `rt_${fresh}` });
const callersRuntime = ({ naming, own_runtime }: Scene) => ({ ...naming, runtime_id: own_runtime });
const theirRuntime = ({ owners_runtime }: Scene) => ({ runtime_id: owners_runtime });

/** One method on the caller's own runtime: without a run, and through a session. */
const ownRuntimeRows = (action: string, params: NonNullable<Row["params"]>): Row[] => [
  {
    action, variant: "own", naming: "none", needs: ["own_runtime"], params,
    cells: forAll("M.6 OWN: rows of the caller's own plugin (3.5)"),
  },
  {
    action, variant: "own, through a run", naming: "run_id", grants: "all",
    needs: ["own_runtime"], params, cells: bySession,
  },
  {
    action, variant: "own, through a run that does not grant it", naming: "run_id",
    needs: ["own_runtime"], params, cells: bySessionUngranted,
  },
];

export const fleetRows: readonly Row[] = [
  {
    action: "runner_register", variant: "own runner", naming: "none", params: ownRunner,
    cells: forAll("M.6 OWN: every id is plugin:<caller>/…"),
  },
  {
    action: "runner_register", variant: "runner of acme/owner", naming: "none",
    params: () => ({ runners: runner("acme/owner") }), cells: ownersRunner,
  },
  {
    action: "runner_list", variant: "no filter", naming: "none",
    cells: forAll("M.6: ADMIN(agent_run:admin) or OWN, which every identity has"),
  },
  {
    action: "runner_list", variant: "runners of acme/owner", naming: "none",
    params: () => ({ include_plugins: ["acme/owner"] }), cells: ownersRunners,
  },
  ...ownRuntimeRows("runtime_register", freshRuntime),
  {
    action: "runtime_register", variant: "runtime of acme/owner", naming: "none",
    needs: ["owners_runtime"], params: theirRuntime, cells: ownersRuntime,
  },
  ...ownRuntimeRows("runtime_heartbeat", callersRuntime),
  {
    action: "runtime_heartbeat", variant: "hold a runtime of acme/owner", naming: "none",
    needs: ["owners_runtime"],
    params: (scene) => ({ ...theirRuntime(scene), status: "draining" }), cells: heldRuntime,
  },
  {
    action: "runtime_heartbeat", variant: "fields of a runtime of acme/owner", naming: "none",
    needs: ["owners_runtime"],
    params: (scene) => ({ ...theirRuntime(scene), status: "draining", metadata: { a: 1 } }),
    cells: heldWithFields,
  },
  {
    action: "runtime_heartbeat", variant: "runtime of acme/owner, no status", naming: "none",
    needs: ["owners_runtime"], params: theirRuntime, cells: heldWithoutStatus,
  },
  {
    action: "runtime_heartbeat", variant: "unknown runtime", naming: "none",
    params: (scene) => ({ ...freshRuntime(scene), status: "online" }), cells: unknownRuntime,
  },
  ...ownRuntimeRows("runtime_deregister", callersRuntime),
  {
    action: "runtime_deregister", variant: "runtime of acme/owner", naming: "none",
    needs: ["owners_runtime"], params: theirRuntime, cells: heldRuntime,
  },
  {
    action: "runtime_deregister", variant: "unknown runtime", naming: "none",
    params: freshRuntime, cells: unknownRuntime,
  },
  {
    action: "runtime_list", variant: "no run", naming: "none",
    cells: forAll("M.6: ADMIN(runtime:admin) or OWN, which every identity has"),
  },
  {
    action: "runtime_list", variant: "through a run", naming: "run_id", grants: "all",
    params: ({ naming }) => naming, cells: bySession,
  },
  {
    action: "runtime_list", variant: "through a run that does not grant it", naming: "run_id",
    params: ({ naming }) => naming, cells: bySessionUngranted,
  },
];
