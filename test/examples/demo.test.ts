// The demo as a user runs it, over a folder of awkward files and on a database of its own. What it
// says is held against the rows. Also: what it refuses, and that Ctrl-C leaves nothing behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useClone } from "../support/clone.js";

const demo_file = fileURLToPath(new URL("../../examples/document_report/demo.js", import.meta.url));
const clone = useClone();

let world = "";
beforeAll(async () => {
  world = await mkdtemp(join(tmpdir(), "runhost-examples-"));
});
afterAll(() => rm(world, { recursive: true, force: true }));

const documents: Record<string, string | Buffer> = {
  "README.md": "# Title\n\n[good](docs/deep.md#x) [bad](docs/none.md) [out](https://a.example)\n",
  "docs/deep.md": "[up](../README.md) [gone](../LICENSE)\n\n````md\n```js\n# no\n```\n````\n",
  "docs/empty.md": "",
  "docs/crlf.md": "# A\r\n\r\nB\r\n---\r\n",
  "docs/no newline #1.md": "# A",
  "docs/line\nbreak.md": "# A\u0007\n",
  "docs/long.md": `# ${"long ".repeat(60_000)}\n`,
  "docs/bytes.md": Buffer.from([0x23, 0x20, 0xff, 0xfe, 0x00, 0x41, 0x0a, 0xed, 0xa0, 0x80]),
  "src/code.ts": "export const answer = 42;\n",
  "src/broken.json": "{ \"a\": ",
};

async function writeFolder(name: string, files: Record<string, string | Buffer>): Promise<string> {
  const folder = join(world, name);
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** Only what the demo may need: the settings of whoever runs the tests are not its own. */
function startDemo(args: string[], environment: Record<string, string>) {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...environment };
  const child = spawn(process.execPath, [demo_file, ...args], { env, cwd: world });
  let stdout = "";
  let stderr = "";
  let hear = (): void => undefined;
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
    hear();
  });
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number, stdout, stderr }));
  const said = (words: string) =>
    new Promise<void>((resolve) => {
      hear = () => stdout.includes(words) && resolve();
      hear();
    });
  return { child, ended, said };
}

test("reports on a folder of awkward files, and the rows agree", { timeout: 320_000 }, async () => {
  const folder = await writeFolder("awkward", {
    ...documents,
    "node_modules/skipped.md": "# no",
    "ignored/skipped.md": "# no",
    ".gitignore": "ignored/\n",
    "src/large.json": `"${"x".repeat(1_048_576)}"`,
    "picture.png": "no document",
  });
  await symlink(join(folder, "README.md"), join(folder, "linked.md"));
  const { code, stdout, stderr } = await startDemo([folder], { DATABASE_URL: clone().url }).ended;

  expect(stderr).toBe("");
  expect(stdout).toContain("every run ended as it had to");
  expect(code).toBe(0);
  expect(stdout).toContain(`10 documents in ${folder}`);
  expect(stdout).toContain("left out: 1 larger than 1 MiB");
  expect(stdout).not.toMatch(/skipped|linked|picture|\u001b/);

  const rows = stdout.split("\n").filter((line) => / (completed|cancelled) {2,}\d/.test(line));
  expect(rows).toHaveLength(12);
  for (const told of [
    /^docs\/long\.md \[cancelled at work\] +cancelled +1 /,
    /^docs\/long\.md \[cancelled while queued\] +cancelled +0 +0 /,
    /^docs\/long\.md \[its worker was killed\] +completed +2 /,
    /^docs\/line\uFFFDbreak\.md +completed +\d+ +\d+ +\d+ +\d+$/,
  ]) {
    expect(rows.filter((row) => told.test(row))).toHaveLength(1);
  }
  expect(stdout).toMatch(/12 runs: .*2 cancelled/);
  expect(stdout).toContain("Links: 2 to files (1 broken), 1 elsewhere");
  expect(stdout).toContain("  broken, line 3: docs/none.md");

  expect(await countByStatus()).toEqual({ cancelled: 2, completed: 10 });
  expect(await readReports()).toEqual(Object.keys(documents).sort());
  const [killed] = await clone().sql`
    select count(*)::int as runtimes from agent_runtime where status <> 'offline'`;
  expect(killed).toEqual({ runtimes: 1 });
});

async function countByStatus(): Promise<Record<string, number>> {
  const rows = await clone().sql`
    select status, count(*)::int as runs from agent_run group by status`;
  return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
}

/** Paths of the runs that ended with exactly one report and one end, in ascending order. */
async function readReports(): Promise<string[]> {
  const rows = await clone().sql`
    select request.input ->> 'path' as path
    from agent_run run
    join agent_run_event event using (tenant_id, run_id)
    join agent_run_request request using (tenant_id, run_id)
    where run.status = 'completed'
    group by run_id, request.input
    having count(*) filter (where event.data -> 'message' ->> 'content' is not null) = 1
      and count(*) filter (where event.type = 'run.completed') = 1`;
  return rows.map(({ path }) => path as string).sort();
}

describe("what it refuses, before anything is started", () => {
  const cases: [args: string[], words: string][] = [
    [["no-such-folder"], "there is no folder no-such-folder"],
    [["a-file.md"], "a-file.md is not a folder"],
    [["empty"], "holds no document to report on"],
    [["empty", "empty"], "only one folder, not 2"],
    [["--fast"], "Unknown option '--fast'"],
    [["--workers", "1"], "--workers must be a whole number from 2 to 16"],
    [["--workers", "many"], "--workers must be a whole number from 2 to 16"],
  ];
  test.each(cases)("%j", async (args, words) => {
    await writeFolder("empty", {});
    await writeFile(join(world, "a-file.md"), "# A\n");
    const { code, stdout, stderr } = await startDemo(args, {}).ended;
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.split("\n")).toEqual([
      expect.stringContaining(words),
      "usage: npm run demo -- [FOLDER] [--keep] [--workers N]",
      "",
    ]);
  });
});

test("Ctrl-C stops workers and database, and removes the data", { timeout: 120_000 }, async () => {
  const folder = await writeFolder("small", { "a.md": "# A\n" });
  const temporary = await writeFolder("temporary", {});
  const demo = startDemo([folder], { TMPDIR: temporary });
  await demo.said("workers are ready");
  expect(await readdir(temporary)).toHaveLength(1);
  const children = await listChildren(demo.child.pid ?? 0);
  expect(children.length).toBeGreaterThanOrEqual(4);
  demo.child.kill("SIGINT");
  const { code, stderr } = await demo.ended;
  expect(stderr).toBe("demo: stopped by SIGINT\n");
  expect(code).toBe(130);
  expect(await readdir(temporary)).toEqual([]);
  expect(children.filter(isAlive)).toEqual([]);
});

/** The workers and the database: processes that the demo started. */
async function listChildren(parent: number): Promise<number[]> {
  const child = spawn("ps", ["-A", "-o", "pid=,ppid="]);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => chunks.push(data));
  await once(child, "close");
  const pairs = Buffer.concat(chunks).toString().trim().split("\n");
  return pairs
    .map((pair) => pair.trim().split(/\s+/).map(Number))
    .flatMap(([pid = 0, ppid = 0]) => (ppid === parent ? [pid] : []));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
