// What protocol/README.md says about threats has to be so: the tests that it names exist, its bounds are
// those of the code, its journal is one that `runhost verify` reads.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bounds, readConfig, variableOf } from "../../src/config.js";
import { readJournal } from "../../src/verify/journal.js";
import { root } from "../house/source.js";

const readme = readFileSync(join(root, "protocol", "README.md"), "utf8");
const sectionOf = (title: string): string =>
  new RegExp(`^## ${title}\\n(.*?)^## `, "ms").exec(readme)?.[1] ?? "";
const threats = sectionOf("Threat model");

test("each promise names tests, and these exist", () => {
  const rows = [...threats.matchAll(/^\| (T\d+) \| .* \| (.*) \|$/gm)];
  expect(rows.map(([, id]) => id)).toEqual(rows.map((_, at) => `T${at + 1}`));
  expect(rows.length).toBeGreaterThan(10);
  for (const [, id, shown] of rows) {
    const files = [...shown!.matchAll(/`(test\/[\w/]+\.test\.ts)`/g)].map(([, file]) => file!);
    expect(files.length, id).toBeGreaterThan(0);
    expect(files.filter((file) => !existsSync(join(root, file))), id).toEqual([]);
  }
});

test("every actor is held to promises that are there", () => {
  const held = [...threats.matchAll(/^\| [^|]+ \| [^|]+ \| ([^|]*\bT\d[^|]*) \|$/gm)];
  expect(held).toHaveLength(9);
  const named = held.flatMap(([, text]) => text!.match(/T\d+/g) ?? []);
  for (const id of new Set(named)) expect(threats).toContain(`\n| ${id} | `);
});

test("the bounds are those of the code", () => {
  const config = readConfig({}) as unknown as Record<string, unknown>;
  const variables = [...threats.matchAll(/(\d+)[^|`;]* `(RUNHOST_[A-Z_]+)`/g)];
  expect(variables.length).toBeGreaterThanOrEqual(8);
  for (const [, number, variable] of variables) {
    const key = Object.keys(config).find((name) => variableOf(name) === variable);
    expect([variable, config[key ?? ""]]).toEqual([variable, Number(number)]);
  }
  expect(threats).toContain(`| ${bounds.half_open_max} more |`);
  expect(threats).toContain(`| ${bounds.upgrade_seconds} s | 408`);
  expect(threats).toContain(`| ${bounds.connect_seconds} s, ${bounds.connect_failures} failures |`);
  expect(threats).toContain(`| ${bounds.outgoing_pause_bytes / 2 ** 20} MiB; `
    + `${bounds.outgoing_bytes_max / 2 ** 20} MiB, or ${bounds.stall_seconds} s `);
  expect(threats).toContain(`two pings, ${bounds.ping_seconds} s apart`);
  expect(bounds.ping_misses).toBe(2);
});

test("the journal can be read", async () => {
  const text = /^```\n(.*?)^```/ms.exec(sectionOf("Journals of clients"))?.[1] ?? "";
  const folder = mkdtempSync(join(tmpdir(), "runhost-journal-"));
  try {
    const file = join(folder, "journal.jsonl");
    writeFileSync(file, text);
    const kinds: string[] = [];
    for await (const { kind } of readJournal(file)) kinds.push(kind);
    expect(kinds).toEqual(["call", "read"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
