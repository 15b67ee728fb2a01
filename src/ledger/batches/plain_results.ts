// Result events that do nothing but stand in the ledger: told in ascending order by the holder of
// the run's claim.

import type { NewResult } from "../requests.js";
import type { Outcome } from "../../sql/ledger_function.js";
import { type PlainClaim, type StoredResult, storeResults } from "../../sql/plain_writes.js";
import { claimOf, claimsTarget, type PlainWay } from "./plain_way.js";
import type { Waiting } from "./write.js";

const resultOf = ({ input }: Waiting): NewResult => input as NewResult;

const sameClaim = (one: Waiting, two: Waiting): boolean => {
  const [a, b] = [one.grant, two.grant];
  return a.caller === b.caller && a.now === b.now
    && a.claim!.runtime_id === b.claim!.runtime_id
    && a.claim!.token_sha256 === b.claim!.token_sha256 && a.claim!.epoch === b.claim!.epoch;
};

const endings = new Set(["run.completed", "run.failed"]);

const looks: PlainWay<StoredResult>["looks"] = (write, { before }) => {
  const { type, interaction, state, message, sequence } = resultOf(write);
  return claimsTarget(write) && interaction === null && state === null && message === null
    && !endings.has(type)
    && (before === undefined
      || (sequence > resultOf(before).sequence && sameClaim(before, write)));
};

const statement: PlainWay<StoredResult>["statement"] = (sql, tenant_id, writes) => {
  const places = new Map<string, number>();
  const runs: (PlainClaim & { first: number; last: number })[] = [];
  const events: string[] = [];
  for (const write of writes) {
    const { sequence } = resultOf(write);
    let place = places.get(write.key);
    if (place === undefined) {
      runs.push({ ...claimOf(write), first: sequence, last: sequence });
      place = runs.length;
      places.set(write.key, place);
    }
    runs[place - 1]!.last = sequence;
    events.push(`{"run":${place},${write.text.slice(1)}`);
  }
  return storeResults(sql, { tenant_id, runs, events: `[${events.join(",")}]` });
};

/** The statement answers what it stored in the order of the writes. */
const receipts = (more: object, beside: object): PlainWay<StoredResult>["outcomes"] =>
  (writes, rows) => {
    let next = 0;
    return writes.map((write): Outcome | null => {
      const row = rows[next];
      const { type, sequence } = resultOf(write);
      if (row?.run_id !== write.key || row.sequence !== sequence) return null;
      next += 1;
      const { id, run_id, claim_epoch, created_at_ms } = row;
      const source = `runtime:${write.grant.claim!.runtime_id}`;
      const created_at = Math.floor(created_at_ms / 1000);
      const event = {
        id, run_id, sequence, type, source, claim_epoch, created_at, created_at_ms, ...more,
      };
      return { ...beside, event };
    });
  };

export const plainAppends: PlainWay<StoredResult> = {
  looks, statement, outcomes: receipts({}, {}),
};

export const plainEmits: PlainWay<StoredResult> = {
  looks,
  statement,
  outcomes: receipts({ run_status: "claimed" }, { ended: false, queued: false }),
};
