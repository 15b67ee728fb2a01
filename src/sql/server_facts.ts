// What a server says about itself, on any schema or none.

import type { Sql } from "./database.js";

export interface ServerFacts {
  version: string;
  version_number: number;
  /** A standby takes no writes. */
  is_standby: boolean;
}

export const readServerFacts = (sql: Sql) =>
  sql<ServerFacts[]>`
    select current_setting('server_version') as version,
      current_setting('server_version_num')::int as version_number,
      pg_is_in_recovery() as is_standby`;

/** Milliseconds since the epoch. */
export const readServerClock = (sql: Sql) =>
  sql<{ now_ms: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`;
