// A host for the demo, in this process: on DATABASE_URL if it is set, else on an embedded Postgres
// in RUNHOST_DATA_DIR or a folder that is gone afterwards. registerPlugins makes the two identities
// of this demo; registerPlugin makes one, here and for the chat demo. Used by both.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig, startHost } from "runhost";
import { connect } from "runhost/client";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {(stop: () => unknown) => void} AtEnd Registers what has to be stopped at the end.
 */

export const runner_id = "plugin:demo/documents/report";

/**
 * @param {object} parts
 * @param {boolean} parts.keep
 * @param {AtEnd} parts.atEnd
 */
export async function openHost({ keep, atEnd }) {
  // The command line's own two variables are none of the host's.
  const { RUNHOST_URL: _url, RUNHOST_TOKEN: _token, ...environment } = process.env;
  const config = readConfig({
    ...environment,
    RUNHOST_DATA_DIR: process.env["RUNHOST_DATA_DIR"] ?? (await chooseDataDir({ keep, atEnd })),
    RUNHOST_PORT: process.env["RUNHOST_PORT"] ?? "0",
  });
  const starting = startHost(config, { log: createLog() });
  // Registered at once, so that a host which is still starting when the demo ends is closed too.
  atEnd(() => starting.then((host) => host.close(), () => undefined));
  const host = await starting;
  const token_file = config.admin_token === null ? join(config.data_dir, "admin-token") : null;
  const admin_token =
    config.admin_token ?? (await readFile(join(config.data_dir, "admin-token"), "utf8")).trim();
  const database = config.database_url === null ? "embedded" : "DATABASE_URL";
  return { url: host.url, admin_token, token_file, data_dir: config.data_dir, database };
}

/** @param {{ keep: boolean, atEnd: AtEnd }} parts */
async function chooseDataDir({ keep, atEnd }) {
  if (keep) return ".runhost";
  const folder = await mkdtemp(join(tmpdir(), "runhost-demo-"));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Only what went wrong, each once; the rest would run through the progress line. */
function createLog() {
  const said = new Set();
  /** @type {import("runhost").HostLog["error"]} */
  const report = (fields, message) => {
    const cause = fields["err"] instanceof Error ? `: ${fields["err"].message}` : "";
    const line = `host: ${message}${cause}\n`;
    if (!said.has(line)) process.stderr.write(line);
    said.add(line);
  };
  const silent = () => undefined;
  return { debug: silent, info: silent, warn: report, error: report };
}

/**
 * The identity that asks for reports, connected, and the token of the one that writes them.
 * @param {object} parts
 * @param {string} parts.url
 * @param {string} parts.admin_token
 * @param {AtEnd} parts.atEnd
 */
export async function registerPlugins({ url, admin_token, atEnd }) {
  const admin = await open({ url, token: admin_token, atEnd });
  const token = await registerPlugin(admin, "demo/frontend", ["agent_run:create"]);
  const documents_token = await registerPlugin(admin, "demo/documents", []);
  return { frontend: await open({ url, token, atEnd }), documents_token };
}

/** @param {{ url: string, token: string, atEnd: AtEnd }} parts */
export async function open({ url, token, atEnd }) {
  const host = await connect({ url, token, name: "demo" });
  atEnd(() => host.close());
  return host;
}

/**
 * The token is shown once, so an identity of an earlier demo gets a new one.
 * @param {Host} admin
 * @param {string} plugin_identity
 * @param {Parameters<Host["pluginRegister"]>[0]["permissions"]} permissions
 */
export async function registerPlugin(admin, plugin_identity, permissions) {
  const plugin = await admin.pluginRegister({ plugin_identity, permissions });
  return plugin.token ?? (await admin.pluginRotateToken({ plugin_identity })).token;
}
