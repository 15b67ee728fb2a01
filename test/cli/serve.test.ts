// `runhost serve` and `runhost migrate`: the database they open, and one clear line for each way in
// which they cannot.

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useClone } from "../support/clone.js";
import { start, type } from "./terminal.js";

const clone = useClone();
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  DATABASE_URL: clone().url, RUNHOST_PORT: "0", RUNHOST_DATA_DIR: join(folder, "data"), ...more,
});

/** A port on which nothing listens, at least just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** An empty database of its own; the work is given its address. */
async function withEmptyDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const name = `runhost_empty_${process.pid}`;
  await clone().sql`create database ${clone().sql(name)}`;
  try {
    await work(Object.assign(new URL(clone().url), { pathname: `/${name}` }).href);
  } finally {
    await clone().sql`drop database ${clone().sql(name)} with (force)`;
  }
}

describe("serve", () => {
  test("serves where the command line looks for it, until it is asked to stop", async () => {
    const at = environment({
      RUNHOST_PORT: String(await freePort()),
      // The command line's own variables are none of the host's.
      RUNHOST_URL: "",
      RUNHOST_TOKEN: "",
    });
    const child = start(["serve"], { environment: at, cwd: folder });
    const exited = once(child, "exit");
    for await (const line of createInterface(child.stdout)) {
      if (JSON.parse(line).msg === "ready") break;
    }
    child.stdout.resume();
    const seen = await type(["call", "plugin_connect", "--json"], { environment: at, cwd: folder });
    expect(JSON.parse(seen.stdout)).toMatchObject({ plugin_identity: "runhost/admin" });
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });

  test.each([
    [{ RUNHOST_PORT: "many" }, "RUNHOST_PORT: must be a whole number from 0 to 65535"],
    [{ RUNHOST_COLOUR: "red" }, "RUNHOST_COLOUR: unknown variable"],
    [{ DATABASE_URL: "mysql://db" }, "DATABASE_URL: must be a postgres:// address"],
  ])("configuration %j is refused with exit code 2", async (wrong, message) => {
    const seen = await type(["serve"], { environment: environment(wrong), cwd: folder });
    expect(seen).toEqual({ code: 2, stdout: "", stderr: `runhost: ${message}\n` });
  });

  test("a schema that is newer than the program is one line and exit code 1", async () => {
    await clone().sql`
      insert into runhost_migration (version, name, sha256) values (999999, 'later', '')`;
    try {
      const seen = await type(["serve"], { environment: environment(), cwd: folder });
      expect(seen.code).toBe(1);
      expect(seen.stderr).toMatch(/^runhost: the database has schema version 999999 .*\n$/);
    } finally {
      await clone().sql`delete from runhost_migration where version = 999999`;
    }
  });

  test("a data directory that cannot be one is one line and exit code 1", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const at = { RUNHOST_DATA_DIR: file, RUNHOST_PORT: "0" };
    const seen = await type(["serve"], { environment: at, cwd: folder });
    expect(seen.code).toBe(1);
    expect(seen.stderr).toMatch(/^runhost: The data directory .* cannot be used by .*\n$/);
  });
});

describe("migrate", () => {
  test("applies what is missing and says which; the second time there is nothing", async () => {
    await withEmptyDatabase(async (url) => {
      const typed = { environment: environment({ DATABASE_URL: url }), cwd: folder };
      const first = await type(["migrate"], typed);
      expect(first).toMatchObject({ code: 0, stderr: "" });
      const lines = first.stdout.trimEnd().split("\n");
      expect(lines[0]).toBe("Applied 1 (tables)");
      expect(lines.at(-1)).toMatch(/^The schema has version \d+\.$/);
      const version = Number(lines.at(-1)?.match(/\d+/)?.[0]);
      expect(lines).toHaveLength(version + 1);
      const second = await type(["migrate"], typed);
      expect(second.stdout).toBe(`Nothing to apply: the schema has version ${version}.\n`);
      const json = await type(["migrate", "--json"], typed);
      expect(json).toEqual({
        code: 0, stderr: "", stdout: `${JSON.stringify({ applied: [], version })}\n`,
      });
      const sql = postgres(url, { max: 1 });
      expect(await sql`select count(*)::int as n from runhost_migration`).toEqual([{ n: version }]);
      await sql.end();
    });
  });

  test("without DATABASE_URL it starts the embedded database and stops it again", async () => {
    const at = { RUNHOST_DATA_DIR: join(folder, "embedded") };
    const first = await type(["migrate", "--json"], { environment: at, cwd: folder });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const { applied, version } = JSON.parse(first.stdout);
    expect(applied.at(-1)).toBe(version);
    const second = await type(["migrate", "--json"], { environment: at, cwd: folder });
    expect(JSON.parse(second.stdout)).toEqual({ applied: [], version });
  });

  test("a database that is not there is one line and exit code 1", async () => {
    const at = environment({ DATABASE_URL: `postgres://me@127.0.0.1:${await freePort()}/runs` });
    const seen = await type(["migrate", "--json"], { environment: at, cwd: folder });
    const message = "DATABASE_URL: the database cannot be reached";
    expect(seen).toMatchObject({ code: 1, stderr: `runhost: ${message}\n` });
    const data = { code: "FAILED", retryable: false };
    expect(JSON.parse(seen.stdout)).toEqual({ code: 0, message, data });
  });

  test("a wrong configuration is refused with exit code 2", async () => {
    const at = environment({ RUNHOST_PREPARE: "maybe" });
    expect(await type(["migrate"], { environment: at, cwd: folder })).toEqual({
      code: 2, stdout: "", stderr: "runhost: RUNHOST_PREPARE: must be true or false\n",
    });
  });
});
