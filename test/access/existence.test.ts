// What a caller may not see answers byte for byte as what does not exist, but for the ids that the
// caller sent (actions.md property 10, wire.md §5). The run that is not the caller's is planted in
// every state, with an event whose content the caller happens to send, and its claim is shown too.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRun, type MadeRun, type RunSpec } from "../support/access_runs.js";
import { AccessWorld, runtimeOf, type CallerName } from "../support/access_world.js";
import type { Params } from "../support/client.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

interface Named {
  /** The run that the caller may not see, or an id that was never made. */
  id: string;
  /** A live run of the caller's own, every capability granted. */
  own: string;
  claim: Params;
  caller: CallerName;
}

type Variant = readonly [method: string, what: string, params: (named: Named) => Params];

const event = {
  type: "tool.call.started", data: { tool_call_id: "call", tool_name: "tool" },
};
const guess = { runtime_id: "rt_owner", claim_token: "0".repeat(32) };

const reads = (method: string, more: Params = {}): Variant[] => [
  [method, "run_id", ({ id }) => ({ run_id: id, ...more })],
  [method, "target_run_id", ({ id }) => ({ target_run_id: id, ...more })],
  [method, "both", ({ id, own }) => ({ run_id: own, target_run_id: id, ...more })],
  [method, "run_id is the other's", ({ id, own }) =>
    ({ run_id: id, target_run_id: own, ...more })],
  [method, "the same twice", ({ id }) => ({ run_id: id, target_run_id: id, ...more })],
];

const retries: Variant[] = [
  ["run_retry", "target_run_id", ({ id }) => ({ target_run_id: id })],
  ["run_retry", "a new id", ({ id }) => ({ target_run_id: id, new_run_id: `${id}_again` })],
  ["run_retry", "its own id again", ({ id }) => ({ target_run_id: id, new_run_id: id })],
  ["run_retry", "to be running", ({ id }) =>
    ({ target_run_id: id, dispatch: "running", timeout_seconds: 5 })],
  ["run_retry", "run_id too", ({ id }) => ({ run_id: id, target_run_id: id })],
];

const pages: Variant[] = [
  ["run_events_page", "a cursor past the end", ({ id }) =>
    ({ target_run_id: id, run_id: id, after_cursor: "999999" })],
  ["run_events_page", "a cursor that is none", ({ id }) => ({ run_id: id, after_cursor: "-1" })],
  ["run_events_page", "a cursor as a number", ({ id }) => ({ run_id: id, before_cursor: 1 })],
  ["run_events_page", "own session, cursor", ({ id, own }) =>
    ({ run_id: own, target_run_id: id, before_cursor: "1", direction: "backward" })],
  ["run_list", "run_id", ({ id }) => ({ run_id: id })],
  ["run_list", "run_id and total", ({ id }) => ({ run_id: id, include_total: true })],
  ["run_list", "run_id and filter", ({ id }) => ({ run_id: id, conversation_id: "elsewhere" })],
  ["run_list", "run_id and cursor", ({ id }) => ({ run_id: id, before_cursor: "x" })],
  ["run_get", "with the input", ({ id }) => ({ target_run_id: id, include_input: true })],
];

const results = (method: string): Variant[] => {
  const sent = method === "run_finalize" ? { status: "completed" } : { sequence: 1, ...event };
  return [
    [method, "run_id", ({ id }) => ({ run_id: id, ...sent })],
    [method, "target_run_id", ({ id }) => ({ target_run_id: id, ...sent })],
    [method, "both", ({ id, own }) => ({ run_id: own, target_run_id: id, ...sent })],
    [method, "its claim", ({ id, claim }) => ({ target_run_id: id, ...claim, ...sent })],
    [method, "its claim, run_id", ({ id, claim }) => ({ run_id: id, ...claim, ...sent })],
    [method, "its claim, own session", ({ id, own, claim }) =>
      ({ run_id: own, target_run_id: id, ...claim, ...sent })],
    [method, "its token, own runtime", ({ id, claim, caller }) =>
      ({ target_run_id: id, ...claim, runtime_id: runtimeOf(caller), ...sent })],
    [method, "a guessed claim", ({ id }) => ({ target_run_id: id, ...guess, ...sent })],
    [method, "half a claim", ({ id }) => ({ target_run_id: id, runtime_id: "rt", ...sent })],
  ];
};

const forced: Variant[] = [
  ["run_append_result", "force", ({ id }) =>
    ({ target_run_id: id, sequence: 1, ...event, force: true })],
  ["run_finalize", "force", ({ id }) => ({ target_run_id: id, status: "failed", force: true })],
  ["run_finalize", "another status", ({ id }) => ({ run_id: id, status: "failed" })],
  ["run_append_result", "a later sequence", ({ id }) => ({ run_id: id, sequence: 7, ...event })],
  ["run_append_result", "other content", ({ id }) =>
    ({ run_id: id, sequence: 1, type: event.type, data: { ...event.data, tool_name: "b" } })],
  ["run_append_result", "a type that is none", ({ id }) =>
    ({ run_id: id, sequence: 1, type: "no.type" })],
  ["run_append_result", "result of another run", ({ id }) =>
    ({ run_id: id, result: { run_id: "x", sequence: 1, ...event } })],
  ["run_emit_result", "the end", ({ id }) => ({ run_id: id, sequence: 2, type: "run.completed" })],
];

const claims = (method: string): Variant[] => [
  [method, "a guess", ({ id }) => ({ target_run_id: id, ...guess })],
  [method, "its claim", ({ id, claim }) => ({ target_run_id: id, ...claim })],
  [method, "its token, own runtime", ({ id, claim, caller }) =>
    ({ target_run_id: id, ...claim, runtime_id: runtimeOf(caller) })],
  [method, "another epoch", ({ id, claim }) => ({ target_run_id: id, ...claim, claim_epoch: 9 })],
  [method, "run_id too", ({ id, claim }) => ({ run_id: id, target_run_id: id, ...claim })],
  [method, "own session", ({ id, own, claim }) => ({ run_id: own, target_run_id: id, ...claim })],
  [method, "no runtime", ({ id }) => ({ target_run_id: id, claim_token: "0".repeat(32) })],
];

const fleet: Variant[] = [
  ["run_claim", "run_id", ({ id, caller }) => ({ run_id: id, runtime_id: runtimeOf(caller) })],
  ["run_claim", "run_id, several", ({ id, caller }) =>
    ({ run_id: id, runtime_id: runtimeOf(caller), max_runs: 5, wait_seconds: 0 })],
  ["run_claim", "run_id, unknown runtime", ({ id }) => ({ run_id: id, runtime_id: "rt_nobody" })],
  ["runtime_register", "run_id", ({ id }) => ({ run_id: id, runtime_id: "rt_never" })],
  ["runtime_heartbeat", "run_id", ({ id, caller }) =>
    ({ run_id: id, runtime_id: runtimeOf(caller) })],
  ["runtime_deregister", "run_id", ({ id }) => ({ run_id: id, runtime_id: "rt_never" })],
  ["runtime_list", "run_id", ({ id }) => ({ run_id: id })],
];

const parents: Variant[] = [
  ["run_create", "parent_run_id", ({ id }) => ({
    runner_id: "plugin:acme/plain/r", allow_unregistered_runner: true, workspace_id: "w1",
    parent_run_id: id,
  })],
];

const variants: readonly Variant[] = [
  ...reads("run_get"), ...reads("run_explain"), ...reads("run_events_page"),
  ...reads("run_cancel"), ...pages,
  ...reads("run_wait", { wait_seconds: 0 }), ...retries,
  ...results("run_append_result"), ...results("run_emit_result"), ...results("run_finalize"),
  ...forced, ...claims("run_renew_claim"), ...claims("run_release_claim"), ...fleet, ...parents,
];

const base: RunSpec = {
  state: "running", plugin: "acme/owner", runner: "r1", conversation: true, thread: null,
  workspace: "w2", by: "builtin", claimer: "owner",
};
const hidden: Record<string, RunSpec> = {
  running: base,
  over: { ...base, state: "over" },
  queued: { ...base, state: "queued" },
  claimed: { ...base, state: "claimed" },
  expired: { ...base, state: "expired" },
  released: { ...base, state: "released" },
  "completed by its claim": { ...base, state: "claim_ended" },
  "ended inside the read window": { ...base, state: "ended_inside" },
  "ended past it": { ...base, state: "ended_past" },
  "created by another": { ...base, by: "creator" },
  "without a workspace": { ...base, workspace: null },
};

/** None has an unlimited agent_run:admin; `limited` does not reach the workspace of the run. */
const blind = [
  "plain", "config_off", "creator_other", "limited", "plugin_admin", "delegate", "runtime_admin",
  "former",
] as const satisfies CallerName[];

describe.each(blind)("%s sees no difference", (caller) => {
  test.each(Object.entries(hidden))("from a run that is %s", async (_title, spec) => {
    const place = { conversation_id: world.unique("conversation"), grants: "all" } as const;
    const made = await makeRun(world, spec, place);
    await plantEvent(made);
    const own = await makeRun(world, {
      ...base, plugin: `acme/${caller}`, workspace: "w1",
    }, place);
    const before = await readRun(made.run_id);
    const differing: string[] = [];
    for (const [method, what, params] of variants) {
      const claim = made.claim ?? guess;
      const named = { own: own.run_id, claim, caller };
      const { run_id: id } = made;
      const there = await listen(caller, method, id, params({ ...named, id }));
      const absent = id.replace("run_", "nil_");
      const nowhere = await listen(caller, method, absent, params({ ...named, id: absent }));
      if (there !== nowhere) differing.push(`${method}, ${what}: ${there} / ${nowhere}`);
    }
    expect(differing).toEqual([]);
    expect(await readRun(made.run_id)).toEqual(before);
  });
});

describe("the owner of a session sees no difference", () => {
  test.each(["acme/plain", "acme/owner"])("from a run of %s that its scope does not hold",
    async (plugin) => {
      const place = { conversation_id: world.unique("conversation"), grants: "all" } as const;
      const own = (await makeRun(world, { ...base, workspace: "w1" }, place)).run_id;
      const made = await makeRun(world, { ...base, plugin, runner: "r2", workspace: "w1" }, place);
      await plantEvent(made);
      const scoped = variants.filter(([method, what]) =>
        /^(both|own session|own session, cursor|its claim, own session)$/.test(what)
        && method !== "run_create");
      expect(scoped.length).toBeGreaterThan(10);
      const differing: string[] = [];
      for (const [method, what, params] of scoped) {
        const named = { own, claim: guess, caller: "owner" as const };
        const { run_id: id } = made;
        const there = await listen("owner", method, id, params({ ...named, id }));
        const absent = id.replace("run_", "nil_");
        const nowhere = await listen("owner", method, absent, params({ ...named, id: absent }));
        if (there !== nowhere) differing.push(`${method}, ${what}: ${there} / ${nowhere}`);
      }
      expect(differing).toEqual([]);
    });
});

describe("run_retry of what cannot be retried", () => {
  // Nothing can be made of it, so the exception of property 10 (an id that is taken shows as taken
  // to a caller that may create one) does not apply.
  test.each(["running", "ended_inside"] as const)("a run of its own that is %s", async (state) => {
    const place = { conversation_id: world.unique("conversation"), grants: "default" } as const;
    const made = await makeRun(world, base, place);
    const own = await makeRun(world, { ...base, state, plugin: "acme/plain" }, place);
    const ask = (new_run_id: string) => listen("plain", "run_retry", new_run_id, {
      target_run_id: own.run_id, new_run_id,
    });
    const there = await ask(made.run_id);
    expect(there).toBe(await ask(made.run_id.replace("run_", "nil_")));
    expect(there).toContain("run_not_retryable");
  });
});

/** One event of the content that the variants send; only runs that are neither over nor ended. */
async function plantEvent(made: MadeRun): Promise<void> {
  const params = { target_run_id: made.run_id, sequence: 1, ...event, force: true };
  await world.of("builtin").ask("run_append_result", params);
}

async function readRun(run_id: string): Promise<unknown> {
  const [row] = await world.sql`
    select to_jsonb(r) as row, (select count(*) from agent_run_event e
      where e.tenant_id = r.tenant_id and e.run_id = r.run_id) as events,
      (select count(*) from agent_run c
        where c.tenant_id = r.tenant_id and c.parent_run_id = r.run_id) as retries
    from agent_run r where tenant_id = 'default' and run_id = ${run_id}`;
  return row;
}

/** The error as it was sent, the id that was named taken out of it. */
async function listen(
  caller: CallerName,
  method: string,
  id: string,
  params: Params,
): Promise<string> {
  const { error, result } = await world.of(caller).ask(method, params);
  if (error === undefined) return `answered: ${Object.keys(result as object).join(" ")}`;
  return JSON.stringify(error).replaceAll(id, "ID");
}
