// A place for one test file: folders, hosts in this process and in child processes, and an end
// that leaves no process and no folder behind.
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import postgres from "postgres";
import { afterAll, afterEach } from "vitest";
import { startEmbeddedPostgres } from "../../src/embedded/start.js";
import type { EmbeddedPostgres } from "../../src/embedded/start.js";

export const isRootHere = process.getuid?.() === 0;
/** Data of tests need not survive a power cut, and initdb is faster without waiting for disks. */
export const quick = { fsync: "off" };

const here = dirname(fileURLToPath(import.meta.url));
const top = dirname(dirname(here));

export interface HostChild {
  child: ChildProcess;
  url: string;
  pid: number;
  adopted: boolean;
  error?: string;
}

export function makeWorld() {
  const folders: string[] = [];
  const keptFolders: string[] = [];
  const servers: { stop(): Promise<void> }[] = [];
  const children: ChildProcess[] = [];
  let built: string | undefined;
  let template: string | undefined;

  afterEach(async () => {
    for (const child of children.splice(0)) await killChild(child);
    for (const server of servers.splice(0)) await server.stop();
    removeAll(folders);
  });
  afterAll(() => removeAll(keptFolders));

  function makeFolder(mode = 0o755, list = folders): string {
    const folder = mkdtempSync(join(tmpdir(), "embedded-test-"));
    chmodSync(folder, mode);
    list.push(folder);
    return folder;
  }

  return {
    makeFolder,
    /** A data directory that a host used and left in order: a copy, sooner made than by initdb. */
    async makeUsed(): Promise<string> {
      if (template === undefined) {
        const dataDir = makeFolder(0o755, keptFolders);
        const first = await startEmbeddedPostgres({ dataDir, settings: quick, log: () => {} });
        await first.stop();
        template = dataDir;
      }
      const copy = join(makeFolder(), "used");
      // Node's cp does not keep owners, by which root decides how to run Postgres.
      execFileSync("cp", ["-a", template, copy]);
      return copy;
    },
    /** Starts in this process; `lines` collects what it logs. */
    async start(dataDir: string, settings: Record<string, string> = quick) {
      const lines: string[] = [];
      const log = (line: string) => void lines.push(line);
      const server = await startEmbeddedPostgres({ dataDir, settings, log });
      servers.push(server);
      return Object.assign(server, { lines }) as EmbeddedPostgres & { lines: string[] };
    },
    /** Starts in a child process; resolves when it runs or has been refused. */
    async startChild(given: {
      dataDir: string;
      settings?: Record<string, string>;
      uid?: number;
      path?: string;
    }): Promise<HostChild> {
      const { path, ...rest } = given;
      const script = join(here, "host_child.mjs");
      built ??= buildStart(makeFolder(0o755, keptFolders));
      const start = pathToFileURL(built).href;
      const options = JSON.stringify({ settings: quick, ...rest });
      const env = { ...process.env, PATH: path ?? process.env.PATH };
      const child = spawn(process.execPath, [script, start, options], {
        env,
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      const [line] = await once(createInterface(child.stdout), "line");
      const said = { child, ...JSON.parse(line) };
      if (said.pid) servers.push({ stop: async () => killServer(said.pid) });
      return said;
    },
  };
}

/** Child processes cannot load TypeScript; builds what they import, and returns its start.js. */
function buildStart(out: string): string {
  const tsc = join(top, "node_modules", "typescript", "bin", "tsc");
  const options = "--ignoreConfig --module nodenext --target es2023 --types node --skipLibCheck";
  const args = [tsc, ...options.split(" "), "--outDir", join(out, "dist")];
  execFileSync(process.execPath, [...args, join("src", "embedded", "start.ts")], { cwd: top });
  symlinkSync(join(top, "node_modules"), join(out, "node_modules"), "dir");
  writeFileSync(join(out, "package.json"), '{"type":"module"}');
  return join(out, "dist", "start.js");
}

function removeAll(folders: string[]): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** The sudden death of a host: nothing of it gets to clean up. */
export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function killServer(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has been stopped by its test.
  }
}

/** Runs one statement through the driver, as a user of the url would. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(text))] as Record<string, unknown>[];
  } finally {
    await sql.end({ timeout: 0 });
  }
}

export function makeDir(path: string, mode: number): string {
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}
