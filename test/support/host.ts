// A real host in this process, on the clone of a test file, and the identities that tests call as.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { readConfig } from "../../src/config.js";
import { type Host, type HostOptions, startHost } from "../../src/main.js";
import { Client, type Params } from "./client.js";
import { type Clone, useClone } from "./clone.js";

export const adminToken = "test-admin-token";

const quiet = () => undefined;

export interface TestHost {
  host: Host;
  /** Statements sent since the start, by name. */
  statements: string[];
  /** Errors and warnings that the host logged. */
  complaints: { fields: Record<string, unknown>; message: string }[];
  connect(token?: string): Promise<Client>;
  close(): Promise<void>;
}

export interface TestHostOptions extends HostOptions {
  database_url: string;
  environment?: Record<string, string>;
}

export async function startTestHost(options: TestHostOptions): Promise<TestHost> {
  const data_dir = await mkdtemp(join(tmpdir(), "runhost-data-"));
  const statements: string[] = [];
  const complaints: TestHost["complaints"] = [];
  const complain = (fields: Record<string, unknown>, message: string) => {
    complaints.push({ fields, message });
  };
  const config = readConfig({
    DATABASE_URL: options.database_url,
    RUNHOST_DATA_DIR: data_dir,
    RUNHOST_PORT: "0",
    RUNHOST_ADMIN_TOKEN: adminToken,
    ...options.environment,
  });
  const { database_url: _, environment: __, ...rest } = options;
  const host = await startHost(config, {
    log: { debug: quiet, info: quiet, warn: complain, error: complain },
    on_statement: (name) => statements.push(name),
    ...rest,
  });
  const opened: Client[] = [];
  return {
    host,
    statements,
    complaints,
    async connect(token = adminToken) {
      const client = await Client.open(host.url, token);
      opened.push(client);
      return client;
    },
    async close() {
      await Promise.all(opened.map((client) => client.close()));
      await host.close();
      await rm(data_dir, { recursive: true, force: true });
    },
  };
}

export interface HostWorld {
  clone: Clone;
  test: TestHost;
  admin: Client;
}

/** One clone, one host and one administrator's connection for a test file. */
export function useHost(
  environment: Record<string, string> = {},
  options: Pick<HostOptions, "hints"> = {},
): () => HostWorld {
  const clone = useClone();
  let world: HostWorld | undefined;
  beforeAll(async () => {
    const test = await startTestHost({ database_url: clone().url, environment, ...options });
    world = { clone: clone(), test, admin: await test.connect() };
  });
  afterAll(async () => world?.test.close());
  return () => {
    if (!world) throw new Error("the host is started in beforeAll");
    return world;
  };
}

let named = 0;

/** A name that no other test of this run uses. */
export const fresh = (prefix: string): string => {
  named += 1;
  return `${prefix}-${process.pid}-${named}`;
};

export interface Plugin {
  identity: string;
  token: string;
  runner_id: string;
  runtime_id: string;
  client: Client;
}

/** Registers an identity, one runner and one online runtime, and connects as it. */
export async function registerPlugin(
  world: HostWorld,
  options: { permissions?: string[]; tenant_id?: string; runtime?: Params } = {},
): Promise<Plugin> {
  const identity = `acme/${fresh("plugin")}`;
  const { token } = await world.admin.call("plugin_register", {
    plugin_identity: identity,
    permissions: options.permissions ?? ["agent_run:create"],
    tenant_id: options.tenant_id,
  });
  const client = await world.test.connect(token);
  const runner_id = `plugin:${identity}/main`;
  const runtime_id = fresh("runtime");
  await client.call("runner_register", { runners: [{ id: runner_id }] });
  await client.call("runtime_register", { runtime_id, ...options.runtime });
  return { identity, token, runner_id, runtime_id, client };
}

/** Claim params of a work item. */
export const claimOf = (item: {
  claimed_by_runtime_id: string;
  claim_token: string;
  claim_epoch: number;
}) => ({
  runtime_id: item.claimed_by_runtime_id,
  claim_token: item.claim_token,
  claim_epoch: item.claim_epoch,
});
