/**
 * Postgres refuses to run as root. This file finds, for root, a user or a user namespace that
 * reaches the programs and the data, and builds the commands that run under it. Ordinary users
 * run Postgres as themselves.
 */
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { lchown, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { copyBinaries, linkLibraries, programPath } from "./binaries.js";
import type { PostgresBinaries } from "./binaries.js";

/** How Postgres is run; `uid`/`gid` only when another user than ours is taken. */
export interface RunAs {
  kind: "self" | "user" | "namespace";
  uid?: number;
  gid?: number;
}

export interface CommandResult {
  ok: boolean;
  output: string;
}

const namespaceArgs = ["--user", "--map-user=65534", "--map-group=65534", "--"];
const command_seconds = 120;

/** The command line and spawn options that run `program` in this way. */
export function buildCommand(way: RunAs, program: string, args: string[]) {
  const inNamespace = way.kind === "namespace";
  // Only what Postgres needs: the host's own variables may hold secrets, and PG* ones mislead it.
  const env: NodeJS.ProcessEnv = { LC_ALL: "C", TZ: "UTC" };
  for (const name of ["PATH", "SystemRoot", "TEMP", "TMP"]) {
    if (process.env[name] !== undefined) env[name] = process.env[name];
  }
  return {
    file: inNamespace ? "unshare" : program,
    args: inNamespace ? [...namespaceArgs, program, ...args] : args,
    options: { uid: way.uid, gid: way.gid, env, windowsHide: true },
  };
}

/** Runs a program to its end; a program that cannot be started counts as failed. */
export function runCommand(
  way: RunAs,
  program: string,
  options: { args: string[]; cwd: string },
): Promise<CommandResult> {
  const { file, args, options: how } = buildCommand(way, program, options.args);
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...how,
      cwd: options.cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    // The timeout of spawn outlives a program that could not be started, and holds the process.
    const timer = setTimeout(() => child.kill("SIGKILL"), command_seconds * 1000);
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const finish = (result: CommandResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    child.on("error", (error) => finish({ ok: false, output: error.message }));
    child.on("close", (code) => finish({ ok: code === 0, output: output.trim() }));
  });
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** What keeps this way from entering the folder; undefined when nothing does. */
async function findBarrier(way: RunAs, folder: string): Promise<string | undefined> {
  if (way.kind === "self") return undefined;
  const args = ["-c", 'test -x "$1"', "sh", folder];
  const entered = await runCommand(way, "/bin/sh", { args, cwd: "/" });
  return entered.ok ? undefined : entered.output || `cannot enter ${folder}`;
}

/** What keeps this way from the folder or the programs; undefined when nothing does. */
async function findObstacle(
  way: RunAs,
  reach: { folder: string; binaries: PostgresBinaries },
): Promise<string | undefined> {
  const barrier = await findBarrier(way, reach.folder);
  if (barrier !== undefined) return barrier;
  const postgres = programPath(reach.binaries, "postgres");
  const version = await runCommand(way, postgres, { args: ["--version"], cwd: reach.folder });
  return version.ok ? undefined : version.output || `${postgres} does not run`;
}

/** The ways root has, the one that keeps the data's present owner first. */
export function listRootWays(base: string, home: string): RunAs[] {
  const owner = readOwner(home);
  const users = [owner, readOwner(base), ...readServiceUsers()].filter(
    (user, i, all) => user && user.uid !== 0 && all.findIndex((u) => u?.uid === user.uid) === i,
  );
  const ways = users.map((user): RunAs => ({ kind: "user", ...user }));
  ways.push({ kind: "namespace" });
  return ways.sort((a, b) => Number(keepsOwner(b, owner)) - Number(keepsOwner(a, owner)));
}

export function describeWay(way: RunAs): string {
  if (way.kind === "self") return "as this user";
  return way.kind === "user" ? `as user ${way.uid}` : `in a user namespace (unshare --user)`;
}

export interface ChosenWay {
  way: RunAs;
  binaries: PostgresBinaries;
}

/**
 * The first way that works for a home below `base`, with the installed programs or else with a
 * copy of them below `base`. What failed is appended to `failures`.
 */
export async function chooseWay(
  place: { base: string; home: string; binaries: PostgresBinaries },
  failures: string[],
): Promise<ChosenWay | undefined> {
  const ways: RunAs[] = isRoot() ? listRootWays(place.base, place.home) : [{ kind: "self" }];
  const linked = await linkLibraries(place.binaries);
  for (const way of linked ? ways : []) {
    const obstacle = await findObstacle(way, { folder: place.base, binaries: place.binaries });
    if (obstacle === undefined) return { way, binaries: place.binaries };
    failures.push(`${describeWay(way)}: ${obstacle}`);
  }
  // A copy helps who may not enter the installed folder, or where that lets us make no links.
  for (const way of isRoot() || !linked ? ways : []) {
    if ((await findBarrier(way, place.base)) !== undefined) continue;
    const binaries = await copyBinaries(place.binaries, place.base);
    const obstacle = await findObstacle(way, { folder: place.base, binaries });
    if (obstacle === undefined) return { way, binaries };
    failures.push(`${describeWay(way)} with copied programs: ${obstacle}`);
  }
  return undefined;
}

/** Makes the private folder of this way, and hands over what an earlier way left in it. */
export async function giveHome(home: string, way: RunAs): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (isRoot()) await changeOwner(home, way);
}

async function changeOwner(path: string, way: RunAs): Promise<void> {
  const uid = way.uid ?? 0;
  const gid = way.gid ?? 0;
  if (statSync(path).uid === uid) return;
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  for (const entry of entries) await lchown(join(entry.parentPath, entry.name), uid, gid);
  await lchown(path, uid, gid);
}

function keepsOwner(way: RunAs, owner: { uid: number } | undefined): boolean {
  return owner !== undefined && (way.uid ?? 0) === owner.uid;
}

function readOwner(path: string): { uid: number; gid: number } | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && { uid: found.uid, gid: found.gid };
}

/** A uid that no account has is refused by Postgres, so only accounts that exist are taken. */
function readServiceUsers(): { uid: number; gid: number }[] {
  let accounts: string[][];
  try {
    accounts = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  } catch {
    return [];
  }
  return ["postgres", "_postgres", "nobody"].flatMap((name) => {
    const account = accounts.find((fields) => fields[0] === name);
    return account ? [{ uid: Number(account[2]), gid: Number(account[3]) }] : [];
  });
}
