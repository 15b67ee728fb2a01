// Reads the fixtures and worlds of protocol/ for the page: what each says, and what stands for its
// variables in an example. It judges nothing; test/conformance does.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Json = any;

export interface Step {
  as?: string;
  send?: { method?: string; params?: Json; notification?: true };
  expect?: { result?: Json; error?: Json };
  save?: Record<string, string>;
}

export interface Fixture {
  /** `run_get/through_own_run` */
  name: string;
  title: string;
  why: string;
  world: string;
  as: string;
  needs?: string[];
  let?: Record<string, Json>;
  steps: Step[];
}

export interface World {
  after?: string;
  identities?: Record<string, { identity?: string; permissions: string[] }>;
  let?: Record<string, Json>;
  steps?: Step[];
}

export interface FixtureShelf {
  fixtures: readonly Fixture[];
  worlds: ReadonlyMap<string, World>;
}

export function readFixtureShelf(protocol: string): FixtureShelf {
  const worlds = listJson(join(protocol, "worlds")).map((file): [string, World] => [
    file.replace(/\.json$/, ""), readJson(join(protocol, "worlds", file)),
  ]);
  const fixtures = listJson(join(protocol, "fixtures")).map((file): Fixture => ({
    ...readJson(join(protocol, "fixtures", file)), name: file.replace(/\.json$/, ""),
  }));
  return { fixtures, worlds: new Map(worlds) };
}

export const fixturesOf = ({ fixtures }: FixtureShelf, method: string): Fixture[] =>
  fixtures.filter(({ name }) => name.startsWith(`${method.replaceAll(".", "_")}/`));

/** Reasons of each error code, with those of the methods that some fixture has them for. */
export function collectReasons(
  { fixtures }: FixtureShelf,
  methods: ReadonlySet<string>,
): Map<string, Map<string, Set<string>>> {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const { send, expect } of fixtures.flatMap(({ steps }) => steps)) {
    const { code, reason } = expect?.error?.data ?? {};
    if (typeof code !== "string" || typeof reason !== "string") continue;
    if (send?.method === undefined || !methods.has(send.method)) continue;
    const reasons = found.get(code) ?? new Map<string, Set<string>>();
    found.set(code, reasons.set(reason, (reasons.get(reason) ?? new Set()).add(send.method)));
  }
  return found;
}

function listJson(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".json"))
    .sort((a, b) => (a < b ? -1 : 1));
}

const readJson = (path: string): Json => JSON.parse(readFileSync(path, "utf8"));
