// What a live run reads of its conversation: transcript, event log, prompt.

import type {
  EventPage, EventRecord, SearchResult, TranscriptItem, TranscriptPage,
} from "../../contract/context_records.js";
import { pageEventLog, pageHistory, searchHistory } from "../../sql/history_page.js";
import { type CutRows, pageBy, refuseIf } from "../answers.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";
import type { Outcome } from "../../sql/ledger_function.js";

export function createHistory({ database, operate }: LedgerParts): Ledger["history"] {
  return {
    async page(grant, query) {
      const rows = await database.query("history_page", (sql) =>
        pageHistory(sql, { grant, query }));
      const page = pageBy(admitted(rows), cursorOf);
      const [first] = page.items;
      return { ...page, prev_cursor: first ? cursorOf(first) : null } as TranscriptPage;
    },
    async search(grant, query) {
      const rows = await database.query("history_search", (sql) =>
        searchHistory(sql, { grant, query }));
      const { items, matching } = admitted(rows);
      const found: SearchResult = {
        items: items as TranscriptItem[],
        total_count: items.length,
        has_more: matching > items.length,
        query: query.query,
      };
      return found;
    },
    async event(grant, named) {
      return (await operate("event_get", { grant, input: named }))["event"] as EventRecord;
    },
    async events(grant, query) {
      const rows = await database.query("event_page", (sql) =>
        pageEventLog(sql, { grant, query }));
      return pageBy(admitted(rows), cursorOf) as EventPage;
    },
    async prompt(grant) {
      const found = await operate("prompt_get", { grant, input: {} });
      return { prompt: found["prompt"] as Record<string, unknown>[] };
    },
  };
}

const cursorOf = (item: Record<string, unknown>): string => String(item["cursor"]);

function admitted(rows: readonly { refusal: Outcome["refusal"] | null; page: CutRows }[]): CutRows {
  const [row] = rows;
  if (!row) throw new Error("a page of the conversation answered no row");
  refuseIf(row.refusal);
  return row.page;
}
