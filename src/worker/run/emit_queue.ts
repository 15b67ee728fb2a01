// The events of one run, numbered and stored strictly in the order of `push`, also when nobody
// awaits. What queues up while events are in flight goes out together; an event whose answer was
// lost is sent again under its number, so that nothing is stored twice. Called by the emitter.

import { HostError, type EmittedEvent, type ItemError } from "../../client/client.js";
import { isRefusal, isRetryable, pause, pauseAfter } from "../repeat.js";
import { Acknowledgement } from "./acknowledgement.js";
import { RunFailed } from "./stop.js";

export interface EventToEmit {
  type: string;
  data: Record<string, unknown>;
  usage?: Record<string, unknown> | undefined;
}

export type NumberedEvent = EventToEmit & { sequence: number };
export type SentItem = { result: EmittedEvent } | { error: ItemError };

export interface EmitQueueOptions {
  /** Numbering goes on after it. */
  last_sequence: number;
  send(event: NumberedEvent): Promise<EmittedEvent>;
  /** Several in one call, in this order; answers for each. Rejects where none was looked at. */
  sendTogether(events: NumberedEvent[]): Promise<SentItem[]>;
  /** Aborted when nothing more may be written: all that waits is rejected with its reason. */
  lost: AbortSignal;
  /** A write was refused because the claim is gone or the run has ended. */
  onLost(refusal: unknown): void;
  /** An event was refused and nobody has asked for its acknowledgement. */
  onUnheardRefusal(refusal: unknown): void;
}

/** Deltas and tool events of one run that go out in one call, and their JSON. */
const emits_together_max = 100;
const emits_together_characters_max = 2 ** 18;
/** Events of one run that wait to be stored; who awaits now and then never gets there. */
const emits_waiting_max = 1000;
/** Of their JSON. */
const emits_waiting_characters_max = 16 * 2 ** 20;

const pipelined_types = ["message.delta", "tool.call.started", "tool.call.completed"];

/** Displaced: surely not stored, its number is somebody else's. Unknown: perhaps stored. */
type Outcome = "stored" | "refused" | "displaced" | "unknown";

interface Entry {
  event: EventToEmit;
  characters: number;
  sequence: number;
  acknowledgement: Acknowledgement<EmittedEvent>;
}

export class EmitQueue {
  /** Whether an event of this claim is known to be stored. */
  has_stored = false;
  readonly #options: EmitQueueOptions;
  readonly #waiting: Entry[] = [];
  #waiting_characters = 0;
  #last_sequence: number;
  #draining: Promise<void> | null = null;
  #may_pipeline = true;

  constructor(options: EmitQueueOptions) {
    this.#options = options;
    this.#last_sequence = options.last_sequence;
    const rejectAll = (): void => {
      for (const { acknowledgement } of this.#waiting.splice(0)) {
        acknowledgement.refuse(options.lost.reason);
      }
    };
    options.lost.addEventListener("abort", rejectAll, { once: true });
  }

  /** Resolves with the stored event. The data is taken as it is now; later changes do not count. */
  push(event: EventToEmit): Promise<EmittedEvent> {
    const acknowledgement = new Acknowledgement<EmittedEvent>(this.#options.onUnheardRefusal);
    const { lost } = this.#options;
    try {
      lost.throwIfAborted();
      const text = JSON.stringify(event);
      this.#admit(text.length);
      const kept = { event: JSON.parse(text), characters: text.length, sequence: 0 };
      this.#waiting.push({ ...kept, acknowledgement });
      this.#waiting_characters += text.length;
      this.#draining ??= this.#drain();
    } catch (thrown) {
      acknowledgement.refuse(thrown);
    }
    return acknowledgement.promise;
  }

  /** Resolves when everything pushed so far is stored or refused; never rejects. */
  async settle(): Promise<void> {
    await this.#draining;
    // By then whoever has to hear of a refusal has heard of it.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #admit(characters: number): void {
    const is_full = this.#waiting.length >= emits_waiting_max
      || this.#waiting_characters + characters > emits_waiting_characters_max;
    if (!is_full || this.#waiting.length === 0) return;
    const message = `${this.#waiting.length} events wait to be stored; await some of them`;
    throw new RunFailed(message, { code: "worker.emit_queue_full", retryable: true });
  }

  async #drain(): Promise<void> {
    // Events that are emitted in the same turn go out together.
    await null;
    for (let entries = this.#take(); entries.length > 0; entries = this.#take()) {
      const outcomes = await this.#send(entries);
      for (const [index, entry] of entries.entries()) {
        const outcome = outcomes[index];
        if (outcome === "stored" || outcome === "refused") continue;
        // Its number can only be given up where none of those behind it may have been stored.
        const is_last = outcomes.slice(index + 1)
          .every((behind) => behind === "refused" || behind === "displaced");
        this.#may_pipeline = false;
        await this.#sendAgain(entry, is_last);
      }
    }
    this.#draining = null;
  }

  #take(): Entry[] {
    const count = this.#may_pipeline
      ? this.#waiting.findIndex(({ event }) => !pipelined_types.includes(event.type)) : 1;
    const together = count === -1 ? this.#waiting.length : Math.max(count, 1);
    let characters = 0;
    const over = this.#waiting.findIndex((entry, place) => {
      characters += entry.characters;
      return place > 0 && characters > emits_together_characters_max;
    });
    const fitting = over === -1 ? emits_together_max : Math.min(over, emits_together_max);
    const taken = this.#waiting.splice(0, Math.min(together, fitting));
    for (const entry of taken) {
      this.#waiting_characters -= entry.characters;
      this.#last_sequence += 1;
      entry.sequence = this.#last_sequence;
    }
    return taken;
  }

  async #send(entries: readonly Entry[]): Promise<Outcome[]> {
    const { lost, send, sendTogether } = this.#options;
    const [first, ...others] = entries.map(({ event, sequence }) => ({ ...event, sequence }));
    if (first === undefined) return [];
    try {
      lost.throwIfAborted();
      const items = others.length === 0
        ? [{ result: await send(first) }] : await sendTogether([first, ...others]);
      return entries.map((entry, place) => this.#noteItem(entry, items[place]!));
    } catch (thrown) {
      if (others.length === 0) return entries.map((entry) => this.#noteFailure(entry, thrown));
      if (lost.aborted) return entries.map((entry) => this.#refuse(entry, lost.reason));
      // A list that is refused, by a host that takes none or fewer bytes, has stored nothing.
      return entries.map(() => (isRetryable(thrown) ? "unknown" : "displaced"));
    }
  }

  #noteItem(entry: Entry, item: SentItem): Outcome {
    if ("error" in item) {
      const { message, code, data } = item.error;
      return this.#noteFailure(entry, new HostError(message, code, data));
    }
    this.has_stored = true;
    entry.acknowledgement.accept(item.result);
    return "stored";
  }

  #noteFailure(entry: Entry, thrown: unknown): Outcome {
    const { lost, onLost } = this.#options;
    if (lost.aborted) return this.#refuse(entry, lost.reason);
    if (isRetryable(thrown)) return "unknown";
    if (isSequenceTaken(thrown)) return "displaced";
    if (isRefusal(thrown, "LEASE_LOST", "RUN_TERMINAL")) onLost(thrown);
    return this.#refuse(entry, thrown);
  }

  async #sendAgain(entry: Entry, is_last: boolean): Promise<void> {
    const { lost, send } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        lost.throwIfAborted();
        const stored = await send({ ...entry.event, sequence: entry.sequence });
        this.has_stored = true;
        return entry.acknowledgement.accept(stored);
      } catch (thrown) {
        if (lost.aborted) return void this.#refuse(entry, lost.reason);
        if (isSequenceTaken(thrown)) {
          if (!is_last) return this.#breakOff(entry, thrown);
          // Somebody else wrote to the run, so this event was never stored: it takes a new number.
          this.#last_sequence = Math.max(this.#last_sequence, thrown.data["last_sequence"]) + 1;
          entry.sequence = this.#last_sequence;
        } else if (!isRetryable(thrown)) {
          if (isRefusal(thrown, "LEASE_LOST", "RUN_TERMINAL")) this.#options.onLost(thrown);
          return void this.#refuse(entry, thrown);
        } else {
          await pause(pauseAfter(failures, thrown), lost);
        }
      }
    }
  }

  /** An event behind it was stored first: to store it now would change the order. */
  #breakOff(entry: Entry, cause: unknown): void {
    const message = `event ${entry.sequence} was not stored before those behind it`;
    const broken = new RunFailed(message, {
      code: "worker.order_lost", retryable: true, cause,
    });
    this.#refuse(entry, broken);
    this.#options.onUnheardRefusal(broken);
  }

  #refuse(entry: Entry, thrown: unknown): Outcome {
    entry.acknowledgement.refuse(thrown);
    return "refused";
  }
}

const isSequenceTaken = (thrown: unknown): thrown is HostError =>
  isRefusal(thrown, "CONFLICT") && Number.isInteger(thrown.data["last_sequence"]);
