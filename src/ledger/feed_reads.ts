// What feed reads for all subscribers of a run at once, and for those whom a push concerns. These
// reads take no grant: feed keeps a subscription only while its grant still admits it.

import { readCancelRequests } from "../sql/cancel_requested.js";
import type { Database } from "../sql/database.js";
import { type RunHead, readHeads } from "../sql/run_heads.js";
import { readTail, type TailQuery, type TailRow } from "../sql/run_tail.js";
import { readSteeringNews } from "../sql/steering_news.js";
import type { CancelFact, SteeringFact } from "./parts.js";

/** Events after a sequence, in order, as JSON texts. */
export interface TailPage {
  items: { sequence: number; event: string; interaction: string | null }[];
  /** There are more events than the page holds. */
  more: boolean;
  /** The run as JSON, once it has ended. */
  ended: string | null;
}

export interface Recent {
  tenant_id: string;
  seconds: number;
}

export interface FeedReads {
  /** Null when there is no such run. */
  tail(query: TailQuery): Promise<TailPage | null>;
  heads(wanted: { tenant_id: string; run_ids: readonly string[] }): Promise<readonly RunHead[]>;
  /** Cancels of live runs requested within the last `seconds`, on any host. */
  cancelRequests(wanted: Recent): Promise<readonly CancelFact[]>;
  /** Live runs for which steering was queued within the last `seconds`, on any host. */
  steeringNews(wanted: Recent): Promise<readonly SteeringFact[]>;
}

export function createFeedReads(database: Database): FeedReads {
  return {
    tail: async (query) => toPage(await database.query("run_tail", (sql) => readTail(sql, query))),
    heads: (wanted) => database.query("run_heads", (sql) => readHeads(sql, wanted)),
    cancelRequests: (wanted) =>
      database.query("cancel_requested", (sql) => readCancelRequests(sql, wanted)),
    steeringNews: (wanted) =>
      database.query("steering_news", (sql) => readSteeringNews(sql, wanted)),
  };
}

function toPage(rows: readonly TailRow[]): TailPage | null {
  const [first] = rows;
  if (first === undefined) return null;
  const items = rows.flatMap(({ sequence, event, interaction }) =>
    sequence === null || event === null ? [] : [{ sequence, event, interaction }]);
  return { items, more: first.matching > items.length, ended: first.ended };
}
