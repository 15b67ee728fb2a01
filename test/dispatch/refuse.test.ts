// Everything that can be thrown, as the JSON that a peer gets: the literal error table, safe
// details, and nothing of a defect but its incident id.

import { describe, expect, test } from "vitest";
import { Refusal, type ErrorCode } from "../../src/contract/errors.js";
import { createRefuser, type Incident } from "../../src/dispatch/refuse.js";

const hide = (text: string): string => text.replace("sesame", "[hidden]");

function setUp() {
  const incidents: Incident[] = [];
  return { incidents, refuse: createRefuser((incident) => incidents.push(incident), hide) };
}

describe("refusals", () => {
  const table: [ErrorCode, number, boolean][] = [
    ["PARSE_ERROR", -32700, false],
    ["INVALID_REQUEST", -32600, false],
    ["METHOD_NOT_FOUND", -32601, false],
    ["INVALID_PARAMS", -32602, false],
    ["UNAUTHENTICATED", -32001, false],
    ["FORBIDDEN", -32002, false],
    ["NOT_FOUND", -32003, false],
    ["CONFLICT", -32004, false],
    ["LEASE_LOST", -32005, false],
    ["RUN_TERMINAL", -32006, false],
    ["SESSION_EXPIRED", -32007, false],
    ["NO_RUN_AVAILABLE", -32008, true],
    ["PAYLOAD_TOO_LARGE", -32009, false],
    ["RATE_LIMITED", -32010, true],
    ["OVERLOADED", -32011, true],
    ["UNAVAILABLE", -32012, true],
    ["RESULT_REJECTED", -32013, false],
    ["DEADLINE_EXCEEDED", -32014, true],
  ];
  test.each(table)("%s is %d, retryable %j", (code, number, retryable) => {
    const { refuse, incidents } = setUp();
    const error = refuse(new Refusal(code, { reason: "r", run_id: "x" }), "run_get");
    expect(error.code).toBe(number);
    expect(error.data).toEqual({ code, retryable, reason: "r", run_id: "x" });
    expect(error.message.length).toBeGreaterThan(0);
    expect(incidents).toEqual([]);
  });

  test("secrets that a refusal repeats are hidden, also where the text is cut", () => {
    const issues = [{ path: "sesame", message: "is not known: sesame" }];
    const named = { issues, id: `${"x".repeat(996)}sesame`, sesame: [["sesame"]] };
    const error = setUp().refuse(new Refusal("INVALID_PARAMS", named, "no sesame"), null);
    expect(error.message).toBe("no [hidden]");
    expect(error.data).toMatchObject({
      issues: [{ path: "[hidden]", message: "is not known: [hidden]" }],
      id: `${"x".repeat(996)}[hid`, "[hidden]": [["[hidden]"]],
    });
  });

  test("details do not replace code and retryable", () => {
    const thrown = new Refusal("CONFLICT", { code: "OK", retryable: true, status: "queued" });
    expect(setUp().refuse(thrown, null).data).toEqual({
      code: "CONFLICT", retryable: false, status: "queued",
    });
  });

  test("the message of INVALID_PARAMS names the first path", () => {
    const issues = [{ path: "event.actor.actor_id", message: "must not be empty" }];
    const error = setUp().refuse(new Refusal("INVALID_PARAMS", { issues }), "run_create");
    expect(error.message).toBe("event.actor.actor_id: must not be empty");
    expect(error.data["issues"]).toEqual(issues);
  });

  test("details become plain JSON of bounded size", () => {
    const cyclic: Record<string, unknown> = { name: "n" };
    cyclic["self"] = cyclic;
    const details = {
      text: "x".repeat(5000),
      torn: `${"x".repeat(999)}😀`,
      lone: "a\ud800b",
      nan: Number.NaN,
      big: 12n,
      none: undefined,
      call: () => 1,
      sign: Symbol("s"),
      at: new Date(0),
      many: Array.from({ length: 500 }, (_, index) => index),
      holes: [undefined, () => 1],
      cyclic,
      kept: { null: null, yes: true },
    };
    const { data } = setUp().refuse(new Refusal("CONFLICT", details), null);
    const sent = JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
    expect(sent).toMatchObject({
      text: "x".repeat(1000), torn: `${"x".repeat(999)}\ufffd`, lone: "a\ufffdb", nan: null,
      big: "12", kept: { null: null, yes: true }, holes: [null, null],
    });
    expect(Object.keys(sent)).not.toContain("none");
    expect(Object.keys(sent)).not.toContain("call");
    expect(Object.keys(sent)).not.toContain("sign");
    expect((sent["many"] as unknown[]).length).toBe(100);
    expect(JSON.stringify(sent["cyclic"]).length).toBeLessThan(300);
  });

  test("a message is cut", () => {
    const error = setUp().refuse(new Refusal("CONFLICT", {}, "y".repeat(4000)), null);
    expect(error.message).toBe("y".repeat(1000));
  });
});

describe("defects", () => {
  test.each<[string, unknown]>([
    ["an error", new Error("select secret from plugin_token")],
    ["a string", "select secret from plugin_token"],
    ["nothing", undefined],
    ["null", null],
    ["an object like a refusal", { code: "CONFLICT", details: { secret: 1 } }],
    ["a refusal that claims to be internal", new Refusal("INTERNAL", { secret: "s" })],
  ])("%s is INTERNAL, its cause in the log alone", (_, thrown) => {
    const { refuse, incidents } = setUp();
    const error = refuse(thrown, "run_get");
    const incident = incidents[0]!.incident;
    expect(error).toEqual({
      code: -32603,
      message: `A defect of the host; its log has the cause under ${incident}.`,
      data: { code: "INTERNAL", retryable: false, incident },
    });
    expect(incident).toMatch(/^[0-9a-f-]{36}$/);
    expect(incidents).toEqual([{ incident, method: "run_get", cause: thrown }]);
  });

  test("each has an incident of its own", () => {
    const { refuse } = setUp();
    const first = refuse(new Error("a"), null).data["incident"];
    expect(refuse(new Error("a"), null).data["incident"]).not.toBe(first);
  });
});
