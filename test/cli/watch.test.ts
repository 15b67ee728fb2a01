// `runhost runtimes`, `stats` and `audit` against a real host.

import { describe, expect, test } from "vitest";
import { adminToken, fresh, registerPlugin, useHost } from "../support/host.js";
import type { Answer } from "../support/client.js";
import { typeInside, type Seen } from "./terminal.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const run = (argv: string[], token = adminToken): Promise<Seen> =>
  typeInside(argv, { RUNHOST_URL: world().test.host.url, RUNHOST_TOKEN: token });
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const items = ({ stdout }: Seen): Answer[] => lines(stdout).map((line) => JSON.parse(line));

describe("runtimes", () => {
  test("list shows one's own, the administrator all of a status", async () => {
    const plugin = await registerPlugin(world(), { runtime: { version: "1.2", display_name: "W" } });
    const other = await registerPlugin(world());
    const seen = await run(["runtimes", "list"], plugin.token);
    expect(seen).toMatchObject({ code: 0, stderr: "" });
    const [head, row, ...rest] = lines(seen.stdout);
    expect(head).toMatch(/^RUNTIME +STATUS +PLUGIN +LAST HEARTBEAT +VERSION +NAME$/);
    expect(row).toMatch(new RegExp(`^${plugin.runtime_id} +online +${plugin.identity} .* 1\\.2 +W$`));
    expect(rest).toEqual([]);
    await other.client.call("runtime_heartbeat", {
      runtime_id: other.runtime_id, status: "draining",
    });
    const draining = items(await run(["runtimes", "list", "--status", "draining", "--json"]));
    expect(draining.map(({ runtime_id }) => runtime_id)).toEqual([other.runtime_id]);
    expect(await run(["runtimes", "list", "--status", "asleep"])).toMatchObject({
      code: 2, stderr: "runhost: --status: asleep is none of online, draining, offline, stale\n",
    });
  });

  test("get finds one, also beyond the first page, and none is exit code 3", async () => {
    const plugin = await registerPlugin(world());
    await world().clone.sql`
      insert into agent_runtime (tenant_id, runtime_id, plugin_identity, status, last_heartbeat_at,
        heartbeat_deadline_at)
      select 'default', ${plugin.runtime_id} || '-' || n, ${plugin.identity}, 'online', now(),
        now() from generate_series(1, 501) n`;
    const last = `${plugin.runtime_id}-501`;
    const seen = await run(["runtimes", "get", last], plugin.token);
    expect(seen).toMatchObject({ code: 0, stderr: "" });
    expect(seen.stdout).toMatch(new RegExp(`^runtime +${last}$`, "m"));
    expect(seen.stdout).toMatch(/^status +stale$/m);
    const [json] = items(await run(["runtimes", "get", last, "--json"], plugin.token));
    expect(json).toMatchObject({ runtime_id: last, plugin_identity: plugin.identity });
    const stranger = await registerPlugin(world());
    const none = await run(["runtimes", "get", last, "--json"], stranger.token);
    expect(none.code).toBe(3);
    expect(JSON.parse(none.stdout)).toMatchObject({ data: { code: "NOT_FOUND", kind: "runtime" } });
  });
});

describe("stats", () => {
  test("runs, runners and runtimes, for people and for scripts", async () => {
    const plugin = await registerPlugin(world());
    for (let made = 0; made < 3; made += 1) {
      const { run_id } = await world().admin.call("run_create", { runner_id: plugin.runner_id });
      if (made > 0) continue;
      await world().admin.call("run_finalize", {
        target_run_id: run_id, status: "completed", force: true,
      });
    }
    const runs = await run(["stats", "runs", "--runner", plugin.runner_id, "--hours", "24"]);
    expect(runs).toMatchObject({ code: 0, stderr: "" });
    expect(runs.stdout).toMatch(/^runs created +3 in 24 h$/m);
    expect(runs.stdout).toMatch(/^queued +2$/m);
    expect(runs.stdout).toMatch(/^ended well +100\.0 %$/m);
    const [figures] = items(await run(["stats", "runs", "--runner", plugin.runner_id, "--json"]));
    expect(figures).toMatchObject({ total_count: 3, completed_count: 1 });
    const runners = await run(["stats", "runners"]);
    expect(runners.stdout).toMatch(new RegExp(`^${plugin.identity}/main +3 +2 +1 +0 +0 `, "m"));
    expect(items(await run(["stats", "runners", "--json"])))
      .toContainEqual(expect.objectContaining({ runner_id: plugin.runner_id, total_runs: 3 }));
    expect((await run(["stats", "runtimes"])).stdout).toMatch(/^online +[1-9]/m);
    const [fleet] = items(await run(["stats", "runtimes", "--json"]));
    expect(fleet.online_count).toBeGreaterThan(0);
  });

  test("needs the permission, and hours that the host takes", async () => {
    const { token } = await registerPlugin(world());
    for (const what of ["runs", "runners", "runtimes"]) {
      const refused = await run(["stats", what], token);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toMatch(/^FORBIDDEN: /);
    }
    expect(await run(["stats", "runs", "--hours", "745"])).toMatchObject({
      code: 2, stderr: "runhost: --hours: must be a whole number from 1 to 744\n",
    });
    const bare = await run(["stats"]);
    expect(bare.code).toBe(2);
    expect(bare.stderr).toContain("Usage: runhost stats");
  });
});

describe("audit", () => {
  test("lists who changed what about a run", async () => {
    const plugin = await registerPlugin(world());
    const { run_id } = await world().admin.call("run_create", {
      runner_id: plugin.runner_id, run_id: fresh("run"),
    });
    await world().admin.call("run_cancel", { target_run_id: run_id });
    const seen = await run(["audit", "--run", run_id]);
    expect(seen).toMatchObject({ code: 0, stderr: "" });
    const [head, newest, oldest, ...rest] = lines(seen.stdout);
    expect(head).toMatch(/^WHEN +ACTOR +ACTION +TARGET +CHANGE$/);
    expect(newest).toMatch(new RegExp(`runhost/admin +run_cancel +${run_id} +queued → cancelled$`));
    expect(oldest).toMatch(new RegExp(`runhost/admin +run_create +${run_id}`));
    expect(rest).toEqual([]);
    const filtered = await run([
      "audit", "--run", run_id, "--action", "run_create", "--domain", "agent_run",
      "--actor", "runhost/admin", "--json",
    ]);
    expect(items(filtered)).toMatchObject([{ action: "run_create", target_run_id: run_id }]);
    const one = await run(["audit", "--limit", "1"]);
    expect(lines(one.stdout)).toHaveLength(2);
    expect(one.stderr).toBe("There are more audit rows: --limit <n> or --all.\n");
  });

  test("is refused without a permission and for a domain that is none", async () => {
    const { token } = await registerPlugin(world());
    expect(await run(["audit"], token)).toMatchObject({ code: 1, stdout: "" });
    const wrong = await run(["audit", "--domain", "all"]);
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toMatch(/^INVALID_PARAMS: domain: /);
  });
});
