// What can be judged before the params are looked at: who calls, in whose name, and a permission
// that needs no lookup. dispatch calls both steps for every call. Refuses with UNAUTHENTICATED and
// FORBIDDEN; every refused delegation gives one answer, so it tells nothing about identities.

import type { Principal } from "../actions/action.js";
import type { Access } from "../contract/access.js";
import { Refusal } from "../contract/errors.js";
import { identity } from "../contract/scalars.js";
import { holds, mayGrant, namesOf } from "./permissions.js";
import { isBuiltinAdmin, type Directory, type Standing } from "./plugins.js";

/** In whose name a call is judged; `via` is the connection's identity when it was delegated. */
export interface Caller {
  principal: Principal;
  via: string | null;
  /** Null where nothing depends on it: methods that are open to every connection. */
  standing: Standing | null;
}

export interface Arrival {
  /** Undefined: the host has no such method. */
  access: Access | undefined;
  /** Who the connection has proved to be. */
  principal: Principal | null;
  caller_plugin_identity: unknown;
}

type Standings = Pick<Directory, "standing">;

/** Step 1. Null: an open method on a connection that has proved nothing. */
export async function identifyCaller(
  standings: Standings,
  arrival: Arrival,
): Promise<Caller | null> {
  const { access, principal } = arrival;
  const isOpen = access?.kind === "open";
  if (principal === null) {
    if (isOpen && access.before_login) return null;
    throw new Refusal("UNAUTHENTICATED");
  }
  // Another type than string is a matter of the params schema, two steps further on.
  const named = arrival.caller_plugin_identity;
  const isOwn = typeof named !== "string" || named === principal.plugin_identity;
  if (isOpen && isOwn) return { principal, via: null, standing: null };
  const known = standings.standing(principal);
  const own = known instanceof Promise ? await known : known;
  if (!own.enabled) throw new Refusal("UNAUTHENTICATED");
  if (isOwn) return { principal, via: null, standing: own };
  return delegate(standings, own, { tenant_id: principal.tenant_id, plugin_identity: named });
}

/** Step 3: methods that only a permission opens. */
export function requirePermission(caller: Caller | null, access: Access): void {
  if (access.kind !== "permission") return;
  const sources = caller?.standing?.sources ?? [];
  if (access.any.some((wanted) => holds(sources, wanted))) return;
  throw new Refusal("FORBIDDEN", { reason: "permission_missing", permission: access.any[0] });
}

async function delegate(
  standings: Standings,
  own: Standing,
  wanted: Principal,
): Promise<Caller> {
  const mismatch = new Refusal("FORBIDDEN", { reason: "identity_mismatch" });
  if (!holds(own.sources, "plugin:delegate")) throw mismatch;
  if (!identity.safeParse(wanted.plugin_identity).success) throw mismatch;
  if (isBuiltinAdmin(wanted)) throw mismatch;
  const standing = await standings.standing(wanted);
  if (!standing.enabled || !mayGrant(own.sources, namesOf(standing.sources))) throw mismatch;
  return { principal: standing.principal, via: own.principal.plugin_identity, standing };
}
