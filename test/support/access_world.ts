// A host with one identity for each kind of caller, and runs in each state that the contract tells
// apart. States that time brings are written into the rows; nothing sleeps.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.js";
import { startHost, type Host } from "../../src/main.js";
import { Client, type Params } from "./client.js";
import type { Clone } from "./clone.js";

/** Callers: tenant, identity, permissions of the table. `tenant-b` repeats a name on purpose. */
export const callers = {
  owner: ["default", "acme/owner", []],
  plain: ["default", "acme/plain", []],
  config_off: ["default", "acme/config_off", []],
  former: ["default", "acme/former", []],
  creator: ["default", "acme/creator", ["agent_run:create"]],
  creator_other: ["default", "acme/creator_other", ["agent_run:create"]],
  creator_limited: ["default", "acme/creator_limited", []],
  run_admin: ["default", "acme/run_admin", ["agent_run:admin"]],
  runtime_admin: ["default", "acme/runtime_admin", ["runtime:admin"]],
  plugin_admin: ["default", "acme/plugin_admin", ["plugin:admin"]],
  plugin_admin_limited: ["default", "acme/plugin_admin_limited", []],
  limited: ["default", "acme/limited", []],
  delegate: ["default", "acme/delegate", ["plugin:delegate"]],
  limited_granter: ["default", "acme/limited_granter", ["plugin:admin", "plugin:delegate"]],
  disabled: ["default", "acme/disabled", ["*"]],
  tenant_b_plugin: ["tenant-b", "acme/owner", []],
  tenant_b_admin: ["tenant-b", "acme/admin", ["*"]],
} as const satisfies Record<string, readonly [string, string, readonly string[]]>;

export type CallerName = keyof typeof callers | "builtin";

const admin_plugins = [
  ...["acme/limited", "acme/limited_granter"].map((identity) => ({
    tenant_id: "default", identity, enabled: true,
    permissions: ["agent_run:admin", "runtime:admin"], workspaces: ["w1"],
  })),
  {
    tenant_id: "default", identity: "acme/creator_limited", enabled: true,
    permissions: ["agent_run:create"], workspaces: ["w1"],
  },
  {
    tenant_id: "default", identity: "acme/plugin_admin_limited", enabled: true,
    permissions: ["plugin:admin"], workspaces: ["w1"],
  },
  {
    tenant_id: "default", identity: "acme/config_off", permissions: ["*"], enabled: false,
    workspaces: null,
  },
];

export const builtin_token = "access-sheet-builtin-token";
const silent = { debug: drop, info: drop, warn: drop, error: drop };
function drop(): void {}

export const identityOf = (caller: CallerName): string =>
  caller === "builtin" ? "runhost/admin" : callers[caller][1];
export const tenantOf = (caller: CallerName): string =>
  caller === "builtin" ? "default" : callers[caller][0];
/** The runtime that each caller has registered as its own. */
export const runtimeOf = (caller: CallerName): string => `rt_${caller}`;

export class AccessWorld {
  readonly tokens = new Map<CallerName, string>([["builtin", builtin_token]]);
  readonly clients = new Map<CallerName, Client>();
  readonly statements: string[] = [];
  readonly incidents: unknown[] = [];
  private made = 0;

  private constructor(
    readonly host: Host,
    readonly sql: Clone["sql"],
    private readonly data_dir: string,
    statements: string[],
    incidents: unknown[],
  ) {
    this.statements = statements;
    this.incidents = incidents;
  }

  static async start(clone: Clone): Promise<AccessWorld> {
    const data_dir = await mkdtemp(join(tmpdir(), "runhost-access-"));
    const config = readConfig({
      DATABASE_URL: clone.url,
      RUNHOST_PORT: "0",
      RUNHOST_ADMIN_TOKEN: builtin_token,
      RUNHOST_DATA_DIR: data_dir,
      RUNHOST_RECONCILE_SECONDS: "0",
    }, { news_poll_ms: 3_600_000 });
    const statements: string[] = [];
    const incidents: unknown[] = [];
    const host = await startHost({ ...config, admin_plugins }, {
      log: { ...silent, error: (fields) => void incidents.push(fields) },
      on_statement: (name) => void statements.push(name),
    });
    const world = new AccessWorld(host, clone.sql, data_dir, statements, incidents);
    await world.enrol();
    return world;
  }

  async stop(): Promise<void> {
    for (const client of this.clients.values()) client.socket.terminate();
    await this.host.close();
    await rm(this.data_dir, { recursive: true, force: true });
  }

  /** A word that no other call of this world gets. */
  unique(prefix: string): string {
    this.made += 1;
    return `${prefix}_${this.made}`;
  }

  of(caller: CallerName): Client {
    const client = this.clients.get(caller);
    if (client === undefined) throw new Error(`${caller} has no connection`);
    return client;
  }

  /** An identity that nobody else uses; its token is in the answer. */
  async register(permissions: readonly string[], tenant_id = "default") {
    const plugin_identity = `acme/${this.unique("fresh")}`;
    const params = { plugin_identity, permissions, tenant_id };
    return this.of("builtin").call("plugin_register", params);
  }

  private async enrol(): Promise<void> {
    const builtin = await Client.open(this.host.url, builtin_token);
    this.clients.set("builtin", builtin);
    for (const [name, [tenant_id, plugin_identity, permissions]] of Object.entries(callers)) {
      const caller = name as CallerName;
      const params = { plugin_identity, permissions, tenant_id };
      const { token } = await builtin.call("plugin_register", params);
      this.tokens.set(caller, token);
      if (caller === "disabled") continue;
      this.clients.set(caller, await Client.open(this.host.url, token));
    }
    await builtin.call("plugin_set_enabled", { plugin_identity: "acme/disabled", enabled: false });
    for (const [caller, client] of this.clients) {
      const runtime_id = runtimeOf(caller);
      await client.call("runtime_register", { runtime_id, heartbeat_ttl_seconds: 3600 });
    }
  }
}

/** What an answer was, in one word: `ok`, `CODE`, or `CODE/` and what tells it apart. */
export function nameAnswer(answer: { error?: { data: Params } }): string {
  const data = answer.error?.data;
  if (data === undefined) return answer.error === undefined ? "ok" : "an error without data";
  const issues = data["issues"] as { path: string }[] | undefined;
  const detail = data["reason"] ?? data["kind"] ?? issues?.[0]?.path;
  return detail === undefined ? String(data["code"]) : `${data["code"]}/${detail}`;
}
