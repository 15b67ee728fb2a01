// The permission words as tables: what is held, for which workspaces, and what may be granted.

import { describe, expect, test } from "vitest";
import {
  heldPermission, holds, mayGrant, namesOf, unlimitedNames, workspacesOf,
} from "../../src/authz/permissions.js";
import { coversWorkspace } from "../../src/contract/grants.js";

const source = (permissions: string[], workspaces: string[] | null = null) => ({
  permissions,
  workspaces,
});

const all = [
  "agent_run:admin", "agent_run:create", "runtime:admin", "plugin:admin", "plugin:delegate",
] as const;

describe("holds", () => {
  const table: [string, readonly string[]][] = [
    ["agent_run:admin", ["agent_run:admin"]],
    ["agent_run:create", ["agent_run:create"]],
    ["runtime:admin", ["runtime:admin"]],
    ["plugin:admin", ["plugin:admin"]],
    ["plugin:delegate", ["plugin:delegate"]],
    ["agent_run:*", ["agent_run:admin", "agent_run:create"]],
    ["runtime:*", ["runtime:admin"]],
    ["plugin:*", ["plugin:admin", "plugin:delegate"]],
    ["agent_runner:admin", ["agent_run:admin", "agent_run:create", "runtime:admin"]],
    ["*", all],
    ["agent_runner:*", []],
    ["agent_run", []],
    ["AGENT_RUN:ADMIN", []],
    ["", []],
  ];
  test.each(table)("%s gives exactly its permissions", (name, given) => {
    expect(all.filter((wanted) => holds([source([name])], wanted))).toEqual(given);
  });

  test("sources add up and no source gives nothing", () => {
    const both = [source(["agent_run:create"]), source(["plugin:admin"], ["w1"])];
    expect(all.filter((wanted) => holds(both, wanted))).toEqual([
      "agent_run:create", "plugin:admin",
    ]);
    expect(holds([], "plugin:admin")).toBe(false);
  });
});

describe("workspacesOf", () => {
  test("is the sorted union over the sources that give the permission", () => {
    const sources = [
      source(["agent_run:admin"], ["w2", "w1"]),
      source(["agent_run:*"], ["w3", "w1"]),
      source(["runtime:admin"], ["w9"]),
    ];
    expect(workspacesOf(sources, "agent_run:admin")).toEqual(["w1", "w2", "w3"]);
    expect(workspacesOf(sources, "agent_run:create")).toEqual(["w1", "w3"]);
    expect(workspacesOf(sources, "runtime:admin")).toEqual(["w9"]);
  });

  test("one source without workspaces makes the permission unlimited, and only that one", () => {
    const sources = [source(["agent_run:admin"]), source(["agent_runner:admin"], ["w1"])];
    expect(workspacesOf(sources, "agent_run:admin")).toBeNull();
    expect(workspacesOf(sources, "runtime:admin")).toEqual(["w1"]);
  });

  test("a permission that no source gives reaches no workspace", () => {
    expect(workspacesOf([source(["plugin:admin"])], "agent_run:admin")).toEqual([]);
    expect(heldPermission([source(["plugin:admin"])], "agent_run:admin")).toBeNull();
  });

  test("workspaces do not limit the plugin domain", () => {
    expect(workspacesOf([source(["*"], ["w1"])], "plugin:admin")).toBeNull();
    expect(workspacesOf([source(["*"], ["w1"])], "runtime:admin")).toEqual(["w1"]);
  });
});

describe("coversWorkspace", () => {
  const limited = { permission: "agent_run:admin" as const, workspaces: ["w1"] };
  const unlimited = { permission: "agent_run:admin" as const, workspaces: null };
  test.each([
    [null, "w1", false],
    [null, null, false],
    [unlimited, "w1", true],
    [unlimited, null, true],
    [limited, "w1", true],
    [limited, "w2", false],
    [limited, null, false],
  ])("%j over workspace %j: %j", (held, workspace_id, expected) => {
    expect(coversWorkspace(held, workspace_id)).toBe(expected);
  });
});

describe("mayGrant", () => {
  const table: [string[], string[], boolean][] = [
    [[], [], true],
    [[], ["agent_run:create"], false],
    [["*"], ["*", "agent_runner:admin", "plugin:*", "runtime:admin"], true],
    [["agent_run:admin"], ["agent_run:admin"], true],
    [["agent_run:admin"], ["agent_run:create"], false],
    [["agent_run:admin"], ["agent_run:*"], false],
    [["agent_run:admin", "agent_run:create"], ["agent_run:*"], false],
    [["agent_run:*"], ["agent_run:*", "agent_run:admin", "agent_run:create"], true],
    [["agent_run:*"], ["runtime:admin"], false],
    [["agent_run:*"], ["*"], false],
    [["agent_run:*", "runtime:*"], ["agent_runner:admin"], false],
    [["agent_runner:admin"], ["agent_runner:admin", "agent_run:*", "runtime:*"], true],
    [["agent_runner:admin"], ["agent_run:create", "runtime:admin"], true],
    [["agent_runner:admin"], ["plugin:admin"], false],
    [["agent_runner:admin"], ["*"], false],
    [["agent_runner:*"], ["agent_runner:admin"], false],
    [["agent_run:*", "runtime:*", "plugin:*", "agent_runner:admin"], ["*"], false],
    [["plugin:*"], ["plugin:admin", "plugin:delegate"], true],
    [["plugin:admin"], ["plugin:delegate"], false],
    [["agent_run:create", "runtime:admin"], ["agent_run:create", "runtime:admin"], true],
  ];
  test.each(table)("%j may grant %j: %j", (own, wanted, expected) => {
    expect(mayGrant([source(own)], wanted)).toBe(expected);
  });

  test("a source with workspaces never counts, also not for the plugin domain", () => {
    const limited = [source(["*", "plugin:admin"], ["w1"])];
    expect(mayGrant(limited, ["plugin:admin"])).toBe(false);
    expect(mayGrant(limited, ["agent_run:create"])).toBe(false);
    expect(mayGrant(limited, [])).toBe(true);
    expect(mayGrant([...limited, source(["plugin:admin"])], ["plugin:admin"])).toBe(true);
    expect(mayGrant([...limited, source(["plugin:admin"])], ["agent_run:create"])).toBe(false);
  });

  test("names are covered by different unlimited sources together", () => {
    const own = [source(["agent_run:create"]), source(["plugin:*"])];
    expect(mayGrant(own, ["agent_run:create", "plugin:delegate"])).toBe(true);
  });
});

test("namesOf and unlimitedNames list each name once, sorted", () => {
  const sources = [
    source(["runtime:admin", "agent_run:create"]),
    source(["agent_run:create", "*"], ["w1"]),
  ];
  expect(namesOf(sources)).toEqual(["*", "agent_run:create", "runtime:admin"]);
  expect(unlimitedNames(sources)).toEqual(["agent_run:create", "runtime:admin"]);
});
