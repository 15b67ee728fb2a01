/**
 * What a person reads when the local Postgres cannot be had: one message that names the folder
 * or platform, and the way out. Its message is meant for a terminal; a stack adds nothing to it.
 */
export class EmbeddedPostgresError extends Error {
  override name = "EmbeddedPostgresError";
}

/** The sentence every such message ends with. */
export const wayOut = "Set DATABASE_URL to use a Postgres of your own instead.";

const filesystemCodes = new Set(
  ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOSPC", "ENOENT"],
);

/** Turns a file system error below the data directory into a message that names the directory. */
export function explainDataDirError(dataDir: string, cause: unknown): Error {
  const error = cause as NodeJS.ErrnoException;
  if (cause instanceof EmbeddedPostgresError || !filesystemCodes.has(error?.code ?? "")) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
  const uid = process.getuid?.();
  const who = uid === undefined ? "this user" : `user ${uid}`;
  return new EmbeddedPostgresError(
    `The data directory ${dataDir} cannot be used by ${who}: ${error.message}. Give that user ` +
      `the directory (it must belong to one user only) or name another one. ${wayOut}`,
    { cause },
  );
}
