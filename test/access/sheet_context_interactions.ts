// Access sheet: interaction_list, interaction_get (readers), interaction_submit, interaction_cancel
// (writers: ADMIN and CREATOR only, no run_id). Read from the contract (actions.md M.10, 3.5),
// never recorded from a host.

import { plantInteraction } from "../support/access_context.js";
import type { AccessWorld } from "../support/access_world.js";
import type { Params } from "../support/client.js";
import type { ColumnName } from "./columns.js";
import { byBoth, bySession, byTarget, deniedButClaimed } from "./sheet_reads.js";
import { refusedParam } from "./sheet_context_session.js";
import {
  creators, limiteds, override, runAdmins, type Group, type Row, type Scene,
} from "./sheet.js";

const ask = (world: AccessWorld, { run }: Scene) => plantInteraction(world, run);
const askActor = (world: AccessWorld, { run }: Scene) =>
  plantInteraction(world, run, { actor_id: "u1" });
const askTooLate = (world: AccessWorld, { run }: Scene) =>
  plantInteraction(world, run, { is_over: true });

const okOf = (groups: readonly Group[]): ColumnName[] =>
  groups.flatMap(([names, expected]) => (expected === "ok" ? [...names] : []));
const insteadOf = (groups: readonly Group[], expected: string, why: string) =>
  override(groups, [[okOf(groups), expected, why]]);

const notThere = "M.10 interaction_get: NOT_FOUND interaction, only once the run was admitted";

/** No run named: everything that ADMIN or CREATOR reach. */
const listEverything: readonly Group[] = override(byTarget, [
  [creators, "ok", "3.5: a list through CREATOR shows runs with created_by = caller"],
  [[...runAdmins, "builtin", "tenant_b_admin"], "ok",
    "M.10 interaction_list: for ADMIN target_run_id is optional"],
  [limiteds, "ok", "3.5: a list through a limited permission shows runs with IN_WS"],
]);

const elsewhere = (groups: readonly Group[], through: readonly ColumnName[]) =>
  override(insteadOf(groups, "FORBIDDEN/out_of_scope",
    "M.10 interaction_list: through RUN conversation_id is CONV (3.4)"), [
    [through, "ok", "M.10 interaction_list: ADMIN, CREATOR: filter; 3.5 rule 1: ADMIN admits"],
  ]);

/** Callers with a session of their own that is not what admits them. */
const adminOfOwn = ["run_admin_session"] as const satisfies ColumnName[];
const adminOfBoth = [
  ...adminOfOwn, "run_admin_over", "run_admin_queued", "run_admin_ended", "limited_in",
] as const satisfies ColumnName[];

const listing = (more: Params) => ({ naming }: Scene) => ({ ...naming, ...more });
const list = { action: "interaction_list", prepare: ask, params: listing({}) } as const;
const inElsewhere = { ...list, params: listing({ conversation_id: "elsewhere" }) } as const;

const listRows: readonly Row[] = [
  { ...list, variant: "own run", naming: "run_id", cells: bySession },
  { ...list, variant: "own run as target too", naming: "same", cells: bySession },
  { ...list, variant: "target only", naming: "target", cells: byTarget },
  { ...list, variant: "session and target", naming: "both", cells: byBoth },
  {
    ...list, variant: "own run, run_get denied", naming: "run_id", grants: { run_get: false },
    cells: deniedButClaimed,
  },
  { action: "interaction_list", variant: "no run", naming: "none", cells: listEverything },
  {
    action: "interaction_list", variant: "no run, a conversation", naming: "none",
    params: () => ({ conversation_id: "elsewhere" }), cells: listEverything,
  },
  {
    ...inElsewhere, variant: "own run, another conversation", naming: "run_id",
    cells: elsewhere(bySession, adminOfOwn),
  },
  {
    ...inElsewhere, variant: "target only, another conversation", naming: "target",
    cells: byTarget,
  },
  {
    ...inElsewhere, variant: "session and target, another conversation", naming: "both",
    cells: elsewhere(byBoth, adminOfBoth),
  },
];

const one = ({ naming }: Scene) => ({ ...naming, interaction_id: "ask" });
const unknownOne = ({ naming }: Scene) => ({ ...naming, interaction_id: "never" });
const get = { action: "interaction_get", prepare: ask, params: one } as const;
const getUnknown = { ...get, params: unknownOne } as const;

const getRows: readonly Row[] = [
  { ...get, variant: "own run", naming: "run_id", cells: bySession },
  { ...get, variant: "target only", naming: "target", cells: byTarget },
  { ...get, variant: "session and target", naming: "both", cells: byBoth },
  {
    ...get, variant: "own run, run_get denied", naming: "run_id", grants: { run_get: false },
    cells: deniedButClaimed,
  },
  {
    ...getUnknown, variant: "own run, an unknown one", naming: "run_id",
    cells: insteadOf(bySession, "NOT_FOUND/interaction", notThere),
  },
  {
    ...getUnknown, variant: "target only, an unknown one", naming: "target",
    cells: insteadOf(byTarget, "NOT_FOUND/interaction", notThere),
  },
  {
    ...getUnknown, variant: "session and target, an unknown one", naming: "both",
    cells: insteadOf(byBoth, "NOT_FOUND/interaction", notThere),
  },
  {
    action: "interaction_get", variant: "no run", naming: "none",
    params: () => ({ interaction_id: "ask" }),
    cells: refusedParam("target_run_id",
      "1.3: neither given where a target is needed: INVALID_PARAMS at target_run_id"),
  },
];

const noLonger = "M.10: the end of the run cancelled it (4.4): interaction_not_pending";
const submitted = override(byTarget, [
  [["run_admin_ended"], "CONFLICT/interaction_not_pending", noLonger],
]);
const wrongActor = "M.10 interaction_submit: equal to the interaction's, else out_of_scope";

const submit = {
  action: "interaction_submit", naming: "target", prepare: ask,
  params: (scene: Scene) => ({ ...one(scene), values: { note: "a word" } }),
} as const;
const cancel = {
  action: "interaction_cancel", naming: "target", prepare: ask, params: one,
} as const;

const noRunId = refusedParam("run_id",
  "M.10: writers take no run_id; 3.5: a method that does not list run_id takes none");

const submitRows: readonly Row[] = [
  { ...submit, variant: "target", cells: submitted },
  {
    ...submit, variant: "target, everything granted to the run", grants: "all", cells: submitted,
  },
  { ...submit, variant: "with a session", naming: "both", grants: "all", cells: noRunId },
  {
    ...submit, variant: "no target", naming: "none",
    cells: refusedParam("target_run_id", "M.10: target_run_id is required; 1.2 step 4"),
  },
  {
    ...submit, variant: "an unknown one",
    params: (scene) => ({ ...unknownOne(scene), values: {} }),
    cells: insteadOf(byTarget, "NOT_FOUND/interaction",
      "M.10 interaction_submit: access, then interaction exists"),
  },
  {
    ...submit, variant: "an actor's, the actor left out", prepare: askActor,
    cells: override(submitted, [
      [["creator", "creator_limited_in"], "FORBIDDEN/out_of_scope",
        "M.10 interaction_submit: CREATOR must name the actor if the interaction has one"],
    ]),
  },
  {
    ...submit, variant: "an actor's, named", prepare: askActor,
    params: (scene) => ({ ...submit.params(scene), actor_id: "u1" }), cells: submitted,
  },
  {
    ...submit, variant: "an actor's, in the name of another", prepare: askActor,
    params: (scene) => ({ ...submit.params(scene), actor_id: "u2" }),
    cells: override(insteadOf(byTarget, "FORBIDDEN/out_of_scope", wrongActor), [
      [["run_admin_ended"], "CONFLICT/interaction_not_pending",
        "M.10 interaction_submit: the status comes before the actor"],
    ]),
  },
  {
    ...submit, variant: "with what the request does not ask for",
    params: (scene) => ({ ...one(scene), values: { other: 1 } }),
    cells: override(insteadOf(byTarget, "INVALID_PARAMS/values.other",
      "M.10 interaction_submit: against the stored request, after access and status"), [
      [["run_admin_ended"], "CONFLICT/interaction_not_pending", noLonger],
    ]),
  },
  {
    ...submit, variant: "one that is over", prepare: askTooLate,
    cells: insteadOf(byTarget, "CONFLICT/interaction_not_pending",
      "M.10 interaction_submit: expired by the clock"),
  },
];

const cancelRows: readonly Row[] = [
  {
    ...cancel, variant: "target",
    cells: override(byTarget, [
      [["run_admin_ended"], "ok", "M.10 interaction_cancel: already cancelled: success; 4.4"],
    ]),
  },
  { ...cancel, variant: "with a session", naming: "both", grants: "all", cells: noRunId },
  {
    ...cancel, variant: "an unknown one", params: unknownOne,
    cells: insteadOf(byTarget, "NOT_FOUND/interaction", "M.10 interaction_cancel: NOT_FOUND"),
  },
  {
    ...cancel, variant: "one that is over", prepare: askTooLate,
    cells: override(insteadOf(byTarget, "CONFLICT/interaction_not_pending",
      "M.10 interaction_cancel: expired"), [
      [["run_admin_ended"], "ok", "M.10 interaction_cancel: already cancelled: success"],
    ]),
  },
];

export const interactionRows: readonly Row[] = [
  ...listRows, ...getRows, ...submitRows, ...cancelRows,
];
