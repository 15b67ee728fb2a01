// `runhost plugin` against a real host: what people read, what scripts read, what is refused.

import { expect, test } from "vitest";
import { adminToken, fresh, useHost } from "../support/host.js";
import { type, type Seen } from "./terminal.js";

const world = useHost();

const run = (argv: string[], token = adminToken): Promise<Seen> =>
  type(["plugin", ...argv], {
    environment: { RUNHOST_URL: world().test.host.url, RUNHOST_TOKEN: token },
  });

const json = async (argv: string[]): Promise<any> => {
  const seen = await run([...argv, "--json"]);
  expect(seen).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(seen.stdout);
};

const tokenForm = /^Token: (rh_[0-9a-f]{16}_[0-9a-f]{64})$/m;
const shownOnce = "The token is shown this once: keep it now, the host stores only its hash.";

async function whoIs(token: string): Promise<any> {
  const client = await world().test.connect(token);
  return client.call("plugin_connect");
}

test("add prints a token that connects, once", async () => {
  const identity = `acme/${fresh("added")}`;
  const given = ["--permission", "agent_run:create", "--permission", "runtime:admin"];
  const added = await run(["add", identity, ...given, "--display-name", "Acme Bot"]);
  expect(added).toMatchObject({ code: 0, stderr: "" });
  const lines = added.stdout.split("\n");
  const held = "permissions: agent_run:create, runtime:admin";
  expect(lines[0]).toBe(`Added ${identity} (tenant default, ${held})`);
  expect(lines.slice(2)).toEqual([shownOnce, ""]);
  const token = tokenForm.exec(added.stdout)?.[1] ?? "";
  expect(await whoIs(token)).toMatchObject({
    plugin_identity: identity, permissions: ["agent_run:create", "runtime:admin"],
  });
  const again = await run(["add", identity]);
  expect(again).toEqual({
    code: 0, stderr: "",
    stdout: `Changed ${identity} (tenant default, ${held})\n` +
      "It exists already and keeps its token; " +
      `"runhost plugin rotate ${identity}" issues a new one.\n`,
  });
  expect(await json(["add", identity, "--display-name", "Other"])).toMatchObject({
    created: false, display_name: "Other", permissions: ["agent_run:create", "runtime:admin"],
  });
});

test("add names a tenant, and --json holds the token", async () => {
  const tenant_id = fresh("tenant");
  const added = await json(["add", "acme/bot", "--tenant", tenant_id]);
  expect(added).toMatchObject({ created: true, tenant_id, permissions: [] });
  expect(await whoIs(added.token)).toMatchObject({ tenant_id, permissions: [] });
});

test("add is refused what the host refuses", async () => {
  const reserved = await run(["add", "runhost/other"]);
  expect(reserved).toMatchObject({ code: 1, stdout: "" });
  expect(reserved.stderr).toMatch(/^INVALID_PARAMS: plugin_identity: .*reserved.*\n$/);
  const unknown = await run(["add", "acme/bot", "--permission", "everything"]);
  expect(unknown.stderr).toMatch(/^INVALID_PARAMS: permissions\.0: .*\n$/);
  const { token } = await json(["add", `acme/${fresh("weak")}`]);
  const weak = await run(["add", "acme/bot", "--json"], token);
  expect(weak.code).toBe(1);
  expect(JSON.parse(weak.stdout)).toMatchObject({
    code: -32002, data: { code: "FORBIDDEN", reason: "permission_missing" },
  });
});

test("list draws a table and goes to the last page", async () => {
  const tenant = fresh("many");
  const named = Array.from({ length: 101 }, (_, index) => `acme/bot${index}`);
  for (const plugin_identity of named) {
    await world().admin.call("plugin_register", { plugin_identity, tenant_id: tenant });
  }
  const { items } = await json(["list", "--tenant", tenant]);
  expect(items.map((item: any) => item.plugin_identity)).toEqual(named);
  const table = (await run(["list", "--tenant", tenant])).stdout.split("\n");
  expect(table).toHaveLength(103);
  expect(table[0]).toBe("IDENTITY     ENABLED  PERMISSIONS  LAST SEEN  NAME");
  expect(table[101]).toBe("acme/bot100  yes      none         never");
});

test("list shows who is disabled and last seen; no name moves the cursor", async () => {
  const tenant = fresh("few");
  const first = await json(["add", "acme/first", "--tenant", tenant]);
  await whoIs(first.token);
  await json(["add", "acme/off", "--tenant", tenant, "--display-name", "bad\u001b[2J\nname"]);
  await json(["disable", "acme/off", "--tenant", tenant]);
  const lines = (await run(["list", "--tenant", tenant])).stdout.split("\n");
  expect(lines[1]).toMatch(/^acme\/first +yes +none +\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
  expect(lines[2]).toMatch(/^acme\/off +no +none +never +bad\?\[2J name$/);
  expect(lines).toHaveLength(4);
});

test("an empty list says so", async () => {
  const tenant = fresh("empty");
  expect((await run(["list", "--tenant", tenant])).stdout).toBe("No plugins.\n");
  expect(await json(["list", "--tenant", tenant])).toEqual({ items: [] });
});

test("rotate revokes the old token and prints the new one, once", async () => {
  const identity = `acme/${fresh("rotated")}`;
  const { token: old } = await json(["add", identity]);
  const rotated = await run(["rotate", identity]);
  const lines = rotated.stdout.split("\n");
  expect(lines[0]).toBe(`The old token of ${identity} is revoked; its connections are closed.`);
  expect(lines.slice(2)).toEqual([shownOnce, ""]);
  const token = tokenForm.exec(rotated.stdout)?.[1] ?? "";
  expect(await whoIs(token)).toMatchObject({ plugin_identity: identity });
  await expect(whoIs(old)).rejects.toThrow("refused with 401");
  expect(Object.keys(await json(["rotate", identity])).sort()).toEqual([
    "key_id", "plugin_identity", "token",
  ]);
});

test("disable and enable change whether the token is taken", async () => {
  const identity = `acme/${fresh("switched")}`;
  const { token } = await json(["add", identity]);
  expect(await run(["disable", identity])).toEqual({
    code: 0, stderr: "",
    stdout: `${identity} is disabled: its connections are closed, its token is refused.\n`,
  });
  await expect(whoIs(token)).rejects.toThrow("refused with 401");
  expect((await run(["enable", identity])).stdout).toBe(`${identity} is enabled.\n`);
  expect(await whoIs(token)).toMatchObject({ plugin_identity: identity });
  expect(await json(["enable", identity])).toMatchObject({ enabled: true });
});

test.each(["rotate", "disable", "enable"])("%s of an unknown identity is refused", async (name) => {
  const seen = await run([name, "acme/nobody", "--json"]);
  expect(seen.code).toBe(3);
  expect(seen.stderr).toMatch(/^NOT_FOUND: .*acme\/nobody.*\n$/);
  expect(JSON.parse(seen.stdout)).toMatchObject({
    code: -32003, data: { code: "NOT_FOUND", kind: "plugin", id: "acme/nobody" },
  });
});
