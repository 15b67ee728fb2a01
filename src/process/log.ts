// The log of a host process: JSON lines on stdout, secrets hidden; of a failure it shows what it
// was and where it began. pino is imported here only.

import pino from "pino";
import type { Config } from "../config.js";
import { createSecretHider } from "../hide_secrets.js";

export type LogLine = (fields: Record<string, unknown>, message: string) => void;

export interface HostLog {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

export interface ProcessLog extends HostLog {
  fatal: LogLine;
  /** Written at every level. */
  announce: LogLine;
}

export function createLog({ log_level: level, admin_token }: Config): ProcessLog {
  const streamWrite = createSecretHider([admin_token]);
  const serializers = { err: describeCause };
  const log = pino({ level, base: { pid: process.pid }, serializers, hooks: { streamWrite } });
  const always = log.child({}, { level: "info" });
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    fatal: (fields, message) => log.fatal(fields, message),
    announce: (fields, message) => always.info(fields, message),
  };
}

/** What a failure was and where it began. Stacks and statements do not belong in the log. */
function describeCause(cause: unknown): unknown {
  if (!(cause instanceof Error)) return { message: String(cause).slice(0, 500) };
  const code = (cause as NodeJS.ErrnoException).code;
  const where = /\n\s+at (.*)/.exec(cause.stack ?? "")?.[1];
  const inner = cause.cause === undefined ? undefined : describeCause(cause.cause);
  return { type: cause.name, message: cause.message.slice(0, 500), code, where, cause: inner };
}
