// Lists of writes against a real host: each item judged by the caller's own access, in the order of
// the connection, and counted as one request.

import { describe, expect, test } from "vitest";
import { claimOf, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_MAX_IN_FLIGHT: "2" });

const note = (run_id: string, sequence: number, more: object = {}) => ({
  target_run_id: run_id, sequence, type: "action.requested", data: { action: "note" }, ...more,
});
const codes = (items: any[]) => items.map(({ error }) => error?.data.reason ?? error?.data.code ?? "ok");
const sequences = async (run_id: string): Promise<number[]> => {
  const { items } = await world().admin.call("run_events_page", { target_run_id: run_id });
  return items.map(({ sequence }: { sequence: number }) => sequence);
};

/** A plugin with a runtime, and as many claimed runs as asked for. */
async function claimRuns(count: number) {
  const plugin = await registerPlugin(world());
  const { runtime_id } = plugin;
  for (let made = 0; made < count; made += 1) {
    await world().admin.call("run_create", { runner_id: plugin.runner_id });
  }
  const { runs } = await plugin.client.call("run_claim", { runtime_id, max_runs: count });
  return { plugin, claims: runs.map((run: any) => ({ run_id: run.run_id, ...claimOf(run) })) };
}
const proved = ({ run_id, ...claim }: any, sequence: number) => note(run_id, sequence, claim);

describe("access is judged for each item", () => {
  test("a claim admits to its own run only, whoever holds the others", async () => {
    const { plugin, claims: [mine] } = await claimRuns(1);
    const { plugin: other, claims: [theirs] } = await claimRuns(1);
    const swapped = { ...mine, run_id: theirs.run_id };
    const stale = { ...mine, claim_epoch: mine.claim_epoch + 1 };
    const results = [
      proved(mine, 1), proved(theirs, 1), proved(swapped, 1), proved(stale, 9),
      note(theirs.run_id, 1, { run_id: theirs.run_id }), proved(mine, 2),
    ];
    for (const method of ["run_append_result", "run_emit_result"]) {
      const { items } = await plugin.client.call(method, { results });
      expect(codes(items)).toEqual([
        "ok", "claim_not_active", "claim_not_active", "claim_not_active", "not_authorized", "ok",
      ]);
    }
    const runs = [mine, theirs, swapped].map(({ run_id, ...claim }) =>
      ({ target_run_id: run_id, ...claim, status: "completed" }));
    const { items } = await plugin.client.call("run_finalize", { runs });
    expect(codes(items)).toEqual(["ok", "claim_not_active", "claim_not_active"]);
    expect(await sequences(theirs.run_id)).toEqual([]);
    expect(await other.client.call("run_get", { target_run_id: theirs.run_id }).catch(() => "refused"))
      .toBe("refused");
  });

  test("a refused item answers what its call alone would have been answered", async () => {
    const { plugin, claims: [mine] } = await claimRuns(1);
    const results = [
      note("nothing", 1), note(mine.run_id, 1), proved({ ...mine, claim_token: "0" }, 1),
      { ...proved(mine, 1), data: { action: "\0" } }, { ...proved(mine, 1), type: "nonsense" }, {},
      { ...proved(mine, 1), force: true }, proved(mine, 0),
    ];
    const { items } = await plugin.client.call("run_append_result", { results });
    const alone = [];
    for (const params of results) alone.push(await plugin.client.ask("run_append_result", params));
    expect(items).toEqual(alone.map(({ error }) => ({ error })));
    expect(await sequences(mine.run_id)).toEqual([]);
  });
});

describe("the order of a connection", () => {
  test("holds across lists, single calls, kinds of calls and runs", async () => {
    const { plugin: { client }, claims: [a, b] } = await claimRuns(2);
    const end = ({ run_id, ...claim }: any) =>
      ({ target_run_id: run_id, ...claim, status: "completed" });
    const begun = [
      client.ask("run_append_result", { results: [proved(a, 1), proved(b, 1), proved(a, 2)] }),
      client.ask("run_append_result", proved(a, 3)),
    ];
    // Both are in flight; a third would be one too many.
    const over = await client.ask("run_emit_result", { results: [proved(a, 4)] });
    expect(over.error?.data["code"]).toBe("OVERLOADED");
    await Promise.all(begun);
    expect(await sequences(a.run_id)).toEqual([1, 2, 3]);
    const [emitted, ended] = await Promise.all([
      client.call("run_emit_result", { results: [proved(a, 4), proved(b, 2)] }),
      client.call("run_finalize", { runs: [end(b), end(a), end(a)] }),
    ]);
    expect(codes(emitted.items)).toEqual(["ok", "ok"]);
    expect(codes(ended.items)).toEqual(["ok", "ok", "ok"]);
    expect(ended.items.map(({ result }: any) => [result.last_sequence, result.idempotent ?? false]))
      .toEqual([[2, false], [4, false], [4, true]]);
    const after = await client.call("run_append_result", { results: [proved(a, 5), proved(a, 4)] });
    // What is stored may be repeated, also after the end.
    expect(codes(after.items)).toEqual(["RUN_TERMINAL", "ok"]);
  });
});
