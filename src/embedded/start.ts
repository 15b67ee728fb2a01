/**
 * The door of this room: a real Postgres for one data directory, from the programs npm installed.
 * Promises a server that accepts connections, adopted or started; refuses a directory another
 * host uses, and names DATABASE_URL wherever it cannot help. Called by main and by tests.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chown, rm, writeFile } from "node:fs/promises";
import { findBinaries } from "./binaries.js";
import type { PostgresBinaries } from "./binaries.js";
import { keepUp } from "./keep_up.js";
import { acquireOwnerLock } from "./owner_lock.js";
import type { OwnerLock } from "./owner_lock.js";
import { findPlace, openDataDir, settlePlace } from "./place.js";
import {
  answersAsPostgres,
  findRunningServer,
  readPostmaster,
  readServerArgs,
  stopServer,
  waitFor,
} from "./postmaster.js";
import { isAlive } from "./process_identity.js";
import { EmbeddedPostgresError, explainDataDirError, wayOut } from "./refusal.js";
import { describeWay, giveHome, isRoot } from "./run_as.js";
import type { RunAs } from "./run_as.js";
import { buildSettings, checkDataVersion, initCluster, startServer } from "./server.js";
import type { Home } from "./server.js";

export interface EmbeddedPostgres {
  /** For the driver; holds the password. A server that was started again has the same. */
  url: string;
  /** Of the server that runs, or ran last. */
  readonly pid: number;
  /** A server that a killed host left behind was taken over. */
  adopted: boolean;
  /** Stops Postgres and gives the data directory free; safe to call twice. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  dataDir: string;
  log: (line: string) => void;
  /** Postgres settings over ours, such as fsync=off in tests. */
  settings?: Record<string, string>;
  /** A server that ends by itself is started again; told when that did not succeed. */
  onLost?: (cause: Error) => void;
}

interface Server {
  home: Home;
  pid: number;
  port: number;
  adopted: boolean;
  onCrash(report: (how: string) => void): () => void;
}

const adopt_seconds_max = 10;
const watch_ms = 1_000;

export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  let dataDir = options.dataDir;
  try {
    dataDir = await openDataDir(dataDir);
    const lock = await acquireOwnerLock(dataDir);
    try {
      return await startLocked(dataDir, lock, options);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw explainDataDirError(dataDir, error);
  }
}

async function startLocked(
  dataDir: string,
  lock: OwnerLock,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const binaries = findBinaries(process);
  const server = await bringUp(dataDir, binaries, options);
  try {
    await lock.publishPort(server.port);
    // On its port, so that the url stays good.
    const again = () => bringUp(dataDir, binaries, options, server.port);
    return makeDoor(server, { binaries, options, again, release: () => lock.release() });
  } catch (error) {
    await stopServer({ pid: server.pid, data: server.home.data, binaries }, options.log);
    throw error;
  }
}

async function bringUp(
  dataDir: string,
  binaries: PostgresBinaries,
  options: EmbeddedPostgresOptions,
  port_before?: number,
): Promise<Server> {
  const found = findPlace(dataDir);
  const settings = buildSettings(binaries.version, options.settings ?? {});
  const left = await adoptServer(found.home, { settings, binaries, log: options.log });
  if (left) return left;
  const { place, chosen } = await settlePlace(dataDir, found, binaries);
  const { home } = place;
  await giveHome(home.folder, chosen.way);
  if (place.base !== dataDir) options.log(`The data of ${dataDir} are kept in ${place.base}`);
  if (existsSync(home.data)) {
    checkDataVersion(home, binaries.version);
  } else if (port_before !== undefined) {
    throw new EmbeddedPostgresError(`The data of the database are gone from ${home.data}.`);
  } else {
    await writePassword(home, chosen.way);
    await initCluster(home, chosen, options.settings ?? {});
  }
  readPassword(home);
  const { log } = options;
  const choosePort = port_before === undefined ? undefined : async () => port_before;
  const { child, pid, port } = await startServer(home, chosen, { settings, log, choosePort });
  options.log(`Postgres (pid ${pid}) runs ${describeWay(chosen.way)} on 127.0.0.1:${port}`);
  const onCrash = (report: (how: string) => void) => {
    const listener = (code: number | null, signal: string | null) =>
      report(signal ?? `code ${code}`);
    // It may have ended before anybody listened.
    const { exitCode, signalCode } = child;
    if (exitCode !== null || signalCode !== null) setImmediate(listener, exitCode, signalCode);
    else child.once("exit", listener);
    return () => child.off("exit", listener);
  };
  return { home, pid, port, adopted: false, onCrash };
}

/** Takes over the server that a killed host left, or stops it when it does not suit. */
async function adoptServer(
  home: Home,
  wanted: { settings: string[]; binaries: PostgresBinaries; log: (line: string) => void },
): Promise<Server | undefined> {
  const left = await findRunningServer(home.data);
  if (!left) return undefined;
  const { pid } = left;
  const args = readServerArgs(home.data).filter((arg) => !arg.startsWith("port="));
  const expected = ["-D", home.data, "-c", ...wanted.settings];
  const isSame = JSON.stringify(args) === JSON.stringify(expected);
  const isUp = () => readPostmaster(home.data)?.status === "ready";
  const settled = () => isUp() || !isAlive(pid);
  if (isSame && existsSync(home.passwordFile) && (await waitFor(settled, adopt_seconds_max))) {
    const port = readPostmaster(home.data)?.port ?? 0;
    if (isAlive(pid) && (await answersAsPostgres(port))) {
      wanted.log(`Adopted the Postgres (pid ${pid}) that an ended host left on port ${port}`);
      return { home, pid, port, adopted: true, onCrash: (report) => watchPid(pid, report) };
    }
  }
  wanted.log(`Stopping a Postgres (pid ${pid}) that an ended host left: it cannot be adopted`);
  await stopServer({ pid, data: home.data, binaries: wanted.binaries }, wanted.log);
  // One that had to be killed leaves its pid file behind, perhaps naming a zombie.
  await findRunningServer(home.data);
  return undefined;
}

function makeDoor(
  server: Server,
  means: {
    binaries: PostgresBinaries;
    options: EmbeddedPostgresOptions;
    again(): Promise<Server>;
    release(): Promise<void>;
  },
): EmbeddedPostgres {
  const { port, home } = server;
  const { log, onLost } = means.options;
  const kept = keepUp({
    first: server,
    again: means.again,
    onEnd: ({ pid }, how) =>
      log(`Postgres (pid ${pid}) ended unexpectedly with ${how}; its log: ${home.logFile}`),
    onLost: (cause) => onLost?.(cause),
    stop: ({ pid }) => stopServer({ pid, data: home.data, binaries: means.binaries }, log),
    // Without somebody to tell there is nobody to keep it for.
    ...(onLost === undefined ? { pauses_ms: [] } : {}),
  });
  let stopping: Promise<void> | undefined;
  return {
    url: `postgres://postgres:${readPassword(home)}@127.0.0.1:${port}/postgres`,
    get pid() {
      return kept.pid;
    },
    adopted: server.adopted,
    stop: () => (stopping ??= kept.stop().finally(() => means.release())),
  };
}

function watchPid(pid: number, report: (how: string) => void): () => void {
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    report("an unknown code");
  }, watch_ms);
  timer.unref();
  return () => clearInterval(timer);
}

/** Written before the cluster exists, in place of one from an attempt that got no further. */
async function writePassword(home: Home, way: RunAs): Promise<void> {
  await rm(home.passwordFile, { force: true });
  const password = randomBytes(24).toString("hex");
  await writeFile(home.passwordFile, `${password}\n`, { flag: "wx", mode: 0o600, flush: true });
  if (isRoot()) await chown(home.passwordFile, way.uid ?? 0, way.gid ?? 0);
}

function readPassword(home: Home): string {
  const password = existsSync(home.passwordFile)
    ? readFileSync(home.passwordFile, "utf8").trim()
    : "";
  if (/^[0-9a-f]{48}$/.test(password)) return password;
  throw new EmbeddedPostgresError(
    `The password of the database in ${home.data} is missing from ${home.passwordFile}. ` +
      `Restore that file, or name another data directory. ${wayOut}`,
  );
}
