// What the runner does with one run, step by step, on real files: the events it emits, the
// documents it refuses, and who holds a run.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DocumentError, writeReport } from "../../examples/document_report/write_report.js";
import { createEmitter, type EmitterParts } from "../../src/worker/run/emitter.js";

type Parts = Parameters<typeof writeReport>[0];

let folder = "";
beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "runhost-report-")), "documents");
  await mkdir(folder);
  await writeFile(join(folder, "a.md"), "[b](b.md) [c](c.md) [c](c.md)\n");
  await writeFile(join(folder, "b.md"), "");
  await writeFile(join(folder, "large.md"), Buffer.alloc(1_048_577, 0x20));
  await writeFile(join(folder, "..", "secret.md"), "# no\n");
  await symlink(join(folder, "..", "secret.md"), join(folder, "linked.md"));
});
afterAll(() => rm(join(folder, ".."), { recursive: true, force: true }));

/** Works on one run, and keeps what was emitted and how it ended. */
async function work(input: object, dispatch_attempts = 1, stopping = new AbortController()) {
  const emitted: [type: string, data: Record<string, any>][] = [];
  const push: EmitterParts["push"] = async ({ type, data }) => {
    emitted.push([type, data]);
    return {} as Awaited<ReturnType<EmitterParts["push"]>>;
  };
  const emit = createEmitter({ push, pushNew: push, makeId: (prefix) => `${prefix}-made` });
  const run = { run_id: "run_1", dispatch_attempts, input } as Parts["run"];
  const ctx = { run, signal: stopping.signal, emit } as Parts["ctx"];
  const [end] = await Promise.allSettled([writeReport({ run, ctx, folder })]);
  return {
    emitted,
    report: end.status === "fulfilled" ? end.value : null,
    thrown: end.status === "rejected" ? end.reason : undefined,
  };
}

const types = ({ emitted }: { emitted: [string, unknown][] }) => emitted.map(([type]) => type);

describe("a report on one document", () => {
  test("shows its two steps, and is what the handler returns", async () => {
    const { emitted, report, thrown } = await work({ path: "a.md" });
    expect(thrown).toBeUndefined();
    const named = (tool_name: string) => ({ tool_call_id: "tool-made", tool_name });
    expect(emitted).toEqual([
      ["tool.call.started", { ...named("read_file"), parameters: { path: "a.md" } }],
      ["tool.call.completed", { ...named("read_file"), result: { bytes: 30 } }],
      ["tool.call.started", { ...named("check_links"), parameters: { path: "a.md", links: 3 } }],
      ["tool.call.completed", { ...named("check_links"), result: { checked: 3, broken: 2 } }],
    ]);
    expect(report).toContain("Links: 3 to files (2 broken)");
  });

  test("that is held stops when it is told to", async () => {
    const stopping = new AbortController();
    const working = work({ path: "a.md", hold_ms: 600_000 }, 1, stopping);
    stopping.abort(new Error("stop"));
    const { emitted, thrown } = await working;
    expect(types({ emitted })).toEqual(["tool.call.started"]);
    expect(thrown).toMatchObject({ name: "AbortError" });
  });

  test("is held by the first worker only, not by who takes the run over", async () => {
    const { emitted, report } = await work({ path: "a.md", hold_ms: 600_000 }, 2);
    expect(emitted).toHaveLength(4);
    expect(report).toContain("Links: 3 to files (2 broken)");
  });
});

describe("documents that it refuses", () => {
  const cases: [path: string, words: RegExp][] = [
    ["../secret.md", /lies outside the folder/],
    ["linked.md", /lies outside the folder/],
    [".", /lies outside the folder/],
    ["gone.md", /cannot be read \(ENOENT\)/],
    ["a.md/b", /cannot be read \(ENOTDIR\)/],
    ["large.md", /is larger than 1 MiB/],
  ];
  test.each(cases)("%s", async (path, words) => {
    const { emitted, thrown } = await work({ path });
    expect(thrown).toBeInstanceOf(DocumentError);
    expect(thrown).toMatchObject({ code: "document.unreadable", retryable: false });
    expect(thrown.message).toMatch(words);
    expect(types({ emitted })).toEqual(["tool.call.started", "tool.call.completed"]);
    expect(emitted[1]?.[1]["error"]).toMatch(words);
  });

  const inputs = [{}, { path: "" }, { path: 1 }, { path: "a.md", hold_ms: -1 },
    { path: "a.md", hold_ms: 1.5 }, { path: "a.md", hold_ms: "1" }, { path: "a.md", hold_ms: 600_001 }];
  test.each(inputs)("the input %j", async (input) => {
    const { emitted, thrown } = await work(input);
    expect(thrown).toBeInstanceOf(DocumentError);
    expect(emitted).toEqual([]);
  });
});
