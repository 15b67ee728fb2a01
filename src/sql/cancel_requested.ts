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
    select tenant_id, run_id, plugin_identity, cancel_reason as status_reason,
      claim_epoch::int as claim_epoch, status = 'claimed' as claimed
    from agent_run where tenant_id = ${input.tenant_id} and finished_at is null
      and cancel_requested_at > now() - make_interval(secs => ${input.seconds})
    order by cancel_requested_at, id limit 1000`;
