// A host as `npm start` runs it: `runhost serve` in a process of its own. registerPlugin gives a load
// process an identity on it; readMetrics and readResidentBytes look at it from outside.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Link } from "../load/link.js";
import { stopChild } from "./process.js";

const program = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const young_room = "--max-semi-space-size=32";
const admin_token = "bench-admin-token";

/**
 * @typedef {object} BenchHost
 * @property {string} url
 * @property {string} http_url
 * @property {number} pid
 * @property {{ url: string, token: string }} admin
 * @property {() => Promise<void>} stop
 */

/**
 * @param {import("./ending.js").Ending} ending
 * @param {object} options
 * @param {string} options.database_url
 * @param {string[]} [options.node_args]
 * @returns {Promise<BenchHost>}
 */
export async function startHost(ending, { database_url, node_args = [] }) {
  const data_dir = await mkdtemp(join(tmpdir(), "runhost-bench-host-"));
  const child = spawn(process.execPath, [young_room, ...node_args, program, "serve"], {
    env: hostEnvironment({ database_url, data_dir }),
    stdio: ["ignore", "pipe", "inherit"],
    // Its own process group: Ctrl-C in a terminal must reach the benchmark first.
    detached: true,
  });
  const stop = ending.atEnd(async () => {
    await stopChild(child);
    await rm(data_dir, { recursive: true, force: true });
  });
  const url = await readUrl(child);
  return {
    url,
    http_url: url.replace(/^ws/, "http").replace(/\/rpc$/, ""),
    pid: child.pid ?? 0,
    admin: { url, token: admin_token },
    stop,
  };
}

/**
 * What the shell says about other hosts is none of this one's.
 * @param {{ database_url: string, data_dir: string }} own
 */
function hostEnvironment({ database_url, data_dir }) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("RUNHOST_"));
  return {
    ...Object.fromEntries(inherited),
    DATABASE_URL: database_url,
    RUNHOST_DATA_DIR: data_dir,
    RUNHOST_PORT: "0",
    RUNHOST_ADMIN_TOKEN: admin_token,
  };
}

/**
 * From the ready line; what else the host logs is read and dropped, but for its last complaint.
 * @param {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, null>} child
 * @returns {Promise<string>}
 */
function readUrl(child) {
  return new Promise((resolve, reject) => {
    let last = "";
    createInterface({ input: child.stdout }).on("line", (line) => {
      last = line;
      if (line.includes('"msg":"ready"')) resolve(JSON.parse(line).url);
    });
    child.once("exit", (code) => reject(new Error(`the host ended with ${code}: ${last}`)));
  });
}

let registered = 0;

/**
 * A new identity that may create runs, with the names of its runner and runtime.
 * @param {BenchHost} host
 */
export async function registerPlugin(host) {
  registered += 1;
  const identity = `bench/plugin-${process.pid}-${registered}`;
  const { token } = await asAdmin(host, (admin) => admin.call("plugin_register", {
    plugin_identity: identity, permissions: ["agent_run:create"],
  }));
  return {
    url: host.url, token: String(token), identity,
    runner_id: `plugin:${identity}/main`, runtime_id: `runtime-${process.pid}-${registered}`,
  };
}

/**
 * @template T
 * @param {BenchHost} host
 * @param {(admin: Link) => Promise<T>} work
 */
export async function asAdmin(host, work) {
  const admin = await Link.open(host.url, admin_token);
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}

/**
 * One unlabelled metric after the other; null for one that is left out.
 * @param {BenchHost} host
 * @param {readonly string[]} names
 */
export async function readMetrics(host, names) {
  const text = await (await fetch(`${host.http_url}/metrics`)).text();
  return names.map((name) => {
    const value = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
    return value === undefined ? null : Number(value);
  });
}

/** As the kernel counts it; elsewhere as the host says. @param {BenchHost} host */
export async function readResidentBytes(host) {
  const status = await readFile(`/proc/${host.pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  const [bytes] = await readMetrics(host, ["process_resident_memory_bytes"]);
  return bytes ?? Number.NaN;
}
