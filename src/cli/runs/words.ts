// How a run and its events read to people: rows, facts, one line for an event.

import type { RunEvent, Run } from "../../contract/records.js";
import { describeInstant, toOneLine } from "../output.js";

export const runHead = ["RUN", "STATUS", "RUNNER", "CREATED", "TOOK", "REASON"];

export const runRow = (run: Run): string[] => [
  run.run_id, run.status, run.runner_id.slice("plugin:".length), describeInstant(run.created_at),
  describeDuration(run), cut(run.status_reason ?? "", 60),
];

export const runFacts = (run: Run): [string, string | number | null][] => {
  const at = (seconds: number | null) => (seconds === null ? null : describeInstant(seconds));
  const claimed = run.claimed_by_runtime_id;
  return [
    ["run", run.run_id], ["status", run.status], ["reason", run.status_reason],
    ["runner", run.runner_id], ["created", `${at(run.created_at)} by ${run.created_by}`],
    ["queue", run.queue_name], ["priority", run.priority],
    ["conversation", run.conversation_id], ["workspace", run.workspace_id],
    ["parent", run.parent_run_id], ["pinned to", run.requested_runtime_id],
    ["claimed by", claimed === null ? null
      : `${claimed} until ${at(run.claim_lease_expires_at)}, epoch ${run.claim_epoch}`],
    ["attempts", `${run.dispatch_attempts} of ${run.max_attempts}`],
    ["not before", at(run.not_before)], ["deadline", at(run.deadline_at)],
    ["cancel asked", at(run.cancel_requested_at)], ["started", at(run.started_at)],
    ["finished", at(run.finished_at)], ["took", describeDuration(run) || null],
    ["events", run.last_sequence === 0 ? null : `up to ${run.last_sequence}`],
    ["usage", run.usage === null ? null : JSON.stringify(run.usage)],
  ];
};

/** Between start and end; empty for a run that has not ended or was never started. */
function describeDuration({ started_at_ms, finished_at_ms }: Run): string {
  if (started_at_ms === null || finished_at_ms === null) return "";
  return `${((finished_at_ms - started_at_ms) / 1000).toFixed(1)} s`;
}

/** What an event says in the rest of a line. */
export function describeEvent({ type, data }: RunEvent): string {
  const { chunk, message, tool_name, tool_call_id, error, finish_reason } = data as any;
  const said = chunk?.content ?? message?.content ?? error ?? finish_reason;
  if (typeof said === "string") return cut(said, 200);
  if (type.startsWith("tool.")) return `${tool_name} (${tool_call_id})`;
  return cut(JSON.stringify(data), 200);
}

const cut = (text: string, max: number): string => {
  const line = toOneLine(text);
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
};
