// The events of one run as an async iterator that has no gap and no duplicate: it resumes from its
// last event after a reconnect, after the host dropped a slow subscription, and after the program
// was so slow that the buffer was full. Ends after the run has ended.

import type { Run, RunEvent } from "../../protocol/methods.js";
import type { Calls } from "./calls.js";
import { HostError } from "./host_error.js";

export interface EventsOptions {
  /** Only what comes after this event's sequence, or what a page's next_cursor says. */
  afterCursor?: string | undefined;
  /** The caller's own run under whose authority it follows: `run_id` of the protocol. */
  ownRunId?: string | undefined;
  /** Ends the iteration: the next event is the signal's reason, thrown. */
  signal?: AbortSignal | undefined;
}

/** For one loop. Leaving the loop ends the subscription. */
export interface RunEvents extends AsyncIterableIterator<RunEvent, Run | undefined> {
  /** The run as it ended, once the loop has come to its end; null before. */
  readonly run: Run | null;
  return(): Promise<IteratorResult<RunEvent, Run | undefined>>;
}

/** What one iterator holds at most, in events and in characters; more is read again later. */
const buffer_events = 1000;
const buffer_characters = 4 * 1024 * 1024;

/** Every live subscription of a client, by its id. */
export class Followers {
  readonly #followers = new Map<string, Follower>();
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  follow(run_id: string, options: EventsOptions): RunEvents {
    return new Follower({ calls: this.#calls, followers: this.#followers, run_id, ...options });
  }

  /** Any notification of the host. */
  hear(method: string, params: Record<string, any>, characters: number): void {
    const follower = this.#followers.get(params["subscription_id"]);
    if (follower === undefined) return;
    if (method === "run_event") follower.take(params["event"], characters);
    if (method === "run_ended") follower.end(params["run"]);
    if (method === "subscription_dropped") follower.drop(params);
  }

  /** The connection is gone, and every subscription with it. */
  loseAll(): void {
    for (const follower of [...this.#followers.values()]) follower.detach();
  }
}

interface FollowerOptions extends EventsOptions {
  calls: Calls;
  followers: Map<string, Follower>;
  run_id: string;
}

class Follower implements RunEvents {
  run: Run | null = null;
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #events: AsyncGenerator<RunEvent, Run | undefined>;
  readonly #buffer: { event: RunEvent; characters: number }[] = [];
  #characters = 0;
  #cursor: string | undefined;
  #last_sequence = 0;
  #subscription: string | null = null;
  #failure: HostError | null = null;
  #left = false;
  #wake = (): void => undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#cursor = options.afterCursor;
    this.#events = this.#pull();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RunEvent, Run | undefined>> {
    return this.#events.next();
  }

  return(): Promise<IteratorResult<RunEvent, Run | undefined>> {
    this.#left = true;
    this.#stop.abort();
    this.#wake();
    return this.#events.return(undefined);
  }

  take(event: RunEvent, characters: number): void {
    if (event.sequence <= this.#last_sequence) return;
    this.#last_sequence = event.sequence;
    this.#cursor = String(event.sequence);
    this.#buffer.push({ event, characters });
    this.#characters += characters;
    const full = this.#buffer.length >= buffer_events || this.#characters >= buffer_characters;
    // What else comes is read again from the cursor once the program has caught up.
    if (full) this.#unsubscribe();
    this.#wake();
  }

  end(run: Run): void {
    this.run = run;
    this.detach();
  }

  drop({ reason, resume_after }: Record<string, any>): void {
    // Nothing above the last event that came has been missed, whatever was sent beyond it.
    this.#cursor ??= resume_after;
    if (reason !== "slow") {
      const message = `the subscription of run ${this.#options.run_id} has ended: ${reason}`;
      const data = { code: "FORBIDDEN", retryable: false, reason };
      this.#failure = new HostError(message, -32002, data);
    }
    this.detach();
  }

  detach(): void {
    if (this.#subscription !== null) this.#options.followers.delete(this.#subscription);
    this.#subscription = null;
    this.#wake();
  }

  async *#pull(): AsyncGenerator<RunEvent, Run | undefined> {
    const { signal } = this.#options;
    const abort = (): void => {
      this.#stop.abort(signal?.reason);
      this.#wake();
    };
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      for (let attached = false; ; ) {
        if (this.#left) return undefined;
        this.#stop.signal.throwIfAborted();
        const next = this.#buffer.shift();
        if (next !== undefined) {
          this.#characters -= next.characters;
          yield next.event;
        } else if (this.#failure !== null) throw this.#failure;
        else if (this.run !== null) return this.run;
        else if (this.#subscription !== null) await new Promise<void>((go) => (this.#wake = go));
        else {
          await this.#subscribe(attached);
          attached = true;
        }
      }
    } catch (thrown) {
      if (this.#left) return undefined;
      throw thrown;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#left = true;
      this.#unsubscribe();
    }
  }

  /** Later attempts wait for the host as long as it takes. */
  async #subscribe(again: boolean): Promise<void> {
    const { calls, run_id, ownRunId, followers } = this.#options;
    const params = { run_id: ownRunId, target_run_id: run_id, after_cursor: this.#cursor };
    await calls.call("run_subscribe", params, {
      signal: this.#stop.signal,
      timeoutMs: again ? Infinity : undefined,
      hear: ({ subscription_id }) => {
        if (this.#left || this.#subscription !== null) return this.#unsubscribe(subscription_id);
        this.#subscription = subscription_id;
        followers.set(subscription_id, this);
      },
    });
  }

  #unsubscribe(subscription_id = this.#subscription): void {
    if (subscription_id === null) return;
    if (subscription_id === this.#subscription) this.detach();
    // Where it fails the connection is gone, and the subscription with it.
    this.#options.calls.call("run_unsubscribe", { subscription_id }).catch(() => undefined);
  }
}
