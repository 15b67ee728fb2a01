// One claimed run in the hands of a worker: keeps its lease while work goes on, numbers the events,
// and stops the work (through `signal`) when the lease is lost, a cancel is requested or the worker
// stops. Every write carries the proof of the claim, so a worker that lost it can change nothing.

import { HostError } from "runhost/client";
import { setTimeout as delay } from "node:timers/promises";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {"cancel_requested" | "lease_lost" | "worker_stops"} StopReason
 *
 * @typedef {object} HeldRun
 * @property {Record<string, any>} item
 * @property {AbortSignal} signal Aborted, for a Stopped, when the work has to stop.
 * @property {(reason: StopReason) => void} stop
 * @property {(type: string, data: object) => Promise<void>} emit Stores the next event of the run.
 * @property {() => Promise<void>} confirmCancel Ends the run as cancelled; its reason stays.
 * @property {() => Promise<void>} release Gives the run back to the queue.
 * @property {() => void} close Ends the renewals, when the run has ended or is no longer held.
 */

/** Why the work on a run was stopped. */
export class Stopped extends Error {
  /** @param {StopReason} reason */
  constructor(reason) {
    super(`stopped: ${reason}`);
    this.reason = reason;
  }
}

const repeat_ms = 100;

/**
 * Refusals that pass; a connection that is gone does not come back.
 * @param {unknown} thrown
 */
const mayRepeat = (thrown) =>
  thrown instanceof HostError && thrown.retryable && thrown.code !== "CONNECTION_LOST";

/**
 * @param {object} parts
 * @param {Host} parts.connection
 * @param {Record<string, any>} parts.item The work item that run_claim answered.
 * @param {string} parts.runtime_id
 * @param {number} parts.lease_seconds
 * @returns {HeldRun}
 */
export function holdRun({ connection, item, runtime_id, lease_seconds }) {
  const { run_id, claim_token, claim_epoch } = item;
  const claim = { target_run_id: run_id, runtime_id, claim_token, claim_epoch };
  const stopping = new AbortController();
  const closing = new AbortController();
  let last_sequence = Number(item.last_sequence);

  /** @param {StopReason} reason */
  const stop = (reason) => {
    if (!stopping.signal.aborted) stopping.abort(new Stopped(reason));
  };

  /**
   * A call that may be repeated is, until it is answered or the claim is given up.
   * @param {string} method
   * @param {object} params
   */
  async function write(method, params) {
    for (;;) {
      try {
        await connection.call(method, { ...claim, ...params });
        return;
      } catch (thrown) {
        if (!mayRepeat(thrown) || closing.signal.aborted) throw thrown;
        await delay(repeat_ms);
      }
    }
  }

  async function keepLease() {
    while (!closing.signal.aborted) {
      await delay((lease_seconds * 1000) / 3, undefined, { signal: closing.signal });
      try {
        const run = await connection.call("run_renew_claim", { ...claim, lease_seconds });
        if (run.cancel_requested_at !== null) stop("cancel_requested");
      } catch (thrown) {
        if (thrown instanceof HostError && !thrown.retryable) return stop("lease_lost");
      }
    }
  }
  void keepLease().catch(() => undefined);
  if (item.cancel_requested_at !== null) stop("cancel_requested");

  return {
    item,
    signal: stopping.signal,
    stop,
    async emit(type, data) {
      stopping.signal.throwIfAborted();
      last_sequence += 1;
      await write("run_emit_result", { sequence: last_sequence, type, data });
    },
    confirmCancel: () => write("run_finalize", { status: "cancelled" }),
    release: () => write("run_release_claim", { status_reason: "the worker stopped" }),
    close: () => closing.abort(),
  };
}
