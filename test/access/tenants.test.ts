// A tenant is the outermost boundary (actions.md 1.9): whatever one tenant's administrators and
// plugins do with ids of another answers as if they did not exist, changes nothing there, and shows
// nothing of it. Both directions; the two tenants hold an identity of the same name.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRun, type MadeRun, type RunSpec } from "../support/access_runs.js";
import {
  AccessWorld, identityOf, runtimeOf, tenantOf, type CallerName,
} from "../support/access_world.js";
import type { Params } from "../support/client.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

interface Side {
  tenant_id: string;
  admin: CallerName;
  plugin: CallerName;
}

const here: Side = { tenant_id: "default", admin: "builtin", plugin: "owner" };
const there: Side = { tenant_id: "tenant-b", admin: "tenant_b_admin", plugin: "tenant_b_plugin" };

/** Ids of the other tenant, or ids that were never made. */
interface Ids {
  run: string;
  runtime: string;
  plugin: string;
  runner: string;
  queue: string;
  claim: Params;
  /** A live run of the caller's own, and its own runtime. */
  own: string;
  own_runtime: string;
}

type Variant = readonly [method: string, what: string, params: (ids: Ids) => Params];

const event = { type: "tool.call.started", data: { tool_call_id: "c", tool_name: "t" } };

const window = { start_time: 4102444800, end_time: 4102448400 };

const onRuns: readonly Variant[] = [
  ...["run_get", "run_events_page", "run_cancel"].flatMap((method): Variant[] => [
    [method, "run_id", ({ run }) => ({ run_id: run })],
    [method, "target_run_id", ({ run }) => ({ target_run_id: run })],
    [method, "both", ({ run, own }) => ({ run_id: own, target_run_id: run })],
  ]),
  ["run_explain", "run_id", ({ run }) => ({ run_id: run })],
  ["run_explain", "target_run_id", ({ run }) => ({ target_run_id: run })],
  ["run_explain", "both", ({ run, own }) => ({ run_id: own, target_run_id: run })],
  ["run_wait", "run_id", ({ run }) => ({ run_id: run, wait_seconds: 0 })],
  ["run_wait", "target_run_id", ({ run }) => ({ target_run_id: run, wait_seconds: 0 })],
  ["run_wait", "both", ({ run, own }) =>
    ({ run_id: own, target_run_id: run, wait_seconds: 0 })],
  ["run_retry", "target_run_id", ({ run }) => ({ target_run_id: run })],
  ["run_retry", "a new id", ({ run }) => ({ target_run_id: run, new_run_id: `${run}_again` })],
  ["run_retry", "its id as the new one", ({ run, own }) =>
    ({ target_run_id: own, new_run_id: run })],
  ["run_list", "run_id", ({ run }) => ({ run_id: run })],
  ...["run_append_result", "run_emit_result", "run_finalize"].flatMap((method): Variant[] => {
    const sent = method === "run_finalize" ? { status: "completed" } : { sequence: 1, ...event };
    return [
      [method, "run_id", ({ run }) => ({ run_id: run, ...sent })],
      [method, "target_run_id", ({ run }) => ({ target_run_id: run, ...sent })],
      [method, "both", ({ run, own }) => ({ run_id: own, target_run_id: run, ...sent })],
      [method, "its claim", ({ run, claim }) => ({ target_run_id: run, ...claim, ...sent })],
      [method, "its claim as a session", ({ run, claim }) => ({ run_id: run, ...claim, ...sent })],
    ];
  }),
  ["run_append_result", "force", ({ run }) =>
    ({ target_run_id: run, sequence: 1, ...event, force: true })],
  ["run_finalize", "force", ({ run }) =>
    ({ target_run_id: run, status: "failed", force: true })],
  ...["run_renew_claim", "run_release_claim"].flatMap((method): Variant[] => [
    [method, "its claim", ({ run, claim }) => ({ target_run_id: run, ...claim })],
    [method, "its claim, own runtime", ({ run, claim, own_runtime }) =>
      ({ target_run_id: run, ...claim, runtime_id: own_runtime })],
    [method, "own session", ({ run, own, claim }) =>
      ({ run_id: own, target_run_id: run, ...claim })],
  ]),
  ["run_create", "parent_run_id", ({ run, runner }) =>
    ({ runner_id: runner, allow_unregistered_runner: true, parent_run_id: run })],
];

const onTheRest: readonly Variant[] = [
  ["run_create", "runner of the other tenant", ({ runner }) => ({ runner_id: runner })],
  ["run_claim", "run_id", ({ run, own_runtime }) => ({ run_id: run, runtime_id: own_runtime })],
  ["run_claim", "its runtime", ({ runtime, queue }) =>
    ({ runtime_id: runtime, queue_name: queue })],
  ["run_claim", "its queue", ({ queue, own_runtime }) =>
    ({ runtime_id: own_runtime, queue_name: queue })],
  ["runtime_heartbeat", "its runtime", ({ runtime }) =>
    ({ runtime_id: runtime, status: "draining" })],
  ["runtime_deregister", "its runtime", ({ runtime }) => ({ runtime_id: runtime })],
  ["runtime_register", "a session of it", ({ run }) => ({ run_id: run, runtime_id: "rt_never" })],
  ["runtime_list", "a session of it", ({ run }) => ({ run_id: run })],
  ["runner_list", "its plugin", ({ plugin }) => ({ include_plugins: [plugin] })],
  ["plugin_rotate_token", "its plugin", ({ plugin }) => ({ plugin_identity: plugin })],
  ["plugin_set_enabled", "its plugin", ({ plugin }) =>
    ({ plugin_identity: plugin, enabled: false })],
  ["audit_page", "its run", ({ run }) => ({ target_run_id: run })],
  ["audit_page", "its runtime", ({ runtime }) => ({ target_runtime_id: runtime })],
  ["run_stats", "its runner", ({ runner }) => ({ ...window, runner_id: runner })],
  ["ping", "in the name of its plugin", ({ plugin }) => ({ caller_plugin_identity: plugin })],
];

const directions = [
  ["the built-in administrator of default", "builtin", there],
  ["agent_run:admin of default", "run_admin", there],
  ["runtime:admin of default", "runtime_admin", there],
  ["a delegate of default", "delegate", there],
  ["the plugin of the same name in default", "owner", there],
  ["a creator of default", "creator", there],
  ["an administrator of tenant-b", "tenant_b_admin", here],
  ["the plugin of the same name in tenant-b", "tenant_b_plugin", here],
] as const satisfies readonly (readonly [string, CallerName, Side])[];

describe.each(directions)("%s", (_title, caller, other) => {
  const states = ["running", "queued", "claimed", "claim_ended"] as const;
  test.each(states)("is told nothing of another tenant where a run is %s", async (state) => {
    const made = await furnish(other, state);
    const own = await ownSession(caller);
    const before = await readTenant(other.tenant_id);
    const mine = { own, own_runtime: runtimeOf(caller) };
    const differing: string[] = [];
    for (const [method, what, params] of [...onRuns, ...onTheRest]) {
      const real = params({ ...made, ...mine });
      const { run, runtime, plugin, runner, queue } = made;
      const never = params({
        ...made, run: absent(run), runtime: absent(runtime), plugin: absent(plugin),
        runner: absent(runner), queue: absent(queue), ...mine,
        claim: { ...made.claim, runtime_id: absent(String(made.claim["runtime_id"])) },
      });
      const answers = [];
      for (const sent of [real, never]) answers.push(await listen(caller, method, sent, made));
      if (answers[0] !== answers[1]) differing.push(`${method}, ${what}: ${answers.join(" / ")}`);
    }
    expect(differing).toEqual([]);
    expect(await readTenant(other.tenant_id)).toEqual(before);
  });

  test("lists nothing of another tenant", async () => {
    const made = await furnish(other, "running");
    const ask = async (method: string, params: Params = {}) =>
      JSON.stringify((await world.of(caller).ask(method, params)).result ?? {});
    const lists = await Promise.all([
      ask("run_list", { include_total: true, limit: 100 }),
      ask("run_list", { before_cursor: "999999999", limit: 100 }),
      ask("runner_list", { limit: 500 }),
      ask("runner_list", { after_cursor: "0", limit: 500 }),
      ask("runtime_list", { limit: 500 }),
      ask("plugin_list", { limit: 100 }),
      ask("audit_page", { limit: 100 }),
      ask("runner_stats", { limit: 100 }),
      ask("runtime_reconcile", { stale_after_seconds: 86_400 }),
    ]);
    const ids = [made.run, made.runtime, made.plugin, made.runner];
    expect(ids.filter((id) => lists.some((list) => list.includes(`"${id}"`)))).toEqual([]);
  });
});

describe("an id that is taken in one tenant is free in another", () => {
  const create = (run_id: string, text: string) => ({
    run_id, text, runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true,
  });

  test("run_id", async () => {
    const run_id = world.unique("run");
    const [one, two] = [world.of("builtin"), world.of("tenant_b_admin")];
    await one.call("run_create", create(run_id, "one"));
    const made = await two.call("run_create", create(run_id, "two"));
    expect(made.idempotent).toBeUndefined();
    const read = { target_run_id: run_id, include_input: true };
    expect((await one.call("run_get", read)).input.text).toBe("one");
    expect((await two.call("run_get", read)).input.text).toBe("two");
    await two.call("run_cancel", { target_run_id: run_id });
    expect((await one.call("run_get", read)).status).toBe("queued");
  });

  test("new_run_id of run_retry", async () => {
    const [run_id, failed] = [world.unique("run"), world.unique("run")];
    const [one, two] = [world.of("builtin"), world.of("tenant_b_admin")];
    await one.call("run_create", create(run_id, "one"));
    await two.call("run_create", create(failed, "two"));
    await two.call("run_finalize", { target_run_id: failed, status: "failed", force: true });
    const made = await two.call("run_retry", { target_run_id: failed, new_run_id: run_id });
    expect(made).toMatchObject({ run_id, parent_run_id: failed });
    expect(made.idempotent).toBeUndefined();
    const read = { target_run_id: run_id, include_input: true };
    expect((await one.call("run_get", read)).input.text).toBe("one");
    expect((await two.call("run_get", read)).input.text).toBe("two");
  });

  test("runtime_id, and what happens to it", async () => {
    const runtime_id = world.unique("rt");
    await world.of("owner").call("runtime_register", { runtime_id });
    await world.of("tenant_b_admin").call("runtime_register", { runtime_id, status: "draining" });
    await world.of("tenant_b_admin").call("runtime_deregister", { runtime_id });
    const { items } = await world.of("owner").call("runtime_list", { limit: 500 });
    expect(items.find((item: Params) => item["runtime_id"] === runtime_id)).toMatchObject({
      status: "online", plugin_identity: "acme/owner",
    });
  });

  test("runner_id, and its withdrawal", async () => {
    const id = `plugin:acme/owner/${world.unique("runner")}`;
    await world.of("owner").call("runner_register", { runners: [{ id }] });
    await world.of("tenant_b_plugin").call("runner_register", { runners: [{ id }] });
    await world.of("tenant_b_plugin").call("runner_register", { runners: [], replace: true });
    const { items } = await world.of("owner").call("runner_list", { limit: 500 });
    expect(items.map((item: Params) => item["id"])).toContain(id);
  });

  test("plugin_identity, and its token", async () => {
    const plugin_identity = `acme/${world.unique("twin")}`;
    const builtin = world.of("builtin");
    const one = await builtin.call("plugin_register", { plugin_identity });
    const two = await world.of("tenant_b_admin").call("plugin_register", { plugin_identity });
    expect([one.created, two.created, one.tenant_id, two.tenant_id])
      .toEqual([true, true, "default", "tenant-b"]);
    const other = world.of("tenant_b_admin");
    await other.call("plugin_rotate_token", { plugin_identity });
    await other.call("plugin_set_enabled", { plugin_identity, enabled: false });
    const { items } = await builtin.call("plugin_list", { limit: 100 });
    const found = items.find((item: Params) => item["plugin_identity"] === plugin_identity);
    expect(found).toMatchObject({ enabled: true, key_id: one.key_id, tenant_id: "default" });
  });
});

/** Everything of the other tenant that can be named. */
async function furnish(
  side: Side,
  state: RunSpec["state"],
): Promise<Omit<Ids, "own" | "own_runtime">> {
  const spec: RunSpec = {
    state, plugin: "acme/owner", runner: "r1", conversation: true, thread: null, workspace: "w1",
    by: side.admin, claimer: side.plugin,
  };
  const queue = world.unique("queue");
  const place = { conversation_id: world.unique("conversation"), grants: "all" as const };
  const made: MadeRun = await makeRun(world, spec, { ...place, queue_name: queue });
  const runtime = world.unique("run");
  await world.of(side.plugin).call("runtime_register", { runtime_id: runtime });
  const plugin_identity = `only_${side.admin}/${world.unique("plugin")}`;
  await world.of(side.admin).call("plugin_register", { plugin_identity });
  const runner = `plugin:acme/owner/${world.unique("only")}`;
  await world.of(side.plugin).call("runner_register", { runners: [{ id: runner }] });
  const claim = made.claim ?? { runtime_id: runtime, claim_token: "0".repeat(32) };
  return { run: made.run_id, runtime, plugin: plugin_identity, runner, queue, claim };
}

async function ownSession(caller: CallerName): Promise<string> {
  const isB = tenantOf(caller) === "tenant-b";
  const plugin = identityOf(caller);
  const { run_id } = await makeRun(world, {
    state: "running", plugin, runner: "r1", conversation: true, thread: null, workspace: "w1",
    by: isB ? "tenant_b_admin" : "builtin", claimer: caller,
  }, { conversation_id: world.unique("conversation"), grants: "all" });
  return run_id;
}

/** Every row of a tenant that a call could change. */
async function readTenant(tenant_id: string): Promise<unknown> {
  const [rows] = await world.sql`
    select (select jsonb_agg(to_jsonb(r) order by r.id) from agent_run r
        where r.tenant_id = ${tenant_id}) as runs,
      (select jsonb_agg(to_jsonb(r) order by r.id) from agent_runtime r
        where r.tenant_id = ${tenant_id}) as runtimes,
      (select jsonb_agg(to_jsonb(r) order by r.id) from runner r
        where r.tenant_id = ${tenant_id}) as runners,
      (select jsonb_agg(to_jsonb(p) - 'last_seen_at' order by p.id) from plugin p
        where p.tenant_id = ${tenant_id}) as plugins,
      (select jsonb_agg(to_jsonb(t) order by t.key_id) from plugin_token t
        where t.tenant_id = ${tenant_id}) as tokens,
      (select jsonb_agg(to_jsonb(e) order by e.id) from agent_run_event e
        where e.tenant_id = ${tenant_id}) as events,
      (select count(*) from run_audit a where a.tenant_id = ${tenant_id}) as audited`;
  return rows;
}

/** An id of the same form that was never made. */
const absent = (id: string): string => id.replace(/\d+$/, (digits) => "z".repeat(digits.length));

/** The answer, without the ids that were sent and without what differs from call to call. */
async function listen(
  caller: CallerName,
  method: string,
  params: Params,
  made: Omit<Ids, "own" | "own_runtime">,
): Promise<string> {
  const { error, result } = await world.of(caller).ask(method, params);
  if (error === undefined) {
    return shown.includes(method) ? withoutIds(result, made) : `${method} was answered`;
  }
  return withoutIds(error, made);
}

/** Methods whose answer is compared too. */
const shown = ["runner_list", "audit_page", "run_stats"];

function withoutIds(value: unknown, made: Omit<Ids, "own" | "own_runtime">): string {
  const ids = [made.run, made.runtime, made.plugin, made.runner, made.queue]
    .flatMap((id) => [id, absent(id)]);
  return ids.reduce((text, id) => text.replaceAll(id, "ID"), JSON.stringify(value));
}
