// Access sheet: the connection, identities and run_create. Expectations are read from the contract
// (wire.md §3, actions.md 1.9, 3.1, M.1, M.2), never recorded from a host.

import type { ColumnName } from "./columns.js";
import {
  beforeMethod, creators, limiteds, misnamed, override, owners, plains, runAdmins, runtimeAdmins,
  type Group, type Row, type Scene,
} from "./sheet.js";

/** Every column of a proved identity that may act in its own name. */
export const authenticated = [
  ...owners, "former_claim", ...plains, ...creators, ...runAdmins, ...runtimeAdmins,
  "plugin_admin", "plugin_admin_limited", ...limiteds, "builtin", "tenant_b_plugin",
  "tenant_b_admin",
] as const satisfies ColumnName[];

export const without = (...gone: readonly ColumnName[]): ColumnName[] =>
  authenticated.filter((name) => !gone.includes(name));

const everyConnection = "M.1: every connection";

const openToAll: readonly Group[] = [
  [["no_login", "disabled"], "ok", "M.1: every connection, also unauthenticated; wire.md §3"],
  [misnamed, "FORBIDDEN/identity_mismatch",
    "wire.md §3: every refusal of another caller_plugin_identity is the same; 1.1: every method"],
  [authenticated, "ok", everyConnection],
];

/** PERM(plugin:admin), and whoever holds it is admitted. */
const pluginAdmins: readonly Group[] = [
  ...beforeMethod,
  [without("plugin_admin", "plugin_admin_limited", "builtin", "tenant_b_admin"),
    "FORBIDDEN/permission_missing",
    "3.5 PERM: a check of step 3; 3.1: only plugin:admin opens it"],
  [["plugin_admin", "plugin_admin_limited", "builtin", "tenant_b_admin"], "ok",
    "3.1: plugin:admin, held by `*` too"],
];

const stronger: readonly Group[] = override(pluginAdmins, [
  [["plugin_admin", "plugin_admin_limited"], "FORBIDDEN/permission_missing",
    "3.4 MAY_GRANT: plugin:admin does not cover agent_run:admin"],
]);

const builtinOnly: readonly Group[] = override(pluginAdmins, [
  [["plugin_admin", "plugin_admin_limited"], "FORBIDDEN/permission_missing",
    "1.9: another tenant than the caller's needs runhost/admin"],
  [["tenant_b_admin"], "FORBIDDEN/permission_missing",
    "1.9: no permission, also `*`, reaches over a tenant; only runhost/admin may name another"],
]);

const victimOfDefault: readonly Group[] = override(pluginAdmins, [
  [["tenant_b_admin"], "NOT_FOUND/plugin", "1.9: another tenant's identity does not exist"],
]);

const strongVictimOfDefault: readonly Group[] = override(victimOfDefault, [
  [["plugin_admin", "plugin_admin_limited"], "FORBIDDEN/permission_missing",
    "M.1: MAY_GRANT over the identity's permissions (3.4)"],
]);

const unknownVictim: readonly Group[] = override(pluginAdmins, [
  [["plugin_admin", "plugin_admin_limited", "builtin", "tenant_b_admin"], "NOT_FOUND/plugin",
    "M.1 plugin_rotate_token: NOT_FOUND plugin"],
]);

const connectionRows: readonly Row[] = [
  { action: "ping", variant: "plain", naming: "none", cells: openToAll },
  { action: "rpc.discover", variant: "plain", naming: "none", cells: openToAll },
  {
    action: "plugin_connect", variant: "without a token", naming: "none",
    cells: override(openToAll, [
      [["no_login", "disabled"], "INVALID_PARAMS/token",
        "M.1: token is required until authenticated"],
    ]),
  },
  {
    action: "plugin_connect", variant: "with the caller's token", naming: "none",
    params: ({ token }) => ({ token }),
    cells: override(openToAll, [
      [["no_login"], "ok", "M.1: proves the identity of the connection (the token of acme/plain)"],
      [["disabled"], "UNAUTHENTICATED", "M.1: unknown, revoked or disabled: one answer for all"],
      [authenticated, "INVALID_PARAMS/token", "M.1: given on an authenticated connection"],
    ]),
  },
];

const pluginRows: readonly Row[] = [
  {
    action: "plugin_register", variant: "new, without permissions", naming: "none",
    params: ({ fresh }) => ({ plugin_identity: `new/${fresh}` }), cells: pluginAdmins,
  },
  {
    action: "plugin_register", variant: "new, with agent_run:admin", naming: "none",
    params: ({ fresh }) =>
      ({ plugin_identity: `new/${fresh}`, permissions: ["agent_run:admin"] }),
    cells: stronger,
  },
  {
    action: "plugin_register", variant: "one with permissions, to change its name", naming: "none",
    needs: ["strong_victim"],
    params: ({ strong_victim }) => ({ plugin_identity: strong_victim, display_name: "Renamed" }),
    cells: stronger,
  },
  {
    action: "plugin_register", variant: "in another tenant", naming: "none",
    params: ({ fresh }) => ({ plugin_identity: `new/${fresh}`, tenant_id: "tenant-c" }),
    cells: builtinOnly,
  },
  { action: "plugin_list", variant: "own tenant", naming: "none", cells: pluginAdmins },
  {
    action: "plugin_list", variant: "another tenant", naming: "none",
    params: () => ({ tenant_id: "tenant-c" }), cells: builtinOnly,
  },
  {
    action: "plugin_rotate_token", variant: "one without permissions", naming: "none",
    needs: ["victim"], params: ({ victim }) => ({ plugin_identity: victim }),
    cells: victimOfDefault,
  },
  {
    action: "plugin_rotate_token", variant: "one with permissions", naming: "none",
    needs: ["strong_victim"], params: ({ strong_victim }) => ({ plugin_identity: strong_victim }),
    cells: strongVictimOfDefault,
  },
  {
    action: "plugin_rotate_token", variant: "unknown", naming: "none",
    params: ({ fresh }) => ({ plugin_identity: `new/${fresh}` }), cells: unknownVictim,
  },
  {
    action: "plugin_rotate_token", variant: "author runhost", naming: "none",
    params: () => ({ plugin_identity: "runhost/admin" }), cells: unknownVictim,
  },
  {
    action: "plugin_rotate_token", variant: "in another tenant", naming: "none",
    needs: ["victim"],
    params: ({ victim }) => ({ plugin_identity: victim, tenant_id: "tenant-c" }),
    cells: override(builtinOnly, [
      [["builtin"], "NOT_FOUND/plugin", "1.9: identities mean nothing in another tenant"],
    ]),
  },
  {
    action: "plugin_set_enabled", variant: "one without permissions", naming: "none",
    needs: ["victim"], params: ({ victim }) => ({ plugin_identity: victim, enabled: false }),
    cells: victimOfDefault,
  },
  {
    action: "plugin_set_enabled", variant: "one with permissions", naming: "none",
    needs: ["strong_victim"],
    params: ({ strong_victim }) => ({ plugin_identity: strong_victim, enabled: false }),
    cells: strongVictimOfDefault,
  },
  {
    action: "plugin_set_enabled", variant: "author runhost", naming: "none",
    params: () => ({ plugin_identity: "runhost/admin", enabled: false }), cells: unknownVictim,
  },
  {
    action: "plugin_set_enabled", variant: "in another tenant", naming: "none",
    params: () =>
      ({ plugin_identity: "acme/owner", tenant_id: "tenant-c", enabled: true }),
    cells: override(builtinOnly, [
      [["builtin"], "NOT_FOUND/plugin", "1.9: identities mean nothing in another tenant"],
    ]),
  },
];

const mayCreate = [
  ...creators, ...runAdmins, ...limiteds, "builtin", "tenant_b_admin",
] as const satisfies ColumnName[];

/** The column's workspace is outside the caller's. */
const outside: readonly ColumnName[] = ["limited_out", "limited_null", "creator_limited_out"];

/** What creators may not grant, where their workspace is right (M.2: the workspace comes first). */
const creatorsInside = creators.filter((name) => !outside.includes(name));

/** PERM(agent_run:admin, agent_run:create); the workspace is the column's. */
const creating: readonly Group[] = [
  ...beforeMethod,
  [without(...mayCreate), "FORBIDDEN/permission_missing",
    "3.1: agent_run:admin and agent_run:create open run_create; 3.5 PERM"],
  [mayCreate.filter((name) => !outside.includes(name)), "ok",
    "3.1: held; M.2: the workspace is in WS of it"],
  [outside, "FORBIDDEN/out_of_scope",
    "M.2: workspace_id must be in WS of one of them; 3.4: null is in no limited set"],
];

const create = ({ fresh, workspace }: Scene) => ({
  run_id: `made_${fresh}`, runner_id: "plugin:acme/owner/r1", workspace_id: workspace,
  allow_unregistered_runner: true,
});

const createRows: readonly Row[] = [
  {
    action: "run_create", variant: "in the column's workspace", naming: "none", params: create,
    cells: creating,
  },
  {
    action: "run_create", variant: "takes a default capability away", naming: "none",
    params: (scene) =>
      ({ ...create(scene), authorization: { available_apis: { run_get: false } } }),
    cells: creating,
  },
  {
    action: "run_create", variant: "grants run_append_result", naming: "none",
    params: (scene) =>
      ({ ...create(scene), authorization: { available_apis: { run_append_result: true } } }),
    cells: override(creating, [
      [creatorsInside, "FORBIDDEN/permission_missing",
        "3.2: true for a name that is not granted by default needs agent_run:admin"],
    ]),
  },
  {
    action: "run_create", variant: "grants run_list without a conversation", naming: "none",
    params: (scene) =>
      ({ ...create(scene), authorization: { available_apis: { run_list: true } } }),
    cells: override(creating, [
      [creatorsInside, "FORBIDDEN/permission_missing",
        "3.2: true for a name whose default condition does not hold needs agent_run:admin"],
    ]),
  },
  {
    action: "run_create", variant: "grants run_claim", naming: "none",
    params: (scene) =>
      ({ ...create(scene), authorization: { available_apis: { run_claim: true } } }),
    cells: override(creating, [
      [[...creatorsInside, ...runAdmins], "FORBIDDEN/permission_missing",
        "3.2: for a name of the last row it needs runtime:admin as well"],
    ]),
  },
  {
    action: "run_create", variant: "parent run", naming: "none",
    params: (scene) => ({ ...create(scene), workspace_id: "w1", parent_run_id: scene.run }),
    cells: override(creating, [
      [["creator", "creator_limited_in"], "ok", "M.2 parent_run_id: CREATOR holds for it"],
      [["creator_other", "creator_missing", "creator_limited_out"], "FORBIDDEN/not_authorized",
        "M.2 parent_run_id: ADMIN, CREATOR or OWNER must hold for it, else not_authorized"],
      [["run_admin_missing", "tenant_b_admin"], "NOT_FOUND/run",
        "M.2 parent_run_id: NOT_FOUND run for an unlimited agent_run:admin; 1.9"],
      [["limited_out", "limited_null", "limited_missing"], "FORBIDDEN/not_authorized",
        "M.2 parent_run_id: ADMIN needs IN_WS (3.4), else not_authorized"],
    ]),
  },
];

export const pluginSheet: readonly Row[] = [...connectionRows, ...pluginRows, ...createRows];
