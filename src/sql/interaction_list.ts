// Interactions, newest first: of one run that the caller may read, or of all runs that it reaches.

import type { GrantFacts } from "../contract/grants.js";
import type { InteractionQuery } from "../ledger/context_requests.js";
import type { Fragment, Json, Sql } from "./database.js";
import { type CutPage, cutPage, equals, oneOf } from "./page.js";

interface Asked {
  grant: GrantFacts;
  query: InteractionQuery;
}

export const listInteractions = (sql: Sql, { grant, query }: Asked) => {
  const before = query.before_cursor === null ? sql`` : sql`and i.id < ${query.before_cursor}`;
  const rows = sql`select row_number() over (order by (n.i).id desc) as place,
      interaction_record(n.i) as item
    from (select i from admitted a join agent_interaction i on i.tenant_id = ${grant.tenant_id}
      where a.refusal is null ${reach(sql, grant)} ${oneOf(sql, sql`i.status`, query.statuses)}
      ${equals(sql, sql`i.conversation_id`, query.conversation_id)} ${before}
      order by i.id desc limit ${query.limit + 1}) n`;
  return sql<{ refusal: CutPage["refusal"]; page: Omit<CutPage, "total"> }[]>`
    with admitted as materialized (${admission(sql, { grant, query })})
    select a.refusal, ${cutPage(sql, rows, query.limit)} as page from admitted a`;
};

function admission(sql: Sql, { grant, query }: Asked): Fragment {
  if (grant.target_run_id === null) return sql`select null::jsonb as refusal`;
  return sql`select refusal, run_id from admit_interactions(${grant.tenant_id},
    ${sql.json(grant as unknown as Json)}, ${query.conversation_id})`;
}

/** Without a target, the administrator path wins over the creator path. */
function reach(sql: Sql, grant: GrantFacts): Fragment {
  if (grant.target_run_id !== null) return sql`and i.run_id = a.run_id`;
  const held = grant.admin ?? grant.creator;
  if (held === null) throw new Error("interaction_list was granted no path");
  const within = oneOf(sql, sql`i.workspace_id`, held.workspaces);
  if (grant.admin !== null) return within;
  return sql`${within} and exists (select from agent_run r where r.tenant_id = i.tenant_id
    and r.run_id = i.run_id and r.created_by = ${grant.caller})`;
}
