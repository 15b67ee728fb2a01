// The database of this configuration, for the commands that work on it themselves.

import type { Config } from "../../config.js";
import { lookAtEmbedded } from "../../embedded/look.js";
import { startEmbeddedPostgres } from "../../embedded/start.js";
import { Failure } from "../output.js";

/** Refuses an embedded database that a host has, or that is not there. */
export async function refuseWithoutDatabase(
  { data_dir, database_url }: Config,
  instead: string,
): Promise<void> {
  if (database_url !== null) return;
  const { host_pid, data_version } = await lookAtEmbedded(data_dir);
  if (host_pid !== null) {
    throw new Failure(
      `a host with pid ${host_pid} runs on ${data_dir} and alone uses its database: stop it ` +
        `first, or ${instead}`,
      { host_pid },
    );
  }
  if (data_version === null) throw new Failure(`there is no database in ${data_dir}`);
}

/** The configured database, or the embedded one for as long as the work takes. */
export async function withDatabaseUrl<T>(
  config: Config,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (config.database_url !== null) return work(config.database_url);
  const embedded = await startEmbeddedPostgres({
    dataDir: config.data_dir,
    log: () => undefined,
  });
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
}
