// The benchmark runs, answers in its shape and leaves nothing behind; how fast anything was is never
// looked at here. Its judgements are tested on made-up numbers.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../house/source.js";
import { goals, judge } from "./goals.js";
import { median, percentile } from "./load/latency.js";
import { findCosts } from "./modes/profile.js";
import { describeChurn } from "./modes/scale.js";
import { judgeGrowth } from "./modes/soak.js";
import { readOptions, UsageError } from "./options.js";
import { drawRows } from "./plot.js";
import { makeRow, toSeries } from "./rows.js";

const main = join(root, "test", "bench", "main.js");
const world = mkdtempSync(join(tmpdir(), "runhost-bench-test-"));
const out = join(world, "out");
/** Everything of the benchmark that outlives it would be seen here. */
const temporary = mkdtempSync(join(world, "tmp-"));

const started: ChildProcess[] = [];

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(world, { recursive: true, force: true });
});

function startBench(args: string[]) {
  const env = { ...process.env, TMPDIR: temporary, DATABASE_URL: inject("server_url") };
  const child = spawn(process.execPath, [main, "--size", "tiny", "--out", out, ...args], {
    env, cwd: world, stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let said = "";
  let printed = "";
  const listeners = new Set<() => void>();
  child.stderr.on("data", (chunk) => {
    said += chunk;
    for (const listener of listeners) listener();
  });
  child.stdout.on("data", (chunk) => (printed += chunk));
  const ended = new Promise<{ code: number | null; printed: string; said: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, printed, said })));
  const hears = (wanted: RegExp) =>
    new Promise<void>((resolve, reject) => {
      listeners.add(() => wanted.test(said) && resolve());
      void ended.then(() => reject(new Error(`it ended without saying ${wanted}: ${said}`)));
    });
  return { child, ended, hears };
}

/** What is left of a benchmark: files, databases, and processes that it started. */
async function findLeftovers(): Promise<string[]> {
  const sql = postgres(inject("server_url"), { max: 1 });
  const databases = await sql`select datname from pg_database where datname like 'runhost_bench_%'`;
  await sql.end();
  const processes = !existsSync("/proc/self/environ") ? [] : readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name)).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`TMPDIR=${temporary}`);
      } catch {
        return false;
      }
    });
  return [...databases.map((row) => String(row["datname"])), ...processes, ...readdirSync(temporary)];
}

/** Fails where an element is not closed, or not by its own name. */
function readElements(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, closing, name = "", self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (closing) expect(open.pop()).toBe(name);
    else names.push(name);
    if (!closing && !self) open.push(name);
  }
  expect(open).toEqual([]);
  return names;
}

describe("a run of two figures", () => {
  let result: Awaited<ReturnType<typeof startBench>["ended"]>;
  let kept: any;

  beforeAll(async () => {
    result = await startBench(["--only", "p3,P6"]).ended;
    kept = JSON.parse(readFileSync(join(out, "latest.json"), "utf8"));
  }, 120_000);

  test("ends well and leaves nothing behind", async () => {
    expect(result.said).not.toContain("could not be measured");
    expect(result.code).toBe(0);
    expect(await findLeftovers()).toEqual([]);
  });

  test("prints a table", () => {
    const lines = result.printed.split("\n").filter((line) => line.startsWith("|"));
    const head = ["id", "figure", "denominator", "ratio", "at least", "aim", "verdict"];
    const cells = lines.map((line) => line.split("|").map((cell) => cell.trim()).slice(1, -1));
    expect(cells[0]).toEqual(head);
    expect(cells.slice(2).map(([id]) => id)).toEqual(["P3", "P6 p50", "P6 p99"]);
    for (const cell of cells.slice(2)) expect(cell.at(-1)).toMatch(/^(misses|at least|aim)$/);
  });

  test("keeps rows with their samples, the denominator of the same rounds and the machine", () => {
    expect(kept).toMatchObject({ mode: "figures", size: "tiny", failures: [] });
    expect(kept.machine.join()).toMatch(/PostgreSQL \d+/);
    const [taken, ...latencies] = kept.rows;
    expect(taken).toMatchObject({ key: "P3", figure: { unit: "per s" } });
    expect(taken.denominator.name).toBe("graphile-worker, plain");
    expect(taken.beside.map(({ name }: { name: string }) => name)).toEqual([
      "pg-boss, fetch 1 and complete 1",
    ]);
    for (const { figure } of latencies) expect(figure).toMatchObject({ unit: "ms" });
    for (const { figure, value } of kept.rows) {
      expect(figure.values).toHaveLength(1);
      expect(value).toBeGreaterThan(0);
      expect(figure.median).toBeGreaterThan(0);
    }
  });

  test("draws a picture, and draws it again from the file", async () => {
    const pictures = readdirSync(out).filter((name) => name.endsWith(".svg"));
    expect(pictures).toHaveLength(1);
    const drawn = readFileSync(join(out, pictures[0]!), "utf8");
    expect(readElements(drawn).filter((name) => name === "path")).toHaveLength(kept.rows.length);
    const again = await startBench(["--plot"]).ended;
    expect(again).toMatchObject({ code: 0, printed: `${join(out, "latest.svg")}\n` });
    expect(readFileSync(join(out, "latest.svg"), "utf8")).toBe(drawn);
  });
});

test("a run that is interrupted ends as the signal asks and leaves nothing behind", async () => {
  const bench = startBench(["--only", "P5,P11"]);
  await bench.hears(/round 1/);
  bench.child.kill("SIGINT");
  const { code, said } = await bench.ended;
  expect(code).toBe(130);
  expect(said).toContain("bench: stopped by SIGINT");
  expect(await findLeftovers()).toEqual([]);
}, 120_000);

test.each([
  [["--only", "P12"], "--only takes P1"],
  [["--only", ","], "not nothing"],
  [["--rounds", "0"], "--rounds must be a number from 1 to 20"],
  [["--rounds", "1.5"], "--rounds must be"],
  [["--soak", "x"], "--soak must be"],
  [["--scale", "--profile"], "one at a time: --scale, --profile"],
  [["--size", "huge"], "--size must be one of full, quick, tiny"],
  [["now"], "now is no option"],
  [["--fast"], "Unknown option '--fast'"],
])("the command line %j is refused", (given, message) => {
  expect(() => readOptions(given)).toThrow(UsageError);
  expect(() => readOptions(given)).toThrow(message);
});

test("a run on a database that cannot be reached says so", async () => {
  const child = spawn(process.execPath, [main, "--size", "tiny", "--out", out], {
    env: { ...process.env, TMPDIR: temporary, DATABASE_URL: "postgres://nobody@127.0.0.1:1/x" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code).toBe(1);
  expect(said).toContain("ECONNREFUSED");
  expect(readdirSync(temporary)).toEqual([]);
}, 60_000);

describe("judgements", () => {
  test("the goals are those of the design", () => {
    const marks = Object.entries(goals).map(([key, { floor, aim }]) => [key, floor, aim]);
    expect(marks).toEqual([
      ["P1", 0.6, 1], ["P2", 1, 2], ["P3", 1, 2], ["P4", 0.3, 1], ["P5", 1.5, 4],
      ["P6 p50", 3, 1.5], ["P6 p99", 10, 4], ["P7 p50", 1.3, 1.1], ["P7 p99", 1.3, 1.1],
      ["P8", 8, 3], ["P9", 300, 200], ["P10 run_list", 20, 8], ["P10 run_events_page", 20, 8],
      ["P10 history_page", 20, 8], ["P11 p50", 10, 4], ["P11 p99", 50, 15],
    ]);
  });

  test("a mark that is met exactly is reached, from above and from below", () => {
    const { "P1": appends, "P8": latency } = goals;
    expect([0.59, 0.6, 0.99, 1].map((value) => judge(appends!, value)))
      .toEqual(["misses", "at least", "at least", "aim"]);
    expect([8.1, 8, 3.1, 3].map((value) => judge(latency!, value)))
      .toEqual(["misses", "at least", "at least", "aim"]);
  });

  test("a ratio is of the medians, its spread of the rounds, and no measurement is no ratio", () => {
    const figure = toSeries("ours", "per s", [10, 40, 20]);
    const row = makeRow("P1", { figure, denominator: toSeries("theirs", "per s", [20, 20, 40]) });
    expect(row).toMatchObject({ value: 1, spread: [0.5, 2], verdict: "aim" });
    const none = toSeries("theirs", "per s", [0, 0, 0]);
    expect(() => makeRow("P1", { figure, denominator: none })).toThrow("P1 could not be measured");
    expect(() => makeRow("P8", { figure: toSeries("ours", "ms", []) })).toThrow("P8 could not be");
  });

  test("percentiles are samples, the median of an even number is between two", () => {
    const samples = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect([0, 0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([1, 100, 198, 200]);
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test("memory is flat unless the last quarter is above the second by more than is allowed", () => {
    const flat = Array.from({ length: 40 }, (_, at) => [at * 60, at < 5 ? 50 : 100 + (at % 3)]);
    expect(judgeGrowth(flat as [number, number][]).is_flat).toBe(true);
    const rising = Array.from({ length: 40 }, (_, at) => [at * 60, 100 + at * 2] as const);
    expect(judgeGrowth(rising)).toMatchObject({ is_flat: false, mb_per_minute: 2 });
  });

  test("churn has recovered in the second in which it is near its rate before", () => {
    const rates = [...Array(5).fill(100), ...Array(9).fill(10), 20, 50, 95, 100, 100, 100];
    expect(describeChurn(rates, { before: 5, released: 14 })).toMatchObject({
      before: 100, during: 10, after: 100, recovery_seconds: 2,
    });
    const lost = [...Array(5).fill(100), ...Array(15).fill(10)];
    expect(describeChurn(lost, { before: 5, released: 14 }).recovery_seconds).toBeNull();
  });

  test("costs are of the last seconds, without idle time, the largest first", () => {
    const frame = (id: number, functionName: string, url = "") =>
      ({ id, callFrame: { functionName, url, lineNumber: 8 } });
    const profile = {
      nodes: [
        frame(1, "(idle)"), frame(2, "parse", `file://${root}dist/wire/frame.js`),
        frame(3, "", "file:///x/node_modules/ws/lib/sender.js"), frame(4, "load"),
      ],
      samples: [4, 1, 2, 3, 2], timeDeltas: [9e6, 5e5, 2e5, 1e5, 1e5],
    };
    expect(findCosts(profile, 1)).toEqual([
      { name: "parse", place: "dist/wire/frame.js:9", share: 0.75 },
      { name: "(anonymous)", place: "ws/lib/sender.js:9", share: 0.25 },
    ]);
  });

  test("a picture escapes what it is told and stays inside its scale", () => {
    const figure = toSeries("ours", "ms", [1000]);
    const svg = drawRows([makeRow("P8", { figure })], ["Node <20> & more"]);
    expect(readElements(svg)).toContain("svg");
    expect(svg).toContain("Node &lt;20&gt; &amp; more");
    expect(svg).not.toMatch(/NaN|Infinity|="-/);
  });
});
