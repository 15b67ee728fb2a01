// What statistics, a sweep and an explanation answer. Durations are seconds with two decimals,
// rates fractions with four; an empty set counts 0 and has no mean, rate or percentile.

import { z } from "zod";
import { run, runtime } from "./records.js";
import { id, identity, openObject, runnerId, runStatus, runtimeStatuses } from "./scalars.js";

const count = z.number().int();
const figure = z.number().nullable();

export const runStats = z
  .object({
    start_time: count,
    end_time: count,
    runner_id: runnerId.nullable(),
    total_count: count,
    created_count: count,
    queued_count: count,
    claimed_count: count,
    running_count: count,
    completed_count: count,
    failed_count: count,
    cancelled_count: count,
    timeout_count: count,
    throughput_per_hour: z.number(),
    success_rate: figure,
    failure_rate: figure,
    terminal_success_rate: figure,
    avg_duration_seconds: figure,
    p50_duration_seconds: figure,
    p95_duration_seconds: figure,
    p99_duration_seconds: figure,
    avg_queue_wait_seconds: figure,
    p95_queue_wait_seconds: figure,
  })
  .meta({ id: "RunStats" });
export type RunStats = z.output<typeof runStats>;

export const runnerStats = z
  .object({
    items: z.array(
      z.object({
        runner_id: runnerId,
        runner_label: openObject.nullable(),
        plugin_identity: identity,
        total_runs: count,
        active_runs: count,
        completed_runs: count,
        failed_runs: count,
        cancelled_runs: count,
        success_rate: figure,
        avg_duration_seconds: figure,
        p95_duration_seconds: figure,
      }),
    ),
    total_count: count,
    has_more: z.boolean(),
  })
  .meta({ id: "RunnerStats" });
export type RunnerStats = z.output<typeof runnerStats>;

export const runtimeStats = z
  .object({
    total_count: count,
    online_count: count,
    draining_count: count,
    offline_count: count,
    stale_count: count,
    avg_heartbeat_age_seconds: figure,
    max_heartbeat_age_seconds: figure,
    active_runs: count,
    claimed_runs: count,
    queued_runs: count,
  })
  .meta({ id: "RuntimeStats" });
export type RuntimeStats = z.output<typeof runtimeStats>;

export const sweepReport = z
  .object({
    stale_count: count,
    released_claim_count: count,
    exhausted_count: count,
    timeout_count: count,
    cancelled_count: count,
    expired_interaction_count: count,
    expired_steering_count: count,
    stale_runtimes: z.array(runtime),
    released_claims: z.array(run),
    more: z.boolean(),
  })
  .meta({ id: "SweepReport" });
export type SweepReport = z.output<typeof sweepReport>;

const reason = <Code extends string, Facts extends z.ZodRawShape>(code: Code, facts: Facts) =>
  z.object({ code: z.literal(code), message: z.string(), ...facts });
const lease = { runtime_id: id, claim_epoch: count, lease_expires_at: count };

/** The closed list of why a run is not moving; instants are seconds since the epoch. */
export const runReason = z
  .discriminatedUnion("code", [
    reason("ended", { status_reason: z.string().nullable(), finished_at: count }),
    reason("never_queued", {}),
    reason("lease_held", lease),
    reason("lease_over", lease),
    reason("owner_executes", { plugin_identity: identity, deadline_at: count }),
    reason("deadline_passed", { deadline_at: count }),
    reason("cancel_requested", {
      cancel_requested_at: count, cancel_reason: z.string().nullable(),
    }),
    reason("interaction_pending", { interaction_id: id, expires_at: count, pending_count: count }),
    reason("plugin_disabled", { plugin_identity: identity }),
    reason("attempts_exhausted", { dispatch_attempts: count, max_attempts: count }),
    reason("not_due", { not_before: count }),
    reason("runner_not_registered", { runner_id: runnerId }),
    reason("no_online_runtime", { plugin_identity: identity }),
    reason("pinned_runtime_not_online", {
      runtime_id: id, runtime_status: z.enum(runtimeStatuses).nullable(),
    }),
    reason("runs_ahead", {
      queue_name: id,
      among: z.enum(["queue", "creator", "scope"]),
      count,
      capped: z.boolean(),
    }),
    reason("awaiting_claim", { queue_name: id }),
  ])
  .meta({ id: "RunReason" });
export type RunReason = z.output<typeof runReason>;

const explanationShape = {
  run_id: id,
  status: runStatus,
  judged_at: count,
  claimable: z.boolean(),
  moving: z.boolean(),
};

export const runExplanation = z
  .object({ ...explanationShape, reasons: z.array(runReason) })
  .meta({ id: "RunExplanation" });
export type RunExplanation = z.output<typeof runExplanation>;

/** A reason as the ledger judges it, before it has words. */
export type JudgedReason = RunReason extends infer One
  ? One extends RunReason ? Omit<One, "message"> : never : never;
export type ExplainedRun = Omit<RunExplanation, "reasons"> & { reasons: JudgedReason[] };
