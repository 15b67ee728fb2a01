// Runs, newest first: a session's siblings, an administrator's runs, or a creator's own. Admission
// of a session and the rows are one statement.

import type { GrantFacts, HeldPermission } from "../contract/grants.js";
import { limits } from "../contract/limits.js";
import { terminalStatuses } from "../contract/scalars.js";
import type { RunListQuery } from "../ledger/requests.js";
import type { Fragment, Json, Sql } from "./database.js";
import { type CutPage, cutPage, equals, oneOf } from "./page.js";

interface Input {
  grant: GrantFacts;
  query: RunListQuery;
}

export const listRuns = (sql: Sql, { grant, query }: Input) => {
  const { matching, rows: listed } = grant.run_id === null && query.statuses !== null
    ? byStatus(sql, { grant, query }, query.statuses)
    : byColumns(sql, { grant, query });
  const rows = sql`select row_number() over (order by (n.r).id desc) as place,
      run_json(n.r) as item from (${listed}) n`;
  const total = query.include_total
    ? sql`(select count(*)::int
        from (select 1 from (${matching}) m limit ${limits.run_total_max + 1}) c)`
    : sql`null::int`;
  return sql<{ refusal: CutPage["refusal"]; page: Omit<CutPage, "total">; total: number | null }[]>`
    with admitted as materialized (${admission(sql, { grant, query })})
    select a.refusal, ${cutPage(sql, rows, query.limit)} as page, ${total} as total
    from admitted a`;
};

interface Matches {
  /** One row per run that matches. */
  matching: Fragment;
  /** The runs of the page, and one more, as `r`. */
  rows: Fragment;
}

function byColumns(sql: Sql, { grant, query }: Input): Matches {
  const source = grant.run_id === null
    ? sql`agent_run r`
    : sql`admitted a join agent_run r on a.refusal is null and ${reachOfSession(sql, grant)}`;
  const matching = sql`from ${source} where r.tenant_id = ${grant.tenant_id}
    ${filters(sql, { grant, query })} ${oneOf(sql, sql`r.status`, query.statuses)}`;
  const before = query.before_cursor === null ? sql`` : sql`and r.id < ${query.before_cursor}`;
  return {
    matching: sql`select 1 ${matching}`,
    rows: sql`select r ${matching} ${before} order by r.id desc limit ${query.limit + 1}`,
  };
}

/** No index of agent_run knows a status, so that a run can change it cheaply: the runs of each come
    from where they are kept by status, or by another filter where that leaves fewer. */
function byStatus(sql: Sql, { grant, query }: Input, statuses: readonly string[]): Matches {
  const { tenant_id } = grant;
  const matching = (status: string) => sql`from ${sql(tableOf(status))} o
    join agent_run r on r.tenant_id = ${tenant_id} and r.id = o.id
    where o.tenant_id = ${tenant_id} and o.status = ${status} and o.id > 0
      ${filters(sql, { grant, query })}`;
  const before = query.before_cursor === null ? sql`` : sql`and o.id < ${query.before_cursor}`;
  const all = (part: (status: string) => Fragment) => [...new Set(statuses)].map(part)
    .reduce((one, two) => sql`${one} union all ${two}`);
  const newest = all((status) => sql`(select r ${matching(status)} ${before}
    order by o.id desc limit ${query.limit + 1})`);
  return {
    matching: all((status) => sql`(select 1 ${matching(status)}
      limit ${limits.run_total_max + 1})`),
    rows: sql`select k.r from (${newest}) k order by (k.r).id desc limit ${query.limit + 1}`,
  };
}

const tableOf = (status: string): string =>
  (terminalStatuses as readonly string[]).includes(status) ? "agent_run_ended" : "agent_run_open";

const filters = (sql: Sql, { grant, query }: Input): Fragment => sql`${reach(sql, grant)}
  ${equals(sql, sql`r.conversation_id`, query.conversation_id)}
  ${equals(sql, sql`r.runner_id`, query.runner_id)}
  ${equals(sql, sql`r.workspace_id`, query.workspace_id)}`;

function admission(sql: Sql, { grant, query }: Input): Fragment {
  if (grant.run_id === null) return sql`select null::jsonb as refusal`;
  return sql`select refusal, path, s from admit_run_list(${grant.tenant_id},
    ${sql.json(grant as unknown as Json)}, ${sql.json(query as unknown as Json)})`;
}

/** A permission that covers the session's workspace wins over the session's own view. */
function reachOfSession(sql: Sql, grant: GrantFacts): Fragment {
  const own = sql`(r.runner_id = (a.s).runner_id and r.conversation_id = (a.s).conversation_id
    and ((a.s).bot_id is null or r.bot_id = (a.s).bot_id)
    and ((a.s).workspace_id is null or r.workspace_id = (a.s).workspace_id)
    and r.thread_id is not distinct from (a.s).thread_id)`;
  if (grant.admin === null) return own;
  return sql`((a.path = 'admin' ${inWorkspaces(sql, grant.admin)}) or (a.path = 'run' and ${own}))`;
}

/** Without a session, the administrator path wins over the creator path. */
function reach(sql: Sql, grant: GrantFacts): Fragment {
  if (grant.run_id !== null) return sql``;
  if (grant.admin !== null) return inWorkspaces(sql, grant.admin);
  if (grant.creator === null) throw new Error("run_list was granted no path");
  return sql`and r.created_by = ${grant.caller} ${inWorkspaces(sql, grant.creator)}`;
}

function inWorkspaces(sql: Sql, held: HeldPermission): Fragment {
  return oneOf(sql, sql`r.workspace_id`, held.workspaces);
}
