// `runhost doctor`: each check in its good and its bad states, the exit code, that secrets stay
// hidden and that nothing is made, migrated or started.

import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redactDatabaseUrl } from "../../src/cli/operate/settings.js";
import { readConfig } from "../../src/config.js";
import { startHost } from "../../src/main.js";
import { readMigrations } from "../../src/sql/migrate.js";
import { useHost } from "../support/host.js";
import { type } from "./terminal.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
let folder = "";
let newest = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-doctor-"));
  newest = (await readMigrations()).at(-1)?.version ?? 0;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = (more = {}): Record<string, string> => ({
  DATABASE_URL: world().clone.url, RUNHOST_PORT: "0", RUNHOST_DATA_DIR: join(folder, "data"), ...more,
});

interface Check {
  check: string;
  status: "ok" | "warn" | "fail";
  found: string;
  advice?: string;
}

interface Report {
  code: number | null;
  stderr: string;
  settings: Record<string, unknown>;
  checks: Check[];
  find(name: string): Check | undefined;
}

/** The report stands in the result, or in the error when a check failed. */
async function examine(own: Record<string, string>): Promise<Report> {
  const { code, stdout, stderr } = await type(["doctor", "--json"], { environment: own, cwd: folder });
  const printed = JSON.parse(stdout);
  const { settings, checks } = code === 0 ? printed : printed.data;
  expect(printed.ok).toBe(code === 0 ? true : undefined);
  expect(code === 0).toBe((checks as Check[]).every(({ status }) => status !== "fail"));
  for (const { status, advice } of checks) expect(advice === undefined).toBe(status === "ok");
  return {
    code, stderr, settings, checks,
    find: (name) => (checks as Check[]).find(({ check }) => check === name),
  };
}

describe("a sound configuration", () => {
  test("is shown line by line, with exit code 0", async () => {
    const seen = await type(["doctor"], { environment: environment(), cwd: folder });
    expect(seen).toMatchObject({ code: 0, stderr: "" });
    const [settings, checks] = seen.stdout.trimEnd().split("\n\n").map((part) => part.split("\n"));
    expect(settings!.map((line) => line.split(/ {2,}/))).toContainEqual(["RUNHOST_RETENTION_DAYS", "90"]);
    expect(checks!.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ["ok", "runhost"], ["ok", "configuration"], ["ok", "directory"], ["ok", "token"],
      ["ok", "database"], ["ok", "schema"], ["ok", "clock"], ["ok", "port"],
    ]);
  });

  test("is found sound in each respect", async () => {
    const { code, find } = await examine(environment());
    expect(code).toBe(0);
    expect(find("runhost")?.found).toBe(`runhost 0.1.0 on Node ${process.versions.node}`);
    expect(find("database")?.found).toMatch(/^PostgreSQL 1[5-8]\S* .*answers$/);
    expect(find("schema")?.found).toBe(`version ${newest}, the code has ${newest}`);
    expect(find("clock")?.found).toMatch(
      /^the database is \d+ ms (ahead of|behind) this machine \(±\d+ ms\)$/,
    );
    expect(find("port")?.found).toBe("0: a host picks a free one");
  });

  test("nothing is made or changed", async () => {
    const { sql } = world().clone;
    const before = await sql`select * from runhost_migration order by version`;
    await examine(environment({ RUNHOST_DATA_DIR: join(folder, "untouched") }));
    const at = { RUNHOST_DATA_DIR: join(folder, "untouched"), RUNHOST_PORT: "0" };
    const { find } = await examine(at);
    expect(find("embedded")?.found).toMatch(/^no data yet/);
    expect(find("program")?.status).toBe("ok");
    expect(await readdir(folder)).not.toContain("untouched");
    expect(await sql`select * from runhost_migration order by version`).toEqual(before);
  });
});

describe("secrets", () => {
  test("are hidden wherever the configuration is shown", async () => {
    const url = new URL(world().clone.url);
    url.searchParams.set("application_name", "hunter-query");
    const own = environment({ DATABASE_URL: url.href, RUNHOST_ADMIN_TOKEN: "hunter-admin" });
    for (const argv of [["doctor"], ["doctor", "--json"]]) {
      const { code, stdout } = await type(argv, { environment: own, cwd: folder });
      expect(code).toBe(0);
      for (const secret of [url.password, "hunter"]) expect(stdout).not.toContain(secret);
      expect(stdout).toContain(`postgres://${url.username}:***@${url.host}${url.pathname}`);
    }
    const { settings } = await examine(own);
    expect(settings["RUNHOST_ADMIN_TOKEN"]).toBe("***");
  });

  test("also when the database refuses them", async () => {
    const url = Object.assign(new URL(world().clone.url), { password: "hunter2" });
    const seen = await type(["doctor"], {
      environment: environment({ DATABASE_URL: url.href }), cwd: folder,
    });
    expect(seen.code).toBe(1);
    expect(seen.stdout).toMatch(/^FAIL {2}database .*password authentication failed/m);
    expect(seen.stdout + seen.stderr).not.toContain("hunter2");
  });

  test.each([
    ["postgres://me@db/runs", "postgres://me@db/runs"],
    ["postgresql://db:5433/runs", "postgresql://db:5433/runs"],
    ["postgres://me:p@ss:w@db/runs", "postgres://me:***@db/runs"],
    ["postgres://me:p@a:1,b:2/runs?sslmode=require", "postgres://me:***@a:1,b:2/runs?sslmode=require"],
    ["postgres://db/runs?user=me&password=p&sslpassword=q", "postgres://db/runs"],
    ["postgres://me:1?p@db/runs", "postgres://***"],
    ["postgres://me:1#p@db/runs", "postgres://***"],
    ["postgres://me:@db", "postgres://me:***@db"],
  ])("%s is shown as %s", (url, shown) => {
    expect(redactDatabaseUrl(url)).toBe(shown);
  });
});

test("a configuration that cannot be used fails, and nothing else is looked at", async () => {
  const { code, checks, stderr } = await examine(environment({ RUNHOST_PORT: "many" }));
  expect([code, stderr]).toEqual([1, "runhost: failed: configuration\n"]);
  expect(checks.map(({ check }) => check)).toEqual(["runhost", "configuration"]);
  expect(checks[1]?.found).toBe("RUNHOST_PORT: must be a whole number from 0 to 65535");
});

describe("the database", () => {
  test("that does not answer fails with what the network said", async () => {
    const { code, find, checks } = await examine(
      environment({ DATABASE_URL: "postgres://me@127.0.0.1:1/none" }),
    );
    expect(code).toBe(1);
    expect(find("database")?.found).toBe("the database cannot be reached (ECONNREFUSED)");
    expect(checks.map(({ check }) => check)).not.toContain("schema");
  });

  test("that is empty warns, and is not migrated", async () => {
    const name = `runhost_doctor_${process.pid}`;
    const { sql } = world().clone;
    await sql`create database ${sql(name)}`;
    try {
      const url = Object.assign(new URL(world().clone.url), { pathname: `/${name}` }).href;
      for (const _ of [1, 2]) {
        const { code, find } = await examine(environment({ DATABASE_URL: url }));
        expect(code).toBe(0);
        expect(find("schema")).toMatchObject({
          status: "warn", found: `version 0, the code has ${newest}: ${newest} to apply`,
        });
      }
    } finally {
      await sql`drop database ${sql(name)} with (force)`;
    }
  });

  test("of a later version, or with an edited migration, fails", async () => {
    const { sql } = world().clone;
    await sql`insert into runhost_migration (version, name, sha256) values (999, 'later', '')`;
    const newer = await examine(environment());
    await sql`delete from runhost_migration where version = 999`;
    expect(newer.code).toBe(1);
    expect(newer.find("schema")).toMatchObject({
      status: "fail", found: `version 999, the code has ${newest}`,
    });
    const [first] = await sql`select sha256 from runhost_migration where version = 1`;
    await sql`update runhost_migration set sha256 = 'other' where version = 1`;
    const edited = await examine(environment());
    await sql`update runhost_migration set sha256 = ${first!["sha256"]} where version = 1`;
    expect(edited.find("schema")).toMatchObject({
      status: "fail", found: `version ${newest}, the code has ${newest}, with other migrations`,
    });
  });
});

describe("files", () => {
  const inFolder = async (name: string, mode: number): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path);
    await chmod(path, mode);
    return path;
  };
  const at = (data_dir: string) => examine(environment({ RUNHOST_DATA_DIR: data_dir }));

  test("a directory that others may write fails; one that they may read is sound", async () => {
    const open = await at(await inFolder("open", 0o777));
    expect(open.find("directory")).toMatchObject({ status: "fail", advice: expect.stringMatching(/chmod go-w/) });
    expect((await at(await inFolder("readable", 0o755))).find("directory")?.status).toBe("ok");
  });

  test("a file in its place, or above it, fails", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    expect((await at(file)).find("directory")?.status).toBe("fail");
    expect((await at(join(file, "below"))).find("directory")?.status).toBe("fail");
  });

  test("a token that others may read, or that is none, fails; 0600 is sound", async () => {
    const data_dir = await inFolder("tokens", 0o700);
    const token = join(data_dir, "admin-token");
    await writeFile(token, "rh_admin_planted\n", { mode: 0o600 });
    const sound = await at(data_dir);
    expect(sound.find("token")).toMatchObject({ status: "ok", found: `${token} (mode 0600)` });
    expect(JSON.stringify(sound.checks)).not.toContain("planted");
    await chmod(token, 0o644);
    expect((await at(data_dir)).find("token")).toMatchObject({ status: "fail", advice: expect.stringMatching(/chmod 600/) });
    await chmod(token, 0o600);
    await writeFile(token, "two words");
    expect((await at(data_dir)).find("token")?.found).toBe(`${token} holds no token`);
    const named = await examine(
      environment({ RUNHOST_DATA_DIR: data_dir, RUNHOST_ADMIN_TOKEN: "mine" }),
    );
    expect(named.find("token")).toMatchObject({ status: "ok", found: expect.stringMatching(/no file is used/) });
  });

  test.runIf(process.getuid?.() === 0)("those of another user warn", async () => {
    const data_dir = await inFolder("foreign", 0o700);
    await chown(data_dir, 65534, 65534);
    expect((await at(data_dir)).find("directory")).toMatchObject({
      status: "warn", found: expect.stringMatching(/is of user 65534, this is user 0$/),
    });
  });
});

describe("the port", () => {
  const listen = async (server: Server) => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const at = (port: number | string) => examine(environment({ RUNHOST_PORT: String(port) }));

  test("is free, or a host's, or another program's", async () => {
    const own = new URL(world().test.host.httpUrl).port;
    expect((await at(own)).find("port")).toEqual({
      check: "port", status: "ok",
      found: `a host of version 0.1.0 answers at http://127.0.0.1:${own}`,
    });
    for (const server of [
      createServer((socket) => socket.resume().end("no HTTP\n")),
      createHttpServer((_, response) => response.end('{"ok":true}')),
    ]) {
      const port = await listen(server);
      const taken = await at(port);
      expect([taken.code, taken.find("port")?.found]).toEqual([
        1, `another program listens at 127.0.0.1:${port}`,
      ]);
      server.close();
      await once(server, "close");
      expect((await at(port)).find("port")?.found).toBe(`127.0.0.1:${port} is free`);
    }
  });

  test("of a host that is not ready warns with its reason", async () => {
    const { sql } = world().clone;
    await sql`insert into runhost_migration (version, name, sha256) values (999, 'later', '')`;
    const { find } = await at(new URL(world().test.host.httpUrl).port);
    await sql`delete from runhost_migration where version = 999`;
    expect(find("port")).toMatchObject({
      status: "warn", found: expect.stringMatching(/which is not ready$/), advice: expect.stringMatching(/newer than version/),
    });
  });

  test("at an address of another machine fails", async () => {
    const { find } = await examine(environment({ RUNHOST_HOST: "192.0.2.1", RUNHOST_PORT: "7421" }));
    expect(find("port")?.status).toBe("fail");
  });
});

test("an embedded database is looked into while its host runs, and left alone after", async () => {
  const data_dir = join(folder, "embedded");
  const own = { RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0" };
  const quiet = () => undefined;
  const host = await startHost(readConfig(own), {
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    postgres_settings: { fsync: "off" },
  });
  try {
    const { code, find } = await examine(own);
    expect(code).toBe(0);
    expect(find("embedded")?.found).toMatch(
      new RegExp(`^runs \\(pid \\d+\\), with the host of pid ${process.pid}$`),
    );
    expect(find("schema")?.found).toBe(`version ${newest}, the code has ${newest}`);
    expect(find("token")?.found).toMatch(/\(mode 0600\)$/);
  } finally {
    await host.close();
  }
  const before = await readdir(data_dir, { recursive: true });
  const { find, checks } = await examine(own);
  expect(find("embedded")).toMatchObject({ status: "ok", found: "does not run: a host starts it" });
  expect(checks.map(({ check }) => check)).not.toContain("database");
  expect(await readdir(data_dir, { recursive: true })).toEqual(before);
});
