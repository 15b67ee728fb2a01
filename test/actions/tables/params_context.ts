// Params of what a runner asks for while it works, and of interactions: what is accepted, and which
// path is refused.

import { longText, names, objectOf, wideText, type ParamsTable } from "../schemas.js";

const claim = { runtime_id: "rt", claim_token: "t" };

const runRows = (base: Record<string, unknown> = {}): ParamsTable["refused"] => [
  ["no run_id", base, ["run_id"]],
  ["run_id null", { ...base, run_id: null }, ["run_id"]],
  ["run_id empty", { ...base, run_id: "" }, ["run_id"]],
  ["run_id too long", { ...base, run_id: longText(256) }, ["run_id"]],
  ["run_id a number", { ...base, run_id: 5 }, ["run_id"]],
  ["target_run_id", { ...base, run_id: "r", target_run_id: "r" }, ["target_run_id"]],
  ["unknown, null", { ...base, run_id: "r", colour: null }, ["colour"]],
];

const claimRows = (base: Record<string, unknown>): ParamsTable["refused"] => [
  ["runtime alone", { ...base, runtime_id: "rt" }, ["claim_token"]],
  ["token alone", { ...base, claim_token: "t" }, ["runtime_id"]],
  ["epoch alone", { ...base, claim_epoch: 1 }, ["runtime_id", "claim_token"]],
  ["epoch negative", { ...base, ...claim, claim_epoch: -1 }, ["claim_epoch"]],
  ["token too long", { ...base, ...claim, claim_token: longText(65) }, ["claim_token"]],
  ["force", { ...base, force: true }, ["force"]],
];

const limitRows = (name: string, base: Record<string, unknown>): ParamsTable["refused"] => [
  [`${name} with a fraction`, { ...base, [name]: 1.5 }, [name]],
  [`${name} a string`, { ...base, [name]: "5" }, [name]],
];

const run = { run_id: "r" };

const historyTables: ParamsTable[] = [
  {
    action: "history_page",
    accepted: [
      ["a run", run],
      ["all",
        { ...run, conversation_id: "c", before_cursor: "9", after_cursor: "0",
          direction: "forward", limit: 1000, include_attachments: true }],
      ["nulls", { ...run, conversation_id: null, direction: null, limit: null }],
    ],
    refused: [
      ...runRows(),
      ...limitRows("limit", run),
      ["conversation empty", { ...run, conversation_id: "" }, ["conversation_id"]],
      ["cursor a number", { ...run, before_cursor: 1 }, ["before_cursor"]],
      ["cursor with a sign", { ...run, after_cursor: "+1" }, ["after_cursor"]],
      ["direction unknown", { ...run, direction: "up" }, ["direction"]],
      ["include_attachments a number", { ...run, include_attachments: 1 },
        ["include_attachments"]],
    ],
  },
  {
    action: "history_search",
    accepted: [
      ["a query", { ...run, query: "x" }],
      ["1000 wide characters with spaces around", { ...run, query: `  ${wideText(1000)}\n` }],
      ["wildcards", { ...run, query: "100%_\\" }],
      ["all",
        { ...run, query: "x", top_k: 0,
          filters: { conversation_id: "c", roles: ["user", "user"], item_types: ["message"] } }],
      ["nulls", { ...run, query: "x", filters: { roles: null, conversation_id: null } }],
    ],
    refused: [
      ...runRows({ query: "x" }),
      ...limitRows("top_k", { ...run, query: "x" }),
      ["no query", run, ["query"]],
      ["query null", { ...run, query: null }, ["query"]],
      ["query empty", { ...run, query: "" }, ["query"]],
      ["query of spaces", { ...run, query: " \t\n" }, ["query"]],
      ["query too long", { ...run, query: longText(1001) }, ["query"]],
      ["query a number", { ...run, query: 5 }, ["query"]],
      ["filters a list", { ...run, query: "x", filters: [] }, ["filters"]],
      ["unknown in filters", { ...run, query: "x", filters: { role: null } }, ["filters.role"]],
      ["no roles", { ...run, query: "x", filters: { roles: [] } }, ["filters.roles"]],
      ["a long role", { ...run, query: "x", filters: { roles: ["u", longText(51)] } },
        ["filters.roles.1"]],
      ["101 types", { ...run, query: "x", filters: { item_types: names(101) } },
        ["filters.item_types"]],
      ["conversation at the top", { ...run, query: "x", conversation_id: "c" },
        ["conversation_id"]],
    ],
  },
  {
    action: "event_get",
    accepted: [["an event", { ...run, event_id: "e" }]],
    refused: [
      ...runRows({ event_id: "e" }),
      ["no event", run, ["event_id"]],
      ["event_id empty", { ...run, event_id: "" }, ["event_id"]],
    ],
  },
  {
    action: "event_page",
    accepted: [
      ["a run", run],
      ["all",
        { ...run, conversation_id: "c", event_types: ["a", "a"], before_cursor: "5", limit: 0 }],
    ],
    refused: [
      ...runRows(),
      ...limitRows("limit", run),
      ["no event types", { ...run, event_types: [] }, ["event_types"]],
      ["a long type", { ...run, event_types: [longText(101)] }, ["event_types.0"]],
      ["101 types", { ...run, event_types: names(101) }, ["event_types"]],
      ["after_cursor", { ...run, after_cursor: "1" }, ["after_cursor"]],
    ],
  },
  {
    action: "prompt_get",
    accepted: [["a run", run]],
    refused: runRows(),
  },
];

const steeringTables: ParamsTable[] = [
  {
    action: "steering_pull",
    accepted: [
      ["a run", run],
      ["all",
        { ...run, mode: "all", limit: 1000, lease_seconds: 0, ack: names(100), ...claim,
          claim_epoch: 3 }],
      ["one", { ...run, mode: "One-At-A-Time" }],
      ["one by another name", { ...run, mode: "one_at_a_time" }],
      ["nothing to confirm", { ...run, ack: [] }],
      ["nulls", { ...run, mode: null, ack: null, runtime_id: null }],
    ],
    refused: [
      ...runRows(),
      ...claimRows(run),
      ...limitRows("limit", run),
      ...limitRows("lease_seconds", run),
      ["mode unknown", { ...run, mode: "two" }, ["mode"]],
      ["mode empty", { ...run, mode: "" }, ["mode"]],
      ["mode with mixed signs", { ...run, mode: "one-at_a-time" }, ["mode"]],
      ["mode a number", { ...run, mode: 1 }, ["mode"]],
      ["ack a string", { ...run, ack: "s" }, ["ack"]],
      ["ack of an empty id", { ...run, ack: ["s", ""] }, ["ack.1"]],
      ["ack of 101", { ...run, ack: names(101) }, ["ack"]],
    ],
  },
  {
    action: "steering_ack",
    accepted: [
      ["an item", { ...run, steering_ids: ["s"] }],
      ["100 items, with a claim", { ...run, steering_ids: names(100), ...claim }],
    ],
    refused: [
      ...runRows({ steering_ids: ["s"] }),
      ...claimRows({ ...run, steering_ids: ["s"] }),
      ["no items", run, ["steering_ids"]],
      ["an empty list", { ...run, steering_ids: [] }, ["steering_ids"]],
      ["101 items", { ...run, steering_ids: names(101) }, ["steering_ids"]],
      ["an empty id", { ...run, steering_ids: [""] }, ["steering_ids.0"]],
      ["a null id", { ...run, steering_ids: [null] }, ["steering_ids.0"]],
    ],
  },
];

const scope = { ...run, scope: "actor" };
const key = { ...scope, key: "k" };

const scopeRows = (base: Record<string, unknown>): ParamsTable["refused"] => [
  ...runRows({ scope: "actor", ...base }),
  ["no scope", { ...run, ...base }, ["scope"]],
  ["scope unknown", { ...run, ...base, scope: "user" }, ["scope"]],
  ["scope in capitals", { ...run, ...base, scope: "Actor" }, ["scope"]],
  ["scope a list", { ...run, ...base, scope: ["actor"] }, ["scope"]],
];

const keyRows: ParamsTable["refused"] = [
  ...scopeRows({ key: "k" }),
  ["no key", scope, ["key"]],
  ["key null", { ...scope, key: null }, ["key"]],
  ["key empty", { ...scope, key: "" }, ["key"]],
  ["key too long", { ...scope, key: longText(256) }, ["key"]],
  ["key a number", { ...scope, key: 1 }, ["key"]],
];

const versionRows: ParamsTable["refused"] = [
  ["version negative", { ...key, if_version: -1 }, ["if_version"]],
  ["version with a fraction", { ...key, if_version: 0.5 }, ["if_version"]],
  ["version unsafe", { ...key, if_version: 2 ** 53 }, ["if_version"]],
];

const stateTables: ParamsTable[] = [
  {
    action: "state_get",
    accepted: [["a key", { ...scope, key: wideText(255) }]],
    refused: [...keyRows, ["a claim", { ...key, ...claim }, ["runtime_id", "claim_token"]]],
  },
  {
    action: "state_set",
    accepted: [
      ["no value", key],
      ["null", { ...key, value: null }],
      ["false", { ...key, value: false }],
      ["a list with nulls", { ...key, value: [null, { a: null }] }],
      ["262144 bytes", { ...key, value: objectOf(262_144) }],
      ["all", { ...key, value: "x", if_version: 0, ...claim, claim_epoch: 0 }],
    ],
    refused: [...keyRows, ...versionRows, ...claimRows(key)],
  },
  {
    action: "state_delete",
    accepted: [
      ["a key", key],
      ["all", { ...key, if_version: 2 ** 53 - 1, ...claim }],
    ],
    refused: [
      ...keyRows, ...versionRows, ...claimRows(key), ["value", { ...key, value: null }, ["value"]],
    ],
  },
  {
    action: "state_list",
    accepted: [
      ["a scope", scope],
      ["all", { ...scope, prefix: "100%", after_key: wideText(255), limit: 0 }],
      ["an empty prefix", { ...scope, prefix: "", after_key: "" }],
    ],
    refused: [
      ...scopeRows({}),
      ...limitRows("limit", scope),
      ["prefix too long", { ...scope, prefix: longText(256) }, ["prefix"]],
      ["after_key a number", { ...scope, after_key: 5 }, ["after_key"]],
      ["after_cursor", { ...scope, after_cursor: "1" }, ["after_cursor"]],
      ["key", { ...scope, key: "k" }, ["key"]],
    ],
  },
];

const one = { target_run_id: "t", interaction_id: "i" };

/** Who answers names a target, and shows no run of its own. */
const writerRows: ParamsTable["refused"] = [
  ["no target", { interaction_id: "i" }, ["target_run_id"]],
  ["target null", { ...one, target_run_id: null }, ["target_run_id"]],
  ["no interaction", { target_run_id: "t" }, ["interaction_id"]],
  ["interaction empty", { ...one, interaction_id: "" }, ["interaction_id"]],
  ["a run of its own", { ...one, run_id: "t" }, ["run_id"]],
  ["unknown", { ...one, submission: {} }, ["submission"]],
];

const interactionTables: ParamsTable[] = [
  {
    action: "interaction_list",
    accepted: [
      ["nothing", {}],
      ["all",
        { run_id: "r", target_run_id: "t", conversation_id: "c", before_cursor: "5", limit: 0,
          statuses: ["pending", "submitted", "expired", "cancelled", "pending"] }],
      ["nulls", { run_id: null, statuses: null, conversation_id: null }],
    ],
    refused: [
      ["run_id empty", { run_id: "" }, ["run_id"]],
      ["target a number", { target_run_id: 1 }, ["target_run_id"]],
      ["no statuses", { statuses: [] }, ["statuses"]],
      ["a status of runs", { statuses: ["completed"] }, ["statuses.0"]],
      ["conversation empty", { conversation_id: "" }, ["conversation_id"]],
      ["cursor a number", { before_cursor: 1 }, ["before_cursor"]],
      ["after_cursor", { after_cursor: "1" }, ["after_cursor"]],
      ...limitRows("limit", {}),
    ],
  },
  {
    action: "interaction_get",
    accepted: [
      ["of the own run", { run_id: "r", interaction_id: "i" }],
      ["of a target", one],
    ],
    refused: [
      ["no run named", { interaction_id: "i" }, ["target_run_id"]],
      ["no interaction", { run_id: "r" }, ["interaction_id"]],
      ["interaction a number", { run_id: "r", interaction_id: 1 }, ["interaction_id"]],
      ["unknown", { ...one, id: null }, ["id"]],
    ],
  },
  {
    action: "interaction_submit",
    accepted: [
      ["no values", one],
      ["all", { ...one, action_id: "a", values: { f: [null], g: null }, actor_id: "u" }],
      ["nulls", { ...one, action_id: null, values: null, actor_id: null }],
    ],
    refused: [
      ...writerRows,
      ["action empty", { ...one, action_id: "" }, ["action_id"]],
      ["values a list", { ...one, values: [] }, ["values"]],
      ["values a string", { ...one, values: "{}" }, ["values"]],
      ["actor a number", { ...one, actor_id: 1 }, ["actor_id"]],
    ],
  },
  {
    action: "interaction_cancel",
    accepted: [
      ["no reason", one],
      ["a reason", { ...one, reason: wideText(2000) }],
      ["one reason twice", { ...one, reason: "r", status_reason: "r" }],
    ],
    refused: [
      ...writerRows,
      ["reasons differ", { ...one, reason: "a", status_reason: "b" }, ["reason"]],
      ["reason too long", { ...one, status_reason: longText(2001) }, ["status_reason"]],
    ],
  },
];

export const contextTables: ParamsTable[] = [
  ...historyTables, ...steeringTables, ...stateTables, ...interactionTables,
];
