// `ctx` as a handler sees it: events out, steering in, questions, history, state. Every call
// carries the run's authority and, where the contract takes it, the proof of the claim, so a
// handler that goes on after its lease was lost changes nothing.

import type {
  EmittedEvent, Message, SearchResult, StateKeys, StateValue, SteeringItem, TranscriptPage,
  WorkItem,
} from "../../client/client.js";
import type { InteractionOutcome } from "./ask.js";
import type { Resumed } from "./checkpoint.js";
import type { Emitter, InteractionRequest, StateScope } from "./emitter.js";
import type { SteeringOptions } from "./steering.js";

/** A claimed run as its handler sees it: everything but the proof of the claim. */
export type ClaimedRun = Omit<WorkItem, "claim_token">;

export interface PageParams {
  before_cursor?: string;
  after_cursor?: string;
  /** Default `backward`: newest first. */
  direction?: "backward" | "forward";
  /** 1 to 100, default 50. */
  limit?: number;
  include_attachments?: boolean;
}

export interface History {
  /** What was said in the run's conversation; an empty page for a run without one. */
  page(params?: PageParams): Promise<TranscriptPage>;
  /** Messages that match the words, newest first. */
  search(
    query: string,
    params?: { top_k?: number; filters?: { roles?: string[]; item_types?: string[] } },
  ): Promise<SearchResult>;
}

/**
 * The runner's own store beside the conversation. Each scope has to be allowed by the run's state
 * policy (`conversation` and `actor` unless the run says otherwise), else FORBIDDEN.
 */
export interface State {
  /** `{ value, found, version }`; an absent key is `{ value: null, found: false, version: 0 }`. */
  get(scope: StateScope, key: string): Promise<StateValue>;
  /** With `if_version` only over that version (0: must not exist), else CONFLICT. */
  set(
    scope: StateScope, key: string, value: unknown, options?: { if_version?: number },
  ): Promise<{ version: number }>;
  delete(
    scope: StateScope, key: string, options?: { if_version?: number },
  ): Promise<{ success: boolean }>;
  list(
    scope: StateScope, params?: { prefix?: string; after_key?: string; limit?: number },
  ): Promise<StateKeys>;
}

export interface RunContext {
  /** The run as it was claimed; the handler's first argument. */
  readonly run: ClaimedRun;
  /** Aborts when the work has to stop; its reason is a RunStopped whose `kind` says why. */
  readonly signal: AbortSignal;
  readonly emit: Emitter;
  readonly history: History;
  readonly state: State;
  /** What an earlier attempt left; null in the first attempt and for runners not `resumable`. */
  readonly resumed: Resumed | null;
  /** Messages and answers that reach the run while it is worked on. */
  steering(options?: SteeringOptions): AsyncIterableIterator<SteeringItem>;
  /**
   * Asks a person and waits for the outcome. Rejects with the RunStopped when the run is stopped
   * meanwhile. An `interaction_id` of your own makes the question survive an interruption: asked
   * again by a later attempt it is the same question, and an answer given meanwhile is its answer.
   */
  ask(request: InteractionRequest): Promise<InteractionOutcome>;
  /**
   * Stores a value (JSON, up to 1 MiB) that a resumable runner finds as `ctx.resumed.checkpoint`
   * when the run comes again. Events emitted before it are stored before it. Also taken after a
   * stop, while the claim holds.
   */
  checkpoint(value: unknown): Promise<EmittedEvent>;
  /** The prompt that the run was created with; rejects with NOT_FOUND where there is none. */
  prompt(): Promise<Message[]>;
  /** Any method that takes `run_id`, under this run's authority, repeated while retryable. */
  call(method: string, params?: object): Promise<any>;
}
