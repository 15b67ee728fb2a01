// Minting by access kind: the facts of a grant, and every refusal that needs no look at a row,
// with its literal code and issue path.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/authz/admit.js";
import { mintGrant } from "../../src/authz/grant.js";
import {
  cancel, claim, fleet, open, own, permission, read, write, type Access,
} from "../../src/contract/access.js";
import type { ActionName } from "../../src/contract/action_names.js";
import { Refusal } from "../../src/contract/errors.js";

interface Asked {
  name: ActionName;
  access: Access;
  /** Permission names of the caller's table row, and of a limited configuration entry. */
  holds?: string[];
  limited?: { permissions: string[]; workspaces: string[] };
  params?: Record<string, unknown>;
}

function callerWith(asked: Pick<Asked, "holds" | "limited">): Caller {
  const principal = { tenant_id: "t1", plugin_identity: "acme/ops" };
  const sources = [
    { permissions: asked.holds ?? [], workspaces: null },
    ...(asked.limited === undefined ? [] : [asked.limited]),
  ];
  return { principal, via: null, standing: { principal, enabled: true, sources } };
}

function mint(asked: Asked) {
  return mintGrant({
    action: { name: asked.name, access: asked.access },
    caller: callerWith(asked),
    params: asked.params ?? {},
    now: null,
    read_days: 7,
  });
}

/** Code, reason, permission and issue paths of the refusal. */
function refusal(asked: Asked): Record<string, unknown> {
  try {
    mint(asked);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    const { issues, ...details } = thrown.details as { issues?: { path: string }[] };
    return {
      code: thrown.code,
      ...details,
      ...(issues === undefined ? {} : { paths: issues.map((issue) => issue.path) }),
    };
  }
  throw new Error("the grant was minted");
}

const getAccess = read({
  run: { capability: "run_get", mode: "persisted" },
  admin: "agent_run:admin",
  creator: true,
  target: "required",
});
const runGet = { name: "run_get", access: getAccess } as const;
const runList = {
  name: "run_list",
  access: read({
    run: { capability: "run_list", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
    target: "none",
  }),
} as const;
const runCancel = {
  name: "run_cancel",
  access: cancel({
    run: { capability: "run_cancel", mode: "persisted" },
    admin: "agent_run:admin",
    creator: true,
  }),
} as const;
const append = {
  name: "run_append_result",
  access: write({ capability: "run_append_result", admin: "agent_run:admin" }),
} as const;
const emit = { name: "run_emit_result", access: write({ capability: "run_emit_result" }) } as const;
const renew = {
  name: "run_renew_claim",
  access: claim({ capability: "run_renew_claim" }),
} as const;
const runClaim = {
  name: "run_claim",
  access: fleet({ run: { capability: "run_claim", mode: "live" }, admin: "runtime:admin" }),
} as const;

const token = "0123456789abcdef0123456789abcdef";
const token_sha256 = createHash("sha256").update(token).digest("hex");
const shown = { runtime_id: "rt1", claim_token: token };

const admin = { permission: "agent_run:admin", workspaces: null };
const creator = { permission: "agent_run:create", workspaces: null };

describe("facts that every grant carries", () => {
  test("tenant, caller, delegation, clock and read days", () => {
    const principal = { tenant_id: "t1", plugin_identity: "acme/bot" };
    const sources = [
      { permissions: ["runtime:admin", "agent_run:create"], workspaces: null },
      { permissions: ["*"], workspaces: ["w1"] },
    ];
    const grant = mintGrant({
      action: { name: "runner_register", access: own() },
      caller: { principal, via: "acme/hub", standing: { principal, enabled: true, sources } },
      params: { runners: [] },
      now: "2026-01-01T00:00:00.000Z",
      read_days: 3,
    });
    expect(grant).toEqual({
      tenant_id: "t1",
      caller: "acme/bot",
      via: "acme/hub",
      action: "runner_register",
      now: "2026-01-01T00:00:00.000Z",
      run_id: null,
      target_run_id: null,
      capability: null,
      mode: null,
      admin: null,
      creator: null,
      held: [],
      claim: null,
      force: false,
      unlimited: [],
      read_days: 3,
    });
    expect(Object.isFrozen(grant)).toBe(true);
  });

  test("an open grant of an unproved connection names nobody and holds nothing", () => {
    const access = open({ before_login: true });
    const grant = mintGrant({
      action: { name: "ping", access }, caller: null, params: {}, now: null, read_days: 7,
    });
    expect(grant).toMatchObject({ tenant_id: "default", caller: "", admin: null, unlimited: [] });
  });
});

describe("permission", () => {
  test("what may be granted is judged by the names without a workspace limit", () => {
    const principal = { tenant_id: "t1", plugin_identity: "acme/bot" };
    const sources = [
      { permissions: ["runtime:admin", "plugin:admin"], workspaces: null },
      { permissions: ["*"], workspaces: ["w1"] },
    ];
    const grant = mintGrant({
      action: { name: "plugin_list", access: permission("plugin:admin") },
      caller: { principal, via: null, standing: { principal, enabled: true, sources } },
      params: {}, now: null, read_days: 3,
    });
    expect(grant.unlimited).toEqual(["plugin:admin", "runtime:admin"]);
  });

  const create = { name: "run_create", access: permission("agent_run:admin", "agent_run:create") };
  test.each([
    [["agent_run:admin"], admin, null],
    [["agent_run:create"], null, creator],
    [["*"], admin, creator],
    [["agent_runner:admin"], admin, creator],
  ])("run_create by %j", (holds, expectedAdmin, expectedCreator) => {
    const params = { run_id: "r1", parent_run_id: "r0" };
    const grant = mint({ ...create, name: "run_create", holds, params });
    expect(grant.admin).toEqual(expectedAdmin);
    expect(grant.creator).toEqual(expectedCreator);
    expect(grant.run_id).toBeNull();
    expect(grant.target_run_id).toBeNull();
  });

  test("keeps the workspaces of each permission apart", () => {
    const grant = mint({
      ...create,
      name: "run_create",
      holds: ["agent_run:create"],
      limited: { permissions: ["agent_run:admin"], workspaces: ["w1"] },
    });
    expect(grant.admin).toEqual({ permission: "agent_run:admin", workspaces: ["w1"] });
    expect(grant.creator).toEqual({ permission: "agent_run:create", workspaces: null });
  });

  test("plugin methods carry plugin:admin", () => {
    const access = permission("plugin:admin");
    const grant = mint({ name: "plugin_register", access, holds: ["plugin:*"] });
    expect(grant.admin).toEqual({ permission: "plugin:admin", workspaces: null });
    expect(grant.creator).toBeNull();
    expect(grant.unlimited).toEqual(["plugin:*"]);
  });
});

describe("read", () => {
  test.each([
    [{ run_id: "s" }, "s", "s"],
    [{ run_id: "s", target_run_id: "t" }, "s", "t"],
    [{ run_id: "s", target_run_id: null }, "s", "s"],
  ])("%j without any permission", (params, run_id, target_run_id) => {
    expect(mint({ ...runGet, params })).toMatchObject({
      run_id, target_run_id, capability: "run_get", mode: "persisted", admin: null, creator: null,
    });
  });

  test.each([
    [["agent_run:admin"], admin, null],
    [["agent_run:create"], null, creator],
    [["agent_run:*"], admin, creator],
  ])("a target alone by %j", (holds, expectedAdmin, expectedCreator) => {
    expect(mint({ ...runGet, holds, params: { target_run_id: "t" } })).toMatchObject({
      run_id: null, target_run_id: "t", admin: expectedAdmin, creator: expectedCreator,
    });
  });

  test.each([
    [[], {}, ["target_run_id"]],
    [["*"], {}, ["target_run_id"]],
    [["*"], { run_id: null, target_run_id: null }, ["target_run_id"]],
    [[], { target_run_id: "t" }, ["run_id"]],
    [["runtime:admin", "plugin:admin"], { target_run_id: "t" }, ["run_id"]],
  ])("by %j with %j is INVALID_PARAMS at %j", (holds, params, paths) => {
    expect(refusal({ ...runGet, holds, params })).toEqual({ code: "INVALID_PARAMS", paths });
  });

  test("a method without administrator and creator path never fills them", () => {
    const access = read({ run: { capability: "run_get", mode: "live" }, target: "required" });
    const asked = { name: "run_get", access, holds: ["*"] } as const;
    const grant = mint({ ...asked, holds: ["*"], params: { run_id: "s" } });
    expect(grant).toMatchObject({ admin: null, creator: null });
    const target = { target_run_id: "t" };
    expect(refusal({ ...asked, holds: ["*"], params: target })).toEqual({
      code: "INVALID_PARAMS", paths: ["run_id"],
    });
  });

  test("a list needs no target, but a path", () => {
    expect(mint({ ...runList, holds: ["agent_run:create"] })).toMatchObject({
      run_id: null, target_run_id: null, capability: "run_list", admin: null, creator,
    });
    expect(mint({ ...runList, params: { run_id: "s" } })).toMatchObject({ run_id: "s" });
    expect(refusal({ ...runList })).toEqual({ code: "INVALID_PARAMS", paths: ["run_id"] });
  });
});

describe("cancel", () => {
  test.each([
    [{ run_id: "s" }, "persisted"],
    [{ run_id: "s", target_run_id: "s" }, "persisted"],
    [{ run_id: "s", target_run_id: "t" }, "live"],
    [{ target_run_id: "t" }, "live"],
  ])("%j asks for a %s session", (params, mode) => {
    const grant = mint({ ...runCancel, holds: ["agent_run:admin"], params });
    expect(grant).toMatchObject({ mode, admin, capability: "run_cancel" });
  });

  test.each([
    [{}, ["target_run_id"]],
    [{ target_run_id: "t" }, ["run_id"]],
  ])("%j without a permission is INVALID_PARAMS at %j", (params, paths) => {
    expect(refusal({ ...runCancel, params })).toEqual({ code: "INVALID_PARAMS", paths });
  });
});

describe("write", () => {
  test("the claim token travels as its SHA-256 only", () => {
    const grant = mint({ ...append, params: { target_run_id: "t", ...shown, claim_epoch: 4 } });
    expect(grant).toMatchObject({
      run_id: null,
      target_run_id: "t",
      claim: { runtime_id: "rt1", token_sha256, epoch: 4 },
      capability: "run_append_result",
      mode: null,
      force: false,
    });
    expect(JSON.stringify(grant)).not.toContain(token);
  });

  test.each([
    [{ run_id: "s" }, "own"],
    [{ run_id: "s", target_run_id: "s", ...shown }, "own"],
    [{ run_id: "s", target_run_id: "t" }, "live"],
    [{ run_id: "s", target_run_id: "t", ...shown }, "live"],
  ])("%j: the named session must be %s", (params, mode) => {
    expect(mint({ ...append, params }).mode).toBe(mode);
  });

  test.each([
    [{ run_id: "s", runtime_id: "rt1" }, ["claim_token"]],
    [{ run_id: "s", claim_token: token }, ["runtime_id"]],
    [{ run_id: "s", claim_epoch: 0 }, ["runtime_id", "claim_token"]],
    [{ run_id: "s", runtime_id: "rt1", claim_epoch: 1 }, ["claim_token"]],
    [{ run_id: "s", ...shown, force: true }, ["force"]],
    [{ run_id: "s", claim_token: token, force: true }, ["runtime_id", "force"]],
    [{}, ["target_run_id"]],
    [{ ...shown }, ["target_run_id"]],
    [{ force: true }, ["target_run_id"]],
    [{ target_run_id: "t" }, ["run_id"]],
    [{ target_run_id: "t", force: false }, ["run_id"]],
  ])("%j is INVALID_PARAMS at %j", (params, paths) => {
    expect(refusal({ ...append, params })).toEqual({ code: "INVALID_PARAMS", paths });
  });

  test("null claim params are absent", () => {
    const params = { run_id: "s", runtime_id: null, claim_token: null, claim_epoch: null };
    expect(mint({ ...append, params }).claim).toBeNull();
  });

  test.each([
    [{ run_id: "s", force: true }],
    [{ target_run_id: "t", force: true }],
  ])("force without the permission: %j", (params) => {
    for (const holds of [[], ["agent_run:create", "runtime:admin", "plugin:*"]]) {
      expect(refusal({ ...append, holds, params })).toEqual({
        code: "FORBIDDEN", reason: "permission_missing", permission: "agent_run:admin",
      });
    }
  });

  test("what is wrong with the params is told before the missing permission", () => {
    const params = { run_id: "s", runtime_id: "rt1", force: true };
    expect(refusal({ ...append, params })).toEqual({
      code: "INVALID_PARAMS", paths: ["claim_token", "force"],
    });
  });

  test("an administrator may name a target alone and force", () => {
    const grant = mint({
      ...append,
      limited: { permissions: ["agent_run:admin"], workspaces: ["w1"] },
      params: { target_run_id: "t", force: true },
    });
    expect(grant).toMatchObject({
      run_id: null, force: true, admin: { permission: "agent_run:admin", workspaces: ["w1"] },
    });
  });

  test("emitting has no administrator path", () => {
    expect(mint({ ...emit, holds: ["*"], params: { run_id: "s" } })).toMatchObject({
      admin: null, capability: "run_emit_result", mode: "own",
    });
    expect(refusal({ ...emit, holds: ["*"], params: { target_run_id: "t" } })).toEqual({
      code: "INVALID_PARAMS", paths: ["run_id"],
    });
  });
});

describe("claim", () => {
  const target = { target_run_id: "t", ...shown };
  test.each([
    [target, null, null],
    [{ ...target, run_id: "t" }, "t", "own"],
    [{ ...target, run_id: "s" }, "s", "live"],
  ])("%j", (params, run_id, mode) => {
    expect(mint({ ...renew, params })).toMatchObject({
      run_id, target_run_id: "t", mode, admin: null, capability: "run_renew_claim",
      claim: { runtime_id: "rt1", token_sha256, epoch: null },
    });
  });

  test("runtime:admin is carried along, and replaces no proof", () => {
    const grant = mint({ ...renew, holds: ["runtime:*"], params: target });
    expect(grant.admin).toEqual({ permission: "runtime:admin", workspaces: null });
    const bare = { ...renew, holds: ["*"], params: { target_run_id: "t" } };
    expect(() => mint(bare)).toThrow("must require the claim");
  });
});

describe("fleet and own", () => {
  test("run_id may be absent, and runtime_id is no claim param", () => {
    expect(mint({ ...runClaim, params: { runtime_id: "rt1" } })).toMatchObject({
      run_id: null, claim: null, admin: null, capability: "run_claim", mode: "live",
    });
    expect(mint({ ...runClaim, holds: ["runtime:admin"], params: { run_id: "s" } })).toMatchObject({
      run_id: "s", admin: { permission: "runtime:admin", workspaces: null },
    });
  });

  test("own carries the administrator permission only where the method has that path", () => {
    const list = own({ admin: "agent_run:admin" });
    expect(mint({ name: "runner_list", access: list, holds: ["*"] }).admin).toEqual(admin);
    expect(mint({ name: "runner_list", access: list }).admin).toBeNull();
    expect(mint({ name: "runner_register", access: own(), holds: ["*"] }).admin).toBeNull();
  });
});
