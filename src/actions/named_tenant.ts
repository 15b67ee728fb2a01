// The tenant and the identity that calls about plugins name. Another tenant than the caller's is
// for the built-in identity alone, and the author of that identity is nobody else's.

import { Refusal } from "../contract/errors.js";
import type { GrantFacts } from "../contract/grants.js";

const builtin = { tenant_id: "default", plugin_identity: "runhost/admin" } as const;

/** The named tenant, the caller's own when none is named. */
export function resolveTenant(
  grant: Pick<GrantFacts, "tenant_id" | "caller">,
  tenant_id: string | undefined,
): string {
  if (tenant_id === undefined || tenant_id === grant.tenant_id) return grant.tenant_id;
  const isBuiltin =
    grant.tenant_id === builtin.tenant_id && grant.caller === builtin.plugin_identity;
  if (isBuiltin) return tenant_id;
  throw new Refusal("FORBIDDEN", { reason: "permission_missing", permission: "plugin:admin" });
}

export const hasReservedAuthor = (plugin_identity: string): boolean =>
  plugin_identity.startsWith("runhost/");

/** Refuses identities that cannot be in the table of plugins, as if they were looked up. */
export function requireNameable(plugin_identity: string): void {
  if (!hasReservedAuthor(plugin_identity)) return;
  throw new Refusal("NOT_FOUND", { kind: "plugin", id: plugin_identity });
}
