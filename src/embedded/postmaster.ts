/**
 * A Postgres server that is already there: reads its postmaster.pid, tells whether it is really
 * the server of this data directory, waits for it, stops it. Never removes the pid file of a
 * server that may live: Postgres itself checks it against its shared memory at start.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { programPath } from "./binaries.js";
import type { PostgresBinaries } from "./binaries.js";
import { isAlive, runsInDataDir } from "./process_identity.js";
import { runCommand } from "./run_as.js";

export interface Postmaster {
  pid: number;
  port: number;
  /** As Postgres writes it: starting, ready, standby or stopping. */
  status: string;
}

const fast_stop_seconds = 10;
const immediate_stop_seconds = 5;
const write_seconds_max = 1;
const poll_ms = 10;

/** What postmaster.pid says; undefined when there is none or it is still being written. */
export function readPostmaster(data: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), status: (lines[7] ?? "").trim() };
}

/** The live server of this data directory, if there is one; disarms a pid file that lies. */
export async function findRunningServer(data: string): Promise<Postmaster | undefined> {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  // Either a server is writing it this instant, or a power cut emptied it.
  await waitFor(() => readPostmaster(data) !== undefined, write_seconds_max);
  const found = readPostmaster(data);
  if (found === undefined) {
    rmSync(file, { force: true });
    return undefined;
  }
  if (isAlive(found.pid)) {
    const ours = runsInDataDir(found.pid, data) ?? (await answersAsPostgres(found.port));
    if (ours) return found;
  }
  disarmPidFile(file);
  return undefined;
}

/**
 * The pid belongs to another program now, or to a zombie that nobody reaped, and Postgres would
 * refuse to start. It takes its own parent's pid for stale and then still checks the shared
 * memory named in the file, which removing the file would take away.
 */
function disarmPidFile(file: string): void {
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, [String(process.pid), ...lines.slice(1)].join("\n"));
}

/** Whether something on this local port speaks Postgres: it answers an SSLRequest by S or N. */
export function answersAsPostgres(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.on("error", () => finish(false));
    socket.on("close", () => finish(false));
    socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.on("data", (bytes) => finish(bytes[0] === 0x53 || bytes[0] === 0x4e));
  });
}

/** The options a running server was started with, as Postgres recorded them. */
export function readServerArgs(data: string): string[] {
  try {
    const line = readFileSync(join(data, "postmaster.opts"), "utf8");
    return [...line.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "");
  } catch {
    return [];
  }
}

/** Polls until the condition holds; false when the time is over. */
export async function waitFor(condition: () => boolean, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) return false;
    await sleep(poll_ms);
  }
  return true;
}

/**
 * Stops a server: fast (sessions are cut, data is flushed), then immediate (the next start
 * recovers), then kill. Returns when the process is gone.
 */
export async function stopServer(
  server: { pid: number; data: string; binaries: PostgresBinaries },
  log: (line: string) => void,
): Promise<void> {
  const ended = () => !isAlive(server.pid);
  if (ended()) return;
  await sendStop("fast");
  if (await waitFor(ended, fast_stop_seconds)) return;
  log(`Postgres (pid ${server.pid}) did not stop within ${fast_stop_seconds} s, forcing it`);
  await sendStop("immediate");
  if (await waitFor(ended, immediate_stop_seconds)) return;
  signal("SIGKILL");
  await waitFor(ended, immediate_stop_seconds);

  async function sendStop(mode: "fast" | "immediate"): Promise<void> {
    if (process.platform !== "win32") {
      signal(mode === "fast" ? "SIGINT" : "SIGQUIT");
      return;
    }
    // Windows has no signals; pg_ctl speaks to the server's pipe.
    const args = ["stop", "-D", server.data, "-m", mode, "-W"];
    const pgCtl = programPath(server.binaries, "pg_ctl");
    await runCommand({ kind: "self" }, pgCtl, { args, cwd: server.data });
  }

  function signal(name: NodeJS.Signals): void {
    try {
      process.kill(server.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
