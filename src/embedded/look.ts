/**
 * What there is of an embedded Postgres in a data directory, without touching it: nothing is made,
 * started, taken over or repaired. Called by the command line, which tells people about it.
 */
import { existsSync, readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { findOwner } from "./owner_lock.js";
import { findPlace } from "./place.js";
import { answersAsPostgres, readPostmaster } from "./postmaster.js";
import type { Postmaster } from "./postmaster.js";
import { isAlive, runsInDataDir } from "./process_identity.js";
import type { Home } from "./server.js";

export interface EmbeddedSight {
  /** Where the cluster lies or would lie. */
  data: string;
  /** Major version of the data; null where there are none yet. */
  data_version: string | null;
  /** The host that has the directory. */
  host_pid: number | null;
  server_pid: number | null;
  /** Of the running server, with the password; null where it cannot be read. */
  url: string | null;
}

/** Refuses a data directory whose data were moved away and are gone. */
export async function lookAtEmbedded(dataDir: string): Promise<EmbeddedSight> {
  const real = await realpath(dataDir).catch(() => null);
  const { home } = findPlace(real ?? dataDir);
  const owner = real === null ? undefined : await findOwner(real);
  const server = await findServer(home);
  const password = readLine(home.passwordFile);
  const address = `127.0.0.1:${server?.port}/postgres`;
  return {
    data: home.data,
    data_version: readLine(`${home.data}/PG_VERSION`),
    host_pid: owner?.pid ?? null,
    server_pid: server?.pid ?? null,
    url: server && password ? `postgres://postgres:${password}@${address}` : null,
  };
}

async function findServer(home: Home): Promise<Postmaster | undefined> {
  if (!existsSync(home.data)) return undefined;
  const found = readPostmaster(home.data);
  if (found === undefined || !isAlive(found.pid)) return undefined;
  const ours = runsInDataDir(found.pid, home.data) ?? (await answersAsPostgres(found.port));
  return ours ? found : undefined;
}

function readLine(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}
