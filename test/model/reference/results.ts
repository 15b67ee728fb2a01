// What run_append_result, run_emit_result and run_finalize do, by 3.6 and chapter 5 of the contract.

import {
  hasLease, isKnown, isLive, isProved, isTerminal, refuse, requireCapability, requireScope,
  requireSession, type Claim, type Name, type Reference, type Run,
} from "./reference.js";
import { requireInteraction, writeState } from "./context.js";
import { end, requeue } from "./runs.js";

/** Who writes: by a claim, by the run's own session, by another run's, or as an administrator. */
export interface Writer {
  by: Name;
  target: string;
  run_id: string | null;
  claim: Claim | null;
  force: boolean;
}

export interface Result {
  kind: string;
  type: string;
  data: Record<string, any>;
  sequence: number;
  emitted: boolean;
}

const isAdminWrite = ({ by, claim, force }: Writer, method: string): boolean =>
  by === "admin" && claim === null && (force || method !== "run_emit_result");

/** Steps 2 of 5.4: who may try; refusals of the state come later. */
function admit(model: Reference, writer: Writer, method: string): Run {
  const { by, target, run_id, claim } = writer;
  const run = model.find(target);
  if (claim !== null) {
    if (run_id !== null) admitSession(model, writer, { run, method, isClaimed: true });
    if (!run || claim.run !== run || !isKnown(by, claim)) {
      return refuse("LEASE_LOST", "claim_not_active");
    }
    return run;
  }
  if (run_id === null) {
    if (!isAdminWrite(writer, method)) return refuse("INVALID_PARAMS");
    return run ?? refuse("NOT_FOUND");
  }
  if (!isAdminWrite(writer, method)) {
    admitSession(model, writer, { run, method, isClaimed: false });
    return run ?? refuse("FORBIDDEN", "out_of_scope");
  }
  requireSession(model, by, run_id, run_id === target ? "own" : "live");
  return run ?? refuse("NOT_FOUND");
}

function admitSession(
  model: Reference, { by, target, run_id }: Writer,
  { run, method, isClaimed }: { run: Run | undefined; method: string; isClaimed: boolean },
): void {
  const isOwn = run_id === target;
  const s = requireSession(model, by, run_id!, isOwn ? "own" : "live");
  if (isOwn && (isClaimed || method === "run_emit_result")) return;
  requireCapability(by, s, run, method);
  requireScope(s, run);
}

/** Whether the writer executes the run; an administrator who does not may pass as well. */
function requireExecutor(writer: Writer, run: Run, method: string): boolean {
  const { by, claim, run_id, force } = writer;
  if (claim !== null) return isProved(by, claim) || refuse("LEASE_LOST", "claim_not_active");
  if (run_id === run.run_id && run.owner === by && run.status === "running") {
    return isLive(run) || refuse("SESSION_EXPIRED");
  }
  if (isAdminWrite(writer, method) && (force || !isLive(run))) return false;
  return refuse("LEASE_LOST", "claim_required");
}

export function write(model: Reference, writer: Writer, result: Result): { run: Run; again: boolean } {
  const { by, target } = writer;
  const { type, sequence, emitted } = result;
  const method = emitted ? "run_emit_result" : "run_append_result";
  if (writer.force && by !== "admin") refuse("FORBIDDEN", "permission_missing");
  const content = JSON.stringify([type, result.data]);
  const stored = model.find(target)?.events.get(sequence);
  const isSame = stored?.content === content;
  if (stored?.by === by && isSame) return { run: model.find(target)!, again: true };
  const run = admit(model, writer, method);
  if (stored) return isSame ? { run, again: true } : refuse("CONFLICT", "sequence_reused");
  if (isTerminal(run)) return refuse("RUN_TERMINAL");
  const isExecutor = requireExecutor(writer, run, method);
  if (sequence <= run.last_sequence) return refuse("CONFLICT", "sequence_out_of_order");
  if (emitted) requireEffect(model, run, result);
  run.events.set(sequence, { type, content, by });
  run.last_sequence = sequence;
  run.wrote_under_claim ||= writer.claim !== null;
  if (emitted) takeEffect(model, run, result);
  if (!isExecutor) model.noteAdmin(method, by, run);
  return { run, again: false };
}

/** What refuses an effect refuses the event with it. */
function requireEffect(model: Reference, run: Run, { kind, data }: Result): void {
  if (kind === "ask") requireInteraction(model, run, data["payload"].interaction_id);
  if (kind === "state") writeState(model, run, data as { scope: string; key: string; value: unknown });
}

function takeEffect(model: Reference, run: Run, { kind, data }: Result): void {
  if (kind === "said") {
    run.last_message = data["message"].content;
    model.say(run.place, "assistant", data["message"].content);
  }
  if (kind === "ask") {
    const { interaction_id, fields } = data["payload"];
    model.interaction_count += 1;
    run.interactions.push({
      number: model.interaction_count, interaction_id, form: fields !== undefined,
      actor: run.actor, status: "pending", overdue: false, answer: null,
    });
  }
  if (kind.startsWith("completed")) {
    const said = data["message"]?.content;
    if (said !== undefined && said !== run.last_message) {
      model.say(run.place, "assistant", said);
    }
    end(model, run, "completed", data["finish_reason"]);
  }
  if (kind.startsWith("failed")) fail(model, run, data);
}

function fail(model: Reference, run: Run, { error, code, retryable }: Record<string, any>): void {
  if (retryable === true && hasLease(run)) {
    requeue(model, run, { reason: error, back_off: true });
    // Where the attempts are used up the reason is the error.
    if (run.status === "failed") run.reason = error;
  } else if (code === "cancelled" && run.cancel_reason !== null) {
    end(model, run, "cancelled", run.cancel_reason);
  } else {
    end(model, run, "failed", error);
  }
}

export function finalize(
  model: Reference, writer: Writer, { status, reason }: { status: string; reason: string | null },
): { run: Run; again: boolean } {
  if (writer.force && writer.by !== "admin") refuse("FORBIDDEN", "permission_missing");
  const run = admit(model, writer, "run_finalize");
  if (isTerminal(run)) {
    return run.status === status ? { run, again: true } : refuse("CONFLICT", "status_differs");
  }
  const isExecutor = requireExecutor(writer, run, "run_finalize");
  if (!isExecutor) model.noteAdmin("run_finalize", writer.by, run);
  return { run: end(model, run, status, reason), again: false };
}
