// Takes work as long as there is room: one claim call at a time waits at the host for as many runs
// as there are free slots. A run whose earlier handler still goes on here is not started again; it
// is given back. Never rejects; called by the worker only.

import type { WorkItem } from "../client/client.js";
import type { Presence } from "./presence.js";
import { isRefusal, isRetryable, pause, pauseAfter, repeatCall } from "./repeat.js";
import { Attempt } from "./run/attempt.js";
import type { WorkerParts } from "./worker_parts.js";

/** run_claim takes no more. */
const claim_runs_max = 100;
/** Beside the time that the host waits, until a claim call counts as unanswered. */
const answer_seconds = 15;
/** A run that comes back while its last handler still goes on here is not due before. */
const give_back_seconds = 5;

export class ClaimLoop {
  readonly #parts: WorkerParts;
  readonly #presence: Presence;
  /** By run id; each takes a slot until its handler, too, has ended. */
  readonly #attempts = new Map<string, Attempt>();
  readonly #releases = new Set<Promise<void>>();
  readonly #ending: AbortSignal;
  #is_draining = false;
  #onFreed: () => void = () => undefined;

  constructor(parts: WorkerParts, presence: Presence, ending: AbortSignal) {
    this.#parts = parts;
    this.#presence = presence;
    this.#ending = ending;
  }

  get attempts(): readonly Attempt[] {
    return [...this.#attempts.values()];
  }

  /** Resolves when the runs that were not begun are given back. */
  async settleReleases(): Promise<void> {
    await Promise.all(this.#releases);
  }

  find(run_id: unknown): Attempt | undefined {
    return this.#attempts.get(String(run_id));
  }

  /** No further claim call; one that waits at the host ends when the runtime is not online. */
  drain(): void {
    this.#is_draining = true;
    this.#onFreed();
  }

  async run(): Promise<void> {
    let failures = 0;
    while (!this.#isOver()) {
      await this.#untilFree();
      if (this.#isOver()) return;
      const asked_at = performance.now();
      try {
        const items = await this.#claim();
        failures = 0;
        for (const item of items) this.#take(item);
      } catch (thrown) {
        if (this.#isOver()) return;
        failures = isRefusal(thrown, "NO_RUN_AVAILABLE") ? 0 : failures + 1;
        await this.#recover(thrown, { failures, asked_at });
      }
    }
  }

  #isOver(): boolean {
    return this.#is_draining || this.#ending.aborted;
  }

  #countFree(): number {
    return this.#parts.options.concurrency - this.#attempts.size;
  }

  async #untilFree(): Promise<void> {
    while (this.#countFree() <= 0 && !this.#isOver()) {
      await new Promise<void>((resolve) => {
        this.#onFreed = resolve;
      });
    }
  }

  async #claim(): Promise<WorkItem[]> {
    const { host, options } = this.#parts;
    const { runtime_id, queue_name, lease_seconds, wait_seconds } = options;
    const answer = await host.runClaim({
      runtime_id,
      queue_name,
      lease_seconds,
      wait_seconds,
      runner_ids: [...options.runners.keys()],
      max_runs: Math.min(this.#countFree(), claim_runs_max),
    }, { signal: this.#ending, timeoutMs: answer_seconds * 1000 });
    return answer.runs;
  }

  async #recover(
    thrown: unknown,
    { failures, asked_at }: { failures: number; asked_at: number },
  ): Promise<void> {
    if (failures === 0) {
      // A host that answers without having waited is not asked again at once.
      const waited_ms = performance.now() - asked_at;
      if (waited_ms < 500) await pause(pauseAfter(1), this.#ending);
      return;
    }
    const is_offline = isRefusal(thrown, "NOT_FOUND", "CONFLICT");
    if (is_offline && await this.#presence.revive() && failures === 1) return;
    if (!is_offline && !isRetryable(thrown)) this.#parts.report("run_claim", thrown);
    await pause(pauseAfter(failures, thrown), this.#ending);
  }

  #take(item: WorkItem): void {
    const received_at = performance.now();
    const { run_id } = item;
    const runner = this.#parts.options.runners.get(item.runner_id);
    if (this.#isOver()) return this.#giveBack(item, "the worker stops");
    const earlier = this.#attempts.get(run_id);
    if (earlier !== undefined || runner === undefined) {
      earlier?.hold.lose("lease_lost", "the run was claimed again");
      const not_before = (item.last_claimed_at ?? 0) + give_back_seconds;
      const reason = "the handler of an earlier attempt still goes on in this worker";
      return this.#giveBack(item, reason, not_before);
    }
    const attempt = new Attempt(this.#parts, { item, runner, received_at });
    this.#attempts.set(run_id, attempt);
    void attempt.settled.then(() => {
      this.#attempts.delete(run_id);
      this.#onFreed();
    });
  }

  /** Nothing was begun under this claim, so it does not count as an attempt. */
  #giveBack(item: WorkItem, status_reason: string, not_before?: number): void {
    const released = this.#release(item, { status_reason, not_before });
    this.#releases.add(released);
    void released.then(() => this.#releases.delete(released));
  }

  async #release(item: WorkItem, reason: object): Promise<void> {
    const { host, options: { runtime_id, lease_seconds } } = this.#parts;
    const { run_id: target_run_id, claim_token, claim_epoch } = item;
    const params = {
      target_run_id, runtime_id, claim_token, claim_epoch, ...reason, refund_attempt: true,
    };
    const leased = AbortSignal.timeout(lease_seconds * 1000);
    try {
      await repeatCall(() => host.runReleaseClaim(params, { signal: leased }), leased);
    } catch (thrown) {
      if (!leased.aborted && !isRefusal(thrown, "LEASE_LOST")) {
        this.#parts.report("run_release_claim", thrown, target_run_id);
      }
    }
  }
}
