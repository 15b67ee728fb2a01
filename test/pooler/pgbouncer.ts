// PgBouncer in transaction mode in front of one database, where the machine has it. It takes the
// rights of another user when we are root, for it refuses to be root.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export function findPgBouncer(): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const program = join(folder, "pgbouncer");
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      continue;
    }
  }
  return null;
}

export interface Pooler {
  url: string;
  stop(): Promise<void>;
}

async function pickPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

export async function startPgBouncer(program: string, database_url: string): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), "runhost-pgbouncer-"));
  const port = await pickPort();
  const { hostname, port: server_port, pathname, username, password } = new URL(database_url);
  const name = pathname.slice(1);
  const quoted = decodeURIComponent(password).replaceAll("'", "''");
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, [
    "[databases]",
    `${name} = host=${hostname} port=${server_port || 5432} dbname=${name} user=${username}` +
      ` password='${quoted}'`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1", `listen_port = ${port}`, "unix_socket_dir =",
    "auth_type = any", "pool_mode = transaction", "default_pool_size = 6", "max_client_conn = 200",
    "ignore_startup_parameters = extra_float_digits", "",
  ].join("\n"));
  // It drops its rights before it reads the file.
  await chmod(folder, 0o755);
  await chmod(file, 0o644);
  const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn(program, ["-q", ...asUser, file], { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (chunk) => (complaints += chunk));
  const ended = once(child, "exit");
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`PgBouncer did not start: ${complaints}`);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  const address = new URL(database_url);
  Object.assign(address, { hostname: "127.0.0.1", port: String(port) });
  return {
    url: address.href,
    async stop() {
      child.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
