// The whole host in this process, on an embedded Postgres of its own: what a start promises, what a
// failed start leaves behind, and what a stop waits for.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../src/config.js";
import { startHost, type Host, type HostLog } from "../src/main.js";
import { dial, request, within } from "./wire/harness.js";

const data_dir = mkdtempSync(join(tmpdir(), "host-"));
const lines: string[] = [];
const note = (fields: Record<string, unknown>, message: string): void => {
  lines.push(JSON.stringify({ ...fields, message }));
};
const log: HostLog = { debug: note, info: note, warn: note, error: note };
const environment = { RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0" };
const options = { log, postgres_settings: { fsync: "off" } };
const start = (more = {}) => startHost(readConfig({ ...environment, ...more }), options);
const readAdminToken = () => readFileSync(join(data_dir, "admin-token"), "utf8").trim();
const asAdmin = () => ({ headers: { authorization: `Bearer ${readAdminToken()}` } });

let host: Host;
const startOnce = async () => {
  host = await start();
};
const stopOnce = async () => {
  await host.close();
  rmSync(data_dir, { recursive: true, force: true });
};
beforeAll(startOnce, 60_000);
afterAll(stopOnce, 60_000);

const runner = { runner_id: "plugin:acme/one/main", allow_unregistered_runner: true };

test("it is reachable under its address, ready, and described", async () => {
  expect(host.url).toBe(`${host.httpUrl.replace("http", "ws")}/rpc`);
  expect(host.pid).toBe(process.pid);
  const [ready, openrpc] = await Promise.all(
    ["/readyz", "/openrpc.json"].map(async (path) => (await fetch(host.httpUrl + path)).json()),
  );
  expect(ready).toEqual({ ready: true });
  const peer = await dial(host.url);
  expect((await peer.call("rpc.discover")).result).toEqual(openrpc);
  peer.socket.close();
});

test("the admin token opens it, by header and in-band; another does not", async () => {
  expect(statSync(join(data_dir, "admin-token")).mode & 0o777).toBe(0o600);
  const peers = [await dial(host.url, asAdmin()), await dial(host.url)];
  const described = {
    plugin_identity: "runhost/admin", tenant_id: "default", permissions: ["*"],
    protocol_version: "1", host: { name: "runhost" },
    limits: { max_message_bytes: 1_114_112, max_batch: 100, max_in_flight: 256 },
  };
  expect((await peers[0]!.call("plugin_connect")).result).toMatchObject(described);
  const token = readAdminToken();
  expect((await peers[1]!.call("plugin_connect", { token: `${token}0` })).error.code).toBe(-32001);
  expect((await peers[1]!.call("plugin_connect", { token })).result).toMatchObject(described);
  for (const peer of peers) peer.socket.close();
});

test("a rotated token's connections close, after the answer that rotated it", async () => {
  const admin = await dial(host.url, asAdmin());
  const plugin_identity = "acme/rotated";
  const { result } = await admin.call("plugin_register", {
    plugin_identity, permissions: ["plugin:admin", "agent_run:create"],
  });
  const plugin = await dial(host.url, { headers: { authorization: `Bearer ${result.token}` } });
  const rotated = await plugin.call("plugin_rotate_token", { plugin_identity });
  expect(rotated.result).toMatchObject({ plugin_identity });
  expect(await within(plugin.closed(), "the close", 5000)).toBe(4401);
  await expect(
    dial(host.url, { headers: { authorization: `Bearer ${result.token}` } }),
  ).rejects.toThrow("401");
  const authorization = `Bearer ${rotated.result.token}`;
  const again = await dial(host.url, { headers: { authorization } });
  await admin.call("plugin_set_enabled", { plugin_identity, enabled: false });
  expect(await within(again.closed(), "the close", 5000)).toBe(4401);
  admin.socket.close();
});

test("a cancel request reaches the connection that claimed the run", async () => {
  const admin = await dial(host.url, asAdmin());
  const runtime_id = "rt_main";
  await admin.call("runtime_register", { runtime_id });
  const { result: run } = await admin.call("run_create", runner);
  const claimed = await admin.call("run_claim", { runtime_id });
  expect(claimed.result.run_id).toBe(run.run_id);
  const other = await dial(host.url, asAdmin());
  other.send(request(9, "run_cancel", { target_run_id: run.run_id, status_reason: "enough" }));
  expect(await admin.next()).toEqual({
    jsonrpc: "2.0",
    method: "run_cancel_requested",
    params: { run_id: run.run_id, status_reason: "enough" },
  });
  for (const peer of [admin, other]) peer.socket.close();
});

test("no line of the log holds a token", () => {
  expect(lines.length).toBeGreaterThan(0);
  const shown = (line: string) => /rh_[a-z0-9]+_/.test(line) || line.includes(readAdminToken());
  expect(lines.filter(shown)).toEqual([]);
});

describe("stopping and starting again", () => {
  test("a stop answers what is in flight, and the next start finds data and token", async () => {
    const token = readAdminToken();
    const peer = await dial(host.url, asAdmin());
    peer.send(request(1, "run_create", {
      ...runner, run_id: "run_kept", wait_for_completion: true, wait_seconds: 1,
    }));
    await peer.settle();
    const closing = [host.close(), host.close()];
    expect(await peer.next()).toMatchObject({ id: 1, error: { code: -32014 } });
    expect(await peer.closed()).toBe(1001);
    await Promise.all(closing);
    await expect(fetch(`${host.httpUrl}/healthz`)).rejects.toThrow();
    host = await start();
    expect(readAdminToken()).toBe(token);
    const next = await dial(host.url, asAdmin());
    const found = await next.call("run_get", { target_run_id: "run_kept" });
    expect(found.result).toMatchObject({ run_id: "run_kept", status: "queued" });
    next.socket.close();
  });

  test("a start that fails late leaves nothing running", async () => {
    await host.close();
    const squatter = createServer();
    const port = await new Promise<number>((resolve) => {
      squatter.listen(0, "127.0.0.1", () => resolve((squatter.address() as { port: number }).port));
    });
    await expect(start({ RUNHOST_PORT: String(port) })).rejects.toThrow(/EADDRINUSE/);
    await new Promise((resolve) => squatter.close(resolve));
    host = await start({ RUNHOST_PORT: String(port) });
    expect(host.url).toBe(`ws://127.0.0.1:${port}/rpc`);
  });

  test("a database that does not exist stops the start and is named", async () => {
    const DATABASE_URL = "postgres://nobody:hunter2@127.0.0.1:1/none";
    const config = readConfig({ ...environment, DATABASE_URL }, { database_start_seconds: 0.5 });
    const started = startHost(config, options);
    const refusal = await started.then(() => null, (thrown: Error) => thrown.message);
    expect(refusal).toMatch(/^DATABASE_URL: /);
    expect(refusal).not.toContain("hunter2");
  });
});
