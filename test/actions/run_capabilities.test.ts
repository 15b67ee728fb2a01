// What a new run is granted by default, what a request may change of it, and which permission a
// wish beyond the defaults needs.

import { describe, expect, it } from "vitest";
import { grantCapabilities, heldIn, type HeldHere } from "../../src/actions/run_capabilities.js";
import { capabilities } from "../../src/contract/access.js";
import type { GrantFacts, HeldPermission } from "../../src/contract/grants.js";

const nothing = { has_conversation: false, has_state: false, has_prompt: false };
const everything = { has_conversation: true, has_state: true, has_prompt: true };

const creator: HeldHere = { permissions: ["agent_run:create"] };
const admin: HeldHere = { permissions: ["agent_run:admin"] };
const both: HeldHere = { permissions: ["agent_run:admin", "runtime:admin"] };
const runtimes: HeldHere = { permissions: ["runtime:admin"] };

const always = ["run_cancel", "run_events_page", "run_get"];
const conversation = [
  "event_get", "event_page", "history_page", "history_search", "run_list", "steering_pull",
];
const fleet = [
  "run_claim", "run_release_claim", "run_renew_claim", "runtime_deregister",
  "runtime_heartbeat", "runtime_list", "runtime_register",
];
const writing = ["run_append_result", "run_finalize"];

const granted = (...args: Parameters<typeof grantCapabilities>) =>
  Object.keys(grantCapabilities(...args).available_apis).sort();

it("the names of these tests are all names", () => {
  const listed = [...always, ...conversation, ...fleet, ...writing, "state", "prompt_get"];
  expect(listed.sort()).toEqual([...capabilities].sort());
});

describe("defaults", () => {
  it("a run of nothing", () => {
    expect(granted({}, nothing, creator)).toEqual(always);
  });
  it("a run of everything", () => {
    const expected = [...always, ...conversation, "prompt_get", "state"].sort();
    expect(granted({}, everything, creator)).toEqual(expected);
  });
  it("a run with a conversation", () => {
    const facts = { ...nothing, has_conversation: true };
    expect(granted({}, facts, creator)).toEqual([...always, ...conversation].sort());
  });
  it("only true is written", () => {
    const { available_apis } = grantCapabilities({}, everything, creator);
    expect(new Set(Object.values(available_apis))).toEqual(new Set([true]));
  });
});

describe("taking away is for everyone", () => {
  it.each([...capabilities])("%s: false", (name) => {
    const { available_apis, denied } = grantCapabilities({ [name]: false }, everything, creator);
    expect(available_apis).not.toHaveProperty(name);
    expect(denied).toBe(null);
  });
});

describe("true for a default changes nothing", () => {
  it.each([...always, ...conversation, "state", "prompt_get"])("%s: true", (name) => {
    const wish = grantCapabilities({ [name]: true }, everything, creator);
    expect(wish).toEqual(grantCapabilities({}, everything, creator));
  });
});

describe("true beyond the defaults", () => {
  it.each([...conversation, "state", "prompt_get", ...writing])("%s", (name) => {
    const wish = { [name]: true };
    const refused = { permission: "agent_run:admin" };
    expect(grantCapabilities(wish, nothing, creator).denied).toEqual(refused);
    expect(grantCapabilities(wish, nothing, runtimes).denied).toEqual(refused);
    expect(grantCapabilities(wish, nothing, admin).denied).toBe(null);
    expect(granted(wish, nothing, admin)).toEqual([...always, name].sort());
  });
  it.each(fleet)("%s", (name) => {
    const wish = { [name]: true };
    expect(grantCapabilities(wish, everything, creator).denied).toEqual({
      permission: "agent_run:admin",
    });
    expect(grantCapabilities(wish, everything, runtimes).denied).toEqual({
      permission: "agent_run:admin",
    });
    expect(grantCapabilities(wish, everything, admin).denied).toEqual({
      permission: "runtime:admin",
    });
    expect(grantCapabilities(wish, everything, both).denied).toBe(null);
    expect(granted(wish, nothing, both)).toEqual([...always, name].sort());
  });
  it("a null wish is no wish", () => {
    expect(granted({ state: undefined }, everything, creator)).toContain("state");
  });
});

it("a limited permission counts in its workspaces only", () => {
  const limited: HeldPermission = { permission: "agent_run:admin", workspaces: ["w1"] };
  const creates: HeldPermission = { permission: "agent_run:create", workspaces: null };
  const grant = { held: [limited, creates] } as unknown as GrantFacts;
  expect(heldIn(grant, "w1").permissions).toEqual(["agent_run:admin", "agent_run:create"]);
  expect(heldIn(grant, "w2").permissions).toEqual(["agent_run:create"]);
  expect(heldIn(grant, null).permissions).toEqual(["agent_run:create"]);
});
