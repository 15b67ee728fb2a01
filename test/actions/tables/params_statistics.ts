// Params of waits, retries, sweeps, statistics and the audit: what is accepted, and which path is
// refused. The width of a window is judged by the database clock, not here.

import { longText, wideText, type ParamsTable } from "../schemas.js";

const latest = 253_402_300_799;

const windowRows: ParamsTable["refused"] = [
  ["start negative", { start_time: -1 }, ["start_time"]],
  ["start with a fraction", { start_time: 1.5 }, ["start_time"]],
  ["start a string", { start_time: "1" }, ["start_time"]],
  ["end too late", { end_time: latest + 1 }, ["end_time"]],
  ["end true", { end_time: true }, ["end_time"]],
  ["both wrong", { start_time: "a", end_time: "b" }, ["start_time", "end_time"]],
  ["run_id", { run_id: "r" }, ["run_id"]],
  ["workspace", { workspace_id: null }, ["workspace_id"]],
];

const windowAccepted: ParamsTable["accepted"] = [
  ["nothing", {}],
  ["nulls", { start_time: null, end_time: null }],
  ["the earliest and the latest", { start_time: 0, end_time: latest }],
];

export const statisticsTables: ParamsTable[] = [
  {
    action: "run_wait",
    accepted: [
      ["a run of one's own", { run_id: "r" }],
      ["a target", { target_run_id: "r", wait_seconds: 0 }],
      ["both", { run_id: "r", target_run_id: "s", wait_seconds: 300 }],
      ["nulls", { run_id: null, target_run_id: "s", wait_seconds: null }],
      ["whole numbers far outside", { run_id: "r", wait_seconds: -(10 ** 9) }],
    ],
    refused: [
      ["no run named", {}, ["target_run_id"]],
      ["both null", { run_id: null, target_run_id: null }, ["target_run_id"]],
      ["run_id empty", { run_id: "" }, ["run_id"]],
      ["target too long", { target_run_id: longText(256) }, ["target_run_id"]],
      ["wait with a fraction", { run_id: "r", wait_seconds: 0.5 }, ["wait_seconds"]],
      ["wait a string", { run_id: "r", wait_seconds: "5" }, ["wait_seconds"]],
      ["wait unsafe", { run_id: "r", wait_seconds: 2 ** 53 }, ["wait_seconds"]],
      ["wait true", { run_id: "r", wait_seconds: true }, ["wait_seconds"]],
      ["include_input", { run_id: "r", include_input: false }, ["include_input"]],
    ],
  },
  {
    action: "run_retry",
    accepted: [
      ["a target", { target_run_id: "r" }],
      [
        "all",
        {
          target_run_id: "r", new_run_id: "s", dispatch: "queued", timeout_seconds: 604_800,
          not_before: latest,
        },
      ],
      ["running", { target_run_id: "r", dispatch: "running", timeout_seconds: 1 }],
      ["running, not_before null",
        { target_run_id: "r", dispatch: "running", not_before: null }],
      [
        "nulls",
        { target_run_id: "r", new_run_id: null, dispatch: null, timeout_seconds: null },
      ],
      ["an id of 255 wide characters", { target_run_id: "r", new_run_id: wideText(255) }],
    ],
    refused: [
      ["no target", {}, ["target_run_id"]],
      ["target null", { target_run_id: null }, ["target_run_id"]],
      ["target a number", { target_run_id: 1 }, ["target_run_id"]],
      ["new id empty", { target_run_id: "r", new_run_id: "" }, ["new_run_id"]],
      ["new id too long", { target_run_id: "r", new_run_id: wideText(256) }, ["new_run_id"]],
      ["dispatch claimed", { target_run_id: "r", dispatch: "claimed" }, ["dispatch"]],
      ["timeout zero", { target_run_id: "r", timeout_seconds: 0 }, ["timeout_seconds"]],
      ["timeout too long", { target_run_id: "r", timeout_seconds: 604_801 },
        ["timeout_seconds"]],
      ["timeout with a fraction", { target_run_id: "r", timeout_seconds: 1.5 },
        ["timeout_seconds"]],
      ["not_before negative", { target_run_id: "r", not_before: -1 }, ["not_before"]],
      ["not_before with running",
        { target_run_id: "r", dispatch: "running", not_before: 0 }, ["not_before"]],
      ["run_id", { target_run_id: "r", run_id: "r" }, ["run_id"]],
      ["metadata", { target_run_id: "r", metadata: null }, ["metadata"]],
    ],
  },
  {
    action: "runtime_reconcile",
    accepted: [
      ["nothing", {}],
      ["null", { stale_after_seconds: null }],
      ["a fraction", { stale_after_seconds: 0.25 }],
      ["numbers far outside", { stale_after_seconds: 1e300 }],
      ["a negative number", { stale_after_seconds: -0.5 }],
    ],
    refused: [
      ["a string", { stale_after_seconds: "5" }, ["stale_after_seconds"]],
      ["true", { stale_after_seconds: true }, ["stale_after_seconds"]],
      ["a list", { stale_after_seconds: [5] }, ["stale_after_seconds"]],
      ["not finite", { stale_after_seconds: Infinity }, ["stale_after_seconds"]],
      ["run_id", { run_id: "r" }, ["run_id"]],
      ["limit", { limit: null }, ["limit"]],
    ],
  },
  {
    action: "run_stats",
    accepted: [
      ...windowAccepted,
      ["a runner", { runner_id: "plugin:acme/bot/main" }],
      ["runner null", { runner_id: null }],
    ],
    refused: [
      ...windowRows,
      ["not a runner id", { runner_id: "acme/bot" }, ["runner_id"]],
      ["runner empty", { runner_id: "" }, ["runner_id"]],
      ["limit", { limit: 5 }, ["limit"]],
    ],
  },
  {
    action: "runner_stats",
    accepted: [
      ...windowAccepted,
      ["a limit", { limit: 100 }],
      ["a limit far outside", { limit: -5 }],
      ["limit null", { limit: null }],
    ],
    refused: [
      ...windowRows,
      ["limit with a fraction", { limit: 1.5 }, ["limit"]],
      ["limit a string", { limit: "5" }, ["limit"]],
      ["runner", { runner_id: "plugin:acme/bot/main" }, ["runner_id"]],
    ],
  },
  {
    action: "runtime_stats",
    accepted: [["nothing", {}]],
    refused: [
      ["a time", { start_time: 0 }, ["start_time"]],
      ["a limit that is null", { limit: null }, ["limit"]],
    ],
  },
  {
    action: "audit_page",
    accepted: [
      ["nothing", {}],
      [
        "all",
        {
          tenant_id: "t", domain: "plugin", actor: "acme/bot", action: "plugin_register",
          target_run_id: "r", target_runtime_id: "rt", before_cursor: "17", limit: 10,
        },
      ],
      [
        "nulls",
        {
          tenant_id: null, domain: null, actor: null, action: null, target_run_id: null,
          target_runtime_id: null, before_cursor: null, limit: null,
        },
      ],
      ["the host", { actor: "host" }],
      ["an action of 100 wide characters", { action: wideText(100) }],
      ["a limit far outside", { limit: 10 ** 9 }],
    ],
    refused: [
      ["domain unknown", { domain: "agent_runner" }, ["domain"]],
      ["actor no identity", { actor: "nobody" }, ["actor"]],
      ["actor a number", { actor: 1 }, ["actor"]],
      ["action too long", { action: longText(101) }, ["action"]],
      ["run empty", { target_run_id: "" }, ["target_run_id"]],
      ["runtime too long", { target_runtime_id: longText(256) }, ["target_runtime_id"]],
      ["cursor a number", { before_cursor: 17 }, ["before_cursor"]],
      ["cursor not handed out", { before_cursor: "01" }, ["before_cursor"]],
      ["cursor negative", { before_cursor: "-1" }, ["before_cursor"]],
      ["limit with a fraction", { limit: 0.5 }, ["limit"]],
      ["tenant empty", { tenant_id: "" }, ["tenant_id"]],
      ["after_cursor", { after_cursor: "1" }, ["after_cursor"]],
      ["workspace", { workspace_id: null }, ["workspace_id"]],
    ],
  },
];
