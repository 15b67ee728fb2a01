// `runhost call`, and what every command does alike: finding the host and the token, --json, the
// exit codes.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminToken, useHost } from "../support/host.js";
import { type, typeInside, type Typed } from "./terminal.js";

const world = useHost();
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const reach = (more: Record<string, string> = {}): Typed => ({
  cwd: folder,
  environment: { RUNHOST_URL: world().test.host.url, RUNHOST_TOKEN: adminToken, ...more },
});

const port = (): string => new URL(world().test.host.url).port;

describe("a call", () => {
  test("prints its result for people, and with --json as one line", async () => {
    const read = await type(["call", "ping"], reach());
    expect(read).toMatchObject({ code: 0, stderr: "" });
    expect(read.stdout).toMatch(/^\{\n {2}"ok": true,\n {2}"time": \d+,\n/);
    expect(JSON.parse(read.stdout)).toMatchObject({ ok: true });
    const json = await type(["call", "ping", "--json"], reach());
    expect(json).toMatchObject({ code: 0, stderr: "" });
    expect(json.stdout).toMatch(/^\{"ok":true,"time":\d+,"time_ms":\d+\}\n$/);
  });

  test("takes its params from the line or from stdin", async () => {
    const onLine = await type(["--json", "call", "run_list", '{"limit":1}'], reach());
    expect(JSON.parse(onLine.stdout)).toMatchObject({ items: [], has_more: false });
    const fromStdin = await type(["call", "run_list", "-", "--json"], {
      ...reach(), input: '{"include_total":\n true}\n',
    });
    expect(JSON.parse(fromStdin.stdout)).toMatchObject({ items: [], total_count: 0 });
  });

  test("a refusal is one line on stderr, and with --json the error on stdout", async () => {
    const argv = ["call", "run_get", '{"target_run_id":"run_none"}'];
    const words = await type(argv, reach());
    expect(words).toMatchObject({ code: 3, stdout: "" });
    expect(words.stderr).toMatch(/^NOT_FOUND: .*run_none.*\n$/);
    const json = await type([...argv, "--json"], reach());
    expect(json).toMatchObject({ code: 3, stderr: words.stderr });
    expect(JSON.parse(json.stdout)).toEqual({
      code: -32003,
      message: words.stderr.slice("NOT_FOUND: ".length, -1),
      data: { code: "NOT_FOUND", retryable: false, kind: "run", id: "run_none" },
    });
  });

  test("what a name holds cannot break the line", async () => {
    const params = JSON.stringify({ target_run_id: "a\n\u001b[2Jb" });
    const { stderr } = await type(["call", "run_get", params], reach());
    expect(stderr).toMatch(/^NOT_FOUND: [\x20-\x7e]+\n$/);
  });

  test.each([
    ["{a:1}", 'position 1 (line 1, column 2): expected a name in double quotes, found "a"'],
    ['{"a": tru}', 'position 6 (line 1, column 7): expected a value, found "t"'],
    ['{"a":1,\n "b" 2}', 'position 13 (line 2, column 6): expected a colon, found "2"'],
    ['{"a":[1 2]}', 'position 8 (line 1, column 9): expected a comma or "]", found "2"'],
    ['{"a":1', 'position 6 (line 1, column 7): expected a comma or "}", the text ends'],
    ['{"a":"b', "position 7 (line 1, column 8): expected the end of the string, the text ends"],
    ['{"a":{"b":[[],{},""]}} x', 'position 23 (line 1, column 24): expected the end, found "x"'],
    ["", "position 0 (line 1, column 1): expected a value, the text ends"],
  ])("params %j are refused where they stop being JSON", async (params, fault) => {
    const seen = await type(["call", "ping", params], reach());
    expect(seen).toEqual({ code: 2, stdout: "", stderr: `runhost: invalid JSON at ${fault}\n` });
  });

  test.each(["[]", "null", '"text"', "5"])("params %s are no object", async (params) => {
    const seen = await type(["call", "ping", params, "--json"], reach());
    expect(seen).toMatchObject({ code: 2 });
    expect(seen.stderr).toMatch(/^runhost: params must be a JSON object/);
    expect(JSON.parse(seen.stdout)).toMatchObject({ code: 0, data: { code: "USAGE" } });
  });
});

describe("finding the host", () => {
  test("the option goes before the variable", async () => {
    const seen = await type(["call", "ping", "--url", world().test.host.url], {
      ...reach({ RUNHOST_URL: "ws://127.0.0.1:1/rpc" }),
    });
    expect(seen.code).toBe(0);
  });

  test("without both it is where serve would listen", async () => {
    const own = { RUNHOST_PORT: port(), RUNHOST_HOST: "0.0.0.0" };
    const environment = { ...own, RUNHOST_TOKEN: adminToken };
    expect((await type(["call", "ping"], { environment, cwd: folder })).code).toBe(0);
  });

  test("port 0 is no address", async () => {
    const environment = { RUNHOST_PORT: "0", RUNHOST_TOKEN: adminToken };
    expect(await type(["call", "ping"], { environment, cwd: folder })).toEqual({
      code: 2, stdout: "",
      stderr: "runhost: RUNHOST_PORT is 0, a free port: name the host by --url or RUNHOST_URL\n",
    });
  });

  test("a wrong configuration is named where it is needed", async () => {
    const seen = await type(["call", "ping", "--json"], {
      environment: { RUNHOST_PORT: "many" }, cwd: folder,
    });
    const message = "RUNHOST_PORT: must be a whole number from 0 to 65535";
    expect(seen).toMatchObject({ code: 2, stderr: `runhost: ${message}\n` });
    const data = { code: "CONFIGURATION", retryable: false };
    expect(JSON.parse(seen.stdout)).toEqual({ code: 0, message, data });
  });

  test.each(["127.0.0.1:7420", "http://127.0.0.1/rpc", ""])("--url %j is none", async (url) => {
    const seen = await type(["call", "ping", "--url", url], reach());
    expect(seen.code).toBe(2);
    expect(seen.stderr).toBe(
      "runhost: --url: must be an address such as ws://127.0.0.1:7420/rpc\n",
    );
  });

  test("nobody there is one line that names the address", async () => {
    const nowhere = reach({ RUNHOST_URL: "ws://127.0.0.1:1/rpc" });
    const seen = await type(["call", "ping", "--json"], nowhere);
    expect(seen.code).toBe(4);
    expect(seen.stderr).toBe(
      "UNREACHABLE: no host answers at ws://127.0.0.1:1/rpc: connect ECONNREFUSED 127.0.0.1:1\n",
    );
    expect(JSON.parse(seen.stdout)).toMatchObject({
      code: 0, data: { code: "UNREACHABLE", retryable: true },
    });
  });
});

describe("finding the token", () => {
  test("a bad one is refused", async () => {
    const { url } = world().test.host;
    const seen = await type(["call", "ping", "--token", "bad", "--json"], reach());
    expect(seen.code).toBe(1);
    expect(seen.stderr).toBe(`UNAUTHENTICATED: ${url} does not accept this token\n`);
    expect(JSON.parse(seen.stdout)).toMatchObject({
      code: -32001, data: { code: "UNAUTHENTICATED", retryable: false },
    });
  });

  test("an empty one does not turn into the administrator's", async () => {
    const seen = await type(["call", "ping", "--token", ""], reach());
    expect(seen).toEqual({ code: 2, stdout: "", stderr: "runhost: --token: is empty\n" });
  });

  test("it is RUNHOST_TOKEN, else RUNHOST_ADMIN_TOKEN", async () => {
    const admin = await type(["call", "plugin_connect", "--json"], {
      cwd: folder,
      environment: { RUNHOST_URL: world().test.host.url, RUNHOST_ADMIN_TOKEN: adminToken },
    });
    expect(JSON.parse(admin.stdout)).toMatchObject({ plugin_identity: "runhost/admin" });
    const { token } = await world().admin.call("plugin_register", { plugin_identity: "acme/own" });
    const own = await type(
      ["call", "plugin_connect", "--json"],
      reach({ RUNHOST_TOKEN: token, RUNHOST_ADMIN_TOKEN: adminToken }),
    );
    expect(JSON.parse(own.stdout)).toMatchObject({ plugin_identity: "acme/own" });
  });

  test("else the file in the data directory; without it, all places are named", async () => {
    const RUNHOST_DATA_DIR = join(folder, "data");
    const environment = { RUNHOST_URL: world().test.host.url, RUNHOST_DATA_DIR };
    const missing = await type(["call", "ping"], { environment, cwd: folder });
    expect(missing).toEqual({
      code: 2, stdout: "",
      stderr: "runhost: no token; looked for --token, RUNHOST_TOKEN, RUNHOST_ADMIN_TOKEN and " +
        `the file ${RUNHOST_DATA_DIR}/admin-token, which is not there\n`,
    });
    const beside = { ...environment, RUNHOST_DATA_DIR: folder };
    await writeFile(join(folder, "admin-token"), `${adminToken}\n`);
    expect((await type(["call", "ping"], { environment: beside, cwd: folder })).code).toBe(0);
    expect((await type(["call", "ping"], { environment, cwd: folder })).code).toBe(2);
  });
});

describe("the command line", () => {
  test("explains itself, with an example for each command", async () => {
    const general = await typeInside(["--help"]);
    expect(general).toMatchObject({ code: 0, stderr: "" });
    for (const words of ["serve", "migrate", "call <method>", "plugin", "Exit codes:", "--token"]) {
      expect(general.stdout).toContain(words);
    }
    const commands = [
      "serve", "migrate", "call", "plugin", "plugin add", "plugin list", "plugin rotate",
      "plugin disable", "plugin enable", "protocol", "runs", "runs list", "runs get", "runs tail",
      "runs cancel", "runs retry", "runs explain", "runtimes", "runtimes list", "runtimes get",
      "stats", "stats runs", "stats runners", "stats runtimes", "audit", "completion",
    ];
    for (const words of commands) {
      const help = await typeInside([...words.split(" "), "--help"]);
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(/Example:\n {2}\$ .*runhost /);
      expect(help.stdout).toContain(`runhost ${words}`);
    }
  });

  test("prints the version of the package", async () => {
    expect((await type(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [["plugn"], "unknown command 'plugn' (Did you mean plugin?)"],
    [["call"], "missing required argument 'method'"],
    [["call", "ping", "--jsn"], "unknown option '--jsn' (Did you mean --json?)"],
    [["plugin", "rotate", "a/b", "c/d"],
      "too many arguments for 'rotate'. Expected 1 argument but got 2."],
  ])("%j is refused in one line", async (argv, message) => {
    const stderr = `runhost: ${message} (--help says more)\n`;
    expect(await type(argv)).toEqual({ code: 2, stdout: "", stderr });
  });

  test("with --json the refusal is JSON too", async () => {
    const { code, stdout } = await type(["plugn", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ code: 0, data: { code: "USAGE" } });
  });

  test("a command that needs another prints its help and fails", async () => {
    const seen = await type(["plugin"]);
    expect(seen).toMatchObject({ code: 2, stdout: "" });
    expect(seen.stderr).toContain("Usage: runhost plugin");
    expect(seen.stderr).toContain("runhost: a command is missing");
  });
});
