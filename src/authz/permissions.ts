// Who holds which permission, and for which workspaces: pure functions over the sources of one
// identity (its table row and its configuration entries). They refuse nothing and read nothing.

import { permissions, type Permission } from "../contract/access.js";
import type { HeldPermission } from "../contract/grants.js";

/** One place that gives permissions; `workspaces` null means without a workspace limit. */
export interface PermissionSource {
  permissions: readonly string[];
  workspaces: readonly string[] | null;
}

const runsAndRuntimes = "agent_runner:admin";
const everything = "*";
const domains: ReadonlySet<string> = new Set(permissions.map(domainOf));
const limitedDomains: ReadonlySet<string> = new Set(["agent_run", "runtime"]);

/** HOLDS(P). */
export function holds(sources: readonly PermissionSource[], wanted: Permission): boolean {
  return sources.some((source) => gives(source, wanted));
}

/**
 * WS(P): null is unlimited, an empty list means that no source gives P. A limited source limits
 * only the domains agent_run and runtime, so the plugin domain is always unlimited for calling
 * methods; for granting and delegating such a source counts for nothing (mayGrant).
 */
export function workspacesOf(
  sources: readonly PermissionSource[],
  wanted: Permission,
): readonly string[] | null {
  const giving = sources.filter((source) => gives(source, wanted));
  if (giving.length > 0 && !limitedDomains.has(domainOf(wanted))) return null;
  const union = new Set<string>();
  for (const source of giving) {
    if (source.workspaces === null) return null;
    for (const workspace_id of source.workspaces) union.add(workspace_id);
  }
  return [...union].sort();
}

/** The permission with its workspaces, or null when it is not held. */
export function heldPermission(
  sources: readonly PermissionSource[],
  wanted: Permission,
): HeldPermission | null {
  if (!holds(sources, wanted)) return null;
  return { permission: wanted, workspaces: workspacesOf(sources, wanted) };
}

/** Every name that an unlimited source lists, sorted: what MAY_GRANT is judged by. */
export function unlimitedNames(sources: readonly PermissionSource[]): string[] {
  return namesOf(sources.filter((source) => source.workspaces === null));
}

/** Every name that any source lists, sorted. */
export function namesOf(sources: readonly PermissionSource[]): string[] {
  return [...new Set(sources.flatMap((source) => source.permissions))].sort();
}

/**
 * MAY_GRANT(set): each name is covered by one name of an unlimited source. The contract could be
 * read so that the plugin names of a workspace-limited entry are unlimited too; the narrower
 * reading is taken, since a wrong refusal is mended by configuration and a wrong grant is not.
 */
export function mayGrant(sources: readonly PermissionSource[], set: readonly string[]): boolean {
  const own = unlimitedNames(sources);
  return set.every((wanted) => own.some((name) => covers(name, wanted)));
}

function gives(source: PermissionSource, wanted: Permission): boolean {
  const domain = domainOf(wanted);
  return source.permissions.some(
    (name) =>
      name === wanted ||
      name === everything ||
      name === `${domain}:*` ||
      (name === runsAndRuntimes && limitedDomains.has(domain)),
  );
}

function covers(name: string, wanted: string): boolean {
  if (name === everything || name === wanted) return true;
  const domain = domainOf(wanted);
  if (name === runsAndRuntimes) return limitedDomains.has(domain);
  return domains.has(domain) && name === `${domain}:*`;
}

function domainOf(name: string): string {
  const colon = name.indexOf(":");
  return colon === -1 ? name : name.slice(0, colon);
}
