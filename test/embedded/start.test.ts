// Starting, stopping and using one server: the url, durable defaults, paths, ports, crashes.
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { findBinaries } from "../../src/embedded/binaries.js";
import { findPlace, settlePlace } from "../../src/embedded/place.js";
import { stopServer } from "../../src/embedded/postmaster.js";
import { isAlive } from "../../src/embedded/process_identity.js";
import { buildSettings, findFreePort, startServer } from "../../src/embedded/server.js";
import { isRootHere, makeWorld, query, quick } from "./world.js";

const world = makeWorld();

describe("a first start", () => {
  it("gives a url that works, with durable defaults, on 127.0.0.1 only", async () => {
    const dataDir = join(world.makeFolder(), "made", "here");
    const server = await world.start(dataDir, {});
    expect(server.adopted).toBe(false);
    expect(server.url).toMatch(/^postgres:\/\/postgres:[0-9a-f]{48}@127\.0\.0\.1:\d+\/postgres$/);
    const names = ["fsync", "synchronous_commit", "full_page_writes", "data_checksums"];
    names.push("max_connections", "listen_addresses", "unix_socket_directories");
    names.push("server_encoding", "password_encryption", "TimeZone");
    const columns = names.map((name) => `current_setting('${name}') as "${name}"`).join(", ");
    const [row] = await query(server.url, `select ${columns}, upper('ä') as upper`);
    expect(row).toEqual({
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      data_checksums: "on",
      max_connections: "200",
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      server_encoding: "UTF8",
      password_encryption: "scram-sha-256",
      TimeZone: "UTC",
      upper: "Ä",
    });
  });

  it("keeps the password in a private file and lets nobody in without it", async () => {
    const dataDir = world.makeFolder();
    const server = await world.start(dataDir);
    const home = join(dataDir, "postgres");
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, "password")).mode & 0o777).toBe(0o600);
    const password = readFileSync(join(home, "password"), "utf8").trim();
    expect(server.url).toContain(`:${password}@`);
    const wrong = server.url.replace(password, "0".repeat(48));
    await expect(query(wrong, "select 1")).rejects.toMatchObject({ code: "28P01" });
    expect(server.lines.join("\n")).not.toContain(password);
    expect(readFileSync(join(home, "server.log"), "utf8")).not.toContain(password);
  });

  it("works below a path longer than a unix socket's", async () => {
    const dataDir = join(world.makeFolder(), "a".repeat(90), "b".repeat(90), "with space");
    const server = await world.start(dataDir);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("hides the host's environment from the server", async () => {
    vi.stubEnv("PGPORT", "1");
    vi.stubEnv("PGDATA", "/nowhere");
    vi.stubEnv("HOST_SECRET", "planted");
    const server = await world.start(await world.makeUsed()).finally(() => vi.unstubAllEnvs());
    if (process.platform === "linux") {
      expect(readFileSync(`/proc/${server.pid}/environ`, "utf8")).not.toContain("planted");
    }
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("stop and start again", () => {
  it("keeps the data, ends the process, may be called twice, and starts warm fast", async () => {
    const dataDir = await world.makeUsed();
    const first = await world.start(dataDir);
    await query(first.url, "create table kept as select 7 as n");
    await Promise.all([first.stop(), first.stop()]);
    expect(isAlive(first.pid)).toBe(false);
    expect(existsSync(join(dataDir, "postgres", "data", "postmaster.pid"))).toBe(false);
    const before = performance.now();
    const second = await world.start(dataDir);
    // About 40 ms on an idle machine; a new initdb takes ten times that.
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 7 }]);
    expect(first.lines.filter((line) => line.includes("unexpectedly"))).toEqual([]);
  });

  it("stops while clients hold connections", async () => {
    const server = await world.start(await world.makeUsed());
    const sleeping = query(server.url, "select pg_sleep(60)").catch((error) => error.code);
    await vi.waitUntil(async () => {
      const text = "select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep'";
      return (await query(server.url, text))[0]?.n === 1;
    });
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(["57P01", "CONNECTION_CLOSED", "ECONNREFUSED"]).toContain(await sleeping);
  });

  it("begins anew after a start that was cut short inside initdb", async () => {
    const dataDir = await world.makeUsed();
    const home = join(dataDir, "postgres");
    renameSync(join(home, "data"), join(home, "data.unfinished"));
    rmSync(join(home, "data.unfinished", "global"), { recursive: true });
    const again = await world.start(dataDir);
    expect(await query(again.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(readdirSync(home).sort()).toEqual(["data", "password", "server.log"]);
  });

  it("reports a server that ends by itself, and recovers at the next start", async () => {
    const dataDir = await world.makeUsed();
    const server = await world.start(dataDir);
    await query(server.url, "create table kept as select 7 as n");
    process.kill(server.pid, "SIGKILL");
    await vi.waitUntil(() => server.lines.some((line) => line.includes("unexpectedly")));
    const line = server.lines.find((line) => line.includes("unexpectedly"));
    expect(line).toContain(`pid ${server.pid}`);
    expect(line).toContain("SIGKILL");
    await server.stop();
    const again = await world.start(dataDir);
    expect(await query(again.url, "select n from kept")).toEqual([{ n: 7 }]);
  });
});

describe("what cannot be started", () => {
  it("names the cause of a refused setting and leaves the directory free", async () => {
    const dataDir = await world.makeUsed();
    await expect(world.start(dataDir, { no_such_setting: "1" })).rejects.toThrow(
      /did not start.*no_such_setting.*DATABASE_URL/s,
    );
    const server = await world.start(dataDir);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("refuses data of another major version", async () => {
    const dataDir = await world.makeUsed();
    writeFileSync(join(dataDir, "postgres", "data", "PG_VERSION"), "12\n");
    await expect(world.start(dataDir)).rejects.toThrow(/Postgres 12.*is 18.*DATABASE_URL/s);
  });

  it("refuses data whose password file is gone", async () => {
    const dataDir = await world.makeUsed();
    writeFileSync(join(dataDir, "postgres", "password"), "");
    await expect(world.start(dataDir)).rejects.toThrow(/password.*postgres\/password/s);
  });

  it("names a data directory that is a file", async () => {
    const file = join(world.makeFolder(), "file");
    writeFileSync(file, "");
    await expect(world.start(file)).rejects.toThrow(`${file} cannot be used`);
  });

  it.runIf(!isRootHere)("names a data directory that is not writable", async () => {
    const folder = world.makeFolder();
    chmodSync(folder, 0o555);
    await expect(world.start(folder)).rejects.toThrow(
      new RegExp(`${folder} cannot be used by user ${process.getuid?.()}.*DATABASE_URL`, "s"),
    );
    await expect(world.start(join(folder, "below"))).rejects.toThrow(`${folder}/below cannot`);
  });
});

describe("a taken port", () => {
  it("is left to its owner, and another one is tried", async () => {
    const dataDir = await world.makeUsed();
    const binaries = findBinaries(process);
    const { place, chosen } = await settlePlace(dataDir, findPlace(dataDir), binaries);
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(0, "127.0.0.1", resolve));
    const taken = (taker.address() as AddressInfo).port;
    const ports = [taken, taken];
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const server = await startServer(place.home, chosen, {
      settings: buildSettings(binaries.version, quick),
      log,
      choosePort: async () => ports.shift() ?? findFreePort(),
    });
    try {
      expect(server.port).not.toBe(taken);
      expect(lines.filter((line) => line.includes(`port ${taken}`))).toHaveLength(2);
    } finally {
      await stopServer({ pid: server.pid, data: place.home.data, binaries }, log);
      taker.close();
    }
  });
});
