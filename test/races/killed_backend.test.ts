// A backend that dies inside a mutation: nothing is half done, the caller is answered UNAVAILABLE, and the
// same call succeeds afterwards. Each mutation is held, by a lock on a table that it writes late, until
// its backend has been killed.

import { expect, test } from "vitest";
import type { Params } from "../support/client.js";
import { claimOf, fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost();

interface Case {
  /** Written (or read, where nothing else is left) after the statement's first change. */
  held: string;
  prepare(): Promise<{ client: Plugin["client"]; params: Params }>;
}

async function claimed(params: Params = {}) {
  const plugin = await registerPlugin(world());
  await plugin.client.call("run_create", { runner_id: plugin.runner_id, ...params });
  const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
  return { plugin, item, target: { target_run_id: item.run_id, ...claimOf(item) } };
}

const result = (type: string, data: Params) => ({ sequence: 1, type, data });
const message = { role: "assistant", content: "done" };

const emit = (type: string, data: Params, held: string): Case => ({
  held,
  async prepare() {
    const { plugin, target } = await claimed({ conversation_id: fresh("talk") });
    return { client: plugin.client, params: { ...target, ...result(type, data) } };
  },
});

const asAdmin = (held: string, params: (plugin: Plugin) => Params): Case => ({
  held,
  async prepare() {
    return { client: world().admin, params: params(await registerPlugin(world())) };
  },
});

/** A claimed run of a conversation, with the params that its executor shows. */
async function talking() {
  const conversation_id = fresh("talk");
  const { plugin, item, target } = await claimed({ conversation_id });
  return { plugin, conversation_id, target, own: { run_id: item.run_id, ...claimOf(item) } };
}

const cases: [title: string, method: string, mutation: Case][] = [
  ["create", "run_create", {
    held: "agent_run_request",
    async prepare() {
      const { client, runner_id } = await registerPlugin(world());
      return { client, params: { runner_id, run_id: fresh("run") } };
    },
  }],
  ["claim", "run_claim", {
    held: "agent_run_request",
    async prepare() {
      const { client, runner_id, runtime_id } = await registerPlugin(world());
      await client.call("run_create", { runner_id });
      return { client, params: { runtime_id } };
    },
  }],
  ["renew", "run_renew_claim", {
    held: "agent_run",
    async prepare() {
      const { plugin, target } = await claimed();
      return { client: plugin.client, params: { ...target, lease_seconds: 500 } };
    },
  }],
  ["release", "run_release_claim", {
    held: "agent_run_steering",
    async prepare() {
      const { plugin, target } = await claimed();
      return { client: plugin.client, params: target };
    },
  }],
  ["append by an administrator", "run_append_result", {
    held: "run_audit",
    async prepare() {
      const { item } = await claimed();
      const data = { tool_call_id: "c", tool_name: "t" };
      const target = { target_run_id: item.run_id, force: true };
      return { client: world().admin, params: { ...target, ...result("tool.call.started", data) } };
    },
  }],
  ["emit a message", "run_emit_result", emit("message.completed", { message }, "transcript")],
  ["emit state", "run_emit_result",
    emit("state.updated", { scope: "conversation", key: "k", value: 1 }, "agent_run_event")],
  ["emit the end", "run_emit_result", emit("run.completed", { message }, "agent_interaction")],
  ["emit a failure that goes back to the queue", "run_emit_result",
    emit("run.failed", { error: "again", retryable: true }, "agent_run_steering")],
  ["finalize", "run_finalize", {
    held: "agent_interaction",
    async prepare() {
      const { plugin, target } = await claimed();
      return { client: plugin.client, params: { ...target, status: "completed" } };
    },
  }],
  ["cancel", "run_cancel", {
    held: "agent_interaction",
    async prepare() {
      const { client, runner_id } = await registerPlugin(world());
      const { run_id } = await client.call("run_create", { runner_id });
      return { client, params: { target_run_id: run_id } };
    },
  }],
  ["retry", "run_retry", {
    held: "agent_run_request",
    async prepare() {
      const { plugin, target } = await claimed();
      await plugin.client.call("run_finalize", { ...target, status: "failed" });
      return { client: plugin.client, params: { target_run_id: target.target_run_id } };
    },
  }],
  ["publish a message that is absorbed", "event_publish", {
    held: "transcript",
    async prepare() {
      const { plugin, conversation_id } = await talking();
      return { client: plugin.client, params: { conversation_id, text: "more" } };
    },
  }],
  ["pull steering", "steering_pull", {
    held: "agent_run_steering",
    async prepare() {
      const { plugin, conversation_id, own } = await talking();
      await plugin.client.call("event_publish", { conversation_id, text: "more" });
      return { client: plugin.client, params: own };
    },
  }],
  ["acknowledge steering", "steering_ack", {
    held: "event_log",
    async prepare() {
      const { plugin, conversation_id, own } = await talking();
      const sent = await plugin.client.call("event_publish", { conversation_id, text: "more" });
      await plugin.client.call("steering_pull", own);
      return { client: plugin.client, params: { ...own, steering_ids: [sent.steering_id] } };
    },
  }],
  ["set state", "state_set", {
    held: "agent_runner_state",
    async prepare() {
      const { plugin, own } = await talking();
      return { client: plugin.client, params: { ...own, scope: "conversation", key: "k", value: 1 } };
    },
  }],
  ["answer an interaction", "interaction_submit", {
    held: "agent_run_steering",
    async prepare() {
      const { plugin, target } = await talking();
      const payload = { interaction_id: "ask", title: "May I?", fallback_text: "May I?" };
      await plugin.client.call("run_emit_result", {
        ...target, ...result("action.requested", { action: "interaction.requested", payload }),
      });
      const { target_run_id } = target;
      return { client: plugin.client, params: { target_run_id, interaction_id: "ask" } };
    },
  }],
  ["register runners", "runner_register", {
    held: "runner",
    async prepare() {
      const { client, runner_id } = await registerPlugin(world());
      return { client, params: { runners: [{ id: `${runner_id}2` }], replace: true } };
    },
  }],
  ["register a runtime", "runtime_register", {
    held: "agent_runtime",
    async prepare() {
      const { client } = await registerPlugin(world());
      return { client, params: { runtime_id: fresh("runtime") } };
    },
  }],
  ["hold a runtime", "runtime_heartbeat",
    asAdmin("run_audit", ({ runtime_id }) => ({ runtime_id, status: "draining" }))],
  ["deregister a runtime", "runtime_deregister", {
    held: "agent_run_steering",
    async prepare() {
      const { plugin } = await claimed();
      return { client: plugin.client, params: { runtime_id: plugin.runtime_id } };
    },
  }],
  ["register a plugin", "plugin_register",
    asAdmin("run_audit", () => ({ plugin_identity: `acme/${fresh("new")}` }))],
  ["rotate a token", "plugin_rotate_token",
    asAdmin("run_audit", ({ identity }) => ({ plugin_identity: identity }))],
  ["disable a plugin", "plugin_set_enabled",
    asAdmin("run_audit", ({ identity }) => ({ plugin_identity: identity, enabled: false }))],
];

const tables = [
  "plugin_token", "runner", "agent_run", "agent_run_request", "agent_run_event", "agent_runtime",
  "agent_runner_state_scope", "agent_runner_state", "event_log", "transcript",
  "agent_run_steering", "agent_interaction", "run_audit",
];

/** Everything that the ledger holds; of plugins all but when they were last seen. */
async function readLedger(): Promise<Record<string, string>> {
  const { sql } = world().clone;
  const held: Record<string, string> = {};
  for (const table of tables) {
    const [row] = await sql`select coalesce(md5(string_agg(t::text, '|' order by t::text)), '')
      as hash from ${sql(table)} t`;
    held[table] = row?.["hash"];
  }
  const [row] = await sql`select md5(string_agg((to_jsonb(p) - 'last_seen_at')::text, '|'
    order by p.id)) as hash from plugin p`;
  return { ...held, plugin: row?.["hash"] };
}

/** Runs `work` while nobody can touch `table`. */
async function holding(table: string, work: () => Promise<void>): Promise<void> {
  const { sql } = world().clone;
  await sql.begin(async (tx) => {
    await tx`lock table ${tx(table)} in access exclusive mode`;
    await work();
  });
}

/** Kills every backend of the host that waits for a lock; resolves when there was one. */
async function killWaiting(): Promise<void> {
  const { sql } = world().clone;
  for (;;) {
    const killed = await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'runhost'
        and wait_event_type = 'Lock' and state = 'active'`;
    if (killed.length > 0) return;
  }
}

test.each(cases)("%s", async (_title, method, mutation) => {
  const { client, params } = await mutation.prepare();
  const before = await readLedger();
  await holding(mutation.held, async () => {
    const answer = client.ask(method, params);
    await killWaiting();
    expect((await answer).error?.data).toEqual({ code: "UNAVAILABLE", retryable: true });
  });
  expect(await readLedger()).toEqual(before);
  const again = await client.ask(method, params);
  expect(again.error).toBeUndefined();
  expect(await readLedger()).not.toEqual(before);
});
