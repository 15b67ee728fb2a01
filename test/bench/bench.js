// What every figure is handed: the Postgres, the size, the way to say what happens and to be stopped.

/**
 * @typedef {object} Bench
 * @property {import("./world/ending.js").Ending} ending
 * @property {import("./world/postgres.js").Postgres} postgres
 * @property {import("./sizes.js").Size} size
 * @property {(line: string) => void} say
 * @property {string} out folder of the results
 *
 * @typedef {object} HostWorld
 * @property {import("./world/host.js").BenchHost} host
 * @property {import("./world/postgres.js").Database} database
 * @property {Awaited<ReturnType<typeof registerPlugin>>} target
 */

import { registerPlugin, startHost } from "./world/host.js";

/**
 * A host on a new database, which are both gone when the work is done.
 * @template T
 * @param {Bench} bench
 * @param {string} purpose
 * @param {(world: HostWorld) => Promise<T>} work
 * @param {string[]} [node_args]
 */
export async function withHost(bench, purpose, work, node_args) {
  const database = await bench.postgres.createDatabase(purpose);
  try {
    const host = await startHost(bench.ending, { database_url: database.url, node_args });
    try {
      return await work({ host, database, target: await registerPlugin(host) });
    } finally {
      await host.stop();
    }
  } finally {
    await database.drop();
  }
}

/** @param {Bench} bench */
export const timing = ({ size: { seconds, warmup_seconds } }) => ({ seconds, warmup_seconds });

/** Workers or connections, fewer where the size says so. @param {Bench} bench @param {number} full */
export const scaled = ({ size }, full) => Math.max(2, Math.round(full / size.load));
