// What a row of the access sheet is. A row is data: a call, and for every kind of caller the
// expected answer with the sentence of the contract that it follows from.

import type { AccessWorld, CallerName } from "../support/access_world.js";
import type { Grants } from "../support/access_runs.js";
import type { Params } from "../support/client.js";
import { columnNames, type ColumnName } from "./columns.js";

/** How a row names runs; `session` is run_id, `target` is target_run_id. */
export type Naming =
  | "none"
  | "run_id" // the column's run as run_id
  | "target" // the column's run as target_run_id
  | "same" // the column's run as both
  | "both"; // the column's session as run_id, its target as target_run_id

export interface Scene {
  /** The caller whose rights the call is judged by (the named one, when it is delegated). */
  judged: CallerName;
  /** Run ids and claim params, as the row and the column say. */
  naming: Params;
  /** Ids of runs, whichever way they are named; `run` is the column's run or target. */
  run: string;
  /** The workspace of the column's run. */
  workspace: string | null;
  /** Queue that holds one run in the scope of the column's run, where the row asks for it. */
  queue_name: string;
  /** An id that no other cell uses. */
  fresh: string;
  token: string;
  /** A runtime of acme/owner, and one of the judged caller, made for this cell where asked for. */
  owners_runtime: string;
  own_runtime: string;
  /** An identity without and one with permissions, made for this cell where asked for. */
  victim: string;
  strong_victim: string;
}

export type Need = "queue" | "owners_runtime" | "own_runtime" | "victim" | "strong_victim";

/** Columns, the answer as `ok`, `CODE` or `CODE/detail`, and why. */
export type Group = readonly [readonly ColumnName[], string, string];

export interface Row {
  action: string;
  variant: string;
  naming: Naming;
  /** Capabilities of every run of the row; `default` where it is left out. */
  grants?: Grants;
  /** `shown`: as the column says. `required`: columns that show nothing guess. */
  claim?: "shown" | "required";
  needs?: readonly Need[];
  /** The run or target has ended as failed a moment ago, unless it was over or never made. */
  ended?: true;
  /** What the call needs beside its runs, planted before it. */
  prepare?(world: AccessWorld, scene: Scene): Promise<void>;
  params?(scene: Scene): Params;
  cells: readonly Group[];
}

export interface Cell {
  column: ColumnName;
  expected: string;
  why: string;
}

export function listCells(row: Row): Cell[] {
  return row.cells.flatMap(([names, expected, why]) =>
    names.map((column) => ({ column, expected, why })));
}

/** What is wrong with the form of a row: columns that it lacks, has twice, or does not explain. */
export function findGaps(row: Row): string[] {
  const cells = listCells(row);
  const at = (column: string) => `${row.action} (${row.variant}): ${column}`;
  const lacking = columnNames.filter((name) => !cells.some(({ column }) => column === name));
  const twice = columnNames.filter((name) =>
    cells.filter(({ column }) => column === name).length > 1);
  const mute = cells.filter(({ why }) => !/\d\.\d|\bM\.\d|wire\.md §\d/.test(why));
  return [
    ...lacking.map((name) => `${at(name)} is not there`),
    ...twice.map((name) => `${at(name)} stands twice`),
    ...mute.map(({ column }) => `${at(column)} quotes no rule`),
  ];
}

/** Takes the columns of `changes` out of `groups` and adds them as they are said there. */
export function override(
  groups: readonly Group[],
  changes: readonly Group[],
): readonly Group[] {
  const changed = new Set<string>(changes.flatMap(([names]) => [...names]));
  const kept = groups.map(([names, expected, why]) =>
    [names.filter((name) => !changed.has(name)), expected, why] as const);
  return [...kept, ...changes];
}

// Columns that every row of a family treats alike.

export const misnamed = [
  "mismatch", "delegate_more", "delegate_config", "delegate_builtin", "delegate_unknown",
  "delegate_disabled", "delegate_other_tenant",
] as const satisfies ColumnName[];

/** The rungs before the method is looked at. */
export const beforeMethod: readonly Group[] = [
  [["no_login"], "UNAUTHENTICATED",
    "wire.md §3: until plugin_connect has succeeded every other method answers UNAUTHENTICATED"],
  [["disabled"], "UNAUTHENTICATED",
    "M.1 plugin_set_enabled: tokens of a disabled identity are refused, so it never logs in"],
  [misnamed, "FORBIDDEN/identity_mismatch",
    "wire.md §3: every refusal of another caller_plugin_identity is the same identity_mismatch"],
];

/** acme/owner on a run of its own that is not another plugin's and does exist. */
export const ownRuns = [
  "delegate_owner", "owner_live", "owner_over", "owner_queued", "ended_inside", "failed_inside",
  "ended_past", "target_ended", "other_runner", "other_conversation", "other_bot", "other_thread",
  "no_conversation",
] as const satisfies ColumnName[];

export const ownClaims = [
  "claimer_owner_bare", "claimer_owner_claim", "wrong_token", "wrong_epoch",
  "expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended",
] as const satisfies ColumnName[];

/** Whoever is acme/owner on its own connection or through a delegate, whatever the run. */
export const owners = [
  ...ownRuns, "other_plugin", "missing", ...ownClaims,
] as const satisfies ColumnName[];

export const expiredForeign = [
  "expired_foreign_bare", "expired_foreign_claim",
] as const satisfies ColumnName[];

/** Whoever is acme/runtime_admin. */
export const runtimeAdmins = [
  "foreign_bare", "foreign_claim", "foreign_wrong_epoch", ...expiredForeign, "runtime_admin",
  "runtime_admin_missing",
] as const satisfies ColumnName[];

export const plains = ["plain", "config_off", "former_creator"] as const satisfies ColumnName[];

export const creators = [
  "creator", "creator_other", "creator_missing", "creator_limited_in", "creator_limited_out",
] as const satisfies ColumnName[];

/** Whoever is acme/run_admin. */
export const runAdmins = [
  "run_admin", "run_admin_session", "run_admin_over", "run_admin_queued", "run_admin_ended",
  "run_admin_missing",
] as const satisfies ColumnName[];

export const limiteds = [
  "limited_in", "limited_out", "limited_null", "limited_missing",
] as const satisfies ColumnName[];

/** Callers that name another's run as run_id: no session of theirs. */
export const strangers = [
  ...plains, ...creators, "run_admin", "run_admin_over", "run_admin_queued", "run_admin_ended",
  "run_admin_missing", "runtime_admin", "runtime_admin_missing", "plugin_admin",
  "plugin_admin_limited", ...limiteds, "builtin", "tenant_b_plugin", "tenant_b_admin",
] as const satisfies ColumnName[];
