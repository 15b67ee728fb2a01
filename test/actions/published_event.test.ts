// From the params of event_publish to the event and the run that the ledger is handed: members,
// defaults, what is left unused without a runner, size, fingerprint and workspaces.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { buildPublished, publishParams } from "../../src/actions/events/published_event.js";
import { runParams } from "../../src/actions/run_params.js";
import { buildRun } from "../../src/actions/run_request.js";
import type { GrantFacts } from "../../src/contract/grants.js";
import { longText, objectOf, refusalOf } from "./schemas.js";

const runner_id = "plugin:acme/bot/main";
type Held = Pick<GrantFacts, "admin" | "creator">;

const administrator: Held = {
  admin: { permission: "agent_run:admin", workspaces: null }, creator: null,
};
const creator = (workspaces: string[] | null): Held => ({
  admin: null, creator: { permission: "agent_run:create", workspaces },
});

function grantOf(held: Held): GrantFacts {
  const all = [held.admin, held.creator].filter((one) => one !== null);
  return { ...held, held: all } as unknown as GrantFacts;
}

function build(sent: Record<string, unknown>, held = administrator) {
  return buildPublished({ params: publishParams.parse(sent), sent, grant: grantOf(held) });
}

const refusal = async (sent: Record<string, unknown>, held = administrator) => {
  const { code, details } = await refusalOf(() => build(sent, held));
  return { code, ...details };
};

const emptyInput = { text: null, contents: [], attachments: [] };

it("the least event gets every default and no run", () => {
  const { fingerprint, ...event } = build({});
  expect(fingerprint).toBe(createHash("sha256").update("{}", "utf8").digest("hex"));
  expect(event).toEqual({
    event: {
      event_id: null, event_type: "message.received", event_time: null, source: "api",
      source_event_type: "message.received", bot_id: null, workspace_id: null,
      conversation_id: null, thread_id: null, raw_ref: null, actor: null, subject: null, data: {},
    },
    input: emptyInput, log_input: emptyInput, metadata: {}, absorb: true, run: null,
  });
});

it("members of the event stand where they were sent", () => {
  const members = {
    event_id: "e", event_type: "issue.opened", event_time: 5, source: "tracker",
    source_event_type: "opened", bot_id: "b", workspace_id: "w", conversation_id: "c",
    thread_id: "t", raw_ref: "r", data: { a: null },
  };
  const sent = { ...members, actor: { actor_id: "u", actor_name: null }, subject: {} };
  const built = build({ ...sent, text: "hi", metadata: { m: 1 }, absorb: false });
  expect(built).toMatchObject({
    event: { ...members, actor: { actor_id: "u" }, subject: {} },
    input: { ...emptyInput, text: "hi" }, metadata: { m: 1 }, absorb: false, run: null,
  });
});

it("the log keeps no binary, the event's input does", () => {
  const input = { text: "x", attachments: [{ content: "AA" }] };
  const built = build({ input, runner_id });
  const redacted = { text: "x", attachments: [{ content: null, content_redacted: true }] };
  expect([built.input, built.log_input]).toEqual([input, redacted]);
  expect(built.run).toMatchObject({ input, log_input: redacted });
});

describe("the run of a named runner", () => {
  const made = (sent: Record<string, unknown>) => {
    const { run_id, parent_run_id, dispatch, not_before, deadline_at, fingerprint, ...run } =
      buildRun({ params: runParams.parse(sent), sent, grant: grantOf(administrator) });
    expect([run_id, parent_run_id, dispatch]).toEqual([null, null, "queued"]);
    expect([not_before, deadline_at]).toEqual([null, null]);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    return run;
  };
  const rows: [string, Record<string, unknown>][] = [
    ["least", { runner_id }],
    ["in binding", { binding: { runner_id, agent_id: "a", scope: { type: "global" } } }],
    ["with a conversation", { runner_id, conversation_id: "c", text: "x" }],
    ["with everything",
      { runner_id, binding_id: "b", agent_id: "a", runner_config: { a: null },
        resource_policy: { cpu: 1 }, state_policy: { state_scopes: ["runner"] },
        delivery_policy: { enable_interactions: false }, delivery: { supports_streaming: true },
        prompt: [{ role: "user", content: "x" }], allow_unregistered_runner: true,
        include_plugins: ["acme/bot"], queue_name: "q", priority: -5,
        requested_runtime_id: "rt", max_attempts: 3, timeout_seconds: 60,
        authorization: { available_apis: { state: false, run_finalize: true } } }],
  ];
  it.each(rows)("%s, is the one that run_create makes", (_why, sent) => {
    const { run } = build(sent);
    const same = made({ ...sent, event_type: "message.received" });
    expect({ ...run, request_bytes: 0 }).toEqual({ ...same, request_bytes: 0 });
    expect(run?.request_bytes).toBe(JSON.stringify(sent).length);
  });
  it("has the metadata of the run, the event its own", () => {
    const built = build({ runner_id, metadata: { of: "event" }, run_metadata: { of: "run" } });
    expect([built.metadata, built.run?.metadata]).toEqual([{ of: "event" }, { of: "run" }]);
  });
  it("remembers a capability that the caller may not grant", () => {
    const authorization = { available_apis: { run_finalize: true } };
    const denied = { permission: "agent_run:admin" };
    expect(build({ runner_id, authorization }, creator(null)).run?.denied).toEqual(denied);
    expect(build({ runner_id, authorization }).run?.denied).toBeNull();
  });
  it("is not made without a runner, whatever else is said about it", () => {
    const sent = {
      authorization: { available_apis: { run_finalize: true } }, queue_name: "q",
      binding: { agent_id: "a" }, run_metadata: { a: 1 }, prompt: [],
    };
    expect(build(sent, creator(null)).run).toBeNull();
  });
});

describe("rules that join members", () => {
  const invalid = async (sent: Record<string, unknown>) => {
    const { code, issues } = await refusal(sent) as unknown as {
      code: string; issues: { path: string }[];
    };
    expect(code).toBe("INVALID_PARAMS");
    return issues.map(({ path }) => path);
  };
  const rows: [string, Record<string, unknown>, string[]][] = [
    ["text with input", { text: "", input: {} }, ["text"]],
    ["two runners", { runner_id, binding: { runner_id: "plugin:acme/bot/b" } }, ["runner_id"]],
    ["two bindings", { binding_id: "a", binding: { binding_id: "b" } }, ["binding_id"]],
    ["event_types of other events", { runner_id, binding: { event_types: ["api.invoked"] } },
      ["binding.event_types"]],
    ["event_types of other events, without a runner", { binding: { event_types: [] } },
      ["binding.event_types"]],
  ];
  it.each(rows)("refuses %s", async (_why, sent, paths) => {
    expect(await invalid(sent)).toEqual(paths);
  });
  it("takes event_types that contain the event's", () => {
    const event_types = ["other", "message.received"];
    expect(build({ runner_id, binding: { event_types } }).run?.binding["event_types"])
      .toEqual(event_types);
  });
});

describe("size and fingerprint", () => {
  it("count what was sent, the event_id too, without nulls", () => {
    const written = '{"absorb":true,"event_id":"e","text":"x"}';
    const { fingerprint } = build({ text: "x", event_id: "e", absorb: true, runner_id: null });
    expect(fingerprint).toBe(createHash("sha256").update(written, "utf8").digest("hex"));
  });
  it("a request may have 1 MiB", async () => {
    const text = longText(1_048_576 - '{"text":""}'.length);
    expect(build({ text }).input["text"]).toBe(text);
    expect(await refusal({ text: `${text}x` })).toEqual({
      code: "PAYLOAD_TOO_LARGE", reason: "request", limit_bytes: 1_048_576,
    });
  });
  it.each(["metadata", "run_metadata"])("%s may have 64 KiB", async (path) => {
    expect(build({ [path]: objectOf(65_536) })).toHaveProperty("event");
    const details = { code: "PAYLOAD_TOO_LARGE", reason: "field", path, limit_bytes: 65_536 };
    expect(await refusal({ [path]: objectOf(65_537) })).toEqual(details);
    expect(await refusal({ runner_id, [path]: objectOf(65_537) })).toEqual(details);
  });
});

describe("workspaces", () => {
  const outside = { code: "FORBIDDEN", reason: "out_of_scope" };
  it("are judged with and without a runner", async () => {
    expect(await refusal({ workspace_id: "v" }, creator(["w"]))).toEqual(outside);
    expect(await refusal({ runner_id }, creator(["w"]))).toEqual(outside);
    const within = build({ workspace_id: "w" }, creator(["w"]));
    expect(within.event["workspace_id"]).toBe("w");
  });
  it("come after params and sizes", async () => {
    const large = { metadata: objectOf(70_000), workspace_id: "v" };
    expect(await refusal(large, creator(["w"]))).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    expect(await refusal({ ...large, text: "x", input: {} }, creator(["w"])))
      .toMatchObject({ code: "INVALID_PARAMS" });
  });
});
