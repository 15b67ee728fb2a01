// What a report says about a document, case by case: headings, fences and links of Markdown, names
// declared in source files, counts, and bytes that are no text.

import { describe, expect, test } from "vitest";
import {
  analyzeDocument, listFileLinks, renderReport, resolveLink,
} from "../../examples/document_report/report.js";

const analyze = (path: string, text: string) => analyzeDocument(path, Buffer.from(text));

describe("headings of Markdown", () => {
  const cases: [title: string, text: string, outline: string[]][] = [
    ["marks of all levels", "# A\n## B\n###### F\n####### no", ["1 A", "2 B", "6 F"]],
    ["closing marks", "# A #\n## B ## \n# C#\n# #", ["1 A", "2 B", "1 C#", "1 "]],
    ["no space after the marks", "#A\n#\n", ["1 "]],
    ["up to three spaces before", "   # A\n\n    # code\n", ["1 A"]],
    ["underlined", "A\n===\n\nB\n---\n", ["1 A", "2 B"]],
    ["a rule under a blank line", "A\n\n---\n\n***\n", []],
    ["a rule under a list", "- a\n---\n", []],
    ["an underline under a quote", "> a\n---\n", []],
    ["front matter", "---\ntitle: x\n---\n# A\n", ["1 A"]],
    ["front matter that never ends", "---\n# A\n", ["1 A"]],
    ["in a comment", "<!-- # no\n# no\n-->\n# A <!-- b -->\n", ["1 A"]],
    ["in a list item", "- # A\n\n  ## B\n", ["1 A", "2 B"]],
    ["in a fence", "```sh\n# no\n```\n# A\n", ["1 A"]],
    ["CRLF", "# A\r\n\r\nB\r\n-\r\n", ["1 A", "2 B"]],
  ];
  test.each(cases)("%s", (_title, text, outline) => {
    const found = analyze("a.md", text).outline.map(({ level, title }) => `${level} ${title}`);
    expect(found).toEqual(outline);
  });
});

describe("code fences", () => {
  const cases: [title: string, text: string, fences: string[]][] = [
    ["a language", "```ts\nx\ny\n```\n", ["ts 2 closed"]],
    ["no language", "~~~\n~~~\n", ["none 0 closed"]],
    ["attributes", "```js {1,3} title=x\n```\n```py,ignore\n```\n", ["js 0 closed", "py 0 closed"]],
    ["a fence within a longer one", "````md\n```js\nx\n```\n````\n", ["md 3 closed"]],
    ["other marks within", "~~~\n```\n~~~\n", ["none 1 closed"]],
    ["never closed", "```js\nx\n", ["js 1 open"]],
    ["a closing fence with words is none", "```js\n``` x\n```\n", ["js 1 closed"]],
    ["three backticks in a line", "```x``` y\n", []],
    ["indented code", "a\n\n    ```js\n    ```\n", []],
    ["in list items", "1. a\n\n   ```sh\n   b\n   ```\n- ```ts\n  c\n  ```\n",
      ["sh 1 closed", "ts 1 closed"]],
    ["in a nested list", "- a\n  - b\n\n    ```sql\n    c\n    ```\n", ["sql 1 closed"]],
  ];
  test.each(cases)("%s", (_title, text, fences) => {
    const found = analyze("a.md", text).fences.map(
      ({ language, lines, closed }) => `${language} ${lines} ${closed ? "closed" : "open"}`,
    );
    expect(found).toEqual(fences);
  });
});

describe("links", () => {
  const cases: [title: string, text: string, targets: string[]][] = [
    ["inline", "[a](b.md) and [c](d.md \"title\")", ["b.md", "d.md"]],
    ["images, also within a link", "[![a](b.png)](c.md)", ["b.png", "c.md"]],
    ["parentheses", "[a](b_(c).md)", ["b_(c).md"]],
    ["angle brackets", "[a](<b c.md>)", ["b c.md"]],
    ["definitions", "[a]: b.md\n[^1]: not.md\n", ["b.md"]],
    ["HTML", "<a href=\"b.md\"><img width=1 src='c.png'></a>", ["b.md", "c.png"]],
    ["code spans", "`[a](b.md)` ``x ` [c](d.md)`` [e](f.md)", ["f.md"]],
    ["escaped", "[a\\](b.md)", []],
    ["fences and comments", "```\n[a](b.md)\n```\n<!-- [c](d.md) -->\n", []],
    ["in headings and list items", "# [a](b.md)\n- [c](d.md)\n", ["b.md", "d.md"]],
    ["no target", "[a]() [b]\n", []],
  ];
  test.each(cases)("%s", (_title, text, targets) => {
    expect(analyze("a.md", text).links.map(({ target }) => target)).toEqual(targets);
  });

  const places: [path: string, target: string, place: string | null][] = [
    ["docs/a.md", "b.md", "docs/b.md"],
    ["docs/a.md", "./b.md#part", "docs/b.md"],
    ["docs/a.md", "../b.md?raw", "b.md"],
    ["a.md", "../../b.md", "../../b.md"],
    ["docs/a.md", "/b.md", "b.md"],
    ["docs/a.md", "..", "."],
    ["a.md", "b%20c.md", "b c.md"],
    ["a.md", "100%.md", "100%.md"],
    ["a.md", "b\\_c.md", "b_c.md"],
    ["a.md", "#part", null],
    ["a.md", "https://example.com/b.md", null],
    ["a.md", "mailto:a@example.com", null],
    ["a.md", "//example.com/b", null],
  ];
  test.each(places)("from %s, %s leads to %s", (path, target, place) => {
    expect(resolveLink(path, target)).toBe(place);
  });
});

describe("names declared at the top level", () => {
  const cases: [path: string, text: string, names: string[]][] = [
    ["a.ts", "export interface A {\n  b: 1;\n}\ntype B = 1;\nexport default class C {}\n",
      ["export interface A", "type B", "export default class C"]],
    ["a.js", "export async function* a() {\n  const b = 1;\n}\nexport { c } from \"./c.js\";\n",
      ["export async function* a", "export { c } from \"./c.js\""]],
    ["a.mjs", "/*\nx\nconst a = 1; // y\n*/\nconst b = `\nconst c = 1;\n`;\nconst d = 1;\n",
      ["const b", "const d"]],
    ["a.js", "const a = `${b}\n\\`\nconst c = 1;` /* `\nconst d = 1; */ + \"/*\";\nlet e;\n",
      ["const a", "let e"]],
    ["a.js", "const a = b / c; `\nconst d = 1 / 2;\n`;\nlet e;\n", ["const a", "let e"]],
    ["a.js", "const a = /[`]/;\nconst b = \"`\"; // `\nconst c = 1;\n",
      ["const a", "const b", "const c"]],
    ["a.py", "\"\"\"\ndef a():\n\"\"\"\nasync def b():\n    def c(): pass\nclass D:\n",
      ["async def b", "class D"]],
    ["a.sh", "run() {\n  :\n}\nfunction stop() { :; }\n", ["run", "stop"]],
    ["a.sql", "/*\ncreate table a ();\n*/\nCREATE OR REPLACE FUNCTION b() …\n" +
      "create unique index if not exists c on d (e);\n-- create table f ();\n",
      ["CREATE OR REPLACE FUNCTION b", "create unique index c"]],
    ["a.json", "{\n  \"b\": { \"c\": 1 },\n  \"d\": 2\n}\n", ["b", "d"]],
    ["a.json", "[1, 2]", []],
    ["a.json", "{ no json", []],
    ["a.txt", "const a = 1;", []],
  ];
  test.each(cases)("%s: %j", (path, text, names) => {
    expect(analyze(path, text).outline.map(({ title }) => title)).toEqual(names);
  });

  test("a member of JSON stands at its line", () => {
    const { outline } = analyze("a.json", "{\n  \"b\": 1,\n  \"c\": 2\n}\n");
    expect(outline.map(({ line }) => line)).toEqual([2, 3]);
  });
});

describe("counts", () => {
  const cases: [title: string, text: string, facts: object][] = [
    ["nothing", "", { lines: 0, words: 0, line_ending: "none", ends_with_newline: false }],
    ["one newline", "\n", { lines: 1, words: 0, line_ending: "LF", ends_with_newline: true }],
    ["no newline at the end", "a b\nc",
      { lines: 2, words: 3, line_ending: "LF", ends_with_newline: false }],
    ["CRLF", "a\r\nb\r\n", { lines: 2, words: 2, line_ending: "CRLF", ends_with_newline: true }],
    ["mixed", "a\r\nb\n", { lines: 2, words: 2, line_ending: "mixed", ends_with_newline: true }],
    ["blank lines at the end", "a\n\n\n", { lines: 3, words: 1 }],
    ["a byte order mark", "\uFEFF# A\n", { bytes: 7, lines: 1, is_utf8: true }],
  ];
  test.each(cases)("%s", (_title, text, facts) => {
    expect(analyze("a.md", text)).toMatchObject(facts);
  });

  test("the longest lines, by code points, the first of equals before", () => {
    const { longest_lines } = analyze("a.md", "ab\n\u{1F600}\u{1F600}\u{1F600}\n\nabcd\nab\n");
    expect(longest_lines).toEqual([
      { line: 4, length: 4 }, { line: 2, length: 3 }, { line: 1, length: 2 },
    ]);
  });
});

describe("the text of a report", () => {
  test("says what was found", () => {
    const text = "# A\n## B\n[c](d.md) [e](f.md) [g](https://h.example)\n```js\nx\n```\n```js\n";
    const analysis = analyze("docs/a.md", text);
    expect(listFileLinks(analysis).map(({ place }) => place)).toEqual(["docs/d.md", "docs/f.md"]);
    expect(renderReport(analysis, [{ line: 3, target: "f.md" }])).toBe([
      "Report on docs/a.md (markdown)",
      "7 lines, 11 words, 70 bytes; UTF-8; line ends: LF",
      "Headings:",
      "  A (line 1)",
      "    B (line 2)",
      "Links: 2 to files (1 broken), 1 elsewhere",
      "  broken, line 3: f.md",
      "Code fences:",
      "  js: 2 blocks, 1 line",
      "  never closed: the one of line 7",
      "Longest lines:",
      "  line 3: 42 characters",
      "  line 4: 5 characters",
      "  line 7: 5 characters",
    ].join("\n"));
  });

  test("holds nothing that the host refuses, whatever the document holds", () => {
    const bytes = Buffer.from([0x23, 0x20, 0x41, 0x00, 0x07, 0xff, 0xed, 0xa0, 0x80]);
    const analysis = analyzeDocument("a\n.md", bytes);
    const text = renderReport(analysis, []);
    expect(analysis.is_utf8).toBe(false);
    expect(text).toMatch(/^Report on a\uFFFD\.md \(markdown\)\n.*; not UTF-8; .*no newline/);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
  });

  test("stays short for a long document", () => {
    const text = "# A\n".repeat(5000) + "[a](b.md) ".repeat(5000) + `\n${"x".repeat(500_000)}`;
    const analysis = analyze("a.md", text);
    const report = renderReport(analysis, analysis.links);
    expect(report.length).toBeLessThan(20_000);
    expect(report).toContain("  … and 4940 more");
    expect(report).toContain("line 5002: 500000 characters");
  });

  // A worker that reads cannot renew its lease; the square of a line would cost the claim.
  const hostile = ["](", "[a](b ", "<a ", "` ``", "`", "\"\\", "/[", "/*", "=/a", " "];
  test.each(hostile)("is quick for a mebibyte of %j", (part) => {
    const line = part.repeat(Math.floor(19_000 / part.length));
    const text = `${line}\n`.repeat(Math.floor(1_000_000 / line.length));
    // Time of this process, so that a machine with other work to do does not count.
    const began = process.cpuUsage();
    analyze("a.md", text);
    analyze("a.js", text);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(1500);
  });
});
