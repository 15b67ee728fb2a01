// What the lines of a journal say was acknowledged: a call in list form says as much as the calls
// that it stands for, and nothing of its refused items.

import { expect, test } from "vitest";
import { createAcknowledged, takeCall, type Acknowledged } from "../../src/verify/acknowledged.js";
import { Findings } from "../../src/verify/finding.js";
import type { CallLine } from "../../src/verify/journal.js";

const claim = { runtime_id: "w", claim_token: "0", claim_epoch: 2 };
const write = (run_id: string, sequence: number, action: string) => ({
  target_run_id: run_id, ...claim, sequence, type: "action.requested", data: { action },
});
const stored = (run_id: string, sequence: number, id: number) =>
  ({ id, run_id, sequence, claim_epoch: 2 });
const lost = { error: { code: -32005, message: "", data: { code: "LEASE_LOST" } } };
const at = { tenant_id: "default", sent_at_ms: 5, answered_at_ms: 9 };

function take(lines: CallLine[]): { facts: Acknowledged; findings: Findings } {
  const facts = createAcknowledged();
  const findings = new Findings(5);
  for (const line of lines) takeCall(facts, line, findings);
  return { facts, findings };
}

test.each(["run_append_result", "run_emit_result"])("%s in both forms", (method) => {
  const [first, second] = [write("a", 1, "x"), write("b", 4, "y")];
  const alone = take([
    { ...at, method, params: first, result: stored("a", 1, 10) },
    { ...at, method, params: second, result: stored("b", 4, 11) },
  ]);
  const listed = take([{
    ...at, method, params: { results: [first, write("c", 1, "z"), second] },
    result: { items: [{ result: stored("a", 1, 10) }, lost, { result: stored("b", 4, 11) }] },
  }]);
  expect([...listed.facts.written.keys()]).toEqual(["a\n1", "b\n4"]);
  expect(listed.facts).toEqual(alone.facts);
  expect(listed.findings.list()).toEqual(alone.findings.list());
});

test("ends in a list, and two that contradict each other", () => {
  const end = (run_id: string, status: string) => ({ target_run_id: run_id, ...claim, status });
  const ended = (run_id: string, status: string) =>
    ({ result: { run_id, status, last_sequence: 3, claim_epoch: 2 } });
  const { facts, findings } = take([
    { ...at, method: "run_finalize", params: { runs: [end("a", "completed"), end("b", "failed")] },
      result: { items: [ended("a", "completed"), lost] } },
    { ...at, method: "run_finalize", params: { runs: [end("a", "failed")] },
      result: { items: [ended("a", "failed")] } },
  ]);
  expect([...facts.ended.keys()]).toEqual(["a"]);
  const [finding] = findings.list().filter(({ invariant }) => invariant === "I3");
  expect(finding).toMatchObject({ checked: 2, breaches: 1 });
});

test("content of a list's item that differs from what was acknowledged before", () => {
  const { findings } = take([
    { ...at, method: "run_append_result", params: { results: [write("a", 1, "x")] },
      result: { items: [{ result: stored("a", 1, 10) }] } },
    { ...at, method: "run_append_result", params: { results: [write("a", 1, "other")] },
      result: { items: [{ result: stored("a", 1, 10) }] } },
  ]);
  expect(findings.list().find(({ invariant }) => invariant === "I4")?.breaches).toBe(1);
});

test("a list without an answer, or refused as a whole, acknowledges nothing", () => {
  const params = { results: [write("a", 1, "x")] };
  const { facts } = take([
    { ...at, method: "run_append_result", params },
    { ...at, method: "run_append_result", params, error: { code: "INVALID_PARAMS" } },
  ]);
  expect(facts).toEqual(createAcknowledged());
});
