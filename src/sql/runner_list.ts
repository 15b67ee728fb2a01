// Registered runners in order of first registration: all of a tenant, or those of one plugin.

import type { GrantFacts } from "../contract/grants.js";
import type { RunnerListQuery } from "../ledger/requests.js";
import type { Sql } from "./database.js";
import { type CutPage, cutPage, oneOf } from "./page.js";

export const listRunners = (
  sql: Sql,
  { grant, query }: { grant: GrantFacts; query: RunnerListQuery },
) => {
  const plugins = grant.admin === null ? [grant.caller] : query.include_plugins;
  const after = query.after_cursor === null ? sql`` : sql`and r.id > ${query.after_cursor}`;
  // The record shows the runner id as `id`; the page needs the row's own id for its cursor.
  const rows = sql`select row_number() over (order by (n.r).id) as place,
      runner_record(n.r) || jsonb_build_object('cursor', (n.r).id::text) as item
    from (select r from runner r where r.tenant_id = ${grant.tenant_id}
      and r.withdrawn_at is null ${oneOf(sql, sql`r.plugin_identity`, plugins)} ${after}
      order by r.id limit ${query.limit + 1}) n`;
  return sql<{ page: Omit<CutPage, "total"> }[]>`
    select ${cutPage(sql, rows, query.limit)} as page`;
};
