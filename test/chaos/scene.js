// Where the figures play: one Postgres, a migrated database for each figure, hosts on fixed ports,
// workers, proxies. `close` stops all of it and removes what it wrote.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { connect } from "runhost/client";
import { openFaultProxy } from "./fault_proxy.js";
import { createHostProcess, createProcesses, findPort, hearLines, pathOf, program } from "./processes.js";

const run = promisify(execFile);

/** @param {{ database_url: string | undefined, keep: boolean, fsync: boolean }} options */
export async function openScene({ database_url, keep, fsync }) {
  const folder = await mkdtemp(join(tmpdir(), "runhost-chaos-"));
  const processes = createProcesses();
  /** @type {Set<number>} */
  const taken = new Set();
  /** @type {{ close(): unknown }[]} */
  const opened = [];
  /** @type {string[]} */
  const databases = [];
  const own = database_url === undefined ? await startPostgres({ folder, processes, taken, fsync }) : null;
  const server_url = database_url ?? own?.url ?? "";
  const admin_token = `chaos-admin-${randomBytes(12).toString("hex")}`;
  const mark = `runhost_chaos_${process.pid}_${randomBytes(3).toString("hex")}`;
  let closing = /** @type {Promise<void> | null} */ (null);

  /** @template T @param {string} url @param {(sql: postgres.Sql) => PromiseLike<T>} work */
  async function withSql(url, work) {
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    try {
      return await work(sql);
    } finally {
      await sql.end({ timeout: 5 });
    }
  }

  /** @param {string} name */
  const urlOf = (name) => Object.assign(new URL(server_url), { pathname: `/${name}` }).href;

  /** @param {string} name @param {string} [template] */
  async function createDatabase(name, template) {
    await withSql(server_url, (sql) => (template === undefined
      ? sql`create database ${sql(name)}` : sql`create database ${sql(name)} template ${sql(template)}`));
    databases.push(name);
    return urlOf(name);
  }

  async function close() {
    processes.shut();
    for (const one of opened.reverse()) await one.close();
    await processes.stopAll(own?.child);
    await own?.stop();
    if (own !== null && !keep) await rm(folder, { recursive: true, force: true });
    if (own !== null || keep) return;
    await withSql(server_url, async (sql) => {
      for (const name of databases) await sql`drop database if exists ${sql(name)} with (force)`;
    });
    await rm(folder, { recursive: true, force: true });
  }

  const template = `${mark}_template`;
  try {
    const url = await createDatabase(template);
    await run(process.execPath, [program, "migrate"], { env: { ...process.env, DATABASE_URL: url } });
  } catch (thrown) {
    await close();
    throw thrown;
  }

  return {
    folder,
    processes,
    admin_token,
    /** Null where somebody else's Postgres is used, which is not ours to stop. */
    postgres: own,
    withSql,
    close: () => (closing ??= close()),
    /** Ends what a figure has left, but for Postgres. */
    async clear() {
      for (const one of opened.splice(0).reverse()) await one.close();
      await processes.stopAll(own?.child);
    },
    /** A migrated database of its own. @param {string} figure */
    database: (figure) => createDatabase(`${mark}_${figure.toLowerCase()}`, template),
    /** @param {{ port: number, host?: string }} target */
    async proxy(target) {
      const proxy = await openFaultProxy(target);
      opened.push(proxy);
      return proxy;
    },
    /** A connection of the public client that ends with the scene.
     * @param {import("runhost/client").ConnectOptions} options */
    async client(options) {
      const host = await connect(options);
      opened.push(host);
      return host;
    },
    /** @param {string} url @param {number} [max] */
    sql(url, max = 4) {
      const sql = postgres(url, { max, onnotice: () => undefined });
      opened.push({ close: () => sql.end({ timeout: 1 }) });
      return sql;
    },
    /** @param {{ figure: string, database_urls: string[], environment?: Record<string, string> }} wanted */
    async fleet({ figure, database_urls, environment }) {
      const hosts = [];
      for (const [place, url] of database_urls.entries()) {
        const data_dir = join(folder, `${figure}-${place}`);
        await mkdir(data_dir, { recursive: true });
        hosts.push(createHostProcess({
          processes, port: await findPort(taken), log_file: join(data_dir, "host.log"),
          environment: {
            DATABASE_URL: url, RUNHOST_DATA_DIR: data_dir, RUNHOST_ADMIN_TOKEN: admin_token,
            RUNHOST_LOG_LEVEL: "warn", RUNHOST_RECONCILE_SECONDS: "1", ...environment,
          },
        }));
      }
      await Promise.all(hosts.map((host) => host.start()));
      return hosts;
    },
    /** A worker process of this folder. @param {string} script @param {object} orders */
    worker(script, orders) {
      const started = processes.start(pathOf(script), [JSON.stringify(orders)], {});
      started.child.stderr.on("data", (bytes) => process.stderr.write(bytes));
      return started;
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openScene>>} Scene */

/**
 * @param {{
 *   folder: string, processes: import("./processes.js").Processes, taken: Set<number>, fsync: boolean,
 * }} options
 */
async function startPostgres({ folder, processes, taken, fsync }) {
  const port = await findPort(taken);
  const args = [join(folder, "postgres"), String(port), fsync ? "on" : "off"];
  const started = processes.start(pathOf("./postgres_child.js"), args, {}, { leashed: false });
  /** @type {string[]} */
  const words = [];
  started.child.stderr.on("data", (bytes) => words.push(String(bytes)));
  /** @type {((line: any) => void)[]} */
  const waiting = [];
  hearLines(started, (line) => waiting.shift()?.(line));
  const next = () => Promise.race([
    /** @type {Promise<any>} */ (new Promise((resolve) => waiting.push(resolve))),
    started.ended.then(() => { throw new Error(`Postgres ended: ${words.join("")}`); }),
  ]);
  const { url } = await next();
  return {
    url: /** @type {string} */ (url),
    child: started.child,
    async stop() {
      started.child.stdin.end();
      const timer = setTimeout(() => started.child.kill("SIGKILL"), 20_000);
      await started.ended;
      clearTimeout(timer);
    },
    /** As a crash would: sessions are cut, nothing is flushed. `stopped` settles when it is down, `up`
     * when it has been started again. */
    restart() {
      const stopped = next();
      const up = stopped.then(next);
      started.child.stdin.write("restart\n");
      return { stopped, up };
    },
  };
}
