// Where the host is and who calls: the options first, then the variables, then what `runhost serve`
// would read in the same place. Refuses, naming all that was looked for, where nothing is found.

import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { connect, type Host } from "../client/client.js";
import { readConfig } from "../config.js";
import { UsageError, type Invocation } from "./output.js";

/** Runs the work on an authenticated connection and closes it. */
export async function withHost<T>(
  invocation: Invocation,
  work: (host: Host) => Promise<T>,
  { reconnect = false } = {},
): Promise<T> {
  const url = findUrl(invocation);
  const token = findToken(invocation, url);
  const host = await connect({ url, token, name: "runhost cli", reconnect });
  try {
    return await work(host);
  } finally {
    await host.close();
  }
}

function findUrl({ environment, options }: Invocation): string {
  const named = options.url ?? (environment["RUNHOST_URL"] || null);
  if (named === null) return findOwnUrl(environment);
  if (URL.canParse(named) && /^wss?:$/.test(new URL(named).protocol)) return named;
  const source = options.url === undefined ? "RUNHOST_URL" : "--url";
  throw new UsageError(`${source}: must be an address such as ws://127.0.0.1:7420/rpc`);
}

function findOwnUrlOrNull(environment: NodeJS.ProcessEnv): string | null {
  return readConfig(environment).port === 0 ? null : findOwnUrl(environment);
}

function findOwnUrl(environment: NodeJS.ProcessEnv): string {
  const { host, port } = readConfig(environment);
  if (port === 0) {
    throw new UsageError("RUNHOST_PORT is 0, a free port: name the host by --url or RUNHOST_URL");
  }
  return `ws://${authorityOf(host, port)}/rpc`;
}

/** Where a client on this machine reaches what listens at `host`. */
export function authorityOf(host: string, port: number): string {
  if (host === "0.0.0.0") return `127.0.0.1:${port}`;
  if (host === "::") return `[::1]:${port}`;
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** What the machine keeps for its own host goes to no other machine. */
const isOwnMachine = (url: string): boolean =>
  ["127.0.0.1", "[::1]", "localhost"].includes(new URL(url).hostname);

function findToken({ environment, options }: Invocation, url: string): string {
  // `--token "$UNSET"` must not turn into an administrator's call.
  if (options.token === "") throw new UsageError("--token: is empty");
  const named = options.token ?? environment["RUNHOST_TOKEN"];
  if (named) return named;
  if (url !== findOwnUrlOrNull(environment) && !isOwnMachine(url)) {
    throw new UsageError(`no token for ${url}; looked for --token and RUNHOST_TOKEN`);
  }
  const { admin_token, data_dir } = readConfig(environment);
  if (admin_token !== null) return admin_token;
  const file = join(data_dir, "admin-token");
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "which is not there" : `which cannot be read (${code})`;
    throw new UsageError(
      "no token; looked for --token, RUNHOST_TOKEN, RUNHOST_ADMIN_TOKEN and the file " +
        `${file}, ${why}`,
    );
  }
}
