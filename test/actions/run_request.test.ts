// From params to the run that is stored: members in two places, rules that join several members,
// defaults, size and fingerprint, and the workspaces that a caller reaches.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { buildRun } from "../../src/actions/run_request.js";
import { runParams } from "../../src/actions/run_params.js";
import type { GrantFacts } from "../../src/contract/grants.js";
import { longText, objectOf, refusalOf } from "./schemas.js";

const runner_id = "plugin:acme/bot/main";

const unlimited: Pick<GrantFacts, "admin" | "creator"> = {
  admin: { permission: "agent_run:admin", workspaces: null },
  creator: null,
};

function build(sent: Record<string, unknown>, held: Partial<GrantFacts> = unlimited) {
  const all = [held.admin, held.creator].filter((one) => one !== null && one !== undefined);
  const grant = { admin: null, creator: null, held: all, ...held } as GrantFacts;
  return buildRun({ params: runParams.parse(sent), sent, grant });
}

async function pathsOf(sent: Record<string, unknown>): Promise<string[]> {
  const { code, details } = await refusalOf(() => build(sent));
  expect(code).toBe("INVALID_PARAMS");
  return (details["issues"] as { path: string }[]).map((issue) => issue.path);
}

describe("the least request", () => {
  it("gets every default", () => {
    const { fingerprint, request_bytes, ...run } = build({ runner_id });
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(request_bytes).toBe(JSON.stringify({ runner_id }).length);
    const input = { text: null, contents: [], attachments: [] };
    expect(run).toEqual({
      run_id: null, runner_id, parent_run_id: null, dispatch: "queued", queue_name: "default",
      priority: 0, requested_runtime_id: null, max_attempts: 10, not_before: null,
      deadline_at: null, timeout_seconds: null, allow_unregistered_runner: false,
      include_plugins: null, metadata: {}, denied: null,
      event: {
        event_id: null, event_type: "api.invoked", event_time: null, source: "api",
        source_event_type: "api.invoked", bot_id: null, workspace_id: null,
        conversation_id: null, thread_id: null, raw_ref: null, actor: null, subject: null,
        data: {},
      },
      input,
      log_input: input,
      binding: {
        binding_id: null, runner_id, agent_id: null, event_types: ["api.invoked"],
        enabled: true, runner_config: {}, resource_policy: {},
        state_policy: { enable_state: true, state_scopes: ["conversation", "actor"] },
        delivery_policy: {
          enable_streaming: false, enable_reply: false, enable_interactions: true,
        },
        scope: { type: "global", id: null },
      },
      binding_named: false,
      delivery: {
        surface: "api", reply_target: null, supports_streaming: false, supports_edit: false,
        supports_reaction: false, platform_capabilities: {},
      },
      prompt: null,
      snapshot: {
        available_apis: { run_get: true, run_events_page: true, run_cancel: true, state: true },
        state_policy: { enable_state: true, state_scopes: ["conversation", "actor"] },
      },
    });
  });
});

describe("members of event and binding", () => {
  const values: [string, unknown, (run: ReturnType<typeof build>) => unknown][] = [
    ["event_type", "x.y", (run) => run.event.event_type],
    ["source", "slack", (run) => run.event.source],
    ["event_id", "e1", (run) => run.event.event_id],
    ["event_time", 5, (run) => run.event.event_time],
    ["source_event_type", "m", (run) => run.event["source_event_type"]],
    ["bot_id", "b", (run) => run.event["bot_id"]],
    ["workspace_id", "w", (run) => run.event["workspace_id"]],
    ["conversation_id", "c", (run) => run.event["conversation_id"]],
    ["thread_id", "t", (run) => run.event["thread_id"]],
    ["raw_ref", "r", (run) => run.event["raw_ref"]],
    ["actor", { actor_id: "u" }, (run) => run.event["actor"]],
    ["subject", { subject_type: "issue" }, (run) => run.event["subject"]],
    ["input", { text: "x", mood: null }, (run) => run.input],
    ["delivery", { surface: "web" }, (run) => run.delivery],
    ["data", { a: null }, (run) => run.event["data"]],
  ];
  it.each(values)("%s stands at the top or in event", (name, value, read) => {
    expect(read(build({ runner_id, [name]: value }))).toEqual(value);
    expect(read(build({ runner_id, event: { [name]: value } }))).toEqual(value);
    expect(read(build({ runner_id, [name]: value, event: { [name]: value } }))).toEqual(value);
    expect(read(build({ runner_id, [name]: null, event: { [name]: value } }))).toEqual(value);
    expect(read(build({ runner_id, [name]: value, event: { [name]: null } }))).toEqual(value);
  });

  const bindings: [string, unknown][] = [
    ["binding_id", "b1"],
    ["agent_id", "a1"],
    ["event_types", ["other", "api.invoked"]],
    ["enabled", true],
    ["runner_config", { model: null }],
    ["resource_policy", { cpu: 1 }],
    ["state_policy", { enable_state: false, state_scopes: ["runner"] }],
    ["delivery_policy", { enable_interactions: false }],
  ];
  it.each(bindings)("%s stands at the top or in binding", (name, value) => {
    expect(build({ runner_id, [name]: value }).binding[name]).toEqual(value);
    expect(build({ runner_id, binding: { [name]: value } }).binding[name]).toEqual(value);
    const both = { runner_id, [name]: value, binding: { [name]: value } };
    expect(build(both).binding[name]).toEqual(value);
  });

  const differing: [string, Record<string, unknown>][] = [
    ["runner_id", { runner_id, binding: { runner_id: "plugin:acme/bot/other" } }],
    ["source", { runner_id, source: "a", event: { source: "b" } }],
    ["event_time", { runner_id, event_time: 1, event: { event_time: 2 } }],
    ["actor", { runner_id, actor: { actor_id: "a" }, event: { actor: {} } }],
    ["input", { runner_id, input: { text: null }, event: { input: {} } }],
    ["delivery", { runner_id, delivery: {}, event: { delivery: { surface: "x" } } }],
    ["binding_id", { runner_id, binding_id: "a", binding: { binding_id: "b" } }],
    ["event_types", { runner_id, event_types: ["api.invoked"],
      binding: { event_types: ["api.invoked", "x"] } }],
    ["state_policy", { runner_id, state_policy: {},
      binding: { state_policy: { enable_state: true } } }],
  ];
  it.each(differing)("%s with two values is refused at the top", async (name, sent) => {
    expect(await pathsOf(sent)).toEqual([name]);
  });

  it("order, spelling and nulls of closed objects do not make a difference", () => {
    const actor = { actor_type: "user", actor_id: "u", actor_name: null };
    const run = build({
      runner_id, actor, event: { actor: { actor_id: "u", actor_type: "user" } },
    });
    expect(run.event["actor"]).toEqual({ actor_type: "user", actor_id: "u" });
  });
});

describe("rules that join members", () => {
  const rows: [string, Record<string, unknown>, string[]][] = [
    ["no runner", {}, ["runner_id"]],
    ["a null runner", { runner_id: null, binding: { runner_id: null } }, ["runner_id"]],
    ["text with input", { runner_id, text: "x", input: {} }, ["text"]],
    ["an empty text with input", { runner_id, text: "", input: {} }, ["text"]],
    ["text with input in event", { runner_id, text: "x", event: { input: {} } }, ["text"]],
    ["two ends", { runner_id, deadline_at: 2_000_000_000, timeout_seconds: 5 }, ["deadline_at"]],
    ["event_types without the default type", { runner_id, event_types: ["x"] }, ["event_types"]],
    ["no event_types", { runner_id, event_types: [] }, ["event_types"]],
    ["event_types in binding", { runner_id, event_type: "y", binding: { event_types: ["x"] } },
      ["binding.event_types"]],
    ["a queue for a running run", { runner_id, dispatch: "running", queue_name: "q" },
      ["queue_name"]],
    ["a runtime for a running run",
      { runner_id, dispatch: "running", requested_runtime_id: "r" }, ["requested_runtime_id"]],
    ["attempts for a running run", { runner_id, dispatch: "running", max_attempts: 10 },
      ["max_attempts"]],
    ["a start for a running run", { runner_id, dispatch: "running", not_before: 0 },
      ["not_before"]],
    ["everything at once",
      { dispatch: "running", max_attempts: 1, text: "x", input: {}, event_types: [] },
      ["text", "event_types", "max_attempts", "runner_id"]],
  ];
  it.each(rows)("refuses %s", async (_why, sent, paths) => {
    expect(await pathsOf(sent)).toEqual(paths);
  });

  it("a running run takes what is not about its queue", () => {
    const sent = { runner_id, dispatch: "running", priority: 5, queue_name: null };
    expect(build(sent)).toMatchObject({
      dispatch: "running", queue_name: null, priority: 5, timeout_seconds: 300, max_attempts: 10,
    });
  });
  it.each([
    [{ dispatch: "running", timeout_seconds: 5 }, { timeout_seconds: 5, deadline_at: null }],
    [{ dispatch: "running", deadline_at: 9 }, { timeout_seconds: null, deadline_at: 9 }],
    [{ deadline_at: 9, not_before: 99 }, { timeout_seconds: null, deadline_at: 9, not_before: 99 }],
    [{ timeout_seconds: 604_800 }, { timeout_seconds: 604_800, deadline_at: null }],
  ])("ends %j", (sent, expected) => {
    expect(build({ runner_id, ...sent })).toMatchObject(expected);
  });
});

describe("defaults that follow from other members", () => {
  it("text becomes the input", () => {
    const { input } = build({ runner_id, text: "hello" });
    expect(input).toEqual({ text: "hello", contents: [], attachments: [] });
  });
  it("event_type is the source's and the binding's", () => {
    const run = build({ runner_id, event_type: "message.received" });
    expect(run.event["source_event_type"]).toBe("message.received");
    expect(run.binding["event_types"]).toEqual(["message.received"]);
  });
  it.each([
    [{ agent_id: "a", bot_id: "b", workspace_id: "w" }, { type: "agent", id: "a" }],
    [{ bot_id: "b", workspace_id: "w" }, { type: "bot", id: "b" }],
    [{ workspace_id: "w" }, { type: "workspace", id: "w" }],
    [{ event: { bot_id: "b" }, binding: { agent_id: "a" } }, { type: "agent", id: "a" }],
    [{ agent_id: "a", binding: { scope: { type: "global" } } }, { type: "global", id: null }],
    [{ binding: { scope: { type: "bot", id: "z" } } }, { type: "bot", id: "z" }],
  ])("scope of %j", (sent, scope) => {
    expect(build({ runner_id, ...sent }).binding["scope"]).toEqual(scope);
  });
  it.each([
    [{ supports_streaming: true }, true],
    [{ supports_streaming: false }, false],
    [{}, false],
    [{ supports_streaming: null }, false],
  ])("streaming follows delivery %j", (delivery, enable_streaming) => {
    expect(build({ runner_id, delivery }).binding["delivery_policy"]).toEqual({
      enable_streaming, enable_reply: false, enable_interactions: true,
    });
  });
  it.each([
    [{ enable_state: false }, { enable_state: false, state_scopes: ["conversation", "actor"] }],
    [{ state_scopes: [] }, { enable_state: true, state_scopes: [] }],
    [{ state_scopes: ["actor", "actor"] }, { enable_state: true, state_scopes: ["actor"] }],
    [{}, { enable_state: true, state_scopes: ["conversation", "actor"] }],
  ])("state policy %j", (state_policy, expected) => {
    const run = build({ runner_id, state_policy });
    expect(run.binding["state_policy"]).toEqual(expected);
    expect(run.snapshot.state_policy).toEqual(expected);
  });
  it("a named binding is remembered as named", () => {
    expect(build({ runner_id, binding: { binding_id: "b" } }).binding_named).toBe(true);
  });
  it("the log keeps no binary, the run does", () => {
    const input = { text: "x", attachments: [{ content: "AA" }] };
    const run = build({ runner_id, input });
    expect(run.input).toEqual(input);
    expect(run.log_input).toEqual({
      text: "x", attachments: [{ content: null, content_redacted: true }],
    });
  });
  it("a prompt is kept as sent", () => {
    const prompt = [{ role: "user", name: null, content: null, mood: { a: null } }];
    expect(build({ runner_id, prompt }).prompt).toEqual(prompt);
  });
});

describe("size and fingerprint", () => {
  const sha256 = (written: string) => createHash("sha256").update(written, "utf8").digest("hex");

  it("count what was sent, without the names of this call and without nulls", () => {
    const written = `{"event":{"source":null},"metadata":{"a":null},"runner_id":"${runner_id}"}`;
    const run = build({
      runner_id, metadata: { a: null }, event: { source: null }, text: null, priority: null,
      run_id: "r1", wait_for_completion: true, wait_seconds: 5,
    });
    expect(run).toMatchObject({
      run_id: "r1", fingerprint: sha256(written), request_bytes: written.length,
    });
  });
  it("a default that is written out is other content", () => {
    const plain = build({ runner_id }).fingerprint;
    expect(build({ runner_id, priority: 0 }).fingerprint).not.toBe(plain);
    expect(build({ binding: { runner_id } }).fingerprint).not.toBe(plain);
  });
  it("a request may have 1 MiB", async () => {
    const empty = JSON.stringify({ runner_id, text: "" }).length;
    const text = longText(1_048_576 - empty);
    expect(build({ runner_id, text }).request_bytes).toBe(1_048_576);
    const { code, details } = await refusalOf(() => build({ runner_id, text: `${text}x` }));
    expect({ code, ...details }).toEqual({
      code: "PAYLOAD_TOO_LARGE", reason: "request", limit_bytes: 1_048_576,
    });
  });
  it("its metadata 64 KiB", async () => {
    expect(build({ runner_id, metadata: objectOf(65_536) }).metadata).toHaveProperty("a");
    const sent = { runner_id, metadata: objectOf(65_537) };
    const { code, details } = await refusalOf(() => build(sent));
    expect({ code, ...details }).toEqual({
      code: "PAYLOAD_TOO_LARGE", reason: "field", path: "metadata", limit_bytes: 65_536,
    });
  });
  it("params come before sizes, sizes before the workspace", async () => {
    const large = { runner_id, metadata: objectOf(70_000) };
    expect(await pathsOf({ ...large, text: "x", input: {} })).toEqual(["text"]);
    const { code } = await refusalOf(() => build(large, { admin: null, creator: null }));
    expect(code).toBe("PAYLOAD_TOO_LARGE");
  });
});

describe("workspaces", () => {
  const admin = (workspaces: string[] | null) =>
    ({ admin: { permission: "agent_run:admin", workspaces } }) as const;
  const creator = (workspaces: string[] | null) =>
    ({ creator: { permission: "agent_run:create", workspaces } }) as const;
  const rows: [string, Partial<GrantFacts>, Record<string, unknown>, boolean][] = [
    ["unlimited administrator, none", admin(null), {}, true],
    ["unlimited administrator, any", admin(null), { workspace_id: "w" }, true],
    ["unlimited creator, none", creator(null), {}, true],
    ["limited administrator, its own", admin(["w"]), { workspace_id: "w" }, true],
    ["limited administrator, in event", admin(["w"]), { event: { workspace_id: "w" } }, true],
    ["limited administrator, another", admin(["w"]), { workspace_id: "v" }, false],
    ["limited administrator, none", admin(["w"]), {}, false],
    ["limited creator, its own", creator(["w"]), { workspace_id: "w" }, true],
    ["limited creator, none", creator(["w"]), {}, false],
    ["the creator's reach adds up", { ...admin(["v"]), ...creator(["w"]) },
      { workspace_id: "w" }, true],
    ["an unlimited creator beside a limited administrator",
      { ...admin(["v"]), ...creator(null) }, {}, true],
    ["outside both", { ...admin(["v"]), ...creator(["w"]) }, { workspace_id: "x" }, false],
    ["nothing held", {}, {}, false],
  ];
  it.each(rows)("%s", async (_why, held, sent, reached) => {
    const attempt = () => build({ runner_id, ...sent }, held);
    if (reached) {
      expect(attempt().runner_id).toBe(runner_id);
      return;
    }
    const { code, details } = await refusalOf(attempt);
    expect({ code, ...details }).toEqual({ code: "FORBIDDEN", reason: "out_of_scope" });
  });
});
