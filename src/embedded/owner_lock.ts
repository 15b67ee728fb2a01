/**
 * One host per data directory. The claim is a numbered file made atomically; the highest number
 * rules, and a dead or finished owner is followed by the next number. Nothing is ever removed to
 * take over, so two hosts that find one dead owner cannot both win.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { link, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, readPidSpace, readStartMark } from "./process_identity.js";
import { EmbeddedPostgresError } from "./refusal.js";

export interface OwnerLock {
  /** Tells a refused second host where this one's Postgres listens. */
  publishPort(port: number): Promise<void>;
  release(): Promise<void>;
}

interface Owner {
  pid: number;
  start_mark?: string;
  pid_space: string;
  port?: number;
  released?: boolean;
}

const filePattern = /^host\.lock\.(\d+)$/;
const heartbeat_ms = 2_000;
/** An owner whose pid we cannot judge (another container) is dead after this silence. */
const silence_ms_max = 10_000;

/** Claims the directory for this process, or refuses at once naming the host that has it. */
export async function acquireOwnerLock(dataDir: string): Promise<OwnerLock> {
  const owner: Owner = {
    pid: process.pid,
    start_mark: readStartMark(process.pid),
    pid_space: readPidSpace(),
  };
  for (;;) {
    const numbers = await listNumbers(dataDir);
    const latest = numbers.at(-1) ?? 0;
    if (latest > 0) {
      const holder = readOwner(lockFile(dataDir, latest));
      if (holder === "gone") continue;
      if (await holdsDirectory(holder, lockFile(dataDir, latest))) throw refuse(dataDir, holder);
    }
    const file = lockFile(dataDir, latest + 1);
    if (!(await createWhole(file, owner))) continue;
    // Another user's old claim may stay: only the highest number counts.
    for (const n of numbers) await rm(lockFile(dataDir, n), { force: true }).catch(() => {});
    return keepLock(file, owner);
  }
}

/** The host that has the directory now, found without a claim. */
export async function findOwner(dataDir: string): Promise<{ pid: number } | undefined> {
  const latest = (await listNumbers(dataDir)).at(-1);
  if (latest === undefined) return undefined;
  const file = lockFile(dataDir, latest);
  const holder = readOwner(file);
  if (holder === "gone" || holder === "broken") return undefined;
  return (await holdsDirectory(holder, file)) ? { pid: holder.pid } : undefined;
}

function keepLock(file: string, owner: Owner): OwnerLock {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, heartbeat_ms);
  beat.unref();
  return {
    publishPort: (port) => replaceWhole(file, { ...owner, port }),
    async release() {
      clearInterval(beat);
      // The file stays, marked: removing it would let its number be given out twice. A directory
      // that was removed meanwhile needs no mark.
      await replaceWhole(file, { ...owner, released: true }).catch(() => {});
    },
  };
}

async function holdsDirectory(holder: Owner | "broken", file: string): Promise<boolean> {
  if (holder === "broken" || holder.released) return false;
  if (holder.pid_space === readPidSpace()) {
    return isAlive(holder.pid) && readStartMark(holder.pid) === holder.start_mark;
  }
  const seen = readHeartbeat(file);
  while (Date.now() - seen < silence_ms_max) {
    await sleep(heartbeat_ms / 10);
    if (readHeartbeat(file) !== seen) return true;
  }
  return false;
}

function refuse(dataDir: string, holder: Owner | "broken"): Error {
  const { pid, port } = holder as Owner;
  const where = port === undefined ? "" : ` (Postgres at postgres://127.0.0.1:${port})`;
  return new EmbeddedPostgresError(
    `A host with pid ${pid} already runs on the data directory ${dataDir}${where}: stop it ` +
      `first, name another directory, or set DATABASE_URL, with which several hosts share ` +
      `one database.`,
  );
}

function lockFile(dataDir: string, n: number): string {
  return join(dataDir, `host.lock.${n}`);
}

async function listNumbers(dataDir: string): Promise<number[]> {
  const names = await readdir(dataDir);
  const numbers = names.flatMap((name) => filePattern.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b);
}

function readOwner(file: string): Owner | "gone" | "broken" {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Owner;
  } catch (error) {
    if (error instanceof SyntaxError) return "broken";
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
    throw error;
  }
}

function readHeartbeat(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Linking a finished file makes it appear with its content, and only if the name is free. */
async function createWhole(file: string, owner: Owner): Promise<boolean> {
  const draft = await writeDraft(file, owner);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function replaceWhole(file: string, owner: Owner): Promise<void> {
  await rename(await writeDraft(file, owner), file);
}

async function writeDraft(file: string, owner: Owner): Promise<string> {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, JSON.stringify(owner), { flag: "wx", mode: 0o644 });
  return draft;
}
