// The directory over a hand-made reader and a hand-moved clock: tokens, freshness, shared reads,
// what happens when the database does not answer, and who is told that a key is gone.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createDirectory, type ConfiguredPlugin } from "../../src/authz/plugins.js";
import {
  createHandReader, keyId, row, secretOf, sha256, tokenOf, type Row,
} from "./hand_reader.js";

const bot = { tenant_id: "default", plugin_identity: "acme/bot" };
const adminToken = "an admin token of any form";

function setUp(options: { rows?: Row[]; configured?: ConfiguredPlugin[]; idle_max?: number } = {}) {
  const reader = createHandReader(options.rows ?? [row("acme/bot")]);
  const clock = { now: 0 };
  const gone: [string, string | null][] = [];
  const failures: unknown[] = [];
  const directory = createDirectory({
    reader,
    configured: options.configured ?? [],
    admin_token_sha256: sha256(adminToken),
    now_ms: () => clock.now,
    idle_max: options.idle_max,
    on_gone: (principal, active) => gone.push([principal.plugin_identity, active]),
    on_read_failure: (cause) => failures.push(cause),
  });
  return { reader, clock, gone, failures, directory };
}

function holdBack(reader: { gate: Promise<void> | null }): () => void {
  let release = (): void => undefined;
  reader.gate = new Promise((resolve) => {
    release = () => {
      reader.gate = null;
      resolve();
    };
  });
  return release;
}

const entry = (changes: Partial<ConfiguredPlugin> = {}): ConfiguredPlugin => ({
  tenant_id: "default",
  identity: "acme/bot",
  permissions: ["agent_run:admin"],
  enabled: true,
  workspaces: null,
  ...changes,
});

describe("identify", () => {
  test("a good token proves its identity and marks it as seen", async () => {
    const { directory, reader } = setUp();
    expect(await directory.identify(tokenOf("a", "1"))).toEqual({
      principal: bot,
      key_id: keyId("a"),
    });
    expect(reader.seen).toEqual(["acme/bot"]);
  });

  test("the facts of the login are used without another read", async () => {
    const { directory, reader } = setUp();
    await directory.identify(tokenOf("a", "1"));
    expect((await directory.standing(bot)).enabled).toBe(true);
    expect(reader.asked).toEqual([]);
    expect(JSON.stringify(await directory.standing(bot))).not.toContain("sha256");
  });

  test.each([
    ["an unknown key id", tokenOf("b", "1"), {}],
    ["a wrong secret", tokenOf("a", "2"), {}],
    ["a secret that differs at its end", `${tokenOf("a", "1").slice(0, -1)}2`, {}],
    ["a disabled identity", tokenOf("a", "1"), { enabled: false }],
    ["a revoked key", tokenOf("a", "1"), { active_key_id: null }],
    ["a rotated key", tokenOf("a", "1"), { active_key_id: keyId("c") }],
    ["an empty token", "", {}],
    ["upper case", tokenOf("a", "1").toUpperCase(), {}],
    ["a secret that is too short", tokenOf("a", "1").slice(0, -1), {}],
    ["a secret that is too long", `${tokenOf("a", "1")}1`, {}],
    ["the hash in place of the secret", `rh_${keyId("a")}_${sha256(secretOf("1"))}`, {}],
    ["a line break at the end", `${tokenOf("a", "1")}\n`, {}],
  ])("%s is UNAUTHENTICATED without details", async (_, token, changes) => {
    const { directory, reader } = setUp({ rows: [row("acme/bot", changes)] });
    const refused = directory.identify(token);
    await expect(refused).rejects.toMatchObject({ code: "UNAUTHENTICATED", details: {} });
    expect(reader.seen).toEqual([]);
  });

  test("a key id that the reader finds, but that is not the active one, is refused", async () => {
    const { directory, reader } = setUp();
    const stale = { ...row("acme/bot"), secret_sha256: sha256(secretOf("1")) };
    reader.byKey = async () => ({ ...stale, active_key_id: keyId("c") });
    await expect(directory.identify(tokenOf("a", "1"))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
  });

  test("the built-in administrator needs no database", async () => {
    const { directory, reader } = setUp();
    reader.failure = new Error("no database");
    const proof = await directory.identify(adminToken);
    expect(proof).toEqual({
      principal: { tenant_id: "default", plugin_identity: "runhost/admin" },
      key_id: null,
    });
    expect(await directory.standing(proof.principal)).toMatchObject({
      enabled: true,
      sources: [{ permissions: ["*"], workspaces: null }],
    });
    expect(directory.permissions(proof.principal)).toEqual(["*"]);
  });

  test("an unreachable database is UNAVAILABLE and the cause goes to the log only", async () => {
    const { directory, reader, failures } = setUp();
    reader.failure = new Error("connect ECONNREFUSED");
    const refused = directory.identify(tokenOf("a", "1"));
    await expect(refused).rejects.toMatchObject({ code: "UNAVAILABLE", details: {} });
    expect(failures).toEqual([reader.failure]);
  });
});

describe("standing", () => {
  test("adds the enabled configuration entries to the table row", async () => {
    const configured = [
      entry({ workspaces: ["w1"] }),
      entry({ permissions: ["*"], enabled: false }),
      entry({ permissions: ["plugin:*"], tenant_id: "other" }),
      entry({ permissions: ["plugin:*"], identity: "acme/other" }),
    ];
    const rows = [row("acme/bot", { permissions: ["agent_run:create"] })];
    const { directory } = setUp({ rows, configured });
    expect((await directory.standing(bot)).sources).toEqual([
      { permissions: ["agent_run:create"], workspaces: null },
      { permissions: ["agent_run:admin"], workspaces: ["w1"] },
    ]);
    expect(directory.permissions(bot)).toEqual(["agent_run:admin", "agent_run:create"]);
  });

  test("an identity that only configuration knows is not registered", async () => {
    const { directory } = setUp({ rows: [], configured: [entry()] });
    expect(await directory.standing(bot)).toEqual({ principal: bot, enabled: false, sources: [] });
    expect(directory.permissions(bot)).toEqual([]);
  });

  test("the same name in another tenant is another identity", async () => {
    const { directory } = setUp();
    const elsewhere = { ...bot, tenant_id: "other" };
    expect((await directory.standing(bot)).enabled).toBe(true);
    expect((await directory.standing(elsewhere)).enabled).toBe(false);
  });

  test("reads again once the facts are 5 s old, and not before", async () => {
    const { directory, reader, clock } = setUp();
    await directory.standing(bot);
    reader.rows.set("default acme/bot", row("acme/bot", { permissions: ["*"] }));
    clock.now = 4999;
    expect((await directory.standing(bot)).sources[0]?.permissions).toEqual([]);
    expect(reader.asked.length).toBe(1);
    clock.now = 5000;
    expect((await directory.standing(bot)).sources[0]?.permissions).toEqual(["*"]);
    expect(reader.asked.length).toBe(2);
  });

  test("an unknown identity is remembered for one second", async () => {
    const { directory, reader, clock } = setUp({ rows: [] });
    await directory.standing(bot);
    clock.now = 999;
    await directory.standing(bot);
    expect(reader.asked.length).toBe(1);
    reader.rows.set("default acme/bot", row("acme/bot"));
    clock.now = 1000;
    expect((await directory.standing(bot)).enabled).toBe(true);
  });

  test("callers at the same moment share one read", async () => {
    const { directory, reader } = setUp();
    const all = await Promise.all(Array.from({ length: 50 }, () => directory.standing(bot)));
    expect(all.every((one) => one.enabled)).toBe(true);
    expect(reader.asked).toEqual([["acme/bot"]]);
  });

  test("stale facts with an unreachable database are UNAVAILABLE, fresh ones serve", async () => {
    const { directory, reader, clock, failures } = setUp();
    await directory.standing(bot);
    reader.failure = new Error("down");
    clock.now = 4999;
    expect((await directory.standing(bot)).enabled).toBe(true);
    clock.now = 5000;
    await expect(directory.standing(bot)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(failures).toEqual([reader.failure]);
    reader.failure = null;
    expect((await directory.standing(bot)).enabled).toBe(true);
  });

  test("the least recently used identities are forgotten, held ones are not", async () => {
    const rows = ["a/1", "a/2", "a/3", "a/4"].map((identity) => row(identity));
    const { directory, reader } = setUp({ rows, idle_max: 2 });
    const named = (plugin_identity: string) => ({ tenant_id: "default", plugin_identity });
    const release = directory.hold({ principal: named("a/1"), key_id: null });
    for (const { plugin_identity } of rows) await directory.standing(named(plugin_identity));
    await directory.standing(named("a/3"));
    await directory.standing(named("a/1"));
    expect(reader.asked.flat()).toEqual(["a/1", "a/2", "a/3", "a/4"]);
    await directory.standing(named("a/2"));
    expect(reader.asked.flat().at(-1)).toBe("a/2");
    release();
    await directory.standing(named("a/1"));
    await directory.standing(named("a/4"));
    expect(reader.asked.flat().slice(5)).toEqual(["a/4"]);
  });
});

describe("forget", () => {
  test("the next standing reads again", async () => {
    const { directory, reader } = setUp();
    await directory.standing(bot);
    reader.rows.set("default acme/bot", row("acme/bot", { permissions: ["*"] }));
    directory.forget(bot);
    expect((await directory.standing(bot)).sources[0]?.permissions).toEqual(["*"]);
  });

  test("a read that began before the change does not stay", async () => {
    const { directory, reader } = setUp();
    const release = holdBack(reader);
    const early = directory.standing(bot);
    await vi.waitFor(() => expect(reader.asked.length).toBe(1));
    reader.gate = null;
    reader.rows.set("default acme/bot", row("acme/bot", { enabled: false }));
    directory.forget(bot);
    expect((await directory.standing(bot)).enabled).toBe(false);
    release();
    expect((await early).enabled).toBe(true);
    expect((await directory.standing(bot)).enabled).toBe(false);
    expect(reader.asked.length).toBe(2);
  });

  test("an identity that nobody has asked for is no reason to read", async () => {
    const { directory, reader } = setUp();
    directory.forget(bot);
    await directory.refresh();
    expect(reader.asked).toEqual([]);
  });
});

describe("refresh and keys that are gone", () => {
  const held = { principal: bot, key_id: keyId("a") };

  test.each([
    ["rotated", { active_key_id: keyId("c") }, [["acme/bot", keyId("c")]]],
    ["revoked", { active_key_id: null }, [["acme/bot", null]]],
    ["disabled", { enabled: false }, [["acme/bot", null]]],
    ["given other permissions", { permissions: ["*"] }, []],
  ])("a held identity that was %s", async (_, changes, expected) => {
    const { directory, reader, gone } = setUp();
    directory.hold(held);
    await directory.refresh();
    expect(gone).toEqual([]);
    reader.rows.set("default acme/bot", row("acme/bot", changes));
    await directory.refresh();
    expect(gone).toEqual(expected);
  });

  test("a row that is gone takes its connections along", async () => {
    const { directory, reader, gone } = setUp();
    directory.hold(held);
    reader.rows.clear();
    await directory.refresh();
    expect(gone).toEqual([["acme/bot", null]]);
  });

  test("is told again until the old key is released: no late login slips through", async () => {
    const { directory, reader, gone } = setUp();
    await directory.identify(tokenOf("a", "1"));
    reader.rows.set("default acme/bot", row("acme/bot", { active_key_id: keyId("c") }));
    await directory.refresh();
    const release = directory.hold(held);
    directory.hold({ principal: bot, key_id: keyId("c") });
    await directory.refresh();
    await directory.refresh();
    expect(gone.length).toBe(2);
    release();
    release();
    await directory.refresh();
    expect(gone.length).toBe(2);
  });

  test("a release counts once, however often it is called", async () => {
    const { directory, reader, gone } = setUp();
    const release = directory.hold(held);
    directory.hold(held);
    release();
    release();
    reader.rows.set("default acme/bot", row("acme/bot", { enabled: false }));
    await directory.refresh();
    expect(gone).toEqual([["acme/bot", null]]);
  });

  test("forgetting a held identity reads and tells at once", async () => {
    const { directory, reader, gone } = setUp();
    directory.hold(held);
    await directory.refresh();
    reader.rows.set("default acme/bot", row("acme/bot", { enabled: false }));
    directory.forget(bot);
    await vi.waitFor(() => expect(gone).toEqual([["acme/bot", null]]));
    expect((await directory.standing(bot)).enabled).toBe(false);
    expect(reader.asked.length).toBe(2);
  });

  test("a connection that only speaks for an identity is not told", async () => {
    const { directory, reader, gone } = setUp();
    directory.hold({ principal: bot, key_id: null });
    for (const changes of [{ active_key_id: keyId("c") }, { enabled: false }]) {
      reader.rows.set("default acme/bot", row("acme/bot", changes));
      await directory.refresh();
    }
    expect(gone).toEqual([]);
    expect((await directory.standing(bot)).enabled).toBe(false);
  });

  test("reads all held identities in one go, and nothing when none is held", async () => {
    const { directory, reader } = setUp({ rows: [row("a/1"), row("a/2")] });
    await directory.refresh();
    const releases = ["a/1", "a/2"].map((plugin_identity) =>
      directory.hold({ principal: { tenant_id: "default", plugin_identity }, key_id: keyId("a") }),
    );
    await directory.refresh();
    for (const release of releases) release();
    await directory.refresh();
    expect(reader.asked).toEqual([["a/1", "a/2"]]);
  });

  test("a refresh that fails is reported, told to nobody, and the next one works", async () => {
    const { directory, reader, gone, failures } = setUp();
    directory.hold(held);
    reader.failure = new Error("down");
    await directory.refresh();
    expect(failures).toEqual([reader.failure]);
    expect(gone).toEqual([]);
    reader.failure = null;
    await directory.refresh();
    expect((await directory.standing(bot)).enabled).toBe(true);
    expect(reader.asked.length).toBe(2);
  });

  describe("by itself", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    test("every 2 s from start to stop, in one loop", async () => {
      const { directory, reader } = setUp();
      directory.hold(held);
      directory.start();
      directory.start();
      await vi.advanceTimersByTimeAsync(1999);
      expect(reader.asked.length).toBe(0);
      await vi.advanceTimersByTimeAsync(4001);
      expect(reader.asked.length).toBe(3);
      directory.stop();
      directory.stop();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(reader.asked.length).toBe(3);
    });

    test("a stop during a refresh ends it, and a start begins one loop again", async () => {
      const { directory, reader } = setUp();
      directory.hold(held);
      directory.start();
      const release = holdBack(reader);
      await vi.advanceTimersByTimeAsync(2000);
      directory.stop();
      directory.start();
      release();
      await vi.advanceTimersByTimeAsync(2000);
      expect(reader.asked.length).toBe(2);
      await vi.advanceTimersByTimeAsync(2000);
      expect(reader.asked.length).toBe(3);
      directory.stop();
    });
  });
});
