// The transcript of a run's conversation: page by page, and what a search finds. Admission of the
// session and the rows are one statement.

import type { GrantFacts } from "../contract/grants.js";
import type { EventLogQuery, HistoryQuery, HistorySearch } from "../ledger/context_requests.js";
import type { Fragment, Json, Sql } from "./database.js";
import { type CutPage, cutPage, oneOf } from "./page.js";

type GatedPage = { refusal: CutPage["refusal"]; page: Omit<CutPage, "total"> };

interface Asked<Query> {
  grant: GrantFacts;
  query: Query;
}

export const pageHistory = (sql: Sql, { grant, query }: Asked<HistoryQuery>) => {
  const after = query.after_cursor === null ? sql`` : sql`and t.id > ${query.after_cursor}`;
  const before = query.before_cursor === null ? sql`` : sql`and t.id < ${query.before_cursor}`;
  const order = query.direction === "forward" ? sql`asc` : sql`desc`;
  const rows = sql`select row_number() over (order by (n.t).id ${order}) as place,
      transcript_json(n.t, ${query.include_attachments}) as item
    from (select t from admitted a join transcript t on ${inScope(sql, grant)}
      where true ${after} ${before} order by t.id ${order} limit ${query.limit + 1}) n`;
  return sql<GatedPage[]>`
    with admitted as materialized (${admission(sql, { grant, query })})
    select a.refusal, ${cutPage(sql, rows, query.limit)} as page from admitted a`;
};

/** Words by the full-text vector; short queries, and texts too long for a vector, as substrings. */
export const searchHistory = (sql: Sql, { grant, query }: Asked<HistorySearch>) => {
  const wanted = query.query;
  const isShort = [...wanted].length <= 64;
  const substring = sql`position(lower(${wanted}) in lower(t.content)) > 0`;
  const bySubstring = isShort ? substring : sql`(t.content_tsv is null and ${substring})`;
  const rows = sql`select row_number() over (order by (n.t).id desc) as place,
      transcript_json(n.t, true) as item
    from (select t from admitted a join transcript t on ${inScope(sql, grant)}
      where (t.content_tsv @@ websearch_to_tsquery('simple', ${wanted}) or ${bySubstring})
      ${oneOf(sql, sql`t.role`, query.roles)} ${oneOf(sql, sql`t.item_type`, query.item_types)}
      order by t.id desc limit ${query.top_k + 1}) n`;
  return sql<GatedPage[]>`
    with admitted as materialized (${admission(sql, { grant, query })})
    select a.refusal, ${cutPage(sql, rows, query.top_k)} as page from admitted a`;
};

export const pageEventLog = (sql: Sql, { grant, query }: Asked<EventLogQuery>) => {
  const before = query.before_cursor === null ? sql`` : sql`and t.id < ${query.before_cursor}`;
  const rows = sql`select row_number() over (order by (n.t).id desc) as place,
      event_log_json(n.t) as item
    from (select t from admitted a join event_log t on ${inScope(sql, grant)}
      where true ${oneOf(sql, sql`t.event_type`, query.event_types)} ${before}
      order by t.id desc limit ${query.limit + 1}) n`;
  return sql<GatedPage[]>`
    with admitted as materialized (${admission(sql, { grant, query })})
    select a.refusal, ${cutPage(sql, rows, query.limit)} as page from admitted a`;
};

function admission(
  sql: Sql,
  { grant, query }: Asked<{ conversation_id: string | null }>,
): Fragment {
  return sql`select refusal, s from admit_session(${grant.tenant_id},
    ${sql.json(grant as unknown as Json)}, ${query.conversation_id})`;
}

/** SCOPED: the session's conversation, and its bot, workspace and thread. */
function inScope(sql: Sql, grant: GrantFacts): Fragment {
  return sql`a.refusal is null and t.tenant_id = ${grant.tenant_id}
    and t.conversation_id = (a.s).conversation_id
    and ((a.s).bot_id is null or t.bot_id = (a.s).bot_id)
    and ((a.s).workspace_id is null or t.workspace_id = (a.s).workspace_id)
    and t.thread_id is not distinct from (a.s).thread_id`;
}
