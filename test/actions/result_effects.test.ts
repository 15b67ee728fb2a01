// What an emitted event says about its effect: the transcript message, the state write, and the
// interaction with its defaults or with what is wrong with it.

import { describe, expect, it } from "vitest";
import { checkInteraction } from "../../src/contract/interactions.js";
import { measure } from "../../src/contract/canonical.js";
import { collectActions, judgeParams, longText, names } from "./schemas.js";

const actions = collectActions();

function effectsOf(type: string, data: Record<string, unknown>, method = "run_emit_result") {
  const action = actions.get(method);
  if (action === undefined) throw new Error(`there is no ${method}`);
  const judged = judgeParams(action, { run_id: "r", sequence: 1, type, data });
  if (!("params" in judged)) throw new Error(`refused: ${JSON.stringify(judged)}`);
  const event = judged.params["event"] as Record<string, unknown>;
  const { interaction, state, message } = event;
  return { interaction, state, message };
}

const none = { interaction: null, state: null, message: null };

describe("no effect", () => {
  it.each([
    ["message.delta", { chunk: { role: "a" } }],
    ["tool.call.started", { tool_call_id: "c", tool_name: "n" }],
    ["action.requested", { action: "open_door", payload: {} }],
    ["run.completed", {}],
    ["run.completed", { message: null }],
    ["run.failed", { error: "x" }],
  ])("%s %j", (type, data) => {
    expect(effectsOf(type, data)).toEqual(none);
  });
  it("an appended interaction request is only an event", () => {
    const data = { action: "interaction.requested", payload: { any: 1 } };
    expect(effectsOf("action.requested", data, "run_append_result")).toEqual(none);
  });
});

describe("messages", () => {
  const rows: [string, unknown, string | null][] = [
    ["text", "hello", "hello"],
    ["an empty text", "", ""],
    ["null", null, null],
    ["no elements", [], null],
    ["elements without text", [{ type: "image_url" }, { type: "x", text: null }], null],
    ["one element", [{ type: "text", text: "a" }], "a"],
    ["several", [{ type: "text", text: "a" }, { type: "i" }, { type: "t", text: "b" }], "a\nb"],
    ["an empty one between", [{ type: "t", text: "a" }, { type: "t", text: "" }], "a\n"],
  ];
  it.each(rows)("content of %s", (_why, content, expected) => {
    const { message } = effectsOf("message.completed", { message: { role: "assistant", content } });
    expect(message).toMatchObject({ role: "assistant", content: expected });
  });
  it("no content at all", () => {
    const { message } = effectsOf("message.completed", { message: { role: "tool" } });
    expect(message).toMatchObject({ role: "tool", content: null });
  });
  it("binary is removed, while the fingerprint is that of the message as sent", () => {
    const sent = {
      role: "a", name: null, mood: "good",
      content: [{ type: "image", image_base64: "AAAA" }, { type: "text", text: "see" }],
    };
    const { message } = effectsOf("run.completed", { message: sent });
    expect(message).toEqual({
      role: "a",
      content: "see",
      content_json: {
        role: "a", name: null, mood: "good",
        content: [
          { type: "image", image_base64: null, content_redacted: true },
          { type: "text", text: "see" },
        ],
      },
      fingerprint: measure(sent).fingerprint,
    });
    expect(sent.content[0]).toEqual({ type: "image", image_base64: "AAAA" });
  });
});

describe("state writes", () => {
  it("a value, measured in canonical JSON", () => {
    const { state } = effectsOf("state.updated", {
      scope: "actor", key: "k", value: { b: 1.0, a: "é" },
    });
    expect(state).toEqual({
      scope: "actor", key: "k", value: { b: 1, a: "é" }, bytes: '{"a":"é","b":1}'.length + 1,
    });
  });
  it("null is a value", () => {
    const { state } = effectsOf("state.updated", { scope: "runner", key: "k", value: null });
    expect(state).toEqual({ scope: "runner", key: "k", value: null, bytes: 4 });
  });
  it("conversation_id is short for external.conversation_id", () => {
    const { state } = effectsOf("state.updated", {
      scope: "conversation", key: "conversation_id", value: "x",
    });
    expect(state).toMatchObject({ key: "external.conversation_id" });
  });
  it("no other key is", () => {
    const { state } = effectsOf("state.updated", {
      scope: "conversation", key: "conversation_id2", value: "x",
    });
    expect(state).toMatchObject({ key: "conversation_id2" });
  });
});

const least = { interaction_id: "i", title: "t", fallback_text: "f" };
const option = { value: "v", label: "l" };
const field = { id: "f1", label: "l", type: "text" };
const select = { id: "f1", label: "l", type: "select", options: [option] };
const button = { id: "a1", label: "l" };
const fieldNames = names(50, "f");

describe("interaction requests", () => {
  const emit = (payload?: Record<string, unknown> | null) =>
    effectsOf("action.requested", { action: "interaction.requested", payload }).interaction as {
      interaction_id: string;
      expires_at: number | null;
      request: Record<string, unknown>;
      invalid: { path: string }[] | null;
    };

  it("defaults are filled in, but for expires_at, which needs the database clock", () => {
    expect(emit({ ...least, kind: null, fields: [field], actions: [button] })).toEqual({
      interaction_id: "i",
      expires_at: null,
      request: {
        ...least,
        kind: "form",
        fields: [{ ...field, required: false }],
        actions: [{ ...button, style: "default" }],
      },
      invalid: null,
    });
  });
  it("what was given stays", () => {
    const given = {
      ...least, kind: "choice", description: "d", expires_at: 2_000_000_000,
      fields: [{ ...select, required: true, placeholder: "p", default: ["v"] }],
      actions: [{ ...button, style: "danger" }],
    };
    expect(emit(given)).toEqual({
      interaction_id: "i", expires_at: 2_000_000_000, request: given, invalid: null,
    });
  });
  it.each([[undefined], [null]])("payload %s", (payload) => {
    const paths = emit(payload).invalid?.map((issue) => issue.path);
    expect(paths).toEqual([
      "data.payload.interaction_id", "data.payload.title", "data.payload.fallback_text",
    ]);
  });
  it("a broken request is handed on, for the policy is judged before it", () => {
    const broken = emit({ ...least, interaction_id: { toString: 1 }, title: "" });
    expect(broken).toMatchObject({ interaction_id: "", expires_at: null, request: {} });
    expect(broken.invalid?.map((issue) => issue.path)).toEqual([
      "data.payload.interaction_id", "data.payload.title",
    ]);
  });

  const accepted: [string, Record<string, unknown>][] = [
    ["the least", least],
    ["each kind: confirmation", { ...least, kind: "confirmation" }],
    ["50 fields", { ...least, fields: fieldNames.map((id) => ({ ...field, id })) }],
    ["100 options",
      { ...least,
        fields: [{ ...select, options: names(100).map((value) => ({ ...option, value })) }] }],
    ["20 actions", { ...least, actions: names(20).map((id) => ({ ...button, id })) }],
    ["no fields and no actions", { ...least, fields: [], actions: [] }],
    ["options on a text field", { ...least, fields: [{ ...field, options: [] }] }],
    ["one id for a field and an action",
      { ...least, fields: [field], actions: [{ ...button, id: "f1" }] }],
    ["one value in two fields", { ...least, fields: [select, { ...select, id: "f2" }] }],
    ["the longest texts",
      { ...least, title: longText(1000), description: longText(10_000),
        fallback_text: longText(20_000) }],
  ];
  it.each(accepted)("takes %s", (_why, payload) => {
    expect(checkInteraction(payload).issues).toBe(null);
  });

  const refused: [string, Record<string, unknown>, string[]][] = [
    ["interaction_id empty", { ...least, interaction_id: "" }, ["interaction_id"]],
    ["interaction_id too long", { ...least, interaction_id: longText(256) }, ["interaction_id"]],
    ["kind unknown", { ...least, kind: "poll" }, ["kind"]],
    ["title empty", { ...least, title: "" }, ["title"]],
    ["title too long", { ...least, title: longText(1001) }, ["title"]],
    ["description too long", { ...least, description: longText(10_001) }, ["description"]],
    ["fallback empty", { ...least, fallback_text: "" }, ["fallback_text"]],
    ["fallback too long", { ...least, fallback_text: longText(20_001) }, ["fallback_text"]],
    ["expires_at a string", { ...least, expires_at: "soon" }, ["expires_at"]],
    ["expires_at with a fraction", { ...least, expires_at: 0.5 }, ["expires_at"]],
    ["unknown", { ...least, colour: null }, ["colour"]],
    ["51 fields", { ...least, fields: names(51).map((id) => ({ ...field, id })) }, ["fields"]],
    ["fields an object", { ...least, fields: {} }, ["fields"]],
    ["field without label", { ...least, fields: [{ id: "a", type: "text" }] },
      ["fields.0.label"]],
    ["field type unknown", { ...least, fields: [{ ...field, type: "date" }] }, ["fields.0.type"]],
    ["field id too long", { ...least, fields: [{ ...field, id: longText(129) }] },
      ["fields.0.id"]],
    ["field label too long", { ...least, fields: [{ ...field, label: longText(513) }] },
      ["fields.0.label"]],
    ["required a string", { ...least, fields: [{ ...field, required: "x" }] },
      ["fields.0.required"]],
    ["placeholder too long", { ...least, fields: [{ ...field, placeholder: longText(2001) }] },
      ["fields.0.placeholder"]],
    ["unknown in a field", { ...least, fields: [{ ...field, hint: "x" }] }, ["fields.0.hint"]],
    ["field ids alike", { ...least, fields: [field, { ...field, label: "m" }] }, ["fields.1.id"]],
    ["select without options", { ...least, fields: [{ ...field, type: "select" }] },
      ["fields.0.options"]],
    ["multiselect with none",
      { ...least, fields: [{ ...select, type: "multiselect", options: [] }] },
      ["fields.0.options"]],
    ["options alike", { ...least, fields: [{ ...select, options: [option, option] }] },
      ["fields.0.options.1.value"]],
    ["101 options",
      { ...least,
        fields: [{ ...select, options: names(101).map((value) => ({ ...option, value })) }] },
      ["fields.0.options"]],
    ["option without label", { ...least, fields: [{ ...select, options: [{ value: "v" }] }] },
      ["fields.0.options.0.label"]],
    ["option description too long",
      { ...least, fields: [{ ...select, options: [{ ...option, description: longText(2001) }] }] },
      ["fields.0.options.0.description"]],
    ["unknown in an option",
      { ...least, fields: [{ ...select, options: [{ ...option, icon: "x" }] }] },
      ["fields.0.options.0.icon"]],
    ["21 actions", { ...least, actions: names(21).map((id) => ({ ...button, id })) }, ["actions"]],
    ["actions alike", { ...least, actions: [button, button] }, ["actions.1.id"]],
    ["style unknown", { ...least, actions: [{ ...button, style: "big" }] }, ["actions.0.style"]],
    ["unknown in an action", { ...least, actions: [{ ...button, url: "x" }] }, ["actions.0.url"]],
    ["over 256 KiB",
      { ...least,
        fields: names(14, "f").map((id) => ({ ...field, id, default: longText(20_000) })) },
      [""]],
  ];
  it.each(refused)("refuses %s", (_why, payload, paths) => {
    const { issues } = checkInteraction(payload);
    const expected = paths.map((path) => (path === "" ? "data.payload" : `data.payload.${path}`));
    expect(issues?.map((issue) => issue.path)).toEqual(expected);
  });
});
