// The token of the built-in identity runhost/admin: the configured one, else the one in the file
// `admin-token` of the data directory, which is made at the first start with mode 0600. Hosts that
// start together on one directory agree on one token. It is never logged. Called by main only.

import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export class AdminTokenError extends Error {
  override readonly name = "AdminTokenError";
}

export async function provideAdminToken(from: {
  admin_token: string | null;
  data_dir: string;
}): Promise<string> {
  if (from.admin_token !== null) return from.admin_token;
  const file = join(from.data_dir, "admin-token");
  await mkdir(from.data_dir, { recursive: true, mode: 0o700 });
  const written = await readToken(file);
  if (written !== null) return written;
  await writeOnce(file, `rh_admin_${randomBytes(32).toString("hex")}\n`);
  const agreed = await readToken(file);
  if (agreed === null) throw new AdminTokenError(`${file}: was removed while the host started`);
  return agreed;
}

async function readToken(file: string): Promise<string | null> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null;
    throw new AdminTokenError(`${file}: cannot be read (${cause.code})`);
  });
  if (text === null) return null;
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw new AdminTokenError(`${file}: does not hold a token; remove it to get a new one`);
  }
  await chmod(file, 0o600);
  return token;
}

/** Appears whole or not at all, and leaves a file that another host made meanwhile. */
async function writeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, text, { flag: "wx", mode: 0o600 });
  try {
    await link(draft, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    await rm(draft, { force: true });
  }
}
