// One attempt at one claimed run: runs the handler and ends the run by what came of it. Whatever
// the handler does, the attempt never rejects, writes nothing once the claim is lost, and ends the
// run or gives it back within the settle time of a stop.

import type { WorkItem } from "../../client/client.js";
import { isRefusal, pause, repeatCall } from "../repeat.js";
import type { Completion, HandlerResult, Runner } from "../runners.js";
import type { WorkerParts } from "../worker_parts.js";
import { Bell } from "./bell.js";
import { readCheckpoint, type Resumed } from "./checkpoint.js";
import { createContext } from "./context.js";
import { EmitQueue, type EventToEmit } from "./emit_queue.js";
import { readMessage } from "./emitter.js";
import { Hold } from "./hold.js";
import type { Inbox } from "./steering.js";
import { describeFailure, RunFailed, RunStopped } from "./stop.js";

type Outcome = { returned: HandlerResult } | { thrown: unknown } | "unsettled";

export class Attempt {
  readonly run_id: string;
  readonly hold: Hold;
  /** Settles when the run is ended, given back or lost; never rejects. */
  readonly ended: Promise<void>;
  /** Settles when the handler, too, has come to its end; never rejects. */
  readonly settled: Promise<void>;
  readonly #parts: WorkerParts;
  readonly #item: WorkItem;
  readonly #runner: Runner;
  readonly #queue: EmitQueue;
  readonly #bell = new Bell();
  #inbox: Inbox | null = null;

  /** `received_at` is performance.now() when the claim's answer came. */
  constructor(
    parts: WorkerParts,
    { item, runner, received_at }: { item: WorkItem; runner: Runner; received_at: number },
  ) {
    this.run_id = item.run_id;
    this.#parts = parts;
    this.#item = item;
    this.#runner = runner;
    this.hold = new Hold(parts, item, received_at);
    this.#queue = this.#openQueue();
    const handled = this.#handle();
    this.ended = this.#end(handled);
    this.settled = Promise.all([this.ended, handled]).then(() => undefined);
  }

  /** A hint of the host: steering, or an answer, may have come. */
  ring(): void {
    this.#bell.ring();
  }

  #openQueue(): EmitQueue {
    const { hold } = this;
    const named = { target_run_id: this.run_id, ...hold.proof };
    return new EmitQueue({
      last_sequence: this.#item.last_sequence,
      lost: hold.lost,
      send: (event) => this.#parts.gates.emits(() =>
        this.#parts.host.runEmitResult(
          { ...named, ...hold.trace, ...event }, { signal: hold.lost })),
      sendTogether: async (events) => {
        const results = events.map((event) => ({ ...named, ...event }));
        // The trace is the call's: items of a list have none of their own.
        const { items } = await this.#parts.gates.emits(() =>
          this.#parts.host.runEmitResult({ results, ...hold.trace }, { signal: hold.lost }));
        return items;
      },
      onLost: (refusal) =>
        hold.lose("lease_lost", "the claim is not active any more", refusal),
      onUnheardRefusal: (refusal) =>
        hold.stop("emit_failed", "an event that nobody awaited was refused", refusal),
    });
  }

  async #handle(): Promise<Outcome> {
    try {
      const resumed = await this.#readResumed();
      this.hold.stopping.throwIfAborted();
      const { claim_token: _, ...run } = this.#item;
      const { ctx, inbox } = createContext({
        parts: this.#parts,
        run,
        hold: this.hold,
        queue: this.#queue,
        bell: this.#bell,
        resumed,
      });
      this.#inbox = inbox;
      return { returned: await this.#runner.run(run, ctx) };
    } catch (thrown) {
      return { thrown };
    }
  }

  async #readResumed(): Promise<Resumed | null> {
    const { claim_epoch, last_sequence, run_id } = this.#item;
    if (!this.#runner.resumable || claim_epoch === 1) return null;
    const checkpoint = last_sequence === 0 ? null : await readCheckpoint((params) =>
      repeatCall(() => this.#call("run_events_page", { run_id, ...params }), this.hold.lost));
    return { last_sequence, checkpoint };
  }

  async #end(handled: Promise<Outcome>): Promise<void> {
    const outcome = await this.#await(handled);
    try {
      if (!this.hold.lost.aborted) await this.#finish(outcome);
    } catch (thrown) {
      if (!this.hold.lost.aborted) await this.#giveUp(thrown);
    } finally {
      this.hold.close(new RunStopped("lease_lost", "the run is not this attempt's any more"));
    }
  }

  /** The handler's outcome, or `unsettled` when it does not heed its signal. */
  async #await(handled: Promise<Outcome>): Promise<Outcome> {
    const { stopping, lost } = this.hold;
    const overdue = new AbortController();
    const watch = async (): Promise<Outcome> => {
      await untilAborted(stopping, overdue.signal);
      const settle_ms = this.#parts.options.settle_seconds * 1000;
      await pause(settle_ms, AbortSignal.any([lost, overdue.signal]));
      return "unsettled";
    };
    const outcome = await Promise.race([handled, watch()]);
    overdue.abort();
    return outcome;
  }

  async #finish(outcome: Outcome): Promise<void> {
    await this.#queue.settle();
    if (this.hold.stopping.aborted) return this.#finishStopped(this.hold.stopping.reason);
    if (outcome === "unsettled") return;
    if ("thrown" in outcome) return this.#fail(outcome.thrown);
    try {
      const completed = readResult(outcome.returned);
      await this.#inbox?.finish();
      await this.#emit(completed);
    } catch (thrown) {
      if (!this.hold.lost.aborted) await this.#fail(thrown);
    }
  }

  async #finishStopped(stopped: RunStopped): Promise<void> {
    switch (stopped.kind) {
      case "cancel_requested":
        return this.#emit({
          type: "run.failed", data: { error: stopped.message, code: "cancelled" },
        });
      case "deadline": {
        const reason = { status: "timeout", status_reason: "deadline exceeded" };
        await this.#write("run_finalize", reason);
        return;
      }
      case "shutdown":
        return this.#release(stopped.message);
      case "emit_failed":
        return this.#fail(stopped.cause);
      default:
        return;
    }
  }

  async #fail(thrown: unknown): Promise<void> {
    this.#parts.report("handler", thrown, this.run_id);
    const usage = thrown instanceof RunFailed ? thrown.usage : undefined;
    await this.#emit({ type: "run.failed", data: { ...describeFailure(thrown) }, usage });
  }

  /** The host takes no end of this run: it goes back, and `max_attempts` decides. */
  async #giveUp(thrown: unknown): Promise<void> {
    this.#parts.report("run_emit_result", thrown, this.run_id);
    const passed = (cause: unknown): void =>
      this.#parts.report("run_release_claim", cause, this.run_id);
    await this.#release("the host refused the end of this attempt").catch(passed);
  }

  /** An attempt under which nothing was stored does not count. */
  async #release(status_reason: string): Promise<void> {
    const refund_attempt = !this.#queue.has_stored;
    try {
      await this.#write("run_release_claim", { status_reason, refund_attempt });
    } catch (thrown) {
      // A repeat of a release whose answer was lost; either way the claim is gone.
      if (isRefusal(thrown, "LEASE_LOST")) return;
      if (!isRefusal(thrown, "CONFLICT")) throw thrown;
      await this.#write("run_release_claim", { status_reason });
    }
  }

  async #emit(event: EventToEmit): Promise<void> {
    await this.#queue.push(event);
  }

  async #write(method: string, params: object): Promise<void> {
    const proved = { target_run_id: this.run_id, ...this.hold.claim, ...params };
    await repeatCall(() => this.#call(method, proved), this.hold.lost);
  }

  #call(method: string, params: object): Promise<any> {
    return this.#parts.gates.context(() =>
      this.#parts.host.call(method, { ...this.hold.trace, ...params }, { signal: this.hold.lost }));
  }
}

/** The event that completes the run with what its handler returned. */
function readResult(returned: HandlerResult): EventToEmit {
  const is_object = typeof returned === "object" && returned !== null && !Array.isArray(returned);
  if (!is_object && typeof returned !== "string" && returned !== undefined && returned !== null) {
    const message = `the handler returned a value that is no message: ${typeof returned}`;
    throw new RunFailed(message, { code: "worker.result_invalid" });
  }
  const is_completion = is_object && !("role" in returned);
  const { message, finish_reason, usage } = (
    is_completion ? returned : { message: returned ?? undefined }
  ) as Completion;
  const said = message === undefined ? undefined : readMessage(message);
  return { type: "run.completed", data: { message: said, finish_reason }, usage };
}

/** Resolves when either aborts. */
function untilAborted(signal: AbortSignal, other: AbortSignal): Promise<void> {
  const either = AbortSignal.any([signal, other]);
  if (either.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    either.addEventListener("abort", () => resolve(), { once: true });
  });
}
