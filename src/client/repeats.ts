// Which calls the client may send again when a connection ended before their answer, or the host
// asks to come back: those of which the protocol says that a repeat does nothing twice. Data, one
// row for each method; also the ids that make a call repeatable, and how long a call waits.

import type { ActionName } from "../contract/action_names.js";

type Params = Readonly<Record<string, any>>;

interface Row {
  repeat: boolean | ((params: Params) => boolean);
  /** The idempotency key, and how one begins that the client makes. */
  key?: { name: string; prefix: string };
  /** How long the host may wait before it answers. */
  waits?(params: Params): number;
}

const again: Row = { repeat: true };
const once: Row = { repeat: false };
const unlessVersioned: Row = { repeat: ({ if_version }) => (if_version ?? null) === null };

const rows: Record<ActionName, Row> = {
  // What a lost answer held is not told twice: a new token.
  plugin_register: once,
  plugin_rotate_token: once,
  // A claim whose answer was lost ends with its lease; a repeat takes other runs.
  run_claim: { repeat: false, waits: ({ wait_seconds }) => wait_seconds ?? 0 },
  // A repeat is LEASE_LOST, whatever became of the first.
  run_release_claim: once,
  // What was leased to a lost answer comes again when that lease is over.
  steering_pull: once,
  // What a sweep found is told once.
  runtime_reconcile: once,
  // A repeat counts the same runs as released no more.
  runtime_deregister: again,
  // Under if_version a repeat cannot tell its own write from another's.
  state_set: unlessVersioned,
  state_delete: unlessVersioned,

  run_create: {
    repeat: true,
    key: { name: "run_id", prefix: "run_" },
    waits: ({ wait_for_completion, wait_seconds }) =>
      wait_for_completion === true ? (wait_seconds ?? 30) : 0,
  },
  run_retry: { repeat: true, key: { name: "new_run_id", prefix: "run_" } },
  event_publish: { repeat: true, key: { name: "event_id", prefix: "evt_" } },
  run_append_result: again,
  run_emit_result: again,
  run_finalize: again,
  run_cancel: again,
  run_renew_claim: again,
  runner_register: again,
  runtime_register: again,
  runtime_heartbeat: again,
  steering_ack: again,
  interaction_submit: again,
  interaction_cancel: again,
  plugin_set_enabled: again,
  // Both concern the connection, and end with it.
  run_subscribe: again,
  run_unsubscribe: again,

  plugin_connect: again,
  ping: again,
  "rpc.discover": again,
  plugin_list: again,
  run_get: again,
  run_explain: again,
  run_list: again,
  run_events_page: again,
  run_wait: { repeat: true, waits: ({ wait_seconds }) => wait_seconds ?? 30 },
  runner_list: again,
  runtime_list: again,
  run_stats: again,
  runner_stats: again,
  runtime_stats: again,
  audit_page: again,
  history_page: again,
  history_search: again,
  event_get: again,
  event_page: again,
  prompt_get: again,
  state_get: again,
  state_list: again,
  interaction_list: again,
  interaction_get: again,
};

export interface Plan {
  /** The params as they go out. */
  params: Record<string, any>;
  repeatable: boolean;
  /** What the call may take beyond its deadline, because it asked the host to wait. */
  wait_ms: number;
}

/** A method that this version does not know is sent once. */
export function planCall(method: string, given: Params): Plan {
  const row = Object.hasOwn(rows, method) ? rows[method as ActionName] : once;
  const params = { ...given };
  if (row.key !== undefined) params[row.key.name] ??= row.key.prefix + makeId();
  const repeatable = typeof row.repeat === "boolean" ? row.repeat : row.repeat(params);
  const wait_ms = Number(row.waits?.(params) ?? 0) * 1000;
  return { params, repeatable, wait_ms: wait_ms > 0 ? wait_ms : 0 };
}

/** A UUIDv7. `crypto.randomUUID` is missing on pages that were not served over TLS. */
function makeId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  const now = Date.now();
  view.setUint32(0, Math.floor(now / 2 ** 16));
  view.setUint16(4, now % 2 ** 16);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
