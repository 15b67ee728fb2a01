// What the ledger holds of the runs, messages and steering items that clients were told of: for
// `runhost verify`.

import type { Json, Sql } from "./database.js";

export interface RunFact {
  run_id: string;
  status: string;
  ended: boolean;
  claim_epoch: number;
  last_sequence: number;
  cancel_requested: boolean;
}

export const readRunFacts = (sql: Sql, tenant_id: string, run_ids: readonly string[]) =>
  sql<RunFact[]>`
    select run_id, status, finished_at is not null as ended, claim_epoch::float8 as claim_epoch,
      last_sequence::float8 as last_sequence, cancel_requested_at is not null as cancel_requested
    from agent_run where tenant_id = ${tenant_id}
      and run_id in (select jsonb_array_elements_text(${sql.json(run_ids as unknown as Json)}))`;

export const readSequencesOf = (sql: Sql, tenant_id: string, run_ids: readonly string[]) =>
  sql<{ run_id: string; sequences: number[] }[]>`
    select run_id, jsonb_agg(sequence order by sequence) as sequences
    from agent_run_event where tenant_id = ${tenant_id}
      and run_id in (select jsonb_array_elements_text(${sql.json(run_ids as unknown as Json)}))
    group by run_id`;

export const readPublished = (sql: Sql, tenant_id: string, event_ids: readonly string[]) =>
  sql<{ event_id: string; disposition: string | null }[]>`
    select event_id, disposition from event_log where tenant_id = ${tenant_id}
      and event_id in (
        select jsonb_array_elements_text(${sql.json(event_ids as unknown as Json)}))`;

export const readSteeringStates = (sql: Sql, tenant_id: string, ids: readonly string[]) =>
  sql<{ steering_id: string; state: string }[]>`
    select steering_id, state from agent_run_steering where tenant_id = ${tenant_id}
      and steering_id in (select jsonb_array_elements_text(${sql.json(ids as unknown as Json)}))`;
