// Every command and snippet of README.md is executed: commands in the order in which a reader meets them,
// the plugin from its own text. A command that this test does not know fails it. They run in a copy of
// the checkout: they build, and other tests run what is built here.

import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../src/config.js";
import { root } from "./source.js";

const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))]
    .map((match) => match[1] ?? "");
const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));
const data_dir = mkdtempSync(join(tmpdir(), "runhost-readme-"));
const checkout = mkdtempSync(join(tmpdir(), "runhost-checkout-"));
const echo = join(checkout, "echo.mjs");
const children: ChildProcess[] = [];

beforeAll(() => {
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const built = ["package.json", "tsconfig.json", "src", "examples"];
  const copied: string[] = [...files.filter((name: string) => name !== "dist"), ...built];
  for (const name of copied) cpSync(join(root, name), join(checkout, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
});

afterAll(async () => {
  for (const child of children) await stop(child);
  rmSync(data_dir, { recursive: true, force: true });
  rmSync(checkout, { recursive: true, force: true });
});

const environment = { ...process.env, RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0" };
delete (environment as Record<string, string | undefined>)["DATABASE_URL"];

function start(line: string, env: Record<string, string> = {}) {
  const child = spawn(line, {
    shell: true, cwd: checkout, detached: true, env: { ...environment, ...env },
  });
  children.push(child);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const read = () => ({ out, err });
  return { child, ended, read };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || !isGroupAlive(child.pid)) return;
  process.kill(-child.pid, "SIGTERM");
  // npm ends before what it started: the whole group has to be gone.
  while (isGroupAlive(child.pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isGroupAlive(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

async function run(line: string, env: Record<string, string> = {}): Promise<string> {
  const { ended, read } = start(line, env);
  const code = await ended;
  expect([line, code, read().err.includes("runhost:")]).toEqual([line, 0, false]);
  return read().out;
}

/** The JSON of the ready line. */
async function ready(host: ReturnType<typeof start>): Promise<{ url: string }> {
  for (;;) {
    const line = host.read().out.split("\n").find((one) => one.includes('"msg":"ready"'));
    if (line) return JSON.parse(line);
    if (host.child.exitCode !== null) throw new Error(`no host: ${host.read().err}`);
    await Promise.race([new Promise((resolve) => host.child.stdout.once("data", resolve)), host.ended]);
  }
}

test("the commands are those that are executed here", () => {
  expect(commands).toEqual([
    "npm ci && npm run demo",
    "npm ci && npm test",
    "npm start",
    "npx runhost plugin add acme/echo --permission agent_run:create",
    expect.stringMatching(/^npx runhost call run_create '\{.*\}'$/),
  ]);
  // This very run is `npm test`; what `npm ci` needs is a lock file that fits.
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { dependencies, devDependencies, optionalDependencies } = lock.packages[""];
  expect({ dependencies, devDependencies, optionalDependencies }).toEqual({
    dependencies: own.dependencies,
    devDependencies: own.devDependencies,
    optionalDependencies: own.optionalDependencies,
  });
  expect(JSON.stringify(lock)).not.toContain('"resolved":"http');
});

test("npm run demo", { timeout: 180_000 }, async () => {
  const folder = join(checkout, "examples");
  expect(await run(`npm run demo -- ${folder}`)).toMatch(/completed/);
});

test("a plugin in ten lines", { timeout: 120_000 }, async () => {
  const host = start("npm start");
  const { url } = await ready(host);
  const [, , , add, create] = commands as [string, string, string, string, string];
  const added = await run(add, { RUNHOST_URL: url });
  const token = /rh_[0-9a-f]+_[0-9a-f]+/.exec(added)?.[0] ?? "";
  expect(token).not.toBe("");
  const [snippet] = blocks("js") as [string];
  expect(snippet.trim().split("\n").length).toBe(10);
  writeFileSync(echo, snippet.replace("ws://127.0.0.1:7420/rpc", url));
  const plugin = start(`node ${echo}`, { RUNHOST_TOKEN: token });
  // The runner is registered before a run of it can be created.
  for (;;) {
    const listed = await run("npx runhost call runner_list --json", { RUNHOST_URL: url });
    if (listed.includes("plugin:acme/echo/echo")) break;
  }
  const ended = JSON.parse(await run(create, { RUNHOST_URL: url }));
  expect(ended).toMatchObject({ status: "completed", runner_id: "plugin:acme/echo/echo" });
  expect(await plugin.ended).toBe(0);
  await stop(host.child);
});

test("the table of variables is the configuration", () => {
  const { database_url: _, bounds: __, admin_plugins: ___, ...settings } = readConfig({});
  const named = [...readme.matchAll(/`(RUNHOST_[A-Z_]+)`/g)].map((match) => match[1] ?? "");
  const documented = new Set(named.map((name) => name.replace("RUNHOST_", "").toLowerCase()));
  for (const other of ["config", "token", "url"]) documented.delete(other);
  expect([...documented].sort()).toEqual(Object.keys(settings).sort());
});

test("every relative link of the Markdown files leads somewhere", () => {
  for (const file of ["README.md", "src/README.md", "examples/README.md", "protocol/README.md"]) {
    const text = readFileSync(join(root, file), "utf8");
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map((match) => match[1] ?? "")
      .filter((link) => !/^[a-z]+:/.test(link));
    for (const link of links) {
      expect(() => readFileSync(join(root, file, "..", link)), `${file}: ${link}`)
        .not.toThrow(/ENOENT/);
    }
  }
});
