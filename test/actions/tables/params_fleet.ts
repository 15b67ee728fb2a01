// Params of claims, runners and runtimes: what is accepted, and which path is refused.

import { longText, names, wideText, type ParamsTable } from "../schemas.js";

const runner = "plugin:acme/bot/main";
const proof = { target_run_id: "r", runtime_id: "rt", claim_token: "t" };

const proofRows: ParamsTable["refused"] = [
  ["no target", { run_id: "r", runtime_id: "rt", claim_token: "t" }, ["target_run_id"]],
  ["no runtime", { target_run_id: "r", claim_token: "t" }, ["runtime_id"]],
  ["no token", { target_run_id: "r", runtime_id: "rt" }, ["claim_token"]],
  ["token null", { ...proof, claim_token: null }, ["claim_token"]],
  ["token too long", { ...proof, claim_token: longText(65) }, ["claim_token"]],
  ["epoch negative", { ...proof, claim_epoch: -1 }, ["claim_epoch"]],
  ["epoch with a fraction", { ...proof, claim_epoch: 0.5 }, ["claim_epoch"]],
  ["epoch a string", { ...proof, claim_epoch: "1" }, ["claim_epoch"]],
  ["epoch unsafe", { ...proof, claim_epoch: 2 ** 53 }, ["claim_epoch"]],
  ["target empty", { ...proof, target_run_id: "" }, ["target_run_id"]],
  ["run_id a number", { ...proof, run_id: 7 }, ["run_id"]],
];

const runtimeRows: ParamsTable["refused"] = [
  ["no runtime", {}, ["runtime_id"]],
  ["runtime empty", { runtime_id: "" }, ["runtime_id"]],
  ["status stale", { runtime_id: "rt", status: "stale" }, ["status"]],
  ["status unknown", { runtime_id: "rt", status: "up" }, ["status"]],
  ["capabilities a list", { runtime_id: "rt", capabilities: [] }, ["capabilities"]],
  ["labels a list", { runtime_id: "rt", labels: [] }, ["labels"]],
  ["a label that is no text", { runtime_id: "rt", labels: { a: 1 } }, ["labels.a"]],
  ["a label that is null", { runtime_id: "rt", labels: { a: null } }, ["labels.a"]],
  ["a label too long", { runtime_id: "rt", labels: { a: longText(256) } }, ["labels.a"]],
  ["metadata a string", { runtime_id: "rt", metadata: "x" }, ["metadata"]],
  [
    "ttl with a fraction",
    { runtime_id: "rt", heartbeat_ttl_seconds: 5.5 },
    ["heartbeat_ttl_seconds"],
  ],
  [
    "deadline negative",
    { runtime_id: "rt", heartbeat_deadline_at: -1 },
    ["heartbeat_deadline_at"],
  ],
  [
    "ttl and deadline",
    { runtime_id: "rt", heartbeat_ttl_seconds: 60, heartbeat_deadline_at: 2_000_000_000 },
    ["heartbeat_deadline_at"],
  ],
  ["unknown", { runtime_id: "rt", host: "x" }, ["host"]],
];

const described = { runtime_id: "rt", capabilities: {}, labels: { a: "b" }, metadata: {} };

export const fleetTables: ParamsTable[] = [
  {
    action: "run_claim",
    accepted: [
      ["a runtime", { runtime_id: "rt" }],
      [
        "all",
        {
          run_id: "r", runtime_id: "rt", queue_name: "q", runner_ids: [runner],
          lease_seconds: 5, max_runs: 3, wait_seconds: 1,
        },
      ],
      ["nulls", { runtime_id: "rt", run_id: null, runner_ids: null, max_runs: null }],
      ["whole numbers far outside", { runtime_id: "rt", lease_seconds: -9, max_runs: 10 ** 9 }],
      ["100 runners", { runtime_id: "rt", runner_ids: names(100, `${runner}_`) }],
    ],
    refused: [
      ["no runtime", {}, ["runtime_id"]],
      ["runtime null", { runtime_id: null }, ["runtime_id"]],
      ["no runners", { runtime_id: "rt", runner_ids: [] }, ["runner_ids"]],
      [
        "101 runners",
        { runtime_id: "rt", runner_ids: names(101, `${runner}_`) },
        ["runner_ids"],
      ],
      ["not a runner id", { runtime_id: "rt", runner_ids: ["acme/bot"] }, ["runner_ids.0"]],
      ["runner null", { runtime_id: "rt", runner_ids: [runner, null] }, ["runner_ids.1"]],
      ["lease with a fraction", { runtime_id: "rt", lease_seconds: 0.5 }, ["lease_seconds"]],
      ["lease a string", { runtime_id: "rt", lease_seconds: "60" }, ["lease_seconds"]],
      ["max_runs with a fraction", { runtime_id: "rt", max_runs: 1.5 }, ["max_runs"]],
      ["wait a boolean", { runtime_id: "rt", wait_seconds: false }, ["wait_seconds"]],
      ["queue empty", { runtime_id: "rt", queue_name: "" }, ["queue_name"]],
      ["target_run_id", { runtime_id: "rt", target_run_id: "r" }, ["target_run_id"]],
    ],
  },
  {
    action: "run_renew_claim",
    accepted: [
      ["the proof", proof],
      ["an epoch", { ...proof, claim_epoch: 0, run_id: "r", lease_seconds: 1 }],
      ["an empty token, which proves nothing", { ...proof, claim_token: "" }],
      ["64 characters of token", { ...proof, claim_token: longText(64) }],
    ],
    refused: [
      ...proofRows,
      ["lease with a fraction", { ...proof, lease_seconds: 1.25 }, ["lease_seconds"]],
      ["unknown", { ...proof, status: "queued" }, ["status"]],
    ],
  },
  {
    action: "run_release_claim",
    accepted: [
      ["the proof", proof],
      ["all", { ...proof, status: "queued", reason: "r", not_before: 0, refund_attempt: true }],
      ["both names of one reason", { ...proof, status_reason: "r", reason: "r" }],
      ["2000 characters of reason", { ...proof, status_reason: wideText(2000) }],
      ["nulls", { ...proof, status: null, reason: null, not_before: null, refund_attempt: null }],
    ],
    refused: [
      ...proofRows,
      ["another status", { ...proof, status: "failed" }, ["status"]],
      ["reasons differ", { ...proof, status_reason: "a", reason: "b" }, ["reason"]],
      ["reason too long", { ...proof, reason: longText(2001) }, ["reason"]],
      ["not_before too far", { ...proof, not_before: 253_402_300_800 }, ["not_before"]],
      ["not_before with a fraction", { ...proof, not_before: 1.5 }, ["not_before"]],
      ["refund a string", { ...proof, refund_attempt: "yes" }, ["refund_attempt"]],
    ],
  },
  {
    action: "runner_register",
    accepted: [
      ["one runner", { runners: [{ id: runner }] }],
      ["none, replacing", { runners: [], replace: true }],
      ["100 runners", { runners: names(100, `${runner}_`).map((id) => ({ id })) }],
      [
        "a whole descriptor",
        {
          runners: [
            {
              id: runner, label: { en: "Bot" }, description: { en: wideText(2000) },
              plugin_version: "1.0", config_schema: [{ type: "x" }],
              capabilities: { steering: false, [longText(64)]: true },
              permissions: { models: ["invoke"] }, raw_manifest: { any: [1, null] },
            },
          ],
        },
      ],
      ["nulls", { runners: [{ id: runner, label: null, capabilities: null }], replace: null }],
    ],
    refused: [
      ["nothing", {}, ["runners"]],
      ["none, keeping", { runners: [] }, ["runners"]],
      ["none, replace false", { runners: [], replace: false }, ["runners"]],
      ["101 runners", { runners: names(101, `${runner}_`).map((id) => ({ id })) }, ["runners"]],
      ["an object", { runners: { id: runner } }, ["runners"]],
      ["a string", { runners: [runner] }, ["runners.0"]],
      ["no id", { runners: [{}] }, ["runners.0.id"]],
      ["an identity as id", { runners: [{ id: "acme/bot" }] }, ["runners.0.id"]],
      ["a repeated id", { runners: [{ id: runner }, { id: runner }] }, ["runners.1.id"]],
      ["id too long", { runners: [{ id: `plugin:a/b/${longText(245)}` }] }, ["runners.0.id"]],
      [
        "an owner too long to be an identity",
        { runners: [{ id: `plugin:a/${longText(199)}/r` }] },
        ["runners.0.id"],
      ],
      ["label a string", { runners: [{ id: runner, label: "Bot" }] }, ["runners.0.label"]],
      [
        "label too long",
        { runners: [{ id: runner, label: { en: longText(256) } }] },
        ["runners.0.label.en"],
      ],
      [
        "description too long",
        { runners: [{ id: runner, description: { en: longText(2001) } }] },
        ["runners.0.description.en"],
      ],
      [
        "version too long",
        { runners: [{ id: runner, plugin_version: longText(101) }] },
        ["runners.0.plugin_version"],
      ],
      [
        "config_schema of strings",
        { runners: [{ id: runner, config_schema: ["x"] }] },
        ["runners.0.config_schema.0"],
      ],
      [
        "capability in capitals",
        { runners: [{ id: runner, capabilities: { Steering: true } }] },
        ["runners.0.capabilities.Steering"],
      ],
      [
        "capability name too long",
        { runners: [{ id: runner, capabilities: { [longText(65)]: true } }] },
        [`runners.0.capabilities.${longText(65)}`],
      ],
      [
        "capability not boolean",
        { runners: [{ id: runner, capabilities: { steering: 1 } }] },
        ["runners.0.capabilities.steering"],
      ],
      [
        "permissions not lists",
        { runners: [{ id: runner, permissions: { models: "invoke" } }] },
        ["runners.0.permissions.models"],
      ],
      [
        "permission text too long",
        { runners: [{ id: runner, permissions: { m: [longText(101)] } }] },
        ["runners.0.permissions.m.0"],
      ],
      ["manifest a list", { runners: [{ id: runner, raw_manifest: [] }] },
        ["runners.0.raw_manifest"]],
      ["unknown in a runner", { runners: [{ id: runner, source: "plugin" }] },
        ["runners.0.source"]],
      ["unknown", { runners: [{ id: runner }], run_id: "r" }, ["run_id"]],
    ],
  },
  {
    action: "runner_list",
    accepted: [
      ["nothing", {}],
      ["all", { include_plugins: ["acme/bot"], after_cursor: "0", limit: 500 }],
    ],
    refused: [
      ["no plugins", { include_plugins: [] }, ["include_plugins"]],
      ["not an identity", { include_plugins: ["acme"] }, ["include_plugins.0"]],
      ["cursor a number", { after_cursor: 1 }, ["after_cursor"]],
      ["limit with a fraction", { limit: 2.5 }, ["limit"]],
      ["run_id", { run_id: "r" }, ["run_id"]],
    ],
  },
  {
    action: "runtime_register",
    accepted: [
      ["a runtime", { runtime_id: "rt" }],
      [
        "all",
        {
          ...described, run_id: "r", status: "draining", display_name: wideText(255),
          endpoint: longText(1024), version: longText(255), heartbeat_ttl_seconds: 9999,
        },
      ],
      ["a deadline", { runtime_id: "rt", heartbeat_deadline_at: 2_000_000_000 }],
      ["a ttl and a null deadline",
        { runtime_id: "rt", heartbeat_ttl_seconds: 5, heartbeat_deadline_at: null }],
    ],
    refused: [
      ...runtimeRows,
      ["name too long", { runtime_id: "rt", display_name: longText(256) }, ["display_name"]],
      ["endpoint too long", { runtime_id: "rt", endpoint: longText(1025) }, ["endpoint"]],
      ["version too long", { runtime_id: "rt", version: longText(256) }, ["version"]],
      ["tenant", { runtime_id: "rt", tenant_id: "t" }, ["tenant_id"]],
    ],
  },
  {
    action: "runtime_heartbeat",
    accepted: [
      ["a runtime", { runtime_id: "rt" }],
      ["all", { ...described, run_id: "r", status: "online", heartbeat_ttl_seconds: 1 }],
      ["nulls", { runtime_id: "rt", status: null, labels: null, heartbeat_deadline_at: null }],
    ],
    refused: [
      ...runtimeRows,
      ["a description", { runtime_id: "rt", display_name: "x" }, ["display_name"]],
    ],
  },
  {
    action: "runtime_deregister",
    accepted: [
      ["a runtime", { runtime_id: "rt" }],
      ["a run", { runtime_id: "rt", run_id: "r" }],
    ],
    refused: [
      ["no runtime", { run_id: "r" }, ["runtime_id"]],
      ["runtime too long", { runtime_id: longText(256) }, ["runtime_id"]],
      ["unknown", { runtime_id: "rt", force: true }, ["force"]],
    ],
  },
  {
    action: "runtime_list",
    accepted: [
      ["nothing", {}],
      [
        "all",
        {
          run_id: "r", statuses: ["online", "stale", "stale"], labels: { a: "b" },
          after_cursor: "9223372036854775807", limit: 10_000,
        },
      ],
      ["no pairs", { labels: {} }],
    ],
    refused: [
      ["no statuses", { statuses: [] }, ["statuses"]],
      ["run status", { statuses: ["queued"] }, ["statuses.0"]],
      ["status null", { statuses: [null] }, ["statuses.0"]],
      ["labels a list", { labels: ["a"] }, ["labels"]],
      ["label a number", { labels: { a: 1 } }, ["labels.a"]],
      ["limit a string", { limit: "all" }, ["limit"]],
    ],
  },
];
