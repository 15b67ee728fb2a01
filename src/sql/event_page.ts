// The events of one run between two sequences. The page is cut by the stored sizes before any data
// is read, so a page of large events costs what it returns.

import type { GrantFacts } from "../contract/grants.js";
import { limits } from "../contract/limits.js";
import type { EventPageQuery } from "../ledger/requests.js";
import type { Json, Sql } from "./database.js";
import type { CutPage } from "./page.js";

/** What an event's record adds to its canonical content, in bytes; rounded up. */
const envelope_bytes = 400;

/** Each row is looked up by its whole key, for the reason that run_tail gives. */
export const pageEvents = (
  sql: Sql,
  { grant, query }: { grant: GrantFacts; query: EventPageQuery },
) => {
  const after = query.after_cursor === null ? sql`` : sql`and sequence > ${query.after_cursor}`;
  const before = query.before_cursor === null ? sql`` : sql`and sequence < ${query.before_cursor}`;
  const order = query.direction === "forward" ? sql`sequence asc` : sql`sequence desc`;
  return sql<{ refusal: CutPage["refusal"]; page: Omit<CutPage, "total"> }[]>`
    with admitted as materialized (select refusal, run_id
      from admit_target(${grant.tenant_id}, ${sql.json(grant as unknown as Json)})),
    listed as materialized (
      select e.sequence, e.run_id, row_number() over (order by ${order}) as place,
        sum(e.bytes + ${envelope_bytes}) over (order by ${order}) as held
      from (select sequence, run_id, bytes from agent_run_event
        where tenant_id = ${grant.tenant_id} and run_id = (select run_id from admitted)
        ${after} ${before} order by ${order} limit ${query.limit + 1}) e)
    select a.refusal, json_build_object('matching', (select count(*) from listed), 'items', (
      select coalesce(json_agg(e.record order by l.place), '[]')
      from listed l cross join lateral (select event_json(x) as record from agent_run_event x
        where x.tenant_id = ${grant.tenant_id} and x.run_id = l.run_id
          and x.sequence = l.sequence limit 1) e
      where l.place = 1 or (l.place <= ${query.limit} and l.held <= ${limits.page_bytes}))) as page
    from admitted a`;
};
