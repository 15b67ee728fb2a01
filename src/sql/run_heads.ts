// How far the runs of one tenant have come: the look of each second that makes lost hints harmless.

import type { Json, Sql } from "./database.js";

export interface RunHead {
  run_id: string;
  last_sequence: number;
  ended: boolean;
}

export const readHeads = (
  sql: Sql,
  { tenant_id, run_ids }: { tenant_id: string; run_ids: readonly string[] },
) => sql<RunHead[]>`
  select r.run_id, r.last_sequence::float8 as last_sequence, r.ended
  from jsonb_array_elements_text(${sql.json(run_ids as unknown as Json)}) named
    cross join lateral (select run_id, last_sequence, finished_at is not null as ended
      from agent_run where tenant_id = ${tenant_id} and run_id = named limit 1) r`;
