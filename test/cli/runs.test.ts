// `runhost runs list | get | cancel | retry | explain` against a real host: what people read, what
// scripts read, what is refused, and by which exit code.

import { describe, expect, test } from "vitest";
import { adminToken, claimOf, fresh, registerPlugin, useHost, type Plugin } from "../support/host.js";
import type { Answer, Params } from "../support/client.js";
import { type, typeInside, type Seen } from "./terminal.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

const run = (argv: string[], token = adminToken): Promise<Seen> =>
  typeInside(["runs", ...argv], { RUNHOST_URL: world().test.host.url, RUNHOST_TOKEN: token });
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const items = ({ stdout }: Seen): Answer[] => lines(stdout).map((line) => JSON.parse(line));

const create = (plugin: Plugin, more: Params = {}): Promise<Answer> =>
  world().admin.call("run_create", { runner_id: plugin.runner_id, run_id: fresh("run"), ...more });

describe("list", () => {
  test("draws a table, newest first, and names what filters say", async () => {
    const plugin = await registerPlugin(world());
    const runner = plugin.runner_id;
    const empty = await run(["list", "--runner", runner]);
    expect(empty).toEqual({ code: 0, stdout: "No runs.\n", stderr: "" });
    const first = await create(plugin, { conversation_id: "talk", workspace_id: "w1" });
    const second = await create(plugin, { conversation_id: "other" });
    await world().admin.call("run_cancel", { target_run_id: first.run_id, reason: "too\nlate" });
    const seen = await run(["list", "--runner", runner.slice("plugin:".length)]);
    expect(seen).toMatchObject({ code: 0, stderr: "" });
    const [head, ...rows] = lines(seen.stdout);
    expect(head).toMatch(/^RUN +STATUS +RUNNER +CREATED +TOOK +REASON$/);
    expect(rows[0]).toMatch(new RegExp(`^${second.run_id} +queued +${plugin.identity}/main +\\d`));
    expect(rows[1]).toMatch(new RegExp(`^${first.run_id} +cancelled .* too late$`));
    expect(rows).toHaveLength(2);
    const ids = async (...filter: string[]) =>
      items(await run(["list", "--runner", runner, "--json", ...filter])).map((one) => one.run_id);
    expect(await ids()).toEqual([second.run_id, first.run_id]);
    expect(await ids("--status", "cancelled")).toEqual([first.run_id]);
    expect(await ids("--status", "queued,cancelled", "--status", "failed")).toHaveLength(2);
    expect(await ids("--conversation", "talk")).toEqual([first.run_id]);
    expect(await ids("--workspace", "w1")).toEqual([first.run_id]);
    expect(await ids("--conversation", "none")).toEqual([]);
  });

  test("stops at the limit and says that there is more; --all goes to the last page", async () => {
    const plugin = await registerPlugin(world());
    const { clone: { sql } } = world();
    const made = await create(plugin);
    await sql`
      insert into agent_run (tenant_id, run_id, runner_id, plugin_identity, created_by, dispatch,
        status, queue_name, snapshot)
      select tenant_id, run_id || '-' || n, runner_id, plugin_identity, created_by, dispatch, status,
        queue_name, snapshot
      from agent_run, generate_series(1, 104) n where run_id = ${made.run_id}`;
    const list = (...argv: string[]) => run(["list", "--runner", plugin.runner_id, ...argv]);
    const few = await list("--limit", "2");
    expect(lines(few.stdout)).toHaveLength(3);
    expect(few).toMatchObject({
      code: 0, stderr: "There are more runs: --limit <n> or --all.\n",
    });
    expect(lines((await list()).stdout)).toHaveLength(51);
    const beyond = await list("--limit", "101", "--json");
    expect(beyond.stderr).toBe("");
    expect(new Set(items(beyond).map(({ run_id }) => run_id)).size).toBe(101);
    const all = await list("--all", "--json");
    expect(new Set(items(all).map(({ run_id }) => run_id)).size).toBe(105);
    expect(await list("--limit", "105")).toMatchObject({ stderr: "" });
  });

  test.each([
    [["--status", "done"],
      "--status: done is none of created, queued, claimed, running, completed, failed, cancelled, "
        + "timeout"],
    [["--limit", "0"], "--limit: must be a whole number from 1 to 1000000"],
    [["--limit", "many"], "--limit: must be a whole number from 1 to 1000000"],
  ])("%j is a wrong command line", async (argv, message) => {
    expect(await run(["list", ...argv])).toEqual({
      code: 2, stdout: "", stderr: `runhost: ${message}\n`,
    });
  });

  test("without a permission it is refused, and shows its own runs to who made them", async () => {
    const plain = await registerPlugin(world(), { permissions: [] });
    const refused = await run(["list", "--json"], plain.token);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ data: { code: "INVALID_PARAMS" } });
    const creator = await registerPlugin(world());
    const { run_id } = await creator.client.call("run_create", { runner_id: plain.runner_id });
    await create(plain);
    expect(items(await run(["list", "--json"], creator.token)).map((one) => one.run_id))
      .toEqual([run_id]);
  });
});

describe("get", () => {
  test("prints the facts of a run, with --input also what it works on", async () => {
    const plugin = await registerPlugin(world());
    const { run_id } = await create(plugin, { text: "hello", queue_name: "q7" });
    const seen = await run(["get", run_id]);
    expect(seen).toMatchObject({ code: 0, stderr: "" });
    expect(seen.stdout).toMatch(new RegExp(`^run +${run_id}$`, "m"));
    expect(seen.stdout).toMatch(/^status +queued$/m);
    expect(seen.stdout).toMatch(/^queue +q7$/m);
    expect(seen.stdout).toMatch(/^attempts +0 of 10$/m);
    expect(seen.stdout).not.toContain("hello");
    expect((await run(["get", run_id, "--input"])).stdout).toContain('"text": "hello"');
    const json = await run(["get", run_id, "--json"]);
    expect(items(json)).toEqual([await world().admin.call("run_get", { target_run_id: run_id })]);
    const [detail] = items(await run(["get", run_id, "--input", "--json"]));
    expect(detail.input.text).toBe("hello");
  });

  test("a plugin reads its own run without a permission, and no other", async () => {
    const plugin = await registerPlugin(world(), { permissions: [] });
    const other = await registerPlugin(world());
    const { run_id } = await create(plugin);
    expect((await run(["get", run_id, "--json"], plugin.token)).code).toBe(0);
    const foreign = await create(other);
    const refused = await run(["get", foreign.run_id], plugin.token);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^FORBIDDEN: /);
  });

  test("an unknown run is exit code 3, nobody there is 4", async () => {
    const unknown = await run(["get", "run_none", "--json"]);
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringMatching(/^NOT_FOUND: /) });
    expect(JSON.parse(unknown.stdout)).toMatchObject({ data: { kind: "run", id: "run_none" } });
    const nobody = await typeInside(["runs", "get", "run_none"], {
      RUNHOST_URL: "ws://127.0.0.1:1/rpc", RUNHOST_TOKEN: "x",
    });
    expect(nobody).toMatchObject({ code: 4, stdout: "" });
    expect(nobody.stderr).toMatch(/^UNREACHABLE: /);
  });
});

describe("cancel and retry", () => {
  test("cancel ends a waiting run, asks an executor, and says so when it was too late", async () => {
    const plugin = await registerPlugin(world());
    const waiting = await create(plugin);
    expect(await run(["cancel", waiting.run_id, "--reason", "no need"])).toEqual({
      code: 0, stderr: "", stdout: `${waiting.run_id} is cancelled.\n`,
    });
    expect(await world().admin.call("run_get", { target_run_id: waiting.run_id }))
      .toMatchObject({ status: "cancelled", cancel_reason: "no need" });
    const queue_name = fresh("queue");
    const { run_id } = await create(plugin, { queue_name });
    const item = await plugin.client.call("run_claim", {
      runtime_id: plugin.runtime_id, queue_name, lease_seconds: 300,
    });
    expect((await run(["cancel", run_id])).stdout)
      .toBe(`${run_id} is asked to stop; it is claimed until its executor ends it.\n`);
    await plugin.client.call("run_finalize", {
      target_run_id: run_id, status: "completed", ...claimOf(item),
    });
    expect((await run(["cancel", run_id])).stdout).toBe(`${run_id} had ended already: completed.\n`);
    expect(items(await run(["cancel", run_id, "--json"]))).toMatchObject([{ run_id }]);
  });

  test("retry makes one new run, and refuses what goes on", async () => {
    const plugin = await registerPlugin(world());
    const { run_id } = await create(plugin);
    const early = await run(["retry", run_id]);
    expect(early).toMatchObject({ code: 1, stdout: "" });
    expect(early.stderr).toMatch(/^CONFLICT: /);
    await run(["cancel", run_id]);
    const id = fresh("again");
    const again = await run(["retry", run_id, "--id", id, "--timeout", "60"]);
    expect(again.stdout).toBe(`Created ${id} from ${run_id}; it is queued.\n`);
    const [repeated] = items(await run(["retry", run_id, "--id", id, "--timeout", "60", "--json"]));
    expect(repeated).toMatchObject({ run_id: id, parent_run_id: run_id, idempotent: true });
    expect(repeated.deadline_at - repeated.created_at).toBe(60);
    expect(await run(["retry", run_id, "--timeout", "soon"])).toMatchObject({ code: 2 });
    expect(await run(["retry", "run_none"])).toMatchObject({ code: 3 });
  });
});

test("explain says in a line each why a run stands still", async () => {
  const plugin = await registerPlugin(world(), { permissions: [] });
  const { runtime_id } = plugin;
  await plugin.client.call("runtime_heartbeat", { runtime_id, status: "offline" });
  const { run_id } = await create(plugin, {
    not_before: Math.floor(Date.now() / 1000) + 3600, queue_name: fresh("queue"),
  });
  const seen = await run(["explain", run_id], plugin.token);
  expect(seen).toMatchObject({ code: 0, stderr: "" });
  const [first, ...rest] = lines(seen.stdout);
  expect(first).toBe(`${run_id} is queued and not moving; no run_claim can take it.`);
  expect(rest).toHaveLength(2);
  expect(rest[0]).toMatch(/^not_due +is not due before 20\d\d-/);
  expect(rest[1]).toMatch(new RegExp(`^no_online_runtime +no runtime .*${plugin.identity}`));
  const [json] = items(await run(["explain", run_id, "--json"]));
  expect(json).toMatchObject({ run_id, claimable: false, moving: false });
  expect(await run(["explain", "run_none"])).toMatchObject({ code: 3 });
});

test("no output holds colour where it is no terminal, whatever the environment asks", async () => {
  const plugin = await registerPlugin(world());
  const { run_id } = await create(plugin);
  for (const argv of [["list"], ["get", run_id], ["explain", run_id]]) {
    const { stdout, stderr } = await type(["runs", ...argv], {
      environment: {
        RUNHOST_URL: world().test.host.url, RUNHOST_TOKEN: adminToken,
        TERM: "xterm-256color", FORCE_COLOR: "1",
      },
    });
    expect(stdout + stderr).not.toContain("\u001b");
    expect(stdout).toContain(run_id);
  }
});
