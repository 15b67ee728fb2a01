// What every command is made of: a call is sent, the reference says what is due, the two are compared.
// Callers, runs and claims are picked by small numbers, which fast-check can shrink.

import fc from "fast-check";
import { expect } from "vitest";
import type { Answer, Params } from "../../support/client.js";
import {
  isLive, isProved, isTerminal, partsOf, Refused, type Claim, type Name, type Reference, type Run,
} from "../reference/reference.js";
import { passTime, type Tenant } from "../world.js";

export type Command = fc.AsyncCommand<Reference, Tenant, true>;

export interface Turn {
  model: Reference;
  real: Tenant;
}

export const command = (text: string, play: (turn: Turn) => Promise<void>): Command => ({
  check: async () => true,
  async run(model, real) {
    model.step += 1;
    await play({ model, real });
    await settle({ model, real });
  },
  toString: () => text,
});

export interface Call {
  by: Name;
  method: string;
  params: Params;
}

/** What is due, or the refusal that is, as the answer shows it. */
export function judge<T>(due: () => T): { due: T } | { refused: string } {
  try {
    return { due: due() };
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    const { code, reason } = thrown;
    return { refused: reason === null ? code : `${code} ${reason}` };
  }
}

/** The answer and what was due, where both sides let the call pass; null: both refused it alike. */
export async function same<T>(
  { model, real }: Turn,
  { by, method, params }: Call,
  due: () => T,
): Promise<{ answer: Answer; due: T } | null> {
  const answer = await real.ask(by, method, params);
  model.via = real.via;
  if (!model.enabled[by]) {
    const refused = real.via === null ? "UNAUTHENTICATED" : "FORBIDDEN identity_mismatch";
    expect(answer, method).toEqual({ refused });
    return null;
  }
  const judged = judge(due);
  if ("refused" in judged) {
    expect(answer, method).toEqual(judged);
    return null;
  }
  expect(answer.refused, method).toBeUndefined();
  return { answer, due: judged.due };
}

/** As a call names it and a record shows it. */
export function placeParams(place: string | null) {
  const { conversation, thread, bot } = partsOf(place);
  return { conversation_id: conversation, thread_id: thread, bot_id: bot };
}

export const anyPlace = fc.constantFrom(
  "c1", "c1", "c1", "c1", "c1", "c1/t1", "c1/t1", "c1//b1", "c2", null);

export const showRun = (run: Run, real: Tenant) => ({
  run_id: run.run_id,
  status: run.status,
  status_reason: run.reason,
  dispatch: run.dispatch,
  dispatch_attempts: run.attempts,
  max_attempts: run.max_attempts,
  claim_epoch: run.epoch,
  last_sequence: run.last_sequence,
  priority: run.priority,
  queue_name: run.queue,
  ...placeParams(run.place),
  event_id: run.event_id,
  parent_run_id: run.parent?.run_id ?? null,
  cancel_reason: run.cancel_reason,
  created_by: real.actors[run.created_by].identity,
  plugin_identity: real.actors[run.owner].identity,
  requested_runtime_id: run.pinned ? real.actors[run.owner].runtime_id : null,
  claimed_by_runtime_id:
    run.status === "claimed" && run.claim ? real.actors[run.claim.by].runtime_id : null,
  is_finished: isTerminal(run),
  is_bounded: run.deadline !== "none",
  is_cancel_requested: run.cancel_reason !== null,
});

export function showRecord(record: Answer): Answer {
  const {
    run_id, status, status_reason, dispatch, dispatch_attempts, max_attempts, claim_epoch,
    last_sequence, priority, queue_name, conversation_id, thread_id, bot_id, event_id,
    parent_run_id, cancel_reason, created_by, plugin_identity, requested_runtime_id,
    claimed_by_runtime_id,
  } = record;
  return {
    run_id, status, status_reason, dispatch, dispatch_attempts, max_attempts, claim_epoch,
    last_sequence, priority, queue_name, conversation_id, thread_id, bot_id, event_id,
    parent_run_id, cancel_reason, created_by, plugin_identity, requested_runtime_id,
    claimed_by_runtime_id,
    is_finished: record.finished_at !== null,
    is_bounded: record.deadline_at !== null,
    is_cancel_requested: record.cancel_requested_at !== null,
  };
}

export const expectRun = (answer: Answer, run: Run, real: Tenant): void =>
  expect(showRecord(answer)).toEqual(showRun(run, real));

/** After each command: runs that the host made get their ids, and back-offs outlast the sequence. */
async function settle({ model, real }: Turn): Promise<void> {
  const held = model.runs.filter((run) =>
    run.status === "queued" && run.held_back && run.held_epoch !== run.epoch);
  if (held.length > 0) await passTime.holdBack(real, held.map(({ run_id }) => run_id));
  for (const run of held) run.held_epoch = run.epoch;
  const unnamed = model.runs.filter(({ number }) => number === Infinity);
  if (unnamed.length === 0) return;
  const last = Math.max(0, ...model.runs.map(({ number }) => number).filter(Number.isFinite));
  const records = await readPages(real, { by: "admin", method: "run_list", params: { limit: 100 } });
  for (const run of unnamed) {
    const record = records.find(({ run_id, parent_run_id }) => run.run_id === ""
      ? parent_run_id === run.parent?.run_id && model.find(run_id) === undefined
      : run_id === run.run_id);
    if (!record) throw new Error(`the host does not list the run after ${run.parent?.run_id}`);
    expect(record.id).toBeGreaterThan(last);
    run.run_id = record.run_id;
    run.number = record.id;
  }
}

/** All items, page by page, each page begun where the one before ended. */
export async function readPages(
  real: Tenant, { by, method, params }: Call, cursor = "before_cursor",
): Promise<Answer[]> {
  const items: Answer[] = [];
  let next: string | null = null;
  do {
    const from: Params = next === null ? {} : { [cursor]: next };
    const page: Answer = await real.ask(by, method, { ...params, ...from });
    expect(page.refused, method).toBeUndefined();
    expect(page.has_more).toBe(page.next_cursor !== null);
    expect(page.items.length).toBeLessThanOrEqual(params["limit"] as number);
    items.push(...page.items);
    next = page.next_cursor;
  } while (next !== null);
  return items;
}

/** Both lists with the rows of one command in one order. */
export function expectSteps<T extends { step: number }>(
  found: string[], wanted: T[], show: (row: T) => string,
): void {
  const steps = wanted.map(({ step }) => step);
  const sortWithin = (rows: string[]): string[] => rows
    .map((row, at) => ({ row, step: steps[at] ?? Infinity }))
    .sort((a, b) => steps.indexOf(a.step) - steps.indexOf(b.step) || (a.row < b.row ? -1 : 1))
    .map(({ row }) => row);
  expect(sortWithin(found)).toEqual(sortWithin(wanted.map(show)));
}

/** "fit" is whoever is most likely to be let through. */
export type By = Name | "fit";
export const byAnybody = fc.constantFrom<By>("fit", "fit", "fit", "one", "two", "admin");
export const pickBy = (by: By, fit: Name | undefined): Name => by === "fit" ? fit ?? "one" : by;

/** 0: none; else the newest, the one before, …, and from the oldest on again. */
export const pickFrom = <T>(all: T[], at: number): T | undefined =>
  at === 0 ? undefined : all.at(-1 - ((at - 1) % all.length));

/** 0: one that was never made. */
export const anyRun = fc.integer({ min: 0, max: 9 });
export const pickRun = (model: Reference, at: number): Run | undefined => pickFrom(model.runs, at);
/** Rather one that is being executed. */
export const pickBusy = (model: Reference, at: number): Run | undefined =>
  (at < busy_share ? pickFrom(model.runs.filter(isLive), at) : undefined) ?? pickRun(model, at);
export const busy_share = 8;
export const idOf = (run: Run | undefined): string => run?.run_id ?? "never made";

/** 0: none is shown; else rather one that is active, sometimes one of the past. */
export const anyClaim = fc.integer({ min: 0, max: 6 });
export const pickClaim = (model: Reference, at: number): Claim | null => {
  const active = model.claims.filter((claim) => isProved(claim.by, claim));
  return pickFrom(at < 5 && active.length > 0 ? active : model.claims, at) ?? null;
};

export const proofOf = (claim: Claim | null): Params =>
  claim === null ? {} : { runtime_id: claim.runtime, claim_token: claim.claim_token };

/** Who executes the run. */
export const executorOf = (run: Run | undefined): Name | undefined =>
  run?.status === "claimed" ? run.claim?.by : run?.owner;

export const isAgain = (answer: Answer): boolean => answer.idempotent === true;
