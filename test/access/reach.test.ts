// What lists, statistics and the audit show through each permission (actions.md 3.5, 1.9, M.3,
// M.11). The truth is read from the tables; what each caller may see of it is written down here as
// a predicate over workspace, creator and tenant. The sweep stands in reach_sweep.test.ts.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRun, type RunSpec } from "../support/access_runs.js";
import { AccessWorld, nameAnswer, type CallerName } from "../support/access_world.js";
import type { Answer, Params } from "../support/client.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
let world: AccessWorld;

interface RunRow {
  run_id: string;
  tenant_id: string;
  workspace_id: string | null;
  created_by: string;
  runner_id: string;
  status: string;
}

interface AuditRow {
  id: number;
  tenant_id: string;
  domain: string;
  workspace_id: string | null;
  actor: string;
}

const base: RunSpec = {
  state: "running", plugin: "acme/owner", runner: "r1", conversation: true, thread: null,
  workspace: "w1", by: "builtin", claimer: "owner",
};
const ofB: RunSpec = { ...base, by: "tenant_b_admin", claimer: "tenant_b_plugin" };

/** How many of each; no two workspaces have the same count of anything. */
const planted: readonly (readonly [number, RunSpec])[] = [
  [1, base],
  [2, { ...base, state: "queued", runner: "r2" }],
  [3, { ...base, state: "claimed" }],
  [1, { ...base, state: "ended_inside" }],
  [2, { ...base, by: "creator" }],
  [1, { ...base, state: "queued", created_by: "creator_limited" }],
  [4, { ...base, workspace: "w2" }],
  [1, { ...base, workspace: "w2", state: "queued", runner: "r3" }],
  [1, { ...base, workspace: "w2", state: "claimed" }],
  [2, { ...base, workspace: "w2", state: "failed_inside" }],
  [1, { ...base, workspace: "w2", created_by: "creator_limited" }],
  [1, { ...base, workspace: "w2", by: "creator_other" }],
  [2, { ...base, workspace: null }],
  [1, { ...base, workspace: null, state: "queued" }],
  [1, { ...base, workspace: null, created_by: "creator_limited" }],
  [3, ofB],
  [5, { ...ofB, state: "queued" }],
];

beforeAll(async () => {
  world = await AccessWorld.start(clone());
  for (const [count, spec] of planted) {
    for (let made = 0; made < count; made += 1) {
      const conversation_id = world.unique("conversation");
      await makeRun(world, spec, { conversation_id, grants: "default" });
    }
  }
});
afterAll(() => world.stop());

const readRuns = async (): Promise<RunRow[]> =>
  [...await world.sql<RunRow[]>`
    select run_id, tenant_id, workspace_id, created_by, runner_id, status from agent_run`];

/** Every page of a list, a few items at a time. */
async function listAll(caller: CallerName, method: string, params: Params): Promise<Answer[]> {
  const items: Answer[] = [];
  for (let before_cursor: string | null = null; ;) {
    const page: Answer = await world.of(caller)
      .call(method, { ...params, before_cursor, limit: 7 });
    items.push(...page.items);
    if (!page.has_more) return items;
    before_cursor = page.next_cursor;
  }
}

type Sees = (row: RunRow) => boolean;
const here: Sees = ({ tenant_id }) => tenant_id === "default";
const inW1: Sees = (row) => here(row) && row.workspace_id === "w1";
const there: Sees = ({ tenant_id }) => tenant_id === "tenant-b";

/** Who sees which runs through agent_run:admin; the same rows for lists and statistics. */
const administrators: readonly (readonly [CallerName, Sees])[] = [
  ["builtin", here],
  ["run_admin", here],
  ["limited", inW1],
  ["limited_granter", inW1],
  ["tenant_b_admin", there],
];

const countOf = (rows: readonly RunRow[], ...statuses: string[]): number =>
  rows.filter(({ status }) => statuses.includes(status)).length;

test("the planted rows tell every reach apart", async () => {
  const rows = await readRuns();
  const reaches = [() => true, here, inW1, there].map((sees) => rows.filter(sees).length);
  expect(new Set(reaches).size).toBe(reaches.length);
  expect(Math.min(...reaches)).toBeGreaterThan(0);
});

describe("run_list", () => {
  const creators: readonly (readonly [CallerName, Sees])[] = [
    ["creator", (row) => here(row) && row.created_by === "acme/creator"],
    ["creator_other", (row) => here(row) && row.created_by === "acme/creator_other"],
    ["creator_limited", (row) => inW1(row) && row.created_by === "acme/creator_limited"],
  ];

  test.each([...administrators, ...creators])("of %s", async (caller, sees) => {
    const due = (await readRuns()).filter(sees).map(({ run_id }) => run_id).sort();
    expect(due.length).toBeGreaterThan(0);
    const items = await listAll(caller, "run_list", {});
    expect(items.map(({ run_id }) => run_id).sort()).toEqual(due);
    const { total_count } = await world.of(caller).call("run_list", { include_total: true });
    expect(total_count).toBe(due.length);
  });

  test.each([...administrators, ...creators])("of %s by workspace, never wider",
    async (caller, sees) => {
      for (const workspace_id of ["w1", "w2"]) {
        const due = (await readRuns()).filter(sees)
          .filter((row) => row.workspace_id === workspace_id).map(({ run_id }) => run_id).sort();
        const items = await listAll(caller, "run_list", { workspace_id });
        expect(items.map(({ run_id }) => run_id).sort()).toEqual(due);
      }
    });

  /** A session, and runs that differ from it in one thing each. */
  async function plantScope(spec: RunSpec): Promise<{ own: string; sibling: string }> {
    const place = { conversation_id: world.unique("conversation"), grants: "default" } as const;
    const own = (await makeRun(world, spec, place)).run_id;
    const sibling = (await makeRun(world, { ...spec, state: "failed_past" }, place)).run_id;
    for (const other of [
      { runner: "r9" }, { plugin: "acme/plain" }, { conversation: "other" as const },
      { thread: "t1" }, { bot: "b2" }, { workspace: "w9" },
    ]) await makeRun(world, { ...spec, ...other }, place);
    return { own, sibling };
  }

  test("through a session: its scope", async () => {
    const { own, sibling } = await plantScope({ ...base, bot: "b1" });
    const items = await listAll("owner", "run_list", { run_id: own });
    expect(items.map(({ run_id }) => run_id).sort()).toEqual([own, sibling].sort());
    const shown = await world.of("owner").call("run_list", { run_id: own, include_total: true });
    expect(shown.total_count).toBe(2);
  });

  test("through a session without a conversation, its capability granted: nothing", async () => {
    const place = { conversation_id: "none", grants: "all" } as const;
    const { run_id } = await makeRun(world, { ...base, conversation: false }, place);
    const shown = await world.of("owner").call("run_list", { run_id, include_total: true });
    expect(shown).toMatchObject({ items: [], total_count: 0, has_more: false });
  });

  test("through a session outside the workspaces of a limited permission: its scope", async () => {
    const spec = { ...base, bot: "b1", plugin: "acme/limited", workspace: "w2" };
    const { own, sibling } = await plantScope(spec);
    const items = await listAll("limited", "run_list", { run_id: own });
    expect(items.map(({ run_id }) => run_id).sort()).toEqual([own, sibling].sort());
  });

  test("through a session inside them: its workspaces", async () => {
    const { own } = await plantScope({ ...base, plugin: "acme/limited" });
    const due = (await readRuns()).filter(inW1).map(({ run_id }) => run_id).sort();
    const items = await listAll("limited", "run_list", { run_id: own });
    expect(items.map(({ run_id }) => run_id).sort()).toEqual(due);
  });
});

describe("run_stats", () => {
  test.each(administrators)("of %s", async (caller, sees) => {
    const rows = (await readRuns()).filter(sees);
    expect(await world.of(caller).call("run_stats", {})).toMatchObject({
      total_count: rows.length, created_count: 0,
      ...Object.fromEntries(["queued", "claimed", "running", "completed", "failed", "cancelled",
        "timeout"].map((status) => [`${status}_count`, countOf(rows, status)])),
    });
  });

  test.each(administrators)("of %s by runner, never wider", async (caller, sees) => {
    for (const runner_id of ["plugin:acme/owner/r1", "plugin:acme/owner/r3"]) {
      const rows = (await readRuns()).filter(sees).filter((row) => row.runner_id === runner_id);
      const stats = await world.of(caller).call("run_stats", { runner_id });
      expect(stats).toMatchObject({ runner_id, total_count: rows.length });
    }
  });

  test("a runner whose runs are all outside is as one without runs", async () => {
    const empty = {
      total_count: 0, throughput_per_hour: 0, success_rate: null, avg_duration_seconds: null,
      p95_queue_wait_seconds: null,
    };
    for (const runner_id of ["plugin:acme/owner/r3", "plugin:acme/owner/never"]) {
      expect(await world.of("limited").call("run_stats", { runner_id })).toMatchObject(empty);
    }
  });
});

describe("runner_stats", () => {
  test.each(administrators)("of %s", async (caller, sees) => {
    const rows = (await readRuns()).filter(sees);
    const due = [...new Set(rows.map(({ runner_id }) => runner_id))].sort().map((runner_id) => {
      const own = rows.filter((row) => row.runner_id === runner_id);
      return {
        runner_id, total_runs: own.length,
        active_runs: countOf(own, "queued", "claimed", "running"),
        completed_runs: countOf(own, "completed"),
        failed_runs: countOf(own, "failed", "timeout"),
        cancelled_runs: countOf(own, "cancelled"),
      };
    });
    const { items, total_count } = await world.of(caller).call("runner_stats", { limit: 100 });
    expect(total_count).toBe(due.length);
    const shown = items.map((item: Params) =>
      Object.fromEntries(Object.keys(due[0]!).map((name) => [name, item[name]])));
    expect(shown.sort((a: Params, b: Params) =>
      (String(a["runner_id"]) < String(b["runner_id"]) ? -1 : 1))).toEqual(due);
  });

  test("the label of a runner is shown with its runs only", async () => {
    const id = "plugin:acme/owner/r3";
    await world.of("owner").call("runner_register", { runners: [{ id, label: { en: "Hidden" } }] });
    const shown = await world.of("limited").call("runner_stats", { limit: 100 });
    expect(JSON.stringify(shown)).not.toContain("Hidden");
    expect(JSON.stringify(await world.of("run_admin").call("runner_stats", { limit: 100 })))
      .toContain("Hidden");
  });
});

describe("runtime_stats", () => {
  const readers: readonly (readonly [CallerName, Sees])[] = [
    ["builtin", here],
    ["runtime_admin", here],
    ["limited", inW1],
    ["limited_granter", inW1],
    ["tenant_b_admin", there],
  ];

  test.each(readers)("of %s: runs by workspace, runtimes by tenant", async (caller, sees) => {
    const rows = (await readRuns()).filter(sees);
    const tenant_id = rows[0]!.tenant_id;
    const [known] = await world.sql`
      select count(*)::int as total from agent_runtime
      where tenant_id = ${tenant_id} and deregistered_at is null`;
    expect(await world.of(caller).call("runtime_stats", {})).toMatchObject({
      active_runs: countOf(rows, "claimed", "running"),
      claimed_runs: countOf(rows, "claimed"),
      queued_runs: countOf(rows, "queued"),
      total_count: known!["total"], online_count: known!["total"], stale_count: 0,
    });
  });
});

describe("audit_page", () => {
  type SeesRow = (row: AuditRow) => boolean;
  const inDomain = (tenant: string, ...domains: string[]): SeesRow => (row) =>
    row.tenant_id === tenant && domains.includes(row.domain);
  const limitedTo = (...domains: string[]): SeesRow => (row) =>
    inDomain("default", ...domains)(row) && row.workspace_id === "w1";

  const readers: readonly (readonly [CallerName, SeesRow])[] = [
    ["builtin", inDomain("default", "agent_run", "runtime", "plugin")],
    ["run_admin", inDomain("default", "agent_run")],
    ["runtime_admin", inDomain("default", "runtime")],
    ["plugin_admin", inDomain("default", "plugin")],
    // wire.md §2: workspaces limit the domains agent_run and runtime.
    ["plugin_admin_limited", inDomain("default", "plugin")],
    ["limited", limitedTo("agent_run", "runtime")],
    ["limited_granter", (row) =>
      limitedTo("agent_run", "runtime")(row) || inDomain("default", "plugin")(row)],
    ["tenant_b_admin", inDomain("tenant-b", "agent_run", "runtime", "plugin")],
  ];

  beforeAll(async () => {
    const run_admin = world.of("run_admin");
    for (const workspace of ["w1", "w2", null]) {
      const place = { conversation_id: world.unique("conversation"), grants: "default" } as const;
      const spec = { ...base, workspace };
      const { run_id } = await makeRun(world, spec, place);
      await run_admin.call("run_cancel", { target_run_id: run_id });
      await makeRun(world, { ...spec, state: "released", claimer: "runtime_admin" }, place);
    }
    await world.of("runtime_admin")
      .call("runtime_heartbeat", { runtime_id: "rt_plain", status: "draining" });
    const runtime_id = "rt_held_in_b";
    await world.of("tenant_b_plugin").call("runtime_register", { runtime_id });
    await world.of("tenant_b_admin")
      .call("runtime_heartbeat", { runtime_id, status: "draining" });
    await world.of("plugin_admin")
      .call("plugin_register", { plugin_identity: `acme/${world.unique("audited")}` });
  });

  const readAudit = async (): Promise<AuditRow[]> =>
    [...await world.sql<AuditRow[]>`
      select id::int as id, tenant_id, domain, workspace_id, actor from run_audit`];
  const idsOf = (rows: readonly { id: number }[]): number[] =>
    rows.map(({ id }) => id).sort((a, b) => a - b);

  test("there are rows of every domain, in and out of the workspaces, in both tenants",
    async () => {
      const rows = await readAudit();
      const kinds = new Set(rows.map((row) =>
        [row.tenant_id, row.domain, row.workspace_id].join(" ")));
      for (const workspace of ["w1", "w2", ""]) {
        expect(kinds).toContain(`default agent_run ${workspace}`);
        expect(kinds).toContain(`default runtime ${workspace}`);
      }
      for (const kind of ["default plugin ", "tenant-b plugin ", "tenant-b runtime "]) {
        expect(kinds).toContain(kind);
      }
    });

  test.each(readers)("of %s", async (caller, sees) => {
    const due = idsOf((await readAudit()).filter(sees));
    expect(due.length).toBeGreaterThan(0);
    expect(idsOf(await listAll(caller, "audit_page", {}))).toEqual(due);
  });

  test.each(readers)("of %s, by domain and by actor, never wider", async (caller, sees) => {
    const rows = (await readAudit()).filter(sees);
    for (const domain of new Set(rows.map((row) => row.domain))) {
      const due = idsOf(rows.filter((row) => row.domain === domain));
      expect(idsOf(await listAll(caller, "audit_page", { domain }))).toEqual(due);
    }
    for (const actor of ["runhost/admin", "acme/run_admin", "acme/runtime_admin"]) {
      const due = idsOf(rows.filter((row) => row.actor === actor));
      expect(idsOf(await listAll(caller, "audit_page", { actor }))).toEqual(due);
    }
  });

  test("a run outside the workspaces is as one that was never made", async () => {
    const place = { conversation_id: world.unique("conversation"), grants: "default" } as const;
    const { run_id } = await makeRun(world, { ...base, workspace: "w2" }, place);
    const [outside, never] = await Promise.all([run_id, "run_never"].map((target_run_id) =>
      world.of("limited").call("audit_page", { target_run_id })));
    expect(outside).toEqual(never);
    const { items } = await world.of("run_admin").call("audit_page", { target_run_id: run_id });
    expect(items.length).toBe(1);
  });

  test("runhost/admin reads the domain plugin of another tenant", async () => {
    const tenant_id = "tenant-b";
    const due = idsOf((await readAudit()).filter(inDomain(tenant_id, "plugin")));
    expect(due.length).toBeGreaterThan(0);
    const shown = await listAll("builtin", "audit_page", { tenant_id, domain: "plugin" });
    expect(idsOf(shown)).toEqual(due);
  });

  test("and no other domain of it", async () => {
    const tenant_id = "tenant-b";
    for (const domain of ["agent_run", "runtime"]) {
      const answer = await world.of("builtin").ask("audit_page", { tenant_id, domain });
      expect(nameAnswer(answer as never)).toMatch(/^(INVALID_PARAMS|FORBIDDEN)\//);
    }
    const plugins = idsOf((await readAudit()).filter(inDomain(tenant_id, "plugin")));
    const { error, result } = await world.of("builtin").ask("audit_page", { tenant_id });
    if (error === undefined) expect(idsOf((result as Answer).items)).toEqual(plugins);
    else expect(nameAnswer({ error })).toMatch(/^(INVALID_PARAMS|FORBIDDEN)\//);
  });

  test("nobody else reads another tenant, nor learns whether it exists", async () => {
    for (const [caller] of readers.filter(([name]) => name !== "builtin")) {
      for (const domain of [undefined, "agent_run", "runtime", "plugin"]) {
        const other = caller === "tenant_b_admin" ? "default" : "tenant-b";
        const [known, never] = await Promise.all([other, "tenant-z"].map((tenant_id) =>
          world.of(caller).ask("audit_page", { tenant_id, domain })));
        expect(known!.error).toEqual(never!.error);
        expect(nameAnswer(known as never)).toBe("FORBIDDEN/permission_missing");
      }
    }
  });

  test("reading writes no row", async () => {
    const before = await readAudit();
    await listAll("builtin", "audit_page", {});
    expect(idsOf(await readAudit())).toEqual(idsOf(before));
  });
});
