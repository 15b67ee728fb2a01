/**
 * Makes a new cluster and starts the server on it: 127.0.0.1 only, no unix socket (their paths
 * end at 107 bytes), password login only. Knows nothing of locks or of servers left behind.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, existsSync, fchownSync, fstatSync, ftruncateSync } from "node:fs";
import { openSync, readFileSync, readSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { programPath } from "./binaries.js";
import { isAlive } from "./process_identity.js";
import { readPostmaster, waitFor } from "./postmaster.js";
import { EmbeddedPostgresError, wayOut } from "./refusal.js";
import { buildCommand, isRoot, runCommand } from "./run_as.js";
import type { ChosenWay } from "./run_as.js";

/** The private folder of one cluster. */
export interface Home {
  folder: string;
  data: string;
  passwordFile: string;
  logFile: string;
}

export interface RunningServer {
  child: ChildProcess;
  pid: number;
  port: number;
}

const log_bytes_max = 10 * 1024 * 1024;
/** Long enough for crash recovery of a large database. */
const start_seconds_max = 120;
const start_attempts = 10;
const worthAnotherTry = /could not bind|could not create any TCP|pre-existing shared memory/;

export function homeAt(folder: string): Home {
  return {
    folder,
    data: join(folder, "data"),
    passwordFile: join(folder, "password"),
    logFile: join(folder, "server.log"),
  };
}

/** Everything the server is told besides its port; a server told otherwise is not adopted. */
export function buildSettings(version: string, settings: Record<string, string>): string[] {
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    password_encryption: "scram-sha-256",
    timezone: "UTC",
    log_timezone: "UTC",
    // Keeps refused statements, and the values in their messages, out of the log file.
    log_min_messages: "log",
    log_min_error_statement: "panic",
    log_checkpoints: "off",
    cluster_name: `embedded-${version}`,
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Makes the cluster under another name first, so that a half-made one is never started. */
export async function initCluster(
  home: Home,
  chosen: ChosenWay,
  settings: Record<string, string>,
): Promise<void> {
  // A name of its own: an initdb that outlived its killed host must not write into this one.
  const unfinished = `${home.data}.unfinished-${randomBytes(6).toString("hex")}`;
  for (const name of await readdir(home.folder)) {
    if (!name.startsWith("data.unfinished")) continue;
    await rm(join(home.folder, name), { recursive: true, force: true, maxRetries: 3 });
  }
  const args = ["-D", unfinished, "-U", "postgres", `--pwfile=${home.passwordFile}`];
  args.push("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions");
  // The built-in provider sorts and folds case alike on every operating system.
  args.push("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  if (settings.fsync === "off") args.push("--no-sync");
  const initdb = programPath(chosen.binaries, "initdb");
  const made = await runCommand(chosen.way, initdb, { args, cwd: home.folder });
  if (!made.ok) {
    throw new EmbeddedPostgresError(
      `Postgres could not make its data below ${home.folder}: ${made.output} ${wayOut}`,
    );
  }
  await rename(unfinished, home.data);
}

/** Refuses data of another major version, which the server would refuse less clearly. */
export function checkDataVersion(home: Home, version: string): void {
  const found = readFileSync(join(home.data, "PG_VERSION"), "utf8").trim();
  const wanted = version.split(".")[0];
  if (found === wanted) return;
  throw new EmbeddedPostgresError(
    `The data in ${home.data} are of Postgres ${found}, the installed one is ${wanted}: ` +
      `dump them with the old version, or name another data directory. ${wayOut}`,
  );
}

export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Starts the server and returns once it accepts connections; a port lost in a race is retried. */
export async function startServer(
  home: Home,
  chosen: ChosenWay,
  options: { settings: string[]; log: (line: string) => void; choosePort?: () => Promise<number> },
): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await (options.choosePort ?? findFreePort)();
    const started = await tryStart(home, chosen, { port, settings: options.settings });
    if ("child" in started) return started;
    if (attempt >= start_attempts || !worthAnotherTry.test(started.failure)) {
      throw new EmbeddedPostgresError(
        `Postgres did not start on ${home.data}: ${started.failure} ` +
          `(log: ${home.logFile}). ${wayOut}`,
      );
    }
    options.log(`Postgres did not start on port ${port}, trying again: ${started.failure}`);
    // Back-ends of a killed server leave within moments; a new port needs no wait but this.
    await new Promise((resolve) => setTimeout(resolve, 50 * attempt));
  }
}

async function tryStart(
  home: Home,
  chosen: ChosenWay,
  options: { port: number; settings: string[] },
): Promise<RunningServer | { failure: string }> {
  const serverArgs = ["-D", home.data, "-c", `port=${options.port}`, ...options.settings];
  const postgres = programPath(chosen.binaries, "postgres");
  const { file, args, options: how } = buildCommand(chosen.way, postgres, serverArgs);
  const output = openLog(home.logFile, chosen);
  const offset = fstatSync(output).size;
  // Its own process group: Ctrl-C in a terminal must reach the host first, not Postgres.
  const child = spawn(file, args, {
    ...how,
    cwd: home.folder,
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let ended: string | undefined;
  child.on("error", (error) => (ended ??= error.message));
  child.on("exit", (code, signal) => (ended ??= `it ended with ${signal ?? `code ${code}`}`));
  const isReady = () => {
    const found = readPostmaster(home.data);
    return found?.pid === child.pid && found?.status === "ready";
  };
  await waitFor(() => ended !== undefined || isReady(), start_seconds_max);
  if (ended === undefined && isReady()) {
    child.unref();
    return { child, pid: child.pid as number, port: options.port };
  }
  if (ended === undefined && child.pid !== undefined && isAlive(child.pid)) child.kill("SIGQUIT");
  const lines = readLogFrom(home.logFile, offset);
  return { failure: [ended ?? `not ready after ${start_seconds_max} s`, lines].join(": ").trim() };
}

function openLog(path: string, chosen: ChosenWay): number {
  // As root we write into a folder of an ordinary user, who must not lead us elsewhere by a link.
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const flags = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | noFollow;
  const output = openSync(path, flags, 0o600);
  if (fstatSync(output).size > log_bytes_max) ftruncateSync(output);
  if (isRoot()) fchownSync(output, chosen.way.uid ?? 0, chosen.way.gid ?? 0);
  return output;
}

function readLogFrom(path: string, offset: number): string {
  if (!existsSync(path)) return "";
  const file = openSync(path, "r");
  const bytes = Buffer.alloc(4096);
  const length = readSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
  const lines = bytes.subarray(0, length).toString("utf8").split("\n");
  const telling = lines.filter((line) => /FATAL|PANIC|HINT|ERROR|could not|cannot/.test(line));
  return (telling.length > 0 ? telling : lines).join(" ").trim();
}
