// Frames of the context methods that are refused, or answered, before the database is asked
// (no_sql.test.ts): rungs 1 to 5, and what only the connection holds.

import type { CallerName } from "../support/access_world.js";

type Frame = readonly [title: string, caller: CallerName | "nobody", text: string, answer: string];

const call = (method: string, params: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

const needs: Record<string, Record<string, unknown>> = {
  history_page: {}, history_search: { query: "word" }, event_get: { event_id: "e" },
  event_page: {}, prompt_get: {}, steering_pull: {}, steering_ack: { steering_ids: ["s"] },
  state_get: { scope: "actor", key: "k" }, state_set: { scope: "actor", key: "k", value: 1 },
  state_delete: { scope: "actor", key: "k" }, state_list: { scope: "actor" },
};
const methods = Object.entries(needs);
const fenced = ["steering_pull", "steering_ack", "state_set", "state_delete"];
const whole = (method: string, more: Record<string, unknown>) =>
  call(method, { run_id: "r", ...needs[method], ...more });
const invalid = (
  title: string,
  method: string,
  more: Record<string, unknown>,
  path: string,
): Frame => [`${method}: ${title}`, "plain", whole(method, more), `INVALID_PARAMS/${path}`];

const sessions: readonly Frame[] = [
  ...methods.map(([method, params]): Frame =>
    [`no login: ${method}`, "nobody", call(method, { run_id: "r", ...params }), "UNAUTHENTICATED"]),
  ...methods.map(([method, params]): Frame =>
    [`another's name: ${method}`, "plain",
      call(method, { run_id: "r", ...params, caller_plugin_identity: "acme/owner" }),
      "FORBIDDEN/identity_mismatch"]),
  ...methods.map(([method, params]): Frame =>
    [`no run for ${method}, for an administrator neither`, "builtin", call(method, params),
      "INVALID_PARAMS/run_id"]),
  ...methods.map(([method]): Frame =>
    invalid("a target", method, { target_run_id: "r" }, "target_run_id")),
  ...methods.filter(([method]) => !fenced.includes(method)).map(([method]): Frame =>
    invalid("a claim, which it does not take", method, { claim_token: "t" }, "claim_token")),
  ...fenced.flatMap((method): Frame[] => [
    invalid("half a claim", method, { runtime_id: "rt" }, "claim_token"),
    invalid("the other half", method, { claim_token: "t" }, "runtime_id"),
    invalid("an epoch alone", method, { claim_epoch: 1 }, "runtime_id"),
  ]),
  invalid("a cursor as a number", "history_page", { after_cursor: 1 }, "after_cursor"),
  invalid("a direction that is none", "history_page", { direction: "up" }, "direction"),
  invalid("nothing to search", "history_search", { query: "  " }, "query"),
  invalid("too much to search", "history_search", { query: "x".repeat(1001) }, "query"),
  invalid("an empty filter", "history_search", { filters: { roles: [] } }, "filters.roles"),
  invalid("an empty filter", "event_page", { event_types: [] }, "event_types"),
  invalid("NUL", "event_get", { event_id: "a\0b" }, "event_id"),
  invalid("a mode that is none", "steering_pull", { mode: "two" }, "mode"),
  invalid("nothing to confirm", "steering_ack", { steering_ids: [] }, "steering_ids"),
  invalid("a scope that is none", "state_get", { scope: "world" }, "scope"),
  invalid("an empty key", "state_set", { key: "" }, "key"),
  invalid("a key that is too long", "state_delete", { key: "k".repeat(256) }, "key"),
  invalid("a version below zero", "state_set", { if_version: -1 }, "if_version"),
  ["state_set: a value that is too large", "plain",
    whole("state_set", { value: "x".repeat(262_143) }), "PAYLOAD_TOO_LARGE/value"],
];

const publish = (more: Record<string, unknown>) => call("event_publish", more);
const publishing: readonly Frame[] = [
  ["no login: event_publish", "nobody", publish({}), "UNAUTHENTICATED"],
  ...(["plain", "runtime_admin", "plugin_admin", "tenant_b_plugin"] as const).map(
    (caller): Frame => [`no permission for event_publish: ${caller}`, caller, publish({}),
      "FORBIDDEN/permission_missing"]),
  ["event_publish: permission before params", "plain", publish({ nonsense: 1, run_id: "r" }),
    "FORBIDDEN/permission_missing"],
  ["event_publish: takes no run", "creator", publish({ run_id: "r" }), "INVALID_PARAMS/run_id"],
  ["event_publish: a reserved type", "creator", publish({ event_type: "steering.injected" }),
    "INVALID_PARAMS/event_type"],
  ["event_publish: the host's name", "creator", publish({ source: "host" }),
    "INVALID_PARAMS/source"],
  ["event_publish: too large", "creator", publish({ text: "x".repeat(1_048_577) }),
    "PAYLOAD_TOO_LARGE/request"],
  ...(["limited", "creator_limited"] as const).flatMap((caller): Frame[] => [
    [`event_publish: ${caller}, outside its workspaces`, caller, publish({ workspace_id: "w2" }),
      "FORBIDDEN/out_of_scope"],
    [`event_publish: ${caller}, no workspace`, caller, publish({}), "FORBIDDEN/out_of_scope"],
  ]),
];

const submit = { target_run_id: "r", interaction_id: "i" };
const interactions: readonly Frame[] = [
  ["no path applies to interaction_list", "plain", call("interaction_list", {}),
    "INVALID_PARAMS/run_id"],
  ...["interaction_list", "interaction_get", "interaction_submit", "interaction_cancel"]
    .flatMap((method): Frame[] => {
      const params = method === "interaction_list" ? { target_run_id: "r" } : submit;
      return [
        [`no login: ${method}`, "nobody", call(method, params), "UNAUTHENTICATED"],
        [`no path applies to ${method}`, "plain", call(method, params), "INVALID_PARAMS/run_id"],
        [`no path applies to ${method}: runtime:admin`, "runtime_admin", call(method, params),
          "INVALID_PARAMS/run_id"],
      ];
    }),
  ...["interaction_submit", "interaction_cancel"].map((method): Frame =>
    [`${method} takes no run_id`, "run_admin", call(method, { run_id: "r", ...submit }),
      "INVALID_PARAMS/run_id"]),
  ["nothing to submit to", "run_admin", call("interaction_submit", { interaction_id: "i" }),
    "INVALID_PARAMS/target_run_id"],
  ["nothing to read", "run_admin", call("interaction_get", { interaction_id: "i" }),
    "INVALID_PARAMS/target_run_id"],
  ["a status that is none", "run_admin", call("interaction_list", { statuses: ["open"] }),
    "INVALID_PARAMS/statuses.0"],
  ["an answer that is too large", "run_admin",
    call("interaction_submit", { ...submit, values: { a: "x".repeat(262_144) } }),
    "PAYLOAD_TOO_LARGE/field"],
];

const subscriptions: readonly Frame[] = [
  ["no login: run_subscribe", "nobody", call("run_subscribe", { run_id: "r" }), "UNAUTHENTICATED"],
  ["nothing to follow", "run_admin", call("run_subscribe", {}), "INVALID_PARAMS/target_run_id"],
  ["no path applies to run_subscribe", "plain", call("run_subscribe", { target_run_id: "r" }),
    "INVALID_PARAMS/run_id"],
  ["run_subscribe: a cursor as a number", "plain",
    call("run_subscribe", { run_id: "r", after_cursor: 1 }), "INVALID_PARAMS/after_cursor"],
  ["no login: run_unsubscribe", "nobody", call("run_unsubscribe", { subscription_id: "s" }),
    "UNAUTHENTICATED"],
  ["run_unsubscribe: nothing named", "plain", call("run_unsubscribe", {}),
    "INVALID_PARAMS/subscription_id"],
  ["run_unsubscribe: takes no run", "plain",
    call("run_unsubscribe", { subscription_id: "s", run_id: "r" }), "INVALID_PARAMS/run_id"],
  ["run_unsubscribe: none of the connection's", "plain",
    call("run_unsubscribe", { subscription_id: "s" }), "ok"],
];

export const contextFrames: readonly Frame[] = [
  ...sessions, ...publishing, ...interactions, ...subscriptions,
];
