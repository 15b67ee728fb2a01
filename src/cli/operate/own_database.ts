// The database of this configuration, for the commands that work on it themselves.

import type { Config } from "../../config.js";
import { startEmbeddedPostgres } from "../../embedded/start.js";

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
