// Root may not run Postgres: each way around that, and what is said when none is left. These need
// root; an ordinary user runs everything else here.
import { chmodSync, chownSync, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRootHere, killChild, makeDir, makeWorld, query } from "./world.js";

const world = makeWorld();

/** Without a PATH there is no unshare, as in a container that forbids user namespaces. */
const noUnshare = "/nonexistent";

function readUid(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

describe.runIf(isRootHere && process.platform === "linux")("as root", () => {
  it("runs as an ordinary user where that user can pass", async () => {
    const dataDir = join(world.makeFolder(), "new");
    const host = await world.startChild({ dataDir, path: noUnshare });
    expect(host.error).toBe(undefined);
    expect(readUid(host.pid)).toBeGreaterThan(0);
    expect(statSync(join(dataDir, "postgres")).uid).toBe(readUid(host.pid));
    expect(existsSync(join(dataDir, "postgres", "data", "PG_VERSION"))).toBe(true);
    expect(await query(host.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("runs as the owner of the data, who can go on without root", async () => {
    const dataDir = world.makeFolder(0o700);
    chownSync(dataDir, 65534, 65534);
    const server = await world.start(dataDir);
    expect(readUid(server.pid)).toBe(65534);
    await query(server.url, "create table kept as select 7 as n");
    await server.stop();
    expect(statSync(join(dataDir, "postgres", "password")).uid).toBe(65534);
    expect(statSync(join(dataDir, "postgres", "server.log")).uid).toBe(65534);
  });

  it("keeps the data below a 0700 folder, through a kill and a restart", async () => {
    const dataDir = join(makeDir(join(world.makeFolder(), "private"), 0o700), "data");
    const host = await world.startChild({ dataDir });
    expect(host.error).toBe(undefined);
    await query(host.url, "create table kept as select 7 as n");
    await killChild(host.child);
    const heir = await world.start(dataDir);
    expect(heir).toMatchObject({ adopted: true, pid: host.pid });
    await heir.stop();
    const again = await world.start(dataDir);
    expect(await query(again.url, "select n from kept")).toEqual([{ n: 7 }]);
    await again.stop();
    expect(existsSync(join(dataDir, "postgres", "data", "PG_VERSION"))).toBe(true);
  });

  it("moves the data where nothing else works, and finds them again", async () => {
    const dataDir = join(makeDir(join(world.makeFolder(), "private"), 0o700), "data");
    const host = await world.startChild({ dataDir, path: noUnshare });
    expect(host.error).toBe(undefined);
    const base = readFileSync(join(dataDir, "postgres.location"), "utf8").trim();
    try {
      await query(host.url, "create table kept as select 7 as n");
      await killChild(host.child);
      const heir = await world.start(dataDir);
      expect(heir.adopted).toBe(true);
      await heir.stop();
      const again = await world.start(dataDir);
      expect(again.lines.join()).toContain(base);
      expect(await query(again.url, "select n from kept")).toEqual([{ n: 7 }]);
      await again.stop();
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
    await expect(world.start(dataDir)).rejects.toThrow(`${base} (recorded in`);
  });

  it("says what it tried when no way is left", async () => {
    const dataDir = join(makeDir(join(world.makeFolder(), "private"), 0o700), "data");
    const first = await world.start(dataDir);
    await first.stop();
    // The data are there already and stay where they are: they are not moved behind one's back.
    const { error } = await world.startChild({ dataDir, path: noUnshare });
    expect(error).toContain(dataDir);
    expect(error).toContain("refuses to run as root");
    expect(error).toContain("user namespace (unshare --user): spawn unshare ENOENT");
    expect(error).toMatch(/as user \d+: cannot enter/);
    expect(error).toContain("DATABASE_URL");
  });

  it("hands the data over when the way changes", async () => {
    const parent = makeDir(join(world.makeFolder(), "private"), 0o700);
    const dataDir = makeDir(join(parent, "data"), 0o755);
    const first = await world.start(dataDir);
    await query(first.url, "create table kept as select 7 as n");
    await first.stop();
    chmodSync(parent, 0o755);
    const host = await world.startChild({ dataDir, path: noUnshare });
    expect(host.error).toBe(undefined);
    expect(readUid(host.pid)).toBeGreaterThan(0);
    expect(await query(host.url, "select n from kept")).toEqual([{ n: 7 }]);
  });

  it("gives another user a refusal that names the directory", async () => {
    const dataDir = await world.makeUsed();
    const other = await world.startChild({ dataDir, uid: 12_345 });
    expect(other.error).toMatch(/cannot be used by user 12345/);
    expect(other.error).toContain(dataDir);
    expect(other.error).toContain("DATABASE_URL");
    // Where anybody may write, the cluster itself still belongs to one user.
    chmodSync(dataDir, 0o777);
    const second = await world.startChild({ dataDir, uid: 12_345 });
    expect(second.error).toContain(`${dataDir} cannot be used by user 12345`);
    expect((await world.start(dataDir)).adopted).toBe(false);
  });
});
