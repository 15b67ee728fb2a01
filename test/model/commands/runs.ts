// Commands that make, read, follow and cancel runs.

import fc from "fast-check";
import { expect } from "vitest";
import type { Params } from "../../support/client.js";
import {
  anyPlace, anyRun, byAnybody, command, expectRun, idOf, isAgain, pickBusy, pickBy, pickRun,
  placeParams, readPages, same, showRecord, showRun, type By, type Command,
} from "./command.js";
import {
  isTerminal, reach, type Name, type Reference, type Target, type Wanted,
} from "../reference/reference.js";
import { listRuns } from "../reference/context.js";
import { cancel, create, explain, isClaimable, retry } from "../reference/runs.js";
import { readRefusal, type Tenant } from "../world.js";

const policies = {
  default: {}, off: { state_policy: { enable_state: false } },
  runner: { state_policy: { state_scopes: ["runner"] } },
};

function createParams(wanted: Wanted, real: Tenant): Params {
  const { run_id, owner, dispatch, priority, max_attempts, queue, pinned, bounded, place,
    actor, policy, prompt, apis, event, event_id } = wanted;
  const { runner_id, runtime_id } = real.actors[owner];
  const isQueued = dispatch === "queued";
  return {
    run_id, runner_id, dispatch, event_type: event, text: "hello", priority,
    authorization: { available_apis: apis }, ...policies[policy],
    ...(isQueued ? { max_attempts } : {}),
    ...(isQueued && queue !== "default" ? { queue_name: queue } : {}),
    ...(isQueued && pinned ? { requested_runtime_id: runtime_id } : {}),
    ...(bounded ? { timeout_seconds: 600 } : {}),
    ...placeParams(place),
    ...(actor === null ? {} : { actor: { actor_id: actor } }),
    ...(prompt ? { prompt: [{ role: "user", content: "be brief" }] } : {}),
    ...(event_id === null ? {} : { event_id }),
  };
}

/** Absent is what a running run has no use for. */
const fitWanted = (wanted: Wanted): Wanted => wanted.dispatch === "queued" ? wanted
  : { ...wanted, queue: null, pinned: false, bounded: true, max_attempts: 10 };

export const creates = (by: Name, given: Wanted): Command => {
  const wanted = fitWanted(given);
  return command(`${by} creates ${JSON.stringify(wanted)}`, async ({ model, real }) => {
    const params = createParams(wanted, real);
    const out = await same({ model, real }, { by, method: "run_create", params },
      () => create(model, by, wanted));
    if (out === null) return;
    const { answer, due: { run, again } } = out;
    expect(isAgain(answer)).toBe(again);
    if (!again) run.number = answer.id;
    expectRun(answer, run, real);
    if (again) return;
    const waiting = { ...params, wait_for_completion: true, wait_seconds: 0 };
    expect(await real.ask(by, "run_create", waiting)).toEqual({ refused: "DEADLINE_EXCEEDED" });
  });
};

export const anyWanted = fc.record<Wanted>({
  run_id: fc.constantFrom("r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"),
  owner: fc.constantFrom<Name>("one", "two"),
  dispatch: fc.constantFrom("queued", "queued", "running"),
  priority: fc.integer({ min: -1, max: 1 }),
  max_attempts: fc.integer({ min: 1, max: 4 }),
  queue: fc.constantFrom("default", "default", "fast"),
  pinned: fc.constantFrom(false, false, false, true),
  bounded: fc.boolean(),
  place: anyPlace,
  actor: fc.constantFrom("a1", null),
  policy: fc.constantFrom("default", "default", "off", "runner"),
  prompt: fc.boolean(),
  apis: fc.constantFrom<Record<string, boolean>>(
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, { steering_pull: false },
    { run_get: false, run_events_page: false, run_cancel: false }, { run_append_result: true },
    { run_finalize: true }, { run_claim: true, run_renew_claim: true }, { state: false }),
  event: fc.constantFrom("api.invoked", "message.received"),
  event_id: fc.constantFrom(null, null, null, null, null, "e1", "e2"),
});

export const retries = (by: By, at: number, dispatch: "queued" | "running", nth: number): Command =>
  command(`${by} retries run -${at} ${dispatch} ${nth}`, async ({ model, real }) => {
    const target = pickRun(model, at);
    const caller = pickBy(by, target?.created_by);
    const target_run_id = idOf(target);
    // An id stands for one retry of one caller.
    const new_run_id = `again-${target_run_id}-${caller}-${dispatch}-${nth}`.slice(0, 255);
    const isKnown = model.find(new_run_id) !== undefined;
    const out = await same({ model, real },
      { by: caller, method: "run_retry", params: { target_run_id, new_run_id, dispatch } },
      () => retry(model, caller, target_run_id, { new_run_id, dispatch }));
    if (out === null) return;
    expect(isAgain(out.answer)).toBe(isKnown);
    if (!isKnown) out.due.number = out.answer.id;
    expectRun(out.answer, out.due, real);
  });

/** A target alone, a run that reads itself, or one that reads another. */
export type Path = "target" | "own" | "other";
export const anyPath = fc.constantFrom<Path>("target", "target", "own", "other");

const pathParams = (path: Path, target_run_id: string, own: string): Target =>
  path === "target" ? { target_run_id }
    : path === "own" ? { run_id: target_run_id } : { run_id: own, target_run_id };

interface Reading {
  by: By;
  at: number;
  path: Path;
  own: number;
}

export const anyReading = fc.record<Reading>({ by: byAnybody, at: anyRun, path: anyPath, own: anyRun });

const fitReader = (
  { by, at, path, own }: Reading, model: Reference, pick: typeof pickRun = pickRun,
) => {
  const target = pick(model, at);
  const session = path === "other" ? pickRun(model, own) : target;
  return {
    caller: pickBy(by, path === "target" ? target?.created_by : session?.owner),
    params: pathParams(path, idOf(target), idOf(session)),
  };
};

const show = ({ by, at, path, own }: Reading): string => `${by} by ${path} run -${at} from -${own}`;

export const reads = (reading: Reading): Command =>
  command(`reads ${show(reading)}`, async ({ model, real }) => {
    const { caller: by, params } = fitReader(reading, model);
    const turn = { model, real };
    const out = await same(turn, { by, method: "run_get", params: { ...params, include_input: true } },
      () => reach(model, by, params, "run_get"));
    if (out === null) return;
    expectRun(out.answer, out.due, real);
    expect(out.answer.input.text).toBe(out.due.text);
    const explained = await same(turn, { by, method: "run_explain", params }, () => out.due);
    const { claimable, moving, reasons } = explained!.answer;
    const codes: string[] = reasons.map(({ code }: { code: string }) => code);
    if (by === "admin" && params.run_id === undefined) expect(codes).toEqual(explain(model, out.due));
    expect(claimable).toBe(isClaimable(out.due));
    expect(moving).toBe(codes.every((code) => ["lease_held", "owner_executes"].includes(code)));
    const waited = await real.ask(by, "run_wait", { ...params, wait_seconds: 0 });
    if (isTerminal(out.due)) expectRun(waited, out.due, real);
    else expect(waited).toEqual({ refused: "DEADLINE_EXCEEDED" });
  });

export const readsEvents = (reading: Reading, limit: number, direction: string): Command =>
  command(`pages ${limit} ${direction} ${show(reading)}`, async ({ model, real }) => {
    const { caller: by, params } = fitReader(reading, model);
    const call = { by, method: "run_events_page", params: { ...params, direction, limit } };
    const out = await same({ model, real }, call, () => reach(model, by, params, "run_events_page"));
    if (out === null) return;
    const cursor = direction === "forward" ? "after_cursor" : "before_cursor";
    const items = await readPages(real, call, cursor);
    const stored = [...out.due.events].sort(([a], [b]) => direction === "forward" ? a - b : b - a);
    expect(items.map(({ sequence, type }) => [sequence, type]))
      .toEqual(stored.map(([sequence, { type }]) => [sequence, type]));
  });

/** Follows to where the run stands now, and stops. */
export const follows = (reading: Reading, after: number): Command =>
  command(`follows from ${after} ${show(reading)}`, async ({ model, real }) => {
    const { caller: by, params } = fitReader(reading, model);
    const due = { ...params, after_cursor: String(after) };
    if (!model.enabled[by]) return;
    const client = await real.connect(by, 0);
    const { result, error } = await client!.ask("run_subscribe", due);
    const refused = error && readRefusal(error);
    real.count("run_subscribe", refused);
    real.via = null;
    const ask = async () => refused === undefined ? result : { refused };
    const out = await same({ model, real: { ...real, ask } },
      { by, method: "run_subscribe", params: due }, () => reach(model, by, params, "run_events_page"));
    if (out === null) return;
    const { subscription_id } = out.answer;
    const isNote = (method: string) => (note: { method: string; params: Params }): boolean =>
      note.method === method && note.params["subscription_id"] === subscription_id;
    expectRun(out.answer.run, out.due, real);
    const wanted = [...out.due.events.keys()].filter((sequence) => sequence > after);
    for (const sequence of wanted) {
      await client!.notified((note) => isNote("run_event")(note)
        && (note.params["event"] as { sequence: number }).sequence === sequence);
    }
    if (isTerminal(out.due)) await client!.notified(isNote("run_ended"));
    const removed = await client!.call("run_unsubscribe", { subscription_id });
    real.count("run_unsubscribe");
    expect(removed).toEqual({ removed: !isTerminal(out.due) });
    const heard = client!.notifications.filter(isNote("run_event"))
      .map(({ params: { event } }) => (event as { sequence: number }).sequence);
    expect(heard).toEqual(wanted.sort((a, b) => a - b));
  });

/** A subscription and a wait of the administrator, both judged at the end of the sequence. */
export const watches = (at: number): Command =>
  command(`admin watches run -${at}`, async ({ model, real }) => {
    const run = pickRun(model, at);
    if (run === undefined || real.waits.has(run.run_id)) return;
    const client = (await real.connect("admin", 0))!;
    const params = { target_run_id: run.run_id };
    const { subscription_id } = await client.call("run_subscribe", params);
    real.subscriptions.push({ run_id: run.run_id, subscription_id, after: 0, client });
    real.waits.set(run.run_id, client.ask("run_wait", { ...params, wait_seconds: 300 }));
  });

export const cancels = (reading: Reading, reason: string | null): Command =>
  command(`cancels ${reason} ${show(reading)}`, async ({ model, real }) => {
    const { caller: by, params } = fitReader(reading, model, pickBusy);
    const said = reason === null ? {} : { status_reason: reason };
    const call = { by, method: "run_cancel", params: { ...params, ...said } };
    const out = await same({ model, real }, call, () => cancel(model, by, params, reason));
    if (out !== null) expectRun(out.answer, out.due, real);
  });

export const lists = (by: Name, own: number | null, status: string | null, limit: number): Command =>
  command(`${by} lists ${status ?? "all"} by ${limit} from ${own}`, async ({ model, real }) => {
    const isSession = own !== null && by !== "admin";
    const session = isSession ? { run_id: idOf(pickRun(model, own)) } : {};
    const filter = status === null ? {} : { statuses: [status] };
    const params = { ...session, ...filter, limit, include_total: true };
    const out = await same({ model, real }, { by, method: "run_list", params },
      () => listRuns(model, by, isSession ? idOf(pickRun(model, own)) : null)
        .filter((run) => status === null || run.status === status));
    if (out === null) return;
    expect([out.answer.total_count, out.answer.total_is_capped]).toEqual([out.due.length, false]);
    const items = await readPages(real, { by, method: "run_list", params });
    expect(items.map(showRecord)).toEqual(out.due.map((run) => showRun(run, real)));
  });
