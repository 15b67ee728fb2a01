// Identities of one tenant, oldest first. Permissions from the configuration are added by the
// ledger.

import type { PluginListQuery } from "../ledger/requests.js";
import type { Sql } from "./database.js";
import { type CutPage, cutPage } from "./page.js";

export const listPlugins = (sql: Sql, query: PluginListQuery) => {
  const enabled = query.enabled === null ? sql`` : sql`and p.enabled = ${query.enabled}`;
  const after = query.after_cursor === null ? sql`` : sql`and p.id > ${query.after_cursor}`;
  const rows = sql`select row_number() over (order by (n.p).id) as place,
      plugin_record(n.p, '[]') || jsonb_build_object('cursor', (n.p).id::text) as item
    from (select p from plugin p where p.tenant_id = ${query.tenant_id} ${enabled} ${after}
      order by p.id limit ${query.limit + 1}) n`;
  return sql<{ page: Omit<CutPage, "total"> }[]>`
    select ${cutPage(sql, rows, query.limit)} as page`;
};
