// `runhost runs get | cancel | retry | explain`: one run, named by its id.

import type { Run, RunDetail } from "../../contract/records.js";
import type { RunExplanation } from "../../contract/statistics.js";
import { drawFacts, drawTable, printResult, readCount, type Invocation } from "../output.js";
import { withHost } from "../reach.js";
import { createPaint, paintStatus } from "../terminal/paint.js";
import { askAbout } from "./ask.js";
import { runFacts } from "./words.js";

const timeout_max = 604_800;
const isEnded = ({ finished_at }: Run): boolean => finished_at !== null;

export async function getRun(
  invocation: Invocation, run_id: string, { input }: { input?: boolean },
): Promise<void> {
  const include_input = input === true;
  const { answer } = await withHost(invocation, (host) =>
    askAbout(host, "run_get", run_id, { include_input }));
  const run = answer as Run;
  const lines = drawFacts(runFacts(run));
  if (include_input) lines.push("", JSON.stringify((run as RunDetail).input, null, 2));
  printResult(invocation, run, lines);
}

export async function cancelRun(
  invocation: Invocation, run_id: string, { reason }: { reason?: string },
): Promise<void> {
  const { answer } = await withHost(invocation, (host) =>
    askAbout(host, "run_cancel", run_id, { status_reason: reason }));
  const run = answer as Run;
  const words = run.status === "cancelled" ? `${run_id} is cancelled.`
    : isEnded(run) ? `${run_id} had ended already: ${run.status}.`
      : `${run_id} is asked to stop; it is ${run.status} until its executor ends it.`;
  printResult(invocation, run, words);
}

export async function retryRun(
  invocation: Invocation, run_id: string, options: { id?: string; timeout?: string },
): Promise<void> {
  const timeout_seconds = options.timeout === undefined
    ? undefined : readCount("--timeout", options.timeout, timeout_max);
  const run: Run = await withHost(invocation, (host) => host.call("run_retry", {
    target_run_id: run_id, new_run_id: options.id, timeout_seconds,
  }));
  printResult(invocation, run, `Created ${run.run_id} from ${run_id}; it is ${run.status}.`);
}

export async function explainRun(invocation: Invocation, run_id: string): Promise<void> {
  const { answer } = await withHost(invocation, (host) =>
    askAbout(host, "run_explain", run_id));
  const { status, moving, claimable, reasons } = answer as RunExplanation;
  const paint = createPaint(invocation.environment);
  const how = moving ? "moving" : "not moving";
  const claim = claimable ? "a fitting run_claim can take it" : "no run_claim can take it";
  const rows = reasons.map(({ code, message }) => [code, message]);
  const codes = new Set<string>(reasons.map(({ code }) => code));
  printResult(invocation, answer, [
    `${run_id} is ${paintStatus(paint)(status)} and ${how}; ${claim}.`,
    ...drawTable(rows, (cell) => (codes.has(cell) ? paint("cyan", cell) : cell)),
  ]);
}
