// Configuration: defaults as the contract lists them, the environment over the file, and one clear
// line that names the key for everything that cannot be used.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "../src/config.js";

const folder = mkdtempSync(join(tmpdir(), "config-"));
const removeFolder = () => rmSync(folder, { recursive: true });
afterAll(removeFolder);
const path = join(folder, "runhost.json");

function withFile(content: unknown, environment: Record<string, string> = {}) {
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return readConfig({ ...environment, RUNHOST_CONFIG: path });
}

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ConfigError);
    return (thrown as Error).message;
  }
  throw new Error("nothing was refused");
}

test("defaults", () => {
  const { bounds, ...config } = readConfig({ PATH: "/bin", HOME: "/" });
  expect(config).toEqual({
    database_url: null, data_dir: resolve(".runhost"), host: "127.0.0.1", port: 7420,
    admin_token: null, allowed_origins: [], log_level: "info", max_message_bytes: 1_114_112,
    max_batch: 100, max_in_flight: 256, max_connections: 20_000,
    calls_per_second: 100_000, connects_per_minute: 60_000, login_failures_per_minute: 600,
    reconcile_seconds: 5, retention_days: 90, prepare: true,
    statement_timeout_ms: 5000, snapshot_read_days: 7, admin_plugins: [],
  });
  expect(bounds).toMatchObject({
    connect_seconds: 10, connect_failures: 5, ping_seconds: 20, ping_misses: 2, drain_seconds: 10,
  });
});

test("every variable", () => {
  const config = readConfig({
    DATABASE_URL: "postgres://u:p@db:5432/x", RUNHOST_DATA_DIR: "/var/lib/x", RUNHOST_HOST: "::1",
    RUNHOST_PORT: "0", RUNHOST_ADMIN_TOKEN: "12345", RUNHOST_LOG_LEVEL: "debug",
    RUNHOST_ALLOWED_ORIGINS: "https://A.example, http://b.example:80,tauri://localhost",
    RUNHOST_MAX_MESSAGE_BYTES: "2000", RUNHOST_MAX_BATCH: "1", RUNHOST_MAX_IN_FLIGHT: "2",
    RUNHOST_RECONCILE_SECONDS: "0", RUNHOST_RETENTION_DAYS: "0", RUNHOST_PREPARE: "false",
    RUNHOST_STATEMENT_TIMEOUT_MS: "100", RUNHOST_SNAPSHOT_READ_DAYS: "3650",
  });
  expect(config).toMatchObject({
    database_url: "postgres://u:p@db:5432/x", data_dir: "/var/lib/x", host: "::1", port: 0,
    admin_token: "12345", log_level: "debug",
    allowed_origins: ["https://a.example", "http://b.example", "tauri://localhost"],
    max_message_bytes: 2000, max_batch: 1, max_in_flight: 2, reconcile_seconds: 0,
    retention_days: 0, prepare: false, statement_timeout_ms: 100, snapshot_read_days: 3650,
  });
});

test("the environment comes first, the file fills in, nothing can be changed", () => {
  const allowed_origins = ["https://a.example"];
  const file = { port: 1, host: "localhost", prepare: false, allowed_origins };
  const config = withFile(file, { RUNHOST_PORT: "2" });
  expect(config).toMatchObject({ ...file, port: 2 });
  expect(() => {
    (config as { port: number }).port = 3;
  }).toThrow(TypeError);
  expect(() => (config.allowed_origins as string[]).push("x")).toThrow(TypeError);
  expect(Object.isFrozen(config.bounds)).toBe(true);
});

test("tests may shorten the fixed bounds", () => {
  expect(readConfig({}, { ping_seconds: 0.1 }).bounds).toMatchObject({
    ping_seconds: 0.1, ping_misses: 2,
  });
});

describe("refused in the environment", () => {
  test.each<[string, string]>([
    ["RUNHOST_PORT", "x"], ["RUNHOST_PORT", ""], ["RUNHOST_PORT", "-1"], ["RUNHOST_PORT", "65536"],
    ["RUNHOST_PORT", "1.5"], ["RUNHOST_PORT", "0x10"], ["RUNHOST_PORT", " 1"],
    ["RUNHOST_HOST", ""], ["RUNHOST_HOST", "a b"], ["RUNHOST_HOST", "http://x"],
    ["RUNHOST_DATA_DIR", ""], ["RUNHOST_ADMIN_TOKEN", ""], ["RUNHOST_ADMIN_TOKEN", "two words"],
    ["RUNHOST_ADMIN_TOKEN", "x".repeat(513)], ["RUNHOST_ALLOWED_ORIGINS", "*"],
    ["RUNHOST_ALLOWED_ORIGINS", "null"], ["RUNHOST_ALLOWED_ORIGINS", "a.example"],
    ["RUNHOST_ALLOWED_ORIGINS", "https://a.example/path"],
    ["RUNHOST_ALLOWED_ORIGINS", "https://ok.example,https://u:p@a.example"],
    ["RUNHOST_LOG_LEVEL", "loud"], ["RUNHOST_LOG_LEVEL", "INFO"], ["RUNHOST_PREPARE", "yes"],
    ["RUNHOST_PREPARE", "1"], ["RUNHOST_MAX_MESSAGE_BYTES", "0"], ["RUNHOST_MAX_BATCH", "0"],
    ["RUNHOST_MAX_IN_FLIGHT", "0"], ["RUNHOST_RECONCILE_SECONDS", "-1"],
    ["RUNHOST_RETENTION_DAYS", "-1"], ["RUNHOST_STATEMENT_TIMEOUT_MS", "0"],
    ["RUNHOST_SNAPSHOT_READ_DAYS", "3651"], ["RUNHOST_SNAPSHOT_READ_DAYS", "-1"],
    ["DATABASE_URL", ""], ["DATABASE_URL", "mysql://h/d"], ["DATABASE_URL", "postgres://h:x/d"],
    ["RUNHOST_PROT", "1"], ["RUNHOST_DATABASE_URL", "postgres://h/d"], ["RUNHOST_", "1"],
    ["RUNHOST_ADMIN_PLUGINS", "[]"], ["RUNHOST_port", "1"],
  ])("%s=%s", (variable, value) => {
    const message = refusal(() => readConfig({ [variable]: value }));
    expect(message).toMatch(new RegExp(`^${variable}: [^\\n]+$`));
  });

  test("no value is shown, as it may be a secret", () => {
    const message = refusal(() => readConfig({ DATABASE_URL: "mysql://u:hunter2@h/d" }));
    expect(message).not.toContain("hunter2");
  });

  test("several database hosts are taken", () => {
    const url = "postgres://u:p@a:5432,b:5433/d?target_session_attrs=read-write";
    expect(readConfig({ DATABASE_URL: url }).database_url).toBe(url);
  });
});

describe("refused in the file", () => {
  test.each<[string, unknown, RegExp]>([
    ["not JSON", "{", /^RUNHOST_CONFIG: .* is not JSON$/],
    ["no object", "[]", /^RUNHOST_CONFIG: .* must hold one JSON object$/],
    ["null", "null", /^RUNHOST_CONFIG: .* must hold one JSON object$/],
    ["an unknown key", { prot: 1 }, /^prot: unknown key$/],
    ["a variable's name", { RUNHOST_PORT: 1 }, /^RUNHOST_PORT: unknown key$/],
    ["a key of several lines", { "a\nb": 1 }, /^a\?b: unknown key$/],
    ["a prototype", '{"__proto__":{"port":1}}', /^__proto__: unknown key$/],
    ["a number as text", { port: "1" }, /^port: /],
    ["text as a number", { host: 1 }, /^host: /],
    ["a boolean as text", { prepare: "true" }, /^prepare: /],
    ["null for a value", { port: null }, /^port: /],
    ["a fraction", { max_batch: 1.5 }, /^max_batch: /],
    ["an origin with a path", { allowed_origins: ["https://a.example/x"] }, /^allowed_origins: /],
    ["an origin that is a number", { allowed_origins: [1] }, /^allowed_origins/],
  ])("%s", (_title, content, expected) => {
    expect(refusal(() => withFile(content))).toMatch(expected);
  });

  test("a file that cannot be read", () => {
    const message = refusal(() => readConfig({ RUNHOST_CONFIG: join(folder, "missing.json") }));
    expect(message).toMatch(/^RUNHOST_CONFIG: .*missing\.json cannot be read \(ENOENT\)$/);
  });
});

describe("admin_plugins", () => {
  const entry = {
    tenant_id: "default", identity: "acme/ops", permissions: ["*"], enabled: true, workspaces: null,
  };
  test.each<[string, unknown, unknown[]]>([
    ["a list", [{ identity: "acme/ops", permissions: ["*"] }], [entry]],
    ["a comma string", { "acme/ops": "agent_run:admin, runtime:admin" }, [
      { ...entry, permissions: ["agent_run:admin", "runtime:admin"] },
    ]],
    ["a list by identity", { "acme/ops": ["plugin:*", "plugin:*"] }, [
      { ...entry, permissions: ["plugin:*"] },
    ]],
    ["an entry by identity", { "acme/ops": { permissions: [], enabled: false, tenant_id: "t" } }, [
      { ...entry, permissions: [], enabled: false, tenant_id: "t" },
    ]],
    [
      "an entry that repeats its identity",
      { "acme/ops": { identity: "acme/ops", permissions: "*" } },
      [entry],
    ],
    ["workspaces", [{ identity: "acme/ops", permissions: ["*"], workspaces: ["w1", "w2", "w1"] }], [
      { ...entry, workspaces: ["w1", "w2"] },
    ]],
    [
      "one identity in two tenants",
      ["default", "t"].map((tenant_id) => ({ identity: "acme/ops", permissions: "*", tenant_id })),
      [entry, { ...entry, tenant_id: "t" }],
    ],
    ["nothing", [], []],
  ])("%s", (_title, admin_plugins, expected) => {
    expect(withFile({ admin_plugins }).admin_plugins).toEqual(expected);
  });

  const one = (change: object) => [{ identity: "acme/ops", permissions: ["*"], ...change }];
  test.each<[string, unknown, RegExp]>([
    ["text", "acme/ops", /^admin_plugins: /],
    ["an entry that is text", ["acme/ops"], /^admin_plugins\.0: /],
    ["no identity", [{ permissions: ["*"] }], /^admin_plugins\.0\.identity: /],
    ["no permissions", [{ identity: "acme/ops" }], /^admin_plugins\.0\.permissions: /],
    ["a malformed identity", one({ identity: "acme" }), /^admin_plugins\.0\.identity: /],
    ["a reserved identity", one({ identity: "runhost/admin" }), /^admin_plugins\.0\.identity: /],
    ["a malformed key", { acme: ["*"] }, /^admin_plugins\.acme\.identity: /],
    ["a number by identity", { "acme/ops": 1 }, /^admin_plugins\.acme\/ops: /],
    [
      "another identity than the key",
      { "acme/ops": { identity: "a/b", permissions: "*" } },
      /^admin_plugins\.acme\/ops\.identity: /,
    ],
    [
      "an unknown permission",
      one({ permissions: ["agent_run:amdin"] }),
      /^admin_plugins\.0\.permissions: /,
    ],
    ["an empty comma string", { "acme/ops": "" }, /^admin_plugins\.acme\/ops\.permissions: /],
    ["a misspelt member", one({ workspace: ["w1"] }), /^admin_plugins\.0: .*"workspace"/],
    ["empty workspaces", one({ workspaces: [] }), /^admin_plugins\.0\.workspaces: /],
    ["an empty workspace", one({ workspaces: [""] }), /^admin_plugins\.0\.workspaces\.0: /],
    ["null workspaces", one({ workspaces: null }), /^admin_plugins\.0\.workspaces: /],
    ["enabled as text", one({ enabled: "false" }), /^admin_plugins\.0\.enabled: /],
    ["a tenant that is a number", one({ tenant_id: 1 }), /^admin_plugins\.0\.tenant_id: /],
    ["an identity twice", [...one({}), ...one({})], /^admin_plugins\.1: /],
  ])("refuses %s", (_title, admin_plugins, expected) => {
    const message = refusal(() => withFile({ admin_plugins }));
    expect(message).toMatch(expected);
    expect(message).not.toContain("\n");
  });
});
