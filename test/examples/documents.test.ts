// Which files of a folder the demo reports on, and what it leaves out.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { documents_max, findDocuments } from "../../examples/document_report/documents.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-documents-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(paths: string[], content = "x\n"): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

const find = async () => {
  const { documents, ...left_out } = await findDocuments(folder);
  return { paths: documents.map(({ path }) => path), ...left_out };
};
const none = { over_bound: 0, too_large: 0, unreadable: 0 };

test("Markdown and source files at any depth, by path", async () => {
  await write(["b.MD", "a/c/d.ts", "a/b.sql", "a.py", "e.txt", "md", ".md", ".ci/run.sh"]);
  expect(await find()).toEqual({
    paths: [".ci/run.sh", "a.py", "a/b.sql", "a/c/d.ts", "b.MD"], ...none,
  });
});

test("not what Git ignores as a folder, wherever the name stands", async () => {
  await write(["a.md", "out/b.md", "c/out/d.md", "e/f/g.md", "f/h.md", "node_modules/i.md",
    "j/node_modules/k.md", ".git/l.md", "dist/m.js", ".runhost/n.json", "log/o.md"]);
  await writeFile(join(folder, ".gitignore"), "# log/\nout/\n/e/f/\n*.md\n!a.md\n");
  expect(await find()).toEqual({ paths: ["a.md", "f/h.md", "log/o.md"], ...none });
});

test("no file over 1 MiB, which is counted", async () => {
  await write(["a.md"], "x".repeat(1_048_576));
  await write(["b.md"], "x".repeat(1_048_577));
  expect(await find()).toEqual({ paths: ["a.md"], ...none, too_large: 1 });
});

test("of too many all Markdown, and source files from the first to the last folder", async () => {
  const sources = Array.from({ length: 2 * documents_max }, (_, index) => `src/${1000 + index}.ts`);
  await write([...sources, "z.md"]);
  const { paths, over_bound } = await find();
  expect(paths).toHaveLength(documents_max);
  expect(paths[0]).toBe("z.md");
  expect(paths.at(-1)).toBe("src/1799.ts");
  expect(new Set(paths).size).toBe(documents_max);
  expect(over_bound).toBe(documents_max + 1);
});
