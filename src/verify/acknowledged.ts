// What the journals of one tenant say was acknowledged, gathered by run, event and message, and
// what contradicts itself in them already. Keeps fingerprints, not contents.

import { measure } from "../contract/canonical.js";
import type { Findings } from "./finding.js";
import type { CallLine, ReadLine } from "./journal.js";

interface Written {
  run_id: string;
  sequence: number;
  id: number;
  fingerprint: string;
  sent_at_ms: number;
  claim_epoch: number | null;
}

interface Ended {
  status: string;
  last_sequence: number;
  answered_at_ms: number;
}

interface Reading {
  run_id: string;
  after: number;
  sequences: number[];
  ended: boolean;
}

export interface Acknowledged {
  written: Map<string, Written>;
  /** Runs that some answer showed, with the highest claim epoch among the answers. */
  runs: Map<string, number>;
  ended: Map<string, Ended>;
  cancelled: Set<string>;
  /** When the claim with this run and epoch was answered. */
  claims: Map<string, number>;
  published: Map<string, string>;
  acked: Set<string>;
  readings: Map<string, Reading[]>;
}

export const keyOf = (run_id: string, number: number): string => `${run_id}\n${number}`;

export const createAcknowledged = (): Acknowledged => ({
  written: new Map(), runs: new Map(), ended: new Map(), cancelled: new Set(),
  claims: new Map(), published: new Map(), acked: new Set(), readings: new Map(),
});

/** Params that may hold a list of calls instead of one; its items were acknowledged one by one. */
const listParams: Readonly<Record<string, string>> = {
  run_append_result: "results", run_emit_result: "results", run_finalize: "runs",
};

export function takeCall(facts: Acknowledged, line: CallLine, findings: Findings): void {
  const { method, params, result } = line;
  if (!result) return;
  const list: any[] | undefined = params[listParams[method] ?? ""] ?? undefined;
  if (list !== undefined) {
    for (const [place, item] of list.entries()) {
      const answered = result["items"]?.[place]?.result;
      if (answered) takeCall(facts, { ...line, params: item, result: answered }, findings);
    }
    return;
  }
  const run_id = params["target_run_id"] ?? params["run_id"];
  if (method === "run_append_result" || method === "run_emit_result") {
    return takeEvent(facts, line, { findings, event: result });
  }
  if (method === "run_claim") {
    const taken: any[] = result["runs"] ?? [result];
    for (const run of taken) takeClaim(facts, run, { line, findings });
  } else if (method === "run_create" || method === "run_retry") {
    findings.check("I1");
    noteRun(facts, result["run_id"], result["claim_epoch"]);
  } else if (method === "run_finalize") {
    takeEnd(facts, result, { line, findings });
  } else if (method === "run_cancel") {
    findings.check("I1");
    facts.cancelled.add(String(run_id));
    noteRun(facts, String(run_id), 0);
  } else if (method === "event_publish") {
    findings.check("I1");
    facts.published.set(result["event_id"], result["disposition"]);
  } else if (method === "steering_ack" || method === "steering_pull") {
    const acked: string[] = (method === "steering_ack" ? result : result["ack"])?.["acked"] ?? [];
    findings.check("I8", acked.length);
    for (const id of acked) facts.acked.add(id);
  }
}

function noteRun(facts: Acknowledged, run_id: string, claim_epoch: number): void {
  facts.runs.set(run_id, Math.max(facts.runs.get(run_id) ?? 0, claim_epoch ?? 0));
}

function takeEvent(
  facts: Acknowledged,
  { params, sent_at_ms }: CallLine,
  { findings, event }: { findings: Findings; event: Record<string, any> },
): void {
  const { run_id, sequence, id, idempotent } = event;
  findings.check("I1");
  findings.check("I4");
  noteRun(facts, run_id, event["claim_epoch"] ?? 0);
  const sent = { ...params, ...params["result"] };
  const fingerprint = measureContent({ ...sent, type: sent.type ?? sent.event_type });
  const claim_epoch = event["claim_epoch"] ?? null;
  const key = keyOf(run_id, sequence);
  const known = facts.written.get(key);
  if (known && (known.id !== id || known.fingerprint !== fingerprint)) {
    findings.report("I4", "two writes of one sequence were acknowledged with different content",
      { run_id, sequence, ids: [known.id, id] });
  }
  if (idempotent === true && known) return;
  // Of an idempotent answer nobody knows when the first write was sent.
  const began_at_ms = idempotent === true ? -Infinity : sent_at_ms;
  const written = { run_id, sequence, id, fingerprint, claim_epoch };
  facts.written.set(key, { ...written, sent_at_ms: began_at_ms });
}

/** As the contract fingerprints a result: absent members are left out, `data` counts as {}. */
export function measureContent(content: Record<string, any>): string {
  const { type, data, usage, metadata } = content;
  return measure({
    type, data: data ?? {}, ...(usage ? { usage } : {}), ...(metadata ? { metadata } : {}),
  }).fingerprint;
}

function takeClaim(
  facts: Acknowledged,
  run: Record<string, any>,
  { line, findings }: { line: CallLine; findings: Findings },
): void {
  const { run_id, claim_epoch } = run;
  findings.check("I2");
  noteRun(facts, run_id, claim_epoch);
  const key = keyOf(run_id, claim_epoch);
  if (facts.claims.has(key)) {
    findings.report("I2", "one claim epoch was given to two claims", { run_id, claim_epoch });
  }
  facts.claims.set(key, line.answered_at_ms ?? line.sent_at_ms);
}

function takeEnd(
  facts: Acknowledged,
  run: Record<string, any>,
  { line, findings }: { line: CallLine; findings: Findings },
): void {
  const { run_id, status, last_sequence } = run;
  findings.check("I3");
  noteRun(facts, run_id, run["claim_epoch"]);
  const known = facts.ended.get(run_id);
  if (known && known.status !== status) {
    findings.report("I3", "two ends of one run were acknowledged",
      { run_id, statuses: [known.status, status] });
  }
  const answered_at_ms = line.answered_at_ms ?? line.sent_at_ms;
  if (known && known.answered_at_ms <= answered_at_ms) return;
  facts.ended.set(run_id, { status, last_sequence, answered_at_ms });
}

/** A reader that resumes says so by a new `after`; what follows belongs to it. */
export function takeRead(facts: Acknowledged, line: ReadLine): void {
  const { reader, run_id } = line;
  const key = `${reader}\n${run_id}`;
  const readings = facts.readings.get(key) ?? [];
  facts.readings.set(key, readings);
  if (line.after !== undefined || readings.length === 0) {
    readings.push({ run_id, after: line.after ?? 0, sequences: [], ended: false });
  }
  const reading = readings[readings.length - 1]!;
  if (line.sequence !== undefined) reading.sequences.push(line.sequence);
  if (line.ended) reading.ended = true;
}
