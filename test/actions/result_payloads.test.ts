// The payload rules of result events: shapes by table, the order of the rules, what is measured.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkResult, resultTypes } from "../../src/contract/result_payloads.js";
import type { SentResult } from "../../src/contract/result_payloads.js";
import { payloadTables, usageRows } from "./tables/payload_rows.js";
import { longText, refusalOf } from "./schemas.js";

const send = (sent: Partial<SentResult> & { type: string }, emitted = true) =>
  checkResult({ data: undefined, usage: undefined, metadata: undefined, ...sent, emitted });

/** Type and paths of a refused payload. */
async function pathsOf(attempt: () => unknown): Promise<{ type: unknown; paths: string[] }> {
  const { code, details } = await refusalOf(attempt);
  expect([code, details["reason"]]).toEqual(["RESULT_REJECTED", "invalid_payload"]);
  const issues = details["issues"] as { path: string }[];
  return { type: details["type"], paths: [...new Set(issues.map((issue) => issue.path))] };
}

it("every type has a table", () => {
  expect(payloadTables.map((table) => table.type).sort()).toEqual(Object.keys(resultTypes).sort());
});

for (const { type, accepted, refused } of payloadTables) {
  describe(type, () => {
    it.each(accepted)("takes %s, as sent", (_why, data) => {
      expect(send({ type, data }).data).toBe(data);
    });
    it.each(refused)("refuses %s", async (_why, data, paths) => {
      expect(await pathsOf(() => send({ type, data }))).toEqual({ type, paths });
    });
  });
}

describe("usage", () => {
  it.each(usageRows.accepted)("takes %s", (_why, usage) => {
    expect(send({ type: "run.completed", usage }).usage).toBe(usage);
  });
  it.each(usageRows.refused)("refuses %s", async (_why, usage, paths) => {
    const attempt = () => send({ type: "run.completed", usage });
    expect(await pathsOf(attempt)).toEqual({ type: "run.completed", paths });
  });
  it("is reported beside data", async () => {
    const attempt = () => send({ type: "run.failed", usage: { total_tokens: -1 } });
    expect((await pathsOf(attempt)).paths).toEqual(["data.error", "usage.total_tokens"]);
  });
});

describe("types", () => {
  const unknown = ["message", "run.finished", "Message.delta", "toString", "__proto__",
    "constructor", "run.completed ", "action.executed"];
  it.each(unknown)("refuses %s", async (type) => {
    const { code, details } = await refusalOf(() => send({ type, data: { broken: 1 } }));
    expect({ code, ...details }).toEqual({
      code: "RESULT_REJECTED", reason: "unknown_type", type,
    });
  });

  const sideEffects: Record<string, Record<string, unknown> | null> = {
    "message.delta": { chunk: { role: "a" } },
    "message.completed": { message: { role: "a" } },
    "tool.call.started": null,
    "tool.call.completed": null,
    "action.requested": null,
    "state.updated": { scope: "actor", key: "k", value: null },
    "run.completed": {},
    "run.failed": { error: "x" },
  };
  it.each(Object.entries(sideEffects))("append and %s", async (type, data) => {
    if (data === null) {
      const first = payloadTables.find((table) => table.type === type)?.accepted[0];
      expect(send({ type, data: first?.[1] }, false).type).toBe(type);
      return;
    }
    const { code, details } = await refusalOf(() => send({ type, data }, false));
    expect({ code, ...details }).toEqual({
      code: "RESULT_REJECTED", reason: "side_effecting_type", type,
    });
  });
});

describe("order of the rules", () => {
  const large = { huge: longText(1_048_576) };
  const reasonOf = async (attempt: () => unknown) => (await refusalOf(attempt)).details["reason"];
  it("size comes before the type", async () => {
    expect(await reasonOf(() => send({ type: "unknown", data: large }))).toBe("result");
  });
  it("type comes before the shape", async () => {
    expect(await reasonOf(() => send({ type: "unknown", usage: { total_tokens: "x" } }))).toBe(
      "unknown_type",
    );
  });
  it("shape comes before the side effect", async () => {
    expect(await reasonOf(() => send({ type: "run.failed", data: {} }, false))).toBe(
      "invalid_payload",
    );
  });
  it("a broken usage too comes before the side effect", async () => {
    const sent = { type: "run.failed", data: { error: "x" }, usage: { total_tokens: -1 } };
    expect(await reasonOf(() => send(sent, false))).toBe("invalid_payload");
  });
});

describe("sizes", () => {
  const sized = (bytes: number) => {
    const empty = JSON.stringify({ data: { error: "" }, type: "run.failed" }).length;
    return { type: "run.failed", data: { error: longText(bytes - empty) } };
  };
  it("an event may have 1 MiB", () => {
    expect(send(sized(1_048_576)).bytes).toBe(1_048_576);
  });
  it("and no byte more", async () => {
    const { code, details } = await refusalOf(() => send(sized(1_048_577)));
    expect({ code, ...details }).toEqual({
      code: "PAYLOAD_TOO_LARGE", reason: "result", limit_bytes: 1_048_576,
    });
  });
  it("metadata counts", async () => {
    const sent = { ...sized(1_000_000), metadata: { a: longText(50_000) } };
    expect((await refusalOf(() => send(sent))).code).toBe("PAYLOAD_TOO_LARGE");
  });
  it.each(["run.completed", "run.failed"])("usage of %s has at most 64 KiB", async (type) => {
    const data = type === "run.failed" ? { error: "x" } : {};
    const fits = { a: longText(65_536 - '{"a":""}'.length) };
    expect(send({ type, data, usage: fits }).usage).toBe(fits);
    const usage = { a: longText(65_537 - '{"a":""}'.length) };
    const { code, details } = await refusalOf(() => send({ type, data, usage }));
    expect({ code, ...details }).toEqual({
      code: "PAYLOAD_TOO_LARGE", reason: "field", path: "usage", limit_bytes: 65_536,
    });
  });
  it("usage of other types is only part of the event", () => {
    const usage = { a: longText(70_000) };
    expect(send({ type: "action.requested", data: { action: "x" }, usage }).usage).toBe(usage);
  });
});

describe("what is fingerprinted", () => {
  const sha256 = (written: string) => createHash("sha256").update(written, "utf8").digest("hex");
  const failed = { type: "run.failed", data: { error: "é" } };

  it("absent members are left out, and bytes are UTF-8", () => {
    const written = '{"data":{"error":"é"},"type":"run.failed"}';
    expect(send(failed)).toEqual({
      type: "run.failed", data: { error: "é" }, usage: null, metadata: {},
      fingerprint: sha256(written), bytes: written.length + 1,
    });
  });
  it("absent data counts as an empty object", () => {
    const written = '{"data":{},"type":"run.completed"}';
    expect(send({ type: "run.completed" }).fingerprint).toBe(sha256(written));
    expect(send({ type: "run.completed", data: {} }).fingerprint).toBe(sha256(written));
  });
  it("absent metadata is not empty metadata", () => {
    const written = '{"data":{"error":"é"},"metadata":{},"type":"run.failed","usage":{}}';
    expect(send({ ...failed, metadata: {}, usage: {} }).fingerprint).toBe(sha256(written));
    expect(send(failed).fingerprint).not.toBe(sha256(written));
  });
  it("order and spelling of numbers do not count, nulls do", () => {
    const one = { tool_call_id: "c", tool_name: "n", parameters: { a: 1.0, b: 10 } };
    const two = { parameters: { b: 1e1, a: 1 }, tool_name: "n", tool_call_id: "c" };
    const type = "tool.call.started";
    expect(send({ type, data: one }).fingerprint).toBe(send({ type, data: two }).fingerprint);
    const three = { ...one, parameters: null };
    const four = { tool_call_id: "c", tool_name: "n" };
    const prints = [three, four].map((data) => send({ type, data }).fingerprint);
    expect(prints[0]).not.toBe(prints[1]);
  });
});
