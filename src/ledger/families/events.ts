// Result events of runs: reading them in order, storing one, storing one with its effect.

import type { EmittedEvent, RunEvent, RunEventPage } from "../../contract/records.js";
import { pageEvents } from "../../sql/event_page.js";
import { pageBy, refuseIf } from "../answers.js";
import { makeId } from "../identifiers.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";
import type { NewResult } from "../requests.js";

export function createEvents({ database, operate, told }: LedgerParts): Ledger["events"] {
  const tellStored = (tenant_id: string, { run_id, idempotent }: RunEvent): void => {
    if (idempotent !== true) told.eventStored({ tenant_id, run_id });
  };

  return {
    async page(grant, query) {
      const [row] = await database.query("run_events_page", (sql) =>
        pageEvents(sql, { grant, query }),
      );
      if (!row) throw new Error("run_events_page answered no row");
      refuseIf(row.refusal);
      const page = pageBy(row.page, (item) => String(item["sequence"]));
      const [first] = page.items;
      const prev_cursor = first ? String(first["sequence"]) : null;
      return { ...page, prev_cursor } as RunEventPage;
    },
    async append(grant, result) {
      const done = await operate("run_append", { grant, input: result });
      const event = complete<RunEvent>(done["event"], result);
      tellStored(grant.tenant_id, event);
      return event;
    },
    async emit(grant, result) {
      const message = result.message && { ...result.message, transcript_id: makeId("msg") };
      const done = await operate("run_emit", { grant, input: { ...result, message } });
      const event = complete<EmittedEvent>(done["event"], result);
      const { tenant_id } = grant;
      tellStored(tenant_id, event);
      if (done["ended"] === true) told.runEnded({ tenant_id, run_id: event.run_id });
      if (done["queued"] === true) told.runClaimable(tenant_id);
      return event;
    },
  };
}

/** The content comes from the write: it is what was stored, also when the write is a repeat. */
function complete<Event>(receipt: unknown, { data, usage, metadata }: NewResult): Event {
  // Nobody else has the receipt; a spread of it would cost several times as much.
  return Object.assign(receipt as object, { data, usage, metadata }) as Event;
}
