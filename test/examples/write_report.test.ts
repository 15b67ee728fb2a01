// What the runner does with one run, step by step, on real files: the events it emits, the
// documents it refuses, and how it takes over a run that another worker had begun.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DocumentError, writeReport } from "../../examples/document_report/work/write_report.js";

type Held = Parameters<typeof writeReport>[0]["held"];
type Connection = Parameters<typeof writeReport>[0]["connection"];

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

/** Works on one run and keeps what was emitted; `stored` is the type of the run's last event. */
async function work(input: object, stored: string | null = null, stopping = new AbortController()) {
  const emitted: [type: string, data: Record<string, any>][] = [];
  const item = { run_id: "run_1", claim_epoch: 3, last_sequence: stored === null ? 0 : 5, input };
  const held = {
    item,
    signal: stopping.signal,
    async emit(type: string, data: object) {
      emitted.push([type, data]);
    },
  } as unknown as Held;
  const connection = { call: async () => ({ items: [{ type: stored }] }) } as unknown as Connection;
  const thrown = await writeReport({ held, connection, folder }).catch((cause: unknown) => cause);
  return { emitted, thrown };
}

const types = ({ emitted }: { emitted: [string, unknown][] }) => emitted.map(([type]) => type);
const allTypes = [
  "tool.call.started", "tool.call.completed", "tool.call.started", "tool.call.completed",
  "message.completed", "run.completed",
];

describe("a report on one document", () => {
  test("is told in six events", async () => {
    const { emitted, thrown } = await work({ path: "a.md" });
    expect(thrown).toBeUndefined();
    expect(emitted.slice(0, 4)).toEqual([
      ["tool.call.started",
        { tool_call_id: "read_file-3", tool_name: "read_file", parameters: { path: "a.md" } }],
      ["tool.call.completed",
        { tool_call_id: "read_file-3", tool_name: "read_file", result: { bytes: 30 } }],
      ["tool.call.started",
        { tool_call_id: "check_links-3", tool_name: "check_links",
          parameters: { path: "a.md", links: 3 } }],
      ["tool.call.completed",
        { tool_call_id: "check_links-3", tool_name: "check_links",
          result: { checked: 3, broken: 2 } }],
    ]);
    expect(emitted[4]?.[1]["message"].content).toContain("Links: 3 to files (2 broken)");
    expect(emitted[5]).toEqual(["run.completed", { finish_reason: "stop" }]);
  });

  test("begins anew where the worker before had not got to the report", async () => {
    expect(types(await work({ path: "a.md" }, "tool.call.completed"))).toEqual(allTypes);
  });

  test("only ends the run where the report is stored already", async () => {
    expect(types(await work({ path: "a.md" }, "message.completed"))).toEqual(["run.completed"]);
  });

  test("stops in a pause when it is told to", async () => {
    const stopping = new AbortController();
    const working = work({ path: "a.md", pace_ms: 60_000 }, null, stopping);
    stopping.abort(new Error("stop"));
    const { emitted, thrown } = await working;
    expect(types({ emitted })).toEqual(["tool.call.started"]);
    expect(thrown).toMatchObject({ name: "AbortError" });
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
    expect((thrown as Error).message).toMatch(words);
    expect(types({ emitted })).toEqual(["tool.call.started", "tool.call.completed"]);
    expect(emitted[1]?.[1]["error"]).toMatch(words);
  });

  const inputs = [{}, { path: "" }, { path: 1 }, { path: "a.md", pace_ms: -1 },
    { path: "a.md", pace_ms: 1.5 }, { path: "a.md", pace_ms: "1" }];
  test.each(inputs)("the input %j", async (input) => {
    const { emitted, thrown } = await work(input);
    expect(thrown).toBeInstanceOf(DocumentError);
    expect(emitted).toEqual([]);
  });
});
