// Live runs for which a cancel was requested lately, on whichever host: each host pushes them to
// its own connections. The window overlaps from look to look, so that a late commit is not passed
// over.

import type { Sql } from "./database.js";

export interface CancelFact {
  tenant_id: string;
  run_id: string;
  plugin_identity: string;
  status_reason: string | null;
  claim_epoch: number;
  claimed: boolean;
}

export const readCancelRequests = (sql: Sql, input: { tenant_id: string; seconds: number }) =>
  sql<CancelFact[]>`
    select r.tenant_id, r.run_id, r.plugin_identity, r.cancel_reason as status_reason,
      r.claim_epoch::int as claim_epoch, r.status = 'claimed' as claimed
    from (select id from agent_run_open where tenant_id = ${input.tenant_id}
        and cancel_requested_at > now() - make_interval(secs => ${input.seconds})
      order by cancel_requested_at, id limit 1000) o
    cross join lateral (select * from agent_run a where a.tenant_id = ${input.tenant_id}
      and a.id = o.id and a.finished_at is null limit 1) r
    order by r.cancel_requested_at, r.id`;
