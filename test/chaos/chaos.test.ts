// The smallest form of `npm run chaos`, as anyone would start it: every figure on real processes, judged
// by its counts. Times are shown and not judged here. A seed that fails is named in the failure.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const program = new URL("main.js", import.meta.url).pathname;
const seed = process.env["CHAOS_SEED"] ?? String((Date.now() % 1e9) + 1);

async function startChaos(...args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), "runhost-chaos-test-"));
  const json = join(folder, "chaos.json");
  const { DATABASE_URL: _, ...environment } = process.env;
  const child = spawn(process.execPath, [program, "--smoke", "--json", json, ...args], {
    // What it writes outside the report shows whether it cleaned up.
    env: { ...environment, TMPDIR: folder }, stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  child.stdout.on("data", (bytes) => (printed += bytes));
  child.stderr.on("data", (bytes) => (printed += bytes));
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return {
    child, ended, folder,
    printed: () => printed,
    report: () => JSON.parse(readFileSync(json, "utf8")),
  };
}

test.each(["R1,R2,R5", "R4,R12", "R3,R11,R6", "R7,R8,R10"])("%s hold", { timeout: 240_000 }, async (only) => {
  const chaos = await startChaos("--only", only, "--seed", seed);
  const [code] = await chaos.ended;
  expect([code, code === 0 ? "" : chaos.printed()]).toEqual([0, ""]);
  const { results } = chaos.report();
  const held = results.map(({ id, verdict, breaches }: any) => ({ id, verdict, breaches }));
  const wanted = only.split(",").map((id) => ({ id, verdict: "holds", breaches: [] }));
  expect(held.sort((one: any, other: any) => one.id.localeCompare(other.id)))
    .toEqual(wanted.sort((one, other) => one.id.localeCompare(other.id)));
  for (const { id, counts } of results) {
    expect([id, counts.lost ?? 0, counts.duplicates ?? 0, counts.double_finalized ?? 0]).toEqual([id, 0, 0, 0]);
  }
  expect(await readdir(chaos.folder)).toEqual(["chaos.json"]);
});

test("a signal ends everything that it has started", { timeout: 60_000 }, async () => {
  const chaos = await startChaos("--only", "R3", "--seed", seed);
  await expect.poll(async () => (await readdir(chaos.folder, { recursive: true }))
    .some((name) => name.endsWith("claimers-1.jsonl")), { timeout: 40_000 }).toBe(true);
  chaos.child.kill("SIGINT");
  expect(await chaos.ended).toEqual([130, null]);
  expect(await readdir(chaos.folder)).toEqual([]);
});
