// Params of the methods that read, end and write to runs: what is accepted, and which path is
// refused. run_create has a table of its own.

import { longText, names, wideText, type ParamsTable } from "../schemas.js";

const runner = "plugin:acme/bot/main";
const event = { target_run_id: "r", sequence: 1, type: "tool.call.started" };
const started = { ...event, data: { tool_call_id: "c", tool_name: "n" } };
const claim = { runtime_id: "rt", claim_token: "t" };

const targetRows: ParamsTable["refused"] = [
  ["no run named", {}, ["target_run_id"]],
  ["both null", { run_id: null, target_run_id: null }, ["target_run_id"]],
  ["run_id empty", { run_id: "" }, ["run_id"]],
  ["run_id too long", { run_id: longText(256) }, ["run_id"]],
  ["target a number", { target_run_id: 5 }, ["target_run_id"]],
];

const claimRows = (base: Record<string, unknown>): ParamsTable["refused"] => [
  ["runtime alone", { ...base, runtime_id: "rt" }, ["claim_token"]],
  ["token alone", { ...base, claim_token: "t" }, ["runtime_id"]],
  ["epoch alone", { ...base, claim_epoch: 1 }, ["runtime_id", "claim_token"]],
  ["runtime and epoch", { ...base, runtime_id: "rt", claim_epoch: 1 }, ["claim_token"]],
  ["epoch negative", { ...base, ...claim, claim_epoch: -1 }, ["claim_epoch"]],
  ["token too long", { ...base, ...claim, claim_token: longText(65) }, ["claim_token"]],
];

const resultRows: ParamsTable["refused"] = [
  ["no run named", { sequence: 1, type: "message.delta" }, ["target_run_id"]],
  ["nothing", {}, ["target_run_id", "sequence", "type"]],
  ["no sequence", { run_id: "r", type: "x" }, ["sequence"]],
  ["no type", { run_id: "r", sequence: 1 }, ["type"]],
  ["sequence and type null", { run_id: "r", sequence: null, type: null }, ["sequence", "type"]],
  ["sequence zero", { ...started, sequence: 0 }, ["sequence"]],
  ["sequence negative", { ...started, sequence: -1 }, ["sequence"]],
  ["sequence with a fraction", { ...started, sequence: 1.5 }, ["sequence"]],
  ["sequence a string", { ...started, sequence: "1" }, ["sequence"]],
  ["sequence unsafe", { ...started, sequence: 2 ** 53 }, ["sequence"]],
  ["type empty", { ...started, type: "" }, ["type"]],
  ["type too long", { ...started, type: longText(101) }, ["type"]],
  ["type a number", { ...started, type: 1 }, ["type"]],
  ["names of type differ", { ...started, event_type: "run.failed" }, ["event_type"]],
  ["event_type too long", { run_id: "r", sequence: 1, event_type: longText(101) },
    ["event_type"]],
  ["data a list", { ...started, data: [] }, ["data"]],
  ["data a string", { ...started, data: "{}" }, ["data"]],
  ["usage a number", { ...started, usage: 5 }, ["usage"]],
  ["metadata a list", { ...started, metadata: [] }, ["metadata"]],
  ["unknown type with data that is no object", { ...event, type: "x", data: 1 }, ["data"]],
  ["unknown", { ...started, source: "runner" }, ["source"]],
  ["unknown in the container", { ...started, result: { source: null } }, ["result.source"]],
  ["container a list", { ...started, result: [] }, ["result"]],
  ["container data a list", { ...event, result: { data: [] } }, ["result.data"]],
  ["container sequence zero", { run_id: "r", type: "x", result: { sequence: 0 } },
    ["result.sequence"]],
  ["container timestamp a string", { ...started, result: { timestamp: "1" } },
    ["result.timestamp"]],
  ["event_type in the container", { ...started, result: { event_type: "x" } },
    ["result.event_type"]],
  ["sequences differ", { ...started, result: { sequence: 2 } }, ["sequence"]],
  ["types differ", { ...started, result: { type: "run.failed" } }, ["type"]],
  ["alias and container differ",
    { run_id: "r", sequence: 1, event_type: "a", result: { type: "b" } }, ["type"]],
  ["data differ", { ...started, result: { data: { tool_call_id: "c" } } }, ["data"]],
  ["usage differ", { ...started, usage: { a: 1 }, result: { usage: { a: 2 } } }, ["usage"]],
  ["metadata differ", { ...started, metadata: {}, result: { metadata: { a: null } } },
    ["metadata"]],
  ["another run in the container", { ...started, result: { run_id: "other" } },
    ["result.run_id"]],
  ["the session in the container, another target",
    { ...started, run_id: "s", result: { run_id: "s" } }, ["result.run_id"]],
  ["a run in the container alone", { sequence: 1, type: "x", result: { run_id: "r" } },
    ["target_run_id"]],
  ...claimRows(started),
];

const resultAccepted: ParamsTable["accepted"] = [
  ["at the top", started],
  ["run_id as target", { run_id: "r", sequence: 1, type: "tool.call.started", data: started.data }],
  ["the other name of type", { ...started, type: null, event_type: "tool.call.started" }],
  ["both names alike", { ...started, event_type: "tool.call.started" }],
  [
    "in the container",
    {
      run_id: "r",
      result: {
        run_id: "r", type: "tool.call.started", data: started.data, sequence: 2 ** 53 - 1,
        usage: { total_tokens: 0 }, metadata: {}, timestamp: 1.5,
      },
    },
  ],
  ["in both places alike",
    { ...started, result: { sequence: 1, type: started.type, data: { ...started.data } } }],
  [
    "alike in another order",
    { ...started, result: { data: { tool_name: "n", tool_call_id: "c" } } },
  ],
  ["null at the top, given inside", { ...event, data: null, result: { data: started.data } }],
  ["with a claim", { ...started, ...claim, claim_epoch: 0 }],
  ["nulls", { ...started, usage: null, metadata: null, result: null, runtime_id: null }],
];

export const runTables: ParamsTable[] = [
  {
    action: "run_get",
    accepted: [
      ["own run", { run_id: "r" }],
      ["a target", { target_run_id: "r", include_input: true }],
      ["an id of 255 wide characters", { run_id: wideText(255), include_input: null }],
    ],
    refused: [
      ...targetRows,
      ["include_input a number", { run_id: "r", include_input: 1 }, ["include_input"]],
      ["unknown", { run_id: "r", include_events: true }, ["include_events"]],
    ],
  },
  {
    action: "run_explain",
    accepted: [
      ["own run", { run_id: "r" }],
      ["a target", { target_run_id: "r", run_id: null }],
      ["both", { run_id: "r", target_run_id: wideText(255) }],
    ],
    refused: [
      ...targetRows,
      ["include_input", { run_id: "r", include_input: false }, ["include_input"]],
      ["unknown", { run_id: "r", limit: null }, ["limit"]],
    ],
  },
  {
    action: "run_list",
    accepted: [
      ["nothing", {}],
      [
        "all",
        {
          run_id: "r", conversation_id: "c", runner_id: runner, workspace_id: "w",
          statuses: ["created", "queued", "queued"], before_cursor: "5", limit: 0,
          include_total: true,
        },
      ],
      ["nulls", { run_id: null, statuses: null, before_cursor: null, limit: null }],
    ],
    refused: [
      ["no statuses", { statuses: [] }, ["statuses"]],
      ["unknown status", { statuses: ["done"] }, ["statuses.0"]],
      ["101 statuses", { statuses: Array(101).fill("queued") }, ["statuses"]],
      ["not a runner id", { runner_id: "acme/bot" }, ["runner_id"]],
      ["conversation empty", { conversation_id: "" }, ["conversation_id"]],
      ["cursor a number", { before_cursor: 5 }, ["before_cursor"]],
      ["include_total a string", { include_total: "yes" }, ["include_total"]],
      ["target_run_id", { target_run_id: "r" }, ["target_run_id"]],
      ["after_cursor", { after_cursor: "1" }, ["after_cursor"]],
    ],
  },
  {
    action: "run_events_page",
    accepted: [
      ["own run", { run_id: "r" }],
      [
        "all",
        {
          run_id: "r", target_run_id: "t", before_cursor: "9", after_cursor: "1",
          direction: "backward", limit: 1000,
        },
      ],
    ],
    refused: [
      ...targetRows,
      ["direction unknown", { run_id: "r", direction: "up" }, ["direction"]],
      ["direction in capitals", { run_id: "r", direction: "Forward" }, ["direction"]],
      ["cursor a number", { run_id: "r", after_cursor: 1 }, ["after_cursor"]],
      ["limit with a fraction", { run_id: "r", limit: 0.5 }, ["limit"]],
    ],
  },
  {
    action: "run_cancel",
    accepted: [
      ["own run", { run_id: "r" }],
      ["a reason", { target_run_id: "r", reason: "r" }],
      ["a reason by its other name", { target_run_id: "r", status_reason: wideText(2000) }],
      ["one reason twice", { run_id: "r", reason: "r", status_reason: "r" }],
      ["one reason null", { run_id: "r", reason: "r", status_reason: null }],
    ],
    refused: [
      ...targetRows,
      ["reasons differ", { run_id: "r", reason: "a", status_reason: "b" }, ["reason"]],
      ["reason and empty reason", { run_id: "r", reason: "a", status_reason: "" }, ["reason"]],
      ["reason too long", { run_id: "r", reason: longText(2001) }, ["reason"]],
      ["unknown", { run_id: "r", force: true }, ["force"]],
    ],
  },
  {
    action: "run_append_result",
    accepted: [...resultAccepted, ["with force", { ...started, force: true }],
      ["a claim, force false", { ...started, ...claim, force: false }]],
    refused: [
      ...resultRows,
      ["force with a claim", { ...started, ...claim, force: true }, ["force"]],
      ["force a number", { ...started, force: 1 }, ["force"]],
    ],
  },
  {
    action: "run_emit_result",
    accepted: resultAccepted,
    refused: [...resultRows, ["force", { ...started, force: false }, ["force"]]],
  },
  {
    action: "run_finalize",
    accepted: [
      ["a status", { run_id: "r", status: "completed" }],
      [
        "all",
        {
          run_id: "r", target_run_id: "t", status: "timeout", reason: "x", usage: {}, cost: {},
          metadata: { a: null }, ...claim, claim_epoch: 3,
        },
      ],
      ["force", { target_run_id: "t", status: "failed", force: true }],
    ],
    refused: [
      ["no status", { run_id: "r" }, ["status"]],
      ["a status that does not end", { run_id: "r", status: "queued" }, ["status"]],
      ["status null", { run_id: "r", status: null }, ["status"]],
      ["no run named", { status: "failed" }, ["target_run_id"]],
      ["reasons differ", { run_id: "r", status: "failed", reason: "a", status_reason: "b" },
        ["reason"]],
      ["usage a list", { run_id: "r", status: "failed", usage: [] }, ["usage"]],
      ["cost a number", { run_id: "r", status: "failed", cost: 5 }, ["cost"]],
      ["metadata a string", { run_id: "r", status: "failed", metadata: "x" }, ["metadata"]],
      ["force with a claim", { run_id: "r", status: "failed", force: true, ...claim }, ["force"]],
      ["unknown", { run_id: "r", status: "failed", names: names(1) }, ["names"]],
      ...claimRows({ run_id: "r", status: "failed" }),
    ],
  },
];
