// Stored events, page by page in key order, as their fingerprint was taken: for `runhost verify`.

import type { Json, Sql } from "./database.js";

export interface StoredContent {
  tenant_id: string;
  run_id: string;
  sequence: number;
  id: number;
  type: string;
  data: Record<string, unknown>;
  usage: Record<string, unknown> | null;
  metadata: Record<string, unknown>;
  fingerprint: string;
}

export interface ContentKey {
  tenant_id: string;
  run_id: string;
  sequence: number;
}

/** The events above the key, in key order. */
export const readContentAfter = (sql: Sql, after: ContentKey, limit: number) =>
  sql<StoredContent[]>`
    select tenant_id, run_id, sequence::float8 as sequence, id::float8 as id, type, data, usage,
      metadata, encode(fingerprint, 'hex') as fingerprint
    from agent_run_event
    where (tenant_id, run_id, sequence)
      > (${after.tenant_id}, ${after.run_id}, ${after.sequence}::bigint)
    order by tenant_id, run_id, sequence limit ${limit}`;

/** Those of the named events that are stored. */
export const readContentOf = (sql: Sql, tenant_id: string, keys: readonly ContentKey[]) =>
  sql<StoredContent[]>`
    select e.tenant_id, e.run_id, e.sequence::float8 as sequence, e.id::float8 as id, e.type,
      e.data, e.usage, e.metadata, encode(e.fingerprint, 'hex') as fingerprint
    from jsonb_to_recordset(${sql.json(keys as unknown as Json)})
        as k(run_id text, sequence bigint)
      join agent_run_event e on e.tenant_id = ${tenant_id} and e.run_id = k.run_id
        and e.sequence = k.sequence`;
