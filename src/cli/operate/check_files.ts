// Checks of the data directory and the administrator's token in it: who may read and write them.
// Makes neither. Windows has no such modes: there only their presence is looked at.

import { accessSync, constants, readFileSync, statSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../../config.js";
import { describeThrown, fail, ok, warn, type Finding } from "./finding.js";

const hasModes = process.platform !== "win32";

export function checkFiles({ data_dir, admin_token }: Config): Finding[] {
  const directory = checkDirectory(data_dir);
  const token = admin_token === null
    ? checkToken(join(data_dir, "admin-token"))
    : ok("token", "RUNHOST_ADMIN_TOKEN is set: no file is used");
  return [directory, token];
}

function checkDirectory(path: string): Finding {
  const stats = look(path);
  if (stats instanceof Error) {
    return fail("directory", describeThrown(stats), "let this user reach it, or name another one");
  }
  if (stats === null) return checkAncestor(path);
  const named = `${path} (mode ${modeOf(stats)})`;
  if (!stats.isDirectory()) return fail("directory", `${path} is none`, "name another one");
  if (!mayUse(path)) {
    return fail("directory", `${named} cannot be written`, "give it to the user of the host");
  }
  if (hasModes && (stats.mode & 0o022) !== 0) {
    return fail("directory", `${named}: others may write`, `chmod go-w ${path}`);
  }
  return judgeOwner("directory", named, stats);
}

/** The host makes it, below the first directory above it that is there. */
function checkAncestor(path: string): Finding {
  let above = dirname(path);
  while (look(above) === null && above !== dirname(above)) above = dirname(above);
  if (mayUse(above)) return ok("directory", `${path} is not there yet: the first host makes it`);
  return fail("directory", `${path} cannot be made in ${above}`, "name another RUNHOST_DATA_DIR");
}

function checkToken(file: string): Finding {
  const stats = look(file);
  if (stats === null) return ok("token", `${file} is not there yet: the first host makes it`);
  if (stats instanceof Error || !stats.isFile()) {
    return fail("token", `${file} cannot be read`, "make it readable for the user of the host");
  }
  const named = `${file} (mode ${modeOf(stats)})`;
  if (hasModes && (stats.mode & 0o077) !== 0) {
    const advice = "remove it and start a host, which makes a new one; or chmod 600";
    return fail("token", `${named}: others have access`, advice);
  }
  try {
    const text = readFileSync(file, "utf8").trim();
    if (!/^[\x21-\x7e]{1,512}$/.test(text)) {
      return fail("token", `${file} holds no token`, "remove it: the next host makes a new one");
    }
  } catch (thrown) {
    return fail("token", describeThrown(thrown), "make it readable for the user of the host");
  }
  return judgeOwner("token", named, stats);
}

function judgeOwner(check: string, named: string, { uid }: Stats): Finding {
  const own = process.getuid?.();
  if (own === undefined || own === uid) return ok(check, named);
  return warn(check, `${named} is of user ${uid}, this is user ${own}`, "run hosts as one user");
}

/** Null when there is nothing of that name. */
function look(path: string): Stats | Error | null {
  try {
    return statSync(path);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "ENOENT" ? null : (thrown as Error);
  }
}

function mayUse(directory: string): boolean {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const modeOf = ({ mode }: Stats): string => (mode & 0o777).toString(8).padStart(4, "0");
