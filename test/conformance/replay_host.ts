// The host that fixtures are replayed against: the one of HOST_URL and HOST_ADMIN_TOKEN, of which
// nothing but the wire is used, or one of our own on a cloned database. Only the latter loads src.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWorld } from "./fixture_files.js";
import { Link } from "./link.js";
import type { HostAddress } from "./replay.js";

export interface ReplayHost {
  address: HostAddress;
  /** What fixtures may need and this host has. */
  has: ReadonlySet<string>;
  stop(): Promise<void>;
}

const published = { max_message_bytes: 1_114_112, max_batch: 100, max_in_flight: 256 };

export async function openReplayHost(): Promise<ReplayHost> {
  const url = process.env["HOST_URL"];
  if (url === undefined) return startOwnHost();
  const admin_token = process.env["HOST_ADMIN_TOKEN"];
  if (admin_token === undefined) throw new Error("HOST_URL needs HOST_ADMIN_TOKEN beside it");
  const address = { url, admin_token };
  const has = await readAbilities(address);
  if (process.env["HOST_HAS_CONFIG"]) has.add("config");
  if (process.env["HOST_SWEEPS_BY_HAND"]) has.add("manual_sweeps");
  return { address, has, stop: async () => undefined };
}

async function startOwnHost(): Promise<ReplayHost> {
  const { cloneDatabase } = await import("../support/clone.js");
  const { adminToken, startTestHost } = await import("../support/host.js");
  const clone = await cloneDatabase();
  const directory = await mkdtemp(join(tmpdir(), "runhost-fixtures-"));
  const file = join(directory, "config.json");
  await writeFile(file, JSON.stringify(readWorld("configured").config));
  const test = await startTestHost({
    database_url: clone.url,
    environment: { RUNHOST_CONFIG: file, RUNHOST_RECONCILE_SECONDS: "0" },
  });
  const address = { url: test.host.url, admin_token: adminToken };
  const has = await readAbilities(address);
  has.add("config").add("manual_sweeps");
  return {
    address,
    has,
    async stop() {
      await test.close();
      await clone.drop();
      await rm(directory, { recursive: true, force: true });
      const incidents = test.complaints.filter(({ message }) => message === "incident");
      if (incidents.length > 0) throw new Error(`incidents: ${JSON.stringify(incidents)}`);
    },
  };
}

async function readAbilities({ url, admin_token }: HostAddress): Promise<Set<string>> {
  const link = await Link.open(url, admin_token);
  const request = { jsonrpc: "2.0", id: 1, method: "plugin_connect", params: {} };
  const { result } = await link.exchange(JSON.stringify(request), 10);
  await link.close();
  const limits = Object.entries(published);
  const same = limits.every(([name, value]) => result?.limits?.[name] === value);
  return new Set(same ? ["default_limits"] : []);
}
