// What the fixtures have to cover, judged by reading them: each action of the published document,
// each refusal that the document lists for it, and each error code. What no fixture can bring about
// stands here with the reason; an entry that is brought about after all has to go.

import { describe, expect, it } from "vitest";
import { coveredCodes } from "./error_details.js";
import { listFixtures, readProtocol, type FixtureFile, type Step } from "./fixture_files.js";
import type { Json } from "./link.js";
import { readListedErrors } from "./schema_check.js";

const unreachable: Record<string, string> = {
  INTERNAL: "a defect; the contract says of no call that it answers this",
  UNAVAILABLE: "needs a database that does not answer, or a host that is stopping",
  RATE_LIMITED: "counts the calls of an identity, whatever they ask, and needs a host set up for few",
};

/** Published for every method, whichever is called. */
const everywhere: Record<string, string> = {
  INTERNAL: unreachable["INTERNAL"]!,
  UNAVAILABLE: unreachable["UNAVAILABLE"]!,
  RATE_LIMITED: unreachable["RATE_LIMITED"]!,
  OVERLOADED: "counts requests of a connection, whatever they ask; ping shows it",
};

const persisted = "an ended run lets its plugin read it for seven days, by configuration";
const unproved = "serves connections that have proved nothing";

/** `METHOD CODE`: published, and why no fixture has it. */
const unreached: Record<string, string> = {
  "ping UNAUTHENTICATED": unproved,
  "rpc.discover UNAUTHENTICATED": unproved,
  "run_get SESSION_EXPIRED": persisted,
  "run_explain SESSION_EXPIRED": persisted,
  "run_list SESSION_EXPIRED": persisted,
  "run_events_page SESSION_EXPIRED": persisted,
  "run_wait SESSION_EXPIRED": persisted,
  "run_subscribe SESSION_EXPIRED": persisted,
  "interaction_list SESSION_EXPIRED": persisted,
  "interaction_get SESSION_EXPIRED": persisted,
  "run_emit_result NOT_FOUND": "it has no administrator path, so nobody is told what exists",
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

it("each refusal that a method lists is brought about, or cannot be", () => {
  const missing = [...readListedErrors()].flatMap(([method, codes]) =>
    [...codes]
      .filter((code) => everywhere[code] === undefined && !refusalsOf(method).has(code))
      .map((code) => `${method} ${code}`),
  );
  expect(missing.sort()).toEqual(Object.keys(unreached).sort());
});

it("details are known for each error code", () => {
  expect([...coveredCodes].sort()).toEqual([...errors].sort());
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

/** Of single calls, and of frames of the method's own folder. */
function refusalsOf(method: string): Set<string> {
  return new Set(fixtures.flatMap(({ folder, fixture }) =>
    fixture.steps
      .filter((step) => calls(step, method) || (isFrame(step) && folder === folderOf(method)))
      .flatMap((step) => errorCodes(step.expect)),
  ));
}

const isFrame = ({ send }: Step): boolean =>
  send !== undefined && ("frame" in send || "raw" in send);

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
