// Commands of what reaches a run, what it remembers and what it asks.

import fc from "fast-check";
import { expect } from "vitest";
import type { Answer, Params } from "../../support/client.js";
import {
  anyPlace, anyRun, byAnybody, command, executorOf, expectSteps, idOf, isAgain, pickBy, pickFrom,
  pickBusy, placeParams, proofOf,
  readPages, same, type By, type Command, type Turn,
} from "./command.js";
import {
  isLive, partsOf, refuse, requireRun, sees, type Claim, type Item, type Name, type Reference, type Run,
  type Target,
} from "../reference/reference.js";
import {
  acknowledge, cancelInteraction, findEvent, keyOf, listInteractions, openState, publish, pull,
  readInteraction, requireConversation, submit, type News,
} from "../reference/context.js";

export const anyNews = fc.record<News>({
  event_id: fc.integer({ min: 1, max: 16 }).map((n) => `e${n}`),
  event_type: fc.constantFrom("message.received", "message.received", "message.received", "noticed"),
  place: anyPlace,
  owner: fc.constantFrom<Name | null>(null, null, "one", "two"),
  absorb: fc.constantFrom(true, true, true, false),
});

export const publishes = (by: Name, news: News): Command =>
  command(`${by} publishes ${JSON.stringify(news)}`, async ({ model, real }) => {
    const { event_id, event_type, place, owner, absorb } = news;
    const params = {
      event_id, event_type, absorb, text: `heard ${event_id}`,
      ...placeParams(place),
      ...(owner === null ? {} : { runner_id: real.actors[owner].runner_id }),
    };
    const out = await same({ model, real }, { by, method: "event_publish", params },
      () => publish(model, by, news));
    if (out === null) return;
    const { answer, due: { disposition, run, again } } = out;
    if (run !== null && run.run_id === "") run.run_id = answer.run_id;
    expect([answer.disposition, answer.event_id, answer.run_id, isAgain(answer)])
      .toEqual([disposition, event_id, run?.run_id ?? null, again]);
    expect(answer.steering_id === null).toBe(disposition !== "absorbed");
    const item = model.steering.find(({ type, about }) => type === "message" && about === event_id);
    if (item) item.steering_id = answer.steering_id;
  });

/** Whether the last claim of the run is shown as a fence, or one that is not its. */
export type Fence = "none" | "last" | "wrong";
export const anyFence = fc.constantFrom<Fence>("none", "last", "last", "wrong");

function pickFence(model: Reference, run: Run | undefined, fence: Fence): Claim | null {
  if (fence === "none" || run === undefined) return null;
  const isOfRun = (claim: Claim): boolean => claim.run === run;
  return fence === "last" ? model.claims.findLast(isOfRun) ?? null
    : model.claims.find((claim) => !isOfRun(claim)) ?? null;
}

/** Items that were delivered, of any run, and one that never was. */
const pickItems = (model: Reference, ats: number[]): Item[] => ats
  .map((at) => pickFrom(
    model.steering.filter(({ steering_id, moved }) => steering_id !== null && !moved), at))
  .filter((item): item is Item => item !== undefined)
  .filter((item, at, all) => all.indexOf(item) === at);

export interface Steering {
  by: By;
  at: number;
  fence: Fence;
  most: number;
  ack: number[];
}

export const anySteering = fc.record<Steering>({
  by: byAnybody, at: anyRun, fence: anyFence, most: fc.constantFrom(1, 2, 100),
  ack: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
});

function fitSteering(model: Reference, { by, at, fence, ack }: Steering) {
  // Rather one that something waits for.
  const run = pickFrom(model.runs.filter((one) => isLive(one)
    && one.items.some(({ state }) => state === "queued" || state === "leased")), at)
    ?? pickBusy(model, at);
  const caller = pickBy(by, executorOf(run));
  const claim = pickFence(model, run, fence);
  return { run_id: idOf(run), caller, claim, items: pickItems(model, ack) };
}

const showItem = ({ type, about }: Pick<Item, "type" | "about">): string => `${type} ${about}`;
const aboutOf = ({ type, event, interaction }: Answer): string =>
  showItem({ type, about: type === "message" ? event.event_id : interaction.interaction_id });

function expectAcked(
  answer: { acked: string[]; not_found: string[] }, items: Item[], acked: Item[],
): void {
  const ids = (some: Item[]): (string | null)[] => some.map(({ steering_id }) => steering_id).sort();
  expect([answer.acked.sort(), answer.not_found.sort()])
    .toEqual([ids(acked), ids(items.filter((item) => !acked.includes(item)))]);
}

export const pulls = (wish: Steering): Command =>
  command(`pulls ${JSON.stringify(wish)}`, async ({ model, real }) => {
    const { run_id, caller, claim, items } = fitSteering(model, wish);
    const params = {
      run_id, limit: wish.most, mode: wish.most === 1 ? "one" : "all", lease_seconds: 600,
      ...proofOf(claim), ...(items.length > 0 ? { ack: items.map((item) => item.steering_id) } : {}),
    };
    const out = await same({ model, real }, { by: caller, method: "steering_pull", params },
      () => pull(model, caller, { run_id, claim, most: wish.most, ack: items }));
    if (out === null) return;
    const { answer, due } = out;
    expect(answer.items.map(aboutOf)).toEqual(due.items.map(showItem));
    expect(answer.pending).toBe(due.pending);
    due.items.forEach((item, at) => {
      const { steering_id, claimed_run_id } = answer.items[at];
      expect(steering_id).toBe(item.steering_id ?? steering_id);
      expect(claimed_run_id).toBe(run_id);
      item.steering_id = steering_id;
    });
    if (items.length > 0) expectAcked(answer.ack, items, due.acked);
  });

export const acknowledges = (wish: Steering): Command =>
  command(`acknowledges ${JSON.stringify(wish)}`, async ({ model, real }) => {
    const { run_id, caller, claim, items } = fitSteering(model, wish);
    const steering_ids = items.map(({ steering_id }) => steering_id);
    const params = { run_id, steering_ids: ["steer_never", ...steering_ids], ...proofOf(claim) };
    const out = await same({ model, real }, { by: caller, method: "steering_ack", params },
      () => acknowledge(model, caller, { run_id, claim, ack: items }));
    if (out === null) return;
    expect(out.answer.not_found).toContain("steer_never");
    const not_found = out.answer.not_found.filter((id: string) => id !== "steer_never");
    expectAcked({ acked: out.answer.acked, not_found }, items, out.due);
  });

interface Keeping {
  by: By;
  at: number;
  scope: string;
  key: string;
  fence: Fence;
  /** Of the key as it is, of one that is not there, of one that has gone; null: none is asked. */
  expected: "same" | "none" | "old" | null;
}

export const anyKeeping = fc.record<Keeping>({
  by: byAnybody, at: anyRun, scope: fc.constantFrom("conversation", "conversation", "actor", "runner"),
  key: fc.constantFrom("a", "b", "b.c"), fence: anyFence,
  expected: fc.constantFrom("same", "none", "old", null, null),
});

function fitKeeping(model: Reference, { by, at, fence }: Keeping) {
  const run = pickBusy(model, at);
  // What the input of an absorbed message says about the actor is not told.
  const isOpen = run?.redispatched === true;
  return {
    run_id: idOf(run), caller: pickBy(by, executorOf(run)), claim: pickFence(model, run, fence), isOpen,
  };
}

const show = (keeping: Keeping): string => JSON.stringify(keeping);

export const getsState = (keeping: Keeping): Command =>
  command(`gets state ${show(keeping)}`, async ({ model, real }) => {
    const { run_id, caller: by, isOpen } = fitKeeping(model, keeping);
    const { scope, key } = keeping;
    if (isOpen && scope === "actor") return;
    const open = () => openState(model, by, { run_id, scope, claim: null });
    const out = await same({ model, real }, { by, method: "state_get", params: { run_id, scope, key } },
      () => open().keys.get(key) ?? { value: null, version: 0 });
    if (out !== null) {
      const { value, version } = out.due;
      expect(out.answer).toEqual({ value, version, found: version !== 0 });
    }
    const params = { run_id, scope, prefix: "b", limit: 1 };
    const listed = await same({ model, real }, { by, method: "state_list", params },
      () => [...open().keys.keys()].filter((name) => name.startsWith("b")).sort());
    if (listed === null) return;
    const [first, ...others] = listed.due;
    const next_after_key = others.length > 0 ? first : null;
    expect(listed.answer).toEqual({
      keys: first === undefined ? [] : [first], has_more: others.length > 0, next_after_key,
    });
  });

export const setsState = (keeping: Keeping, value: unknown): Command =>
  command(`sets state ${show(keeping)} ${JSON.stringify(value)}`, async ({ model, real }) => {
    const { run_id, caller: by, claim, isOpen } = fitKeeping(model, keeping);
    const { scope, key } = keeping;
    if (isOpen && scope === "actor") return;
    const if_version = readExpected(model, keeping, run_id);
    const params = { run_id, scope, key, value, ...fenceOf(claim, if_version) };
    const out = await same({ model, real }, { by, method: "state_set", params }, () => {
      const open = openState(model, by, { run_id, scope, claim });
      requireVersion(open.keys.get(key)?.version ?? 0, if_version);
      return open;
    });
    if (out === null) return;
    const { success, version } = out.answer;
    expect(success).toBe(true);
    expect(version).toBeGreaterThan(out.due.last_version);
    out.due.last_version = version;
    out.due.keys.set(key, { value, version });
  });

export const deletesState = (keeping: Keeping): Command =>
  command(`deletes state ${show(keeping)}`, async ({ model, real }) => {
    const { run_id, caller: by, claim, isOpen } = fitKeeping(model, keeping);
    const { scope, key } = keeping;
    if (isOpen && scope === "actor") return;
    const if_version = readExpected(model, keeping, run_id);
    const params = { run_id, scope, key, ...fenceOf(claim, if_version) };
    const out = await same({ model, real }, { by, method: "state_delete", params }, () => {
      const open = openState(model, by, { run_id, scope, claim });
      requireVersion(open.keys.get(key)?.version ?? 0, if_version);
      return open.keys.delete(key);
    });
    if (out !== null) expect(out.answer).toEqual({ success: out.due });
  });

const fenceOf = (claim: Claim | null, if_version: number | null): Params =>
  ({ ...proofOf(claim), ...(if_version === null ? {} : { if_version }) });

function readExpected(model: Reference, { scope, key, expected }: Keeping, run_id: string) {
  if (expected === null) return null;
  if (expected === "none") return 0;
  const run = model.find(run_id);
  const kept = run && model.scopes.get(keyOf(run, scope))?.keys.get(key);
  return expected === "same" ? kept?.version ?? 0 : 1_000_000;
}

function requireVersion(version: number, expected: number | null): void {
  if (expected !== null && expected !== version) refuse("CONFLICT", "version_mismatch");
}

interface Asking {
  by: By;
  at: number;
  interaction_id: string;
}

export const anyAsking = fc.record<Asking>({
  by: byAnybody, at: anyRun, interaction_id: fc.constantFrom("ask-a", "ask-a", "ask-b", "ask-c"),
});

/** The newest runs that asked come first. */
const pickAsked = (model: Reference, at: number): Run | undefined =>
  pickFrom(model.runs.filter((run) => isLive(run) && run.interactions.length > 0), at)
    ?? pickFrom(model.runs.filter(({ interactions }) => interactions.length > 0), at)
    ?? pickBusy(model, at);

export const submits = (asking: Asking, name: string | null, actor: "fit" | null | "other"): Command =>
  command(`submits ${JSON.stringify(asking)} ${name} as ${actor}`, async ({ model, real }) => {
    const run = pickAsked(model, asking.at);
    const by = pickBy(asking.by, run?.created_by);
    const { interaction_id } = asking;
    const asked = run?.interactions.find((one) => one.interaction_id === interaction_id);
    const said = name !== "fit" ? name : asked?.form === true ? "Ada" : null;
    const values: Record<string, string> = said === null ? {} : { name: said };
    const actor_id = actor === "fit" ? run?.actor ?? null : actor;
    const target_run_id = idOf(run);
    const params = {
      target_run_id, interaction_id, values, ...(actor_id === null ? {} : { actor_id }),
    };
    const out = await same({ model, real }, { by, method: "interaction_submit", params },
      () => submit(model, by, { target_run_id, interaction_id, actor_id, values }));
    if (out === null) return;
    expect([out.answer.status, isAgain(out.answer)])
      .toEqual([out.due.interaction.status, out.due.again]);
    expect(out.answer.submission).toMatchObject({ values });
  });

export const cancelsAsking = (asking: Asking): Command =>
  command(`cancels the question ${JSON.stringify(asking)}`, async ({ model, real }) => {
    const run = pickAsked(model, asking.at);
    const by = pickBy(asking.by, run?.created_by);
    const params = { target_run_id: idOf(run), interaction_id: asking.interaction_id };
    const out = await same({ model, real }, { by, method: "interaction_cancel", params },
      () => cancelInteraction(model, by, params.target_run_id, params.interaction_id));
    if (out === null) return;
    expect([out.answer.status, isAgain(out.answer)]).toEqual(["cancelled", out.due.again]);
  });

/** One, and all that the caller reaches on the way that it takes. */
export const readsAsking = (asking: Asking, path: "target" | "own" | "all", limit: number): Command =>
  command(`reads questions ${JSON.stringify(asking)} ${path} by ${limit}`, async ({ model, real }) => {
    const run = pickAsked(model, asking.at);
    const by = pickBy(asking.by, path === "own" ? run?.owner : run?.created_by);
    const one: Target = path === "own" ? { run_id: idOf(run) } : { target_run_id: idOf(run) };
    const { interaction_id } = asking;
    const got = await same({ model, real },
      { by, method: "interaction_get", params: { ...one, interaction_id } },
      () => readInteraction(model, by, one, interaction_id));
    if (got !== null && !got.due.overdue) expect(got.answer.status).toBe(got.due.status);
    const target = path === "all" ? {} : one;
    const call = { by, method: "interaction_list", params: { ...target, limit } };
    const out = await same({ model, real }, call, () => listInteractions(model, by, target));
    if (out === null) return;
    const items = await readPages(real, call);
    expect(items.map((item) => [item.run_id, item.interaction_id])).toEqual(
      out.due.map(({ run: { run_id }, interaction }) => [run_id, interaction.interaction_id]));
    out.due.forEach(({ interaction: { status, overdue } }, at) => {
      if (!overdue) expect(items[at].status).toBe(status);
    });
  });

export interface Looking {
  by: By;
  at: number;
  conversation: string | null;
}

export const anyLooking = fc.record<Looking>({
  by: byAnybody, at: anyRun, conversation: fc.constantFrom(null, null, null, "c1", "c2"),
});

const fitLooking = (model: Reference, { by, at, conversation }: Looking) => {
  const run = pickBusy(model, at);
  return {
    run_id: idOf(run), caller: pickBy(by, executorOf(run)),
    asked: conversation === null ? {} : { conversation_id: conversation },
  };
};

export const readsHistory = (looking: Looking, limit: number, direction: string): Command =>
  command(`history ${JSON.stringify(looking)} ${direction} by ${limit}`, async ({ model, real }) => {
    const { run_id, caller: by, asked } = fitLooking(model, looking);
    const call = { by, method: "history_page", params: { run_id, ...asked, limit, direction } };
    const wish = { run_id, wanted: looking.conversation, name: "history_page" };
    const out = await same({ model, real }, call, () => requireConversation(model, by, wish));
    if (out === null) return;
    const items = await readPages(real, call,
      direction === "backward" ? "before_cursor" : "after_cursor");
    const due = model.transcript.filter(({ place }) => sees(out.due, place));
    const found = items.map(({ role, content }) => `${role} ${content}`);
    if (direction === "backward") found.reverse();
    expectSteps(found, due, ({ role, content }) => `${role} ${content}`);
  });

export const searches = (looking: Looking, query: string): Command =>
  command(`searches ${query} ${JSON.stringify(looking)}`, async ({ model, real }) => {
    const { run_id, caller: by, asked } = fitLooking(model, looking);
    const params = { run_id, query, top_k: 100, filters: asked };
    const wish = { run_id, wanted: looking.conversation, name: "history_search" };
    const out = await same({ model, real }, { by, method: "history_search", params },
      () => requireConversation(model, by, wish));
    if (out === null) return;
    const due = model.transcript.filter(({ place, content }) =>
      sees(out.due, place) && content.includes(query));
    const found: { role: string; content: string }[] = out.answer.items;
    expect([out.answer.total_count, out.answer.has_more]).toEqual([found.length, false]);
    expectSteps(found.map(({ role, content }) => `${role} ${content}`).reverse(), due,
      ({ role, content }) => `${role} ${content}`);
  });

export const readsLog = (looking: Looking, limit: number): Command =>
  command(`event log ${JSON.stringify(looking)} by ${limit}`, async ({ model, real }) => {
    const { run_id, caller: by, asked } = fitLooking(model, looking);
    const call = { by, method: "event_page", params: { run_id, ...asked, limit } };
    const wish = { run_id, wanted: looking.conversation, name: "event_page" };
    const out = await same({ model, real }, call, () => requireConversation(model, by, wish));
    if (out === null) return;
    const items = await readPages(real, call);
    const due = model.events.filter(({ place }) => sees(out.due, place));
    const found = items.map(({ event_type, event_id, source }) =>
      source === "host" ? event_type : `${event_type} ${event_id}`);
    expectSteps(found.reverse(), due,
      ({ type, event_id }) => event_id === null ? type : `${type} ${event_id}`);
  });

export const getsEvent = (looking: Looking, event: string): Command =>
  command(`event ${event} ${JSON.stringify(looking)}`, async ({ model, real }) => {
    const { run_id, caller: by } = fitLooking(model, looking);
    const event_id = event === "own" ? model.find(run_id)?.event_id ?? "none" : event;
    const out = await same({ model, real },
      { by, method: "event_get", params: { run_id, event_id } },
      () => findEvent(model, by, run_id, event_id));
    if (out === null) return;
    expect([out.answer.event_id, out.answer.event_type, out.answer.conversation_id])
      .toEqual([event_id, out.due.type, partsOf(out.due.place).conversation]);
  });

export const getsPrompt = (looking: Looking): Command =>
  command(`prompt ${JSON.stringify(looking)}`, async (turn: Turn) => {
    const { model } = turn;
    const { run_id, caller: by } = fitLooking(model, looking);
    // Whether a run that the host made of leftovers has the prompt is not told.
    if (model.find(run_id)?.redispatched) return;
    const out = await same(turn, { by, method: "prompt_get", params: { run_id } },
      () => requireRun(model, by, run_id, "prompt_get"));
    if (out !== null) expect(out.answer.prompt).toEqual([{ role: "user", content: "be brief" }]);
  });

