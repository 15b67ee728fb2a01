/**
 * Where the cluster of a data directory lies: below it, in postgres/. Only where root can find no
 * user that may enter the directory does it move to a system folder, and that is recorded in the
 * data directory, so that the same data are found again or missed loudly.
 */
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.js";
import { EmbeddedPostgresError, wayOut } from "./refusal.js";
import { chooseWay, isRoot } from "./run_as.js";
import type { ChosenWay } from "./run_as.js";
import { homeAt } from "./server.js";
import type { Home } from "./server.js";

export interface Place {
  base: string;
  home: Home;
}

const relocated_parent = "/var/lib/embedded-postgres";

/** Makes the data directory if need be and returns its real path. */
export async function openDataDir(named: string): Promise<string> {
  const created = await mkdir(named, { recursive: true, mode: 0o700 });
  // Root's Postgres runs as another user, who has to pass through; the data stay private.
  if (created !== undefined && isRoot()) await chmod(named, 0o711);
  return realpath(named);
}

/** The place in use: the recorded one if the data were moved, else below the data directory. */
export function findPlace(dataDir: string): Place {
  const record = recordFile(dataDir);
  if (!existsSync(record)) return placeAt(dataDir);
  const base = readFileSync(record, "utf8").trim();
  const found = lstatSync(base, { throwIfNoEntry: false });
  if (found?.isDirectory()) return placeAt(base);
  throw new EmbeddedPostgresError(
    `The data of ${dataDir} were kept in ${base} (recorded in ${record}), which is gone. ` +
      `Bring it back, or remove the record to begin with an empty database. ${wayOut}`,
  );
}

/** Decides how Postgres runs here, moving a not yet existing cluster where nothing else works. */
export async function settlePlace(
  dataDir: string,
  place: Place,
  binaries: PostgresBinaries,
): Promise<{ place: Place; chosen: ChosenWay }> {
  const failures: string[] = [];
  const chosen = await chooseWay({ base: place.base, home: place.home.folder, binaries }, failures);
  if (chosen) return { place, chosen };
  if (isRoot() && place.base === dataDir && !existsSync(place.home.data)) {
    const moved = await relocate(failures);
    const movedChoice =
      moved && (await chooseWay({ base: moved.base, home: moved.home.folder, binaries }, failures));
    if (moved && movedChoice) {
      await writeFile(recordFile(dataDir), `${moved.base}\n`, { flag: "wx", mode: 0o600 });
      return { place: moved, chosen: movedChoice };
    }
    if (moved) await rm(moved.base, { recursive: true, force: true });
  }
  const why = isRoot() ? " Postgres refuses to run as root, and no other way worked." : "";
  throw new EmbeddedPostgresError(
    `Cannot run Postgres for the data directory ${dataDir}.${why} Tried ` +
      `${failures.join("; ")}. ${wayOut}`,
  );
}

async function relocate(failures: string[]): Promise<Place | undefined> {
  try {
    await mkdir(relocated_parent, { recursive: true });
    await chmod(relocated_parent, 0o711);
    const base = await mkdtemp(join(relocated_parent, "data-"));
    await chmod(base, 0o711);
    return placeAt(base);
  } catch (error) {
    failures.push(`in ${relocated_parent}: ${(error as Error).message}`);
    return undefined;
  }
}

function placeAt(base: string): Place {
  return { base, home: homeAt(join(base, "postgres")) };
}

function recordFile(dataDir: string): string {
  return join(dataDir, "postgres.location");
}
