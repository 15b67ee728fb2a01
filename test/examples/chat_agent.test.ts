// The chat demo as a user runs it, on a database of its own. What it says is held against the rows.
// Also: a question that has no answer, what it refuses, and that Ctrl-C leaves nothing behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useClone } from "../support/clone.js";

const demo_file = fileURLToPath(new URL("../../examples/chat_agent/demo.js", import.meta.url));
const clone = useClone();

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-chat-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Only what the demo may need: the settings of whoever runs the tests are not its own. */
function startDemo(args: string[], environment: Record<string, string>) {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...environment };
  const child = spawn(process.execPath, [demo_file, ...args], { env, cwd: folder });
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

const verdict = "both conversations went as they had to";

test("two conversations at once, and the rows agree", { timeout: 320_000 }, async () => {
  const { code, stdout, stderr } = await startDemo([], { DATABASE_URL: clone().url }).ended;
  expect(stderr).toBe("");
  expect(stdout).toContain(verdict);
  expect(code).toBe(0);

  const said = stdout.split("\n");
  for (const line of [
    "ada   > And what is an epoch?",
    "ada     (reaches the run that is working)",
    "ada   ? Delete 1 note? → approve",
    "ada   < Ada, you said earlier: \"And what is an epoch?\"",
    "ada   < Ada, I deleted 1 note.",
    "grace   (reaches the run that is working)",
    "grace ? Delete 1 note? → decline",
    "grace < Grace, I kept your 1 note.",
    "grace < Grace, your notes: buy tea.",
    "grace < Grace, as you asked earlier: a lease is the time for which a claim holds, 1 minute " +
      "unless the worker asks for another.",
    "grace < Grace, I do not know that; I know only a few things about runhost.",
  ]) expect(said.filter((one) => one === line)).toEqual([line]);
  // A draft that a further message made out of date.
  expect(said.filter((line) => /^grace ~ Grace, steering is .*…$/.test(line))).toHaveLength(1);

  const { sql } = clone();
  const runs = await sql`
    select dispatch, status, count(*)::int as runs from agent_run group by 1, 2 order by 1`;
  expect([...runs]).toEqual([
    { dispatch: "queued", status: "completed", runs: 13 },
    { dispatch: "running", status: "completed", runs: 2 },
  ]);
  const steering = await sql`
    select type, state, count(*)::int as items from agent_run_steering group by 1, 2 order by 1`;
  expect([...steering]).toEqual([
    { type: "interaction.submitted", state: "injected", items: 2 },
    { type: "message", state: "injected", items: 2 },
  ]);
  const [runtimes] = await sql`
    select count(*) filter (where status = 'offline')::int as offline, count(*)::int as started
    from agent_runtime`;
  expect(runtimes).toEqual({ offline: 2, started: 2 });
});

test("a question without an answer gets none", { timeout: 320_000 }, async () => {
  const question = "What is the colour of the sky?";
  const { code, stdout } = await startDemo([question], { DATABASE_URL: clone().url }).ended;
  expect(stdout).toContain(`ada   > ${question}\n`);
  const unknown = "I do not know that; I know only a few things about runhost.";
  expect(stdout).toContain(`ada   < Ada, ${unknown}\n`);
  expect(stdout).toContain("answers counted by both agents together: 14\n");
  expect(stdout).toContain(verdict);
  expect(code).toBe(0);
});

describe("what it refuses, before anything is started", () => {
  const cases: [args: string[], words: string][] = [
    [["What is", "a lease?"], "chat: only one question; put it in quotes"],
    [["Delete my notes"], "chat: \"Delete my notes\" is not a question about runhost"],
  ];
  test.each(cases)("%j", async (args, words) => {
    const { code, stdout, stderr } = await startDemo(args, {}).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`${words}\nusage: npm run chat -- ["A QUESTION OF YOUR OWN"]\n`);
  });
});

test("fails when an agent dies, and leaves nothing", { timeout: 320_000 }, async () => {
  const demo = startDemo([], { DATABASE_URL: clone().url });
  await demo.said("(reaches the run that is working)");
  const agents = await listChildren(demo.child.pid ?? 0);
  expect(agents).toHaveLength(2);
  process.kill(agents[0] ?? 0, "SIGKILL");
  const { code, stdout, stderr } = await demo.ended;
  expect(stderr).toMatch(/^chat: chat-\S+-agent-[12] ended by itself\n$/);
  expect(stdout).not.toContain(verdict);
  expect(code).toBe(1);
  expect(agents.filter(isAlive)).toEqual([]);
});

test("Ctrl-C stops agents and database, and removes the data", { timeout: 320_000 }, async () => {
  const temporary = await mkdtemp(join(folder, "temporary-"));
  const demo = startDemo([], { TMPDIR: temporary });
  await demo.said("(reaches the run that is working)");
  expect(await readdir(temporary)).toHaveLength(1);
  const children = await listChildren(demo.child.pid ?? 0);
  expect(children.length).toBeGreaterThanOrEqual(3);
  demo.child.kill("SIGINT");
  const { code, stderr } = await demo.ended;
  expect(stderr).toBe("chat: stopped by SIGINT\n");
  expect(code).toBe(130);
  expect(await readdir(temporary)).toEqual([]);
  expect(children.filter(isAlive)).toEqual([]);
});

/** The agents and the database: processes that the demo started. */
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
