// Reads protocol/fixtures and protocol/worlds and refuses what protocol/README.md does not
// describe, so that a misspelt member of a fixture can never make it pass.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "./link.js";

export type Send =
  | { method: string; params?: Json; notification?: true }
  | { frame: Json }
  | { raw: string };

export interface Step {
  note?: string;
  as?: string;
  on?: string;
  send?: Send;
  upgrade?: { path?: string; token?: string };
  notify?: Json;
  unheard?: Json;
  closed?: number;
  expect?: { result?: Json; error?: Json; frame?: Json; silence?: true; status?: number };
  save?: Record<string, string>;
}

export interface Fixture {
  title: string;
  why: string;
  world: string;
  as: string;
  needs?: string[];
  let?: Record<string, Json>;
  steps: Step[];
}

export interface World {
  title: string;
  after?: string;
  config?: Json;
  identities?: Record<string, { identity?: string; permissions: string[]; tenant_id?: string }>;
  let?: Record<string, Json>;
  steps?: Step[];
}

export interface FixtureFile {
  /** `run_get/through_own_run` */
  name: string;
  folder: string;
  fixture: Fixture;
}

const root = new URL("../../protocol/", import.meta.url).pathname;

/** What a step does; each does one. */
const actions = ["send", "upgrade", "notify", "unheard", "closed"] as const;

const known = {
  fixture: ["title", "why", "world", "as", "needs", "let", "steps"],
  world: ["title", "after", "config", "identities", "let", "steps"],
  step: ["note", "as", "on", "send", "upgrade", "notify", "unheard", "closed", "expect", "save"],
  send: ["method", "params", "notification", "frame", "raw"],
  expect: ["result", "error", "frame", "silence", "status"],
};

export function listFixtures(): FixtureFile[] {
  const fixtures = join(root, "fixtures");
  const names = readdirSync(fixtures, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => {
      const fixture = readJson(join(fixtures, name)) as Fixture;
      checkFixture(name, fixture);
      const bare = name.replace(/\.json$/, "");
      return { name: bare, folder: bare.split("/")[0]!, fixture };
    });
}

export function readWorld(name: string): World {
  const world = readJson(join(root, "worlds", `${name}.json`)) as World;
  refuseUnknown(`world ${name}`, world, known.world);
  for (const step of world.steps ?? []) checkStep(`world ${name}`, step);
  return world;
}

export function readProtocol(path: string): Json {
  return readJson(join(root, path));
}

function checkFixture(name: string, fixture: Fixture): void {
  refuseUnknown(name, fixture, known.fixture);
  for (const member of ["title", "why", "world", "as"] as const) {
    if (!fixture[member]) throw new Error(`${name}: has no ${member}`);
  }
  if (fixture.steps.length === 0) throw new Error(`${name}: has no steps`);
  for (const step of fixture.steps) checkStep(name, step);
}

function checkStep(name: string, step: Step): void {
  refuseUnknown(name, step, known.step);
  refuseUnknown(name, step.send ?? {}, known.send);
  refuseUnknown(name, step.expect ?? {}, known.expect);
  const kinds = actions.filter((kind) => kind in step);
  if (kinds.length !== 1) throw new Error(`${name}: a step does one thing: ${kinds.join(", ")}`);
  const outcomes = Object.keys(step.expect ?? {});
  const wanted = kinds[0] === "send" || kinds[0] === "upgrade" ? 1 : 0;
  if (outcomes.length !== wanted) throw new Error(`${name}: ${kinds[0]} expects ${outcomes}`);
}

export function refuseUnknown(name: string, value: object, members: readonly string[]): void {
  const unknown = Object.keys(value).filter((member) => !members.includes(member));
  if (unknown.length > 0) throw new Error(`${name}: unknown member ${unknown.join(", ")}`);
}

function readJson(path: string): Json {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`);
  }
}
