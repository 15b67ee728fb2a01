// Access sheet: run_stats, runner_stats, runtime_stats, runtime_reconcile, audit_page: what only a
// permission opens. Expectations are read from the contract (actions.md §3.1, 3.5 PERM, 1.9, M.6,
// M.11), never recorded from a host. What the answers show stands in reach.test.ts.

import type { ColumnName } from "./columns.js";
import { authenticated, without } from "./sheet_plugins.js";
import {
  beforeMethod, limiteds, override, runAdmins, runtimeAdmins, type Group, type Row,
} from "./sheet.js";

const ofRuns = [
  ...runAdmins, ...limiteds, "builtin", "tenant_b_admin",
] as const satisfies ColumnName[];
const ofRuntimes = [
  ...runtimeAdmins, ...limiteds, "builtin", "tenant_b_admin",
] as const satisfies ColumnName[];
const ofPlugins = [
  "plugin_admin", "plugin_admin_limited", "builtin", "tenant_b_admin",
] as const satisfies ColumnName[];
const ofAudit = [
  ...runAdmins, ...runtimeAdmins, ...limiteds, "plugin_admin", "plugin_admin_limited", "builtin",
  "tenant_b_admin",
] as const satisfies ColumnName[];

const inEveryWorkspace =
  "3.5: through a limited permission it is answered, with its workspaces only";

const perRuns: readonly Group[] = [
  ...beforeMethod,
  [without(...ofRuns), "FORBIDDEN/permission_missing",
    "M.11: PERM(agent_run:admin), a check of step 3 (3.5); no run or claim replaces it"],
  [[...runAdmins, "builtin", "tenant_b_admin"], "ok", "M.11: PERM(agent_run:admin), held"],
  [limiteds, "ok", inEveryWorkspace],
];

const perRuntimes = (method: string): readonly Group[] => [
  ...beforeMethod,
  [without(...ofRuntimes), "FORBIDDEN/permission_missing",
    `${method}: PERM(runtime:admin), a check of step 3 (3.5); owning runtimes is no path`],
  [[...runtimeAdmins, "builtin", "tenant_b_admin"], "ok", `${method}: PERM(runtime:admin), held`],
  [limiteds, "ok", inEveryWorkspace],
];

const perAudit: readonly Group[] = [
  ...beforeMethod,
  [without(...ofAudit), "FORBIDDEN/permission_missing",
    "M.11: PERM(agent_run:admin, runtime:admin, plugin:admin); agent_run:create is none (3.1)"],
  [ofAudit, "ok", "M.11: one of the three permissions is held"],
];

const domainLacking = "M.11: a domain whose permission the caller lacks: permission_missing";
const lacking = (...holders: readonly ColumnName[]): readonly Group[] => override(perAudit, [
  [ofAudit.filter((name) => !holders.includes(name)), "FORBIDDEN/permission_missing",
    domainLacking],
]);

/** The tenant is named: `default`, or one that nobody is in. */
const ownTenantNamed: readonly Group[] = override(perAudit, [
  [["tenant_b_admin"], "FORBIDDEN/permission_missing",
    "1.9: another tenant than the caller's needs runhost/admin; also not by `*`"],
]);

const otherTenantNamed: readonly Group[] = override(perAudit, [
  [ofAudit.filter((name) => name !== "builtin"), "FORBIDDEN/permission_missing",
    "1.9: another tenant than the caller's needs the built-in identity runhost/admin"],
  [["builtin"], "ok", "1.9: audit_page (domain plugin) takes tenant_id, from runhost/admin"],
]);

const takesNoRun = "3.5: a method that does not list run_id takes none: a name that 1.1 closes";

/** The permission is looked at before the params. */
const unknownRunId = (
  cells: readonly Group[],
  holders: readonly ColumnName[],
): readonly Group[] => override(cells, [
  [authenticated.filter((name) => holders.includes(name)), "INVALID_PARAMS/run_id", takesNoRun],
]);

const both = (
  action: string,
  cells: readonly Group[],
  holders: readonly ColumnName[],
): Row[] => [
  { action, variant: "no params", naming: "none", cells },
  {
    action, variant: "with a run_id", naming: "run_id", grants: "all",
    params: ({ naming }) => naming, cells: unknownRunId(cells, holders),
  },
];

export const operatorRows: readonly Row[] = [
  ...both("run_stats", perRuns, ofRuns),
  {
    action: "run_stats", variant: "of one runner, which is the owner's", naming: "none",
    params: () => ({ runner_id: "plugin:acme/owner/r1" }), cells: perRuns,
  },
  ...both("runner_stats", perRuns, ofRuns),
  ...both("runtime_stats", perRuntimes("M.11"), ofRuntimes),
  ...both("runtime_reconcile", perRuntimes("M.6"), ofRuntimes),
  {
    action: "runtime_reconcile", variant: "with stale_after_seconds", naming: "none",
    params: () => ({ stale_after_seconds: 86_399.5 }), cells: perRuntimes("M.6"),
  },
  ...both("audit_page", perAudit, ofAudit),
  {
    action: "audit_page", variant: "domain agent_run", naming: "none",
    params: () => ({ domain: "agent_run" }), cells: lacking(...ofRuns),
  },
  {
    action: "audit_page", variant: "domain runtime", naming: "none",
    params: () => ({ domain: "runtime" }), cells: lacking(...ofRuntimes),
  },
  {
    action: "audit_page", variant: "domain plugin", naming: "none",
    params: () => ({ domain: "plugin" }), cells: lacking(...ofPlugins),
  },
  {
    action: "audit_page", variant: "of a run that is not the caller's", naming: "target",
    params: ({ naming }) => naming, cells: perAudit,
  },
  {
    action: "audit_page", variant: "tenant default", naming: "none",
    params: () => ({ tenant_id: "default" }), cells: ownTenantNamed,
  },
  {
    action: "audit_page", variant: "another tenant, domain plugin", naming: "none",
    params: () => ({ tenant_id: "tenant-c", domain: "plugin" }), cells: otherTenantNamed,
  },
];
