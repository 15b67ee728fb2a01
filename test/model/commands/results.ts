// Commands that write to runs: events alone, in lists, and one behind the other on one connection.

import fc from "fast-check";
import { expect } from "vitest";
import type { Answer, Client, Params } from "../../support/client.js";
import {
  anyClaim, anyRun, byAnybody, command, executorOf, expectRun, idOf, isAgain, judge, pickBusy,
  pickBy, pickClaim, pickRun, proofOf, same, type By, type Command, type Turn,
} from "./command.js";
import { partsOf, type Name, type Reference } from "../reference/reference.js";
import { readRefusal } from "../world.js";
import { finalize, write, type Result, type Writer } from "../reference/results.js";

/** Under which authority: the claim that is shown, a run's session, both, or neither. */
type Session = "none" | "own" | "other";

export interface Authority {
  by: By;
  claim: number;
  run: number;
  session: Session;
  other: number;
  force: boolean;
}

export const anyAuthority = fc.record<Authority>({
  by: byAnybody, claim: anyClaim, run: anyRun,
  session: fc.constantFrom<Session>("none", "none", "none", "none", "own", "own", "other"),
  other: anyRun,
  force: fc.constantFrom(false, false, false, true),
});

const name_field = { id: "name", label: "Name", type: "text", required: true };

export const kinds = {
  started: {
    type: "tool.call.started",
    fill: (text: string) => ({ tool_call_id: text, tool_name: "t" }),
  },
  noticed: { type: "action.requested", fill: (text: string) => ({ action: text }) },
  delta: {
    type: "message.delta", fill: (content: string) => ({ chunk: { role: "assistant", content } }),
  },
  said: {
    type: "message.completed", fill: (content: string) => ({ message: { role: "assistant", content } }),
  },
  ask: {
    type: "action.requested",
    fill: (text: string) => ({
      action: "interaction.requested",
      payload: {
        interaction_id: `ask-${text}`, title: "Who?", fallback_text: "Who?",
        ...(text === "a" ? { fields: [name_field] } : {}),
      },
    }),
  },
  state: {
    type: "state.updated", fill: (text: string) => ({ scope: "conversation", key: text, value: text }),
  },
  completed: { type: "run.completed", fill: (finish_reason: string) => ({ finish_reason }) },
  "completed with a message": {
    type: "run.completed",
    fill: (text: string) =>
      ({ finish_reason: "stop", message: { role: "assistant", content: text } }),
  },
  failed: { type: "run.failed", fill: (error: string) => ({ error }) },
  "failed again": { type: "run.failed", fill: (error: string) => ({ error, retryable: true }) },
  "failed cancelled": { type: "run.failed", fill: (error: string) => ({ error, code: "cancelled" }) },
} as const;

export type Kind = keyof typeof kinds;

export interface Writing {
  kind: Kind;
  text: string;
  emitted: boolean;
  /** 0: the next one; else this one. */
  sequence: number;
}

const anyKind = fc.constantFrom<Kind>(
  "started", "started", "noticed", "delta", "said", "said", "said", "ask", "ask", "ask",
  "ask", "ask", "ask", "ask", "ask", "state", "state", "completed", "completed with a message", "failed", "failed again", "failed again",
  "failed cancelled");

export const anyWriting = fc.record<Writing>({
  kind: anyKind, text: fc.constantFrom("a", "b", "c"), emitted: fc.constant(true),
  sequence: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3),
}).chain((writing) => fc.boolean().map((stored) =>
  ({ ...writing, emitted: !(stored && ["started", "noticed"].includes(writing.kind)) })));

function fitWriter(model: Reference, authority: Authority): { writer: Writer; params: Params } {
  const { session, force } = authority;
  const claim = pickClaim(model, authority.claim);
  const run = claim?.run ?? pickBusy(model, authority.run);
  const target = idOf(run);
  const own = session === "other" ? idOf(pickRun(model, authority.other)) : target;
  const by = pickBy(authority.by, claim?.by ?? executorOf(run));
  // Who shows a claim may not force; a running run is written to by its own session.
  const isPlain = claim === null && by !== "admin";
  const run_id = session === "none" && !isPlain ? null : own;
  const writer = { by, target, run_id, claim, force: force && claim === null };
  return { writer, params: {
    target_run_id: target, ...(run_id === null ? {} : { run_id }), ...proofOf(claim),
    ...(writer.force ? { force: true } : {}),
  } };
}

interface Prepared {
  writer: Writer;
  result: Result;
  method: string;
  params: Params;
}

function prepare(model: Reference, authority: Authority, writing: Writing): Prepared {
  const { writer, params } = fitWriter(model, authority);
  const { emitted, kind, text } = writing;
  const { type, fill } = kinds[kind];
  const sequence = writing.sequence || (model.find(writer.target)?.last_sequence ?? 0) + 1;
  const result = { kind, type, data: fill(text), sequence, emitted };
  // Only an administrator's append may force.
  const { force, ...rest } = params;
  const isForced = force === true && !emitted;
  return {
    writer: { ...writer, force: isForced }, result,
    method: emitted ? "run_emit_result" : "run_append_result",
    params: { ...rest, ...(isForced ? { force } : {}), sequence, type, data: result.data },
  };
}

function expectWritten(
  answer: Answer, { run, again }: ReturnType<typeof write>, { result, writer }: Prepared, turn: Turn,
): void {
  const { emitted, sequence, type, data } = result;
  expect(isAgain(answer)).toBe(again);
  expect([answer.run_id, answer.sequence, answer.type]).toEqual([run.run_id, sequence, type]);
  expect(answer.data).toEqual(data);
  if (emitted) expect(answer.run_status).toBe(run.status);
  if (again || !emitted && writer.by === "admin" && writer.claim === null) return;
  const source = writer.claim === null ? "runner"
    : `runtime:${turn.real.actors[writer.by].runtime_id}`;
  expect(answer.source).toBe(source);
}

const show = (authority: Authority): string => JSON.stringify(authority);

export const writes = (authority: Authority, writing: Writing): Command =>
  command(`writes ${JSON.stringify(writing)} as ${show(authority)}`, async (turn) => {
    const prepared = prepare(turn.model, authority, writing);
    const { writer, result, method, params } = prepared;
    const out = await same(turn, { by: writer.by, method, params },
      () => write(turn.model, writer, result));
    if (out !== null) expectWritten(out.answer, out.due, prepared, turn);
    await learnVersions(turn);
  });

/** A state write by an event has a version that only the host knows. */
async function learnVersions({ model, real }: Turn): Promise<void> {
  for (const [name, scope] of model.scopes) {
    for (const [key, kept] of scope.keys) {
      if (kept.version !== -1) continue;
      const [owner, , place, bot] = name.split(" ");
      const { conversation, thread } = partsOf(place!);
      const [row] = await real.sql`
        select version::int from agent_runner_state where tenant_id = ${real.tenant_id}
          and scope = 'conversation' and runner_id = ${real.actors[owner as Name].runner_id}
          and conversation_id = ${conversation} and thread_id is not distinct from ${thread}
          and bot_id is not distinct from ${bot || null} and state_key = ${key}`;
      expect(row!["version"]).toBeGreaterThan(scope.last_version);
      kept.version = scope.last_version = row!["version"];
    }
  }
}

/** Several writes as one list, as one batch, or sent one behind the other on one connection. */
type Form = "list" | "behind";

/** What leaves a trace in the order of several runs is written alone. */
const plain: Kind[] = ["started", "delta", "completed", "failed", "failed again"];

export const anyPile = fc.record({
  form: fc.constantFrom<Form>("list", "behind"), by: byAnybody,
  items: fc.array(fc.record({
    // Items of one list keep their order run by run: none rests on what another run is by then.
    authority: anyAuthority.map((authority): Authority =>
      authority.session === "other" ? { ...authority, session: "own" } : authority),
    writing: fc.record<Writing>({
      kind: fc.constantFrom(...plain), text: fc.constantFrom("a", "b"), emitted: fc.constant(true),
      sequence: fc.constantFrom(0, 0, 1, 2),
    }),
  }), { minLength: 2, maxLength: 4 }),
});

type Pile = typeof anyPile extends fc.Arbitrary<infer T> ? T : never;

export const writesPile = ({ form, by, items }: Pile): Command =>
  command(`${by} writes a ${form} ${JSON.stringify(items)}`, async (turn) => {
    const { model } = turn;
    const first = prepare(model, items[0]!.authority, items[0]!.writing);
    const caller = pickBy(by, first.writer.by);
    // Sequences are given before any of them is written, so that some collide.
    const prepared = items.map(({ authority, writing }, at) => prepare(model,
      { ...authority, by: caller }, writing.sequence === 0 && form === "behind"
        ? { ...writing, sequence: (model.find(first.writer.target)?.last_sequence ?? 0) + at + 1 }
        : writing));
    if (!model.enabled[caller]) return;
    const results = prepared.map(({ params }) => params);
    const answers = form === "list"
      ? await askList(turn, caller, "run_emit_result", { results })
      : await askBehind(turn, caller, prepared);
    prepared.forEach((one, at) => {
      const due = judge(() => write(model, one.writer, one.result));
      if ("refused" in due) expect(answers[at]).toEqual(due);
      else expectWrittenInPile(answers[at], due.due, one);
    });
  });

/** The run may have gone on behind this write when it was judged. */
function expectWrittenInPile(
  answer: Answer, { run, again }: ReturnType<typeof write>, { result }: Prepared,
): void {
  expect(answer.refused).toBeUndefined();
  expect([answer.run_id, answer.sequence, isAgain(answer)])
    .toEqual([run.run_id, result.sequence, again]);
  expect(answer.run_status).toBe(run.status);
}

type Raw = Awaited<ReturnType<Client["ask"]>>;
const readAnswer = ({ result, error }: Raw): Answer =>
  error ? { refused: readRefusal(error) } : result;

async function askList(
  { model, real }: Turn, by: Name, method: string, params: Params,
): Promise<Answer[]> {
  const { items } = await real.ask(by, method, params);
  model.via = real.via;
  return items.map(readAnswer);
}

async function askBehind({ model, real }: Turn, by: Name, prepared: Prepared[]): Promise<Answer[]> {
  const client = (await real.connect(by, 0))!;
  model.via = null;
  const sent = prepared.map(({ method, params }) => client.ask(method, params));
  return (await Promise.all(sent)).map(readAnswer);
}

export const anyStatus = fc.constantFrom("completed", "failed", "cancelled", "timeout");

export const finalizes = (authority: Authority, status: string, reason: string | null): Command =>
  command(`finalizes ${status} ${reason} as ${show(authority)}`, async ({ model, real }) => {
    const { writer, params } = fitWriter(model, authority);
    const said = reason === null ? {} : { status_reason: reason };
    const out = await same({ model, real },
      { by: writer.by, method: "run_finalize", params: { ...params, status, ...said } },
      () => finalize(model, writer, { status, reason }));
    if (out === null) return;
    expect(isAgain(out.answer)).toBe(out.due.again);
    expectRun(out.answer, out.due.run, real);
  });

/** `runs`: each is judged as if it had come alone. */
export const finalizesList = (by: By, ats: number[], status: string): Command =>
  command(`${by} finalizes the list of claims ${ats.join()} as ${status}`, async (turn) => {
    const { model } = turn;
    const shown = ats.map((at) => pickClaim(model, at)).filter((claim) => claim !== null);
    if (shown.length === 0) return;
    const caller = pickBy(by, shown[0]!.by);
    if (!model.enabled[caller]) return;
    const runs = shown.map((claim) =>
      ({ target_run_id: claim.run.run_id, ...proofOf(claim), status }));
    const answers = await askList(turn, caller, "run_finalize", { runs });
    shown.forEach((claim, at) => {
      const target = claim.run.run_id;
      const writer = { by: caller, target, run_id: null, claim, force: false };
      const due = judge(() => finalize(model, writer, { status, reason: null }));
      if ("refused" in due) expect(answers[at]).toEqual(due);
      else expect([answers[at].status, isAgain(answers[at])]).toEqual([status, due.due.again]);
    });
  });
