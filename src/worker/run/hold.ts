// One claim in this worker's hands: renews its lease at a third of it, and says through two signals
// when to stop. `stopping` aborts for every reason, once; `lost` aborts when nothing more may be
// written. Called by the attempt that works on the run.

import type { WorkItem } from "../../client/client.js";
import { setMaxListeners } from "node:events";
import { isRefusal, isRetryable, pause, pauseAfter } from "../repeat.js";
import type { WorkerParts } from "../worker_parts.js";
import { RunStopped, type StopKind } from "./stop.js";

/** The trace in which a run's calls are made; absent where it has none. */
export interface TraceParams {
  _meta?: { traceparent: string };
}

/** Proof of a claim, as the host wants it beside every write. */
export interface ClaimProof {
  runtime_id: string;
  claim_token: string;
  claim_epoch: number;
}

/** A timer cannot wait longer. */
const longest_timer_ms = 2 ** 31 - 1;

export class Hold {
  readonly proof: ClaimProof;
  readonly trace: TraceParams;
  /** What stands beside the params of a call that writes. */
  readonly claim: ClaimProof & TraceParams;
  readonly #parts: WorkerParts;
  readonly #item: WorkItem;
  readonly #received_at: number;
  readonly #claimed_at_ms: number;
  readonly #lease_ms: number;
  readonly #stopping = new AbortController();
  readonly #lost = new AbortController();
  #hurry = new AbortController();
  #lease: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  /** `received_at` is performance.now() when the claim's answer came. */
  constructor(parts: WorkerParts, item: WorkItem, received_at: number) {
    const { lease_seconds, runtime_id } = parts.options;
    // Each call in flight listens to them, and so may the handler, as often as it likes.
    setMaxListeners(0, this.stopping, this.lost);
    const { claim_token, claim_epoch } = item;
    this.proof = { runtime_id, claim_token, claim_epoch };
    this.trace = readTrace(parts, item);
    this.claim = { ...this.proof, ...this.trace };
    this.#parts = parts;
    this.#item = item;
    this.#received_at = received_at;
    this.#lease_ms = lease_seconds * 1000;
    // The lease of a run whose deadline is near is shorter than asked for.
    const claimed_at_ms = item.claim_lease_expires_at_ms - this.#lease_ms;
    this.#claimed_at_ms = Math.max(claimed_at_ms, (item.last_claimed_at ?? 0) * 1000);
    this.#expectRenewal(received_at);
    if (item.deadline_at !== null) this.#watchDeadline(item.deadline_at);
    void this.#keep();
  }

  /** Its reason is always a RunStopped. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The host's clock in milliseconds, reckoned from the claim: at most a second behind. */
  readHostClock(): number {
    return this.#claimed_at_ms + performance.now() - this.#received_at;
  }

  /** The first reason stands. */
  stop(kind: StopKind, message: string, cause?: unknown): void {
    if (this.stopping.aborted) return;
    this.#stopping.abort(new RunStopped(kind, message, { cause }));
  }

  /** The claim is gone: the work stops and writes nothing more. */
  lose(kind: "lease_lost" | "host_closed", message: string, cause?: unknown): void {
    this.stop(kind, message, cause);
    this.close(new RunStopped(kind, message, { cause }));
  }

  /** A hint, or a new connection, says that something may have changed. */
  renewNow(): void {
    this.#hurry.abort();
  }

  /** Ends the renewals; nothing can be written afterwards. */
  close(reason: RunStopped): void {
    clearTimeout(this.#lease);
    clearTimeout(this.#deadline);
    if (!this.lost.aborted) this.#lost.abort(reason);
    this.#hurry.abort();
  }

  /** The host counts the lease from when it renewed, which is not before this worker asked. */
  #expectRenewal(from: number): void {
    clearTimeout(this.#lease);
    const left_ms = from + this.#lease_ms - performance.now();
    const lapse = (): void => this.lose("lease_lost", "the lease ran out without a renewal");
    this.#lease = setTimeout(lapse, Math.max(left_ms, 0));
  }

  #watchDeadline(deadline_at: number): void {
    // The wire rounds instants down: only a second later has it passed for certain.
    const left_ms = (deadline_at + 1) * 1000 - this.readHostClock();
    if (left_ms <= 0) return this.stop("deadline", "the run's deadline has passed");
    const look = (): void => this.#watchDeadline(deadline_at);
    this.#deadline = setTimeout(look, Math.min(Math.ceil(left_ms), longest_timer_ms));
  }

  async #keep(): Promise<void> {
    const usual_ms = this.#lease_ms / 3;
    // Runs that were claimed together do not renew together.
    let wait_ms = usual_ms * (0.8 + Math.random() / 5);
    for (let failures = 0; ;) {
      await pause(wait_ms, this.#hurry.signal);
      if (this.lost.aborted) return;
      this.#hurry = new AbortController();
      try {
        await this.#renew();
        failures = 0;
        wait_ms = usual_ms;
      } catch (thrown) {
        if (this.lost.aborted) return;
        if (isRefusal(thrown, "LEASE_LOST", "RUN_TERMINAL")) {
          return this.lose("lease_lost", "the claim is not active any more", thrown);
        }
        failures += 1;
        wait_ms = Math.min(pauseAfter(failures, thrown), usual_ms);
        if (!isRetryable(thrown)) this.#parts.report("run_renew_claim", thrown, this.#item.run_id);
      }
    }
  }

  async #renew(): Promise<void> {
    const { host, gates, options: { lease_seconds } } = this.#parts;
    const timeoutMs = this.#lease_ms / 3;
    const params = { target_run_id: this.#item.run_id, ...this.claim, lease_seconds };
    const { renewed, sent_at } = await gates.renewals(async () => {
      const sent_at = performance.now();
      const renewed = await host.runRenewClaim(params, { signal: this.lost, timeoutMs });
      return { renewed, sent_at };
    });
    if (this.lost.aborted) return;
    this.#expectRenewal(sent_at);
    if (renewed.cancel_requested_at === null) return;
    this.stop("cancel_requested", renewed.cancel_reason ?? "cancel requested");
  }
}

function readTrace(parts: WorkerParts, { claim_token: _, ...run }: WorkItem): TraceParams {
  try {
    const traceparent = parts.options.traceparent(run);
    return traceparent === undefined ? {} : { _meta: { traceparent } };
  } catch (thrown) {
    // A run is not given up for want of its trace.
    parts.report("traceparent", thrown, run.run_id);
    return {};
  }
}
