// Step 1 and step 3 of a call: who calls, in whose name, and permissions that need no lookup.

import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/actions/action.js";
import { identifyCaller, requirePermission, type Caller } from "../../src/authz/admit.js";
import type { Standing } from "../../src/authz/plugins.js";
import { open, own, permission, type Access } from "../../src/contract/access.js";

const tenant_id = "t1";
const named = (plugin_identity: string): Principal => ({ tenant_id, plugin_identity });
const hub = named("acme/hub");
const bot = named("acme/bot");

type Known = Record<string, Partial<Standing> & { permissions?: string[] }>;

function standingsOf(known: Known) {
  const asked: string[] = [];
  return {
    asked,
    async standing(principal: Principal): Promise<Standing> {
      asked.push(principal.plugin_identity);
      const isHere = principal.tenant_id === tenant_id;
      const found = isHere ? known[principal.plugin_identity] : undefined;
      if (found === undefined) return { principal, enabled: false, sources: [] };
      const sources = found.sources ?? [
        { permissions: found.permissions ?? [], workspaces: null },
      ];
      return { principal, enabled: found.enabled ?? true, sources };
    },
  };
}

const delegating: Known = { "acme/hub": { permissions: ["plugin:delegate"] }, "acme/bot": {} };
const mismatch = { code: "FORBIDDEN", details: { reason: "identity_mismatch" } };

describe("step 1", () => {
  test.each([
    ["a method that needs a login", own()],
    ["a method with a permission", permission("plugin:admin")],
    ["a method that the host does not have", undefined],
    ["an open method that needs a login", open({ before_login: false })],
  ])("%s is UNAUTHENTICATED on an unproved connection", async (_, access) => {
    const standings = standingsOf(delegating);
    const arrival = { access, principal: null, caller_plugin_identity: "acme/bot" };
    await expect(identifyCaller(standings, arrival)).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
    expect(standings.asked).toEqual([]);
  });

  test("before login an open method asks nobody, whatever identity it names", async () => {
    const standings = standingsOf(delegating);
    for (const caller_plugin_identity of [undefined, "acme/bot", "no identity", 5]) {
      const access = open({ before_login: true });
      const arrival = { access, principal: null, caller_plugin_identity };
      expect(await identifyCaller(standings, arrival)).toBeNull();
    }
    expect(standings.asked).toEqual([]);
  });

  test.each([[undefined], [null], ["acme/hub"], [5], [true], [{}], [["acme/bot"]]])(
    "caller_plugin_identity %j is the connection's own",
    async (caller_plugin_identity) => {
      const arrival = { access: own(), principal: hub, caller_plugin_identity };
      expect(await identifyCaller(standingsOf(delegating), arrival)).toMatchObject({
        principal: hub, via: null, standing: { enabled: true },
      });
    },
  );

  test("an open method after login needs no facts", async () => {
    const standings = standingsOf({});
    const access = open({ before_login: true });
    const arrival = { access, principal: hub, caller_plugin_identity: "acme/hub" };
    expect(await identifyCaller(standings, arrival)).toEqual({
      principal: hub, via: null, standing: null,
    });
    expect(standings.asked).toEqual([]);
  });

  test("an identity that has been disabled since is UNAUTHENTICATED", async () => {
    const standings = standingsOf({ "acme/hub": { enabled: false, permissions: ["*"] } });
    for (const caller_plugin_identity of [undefined, "acme/bot"]) {
      const arrival = { access: own(), principal: hub, caller_plugin_identity };
      await expect(identifyCaller(standings, arrival)).rejects.toMatchObject({
        code: "UNAUTHENTICATED",
      });
    }
  });
});

describe("delegation", () => {
  const call = (known: Known, wanted: unknown, access: Access = own()) =>
    identifyCaller(standingsOf(known), { access, principal: hub, caller_plugin_identity: wanted });

  test("judges the call as the other identity and keeps both names", async () => {
    expect(await call(delegating, "acme/bot")).toMatchObject({
      principal: bot, via: "acme/hub", standing: { principal: bot, enabled: true },
    });
  });

  test("is judged on open methods too once the connection is proved", async () => {
    const access = open({ before_login: true });
    expect(await call(delegating, "acme/bot", access)).toMatchObject({ via: "acme/hub" });
    await expect(call({ "acme/hub": {} }, "acme/bot", access)).rejects.toMatchObject(mismatch);
  });

  const unlimited = (...permissions: string[]) => [{ permissions, workspaces: null }];
  const limited = (...permissions: string[]) => [{ permissions, workspaces: ["w1"] }];

  test.each<[string, Known, string]>([
    ["plugin:delegate is not held", { "acme/hub": {}, "acme/bot": {} }, "acme/bot"],
    ["the other is unknown", { "acme/hub": { permissions: ["plugin:delegate"] } }, "acme/bot"],
    ["the other is disabled", { ...delegating, "acme/bot": { enabled: false } }, "acme/bot"],
    [
      "the other holds what the delegate does not",
      { ...delegating, "acme/bot": { permissions: ["agent_run:create"] } },
      "acme/bot",
    ],
    [
      "a limited entry of the other counts whole",
      { ...delegating, "acme/bot": { sources: limited("agent_run:admin") } },
      "acme/bot",
    ],
    [
      "a limited source of the delegate covers nothing",
      {
        "acme/hub": { sources: limited("*") },
        "acme/bot": { sources: unlimited("runtime:admin") },
      },
      "acme/bot",
    ],
    ["the built-in name in another tenant", delegating, "runhost/admin"],
    ["a name that is no identity", delegating, "no identity"],
    ["an empty name", delegating, ""],
    ["a name with NUL", delegating, "acme/\u0000bot"],
    ["other case", delegating, "ACME/BOT"],
  ])("%s: one and the same refusal", async (_, known, wanted) => {
    await expect(call(known, wanted)).rejects.toMatchObject(mismatch);
  });

  test("the built-in administrator cannot be named, not even by *", async () => {
    const principal = { tenant_id: "default", plugin_identity: "acme/hub" };
    const standing = async (asked: Principal): Promise<Standing> => ({
      principal: asked, enabled: true, sources: unlimited("*"),
    });
    const arrival = { access: own(), principal, caller_plugin_identity: "runhost/admin" };
    await expect(identifyCaller({ standing }, arrival)).rejects.toMatchObject(mismatch);
  });

  test.each(["no identity", "", "acme/\u0000bot", "acme/bot ", `a/${"b".repeat(300)}`])(
    "%j is refused without a look into the directory",
    async (caller_plugin_identity) => {
      const standings = standingsOf(delegating);
      const arrival = { access: own(), principal: hub, caller_plugin_identity };
      await expect(identifyCaller(standings, arrival)).rejects.toMatchObject(mismatch);
      expect(standings.asked).toEqual(["acme/hub"]);
    },
  );

  test("without plugin:delegate the named identity is not even looked up", async () => {
    const standings = standingsOf({ "acme/hub": { permissions: ["plugin:admin"] } });
    const arrival = { access: own(), principal: hub, caller_plugin_identity: "acme/bot" };
    await expect(identifyCaller(standings, arrival)).rejects.toMatchObject(mismatch);
    expect(standings.asked).toEqual(["acme/hub"]);
  });

  test.each<[string[], string[]]>([
    [["plugin:delegate"], []],
    [["plugin:*"], ["plugin:admin"]],
    [["plugin:delegate", "agent_runner:admin"], ["agent_run:*", "runtime:admin"]],
    [["*"], ["*"]],
  ])("%j may speak for the holder of %j", async (own_names, other_names) => {
    const known = {
      "acme/hub": { permissions: own_names }, "acme/bot": { permissions: other_names },
    };
    expect(await call(known, "acme/bot")).toMatchObject({ via: "acme/hub" });
  });
});

describe("step 3", () => {
  const caller = (...permissions: string[]): Caller => ({
    principal: bot,
    via: null,
    standing: { principal: bot, enabled: true, sources: [{ permissions, workspaces: ["w1"] }] },
  });
  const either = permission("agent_run:admin", "agent_run:create");

  test("one of the listed permissions is enough, also a limited one", () => {
    expect(() => requirePermission(caller("agent_run:create"), either)).not.toThrow();
    expect(() => requirePermission(caller("*"), permission("plugin:admin"))).not.toThrow();
  });

  test.each([[[]], [["runtime:admin"]], [["plugin:*"]]])("%j is FORBIDDEN", (held) => {
    expect(() => requirePermission(caller(...held), either)).toThrow(
      expect.objectContaining({
        code: "FORBIDDEN",
        details: { reason: "permission_missing", permission: "agent_run:admin" },
      }),
    );
  });

  test("other kinds of access are judged later", () => {
    expect(() => requirePermission(caller(), own({ admin: "agent_run:admin" }))).not.toThrow();
  });
});
