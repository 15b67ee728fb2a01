// Writes that a claim proves, and claims of the ready runs of a plugin, by statements that do no
// more. Each answers what it did and nothing of the rest, which is then judged by the function of
// its kind.

import type { Json, Sql } from "./database.js";

/** The claim that a write shows; the token as SHA-256, 64 hex digits. */
export interface PlainClaim {
  run_id: string;
  caller: string;
  runtime_id: string;
  token_sha256: string;
  epoch: number | null;
  /** Instant that tests set, ISO 8601; null is the database clock. */
  now: string | null;
}

export interface StoredResult {
  run_id: string;
  sequence: number;
  id: number;
  claim_epoch: number;
  created_at_ms: number;
}

interface Storing {
  tenant_id: string;
  /** With the sequences of the run's first and last event. */
  runs: readonly (PlainClaim & { first: number; last: number })[];
  /** A JSON array, written already: results, each with `run`, its run's place from 1. */
  events: string;
}

/** Answers what it stored, in the order of the events. */
export const storeResults = (sql: Sql, { tenant_id, runs, events }: Storing) =>
  sql<StoredResult[]>`
    select run_id, sequence, id, claim_epoch, created_at_ms
    from store_plain_results(${tenant_id}, ${JSON.stringify(runs)}::text::jsonb,
      ${events}::text::jsonb)`;

export interface PlainEnd extends PlainClaim {
  status: string;
  status_reason: string | null;
  usage: Json;
  cost: Json;
}

export interface EndedRuns {
  /** Place from 1, and the Run. */
  ended: [number, Record<string, unknown>][] | null;
  /** Places whose messages another run took over. */
  queued: number[] | null;
}

export const endRuns = (sql: Sql, tenant_id: string, ends: readonly PlainEnd[]) =>
  sql<EndedRuns[]>`
    select ended, to_json(queued) as queued
    from end_plain_runs(${tenant_id}, ${JSON.stringify(ends)}::text::jsonb)`;

interface Claiming {
  tenant_id: string;
  caller: string;
  now: string | null;
  asks: readonly { runtime_id: string; lease_seconds: number; token_sha256s: readonly string[] }[];
}

export interface TakenRun {
  /** Of its ask, from 1; 0: nothing is left for the others. */
  place: number;
  item: Record<string, unknown> | null;
  traceparent: string | null;
}

export const claimRuns = (sql: Sql, { tenant_id, caller, now, asks }: Claiming) =>
  sql<TakenRun[]>`
    select place, item, traceparent from claim_plain_runs(${tenant_id}, ${caller},
      ${now}::text::timestamptz, ${JSON.stringify(asks)}::text::jsonb)`;
