// What the fixtures have to cover, judged by reading them: each action of the published document,
// and each error code. A code that no fixture can bring about stands here with the reason.

import { describe, expect, it } from "vitest";
import { listFixtures, readProtocol, type FixtureFile, type Step } from "./fixture_files.js";
import type { Json } from "./link.js";

const unreachable: Record<string, string> = {
  INTERNAL: "a defect; the contract says of no call that it answers this",
  UNAVAILABLE: "needs a database that does not answer, or a host that is stopping",
  RATE_LIMITED: "no method of version 1 counts calls; the code is kept for hosts that do",
};

/** They serve connections that have proved no identity. */
const open = ["plugin_connect", "ping", "rpc.discover"];

const fixtures = listFixtures();
const methods: string[] = readProtocol("openrpc.json").methods.map(({ name }: Json) => name);
const errors = Object.keys(readProtocol("errors.json"));
const folderOf = (method: string) => method.replaceAll(".", "_");

it("is not empty", () => {
  expect(methods.length).toBeGreaterThan(20);
  expect(fixtures.length).toBeGreaterThan(150);
});

it("each folder is an action", () => {
  const folders = [...new Set(fixtures.map(({ folder }) => folder))];
  expect(folders.filter((folder) => !methods.map(folderOf).includes(folder))).toEqual([]);
});

describe.each(methods)("%s", (method) => {
  const own = fixtures.filter(({ folder }) => folder === folderOf(method));
  const steps = own.flatMap(({ fixture }) => fixture.steps).filter((step) => calls(step, method));
  const refused = steps.flatMap((step) => errorCodes(step.expect));

  it("has three fixtures, a success and a refusal of its params", () => {
    expect(own.length).toBeGreaterThanOrEqual(3);
    expect(steps.some((step) => step.expect?.result !== undefined)).toBe(true);
    expect(refused).toContain("INVALID_PARAMS");
  });

  it("refuses a connection that has proved no identity, unless it is open to one", () => {
    if (!open.includes(method)) expect(refused).toContain("UNAUTHENTICATED");
  });
});

it("each error code is brought about, or cannot be", () => {
  const found = new Set(fixtures.flatMap(codesOf));
  expect(errors.filter((code) => !found.has(code)).sort()).toEqual(Object.keys(unreachable).sort());
});

it("expected numbers are those of errors.json", () => {
  const table = readProtocol("errors.json");
  for (const { name, fixture } of fixtures) {
    for (const { code, data } of fixture.steps.flatMap(({ expect: outcome }) => bodies(outcome))) {
      expect([name, code]).toEqual([name, table[data?.code]?.code ?? code]);
    }
  }
});

const calls = ({ send }: Step, method: string): boolean =>
  send !== undefined && "method" in send && send.method === method;

function codesOf({ fixture }: FixtureFile): string[] {
  return fixture.steps.flatMap((step) => errorCodes(step.expect));
}

const errorCodes = (outcome: Json): string[] =>
  bodies(outcome).map(({ data }) => data?.code).filter((code) => typeof code === "string");

/** Every error body that an expectation holds, also inside frames. */
function bodies(value: Json): Json[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === "error" && typeof member === "object" ? [member] : bodies(member),
  );
}
