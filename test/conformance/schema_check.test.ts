// The check itself: it lets through what the contract describes and refuses an answer whose number,
// retryable, reason or details are others, so that a replay can not pass by looking away.

import { describe, expect, it } from "vitest";
import { judgeDetails } from "./error_details.js";
import { createSchemaCheck } from "./schema_check.js";
import type { Json } from "./link.js";

const answer = (method: string, code: number, data: Json) => () =>
  createSchemaCheck().check({
    method, params: {}, answer: { error: { code, message: "m", data } },
  });

describe("refusals", () => {
  const gone = { code: "NOT_FOUND", retryable: false, kind: "run", id: "r" };

  it("passes one that is as published", () => {
    expect(answer("run_wait", -32003, gone)).not.toThrow();
  });
  it.each<[string, string, number, Json]>([
    ["another number", "run_wait", -32004, gone],
    ["another retryable", "run_wait", -32003, { ...gone, retryable: true }],
    ["no retryable", "run_wait", -32003, { ...gone, retryable: undefined }],
    ["an unknown code", "run_wait", -32003, { ...gone, code: "GONE" }],
    ["no kind", "run_wait", -32003, { ...gone, kind: undefined }],
    ["a runner without its id", "run_retry", -32003, { ...gone, kind: "runner" }],
    ["a code that the method does not list", "run_stats", -32003, gone],
  ])("refuses %s", (_why, method, code, data) => {
    expect(answer(method, code, data)).toThrow();
  });
});

it.each<[Json, string[]]>([
  [{ code: "FORBIDDEN", reason: "out_of_scope" }, []],
  [{ code: "FORBIDDEN" }, ["FORBIDDEN has no reason undefined"]],
  [{ code: "FORBIDDEN", reason: "other" }, ["FORBIDDEN has no reason other"]],
  [{ code: "FORBIDDEN", reason: "permission_missing" }, ["permission is no string"]],
  [{ code: "CONFLICT", reason: "run_not_retryable" }, ["status is no string"]],
  [{ code: "CONFLICT", reason: "sequence_reused", last_sequence: "1" },
    ["last_sequence is no number"]],
  [{ code: "INVALID_PARAMS", issues: [] }, ["issues is no issues"]],
  [{ code: "INVALID_PARAMS", issues: [{ path: "a", message: "b" }] }, []],
  [{ code: "DEADLINE_EXCEEDED", run_id: "r", status: "queued" }, []],
  [{ code: "DEADLINE_EXCEEDED" }, ["run_id is no id", "status is no string"]],
])("%j", (data, faults) => {
  expect(judgeDetails(data)).toEqual(faults);
});

it("holds params that succeed and results against the schemas of the method", () => {
  const { check } = createSchemaCheck();
  const result = { items: [], total_count: 0, has_more: false };
  const method = "runner_stats";
  expect(() => check({ method, params: { limit: 5 }, answer: { result } })).not.toThrow();
  expect(() => check({ method, params: { limit: "5" }, answer: { result } })).toThrow("params");
  expect(() => check({ method, params: {}, answer: { result: {} } })).toThrow("result");
});
