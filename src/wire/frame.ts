// The gate before any library: one text frame becomes checked requests, or a refusal for each part
// that is none. It bounds batches, ids and params (params_gate) and knows nothing of methods; what
// is wrong inside params is asked later, because identity and method are judged before them.

import { Refusal, type Issue } from "../contract/errors.js";
import { findUnsafeIntegers, inspectParams } from "./params_gate.js";

export type RequestId = string | number;

/** A well-formed request; `id` undefined is a notification, which is never answered. */
export interface CheckedRequest {
  kind: "request";
  id: RequestId | undefined;
  method: string;
  params: Record<string, unknown>;
  /** What is wrong inside these params, or inside a part of them. */
  inspect(params: Record<string, unknown>): readonly Issue[];
}

export type Element =
  | CheckedRequest
  | { kind: "invalid"; id: RequestId | null; refusal: Refusal }
  /** The peer answers something; the host asks nothing, so it is dropped. */
  | { kind: "response" };

export type Frame =
  | { kind: "single"; element: Element }
  | { kind: "batch"; elements: Element[] };

export function readFrame(text: string, bounds: { max_batch: number }): Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuseFrame(new Refusal("PARSE_ERROR"));
  }
  const unsafe = findUnsafeIntegers(text);
  if (!Array.isArray(value)) return { kind: "single", element: readElement(value, unsafe) };
  if (value.length === 0) return refuseFrame(invalid("the batch is empty"));
  if (value.length > bounds.max_batch) {
    return refuseFrame(invalid(`the batch has more than ${bounds.max_batch} elements`));
  }
  return { kind: "batch", elements: value.map((element) => readElement(element, unsafe)) };
}

function refuseFrame(refusal: Refusal): Frame {
  return { kind: "single", element: { kind: "invalid", id: null, refusal } };
}

const invalid = (message: string): Refusal => new Refusal("INVALID_REQUEST", {}, message);

function readElement(value: unknown, unsafe: ReadonlySet<number> | null): Element {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: "invalid", id: null, refusal: invalid("a request must be an object") };
  }
  const given = value as Record<string, unknown>;
  if (isResponse(given)) return { kind: "response" };
  const wrong = findFault(given);
  if (wrong !== null) {
    const id = isRequestId(given["id"]) ? given["id"] : null;
    return { kind: "invalid", id, refusal: invalid(wrong) };
  }
  const method = given["method"] as string;
  const id = given["id"] as RequestId | undefined;
  const params = given["params"] ?? {};
  if (Array.isArray(params)) {
    const issues = [{ path: "", message: "must be an object; params go by name" }];
    return { kind: "request", id, method, params: {}, inspect: () => issues };
  }
  const named = params as Record<string, unknown>;
  const inspect: CheckedRequest["inspect"] = (given_params) => inspectParams(given_params, unsafe);
  return { kind: "request", id, method, params: named, inspect };
}

function findFault(given: Record<string, unknown>): string | null {
  if (given["jsonrpc"] !== "2.0") return 'jsonrpc must be "2.0"';
  if (Object.hasOwn(given, "id") && !isRequestId(given["id"])) {
    return "id must be a string or a number within ±(2^53 − 1)";
  }
  if (typeof given["method"] !== "string") return "method must be a string";
  if (Object.hasOwn(given, "params") && !isStructured(given["params"])) {
    return "params must be an object";
  }
  return null;
}

/** A number that was rounded while parsing would come back as another id. */
function isRequestId(id: unknown): id is RequestId {
  if (typeof id === "string") return true;
  if (typeof id !== "number" || !Number.isFinite(id)) return false;
  return !Number.isInteger(id) || Number.isSafeInteger(id);
}

const isStructured = (value: unknown): boolean => typeof value === "object" && value !== null;

function isResponse(given: Record<string, unknown>): boolean {
  if (given["jsonrpc"] !== "2.0" || Object.hasOwn(given, "method")) return false;
  if (given["id"] !== null && !isRequestId(given["id"])) return false;
  return Object.hasOwn(given, "result") !== Object.hasOwn(given, "error");
}
