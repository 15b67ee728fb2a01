// Cuts a list into a page of at most 1 MiB of JSON and at least one item, in SQL, so that no host
// ever holds more of it. The rows come as (place, item), place 1..limit + 1 in page order.

import { limits } from "../contract/limits.js";
import type { Fragment, Sql } from "./database.js";

export interface CutPage {
  refusal: ({ code: string } & Record<string, unknown>) | null;
  items: Record<string, unknown>[];
  /** Rows that match, counted up to limit + 1: more than the items means that there is more. */
  matching: number;
  /** Counted matches, where the list has a total. */
  total: number | null;
}

/** The columns `items` and `matching` over rows (place, item). */
export const cutPage = (sql: Sql, rows: Fragment, limit: number): Fragment => sql`
  (select json_build_object('matching', count(*), 'items', coalesce(json_agg(item order by place)
      filter (where place = 1 or (place <= ${limit} and held <= ${limits.page_bytes})), '[]'))
    from (select place, item, sum(octet_length(item::text)) over (order by place) as held
      from (${rows}) listed) measured)`;

/** `and column = value`, or nothing when the filter is not set. */
export const equals = (sql: Sql, column: Fragment, value: string | null): Fragment =>
  value === null ? sql`` : sql`and ${column} = ${value}`;

export const oneOf = (sql: Sql, column: Fragment, values: readonly string[] | null): Fragment =>
  values === null ? sql`` : sql`and ${column} in ${sql([...values])}`;
