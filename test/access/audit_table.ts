// The administrator calls of actions.md 3.7, each with the row that it writes; beside them the
// calls that write none: of others, of whoever needs no permission for it, refused ones. Texts that
// a user could have given hold `secret`, so that an audit row that shows one is found.

import { makeRun, type RunSpec } from "../support/access_runs.js";
import {
  identityOf, runtimeOf, type AccessWorld, type CallerName,
} from "../support/access_world.js";
import type { Params } from "../support/client.js";

export const secret = "never-in-the-audit";

/** The row that a call changes, as its table and its key. */
export type Changed = readonly [
  table: "agent_run" | "agent_runtime" | "plugin" | "plugin_token", key: string,
];

export interface Due {
  target_run_id?: string;
  target_runtime_id?: string;
  target_identity?: string;
  workspace_id?: string;
  /** Members of `detail`. */
  detail: Params;
}

export interface Prepared {
  params: Params;
  rows: readonly Due[];
  changed: readonly Changed[];
}

export interface AdministratorCall {
  method: string;
  what: string;
  permission: "agent_run:admin" | "runtime:admin" | "plugin:admin";
  /** Rows that a second, equal call writes: none, where it changes nothing. Null: a test of its
      own says it. */
  again?: number | null;
  prepare(world: AccessWorld, actor: CallerName): Promise<Prepared>;
}

export const base: RunSpec = {
  state: "running", plugin: "acme/owner", runner: "r1", conversation: true, thread: null,
  workspace: "w1", by: "builtin", claimer: "owner",
};

/** M.11, the column `detail`, member by member. */
export const detailMembers: Record<string, readonly string[]> = {
  run_create: ["runner_id", "event_type", "event_id", "parent_run_id", "disposition"],
  run_retry: ["runner_id", "event_type", "event_id", "parent_run_id", "disposition"],
  run_cancel: ["from_status", "to_status", "status_reason", "force"],
  run_finalize: ["from_status", "to_status", "status_reason", "force"],
  run_release_claim: ["from_status", "to_status", "status_reason", "force"],
  run_append_result: ["type", "sequence", "force"],
  run_claim: ["runtime_id", "claim_epoch", "queue_name", "runner_ids"],
  runtime_heartbeat: ["status", "held", "released_claim_count"],
  runtime_deregister: ["status", "held", "released_claim_count"],
  plugin_register: ["permissions_before", "permissions_after", "enabled", "key_id"],
  plugin_rotate_token: ["permissions_before", "permissions_after", "enabled", "key_id"],
  plugin_set_enabled: ["permissions_before", "permissions_after", "enabled", "key_id"],
};

export const event = {
  sequence: 1, type: "tool.call.started",
  data: { tool_call_id: "c", tool_name: "t", parameters: { text: secret } },
  metadata: { note: secret },
};

export async function plantRun(world: AccessWorld, spec: Partial<RunSpec> = {}) {
  const place = { conversation_id: world.unique("conversation"), grants: "all" } as const;
  return makeRun(world, { ...base, ...spec }, place);
}

const creating = (world: AccessWorld, more: Params = {}) => ({
  run_id: world.unique("run"), runner_id: "plugin:acme/owner/r1", workspace_id: "w1",
  allow_unregistered_runner: true, text: secret, metadata: { note: secret },
  data: { note: secret }, actor: { actor_name: secret }, ...more,
});

const onRun = (run_id: string, detail: Params) =>
  ({ target_run_id: run_id, workspace_id: "w1", detail });

const runCalls: readonly AdministratorCall[] = [
  {
    method: "run_create", what: "queued", permission: "agent_run:admin",
    async prepare(world) {
      const params = creating(world);
      const { run_id, runner_id } = params;
      const detail = { runner_id, event_type: "api.invoked", event_id: `api:${run_id}` };
      return { params, rows: [onRun(run_id, detail)], changed: [["agent_run", run_id]] };
    },
  },
  {
    method: "run_create", what: "with a parent, of a message", permission: "agent_run:admin",
    async prepare(world) {
      const parent_run_id = (await plantRun(world)).run_id;
      const event_id = world.unique("event");
      const params = creating(world, {
        parent_run_id, event_id, event_type: "message.received",
        conversation_id: world.unique("conversation"), dispatch: "running",
      });
      const { run_id, runner_id } = params;
      const detail = { runner_id, event_type: "message.received", event_id, parent_run_id };
      return { params, rows: [onRun(run_id, detail)], changed: [["agent_run", run_id]] };
    },
  },
  {
    method: "run_retry", what: "of a failed run", permission: "agent_run:admin",
    async prepare(world) {
      const target_run_id = (await plantRun(world, { state: "failed_inside" })).run_id;
      const new_run_id = world.unique("run");
      const detail = {
        runner_id: "plugin:acme/owner/r1", event_type: "api.invoked",
        event_id: `api:${target_run_id}`, parent_run_id: target_run_id,
      };
      return {
        params: { target_run_id, new_run_id }, rows: [onRun(new_run_id, detail)],
        changed: [["agent_run", new_run_id]],
      };
    },
  },
  ...([["running", "running"], ["queued", "cancelled"], ["over", "cancelled"]] as const)
    .map(([state, to_status]): AdministratorCall => ({
      method: "run_cancel", what: `of a run that is ${state}`, permission: "agent_run:admin",
      async prepare(world) {
        const { run_id } = await plantRun(world, { state });
        const from_status = state === "over" ? "running" : state;
        const detail = { from_status, to_status, status_reason: "stop" };
        return {
          params: { target_run_id: run_id, reason: "stop" }, rows: [onRun(run_id, detail)],
          changed: [["agent_run", run_id]],
        };
      },
    })),
  {
    method: "run_cancel", what: "beside a session whose SCOPE refuses",
    permission: "agent_run:admin",
    async prepare(world, actor) {
      const own = await plantRun(world, { plugin: identityOf(actor) });
      const { run_id } = await plantRun(world);
      const detail = { from_status: "running", to_status: "running" };
      return {
        params: { run_id: own.run_id, target_run_id: run_id }, rows: [onRun(run_id, detail)],
        changed: [["agent_run", run_id]],
      };
    },
  },
  {
    method: "run_append_result", what: "by force", permission: "agent_run:admin",
    async prepare(world) {
      const { run_id } = await plantRun(world);
      const detail = { type: event.type, sequence: 1, force: true };
      return {
        params: { target_run_id: run_id, ...event, force: true }, rows: [onRun(run_id, detail)],
        changed: [["agent_run", run_id]],
      };
    },
  },
  {
    method: "run_append_result", what: "to a run that is not LIVE", permission: "agent_run:admin",
    async prepare(world) {
      const { run_id } = await plantRun(world, { state: "queued" });
      const detail = { type: event.type, sequence: 1, force: false };
      return {
        params: { target_run_id: run_id, ...event }, rows: [onRun(run_id, detail)],
        changed: [["agent_run", run_id]],
      };
    },
  },
  {
    method: "run_finalize", what: "by force, over a claim", permission: "agent_run:admin",
    again: null,
    async prepare(world) {
      const { run_id } = await plantRun(world, { state: "claimed" });
      const detail = {
        from_status: "claimed", to_status: "failed", status_reason: "given up", force: true,
      };
      return {
        params: {
          target_run_id: run_id, status: "failed", reason: "given up", force: true,
          usage: { note: secret }, metadata: { note: secret },
        },
        rows: [onRun(run_id, detail)], changed: [["agent_run", run_id]],
      };
    },
  },
  {
    // M.4: for an administrator write usage, cost and metadata are still applied, and audited.
    method: "run_finalize", what: "cost of a run that has ended", permission: "agent_run:admin",
    again: null,
    async prepare(world) {
      const { run_id } = await plantRun(world, { state: "ended_past" });
      const detail = { from_status: "completed", to_status: "completed" };
      return {
        params: { target_run_id: run_id, status: "completed", cost: { note: secret } },
        rows: [onRun(run_id, detail)], changed: [["agent_run", run_id]],
      };
    },
  },
];

const runtimeCalls: readonly AdministratorCall[] = [
  ...([[undefined, 1], [3, 2]] as const).map(([max_runs, count]): AdministratorCall => ({
    method: "run_claim", what: `${count} of ${count}`, permission: "runtime:admin",
    async prepare(world, actor) {
      const queue_name = world.unique("queue");
      const place = { conversation_id: world.unique("c"), grants: "default", queue_name } as const;
      const made: string[] = [];
      for (let done = 0; done < count; done += 1) {
        made.push((await makeRun(world, { ...base, state: "queued" }, place)).run_id);
      }
      const runtime_id = runtimeOf(actor);
      const runner_ids = ["plugin:acme/owner/r1"];
      return {
        params: { runtime_id, queue_name, max_runs, runner_ids },
        rows: made.map((run_id) => ({
          ...onRun(run_id, { runtime_id, claim_epoch: 1, queue_name, runner_ids }),
        })),
        changed: made.map((run_id) => ["agent_run", run_id]),
      };
    },
  })),
  {
    method: "run_release_claim", what: "of another plugin's run", permission: "runtime:admin",
    async prepare(world, actor) {
      const { run_id, claim } = await plantRun(world, { state: "claimed", claimer: actor });
      const detail = { from_status: "claimed", to_status: "queued", status_reason: "drained" };
      return {
        params: { target_run_id: run_id, ...claim, reason: "drained" },
        rows: [onRun(run_id, detail)], changed: [["agent_run", run_id]],
      };
    },
  },
  ...(["draining", "offline"] as const).map((status): AdministratorCall => ({
    method: "runtime_heartbeat", what: `hold ${status}`, permission: "runtime:admin",
    async prepare(world) {
      const runtime_id = await plantRuntime(world);
      return {
        params: { runtime_id, status },
        rows: [{ target_runtime_id: runtime_id, detail: { status, held: true } }],
        changed: [["agent_runtime", runtime_id]],
      };
    },
  })),
  {
    method: "runtime_heartbeat", what: "end of a hold", permission: "runtime:admin",
    async prepare(world) {
      const runtime_id = await plantRuntime(world);
      await world.of("builtin").call("runtime_heartbeat", { runtime_id, status: "offline" });
      return {
        params: { runtime_id, status: "online" },
        rows: [{ target_runtime_id: runtime_id, detail: { status: "online", held: false } }],
        changed: [["agent_runtime", runtime_id]],
      };
    },
  },
  {
    method: "runtime_deregister", what: "with one claim", permission: "runtime:admin",
    async prepare(world) {
      const runtime_id = await plantRuntime(world);
      const queue_name = world.unique("queue");
      const place = { conversation_id: world.unique("c"), grants: "default", queue_name } as const;
      const { run_id } = await makeRun(world, { ...base, state: "queued" }, place);
      await world.of("owner").call("run_claim", { runtime_id, queue_name });
      const detail = { status: "offline", held: false, released_claim_count: 1 };
      return {
        params: { runtime_id }, rows: [{ target_runtime_id: runtime_id, detail }],
        changed: [["agent_runtime", runtime_id], ["agent_run", run_id]],
      };
    },
  },
];

async function plantRuntime(world: AccessWorld): Promise<string> {
  const runtime_id = world.unique("rt");
  const metadata = { note: secret };
  await world.of("owner").call("runtime_register", { runtime_id, metadata, endpoint: secret });
  return runtime_id;
}

const pluginCalls: readonly AdministratorCall[] = [
  {
    method: "plugin_register", what: "new", permission: "plugin:admin",
    async prepare(world) {
      const plugin_identity = `acme/${world.unique("audited")}`;
      const detail = { permissions_before: [], permissions_after: ["plugin:admin"] };
      return {
        params: {
          plugin_identity, permissions: ["plugin:admin"], display_name: secret,
          metadata: { note: secret },
        },
        rows: [{ target_identity: plugin_identity, detail }],
        changed: [["plugin", plugin_identity], ["plugin_token", plugin_identity]],
      };
    },
  },
  {
    method: "plugin_register", what: "other permissions", permission: "plugin:admin",
    async prepare(world) {
      const { plugin_identity } = await world.register(["plugin:admin"]);
      const detail = { permissions_before: ["plugin:admin"], permissions_after: [] };
      return {
        params: { plugin_identity, permissions: [] },
        rows: [{ target_identity: plugin_identity, detail }],
        changed: [["plugin", plugin_identity]],
      };
    },
  },
  {
    method: "plugin_register", what: "another name", permission: "plugin:admin",
    async prepare(world) {
      const { plugin_identity } = await world.register([]);
      return {
        params: { plugin_identity, display_name: secret },
        rows: [{ target_identity: plugin_identity, detail: {} }],
        changed: [["plugin", plugin_identity]],
      };
    },
  },
  {
    method: "plugin_rotate_token", what: "any", permission: "plugin:admin", again: 1,
    async prepare(world) {
      const { plugin_identity } = await world.register([]);
      return {
        params: { plugin_identity },
        rows: [{ target_identity: plugin_identity, detail: { key_id: "of the answer" } }],
        changed: [["plugin_token", plugin_identity]],
      };
    },
  },
  ...[false, true].map((enabled): AdministratorCall => ({
    method: "plugin_set_enabled", what: String(enabled), permission: "plugin:admin",
    async prepare(world) {
      const { plugin_identity } = await world.register([]);
      if (enabled) {
        const off = { plugin_identity, enabled: false };
        await world.of("builtin").call("plugin_set_enabled", off);
      }
      return {
        params: { plugin_identity, enabled },
        rows: [{ target_identity: plugin_identity, detail: { enabled } }],
        changed: [["plugin", plugin_identity]],
      };
    },
  })),
];

export const administratorCalls = [...runCalls, ...runtimeCalls, ...pluginCalls];

/** A call that is answered, or refused, and writes no row. */
export interface SilentCall {
  method: string;
  what: string;
  caller: CallerName;
  /** `ok` where it is left out. */
  answer?: string;
  prepare(world: AccessWorld): Promise<Params>;
}

const owned = (claimer: CallerName, state: RunSpec["state"] = "claimed") =>
  async (world: AccessWorld, more: Params = {}): Promise<Params> => {
    const { run_id, claim } = await plantRun(world, { state, claimer });
    return { target_run_id: run_id, ...claim, ...more };
  };

const session = async (world: AccessWorld, caller: CallerName, more: Params = {}) => {
  const { run_id } = await plantRun(world, { plugin: identityOf(caller) });
  return { run_id, ...more };
};

const queued = async (world: AccessWorld, caller: CallerName): Promise<Params> => {
  const queue_name = world.unique("queue");
  const place = { conversation_id: world.unique("c"), grants: "default", queue_name } as const;
  await makeRun(world, { ...base, plugin: identityOf(caller), state: "queued" }, place);
  return { runtime_id: runtimeOf(caller), queue_name };
};

const ownRuntime = async (world: AccessWorld, caller: CallerName): Promise<Params> => {
  const runtime_id = world.unique("rt");
  await world.of(caller).call("runtime_register", { runtime_id });
  return { runtime_id };
};

const ending = { status: "completed", reason: "done" };
const any = async (): Promise<Params> => ({});

/** 3.7: no administrator calls, or only logged. */
export const silentCalls: readonly SilentCall[] = [
  {
    method: "run_create", what: "by agent_run:create", caller: "creator",
    prepare: async (world) => creating(world),
  },
  {
    method: "run_create", what: "by a limited agent_run:create", caller: "creator_limited",
    prepare: async (world) => creating(world),
  },
  {
    method: "run_retry", what: "by the owner", caller: "owner",
    prepare: async (world) =>
      ({ target_run_id: (await plantRun(world, { state: "failed_inside" })).run_id }),
  },
  {
    method: "run_retry", what: "by the creator", caller: "creator",
    prepare: async (world) => {
      const spec = { state: "failed_inside", by: "creator" } as const;
      return { target_run_id: (await plantRun(world, spec)).run_id };
    },
  },
  {
    method: "run_cancel", what: "by the owner", caller: "owner",
    prepare: (world) => session(world, "owner"),
  },
  {
    method: "run_cancel", what: "by the creator", caller: "creator",
    prepare: async (world) =>
      ({ target_run_id: (await plantRun(world, { by: "creator" })).run_id }),
  },
  {
    method: "run_cancel", what: "by an administrator whose session alone allows it",
    caller: "run_admin", prepare: (world) => session(world, "run_admin"),
  },
  {
    method: "run_append_result", what: "by the executor", caller: "owner",
    prepare: (world) => session(world, "owner", event),
  },
  {
    method: "run_append_result", what: "by an administrator who is the executor",
    caller: "run_admin", prepare: (world) => session(world, "run_admin", event),
  },
  {
    method: "run_append_result", what: "by an administrator with a claim", caller: "builtin",
    prepare: (world) => owned("builtin")(world, event),
  },
  {
    method: "run_emit_result", what: "by the executor", caller: "owner",
    prepare: (world) => session(world, "owner", event),
  },
  {
    method: "run_finalize", what: "by the executor", caller: "owner",
    prepare: (world) => session(world, "owner", ending),
  },
  {
    method: "run_finalize", what: "by the claimer", caller: "owner",
    prepare: (world) => owned("owner")(world, ending),
  },
  {
    method: "run_finalize", what: "by an administrator who is the executor", caller: "run_admin",
    prepare: (world) => session(world, "run_admin", ending),
  },
  {
    method: "run_claim", what: "by the owner", caller: "owner",
    prepare: (world) => queued(world, "owner"),
  },
  {
    method: "run_claim", what: "by agent_run:admin, its own run", caller: "run_admin",
    prepare: (world) => queued(world, "run_admin"),
  },
  {
    method: "run_renew_claim", what: "by runtime:admin", caller: "runtime_admin",
    prepare: (world) => owned("runtime_admin")(world),
  },
  {
    method: "run_release_claim", what: "by the owner", caller: "owner",
    prepare: (world) => owned("owner")(world),
  },
  {
    method: "runtime_register", what: "by runtime:admin", caller: "runtime_admin",
    prepare: async (world) => ({ runtime_id: world.unique("rt") }),
  },
  {
    method: "runtime_heartbeat", what: "by runtime:admin, its own", caller: "runtime_admin",
    prepare: async (world) => ({ ...await ownRuntime(world, "runtime_admin"), status: "draining" }),
  },
  {
    method: "runtime_deregister", what: "by runtime:admin, its own", caller: "runtime_admin",
    prepare: (world) => ownRuntime(world, "runtime_admin"),
  },
  {
    method: "runner_register", what: "by an administrator", caller: "run_admin",
    prepare: async () => ({ runners: [{ id: "plugin:acme/run_admin/r" }] }),
  },
  {
    method: "runtime_reconcile", what: "by runhost/admin, with nothing due", caller: "builtin",
    prepare: async (world) => {
      await world.of("builtin").call("runtime_reconcile", {});
      return {};
    },
  },
  ...(["run_list", "run_stats", "runner_stats", "runtime_stats",
    "audit_page", "plugin_list", "runner_list", "runtime_list", "ping"] as const)
    .map((method): SilentCall =>
      ({ method, what: "by runhost/admin", caller: "builtin", prepare: any })),
  ...(["run_get", "run_explain", "run_events_page"] as const).map((method): SilentCall => ({
    method, what: "by an administrator", caller: "run_admin",
    prepare: async (world) => ({ target_run_id: (await plantRun(world)).run_id }),
  })),
  {
    method: "run_wait", what: "by an administrator", caller: "run_admin",
    prepare: async (world) =>
      ({ target_run_id: (await plantRun(world, { state: "ended_inside" })).run_id }),
  },
];

/** Property 20: no change, no row. */
export const refusedCalls: readonly SilentCall[] = [
  {
    method: "run_create", what: "an id that is taken", caller: "run_admin",
    answer: "CONFLICT/run_id_reused",
    prepare: async (world) => creating(world, { run_id: (await plantRun(world)).run_id }),
  },
  {
    method: "run_create", what: "no such runner", caller: "run_admin", answer: "NOT_FOUND/runner",
    prepare: async (world) => creating(world, { allow_unregistered_runner: false }),
  },
  {
    method: "run_create", what: "an event of another scope", caller: "run_admin",
    answer: "CONFLICT/event_id_reused",
    prepare: async (world) => {
      const event_id = world.unique("event");
      await world.of("builtin").call("run_create", creating(world, { event_id }));
      return creating(world, { event_id, conversation_id: "another" });
    },
  },
  {
    method: "run_retry", what: "of a live run", caller: "run_admin",
    answer: "CONFLICT/run_not_retryable",
    prepare: async (world) => ({ target_run_id: (await plantRun(world)).run_id }),
  },
  {
    method: "run_cancel", what: "of no run", caller: "run_admin", answer: "NOT_FOUND/run",
    prepare: async () => ({ target_run_id: "run_never" }),
  },
  {
    method: "run_append_result", what: "to a live run", caller: "run_admin",
    answer: "LEASE_LOST/claim_required",
    prepare: async (world) => ({ target_run_id: (await plantRun(world)).run_id, ...event }),
  },
  {
    method: "run_append_result", what: "to an ended run", caller: "run_admin",
    answer: "RUN_TERMINAL",
    prepare: (world) => owned("owner", "ended_inside")(world, { ...event, force: true }),
  },
  {
    method: "run_finalize", what: "of a live run", caller: "run_admin",
    answer: "LEASE_LOST/claim_required",
    prepare: async (world) => ({ target_run_id: (await plantRun(world)).run_id, ...ending }),
  },
  {
    method: "run_finalize", what: "with another status", caller: "run_admin",
    answer: "CONFLICT/status_differs",
    prepare: (world) => owned("owner", "failed_inside")(world, { ...ending, force: true }),
  },
  {
    method: "run_claim", what: "of nothing", caller: "runtime_admin", answer: "NO_RUN_AVAILABLE",
    prepare: async (world) =>
      ({ runtime_id: runtimeOf("runtime_admin"), queue_name: world.unique("queue") }),
  },
  {
    method: "run_release_claim", what: "with a guess", caller: "runtime_admin",
    answer: "LEASE_LOST/claim_not_active",
    prepare: (world) => owned("runtime_admin")(world, { claim_token: "0".repeat(32) }),
  },
  {
    method: "runtime_heartbeat", what: "with fields", caller: "runtime_admin",
    answer: "FORBIDDEN/out_of_scope",
    prepare: async (world) =>
      ({ runtime_id: await plantRuntime(world), status: "draining", labels: { a: "b" } }),
  },
  {
    method: "runtime_deregister", what: "of none", caller: "runtime_admin",
    answer: "NOT_FOUND/runtime", prepare: async () => ({ runtime_id: "rt_never" }),
  },
  {
    method: "plugin_register", what: "more than it holds", caller: "plugin_admin",
    answer: "FORBIDDEN/permission_missing",
    prepare: async (world) =>
      ({ plugin_identity: `acme/${world.unique("new")}`, permissions: ["*"] }),
  },
  ...(["plugin_rotate_token", "plugin_set_enabled"] as const).map((method): SilentCall => ({
    method, what: "of one that holds more", caller: "plugin_admin",
    answer: "FORBIDDEN/permission_missing",
    prepare: async (world) => ({
      plugin_identity: (await world.register(["agent_run:admin"])).plugin_identity,
      ...(method === "plugin_set_enabled" ? { enabled: false } : {}),
    }),
  })),
];
