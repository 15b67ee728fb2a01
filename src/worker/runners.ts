// What a worker's `runners` option may hold, and the descriptors that runner_register takes of it.
// Throws TypeError for a name or an entry that cannot serve.

import type { Message } from "../client/client.js";
import type { ClaimedRun, RunContext } from "./run/run_context.js";

/** How a run that completed may say more than its message. */
export interface Completion {
  message?: Message | string;
  /** Becomes the run's status_reason. Default: `stop`. */
  finish_reason?: string;
  /** `{prompt_tokens, completion_tokens, total_tokens}` and what else is counted. */
  usage?: Record<string, unknown>;
}

/**
 * Works on one run. What it returns completes the run: a string or a Message (an object with
 * `role`) becomes the message of `run.completed`, nothing completes it plainly, an object without
 * `role` is a Completion. What it throws fails the run: RunFailed as it says, a refusal of the host
 * as retryable as the host says (CONFLICT counts as retryable), anything else retryable, so that
 * the run's `max_attempts` decides. Once `ctx.signal` is aborted neither counts: the reason does.
 */
export type RunHandler = (
  run: ClaimedRun,
  ctx: RunContext,
) => Promise<HandlerResult> | HandlerResult;

export type HandlerResult = string | Message | Completion | undefined | null | void;

export interface RunnerDeclaration {
  run: RunHandler;
  /** Names by locale, `{ en: "Summarizer" }`, up to 255 characters each. */
  label?: Record<string, string>;
  /** Texts by locale, up to 2000 characters each. */
  description?: Record<string, string>;
  plugin_version?: string;
  /** `steering: false` and `interactions: false` tell the host not to offer them. */
  capabilities?: Record<string, boolean>;
  config_schema?: Record<string, unknown>[];
  permissions?: Record<string, string[]>;
  raw_manifest?: Record<string, unknown>;
  /**
   * True: a run that comes again after an interruption gets `ctx.resumed`, with its last sequence
   * and the value of its last `ctx.checkpoint`. Otherwise it starts from the beginning. Default
   * false. Either way an interrupted run is released with a reason.
   */
  resumable?: boolean;
}

export type Runners = Record<string, RunHandler | RunnerDeclaration>;

export interface Runner {
  run: RunHandler;
  resumable: boolean;
  /** As runner_register takes it. */
  descriptor: { id: string };
}

const runner_name = /^[A-Za-z0-9_.-]+$/;
/** runner_register and run_claim take no more in one call. */
const runners_max = 100;

/** By runner id. */
export function readRunners(runners: Runners, identity: string): Map<string, Runner> {
  const entries = Object.entries(runners ?? {});
  if (entries.length === 0) throw new TypeError("runners is empty: nothing could be claimed");
  if (entries.length > runners_max) {
    throw new TypeError(`runners has ${entries.length} entries, more than ${runners_max}`);
  }
  return new Map(entries.map(([name, entry]) => {
    const declaration = typeof entry === "function" ? { run: entry } : entry;
    if (!runner_name.test(name)) throw new TypeError(`"${name}" cannot name a runner`);
    if (typeof declaration?.run !== "function") {
      throw new TypeError(`runners.${name} is neither a function nor { run: function }`);
    }
    const { run, resumable = false, ...described } = declaration;
    const id = `plugin:${identity}/${name}`;
    return [id, { run, resumable, descriptor: { id, ...described } }];
  }));
}
