// Params of what brings events in and follows runs: what is accepted, and which path is refused.
// What event_publish has in common with run_create is judged by the same members.

import { longText, names, wideText, type ParamsTable } from "../schemas.js";

const runner_id = "plugin:acme/bot/main";

const eventRows: ParamsTable["refused"] = [
  ["event_id empty", { event_id: "" }, ["event_id"]],
  ["event_id too long", { event_id: longText(256) }, ["event_id"]],
  ["event_type empty", { event_type: "" }, ["event_type"]],
  ["event_type too long", { event_type: longText(101) }, ["event_type"]],
  ["event_type reserved", { event_type: "steering.injected" }, ["event_type"]],
  ["source reserved", { source: "host" }, ["source"]],
  ["source too long", { source: longText(51) }, ["source"]],
  ["event_time negative", { event_time: -1 }, ["event_time"]],
  ["event_time a string", { event_time: "5" }, ["event_time"]],
  ["source_event_type too long", { source_event_type: longText(101) }, ["source_event_type"]],
  ["bot_id a number", { bot_id: 1 }, ["bot_id"]],
  ["workspace_id empty", { workspace_id: "" }, ["workspace_id"]],
  ["conversation_id a list", { conversation_id: ["c"] }, ["conversation_id"]],
  ["thread_id true", { thread_id: true }, ["thread_id"]],
  ["raw_ref too long", { raw_ref: longText(256) }, ["raw_ref"]],
  ["actor a string", { actor: "u" }, ["actor"]],
  ["actor_id a number", { actor: { actor_id: 1 } }, ["actor.actor_id"]],
  ["unknown in actor, null", { actor: { id: null } }, ["actor.id"]],
  ["subject a list", { subject: [] }, ["subject"]],
  ["unknown in subject", { subject: { id: "s" } }, ["subject.id"]],
  ["input a string", { input: "hi" }, ["input"]],
  ["input text a number", { input: { text: 5 } }, ["input.text"]],
  ["text a number", { text: 5 }, ["text"]],
  ["data a list", { data: [] }, ["data"]],
  ["metadata a string", { metadata: "x" }, ["metadata"]],
  ["absorb a number", { absorb: 1 }, ["absorb"]],
  ["absorb a string", { absorb: "false" }, ["absorb"]],
];

const runRows: ParamsTable["refused"] = [
  ["not a runner id", { runner_id: "acme/bot" }, ["runner_id"]],
  ["not a runner id in binding", { binding: { runner_id: "x" } }, ["binding.runner_id"]],
  ["binding a list", { binding: [] }, ["binding"]],
  ["unknown in binding", { binding: { colour: 1 } }, ["binding.colour"]],
  ["an event member in binding", { binding: { bot_id: "b" } }, ["binding.bot_id"]],
  ["enabled false in binding", { binding: { enabled: false } }, ["binding.enabled"]],
  ["scope without id", { binding: { scope: { type: "bot" } } }, ["binding.scope.id"]],
  ["binding_id empty", { binding_id: "" }, ["binding_id"]],
  ["agent_id a number", { agent_id: 5 }, ["agent_id"]],
  ["runner_config a list", { runner_config: [] }, ["runner_config"]],
  ["resource_policy a string", { resource_policy: "x" }, ["resource_policy"]],
  ["an unknown scope", { state_policy: { state_scopes: ["user"] } },
    ["state_policy.state_scopes.0"]],
  ["enable_interactions a string", { delivery_policy: { enable_interactions: "yes" } },
    ["delivery_policy.enable_interactions"]],
  ["delivery a list", { delivery: [] }, ["delivery"]],
  ["a message without role", { prompt: [{ content: "x" }] }, ["prompt.0.role"]],
  ["1001 messages", { prompt: names(1001).map((role) => ({ role })) }, ["prompt"]],
  ["an unknown capability", { authorization: { available_apis: { fly: true } } },
    ["authorization.available_apis.fly"]],
  ["allow_unregistered_runner a number", { allow_unregistered_runner: 1 },
    ["allow_unregistered_runner"]],
  ["no plugins", { include_plugins: [] }, ["include_plugins"]],
  ["queue_name empty", { queue_name: "" }, ["queue_name"]],
  ["priority too large", { priority: 32_768 }, ["priority"]],
  ["requested_runtime_id a number", { requested_runtime_id: 1 }, ["requested_runtime_id"]],
  ["max_attempts zero", { max_attempts: 0 }, ["max_attempts"]],
  ["timeout too long", { timeout_seconds: 604_801 }, ["timeout_seconds"]],
  ["run_metadata a list", { run_metadata: [] }, ["run_metadata"]],
];

/** Of run_create, but not of event_publish; also null is refused. */
const foreign = [
  "event", "run_id", "parent_run_id", "dispatch", "not_before", "deadline_at", "event_types",
  "enabled", "wait_for_completion", "wait_seconds", "new_run_id", "target_run_id",
];

export const ingressTables: ParamsTable[] = [
  {
    action: "event_publish",
    accepted: [
      ["nothing", {}],
      ["a message",
        { event_id: wideText(255), conversation_id: "c", text: "hi", actor: { actor_id: "u" } }],
      ["an input", { input: { text: null, contents: [], more: 1 }, absorb: false }],
      [
        "all of a run",
        {
          runner_id, binding: { runner_id, event_types: ["message.received"], enabled: true },
          binding_id: "b", agent_id: "a", runner_config: { a: null }, resource_policy: {},
          state_policy: { enable_state: false }, delivery_policy: {}, delivery: {},
          prompt: [{ role: "user", content: "x" }], authorization: { available_apis: {} },
          allow_unregistered_runner: true, include_plugins: ["acme/bot"], queue_name: "q",
          priority: -5, requested_runtime_id: "rt", max_attempts: 1, timeout_seconds: 60,
          run_metadata: { a: 1 }, metadata: { b: null },
        },
      ],
      ["what is for a run, without a runner", { queue_name: "q", prompt: [], run_metadata: {} }],
      ["nulls",
        { event_id: null, runner_id: null, binding: null, absorb: null, metadata: null,
          run_metadata: null, text: null, input: null, priority: null }],
    ],
    refused: [
      ["unknown", { colour: 1 }, ["colour"]],
      ...eventRows,
      ...runRows,
      ...foreign.map((name): ParamsTable["refused"][number] => [name, { [name]: null }, [name]]),
    ],
  },
  {
    action: "run_subscribe",
    accepted: [
      ["own run", { run_id: "r" }],
      ["a target and a cursor", { run_id: "r", target_run_id: "t", after_cursor: "0" }],
      ["a cursor beyond every sequence", { run_id: "r", after_cursor: "9223372036854775807" }],
      ["no cursor", { target_run_id: "t", after_cursor: null }],
    ],
    refused: [
      ["no run named", {}, ["target_run_id"]],
      ["run_id empty", { run_id: "" }, ["run_id"]],
      ["cursor a number", { run_id: "r", after_cursor: 5 }, ["after_cursor"]],
      ["cursor negative", { run_id: "r", after_cursor: "-1" }, ["after_cursor"]],
      ["cursor empty", { run_id: "r", after_cursor: "" }, ["after_cursor"]],
      ["cursor too large", { run_id: "r", after_cursor: "9223372036854775808" },
        ["after_cursor"]],
      ["before_cursor", { run_id: "r", before_cursor: "5" }, ["before_cursor"]],
    ],
  },
  {
    action: "run_unsubscribe",
    accepted: [["a subscription", { subscription_id: "sub_1" }]],
    refused: [
      ["nothing", {}, ["subscription_id"]],
      ["null", { subscription_id: null }, ["subscription_id"]],
      ["empty", { subscription_id: "" }, ["subscription_id"]],
      ["a number", { subscription_id: 1 }, ["subscription_id"]],
      ["a run", { subscription_id: "s", run_id: "r" }, ["run_id"]],
    ],
  },
];
