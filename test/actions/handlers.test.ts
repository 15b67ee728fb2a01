// What handlers decide before the ledger is asked: tenants, own rows, and the identity of a
// connection. The ledger of these calls throws when it is touched.

import { describe, expect, it } from "vitest";
import type { CallingConnection, Principal } from "../../src/actions/action.js";
import { actionNames, type ActionName } from "../../src/contract/action_names.js";
import { Refusal } from "../../src/contract/errors.js";
import type { GrantFacts } from "../../src/contract/grants.js";
import { collectActions, judgeParams, refusalOf } from "./schemas.js";

const actions = collectActions();

class Reached extends Error {}

/** Throws when one of its functions is called, whichever. */
const untouched: unknown = new Proxy({}, {
  get: (_ledger, family) => new Proxy({}, {
    get: (_family, name) => () => {
      throw new Reached(`${String(family)}.${String(name)}`);
    },
  }),
});

const acme: Principal = { tenant_id: "default", plugin_identity: "acme/bot" };

function connectionOf(principal: Principal | null): CallingConnection {
  return {
    principal,
    async login(plugin_token) {
      if (plugin_token === "good") return acme;
      throw new Refusal("UNAUTHENTICATED");
    },
    permissions: () => ["agent_run:create", "runtime:admin"],
    noteClaim() {
      throw new Error("nothing was claimed");
    },
    subscribe() {
      throw new Error("nothing was followed");
    },
    unsubscribe: () => false,
  };
}

const host = {
  name: "runhost",
  version: "9.9.9",
  limits: { max_message_bytes: 1, max_batch: 2, max_in_flight: 3 },
  openrpc: () => ({ openrpc: "1.3.2" }),
};

interface Asked {
  sent?: Record<string, unknown>;
  grant?: Partial<GrantFacts>;
  connection?: CallingConnection;
  logged?: Record<string, unknown>[];
}

async function handle(name: ActionName, asked: Asked): Promise<unknown> {
  const action = actions.get(name);
  if (action === undefined) throw new Error(`there is no ${name}`);
  const sent = asked.sent ?? {};
  const judged = judgeParams(action, sent);
  if (!("params" in judged)) throw new Error(`refused by its schema: ${JSON.stringify(judged)}`);
  const held = [{ permission: "plugin:admin", workspaces: null }];
  const grant = { tenant_id: "default", caller: "acme/bot", admin: null, held, ...asked.grant };
  return action.handle({
    params: judged.params,
    sent,
    grant,
    ledger: untouched,
    signal: new AbortController().signal,
    log: { info: (fields: Record<string, unknown>) => asked.logged?.push(fields), debug() {} },
    connection: asked.connection ?? connectionOf(acme),
    host,
  } as unknown as Parameters<typeof action.handle>[0]);
}

const refusal = async (name: ActionName, asked: Asked) => {
  const { code, details } = await refusalOf(() => handle(name, asked));
  return { code, ...details };
};

describe("plugin_connect", () => {
  const described = {
    plugin_identity: "acme/bot", tenant_id: "default",
    permissions: ["agent_run:create", "runtime:admin"], protocol_version: "1",
    host: { name: "runhost", version: "9.9.9" }, limits: host.limits,
  };
  it("proves an identity", async () => {
    const logged: Record<string, unknown>[] = [];
    const sent = { token: "good", client: { name: "sdk" } };
    const connection = connectionOf(null);
    expect(await handle("plugin_connect", { sent, connection, logged })).toEqual(described);
    expect(logged).toEqual([{ client: { name: "sdk", version: null } }]);
  });
  it("describes one that is proved", async () => {
    expect(await handle("plugin_connect", {})).toEqual(described);
  });
  it("needs a token until then", async () => {
    const refused = await refusal("plugin_connect", { connection: connectionOf(null) });
    expect(refused).toMatchObject({ code: "INVALID_PARAMS", issues: [{ path: "token" }] });
  });
  it("takes no token afterwards", async () => {
    const refused = await refusal("plugin_connect", { sent: { token: "good" } });
    expect(refused).toMatchObject({ code: "INVALID_PARAMS", issues: [{ path: "token" }] });
  });
  it.each(["", "bad", "rh_x_y"])("token %j is not accepted", async (token) => {
    const refused = await refusal("plugin_connect", {
      sent: { token }, connection: connectionOf(null),
    });
    expect(refused).toEqual({ code: "UNAUTHENTICATED" });
  });
});

it("rpc.discover gives the document of the host", async () => {
  expect(await handle("rpc.discover", {})).toEqual({ openrpc: "1.3.2" });
});

describe("another tenant", () => {
  const builtin = { caller: "runhost/admin" };
  const named = { plugin_identity: "a/b", tenant_id: "other" };
  const calls: [ActionName, Record<string, unknown>][] = [
    ["plugin_register", named],
    ["plugin_list", { tenant_id: "other" }],
    ["plugin_rotate_token", named],
    ["plugin_set_enabled", { ...named, enabled: true }],
    ["audit_page", { tenant_id: "other", domain: "plugin" }],
  ];
  const forbidden = {
    code: "FORBIDDEN", reason: "permission_missing", permission: "plugin:admin",
  };
  it.each(calls)("%s is refused", async (name, sent) => {
    expect(await refusal(name, { sent })).toEqual(forbidden);
  });
  it.each(calls)("%s is refused to another tenant's runhost/admin", async (name, sent) => {
    const grant = { caller: "runhost/admin", tenant_id: "t" };
    expect(await refusal(name, { sent, grant })).toEqual(forbidden);
  });
  it.each(calls)("%s is for the built-in identity", async (name, sent) => {
    await expect(handle(name, { sent, grant: builtin })).rejects.toThrow(Reached);
  });
  it.each(calls)("%s may name the caller's own", async (name, sent) => {
    const asked = { sent: { ...sent, tenant_id: "t" }, grant: { tenant_id: "t" } };
    await expect(handle(name, asked)).rejects.toThrow(Reached);
  });
  it("audit_page shows of another tenant the domain plugin only", async () => {
    const sent = { tenant_id: "other" };
    await expect(handle("audit_page", { sent, grant: builtin })).rejects.toThrow(Reached);
    const refused = await refusal("audit_page", {
      sent: { ...sent, domain: "runtime" }, grant: builtin,
    });
    expect(refused).toMatchObject({ code: "INVALID_PARAMS", issues: [{ path: "domain" }] });
  });
  it("comes before the reserved author", async () => {
    const sent = { plugin_identity: "runhost/admin", tenant_id: "other" };
    expect(await refusal("plugin_rotate_token", { sent })).toEqual(forbidden);
  });
});

describe("the reserved author", () => {
  const missing = { code: "NOT_FOUND", kind: "plugin", id: "runhost/admin" };
  const sent = { plugin_identity: "runhost/admin" };
  it("cannot be rotated", async () => {
    expect(await refusal("plugin_rotate_token", { sent })).toEqual(missing);
  });
  it("cannot be disabled", async () => {
    const wanted = { ...sent, enabled: false };
    expect(await refusal("plugin_set_enabled", { sent: wanted })).toEqual(missing);
  });
});

describe("own rows", () => {
  const outside = { code: "FORBIDDEN", reason: "out_of_scope" };
  const own = "plugin:acme/bot/main";
  const foreign = "plugin:acme/bot2/main";
  const admin = { permission: "runtime:admin", workspaces: ["w"] } as const;

  it("run_claim names own runners only", async () => {
    const sent = { runtime_id: "rt", runner_ids: [own, foreign] };
    expect(await refusal("run_claim", { sent })).toEqual(outside);
  });
  it.each<[string, Asked]>([
    ["own runners", { sent: { runtime_id: "rt", runner_ids: [own] } }],
    ["no runners", { sent: { runtime_id: "rt" } }],
    ["any, through a run", { sent: { runtime_id: "rt", run_id: "r", runner_ids: [foreign] } }],
    ["any, as an administrator",
      { sent: { runtime_id: "rt", runner_ids: [foreign] }, grant: { admin } }],
  ])("run_claim: %s", async (_why, asked) => {
    await expect(handle("run_claim", asked)).rejects.toThrow(Reached);
  });
  it("runner_register declares own runners only", async () => {
    const sent = { runners: [{ id: own }, { id: foreign }] };
    expect(await refusal("runner_register", { sent })).toEqual(outside);
  });
  it("runner_register does not take another's as an administrator either", async () => {
    const sent = { runners: [{ id: foreign }] };
    expect(await refusal("runner_register", { sent, grant: { admin } })).toEqual(outside);
  });
  it("runner_list names only the caller", async () => {
    const sent = { include_plugins: ["acme/bot", "acme/bot2"] };
    expect(await refusal("runner_list", { sent })).toEqual(outside);
    await expect(handle("runner_list", { sent, grant: { admin } })).rejects.toThrow(Reached);
  });
});

describe("the audit", () => {
  const grant = { held: [{ permission: "runtime:admin", workspaces: ["w"] }] } as const;
  it.each(["agent_run", "plugin"])("domain %s needs its own permission", async (domain) => {
    expect(await refusal("audit_page", { sent: { domain }, grant })).toEqual({
      code: "FORBIDDEN", reason: "permission_missing", permission: `${domain}:admin`,
    });
  });
  it.each([{}, { domain: "runtime" }, { tenant_id: "default" }])("%j is read", async (sent) => {
    await expect(handle("audit_page", { sent, grant })).rejects.toThrow(Reached);
  });
});

describe("declarations", () => {
  it("hold every name of the closed list and no other", () => {
    expect([...actions.keys()].sort()).toEqual([...actionNames].sort());
  });
  it.each([...actionNames])("%s says in one sentence what it does", (name) => {
    expect(actions.get(name)?.summary).toMatch(/^[A-Z][^.]*\.$/);
  });
  it("three names are open to connections that have proved nothing", () => {
    const open = [...actions.values()].filter(({ access }) => access.kind === "open");
    expect(open.map(({ name }) => name).sort()).toEqual(["ping", "plugin_connect", "rpc.discover"]);
  });
  it("writes keep their order by the run that they name", () => {
    const named = { run_id: "a", target_run_id: "b", new_run_id: "c" };
    const keys = [...actions.values()].flatMap(({ name, writesTo }) =>
      writesTo === undefined ? [] : [[name, writesTo(named), writesTo({ run_id: 5 })]],
    );
    expect(keys).toEqual([
      ["run_create", "a", null], ["run_cancel", "b", null], ["run_retry", "c", null],
      ["run_append_result", "b", null], ["run_emit_result", "b", null],
      ["run_finalize", "b", null], ["event_publish", null, null],
      ["run_renew_claim", "b", null], ["run_release_claim", "b", null],
      ["steering_pull", "b", null], ["steering_ack", "b", null],
      ["state_set", "b", null], ["state_delete", "b", null],
      ["interaction_submit", "b", null], ["interaction_cancel", "b", null],
    ]);
  });
});
