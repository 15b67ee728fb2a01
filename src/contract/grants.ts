// A grant says on which paths one call may be admitted. authz/grant.ts alone mints it, from memory;
// every ledger operation demands one and hands its facts to the statement, which judges the
// run-scoped paths under the row lock, in the same moment as it reads or writes.

import type {
  AccessKind, Capability, ImpliedCapability, Permission, SessionMode,
} from "./access.js";
import type { ActionName } from "./action_names.js";

/** A permission that the caller holds; `workspaces` null means unlimited. */
export interface HeldPermission {
  permission: Permission;
  workspaces: readonly string[] | null;
}

/** The shown claim; the token travels below authz only as its SHA-256, 64 hex digits. */
export interface ShownClaim {
  runtime_id: string;
  token_sha256: string;
  epoch: number | null;
}

export interface GrantFacts {
  tenant_id: string;
  /** The identity in whose name the call is judged. */
  caller: string;
  /** The connection's identity when the call was delegated. */
  via: string | null;
  action: ActionName;
  /** Instant that tests set, ISO 8601; null is the database clock. */
  now: string | null;
  run_id: string | null;
  target_run_id: string | null;
  capability: Capability | ImpliedCapability | null;
  mode: SessionMode | null;
  /** The administrator path of the method, if it has one and the caller holds it. */
  admin: HeldPermission | null;
  /** agent_run:create, if the method has the CREATOR path and the caller holds it. */
  creator: HeldPermission | null;
  /** Every permission that the caller holds, for methods of kind permission; empty for others. */
  held: readonly HeldPermission[];
  claim: ShownClaim | null;
  force: boolean;
  /** Permissions that the caller holds without a workspace limit, the basis of MAY_GRANT, for
      methods of kind permission; empty for others. */
  unlimited: readonly string[];
  /** Days for which an ended run still lets its plugin read it. */
  read_days: number;
}

declare const minted: unique symbol;

/** Facts that passed authz/grant.ts for an action whose access is of kind K. */
export type Grant<K extends AccessKind> = GrantFacts & { readonly [minted]: K };

/** Whether a held permission reaches a workspace; no workspace is in no limited set. */
export function coversWorkspace(held: HeldPermission | null, workspace_id: string | null): boolean {
  if (held === null) return false;
  if (held.workspaces === null) return true;
  return workspace_id !== null && held.workspaces.includes(workspace_id);
}
