// Runtimes by ascending id; one whose heartbeat deadline has passed counts as stale before the
// sweep.

import type { GrantFacts } from "../contract/grants.js";
import type { RuntimeListQuery } from "../ledger/requests.js";
import type { Json, Sql } from "./database.js";
import { type CutPage, cutPage, equals, oneOf } from "./page.js";

export const listRuntimes = (
  sql: Sql,
  { grant, query }: { grant: GrantFacts; query: RuntimeListQuery },
) => {
  const facts = sql.json(grant as unknown as Json);
  const everyone = grant.run_id !== null || grant.admin !== null;
  const matching = sql`from agent_runtime m where m.tenant_id = ${grant.tenant_id}
    and m.deregistered_at is null
    ${equals(sql, sql`m.plugin_identity`, everyone ? null : grant.caller)}
    ${oneOf(sql, sql`runtime_listed_status(m, call_time(${facts}))`, query.statuses)}
    ${query.labels === null ? sql`` : sql`and m.labels @> ${sql.json(query.labels)}`}`;
  const after = query.after_cursor === null ? sql`` : sql`and m.id > ${query.after_cursor}`;
  const rows = sql`select row_number() over (order by (n.m).id) as place,
      runtime_record(n.m, call_time(${facts})) as item
    from (select m ${matching} and a.refusal is null ${after}
      order by m.id limit ${query.limit + 1}) n`;
  return sql<{ refusal: CutPage["refusal"]; page: Omit<CutPage, "total">; total: number }[]>`
    with admitted as materialized (select refusal from admit_fleet(${grant.tenant_id}, ${facts},
      call_time(${facts})))
    select a.refusal, ${cutPage(sql, rows, query.limit)} as page,
      (select count(*)::int ${matching}) as total
    from admitted a`;
};
