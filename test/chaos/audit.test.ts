// The auditor, on ledgers in which an acknowledged write is missing and a row is nobody's.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { registerPlugin, useHost } from "../support/host.js";
import { audit } from "./audit.js";

const world = useHost();

async function auditLines(lines: object[], own_runs = true) {
  const folder = await mkdtemp(join(tmpdir(), "runhost-audit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "one.jsonl");
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { clone } = world();
  const scene = { withSql: (_: string, work: any) => work(clone.sql) };
  return audit(scene as never, { database_url: clone.url, journals: [file], own_runs });
}

const created = (run_id: string, result: object) => ({
  method: "run_create", params: { run_id }, sent_at_ms: 1, answered_at_ms: 2, result: { run_id, ...result },
});

test("an acknowledged run that is missing is lost, one that nobody sent is a duplicate", { timeout: 60_000 }, async () => {
  const plugin = await registerPlugin(world());
  const run = await plugin.client.call("run_create", { run_id: "there", runner_id: plugin.runner_id });
  const right = await auditLines([created("there", run)]);
  expect(right).toMatchObject({ breaches: [], counts: { acked_writes: 1, lost: 0, duplicates: 0 } });
  const missing = await auditLines([created("there", run), created("gone", {})]);
  expect(missing.counts).toMatchObject({ lost: 1, duplicates: 0 });
  expect(missing.breaches).toEqual([expect.stringContaining("gone")]);
  const foreign = await auditLines([]);
  expect(foreign.counts).toMatchObject({ lost: 0, duplicates: 1 });
  expect(foreign.breaches).toEqual(["1 rows that nobody wrote: there"]);
  expect((await auditLines([], false)).breaches).toEqual([]);
});
