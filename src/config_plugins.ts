// `admin_plugins` of the configuration file: a list of entries, or an object from identity to a
// permission list, a comma string or an entry. Refuses unknown permissions and members, reserved
// identities, an empty workspace list and two entries for one identity. Used by config.ts only.

import { z } from "zod";
import { grantablePermissions } from "./contract/access.js";
import { id, identity } from "./contract/scalars.js";

export interface AdminPlugin {
  tenant_id: string;
  identity: string;
  permissions: string[];
  enabled: boolean;
  /** Null: not limited to workspaces. */
  workspaces: string[] | null;
}

const reserved = "runhost/";
const allowed: ReadonlySet<string> = new Set(grantablePermissions);

const word = id.refine((text) => !text.includes("\0"), { error: "must not hold NUL" });

const permissionList = z
  .union([z.array(z.string()), z.string()], {
    error: "must be a list of permissions or a comma string",
  })
  .transform((given) =>
    typeof given === "string" ? given.split(",").map((name) => name.trim()) : given,
  )
  .refine((names) => names.every((name) => allowed.has(name)), {
    error: `may only name ${grantablePermissions.join(", ")}`,
  })
  .transform((names) => [...new Set(names)]);

const entry = z.strictObject(
  {
    identity: identity.refine((name) => !name.startsWith(reserved), {
      error: `must not begin with ${reserved}, which is reserved`,
    }),
    permissions: permissionList,
    enabled: z.boolean({ error: "must be true or false" }).default(true),
    workspaces: z
      .array(word, { error: "must be a list of workspace ids" })
      .min(1, { error: "must not be empty; leave it out for no limit" })
      .transform((names) => [...new Set(names)])
      .optional()
      .transform((names) => names ?? null),
    tenant_id: word.default("default"),
  },
  { error: describeEntry },
);

/** Strict about members, so a misspelt one never widens what an identity may do. */
export const adminPlugins = z.unknown().transform((given, context): AdminPlugin[] => {
  const refuse = (path: (string | number)[], message: string): never => {
    context.addIssue({ code: "custom", path, message, input: given });
    return z.NEVER;
  };
  const listed = listEntries(given);
  if (listed === null) return refuse([], "must be a list of entries, or an object by identity");
  const plugins: AdminPlugin[] = [];
  const seen = new Set<string>();
  for (const { key, value } of listed) {
    const checked = entry.safeParse(value);
    if (!checked.success) {
      const issue = checked.error.issues[0]!;
      return refuse([key, ...(issue.path as (string | number)[])], issue.message);
    }
    const plugin = checked.data;
    const name = `${plugin.identity} ${plugin.tenant_id}`;
    if (typeof key === "string" && plugin.identity !== key) {
      return refuse([key, "identity"], "must equal the key, or be left out");
    }
    if (seen.has(name)) return refuse([key], "stands for an identity that is already listed");
    seen.add(name);
    plugins.push(plugin);
  }
  return plugins;
});

/** Entries with the place they stand at; in the object form the key is the identity. */
function listEntries(given: unknown): { key: string | number; value: unknown }[] | null {
  if (Array.isArray(given)) return given.map((value, index) => ({ key: index, value }));
  if (typeof given !== "object" || given === null) return null;
  return Object.entries(given).map(([key, value]) => ({ key, value: completeEntry(key, value) }));
}

function completeEntry(key: string, value: unknown): unknown {
  const short = typeof value === "string" || Array.isArray(value);
  if (short) return { identity: key, permissions: value };
  if (typeof value !== "object" || value === null) return value;
  return { identity: key, ...value };
}

function describeEntry(issue: { code?: string; keys?: string[] }): string {
  if (issue.code !== "unrecognized_keys") return "must be an entry object";
  return `has an unknown member ${JSON.stringify(issue.keys?.[0] ?? "")}`;
}
