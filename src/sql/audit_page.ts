// The audit of one tenant, newest first: of each domain whose permission the caller holds, and
// through a limited permission only rows of its workspaces. Identities belong to no workspace.

import type { GrantFacts, HeldPermission } from "../contract/grants.js";
import type { AuditQuery } from "../ledger/requests.js";
import type { Fragment, Sql } from "./database.js";
import { type CutPage, cutPage, equals } from "./page.js";

interface Input {
  grant: GrantFacts;
  query: AuditQuery;
}

export const listAudit = (sql: Sql, { grant, query }: Input) => {
  const before = query.before_cursor === null ? sql`` : sql`and a.id < ${query.before_cursor}`;
  const rows = sql`select row_number() over (order by (n.a).id desc) as place,
      audit_record(n.a) as item
    from (select a from run_audit a where a.tenant_id = ${query.tenant_id}
      and (${reach(sql, { grant, query })})
      ${equals(sql, sql`a.actor`, query.actor)}
      ${equals(sql, sql`a.action`, query.action)}
      ${equals(sql, sql`a.target_run_id`, query.target_run_id)}
      ${equals(sql, sql`a.target_runtime_id`, query.target_runtime_id)}
      ${before} order by a.id desc limit ${query.limit + 1}) n`;
  return sql<{ page: Omit<CutPage, "total"> }[]>`
    select ${cutPage(sql, rows, query.limit)} as page`;
};

function reach(sql: Sql, { grant, query }: Input): Fragment {
  const readable = grant.held
    .filter(({ permission }) => permission.endsWith(":admin"))
    .filter((held) => query.domain === null || domainOf(held) === query.domain);
  return readable.map((held) => ofDomain(sql, held))
    .reduce((all, one) => sql`${all} or ${one}`, sql`false`);
}

const domainOf = ({ permission }: HeldPermission): string => permission.split(":")[0] ?? "";

function ofDomain(sql: Sql, held: HeldPermission): Fragment {
  const domain = domainOf(held);
  if (held.workspaces === null || domain === "plugin") return sql`a.domain = ${domain}`;
  return sql`(a.domain = ${domain} and a.workspace_id in ${sql([...held.workspaces])})`;
}
