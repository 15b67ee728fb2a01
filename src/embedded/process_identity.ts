/**
 * Answers "is that process still the one that wrote this file?". A pid alone does not: pids are
 * reused, zombies still answer signals, and containers count their pids separately.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";

/** True while a process of this pid runs; one that ended and waits to be reaped does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return readStatFields(pid)?.[0] !== "Z";
}

/** A mark that differs between two processes that had one pid; undefined where none is known. */
export function readStartMark(pid: number): string | undefined {
  if (process.platform === "linux") return readStatFields(pid)?.[19];
  return readPs(pid, "lstart=");
}

/** Names the set of processes within which pids can be compared: one boot, one pid namespace. */
export function readPidSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/**
 * Whether the process is a Postgres server of this data directory. Undefined where the platform
 * gives no way to look (Windows): the caller then asks the port.
 */
export function runsInDataDir(pid: number, data: string): boolean | undefined {
  if (process.platform === "win32") return undefined;
  if (process.platform !== "linux") {
    const command = readPs(pid, "command=");
    return command !== undefined && command.includes(data) && /postgres/.test(command);
  }
  try {
    // A server changes into its data directory at start; following the link survives a rename.
    const there = statSync(`/proc/${pid}/cwd`);
    const here = statSync(data);
    return there.dev === here.dev && there.ino === here.ino;
  } catch {
    return false;
  }
}

/** The fields of /proc/PID/stat from the third on: the second may hold spaces and brackets. */
function readStatFields(pid: number): string[] | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function readPs(pid: number, column: string): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const args = ["-ww", "-o", column, "-p", String(pid)];
    return execFileSync("ps", args, { stdio: ["ignore", "pipe", "ignore"] }).toString().trim();
  } catch {
    return undefined;
  }
}
