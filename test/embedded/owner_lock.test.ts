// Two hosts on one data directory: one wins, the other is told who has it.
import { readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { acquireOwnerLock } from "../../src/embedded/owner_lock.js";
import type { OwnerLock } from "../../src/embedded/owner_lock.js";
import { readPidSpace, readStartMark } from "../../src/embedded/process_identity.js";
import { killChild, makeWorld, query } from "./world.js";

const world = makeWorld();
const locks: OwnerLock[] = [];
afterEach(async () => {
  for (const lock of locks.splice(0)) await lock.release();
});

async function acquire(dataDir: string): Promise<OwnerLock> {
  const lock = await acquireOwnerLock(dataDir);
  locks.push(lock);
  return lock;
}

function plantOwner(dataDir: string, owner: object, age_seconds = 0): void {
  const file = join(dataDir, "host.lock.5");
  writeFileSync(file, JSON.stringify(owner));
  const then = new Date(Date.now() - age_seconds * 1000);
  utimesSync(file, then, then);
}

const self = {
  pid: process.pid,
  start_mark: readStartMark(process.pid),
  pid_space: readPidSpace(),
};

describe("a second host", () => {
  it("is refused with the pid, the directory and the address, but no password", async () => {
    const dataDir = await world.makeUsed();
    const host = await world.startChild({ dataDir });
    const refused: Error = await world.start(dataDir).then(
      () => new Error("it started"),
      (error: Error) => error,
    );
    const { port, password } = new URL(host.url);
    expect(refused.message).toContain(`pid ${host.child.pid}`);
    expect(refused.message).toContain(dataDir);
    expect(refused.message).toContain(`postgres://127.0.0.1:${port}`);
    expect(refused.message).toContain("DATABASE_URL");
    expect(refused.message).not.toContain(password);
    expect(refused.message).not.toContain("\n");
    expect(await query(host.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await killChild(host.child);
    expect((await world.start(dataDir)).adopted).toBe(true);
  });

  it("started at the same moment leaves one winner, on a new directory too", async () => {
    const dataDir = join(world.makeFolder(), "new");
    const hosts = await Promise.all([1, 2, 3].map(() => world.startChild({ dataDir })));
    const [winner] = hosts.filter((host) => host.error === undefined);
    const refusals = hosts.flatMap((host) => host.error ?? []);
    expect(refusals).toHaveLength(2);
    for (const text of refusals) expect(text).toContain(`pid ${winner?.child.pid} already runs`);
    expect(await query(winner?.url ?? "", "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("is refused in the same process too, until the first has stopped", async () => {
    const dataDir = await world.makeUsed();
    const first = await world.start(dataDir);
    await expect(world.start(dataDir)).rejects.toThrow(`pid ${process.pid} already runs`);
    await first.stop();
    expect((await world.start(dataDir)).adopted).toBe(false);
  });

  it("is refused through another name of the directory", async () => {
    const dataDir = await world.makeUsed();
    await world.start(dataDir);
    const alias = join(world.makeFolder(), "alias");
    symlinkSync(dataDir, alias);
    await expect(world.start(alias)).rejects.toThrow(`${dataDir} (Postgres at`);
  });
});

describe("the claim", () => {
  it("goes to exactly one of many that find a dead owner at once", async () => {
    for (let round = 0; round < 20; round++) {
      const dataDir = world.makeFolder();
      plantOwner(dataDir, { ...self, start_mark: "another life" });
      const tries = await Promise.allSettled(Array.from({ length: 16 }, () => acquire(dataDir)));
      expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
      expect(readdirSync(dataDir)).toEqual(["host.lock.6"]);
    }
  });

  it("ignores an owner whose pid another process has now", async () => {
    const dataDir = world.makeFolder();
    plantOwner(dataDir, { ...self, start_mark: "another life" });
    await acquire(dataDir);
  });

  it("ignores an owner file that was cut off by a full disk", async () => {
    const dataDir = world.makeFolder();
    writeFileSync(join(dataDir, "host.lock.5"), '{"pid":');
    await acquire(dataDir);
  });

  it("never gives out a number twice, released or not", async () => {
    const dataDir = world.makeFolder();
    for (const n of [1, 2, 3]) {
      await (await acquire(dataDir)).release();
      expect(readdirSync(dataDir)).toEqual([`host.lock.${n}`]);
    }
  });

  it("respects an owner in another container as long as it shows signs of life", async () => {
    const dataDir = world.makeFolder();
    plantOwner(dataDir, { ...self, pid_space: "elsewhere", port: 4321 });
    const beat = setInterval(() => {
      const now = new Date();
      utimesSync(join(dataDir, "host.lock.5"), now, now);
    }, 200);
    await expect(acquire(dataDir)).rejects.toThrow("127.0.0.1:4321").finally(() => {
      clearInterval(beat);
    });
  });

  it("follows an owner in another container that fell silent", async () => {
    const dataDir = world.makeFolder();
    plantOwner(dataDir, { ...self, pid_space: "elsewhere" }, 9.5);
    await acquire(dataDir);
    expect(JSON.parse(readFileSync(join(dataDir, "host.lock.6"), "utf8"))).toEqual(self);
  });
});
