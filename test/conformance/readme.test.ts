// protocol/README.md is what peers read first: its tables have to say what the files and the
// replayer do.

import { readFileSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { fill } from "./fill.js";
import { listFixtures, readProtocol, readWorld } from "./fixture_files.js";
import { differences } from "./match.js";

const protocol = new URL("../../protocol/", import.meta.url);
const readme = readFileSync(new URL("README.md", protocol), "utf8");

it("has the error table of errors.json, both ways", () => {
  const rows = [...readme.matchAll(/^\| (-\d+) \| `(\w+)` \| (yes|no) \|/gm)];
  const told = rows.map(([, number, name, again]) => [name, Number(number), again === "yes"]);
  const published = Object.entries(readProtocol("errors.json") as Record<string, Row>);
  expect(told).toEqual(published.map(([name, { code, retryable }]) => [name, code, retryable]));
});

interface Row {
  code: number;
  retryable: boolean;
}

it("names each matcher and each maker, and no other", () => {
  const named = new Set([...readme.matchAll(/\{"\$(\w+)":/g)].map(([, name]) => `$${name}`));
  const makers = ["$repeat", "$list", "$deep", "$now"];
  const matchers = [...named].filter((name) => !makers.includes(name));
  expect([...named]).toEqual(expect.arrayContaining(makers));
  for (const name of matchers) {
    const argument = name === "$between" || name === "$has" ? [] : "x";
    expect(() => differences("x", { [name]: argument })).not.toThrow();
  }
  expect(() => differences("x", { $other: 1 })).toThrow("there is no matcher");
});

it("uses every world, and each world can be read", () => {
  const names = readdirSync(new URL("worlds/", protocol)).map((name) => name.replace(".json", ""));
  const worlds = names.map((name) => ({ name, world: readWorld(name) }));
  const used = new Set(listFixtures().map(({ fixture }) => fixture.world));
  for (const { world } of worlds) if (world.after) used.add(world.after);
  expect([...used].sort()).toEqual(names.sort());
});

it("matches as it says", () => {
  const row = (actual: unknown, expected: unknown) => differences(actual, expected).length === 0;
  expect(row({ a: 1, b: 2 }, { a: 1 })).toBe(true);
  expect(row({ a: 1 }, { $exact: { a: 1, b: 2 } })).toBe(false);
  expect(row({ b: 2, a: 1 }, { $exact: { a: 1, b: 2 } })).toBe(true);
  expect(row([1, 2], [1])).toBe(false);
  expect(row([1, 2], { $has: [2] })).toBe(true);
  expect(row([1, 2], { $has: [3] })).toBe(false);
  expect(row({}, { a: { $absent: true } })).toBe(true);
  expect(row({ a: null }, { a: { $absent: true } })).toBe(false);
  expect(row({ a: undefined }, { a: null })).toBe(false);
  expect(row("5", 5)).toBe(false);
  expect(row("\u{1F600}", { $length: 1 })).toBe(true);
  expect(row(1.5, { $type: "integer" })).toBe(false);
  expect(row(2, { $between: [2, 2] })).toBe(true);
  expect(row("abc", { $match: "^b" })).toBe(false);
  expect(row("abc", { $not: "abc" })).toBe(false);
});

it("fills in as it says", () => {
  const variables = new Map<string, unknown>([["n", 7], ["now", 100]]);
  expect(fill({ "k${n}": "${n}", t: "a${n}b" }, variables)).toEqual({ k7: 7, t: "a7b" });
  const list = fill({ $list: [2, { id: "r${index}" }] }, variables);
  expect(list).toEqual([{ id: "r0" }, { id: "r1" }]);
  expect(fill([{ $repeat: ["ab", 2] }, { $now: -1 }], variables)).toEqual(["abab", 99]);
  expect(fill({ $deep: 3 }, variables)).toEqual({ d: { d: {} } });
  expect(() => fill("${unset}", variables)).toThrow("is not set");
});
