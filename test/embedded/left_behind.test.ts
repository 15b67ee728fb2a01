// What a host that was killed leaves: a running server, or a pid file that is no longer true.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { isAlive } from "../../src/embedded/process_identity.js";
import { killChild, makeWorld, query } from "./world.js";

const world = makeWorld();

const pidFileOf = (dataDir: string) => join(dataDir, "postgres", "data", "postmaster.pid");

it("adopts the server of a killed host, and stops it in the end", async () => {
  const dataDir = await world.makeUsed();
  const host = await world.startChild({ dataDir });
  await query(host.url, "create table kept as select 7 as n");
  await killChild(host.child);
  expect(isAlive(host.pid)).toBe(true);
  const heir = await world.start(dataDir);
  expect(heir).toMatchObject({ adopted: true, pid: host.pid, url: host.url });
  expect(await query(heir.url, "select n from kept")).toEqual([{ n: 7 }]);
  await heir.stop();
  expect(isAlive(host.pid)).toBe(false);
  expect((await world.start(dataDir)).adopted).toBe(false);
});

it("reports the end of an adopted server as well", async () => {
  const dataDir = await world.makeUsed();
  const host = await world.startChild({ dataDir });
  await killChild(host.child);
  const heir = await world.start(dataDir);
  process.kill(heir.pid, "SIGKILL");
  const reported = () => heir.lines.some((line) => line.includes("unexpectedly"));
  await vi.waitUntil(reported, { timeout: 5_000 });
});

it("adopts a server through the deaths of two hosts", async () => {
  const dataDir = await world.makeUsed();
  const first = await world.startChild({ dataDir });
  await killChild(first.child);
  const second = await world.startChild({ dataDir });
  expect(second).toMatchObject({ adopted: true, pid: first.pid });
  await killChild(second.child);
  expect(await world.start(dataDir)).toMatchObject({ adopted: true, pid: first.pid });
});

it("stops a left server that runs with other settings, and starts its own", async () => {
  const dataDir = await world.makeUsed();
  const host = await world.startChild({ dataDir, settings: { fsync: "off" } });
  await query(host.url, "create table kept as select 7 as n");
  await killChild(host.child);
  const heir = await world.start(dataDir, {});
  expect(heir.adopted).toBe(false);
  expect(isAlive(host.pid)).toBe(false);
  const rows = await query(heir.url, "select n, current_setting('fsync') as fsync from kept");
  expect(rows).toEqual([{ n: 7, fsync: "on" }]);
});

it("starts over a pid file whose server was killed with its host", async () => {
  const dataDir = await world.makeUsed();
  const host = await world.startChild({ dataDir });
  await query(host.url, "create table kept as select 7 as n");
  await killChild(host.child);
  process.kill(host.pid, "SIGKILL");
  await vi.waitUntil(() => !isAlive(host.pid));
  expect(readFileSync(pidFileOf(dataDir), "utf8")).toContain(String(host.pid));
  const heir = await world.start(dataDir);
  expect(heir.adopted).toBe(false);
  expect(await query(heir.url, "select n from kept")).toEqual([{ n: 7 }]);
});

it("starts over a pid that another program has now, and leaves that one alone", async () => {
  const dataDir = await world.makeUsed();
  const host = await world.startChild({ dataDir });
  await killChild(host.child);
  process.kill(host.pid, "SIGKILL");
  await vi.waitUntil(() => !isAlive(host.pid));
  const stranger = spawn("sleep", ["60"]);
  try {
    const lines = readFileSync(pidFileOf(dataDir), "utf8").split("\n");
    writeFileSync(pidFileOf(dataDir), [String(stranger.pid), ...lines.slice(1)].join("\n"));
    const heir = await world.start(dataDir);
    expect(heir.adopted).toBe(false);
    expect(await query(heir.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await heir.stop();
    expect(isAlive(stranger.pid as number)).toBe(true);
  } finally {
    await killChild(stranger);
  }
});

it("starts over a pid file that a power cut emptied", async () => {
  const dataDir = await world.makeUsed();
  writeFileSync(pidFileOf(dataDir), "");
  const server = await world.start(dataDir);
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
});
