// Registration and sealing: every mistake stops the start.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { open, own } from "../../src/contract/access.js";
import { actionNames, type ActionName } from "../../src/contract/action_names.js";
import { createHost } from "../../src/dispatch/host.js";
import { anything, handAction } from "./hand_actions.js";

const openNames = ["plugin_connect", "ping", "rpc.discover"];

const action = (name: string, access: Parameters<typeof handAction>[0]["access"] = own()) =>
  handAction({
    name: name as ActionName,
    params: z.strictObject({}),
    result: anything,
    access,
    handle: async () => ({}),
  });

function fillHost(except?: string) {
  const host = createHost();
  for (const name of actionNames) {
    const access = openNames.includes(name) ? open({ before_login: true }) : own();
    if (name !== except) host.action(action(name, access));
  }
  return host;
}

describe("createHost", () => {
  test("a sealed host finds every name, in the order of the list, and nothing else", () => {
    const sealed = fillHost().seal();
    expect(sealed.all.map((one) => one.name)).toEqual([...actionNames]);
    expect(sealed.get("run_get")?.name).toBe("run_get");
    expect(sealed.get("toString")).toBeUndefined();
    expect(sealed.get("__proto__")).toBeUndefined();
  });

  test("refuses a duplicate", () => {
    const host = createHost();
    host.action(action("run_get"));
    expect(() => host.action(action("run_get"))).toThrow("run_get is registered twice");
  });

  test("refuses a name outside the list", () => {
    expect(() => createHost().action(action("run_gett"))).toThrow(
      "run_gett is not in the list of action names",
    );
  });

  test("refuses registering and sealing after seal", () => {
    const host = fillHost();
    host.seal();
    expect(() => host.action(action("run_get"))).toThrow(
      "run_get registers after the host was sealed",
    );
    expect(() => host.seal()).toThrow("the host is sealed already");
  });

  test.each(["run_get", "rpc.discover"])("refuses to seal without %s", (name) => {
    expect(() => fillHost(name).seal()).toThrow(`no action is registered for ${name}`);
  });

  test("refuses an open door for any other name than the three", () => {
    for (const name of actionNames) {
      const add = () => createHost().action(action(name, open({ before_login: true })));
      if (openNames.includes(name)) expect(add).not.toThrow();
      else expect(add).toThrow(`${name} may not be open to every connection`);
    }
  });
});
