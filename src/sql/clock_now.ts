// The database clock, in milliseconds since the epoch.

import type { Sql } from "./database.js";

export const readClock = (sql: Sql) =>
  sql<{ now_ms: number }[]>`select epoch_ms(clock_timestamp())::float8 as now_ms`;
