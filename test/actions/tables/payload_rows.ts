// Payloads of result events, type by type: accepted ones, and refused ones with every path that
// RESULT_REJECTED invalid_payload names.

import { longText, wideText } from "../schemas.js";

type Payload = Record<string, unknown>;
export interface PayloadTable {
  type: string;
  accepted: [why: string, data: Payload][];
  refused: [why: string, data: Payload, paths: string[]][];
}

type Rows = PayloadTable["refused"];

/** Members of a message that are refused; paths begin at the message. */
const brokenMessages: Rows = [
  ["no role", {}, ["role"]],
  ["role null", { role: null }, ["role"]],
  ["role empty", { role: "" }, ["role"]],
  ["role too long", { role: longText(51) }, ["role"]],
  ["role a number", { role: 1 }, ["role"]],
  ["name a number", { role: "a", name: 5 }, ["name"]],
  ["content a number", { role: "a", content: 5 }, ["content"]],
  ["content true", { role: "a", content: true }, ["content"]],
  ["content an object", { role: "a", content: {} }, ["content"]],
  ["content of strings", { role: "a", content: ["x"] }, ["content.0"]],
  ["content of nulls", { role: "a", content: [null] }, ["content.0"]],
  ["element without type", { role: "a", content: [{ text: "x" }] }, ["content.0.type"]],
  ["element type empty", { role: "a", content: [{ type: "" }] }, ["content.0.type"]],
  ["element type long", { role: "a", content: [{ type: longText(51) }] }, ["content.0.type"]],
  ["element text a number", { role: "a", content: [{ type: "t", text: 1 }] }, ["content.0.text"]],
  ["second element broken", { role: "a", content: [{ type: "t" }, { type: 1 }] },
    ["content.1.type"]],
  ["image a number", { role: "a", content: [{ type: "t", image_base64: 1 }] },
    ["content.0.image_base64"]],
  ["file a list", { role: "a", content: [{ type: "t", file_base64: [] }] },
    ["content.0.file_base64"]],
  ["file_url a number", { role: "a", content: [{ type: "t", file_url: 1 }] },
    ["content.0.file_url"]],
  ["file_name a number", { role: "a", content: [{ type: "t", file_name: 1 }] },
    ["content.0.file_name"]],
  ["image_url a string", { role: "a", content: [{ type: "t", image_url: "u" }] },
    ["content.0.image_url"]],
  ["image_url without url", { role: "a", content: [{ type: "t", image_url: {} }] },
    ["content.0.image_url.url"]],
  ["image_url url null", { role: "a", content: [{ type: "t", image_url: { url: null } }] },
    ["content.0.image_url.url"]],
  ["tool_calls an object", { role: "a", tool_calls: {} }, ["tool_calls"]],
  ["tool_calls of strings", { role: "a", tool_calls: ["x"] }, ["tool_calls.0"]],
  ["a tool call of nothing", { role: "a", tool_calls: [{}] },
    ["tool_calls.0.id", "tool_calls.0.type", "tool_calls.0.function"]],
  ["a function without arguments",
    { role: "a", tool_calls: [{ id: "1", type: "function", function: { name: "n" } }] },
    ["tool_calls.0.function.arguments"]],
  ["arguments an object",
    { role: "a", tool_calls: [{ id: "1", type: "f", function: { name: "n", arguments: {} } }] },
    ["tool_calls.0.function.arguments"]],
  ["a tool call's fields a list",
    {
      role: "a",
      tool_calls: [
        {
          id: "1", type: "f", function: { name: "n", arguments: "" },
          provider_specific_fields: [],
        },
      ],
    },
    ["tool_calls.0.provider_specific_fields"]],
  ["tool_call_id a number", { role: "a", tool_call_id: 1 }, ["tool_call_id"]],
  ["resp_message_id a list", { role: "a", resp_message_id: [] }, ["resp_message_id"]],
  ["provider_specific_fields a string", { role: "a", provider_specific_fields: "x" },
    ["provider_specific_fields"]],
];

const goodMessages: [string, Payload][] = [
  ["a role", { role: "a" }],
  ["50 wide characters of role", { role: wideText(50) }],
  ["content text", { role: "a", content: "x" }],
  ["content empty", { role: "a", content: "" }],
  ["content null", { role: "a", content: null }],
  ["content of nothing", { role: "a", content: [] }],
  ["elements", { role: "a", content: [{ type: "text", text: "x" }, { type: "image_url" }] }],
  ["an element with more", { role: "a", content: [{ type: "x", colour: [1], text: null }] }],
  ["an image", { role: "a", content: [{ type: "i", image_url: { url: "", detail: "low" } }] }],
  ["more members", { role: "a", mood: { deep: [null] } }],
  ["nulls", { role: "a", name: null, tool_calls: null, provider_specific_fields: null }],
  ["tool calls",
    { role: "a",
      tool_calls: [{ id: "", type: "f", more: 1, function: { name: "", arguments: "{}" } }] }],
];

const within = (member: string, rows: Rows, path = `data.${member}`): Rows =>
  rows.map(([why, value, paths]) => [
    `${member}: ${why}`,
    { [member]: value },
    paths.map((each) => `${path}.${each}`),
  ]);

const holding = (member: string, rows: [string, Payload][]): [string, Payload][] =>
  rows.map(([why, value]) => [`${member}: ${why}`, { [member]: value }]);

const tool = { tool_call_id: "c", tool_name: "n" };

const toolRows: Rows = [
  ["nothing", {}, ["data.tool_call_id", "data.tool_name"]],
  ["id empty", { ...tool, tool_call_id: "" }, ["data.tool_call_id"]],
  ["id too long", { ...tool, tool_call_id: longText(256) }, ["data.tool_call_id"]],
  ["name too long", { ...tool, tool_name: longText(256) }, ["data.tool_name"]],
  ["name null", { ...tool, tool_name: null }, ["data.tool_name"]],
  ["name a number", { ...tool, tool_name: 1 }, ["data.tool_name"]],
  ["unknown", { ...tool, colour: 1 }, ["data.colour"]],
  ["unknown, null", { ...tool, colour: null }, ["data.colour"]],
];

const state = { scope: "conversation", key: "k", value: 1 };

export const payloadTables: PayloadTable[] = [
  {
    type: "message.delta",
    accepted: [
      ...holding("chunk", goodMessages),
      ["a whole chunk",
        { chunk: { role: "a", content: "x", all_content: "xy", is_final: true, msg_sequence: 0 } }],
      ["nulls in a chunk", { chunk: { role: "a", all_content: null, is_final: null } }],
    ],
    refused: [
      ["nothing", {}, ["data.chunk"]],
      ["null", { chunk: null }, ["data.chunk"]],
      ["a string", { chunk: "x" }, ["data.chunk"]],
      ["a message instead", { message: { role: "a" } }, ["data.chunk", "data.message"]],
      ["unknown", { chunk: { role: "a" }, colour: 1 }, ["data.colour"]],
      ["is_final a string", { chunk: { role: "a", is_final: "yes" } }, ["data.chunk.is_final"]],
      ["all_content a list", { chunk: { role: "a", all_content: [] } },
        ["data.chunk.all_content"]],
      ["msg_sequence negative", { chunk: { role: "a", msg_sequence: -1 } },
        ["data.chunk.msg_sequence"]],
      ["msg_sequence with a fraction", { chunk: { role: "a", msg_sequence: 0.5 } },
        ["data.chunk.msg_sequence"]],
      ...within("chunk", brokenMessages),
    ],
  },
  {
    type: "message.completed",
    accepted: [
      ...holding("message", goodMessages),
      ["chunk members are only more members", { message: { role: "a", is_final: "yes" } }],
    ],
    refused: [
      ["nothing", {}, ["data.message"]],
      ["null", { message: null }, ["data.message"]],
      ["a list", { message: [] }, ["data.message"]],
      ["unknown", { message: { role: "a" }, text: "x" }, ["data.text"]],
      ...within("message", brokenMessages),
    ],
  },
  {
    type: "tool.call.started",
    accepted: [
      ["a call", tool],
      ["parameters", { ...tool, parameters: { a: null } }],
      ["parameters null", { ...tool, parameters: null }],
      ["an empty name", { ...tool, tool_name: "" }],
    ],
    refused: [
      ...toolRows,
      ["parameters a list", { ...tool, parameters: [] }, ["data.parameters"]],
      ["parameters a string", { ...tool, parameters: "{}" }, ["data.parameters"]],
      ["a result", { ...tool, result: {} }, ["data.result"]],
    ],
  },
  {
    type: "tool.call.completed",
    accepted: [
      ["a call", tool],
      ["a result", { ...tool, result: {} }],
      ["an error", { ...tool, error: longText(5000) }],
      ["both null", { ...tool, result: null, error: null }],
    ],
    refused: [
      ...toolRows,
      ["result a string", { ...tool, result: "x" }, ["data.result"]],
      ["error an object", { ...tool, error: {} }, ["data.error"]],
      ["parameters", { ...tool, parameters: {} }, ["data.parameters"]],
    ],
  },
  {
    type: "action.requested",
    accepted: [
      ["an action", { action: "x" }],
      ["all", { action: longText(255), target: { a: 1 }, payload: {} }],
      ["nulls", { action: "x", target: null, payload: null }],
      ["an interaction, whose payload is judged when it is emitted",
        { action: "interaction.requested", payload: { any: 1 } }],
    ],
    refused: [
      ["nothing", {}, ["data.action"]],
      ["action too long", { action: longText(256) }, ["data.action"]],
      ["action null", { action: null }, ["data.action"]],
      ["target a string", { action: "x", target: "y" }, ["data.target"]],
      ["payload a list", { action: "x", payload: [] }, ["data.payload"]],
      ["unknown", { action: "x", reason: "y" }, ["data.reason"]],
    ],
  },
  {
    type: "state.updated",
    accepted: [
      ["a number", state],
      ["a null", { ...state, value: null }],
      ["an object with nulls", { ...state, value: { a: null } }],
      ["false", { ...state, value: false }],
      ["each scope: actor", { ...state, scope: "actor" }],
      ["each scope: subject", { ...state, scope: "subject" }],
      ["each scope: runner", { ...state, scope: "runner" }],
      ["255 wide characters of key", { ...state, key: wideText(255) }],
    ],
    refused: [
      ["nothing", {}, ["data.scope", "data.key", "data.value"]],
      ["no value", { scope: "actor", key: "k" }, ["data.value"]],
      ["scope unknown", { ...state, scope: "bot" }, ["data.scope"]],
      ["scope null", { ...state, scope: null }, ["data.scope"]],
      ["key empty", { ...state, key: "" }, ["data.key"]],
      ["key too long", { ...state, key: longText(256) }, ["data.key"]],
      ["key a number", { ...state, key: 1 }, ["data.key"]],
      ["unknown", { ...state, if_version: 1 }, ["data.if_version"]],
    ],
  },
  {
    type: "run.completed",
    accepted: [
      ["nothing", {}],
      ["a reason", { finish_reason: "length" }],
      ["nulls", { finish_reason: null, message: null }],
      ...holding("message", goodMessages),
    ],
    refused: [
      ["reason too long", { finish_reason: longText(256) }, ["data.finish_reason"]],
      ["reason a number", { finish_reason: 1 }, ["data.finish_reason"]],
      ["message a string", { message: "x" }, ["data.message"]],
      ["unknown", { error: "x" }, ["data.error"]],
      ...within("message", brokenMessages),
    ],
  },
  {
    type: "run.failed",
    accepted: [
      ["an error", { error: "x" }],
      ["an empty error", { error: "" }],
      ["a long error", { error: longText(10_000) }],
      ["all", { error: "x", code: longText(100), retryable: true }],
      ["nulls", { error: "x", code: null, retryable: null }],
    ],
    refused: [
      ["nothing", {}, ["data.error"]],
      ["error null", { error: null }, ["data.error"]],
      ["error an object", { error: { message: "x" } }, ["data.error"]],
      ["code too long", { error: "x", code: longText(101) }, ["data.code"]],
      ["retryable a string", { error: "x", retryable: "yes" }, ["data.retryable"]],
      ["retryable a number", { error: "x", retryable: 1 }, ["data.retryable"]],
      ["unknown", { error: "x", message: "y" }, ["data.message"]],
    ],
  },
];

export const usageRows: {
  accepted: [string, Payload][];
  refused: [string, Payload, string[]][];
} = {
  accepted: [
    ["nothing", {}],
    ["counts", { prompt_tokens: 0, completion_tokens: 1, total_tokens: 2 ** 53 - 1 }],
    ["more members", { cached: { a: 1 }, cost: 0.5 }],
    ["nulls", { prompt_tokens: null }],
  ],
  refused: [
    ["negative", { prompt_tokens: -1 }, ["usage.prompt_tokens"]],
    ["a fraction", { completion_tokens: 0.5 }, ["usage.completion_tokens"]],
    ["a string", { total_tokens: "5" }, ["usage.total_tokens"]],
    ["unsafe", { total_tokens: 2 ** 53 }, ["usage.total_tokens"]],
    ["true", { prompt_tokens: true }, ["usage.prompt_tokens"]],
  ],
};
