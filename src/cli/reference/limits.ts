// The limits of the contract in words, with the numbers that the host itself uses.

import { limits } from "../../contract/limits.js";
import { html, type Markup } from "./markup.js";

const whole = (count: number): string =>
  String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const bytes = (count: number): string => {
  const [size, unit] = count >= 1_048_576 ? [count / 1_048_576, "MiB"] : [count / 1024, "KiB"];
  return `${size} ${unit}`;
};
const span = (
  { min, max, ...rest }: { min: number; max: number; default?: number; default_running?: number },
  unit = "",
): string => {
  const usual = rest.default === undefined ? "" : `${whole(rest.default)}${unit}, `;
  return `${usual}from ${whole(min)} to ${whole(max)}${unit}`;
};

/** Configured by the operator; plugin_connect tells the present values. */
const configured: readonly [what: string, value: string][] = [
  ["message (RUNHOST_MAX_MESSAGE_BYTES)", `${whole(1_114_112)} bytes; past it: close 1009`],
  ["batch (RUNHOST_MAX_BATCH)", "100"],
  ["requests in flight on one connection (RUNHOST_MAX_IN_FLIGHT)", "256; OVERLOADED past it"],
  ["reading an ended run (RUNHOST_SNAPSHOT_READ_DAYS)", "7 days"],
  ["ended runs are kept (RUNHOST_RETENTION_DAYS)", "90 days; 0 keeps everything"],
  ["time between two sweeps (RUNHOST_RECONCILE_SECONDS)", "5 s; 0: only runtime_reconcile"],
];

const fixed: readonly [what: string, value: string][] = [
  ["subscriptions of a connection", whole(limits.subscriptions_per_connection)],
  ["id; identity; runner id", `${limits.id_characters}; ${limits.identity_characters}; `
    + `${limits.id_characters} characters`],
  ["depth of params; elements of a filter", `${limits.json_depth}; ${limits.filter_elements}`],
  ["items of a call in list form", String(limits.list_items)],
  ["result event; request of a run or an event", bytes(limits.result_event_bytes)],
  ["metadata, usage, cost, capabilities, labels, each", bytes(limits.field_bytes)],
  ["runner descriptor", bytes(limits.runner_descriptor_bytes)],
  ["runners in one call; of one identity", `${limits.runners_per_call}; `
    + whole(limits.runners_per_identity)],
  ["runtimes of one identity", whole(limits.runtimes_per_identity)],
  ["state: value; keys and bytes of one scope", `${bytes(limits.state_value_bytes)}; `
    + `${whole(limits.state_scope_keys)} and ${bytes(limits.state_scope_bytes)}`],
  ["interaction: request, submission, each", bytes(limits.interaction_bytes)],
  ["interaction: time to answer", `${whole(limits.interaction_expiry_seconds.default)} s, `
    + `at most ${whole(limits.interaction_expiry_seconds.max)} s`],
  ["steering: items waiting for one run", String(limits.steering_items)],
  ["steering: lease of an item", span(limits.steering_lease_seconds, " s")],
  ["search query", `${whole(limits.search_characters)} characters`],
  ["status_reason", `${whole(limits.status_reason_characters)} characters`],
  ["items of one page", `${bytes(limits.page_bytes)}, and at least one item`],
  ["total_count of run_list", whole(limits.run_total_max)],
  ["run_claim: runs; requests in one answer", `${span(limits.claim_runs)}; `
    + bytes(limits.claim_answer_bytes)],
  ["run_claim: wait", span(limits.claim_wait_seconds, " s")],
  ["lease of a claim", span(limits.lease_seconds, " s")],
  ["run_wait; wait of run_create", span(limits.completion_wait_seconds, " s")],
  ["timeout_seconds", `${span(limits.timeout_seconds, " s")}; without one a running run has `
    + `${limits.timeout_seconds.default_running} s`],
  ["priority; max_attempts", `${span(limits.priority)}; ${span(limits.max_attempts)}`],
  ["not_before of a released run", `${whole(limits.release_not_before_seconds)} s from now`],
  ["writes of an executor past its deadline", `${limits.session_grace_seconds} s`],
  ["heartbeat of a runtime", span(limits.runtime_ttl_seconds, " s")],
  ["retries of its own failures by a plugin, in one chain", String(limits.retry_chain)],
  ["window of statistics", `${limits.stats_window_seconds / 86_400} days`],
  ["until a revoked token, a disabled plugin, a new permission counts",
    `${limits.revocation_seconds} s`],
  ["login of a connection", `${limits.connect_seconds} s, ${limits.connect_failures} failures; `
    + "then it closes with 4401"],
];

export function writeLimits(): Markup {
  const rows = (listed: typeof fixed) =>
    listed.map(([what, value]) => html`<tr><td>${what}</td><td>${value}</td></tr>\n`);
  const write = (title: string, listed: typeof fixed) =>
    html`<div class=wide><table class=two><thead><tr><th>${title}</th><th>Limit</th></tr></thead>
<tbody>${rows(listed)}</tbody></table></div>`;
  return html`${write("Set by the operator, by default", configured)}
${write("The same on every host", fixed)}`;
}
