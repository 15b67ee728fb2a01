// Makes the `ctx` of one attempt: its calls pass a gate, are repeated while they are retryable, and
// end with the claim. Called by the attempt.

import type { EmittedEvent } from "../../client/client.js";
import { isRefusal, repeatCall } from "../repeat.js";
import type { WorkerParts } from "../worker_parts.js";
import { ask } from "./ask.js";
import type { Bell } from "./bell.js";
import { checkpointEvent, type Resumed } from "./checkpoint.js";
import type { EmitQueue, EventToEmit } from "./emit_queue.js";
import { createEmitter, type EmitterParts, type StateScope } from "./emitter.js";
import type { Hold } from "./hold.js";
import type { ClaimedRun, RunContext, State } from "./run_context.js";
import { Inbox } from "./steering.js";

export interface ContextParts {
  parts: WorkerParts;
  run: ClaimedRun;
  hold: Hold;
  queue: EmitQueue;
  bell: Bell;
  resumed: Resumed | null;
}

type Call = (method: string, params?: object) => Promise<any>;

/** `inbox.finish` is for the attempt, when the handler has completed. */
export function createContext(given: ContextParts): { ctx: RunContext; inbox: Inbox } {
  const { hold, queue, bell, resumed } = given;
  const call: Call = (method, params) => quiet(callAsRun(given, method, params));
  const emitting = openEmits(given);
  const asked = new Set<string>();
  const waiting = {
    bell, stopping: hold.stopping, poll_seconds: given.parts.options.poll_seconds,
  };
  const inbox = new Inbox({
    ...waiting,
    pull: (ack) => call("steering_pull", { ...hold.claim, ...(ack.length > 0 ? { ack } : {}) }),
    ack: (steering_ids) => call("steering_ack", { ...hold.claim, steering_ids }),
    settleEmits: () => queue.settle(),
    isAsked: (interaction_id) => asked.has(interaction_id),
  });
  const askParts = {
    ...waiting,
    ...emitting,
    asked,
    read: (interaction_id: string) => call("interaction_get", { interaction_id }),
    readHostClock: () => hold.readHostClock(),
  };
  const ctx: RunContext = Object.freeze({
    run: given.run,
    signal: hold.stopping,
    emit: createEmitter(emitting),
    history: {
      page: (params) => call("history_page", params),
      search: (query, params) => call("history_search", { query, ...params }),
    },
    state: openState(given),
    resumed,
    steering: (options) => inbox.iterate(options),
    ask: (request) => quiet(ask(askParts, request)),
    checkpoint: (value) => queue.push(checkpointEvent(value)),
    prompt: () => quiet(call("prompt_get").then(({ prompt }) => prompt)),
    call,
  } satisfies RunContext);
  return { ctx, inbox };
}

function openEmits({ run, hold, queue }: ContextParts): EmitterParts {
  const push = (event: EventToEmit): Promise<EmittedEvent> => queue.push(event);
  let made = 0;
  return {
    push,
    pushNew: (event) =>
      hold.stopping.aborted ? quiet(Promise.reject(hold.stopping.reason)) : push(event),
    makeId(prefix) {
      made += 1;
      return `${prefix}-${run.claim_epoch}-${made}`;
    },
  };
}

type Conditional = { scope: StateScope; key: string; value?: unknown; if_version?: number };

function openState(given: ContextParts): State {
  const read = (method: string, params: object): Promise<any> =>
    quiet(callAsRun(given, method, params));
  const write = (method: string, params: Conditional): Promise<any> => {
    // A conditional write whose answer was lost would be refused by what it wrote itself.
    const repeats = params.if_version === undefined;
    return quiet(callAsRun(given, method, { ...given.hold.claim, ...params }, { repeats }));
  };
  return {
    get: (scope, key) => read("state_get", { scope, key }),
    set: (scope, key, value, options) => write("state_set", { scope, key, value, ...options }),
    delete: (scope, key, options) => write("state_delete", { scope, key, ...options }),
    list: (scope, params) => read("state_list", { scope, ...params }),
  };
}

async function callAsRun(
  { parts, run: { run_id }, hold }: ContextParts,
  method: string,
  params?: object,
  { repeats } = { repeats: true },
): Promise<any> {
  const callOnce = (): Promise<any> => parts.gates.context(() =>
    parts.host.call(method, { run_id, ...hold.trace, ...params }, { signal: hold.lost }));
  try {
    hold.lost.throwIfAborted();
    return await (repeats ? repeatCall(callOnce, hold.lost) : callOnce());
  } catch (thrown) {
    if (isRefusal(thrown, "LEASE_LOST", "RUN_TERMINAL")) {
      hold.lose("lease_lost", "the claim is not active any more", thrown);
    }
    throw thrown;
  }
}

/** A handler may leave any call alone; its rejection is then nobody's. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
