// Granting, rotating, enabling and delegating never give a permission that the caller lacks
// (actions.md property 12, 3.4 MAY_GRANT), and what a run was granted never grows (property 13).
// The table says which permission covers which; every pair is tried on every way of giving.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccessWorld, nameAnswer } from "../support/access_world.js";
import { Client, type Params } from "../support/client.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

const names = [
  "agent_run:admin", "agent_run:create", "agent_run:*", "runtime:admin", "runtime:*",
  "plugin:admin", "plugin:delegate", "plugin:*", "agent_runner:admin", "*",
] as const;
type Name = (typeof names)[number];

/** 3.4 MAY_GRANT, name by name. */
const covered: Record<Name, readonly Name[]> = {
  "agent_run:admin": ["agent_run:admin"],
  "agent_run:create": ["agent_run:create"],
  "agent_run:*": ["agent_run:admin", "agent_run:create", "agent_run:*"],
  "runtime:admin": ["runtime:admin"],
  "runtime:*": ["runtime:admin", "runtime:*"],
  "plugin:admin": ["plugin:admin"],
  "plugin:delegate": ["plugin:delegate"],
  "plugin:*": ["plugin:admin", "plugin:delegate", "plugin:*"],
  "agent_runner:admin": [
    "agent_run:admin", "agent_run:create", "agent_run:*", "runtime:admin", "runtime:*",
    "agent_runner:admin",
  ],
  "*": names,
};

async function connect(
  permissions: readonly string[],
): Promise<{ client: Client; identity: string }> {
  const { token, plugin_identity } = await world.register(permissions);
  return { client: await Client.open(world.host.url, token), identity: plugin_identity };
}

const answerOf = async (client: Client, method: string, params: Params): Promise<string> =>
  nameAnswer((await client.ask(method, params)) as never);

const refused = "FORBIDDEN/permission_missing";
const mismatch = "FORBIDDEN/identity_mismatch";

describe.each(names)("a plugin administrator with %s beside", (held) => {
  const mayGive = (wanted: Name) => wanted === "plugin:admin" || covered[held].includes(wanted);
  const expectEach = (otherwise: string) =>
    Object.fromEntries(names.map((wanted) => [wanted, mayGive(wanted) ? "ok" : otherwise]));
  const tryEach = async (attempt: (wanted: Name) => Promise<string>) =>
    Object.fromEntries(await Promise.all(names.map(async (wanted) =>
      [wanted, await attempt(wanted)] as const)));

  test("registers what it covers", async () => {
    const { client } = await connect(["plugin:admin", held]);
    const answers = await tryEach((wanted) => answerOf(client, "plugin_register", {
      plugin_identity: `acme/${world.unique("granted")}`, permissions: [wanted],
    }));
    expect(answers).toEqual(expectEach(refused));
    await client.close();
  });

  test.each([
    ["plugin_register", { permissions: [] }],
    ["plugin_register", { display_name: "Renamed" }],
    ["plugin_rotate_token", {}],
    ["plugin_set_enabled", { enabled: false }],
    ["plugin_set_enabled", { enabled: true }],
  ] as const)("%s %j on an identity that holds what it covers", async (method, params) => {
    const { client } = await connect(["plugin:admin", held]);
    const answers = await tryEach(async (wanted) => {
      const { plugin_identity } = await world.register([wanted]);
      return answerOf(client, method, { plugin_identity, ...params });
    });
    expect(answers).toEqual(expectEach(refused));
    await client.close();
  });

  test("adds to an identity only what it covers", async () => {
    const { client } = await connect(["plugin:admin", held]);
    const answers = await tryEach(async (wanted) => {
      const { plugin_identity } = await world.register([]);
      return answerOf(client, "plugin_register", { plugin_identity, permissions: [wanted] });
    });
    expect(answers).toEqual(expectEach(refused));
    await client.close();
  });

  test("delegates to what it covers", async () => {
    const { client } = await connect(["plugin:delegate", "plugin:admin", held]);
    const answers = await tryEach(async (wanted) => {
      const { plugin_identity } = await world.register([wanted]);
      return answerOf(client, "runner_list", { caller_plugin_identity: plugin_identity });
    });
    expect(answers).toEqual({ ...expectEach(mismatch), "plugin:delegate": "ok" });
    await client.close();
  });
});

describe("what does not count as a source", () => {
  const strong = ["agent_run:admin"];

  test("a permission that is limited to workspaces gives nothing on", async () => {
    const client = world.of("limited_granter");
    const { plugin_identity } = await world.register(strong);
    const fresh = `acme/${world.unique("granted")}`;
    const grant = (...permissions: string[]) =>
      answerOf(client, "plugin_register", { plugin_identity: fresh, permissions });
    expect([
      await grant(...strong),
      await grant("runtime:admin"),
      await answerOf(client, "plugin_rotate_token", { plugin_identity }),
      await answerOf(client, "runner_list", { caller_plugin_identity: plugin_identity }),
      await grant("plugin:admin"),
    ]).toEqual([refused, refused, refused, mismatch, "ok"]);
  });

  test("permissions of the configuration protect whoever holds them", async () => {
    const admin = world.of("plugin_admin");
    const plugin_identity = "acme/limited";
    expect([
      await answerOf(admin, "plugin_register", { plugin_identity, permissions: [] }),
      await answerOf(admin, "plugin_rotate_token", { plugin_identity }),
      await answerOf(admin, "plugin_set_enabled", { plugin_identity, enabled: false }),
    ]).toEqual([refused, refused, refused]);
  });

  test("a configuration entry that is switched off protects nobody", async () => {
    const admin = world.of("plugin_admin");
    const plugin_identity = "acme/config_off";
    expect(await answerOf(admin, "plugin_register", { plugin_identity, display_name: "Off" }))
      .toBe("ok");
  });

  test("nobody widens its own identity", async () => {
    const { client, identity } = await connect(["plugin:admin", "plugin:delegate"]);
    const widen = { plugin_identity: identity, permissions: ["*"] };
    expect(await answerOf(client, "plugin_register", widen)).toBe(refused);
    const named = { ...widen, caller_plugin_identity: identity };
    expect(await answerOf(client, "plugin_register", named)).toBe(refused);
    expect(await answerOf(client, "run_list", {})).toBe("INVALID_PARAMS/run_id");
    await client.close();
  });

  test("a call in another's name is judged by what the other holds", async () => {
    const delegate = await connect(["plugin:delegate", "plugin:admin", "agent_run:admin"]);
    const weak = await connect(["plugin:admin"]);
    const params = { plugin_identity: `acme/${world.unique("granted")}`, permissions: strong };
    expect(await answerOf(delegate.client, "plugin_register", {
      ...params, caller_plugin_identity: weak.identity,
    })).toBe(refused);
    expect(await answerOf(delegate.client, "plugin_register", params)).toBe("ok");
    expect(await answerOf(delegate.client, "run_list", { caller_plugin_identity: weak.identity }))
      .toBe("INVALID_PARAMS/run_id");
    await delegate.client.close();
    await weak.client.close();
  });
});

describe("a refused grant leaves nothing behind", () => {
  test("no identity, no token, no permission", async () => {
    const admin = world.of("plugin_admin");
    const plugin_identity = `acme/${world.unique("granted")}`;
    await admin.refusal("plugin_register", { plugin_identity, permissions: ["*"] });
    const rotate = { plugin_identity };
    expect(await answerOf(admin, "plugin_rotate_token", rotate)).toBe("NOT_FOUND/plugin");
  });

  test("the old token of a refused rotation still serves", async () => {
    const { token, plugin_identity, key_id } = await world.register(["agent_run:admin"]);
    const admin = world.of("plugin_admin");
    const refusal = await admin.refusal("plugin_rotate_token", { plugin_identity });
    expect(JSON.stringify(refusal)).not.toContain(key_id);
    const client = await Client.open(world.host.url, token);
    expect(await answerOf(client, "run_list", {})).toBe("ok");
    await client.close();
  });

  test("permissions that are taken away are gone with the next call", async () => {
    const { token, plugin_identity } = await world.register(["agent_run:admin", "plugin:admin"]);
    const client = await Client.open(world.host.url, token);
    expect(await answerOf(client, "run_list", {})).toBe("ok");
    await world.of("builtin").call("plugin_register", { plugin_identity, permissions: [] });
    expect(await answerOf(client, "run_list", {})).toBe("INVALID_PARAMS/run_id");
    expect(await answerOf(client, "plugin_register", { plugin_identity, permissions: ["*"] }))
      .toBe(refused);
    await client.close();
  });

  test("a disabled identity's connection is closed and its token refused", async () => {
    const { token, plugin_identity } = await world.register([]);
    const client = await Client.open(world.host.url, token);
    await world.of("builtin").call("plugin_set_enabled", { plugin_identity, enabled: false });
    expect((await client.closed).code).toBe(4401);
    await expect(Client.open(world.host.url, token)).rejects.toThrow("401");
  });
});

describe("what a run was granted does not grow", () => {
  test("a repeat of run_create with another grant changes nothing", async () => {
    const run_id = world.unique("run");
    const create = {
      run_id, runner_id: "plugin:acme/owner/r1", dispatch: "running",
      allow_unregistered_runner: true,
    };
    const admin = world.of("run_admin");
    await admin.call("run_create", create);
    const wider = { ...create, authorization: { available_apis: { run_append_result: true } } };
    expect(await answerOf(admin, "run_create", wider)).toBe("CONFLICT/run_id_reused");
    const { item } = await readSnapshot(run_id);
    expect(item).not.toHaveProperty("run_append_result");
    expect(await answerOf(world.of("owner"), "run_append_result", {
      run_id, sequence: 1, type: "tool.call.started", data: { tool_call_id: "c", tool_name: "t" },
    })).toBe("FORBIDDEN/capability_missing");
  });

  test("a claim writes nothing into the snapshot", async () => {
    const [run_id, queue_name] = [world.unique("run"), world.unique("queue")];
    await world.of("builtin").call("run_create", {
      run_id, queue_name, runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true,
    });
    const before = await readSnapshot(run_id);
    await world.of("owner").call("run_claim", { runtime_id: "rt_owner", queue_name });
    expect(await readSnapshot(run_id)).toEqual(before);
  });
});

async function readSnapshot(run_id: string): Promise<Params> {
  const [row] = await world.sql`
    select snapshot -> 'available_apis' as item from agent_run
    where tenant_id = 'default' and run_id = ${run_id}`;
  return { item: row!["item"] };
}
