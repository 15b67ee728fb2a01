// The only minter of grants: declaration, standing and checked params become the facts that a
// ledger operation hands to its statement. It reads nothing; it refuses what can be refused from
// memory: INVALID_PARAMS for missing targets and claim params, FORBIDDEN for a force without the
// permission. Everything that depends on a row is judged by the statement itself.

import {
  permission, permissions, type Access, type AccessKind, type Permission,
} from "../contract/access.js";
import type { ActionName } from "../contract/action_names.js";
import { invalidParam, Refusal, type Issue } from "../contract/errors.js";
import type { Grant, GrantFacts, HeldPermission, ShownClaim } from "../contract/grants.js";
import type { Caller } from "./admit.js";
import { heldPermission, unlimitedNames } from "./permissions.js";
import { sha256Hex } from "./plugin_token.js";

export interface MintRequest<A extends Access> {
  action: { name: ActionName; access: A };
  /** Null only for open methods on a connection that has proved nothing. */
  caller: Caller | null;
  /** Checked by the schema of the action; null is absent. */
  params: Readonly<Record<string, unknown>>;
  /** Instant that tests set, ISO 8601; null is the database clock. */
  now: string | null;
  read_days: number;
}

type Minting = Omit<MintRequest<Access>, "action">;
type AccessOf<K extends AccessKind> = Extract<Access, { kind: K }>;

/** What an access kind decides; the rest of the facts is the same for all. */
type Judged = Partial<Omit<GrantFacts, "tenant_id" | "caller" | "via" | "action" | "now">>;

/** The grant of one call, or the refusal that needs no look at a row. */
export function mintGrant<A extends Access>(request: MintRequest<A>): Grant<A["kind"]> {
  const { action, caller } = request;
  const facts: GrantFacts = {
    // Members as jsonb keeps them, short names first: it need not sort the grants of a batch.
    now: request.now,
    via: caller?.via ?? null,
    held: [],
    mode: null,
    admin: null,
    claim: null,
    force: false,
    action: action.name,
    caller: caller?.principal.plugin_identity ?? "",
    run_id: null,
    creator: null,
    read_days: request.read_days,
    tenant_id: caller?.principal.tenant_id ?? "default",
    unlimited: [],
    capability: null,
    target_run_id: null,
    ...judge(action.access, request),
  };
  return Object.freeze(facts) as Grant<A["kind"]>;
}

function judge(access: Access, minting: Minting): Judged {
  switch (access.kind) {
    case "open":
      return {};
    case "permission":
      return judgePermission(access, minting);
    case "read":
      return judgeRead(access, minting);
    case "cancel":
      return judgeCancel(access, minting);
    case "write":
      return judgeWrite(access, minting);
    case "claim":
      return judgeClaim(access, minting);
    case "fleet":
      return {
        run_id: runOf(minting),
        capability: access.run.capability,
        mode: access.run.mode,
        admin: held(minting, access.admin),
      };
    case "own":
      return { admin: held(minting, access.admin) };
    case "outside":
      return judgeOutside(access, minting);
    case "session":
      return judgeSession(access, minting);
    case "connection":
      return {};
  }
}

/** The grant under which the host itself sweeps one tenant. */
export function mintHostGrant(tenant_id: string): Grant<"permission"> {
  const action = { name: "runtime_reconcile", access: permission("runtime:admin") } as const;
  const minted = mintGrant({ action, caller: null, params: {}, now: null, read_days: 0 });
  const admin = { permission: "runtime:admin", workspaces: null } as const;
  return Object.freeze({ ...minted, tenant_id, caller: "host", admin });
}

/** run_create weighs both permissions by workspace, so each has its own place. */
function judgePermission(access: AccessOf<"permission">, minting: Minting): Judged {
  const admin = access.any
    .filter((wanted) => wanted !== "agent_run:create")
    .map((wanted) => held(minting, wanted))
    .find((found) => found !== null);
  const creates = access.any.includes("agent_run:create");
  return {
    admin: admin ?? null,
    creator: creates ? held(minting, "agent_run:create") : null,
    held: permissions.flatMap((wanted) => held(minting, wanted) ?? []),
    unlimited: unlimitedNames(minting.caller?.standing?.sources ?? []),
  };
}

function judgeOutside(access: AccessOf<"outside">, minting: Minting): Judged {
  const target_run_id = requireTarget(minting);
  const admin = held(minting, access.admin);
  const creator = held(minting, "agent_run:create");
  if (!access.owner) requirePath(null, admin, creator);
  return { target_run_id, admin, creator };
}

function judgeSession(access: AccessOf<"session">, minting: Minting): Judged {
  const run_id = runOf(minting);
  if (run_id === null) throw new Error("the schema of an action with session access needs run_id");
  const { capability, mode } = access.run;
  const claim = access.fenced ? readWriteParams(minting, false).claim : null;
  return { run_id, target_run_id: run_id, capability, mode, claim };
}

function judgeRead(access: AccessOf<"read">, minting: Minting): Judged {
  const run_id = runOf(minting);
  const target_run_id = readTarget(access.target, minting);
  const admin = held(minting, access.admin);
  const creator = access.creator ? held(minting, "agent_run:create") : null;
  requirePath(run_id, admin, creator);
  return {
    run_id,
    target_run_id,
    capability: access.run.capability,
    mode: access.run.mode,
    admin,
    creator,
  };
}

/** An ended run may cancel itself, which changes nothing, but no other run. */
function judgeCancel(access: AccessOf<"cancel">, minting: Minting): Judged {
  const run_id = runOf(minting);
  const target_run_id = requireTarget(minting);
  const admin = held(minting, access.admin);
  const creator = access.creator ? held(minting, "agent_run:create") : null;
  requirePath(run_id, admin, creator);
  return {
    run_id,
    target_run_id,
    capability: access.run.capability,
    mode: run_id === target_run_id ? access.run.mode : "live",
    admin,
    creator,
  };
}

/** WRITE(c): params first, then the permission that `force` needs, then whether a path applies. */
function judgeWrite(access: AccessOf<"write">, minting: Minting): Judged {
  const run_id = runOf(minting);
  const force = minting.params["force"] === true;
  const { target_run_id, claim } = readWriteParams(minting, force);
  const admin = held(minting, access.admin);
  if (force && admin === null) {
    const needed = access.admin ?? "agent_run:admin";
    throw new Refusal("FORBIDDEN", { reason: "permission_missing", permission: needed });
  }
  if (claim === null) requirePath(run_id, admin, null);
  return {
    run_id,
    target_run_id,
    capability: access.capability,
    mode: run_id === null ? null : run_id === target_run_id ? "own" : "live",
    admin,
    claim,
    force,
  };
}

/** CLAIM(c): the proof is required; runtime:admin only widens which run may be named beside it. */
function judgeClaim(access: AccessOf<"claim">, minting: Minting): Judged {
  const run_id = runOf(minting);
  const target_run_id = textOf(minting, "target_run_id");
  const claim = shownClaim(minting);
  if (target_run_id === null || claim === null) {
    throw new Error("the schema of an action with claim access must require the claim");
  }
  return {
    run_id,
    target_run_id,
    capability: access.capability,
    mode: run_id === null ? null : run_id === target_run_id ? "own" : "live",
    admin: held(minting, "runtime:admin"),
    claim,
  };
}

function readWriteParams(minting: Minting, force: boolean) {
  const { params } = minting;
  const issues: Issue[] = [];
  const target_run_id = textOf(minting, "target_run_id") ?? runOf(minting);
  if (target_run_id === null) issues.push({ path: "target_run_id", message: targetMissing });
  const given = (name: string): boolean => params[name] !== undefined && params[name] !== null;
  const isShown = ["runtime_id", "claim_token", "claim_epoch"].some(given);
  for (const name of isShown ? ["runtime_id", "claim_token"] : []) {
    if (!given(name)) issues.push({ path: name, message: "is needed with the other claim params" });
  }
  if (isShown && force) {
    issues.push({ path: "force", message: "may not be combined with claim params" });
  }
  if (target_run_id === null || issues.length > 0) throw new Refusal("INVALID_PARAMS", { issues });
  return { target_run_id, claim: shownClaim(minting) };
}

function shownClaim(minting: Minting): ShownClaim | null {
  const runtime_id = textOf(minting, "runtime_id");
  const claim_token = textOf(minting, "claim_token");
  if (runtime_id === null || claim_token === null) return null;
  const epoch = minting.params["claim_epoch"];
  return {
    epoch: typeof epoch === "number" ? epoch : null,
    runtime_id,
    token_sha256: sha256Hex(claim_token),
  };
}

function readTarget(target: AccessOf<"read">["target"], minting: Minting): string | null {
  if (target === "none") return null;
  if (target === "required") return requireTarget(minting);
  return textOf(minting, "target_run_id") ?? runOf(minting);
}

const targetMissing = "name the run with target_run_id or run_id";

function requireTarget(minting: Minting): string {
  const target = textOf(minting, "target_run_id") ?? runOf(minting);
  if (target === null) throw invalidParam("target_run_id", targetMissing);
  return target;
}

function requirePath(
  run_id: string | null,
  admin: HeldPermission | null,
  creator: HeldPermission | null,
): void {
  if (run_id !== null || admin !== null || creator !== null) return;
  throw invalidParam("run_id", "is needed: the caller holds no permission that does without it");
}

function held(minting: Minting, wanted: Permission | undefined): HeldPermission | null {
  if (wanted === undefined) return null;
  return heldPermission(minting.caller?.standing?.sources ?? [], wanted);
}

function runOf(minting: Minting): string | null {
  return textOf(minting, "run_id");
}

function textOf(minting: Minting, name: string): string | null {
  const value = minting.params[name];
  return typeof value === "string" ? value : null;
}
