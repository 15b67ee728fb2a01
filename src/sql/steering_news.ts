// Live runs for which steering was queued lately, on whichever host: each host tells its own
// connections. The window overlaps from look to look, so that a late commit is not passed over.

import type { Sql } from "./database.js";

/** Steering waits for a live run; `claimed` when claim number `claim_epoch` is at work on it. */
export interface SteeringFact {
  tenant_id: string;
  run_id: string;
  /** Items that a pull would be handed now, or soon. */
  pending: number;
  plugin_identity: string;
  claim_epoch: number;
  claimed: boolean;
  /** One mark per queued item and delivery, where the teller knows them. */
  marks?: readonly string[];
}

export const readSteeringNews = (sql: Sql, input: { tenant_id: string; seconds: number }) =>
  sql<SteeringFact[]>`
    select r.tenant_id, r.run_id, r.plugin_identity, r.claim_epoch::int as claim_epoch,
      r.status = 'claimed' as claimed, n.marks,
      (select count(*)::int from agent_run_steering s where s.tenant_id = r.tenant_id
        and s.run_id = r.run_id and is_deliverable(s, now())) as pending
    from (select run_id, jsonb_agg(steering_id || '/' || delivery_count order by id) as marks
      from agent_run_steering where tenant_id = ${input.tenant_id} and state = 'queued'
        and updated_at > now() - make_interval(secs => ${input.seconds})
      group by run_id order by min(updated_at) limit 1000) n
    cross join lateral (select tenant_id, run_id, plugin_identity, claim_epoch, status
      from agent_run where tenant_id = ${input.tenant_id} and run_id = n.run_id
        and finished_at is null limit 1) r`;
