// Every command and snippet of README.md is executed: commands in the order in which a reader meets them,
// worker and surface from their own text. A command that this test does not know fails it. They run in a
// copy of the checkout: they build, and other tests run what is built here.

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

const worker_commands = {
  host: "npm ci && npm start",
  add: "npx runhost plugin add acme/echo --permission agent_run:create",
  echo: "RUNHOST_TOKEN=rh_… node echo.mjs",
};
const ask = "RUNHOST_TOKEN=rh_… node ask.mjs hello";
const looks = [
  "npx runhost runs list",
  "npx runhost runs get RUN_ID",
  "npx runhost runs tail RUN_ID",
  "npx runhost runs explain RUN_ID",
  "npx runhost runtimes list",
  "npx runhost stats runs",
  "npx runhost audit --limit 5",
];
/** The packages that `npm ci` would fetch are here. */
const withoutInstall = (line: string) => line.replace("npm ci && ", "");

test("the commands are those that are executed here", () => {
  expect(commands).toEqual([
    ...Object.values(worker_commands), ask, "npm ci && npm run demo", "npm ci && npm test", ...looks,
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

test("npm run demo", { timeout: 420_000 }, async () => {
  const folder = join(checkout, "examples");
  expect(await run(`npm run demo -- ${folder}`)).toContain("every run ended as it had to");
});

test("a plugin in ten lines, who asks it, and a look at the run", { timeout: 600_000 }, async () => {
  const host = start(withoutInstall(worker_commands.host));
  const { url } = await ready(host);
  const env = { RUNHOST_URL: url };
  const added = await run(worker_commands.add, env);
  const token = /rh_[0-9a-f]+_[0-9a-f]+/.exec(added)?.[0] ?? "";
  expect(token).not.toBe("");
  const snippets = blocks("js");
  expect(snippets.map((snippet) => snippet.trim().split("\n").length)).toEqual([10, 10]);
  for (const [index, name] of ["echo.mjs", "ask.mjs"].entries()) {
    const snippet = snippets[index]?.replace("ws://127.0.0.1:7420/rpc", url) ?? "";
    writeFileSync(join(checkout, name), snippet);
  }
  const worker = start(worker_commands.echo.replace("rh_…", token));
  // The runner is registered before a run of it can be created.
  while (!(await run("npx runhost call runner_list --json", env)).includes("acme/echo/echo")) {
    expect([worker.child.exitCode, worker.read().err]).toEqual([null, ""]);
  }
  const told = (await run(ask.replace("rh_…", token))).split("\n");
  const [, run_id = "", status] = /^(run_\S+) (\w+)$/.exec(told[2] ?? "") ?? [];
  expect([told.slice(0, 2), status])
    .toEqual([["1 message.delta ", "2 run.completed You said: hello"], "completed"]);

  const shown = new Map<string, string>();
  for (const look of looks) shown.set(look, await run(look.replace("RUN_ID", run_id), env));
  const wanted = [run_id, run_id, "You said: hello", "completed", "acme/echo", "completed",
    "plugin_register"];
  expect(looks.filter((look, index) => !shown.get(look)?.includes(wanted[index]!))).toEqual([]);

  // A clean stop leaves no runtime behind.
  await stop(worker.child);
  const { items } = JSON.parse(await run("npx runhost call runtime_list --json", env));
  const owners = items.map(({ plugin_identity }: any) => plugin_identity);
  expect([owners.includes("acme/echo"), worker.read().err]).toEqual([false, ""]);
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
