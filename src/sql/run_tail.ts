// What subscriptions read: the events of one run after a sequence, each as the JSON text that goes
// out, and how far runs have come. Nobody's grant is judged here: feed reads once for everybody
// whose admission it watches. A page is cut by the stored sizes, as run_events_page cuts it.

import { limits } from "../contract/limits.js";
import type { Sql } from "./database.js";

/** What an event's record adds to its canonical content, in bytes; rounded up. */
const envelope_bytes = 400;

export interface TailQuery {
  tenant_id: string;
  run_id: string;
  after_sequence: number;
  limit: number;
}

/** One row per event, or one without an event; none when there is no such run. */
export interface TailRow {
  /** The run as JSON, once it has ended; on the first row only. */
  ended: string | null;
  /** Events after the sequence, counted up to limit + 1. */
  matching: number;
  sequence: number | null;
  event: string | null;
  /** What the event asked for, if it asked a person. */
  interaction: string | null;
}

/** Each row is looked up by its whole key: `limit 1` keeps the planner from joining in another way
    while it has no statistics, which would read the run's past once per event. */
export const readTail = (sql: Sql, query: TailQuery) => sql<TailRow[]>`
  with listed as materialized (
    select e.sequence, row_number() over (order by e.sequence) as place,
      sum(e.bytes + ${envelope_bytes}) over (order by e.sequence) as held
    from (select sequence, bytes from agent_run_event
      where tenant_id = ${query.tenant_id} and run_id = ${query.run_id}
        and sequence > ${query.after_sequence}
      order by sequence limit ${query.limit + 1}) e)
  select (select count(*) from listed)::int as matching,
    case when r.finished_at is not null and coalesce(l.place, 1) = 1
      then run_json(r)::text end as ended,
    l.sequence::float8 as sequence, e.event,
    case when e.type = 'action.requested' then (select interaction_record(i)::text
      from agent_interaction i where i.tenant_id = ${query.tenant_id}
        and i.run_id = ${query.run_id} and i.sequence = l.sequence limit 1) end as interaction
  from agent_run r
    left join listed l on l.place = 1
      or (l.place <= ${query.limit} and l.held <= ${limits.page_bytes})
    left join lateral (select x.type, event_json(x)::text as event from agent_run_event x
      where x.tenant_id = ${query.tenant_id} and x.run_id = ${query.run_id}
        and x.sequence = l.sequence limit 1) e on true
  where r.tenant_id = ${query.tenant_id} and r.run_id = ${query.run_id}
  order by l.place`;
