// The stops of house sizes: files, functions, lines and folders. A file past its size is two ideas.

import { describe, expect, test } from "vitest";
import { readTree, type SourceFile } from "./source.js";

const source = readTree("src", /\.ts$/);
const tests = readTree("test", /\.(ts|mjs)$/);
const migrations = readTree("migrations", /^\d+_\w+\.sql$/);
/** Sheets and tables are data: they may be as long as what they list. */
const isData = ({ path }: SourceFile) => /sheet|table/.test(path);

const functionStart =
  /^(\s*)(?:export )?(?:default )?(?:async )?(?:function\b.*|(?:const|let) \w+.*=>\s*(?:\w+\()?\{)$/;

/** Functions by their indentation: from their first line to the line that closes it. */
export function measureFunctions(file: SourceFile): { at: string; length: number }[] {
  const found: { at: string; length: number }[] = [];
  file.lines.forEach((line, index) => {
    const indent = functionStart.exec(line)?.[1];
    if (indent === undefined) return;
    const end = file.lines.findIndex((later, at) => at > index && later.startsWith(`${indent}}`)
      && !later.startsWith(`${indent}})${""}: `) && !/^\s*}\)?:.*\{$/.test(later));
    if (end > 0) found.push({ at: `${file.path}:${index + 1}`, length: end - index + 1 });
  });
  return found;
}

describe("sizes", () => {
  test("there are files to measure", () => {
    expect(source.length).toBeGreaterThan(50);
    expect(migrations.length).toBeGreaterThan(5);
    expect(source.flatMap(measureFunctions).length).toBeGreaterThan(200);
  });

  test("source files stop at 300 lines, tests at 500", () => {
    const long = [
      ...source.filter((file) => file.lines.length > 301),
      ...tests.filter((file) => file.lines.length > 501 && !isData(file)),
    ];
    expect(long.map(({ path, lines }) => `${path}: ${lines.length}`)).toEqual([]);
  });

  test("functions stop at 70 lines", () => {
    const long = source.flatMap(measureFunctions).filter(({ length }) => length > 70);
    expect(long).toEqual([]);
  });

  test("lines stop at 100 columns", () => {
    const wide = [...source, ...migrations].flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => ([...line].length > 100 ? [`${path}:${index + 1}`] : [])));
    expect(wide).toEqual([]);
  });

  test("folders stop at 12 files, sql at 40", () => {
    const folders = new Map<string, number>();
    for (const { path } of source) {
      const folder = path.slice(0, path.lastIndexOf("/"));
      folders.set(folder, (folders.get(folder) ?? 0) + 1);
    }
    const full = [...folders].filter(([folder, count]) =>
      count > (folder === "src/sql" ? 40 : 12));
    expect(full).toEqual([]);
  });
});
