// The host that is attacked, in a process of its own, and a small world in it, so that damaged calls
// reach further than the first check: runs in each state, a live claim, an identity to lose.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";

const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** @param {{ database_url?: string | undefined }} options */
export async function startVictim({ database_url }) {
  const data_dir = await mkdtemp(join(tmpdir(), "runhost-fuzz-"));
  const admin_token = `fuzz-admin-${randomBytes(12).toString("hex")}`;
  const inherited = Object.entries(process.env).filter(([name]) =>
    !name.startsWith("RUNHOST_") && name !== "DATABASE_URL");
  const host = spawn(process.execPath, ["--unhandled-rejections=strict", program, "serve"], {
    env: {
      ...Object.fromEntries(inherited),
      ...(database_url === undefined ? {} : { DATABASE_URL: database_url }),
      RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0", RUNHOST_ADMIN_TOKEN: admin_token,
      RUNHOST_LOG_LEVEL: "debug", RUNHOST_LOGIN_FAILURES_PER_MINUTE: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  /** @type {string[]} */
  const complaints = [];
  const secrets = [admin_token];
  let url = "";
  const ready = new Promise((resolve) => {
    createInterface({ input: host.stdout }).on("line", (line) => {
      if (secrets.some((secret) => line.includes(secret))) complaints.push(`a secret in the log: ${line}`);
      if (/"level":(50|60)/.test(line)) complaints.push(line);
      if (!line.includes('"msg":"ready"')) return;
      url = JSON.parse(line).url;
      resolve(undefined);
    });
  });
  createInterface({ input: host.stderr }).on("line", (line) => complaints.push(line));
  const ended = once(host, "exit").then(([code, signal]) => ({ code, signal }));
  const started = await Promise.race([ready, ended]);
  if (started) throw new Error(`the host did not start: ${complaints.join("\n")}`);
  return {
    url,
    pid: /** @type {number} */ (host.pid),
    admin_token,
    /** What the log must not show. */
    secrets,
    /** What the host wrote to stderr, logged as an error, or should not have logged. */
    complaints,
    isAlive: () => host.exitCode === null && host.signalCode === null,
    /** Its exit code after SIGTERM. */
    async stop() {
      host.kill("SIGTERM");
      const end = await ended;
      await rm(data_dir, { recursive: true, force: true });
      return end;
    },
  };
}

/** @param {string} url @param {string} token */
async function dial(url, token) {
  const headers = { authorization: `Bearer ${token}` };
  let socket = new WebSocket(url, { headers });
  for (let tries = 1; ; tries += 1) {
    try {
      await once(socket, "open");
      break;
    } catch (thrown) {
      // A database on a busy machine may be slow to take its first connections.
      if (tries === 40 || !/503/.test(String(thrown))) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 250));
      socket = new WebSocket(url, { headers });
    }
  }
  return {
    /** @param {string} method @param {object} params @returns {Promise<any>} */
    async call(method, params) {
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
      for (;;) {
        const [data] = await once(socket, "message");
        const { id, result, error } = JSON.parse(String(data));
        if (id === undefined) continue;
        if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
        return result;
      }
    },
    close: () => socket.terminate(),
  };
}

let worlds = 0;

/** @param {{ url: string, admin_token: string, secrets: string[] }} victim */
export async function makeWorld({ url, admin_token, secrets }) {
  worlds += 1;
  const admin = await dial(url, admin_token);
  const plugin_identity = `acme/fuzz-${worlds}`;
  const permissions = ["agent_run:create", "agent_run:admin"];
  const { token } = await admin.call("plugin_register", { plugin_identity, permissions });
  secrets.push(token);
  const plugin = await dial(url, token);
  const runner_id = `plugin:${plugin_identity}/main`;
  const runtime_id = `runtime-${worlds}`;
  const conversation_id = `talk-${worlds}`;
  await plugin.call("runner_register", { runners: [{ id: runner_id }] });
  await plugin.call("runtime_register", { runtime_id, heartbeat_ttl_seconds: 3600 });
  /** @type {string[]} */
  const run_ids = [];
  const create = async (/** @type {object} */ more) => {
    const run = await plugin.call("run_create", { runner_id, conversation_id, ...more });
    run_ids.push(run.run_id);
    return run;
  };
  await create({ priority: 5 });
  const claim = await plugin.call("run_claim", { runtime_id, lease_seconds: 3600 });
  secrets.push(claim.claim_token);
  await create({ dispatch: "running" });
  await create({});
  const { run_id } = await create({});
  await plugin.call("run_cancel", { target_run_id: run_id });
  admin.close();
  plugin.close();
  return {
    token,
    /** Puts real names where a fixture has a placeholder. @param {string} text @param {number} turn */
    fill(text, turn) {
      return text.replace(/\$\{([^}]*)\}/g, (_, /** @type {string} */ name) => {
        if (/token/.test(name)) return /claim/.test(name) ? claim.claim_token : "rh_00_00";
        if (/runner/.test(name)) return runner_id;
        if (/runtime/.test(name)) return runtime_id;
        if (/suffix/.test(name)) return `s${turn % 50}`;
        if (/conversation/.test(name)) return conversation_id;
        if (/run|job|target|id/.test(name)) return run_ids[turn % run_ids.length] ?? "";
        return /plugin|owner|caller|identity/.test(name) ? plugin_identity : conversation_id;
      });
    },
  };
}
