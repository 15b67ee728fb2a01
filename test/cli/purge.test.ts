// `runhost purge` on a real database: what would go, what went, of which tenants, and that live runs
// and newer ones stay. Time is moved by changing the rows.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.js";
import { startHost } from "../../src/main.js";
import { fresh, registerPlugin, useHost, type Plugin } from "../support/host.js";
import { type } from "./terminal.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const elsewhere = fresh("tenant");
let folder = "";
let here: Plugin;
let there: Plugin;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-purge-"));
  here = await registerPlugin(world());
  there = await registerPlugin(world(), { tenant_id: elsewhere });
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => world().clone.sql`delete from agent_run`);

const environment = (more = {}): Record<string, string> => ({
  DATABASE_URL: world().clone.url, RUNHOST_DATA_DIR: join(folder, "data"), ...more,
});
const purge = (argv: string[], more = {}) =>
  type(["purge", ...argv], { environment: environment(more), cwd: folder });

/** Ends a run and makes that so many days ago; 0 days ago it goes on. */
async function plant(plugin: Plugin, days: number): Promise<string> {
  const { run_id } = await plugin.client.call("run_create", { runner_id: plugin.runner_id });
  if (days === 0) return run_id;
  await plugin.client.call("run_cancel", { target_run_id: run_id });
  const { sql } = world().clone;
  const past = sql`make_interval(days => ${days})`;
  await sql`update agent_run set created_at = created_at - ${past}, started_at = null,
    finished_at = finished_at - ${past}, updated_at = updated_at - ${past}
    where run_id = ${run_id}`;
  for (const table of ["event_log", "transcript", "run_audit"]) {
    const named = sql(table === "run_audit" ? "target_run_id" : "run_id");
    await sql`update ${sql(table)} set created_at = created_at - ${past} where ${named} = ${run_id}`;
  }
  return run_id;
}

const left = async () =>
  (await world().clone.sql`select run_id from agent_run order by id`).map(({ run_id }) => run_id);

describe("purge", () => {
  test("--dry-run counts and removes nothing; then it removes what was counted", async () => {
    const old = [await plant(here, 100), await plant(here, 95), await plant(there, 91)];
    const kept = [await plant(here, 80), await plant(here, 0)];
    const counted = await purge(["--dry-run", "--json"]);
    expect(counted).toMatchObject({ code: 0, stderr: "" });
    const { tenants, ...rest } = JSON.parse(counted.stdout);
    expect(rest).toEqual({ dry_run: true, retention_days: 90, runs: 3 });
    expect(tenants.map(({ tenant_id, runs }: Record<string, unknown>) => [tenant_id, runs])).toEqual([
      ["default", 2], [elsewhere, 1],
    ]);
    expect(Object.keys(tenants[0]).sort()).toEqual([
      "audit", "event_log", "events", "runs", "tenant_id", "transcript",
    ]);
    expect(tenants[0].event_log).toBe(2);
    expect(await left()).toEqual([...old, ...kept]);
    const words = await purge(["--dry-run"]);
    const lines = words.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^TENANT +RUNS +EVENTS +EVENT LOG +TRANSCRIPT +AUDIT$/);
    expect(lines[1]).toMatch(/^default +2 /);
    expect(lines.at(-1)).toBe(
      "Would remove 3 runs that ended more than 90 days ago; nothing was removed.",
    );
    const removed = await purge(["--json"]);
    expect(JSON.parse(removed.stdout)).toEqual({
      dry_run: false, retention_days: 90, runs: 3,
      tenants: [{ tenant_id: "default", runs: 2 }, { tenant_id: elsewhere, runs: 1 }],
    });
    expect(await left()).toEqual(kept);
    expect(await purge([])).toEqual({
      code: 0, stderr: "", stdout: "Removed 0 runs that ended more than 90 days ago.\n",
    });
  });

  test("--days and --tenant choose; RUNHOST_RETENTION_DAYS is the default", async () => {
    const [ours, theirs] = [await plant(here, 10), await plant(there, 10)];
    const count = async (argv: string[], more = {}) =>
      JSON.parse((await purge([...argv, "--dry-run", "--json"], more)).stdout).runs;
    expect(await count([])).toBe(0);
    expect(await count(["--days", "5"])).toBe(2);
    expect(await count([], { RUNHOST_RETENTION_DAYS: "5" })).toBe(2);
    expect(await count(["--days", "30"], { RUNHOST_RETENTION_DAYS: "5" })).toBe(0);
    const removed = await purge(["--days", "5", "--tenant", elsewhere]);
    expect(removed.stdout).toMatch(/\nRemoved 1 run that ended more than 5 days ago\.\n$/);
    expect(await left()).toEqual([ours]);
    expect(await left()).not.toContain(theirs);
  });

  test("0 days keep everything, and the database is not asked", async () => {
    const run_id = await plant(here, 1000);
    const said = { code: 0, stderr: "", stdout: "0 days keep everything: nothing is removed.\n" };
    expect(await purge(["--days", "0"])).toEqual(said);
    expect(await purge([], { RUNHOST_RETENTION_DAYS: "0" })).toEqual(said);
    const nowhere = { DATABASE_URL: "postgres://me@127.0.0.1:1/none", RUNHOST_RETENTION_DAYS: "0" };
    const json = await purge(["--json"], nowhere);
    expect(JSON.parse(json.stdout)).toEqual({
      dry_run: false, retention_days: 0, runs: 0, tenants: [],
    });
    expect(await left()).toEqual([run_id]);
  });

  test("steps follow one another until nothing is left", async () => {
    const { sql } = world().clone;
    const run_id = await plant(here, 100);
    const columns = (await sql`select column_name as name from information_schema.columns
      where table_name = 'agent_run' and column_name not in ('id', 'run_id')`)
      .map(({ name }) => name as string).join(", ");
    await sql.unsafe(`insert into agent_run (run_id, ${columns})
      select 'copy-' || n, ${columns} from agent_run, generate_series(1, 10500) n
      where run_id = $1`, [run_id]);
    expect(JSON.parse((await purge(["--json"])).stdout).runs).toBe(10_501);
    expect(await left()).toEqual([]);
  }, 60_000);
});

describe("what cannot be", () => {
  test.each([["--days", "many"], ["--days", "-1"], ["--days", "36501"], ["--days", "1.5"]])(
    "%s %s is refused with exit code 2",
    async (...argv) => {
      const seen = await purge(argv);
      expect(seen).toMatchObject({ code: 2, stdout: "" });
      expect(seen.stderr).toBe("runhost: --days: must be a whole number from 0 to 36500\n");
    },
  );

  test("a tenant that is not known", async () => {
    expect(await purge(["--tenant", "nobody"])).toEqual({
      code: 1, stdout: "", stderr: "runhost: --tenant: there is no tenant nobody\n",
    });
  });

  test("a database that does not answer, or with another schema", async () => {
    const seen = await purge([], { DATABASE_URL: "postgres://me:hunter2@127.0.0.1:1/none" });
    expect(seen).toMatchObject({
      code: 1, stderr: "runhost: DATABASE_URL: the database cannot be reached\n",
    });
    const { sql } = world().clone;
    await sql`insert into runhost_migration (version, name, sha256) values (999, 'later', '')`;
    const newer = await purge([]);
    await sql`delete from runhost_migration where version = 999`;
    expect(newer.code).toBe(1);
    expect(newer.stderr).toMatch(/^runhost: the database has a schema newer than .*\n$/);
  });

  test("an embedded database that is not there is not made", async () => {
    const at = { RUNHOST_DATA_DIR: join(folder, "none") };
    const seen = await type(["purge"], { environment: at, cwd: folder });
    expect(seen).toMatchObject({
      code: 1, stderr: `runhost: there is no database in ${join(folder, "none")}\n`,
    });
    expect(await readdir(folder)).not.toContain("none");
  });

  test("the embedded database of a running host is left to it, and is purged after it", async () => {
    const data_dir = join(folder, "embedded");
    const quiet = () => undefined;
    const host = await startHost(
      readConfig({ RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0" }),
      {
        log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
        postgres_settings: { fsync: "off" },
      },
    );
    const typed = { environment: { RUNHOST_DATA_DIR: data_dir }, cwd: folder };
    try {
      const refused = await type(["purge", "--json"], typed);
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stdout).data).toMatchObject({ host_pid: process.pid });
      expect(refused.stderr).toContain(`a host with pid ${process.pid} runs on ${data_dir}`);
    } finally {
      await host.close();
    }
    const seen = await type(["purge", "--dry-run", "--json"], typed);
    expect(JSON.parse(seen.stdout)).toMatchObject({ runs: 0, tenants: [{ tenant_id: "default" }] });
  });
});
