// The public door of `runhost/worker`: createWorker serves the runners of one plugin over one Host
// until it is stopped. It throws for options that cannot work; afterwards nothing it does is thrown
// or left as an unhandled rejection: `done` tells how it ended.

import { setMaxListeners } from "node:events";
import { ClaimLoop } from "./claim_loop.js";
import { checkOptions, readGrace, type WorkerOptions } from "./options.js";
import { Presence } from "./presence.js";
import { waitFor } from "./repeat.js";
import { createParts, type WorkerParts } from "./worker_parts.js";

export type { WorkerOptions, WorkerProblem } from "./options.js";
export type {
  Completion, HandlerResult, RunHandler, RunnerDeclaration, Runners,
} from "./runners.js";
export type { ClaimedRun, History, PageParams, RunContext, State } from "./run/run_context.js";
export type { Resumed } from "./run/checkpoint.js";
export type {
  Chunk, Emitter, InteractionField, InteractionRequest, StateScope, ToolReport,
} from "./run/emitter.js";
export type { InteractionOutcome } from "./run/ask.js";
export type { SteeringOptions } from "./run/steering.js";
export { RunFailed, RunStopped, type RunFailedOptions, type StopKind } from "./run/stop.js";

export interface WorkerEnd {
  /** `refused`: the host did not take the registration. */
  reason: "stopped" | "host_closed" | "refused";
  error: unknown;
  /** Runs whose handlers had not ended; their claims are given back, their code still runs. */
  unsettled_run_ids: string[];
}

export interface StopOptions {
  /** How long handlers may go on before their signal is aborted, 0 to 86400. Default 30. */
  grace_seconds?: number;
}

export interface Worker {
  readonly runtime_id: string;
  /** Runs that are worked on now. */
  readonly running_count: number;
  /**
   * Resolves when all is registered; rejects when the host refuses it, or it is stopped before.
   * Who does not look at it is told by `done` and `onProblem` only.
   */
  readonly ready: Promise<void>;
  /** Settles when the worker has come to its end; never rejects. */
  readonly done: Promise<WorkerEnd>;
  /**
   * Takes no further run, lets handlers go on for the grace, then aborts their signals (`shutdown`)
   * and gives back what is unfinished, with a reason; at last the runtime is deregistered. The Host
   * stays open. Called again it can shorten the grace.
   */
  stop(options?: StopOptions): Promise<WorkerEnd>;
  /**
   * Stops at SIGTERM and SIGINT: the first begins the grace, the second ends it. The process ends
   * when the Host is closed after `done`. The returned function takes the listeners away.
   */
  stopOnSignals(options?: StopOptions): () => void;
}

/**
 * Serves runners: registers them and a runtime, claims up to `concurrency` runs, keeps their
 * leases, and ends each run by what its handler returns or throws.
 *
 * A run whose worker dies is claimed again when its lease has run out, and its handler begins anew
 * (see `resumable`). Within one worker a run is never worked on twice at once.
 */
export const createWorker = (options: WorkerOptions): Worker => new RunningWorker(options);

/** For the calls that give claims back, and again for the one that ends the runtime. */
const last_calls_ms = 5000;
/** The grace itself is a timer of `stop`. */
const longest_grace_ms = 2 ** 31 - 1;
/** A claim call that waits at the host looks at its runtime each second. */
const claim_drain_ms = 3000;

class RunningWorker implements Worker {
  readonly runtime_id: string;
  readonly ready: Promise<void>;
  readonly done: Promise<WorkerEnd>;
  readonly #parts: WorkerParts;
  readonly #presence: Presence;
  readonly #claims: ClaimLoop;
  /** Aborted at the very end: no call but the last ones is made. */
  readonly #ending = new AbortController();
  /** Aborted when the grace is over. */
  readonly #hurry = new AbortController();
  readonly #stopAsked: Promise<void>;
  #askStop: () => void = () => undefined;
  readonly #graces = new Set<NodeJS.Timeout>();

  constructor(options: WorkerOptions) {
    const checked = checkOptions(options);
    const { host, onProblem = () => undefined } = options;
    setMaxListeners(0, this.#ending.signal, this.#hurry.signal);
    this.runtime_id = checked.runtime_id;
    this.#parts = createParts(host, checked, onProblem);
    this.#presence = new Presence(this.#parts, this.#ending.signal);
    this.#claims = new ClaimLoop(this.#parts, this.#presence, this.#ending.signal);
    this.#stopAsked = new Promise((resolve) => {
      this.#askStop = resolve;
    });
    const deaf = this.#listen();
    this.ready = this.#presence.register();
    this.ready.catch(() => undefined);
    this.done = this.#live().finally(() => {
      deaf();
      for (const grace of this.#graces) clearTimeout(grace);
    });
  }

  get running_count(): number {
    return this.#claims.attempts.length;
  }

  stop({ grace_seconds }: StopOptions = {}): Promise<WorkerEnd> {
    const grace_ms = readGrace(grace_seconds) * 1000;
    if (this.#ending.signal.aborted) return this.done;
    this.#graces.add(setTimeout(() => this.#hurry.abort(), grace_ms));
    this.#askStop();
    return this.done;
  }

  stopOnSignals(options: StopOptions = {}): () => void {
    let heard = 0;
    const hear = (): void => {
      heard += 1;
      void this.stop(heard === 1 ? options : { grace_seconds: 0 });
    };
    const signals = ["SIGTERM", "SIGINT"] as const;
    for (const signal of signals) process.on(signal, hear);
    const remove = (): void => signals.forEach((signal) => process.off(signal, hear));
    void this.done.then(remove);
    return remove;
  }

  #listen(): () => void {
    const { host } = this.#parts;
    const deafToNotes = host.onNotification((method, params) => {
      const attempt = this.#claims.find(params["run_id"]);
      if (method === "steering_available") attempt?.ring();
      if (method !== "run_cancel_requested") return;
      attempt?.hold.stop("cancel_requested", params["status_reason"] ?? "cancel requested");
    });
    const deafToState = host.onState((state) => {
      if (state === "open") void this.#resume();
    });
    return () => {
      deafToNotes();
      deafToState();
    };
  }

  /** After a reconnect: hints may have been missed, and the host may have forgotten the runtime. */
  async #resume(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    for (const attempt of this.#claims.attempts) {
      attempt.hold.renewNow();
      attempt.ring();
    }
    // What the host refuses is reported; the worker goes on with what it was registered as.
    await this.#presence.register().catch(() => undefined);
  }

  async #live(): Promise<WorkerEnd> {
    const closed = this.#parts.host.closed.then(() => "host_closed" as const);
    const stopped = this.#stopAsked.then(() => "stopped" as const);
    const never = new Promise<never>(() => undefined);
    const refused = this.ready.then(() => never, (error: unknown) => ({ error }));
    const serving = this.ready.then(() => this.#serve(), () => undefined);
    const why = await Promise.race([closed, stopped, refused]);
    if (why === "stopped") return this.#drain(serving);
    if (why === "host_closed") return this.#breakOff(why, null);
    return this.#breakOff("refused", why.error);
  }

  async #serve(): Promise<void> {
    void this.#presence.keep();
    await this.#claims.run();
  }

  async #drain(serving: Promise<void>): Promise<WorkerEnd> {
    const { settle_seconds } = this.#parts.options;
    const hurry = this.#hurry.signal;
    this.#claims.drain();
    void this.#presence.drain();
    await waitFor(serving, claim_drain_ms, hurry);
    await waitFor(this.#untilSettled(), longest_grace_ms, hurry);
    const { attempts } = this.#claims;
    for (const { hold } of attempts) hold.stop("shutdown", "the worker stops");
    const given_back = [this.#claims.settleReleases(), ...attempts.map(({ ended }) => ended)];
    const give_back_ms = settle_seconds * 1000 + last_calls_ms;
    await waitFor(Promise.all(given_back), give_back_ms, this.#ending.signal);
    this.#ending.abort();
    // Also gives back a claim whose answer never came.
    await this.#presence.deregister(AbortSignal.timeout(last_calls_ms)).catch((thrown: unknown) => {
      this.#parts.report("runtime_deregister", thrown);
    });
    return this.#end("stopped", null);
  }

  async #breakOff(reason: "host_closed" | "refused", error: unknown): Promise<WorkerEnd> {
    this.#claims.drain();
    for (const { hold } of this.#claims.attempts) {
      hold.lose("host_closed", "the connection to the host was closed for good");
    }
    this.#ending.abort();
    const settle_ms = this.#parts.options.settle_seconds * 1000;
    await waitFor(this.#untilSettled(), settle_ms, this.#hurry.signal);
    return this.#end(reason, error);
  }

  async #untilSettled(): Promise<void> {
    await Promise.all(this.#claims.attempts.map(({ settled }) => settled));
  }

  async #end(reason: WorkerEnd["reason"], error: unknown): Promise<WorkerEnd> {
    // Handlers that have just come to their end have left by then.
    await new Promise((resolve) => setImmediate(resolve));
    const unsettled_run_ids = this.#claims.attempts.map(({ run_id }) => run_id);
    return { reason, error, unsettled_run_ids };
  }
}
