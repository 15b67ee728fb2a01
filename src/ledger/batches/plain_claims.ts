// Ends by the holder of a claim, and claims by a plugin of its own runs.

import type { FinalizeRequest } from "../requests.js";
import {
  claimRuns, type EndedRuns, endRuns, type TakenRun,
} from "../../sql/plain_writes.js";
import type { Json } from "../../sql/database.js";
import { claimOf, claimsTarget, type PlainWay } from "./plain_way.js";
import type { Waiting } from "./write.js";

const endOf = ({ input }: Waiting): FinalizeRequest => input as FinalizeRequest;

export const plainEnds: PlainWay<EndedRuns> = {
  looks(write, { before }) {
    const { metadata } = endOf(write);
    return before === undefined && claimsTarget(write)
      && Object.keys(metadata ?? {}).length === 0;
  },
  statement: (sql, tenant_id, writes) => endRuns(sql, tenant_id, writes.map((write) => {
    const { status, status_reason, usage, cost } = endOf(write);
    return {
      ...claimOf(write), status, status_reason, usage: usage as Json, cost: cost as Json,
    };
  })),
  outcomes(writes, [row]) {
    const runs = new Map(row?.ended);
    const queued = new Set(row?.queued);
    return writes.map((_, place) => {
      const run = runs.get(place + 1);
      return run === undefined ? null : { run, ended: true, queued: queued.has(place + 1) };
    });
  },
};

interface Ask {
  runtime_id: string;
  queue_name: string | null;
  runner_ids: readonly string[] | null;
  lease_seconds: number;
  token_sha256s: readonly string[];
}

const askOf = ({ input }: Waiting): Ask => input as Ask;

export const plainClaims: PlainWay<TakenRun> = {
  looks(write, { first }) {
    const { run_id, admin, caller, now } = write.grant;
    const { queue_name, runner_ids } = askOf(write);
    return run_id === null && admin === null && queue_name === null && runner_ids === null
      && (first === undefined || (first.grant.caller === caller && first.grant.now === now));
  },
  statement(sql, tenant_id, writes) {
    const { caller, now } = writes[0]!.grant;
    const asks = writes.map((write) => {
      const { runtime_id, lease_seconds, token_sha256s } = askOf(write);
      return { runtime_id, lease_seconds, token_sha256s };
    });
    return claimRuns(sql, { tenant_id, caller, now, asks });
  },
  outcomes(writes, rows) {
    const taken = new Map<number, object[]>();
    let nothing_left = false;
    for (const { place, item, traceparent } of rows) {
      if (item === null) {
        nothing_left = true;
        continue;
      }
      if (traceparent !== null) item["traceparent"] = traceparent;
      const items = taken.get(place);
      if (items) items.push(item);
      else taken.set(place, [item]);
    }
    return writes.map((_, place) => {
      const runs = taken.get(place + 1);
      if (runs) return { runs };
      return nothing_left ? { runs: [] } : null;
    });
  },
};
