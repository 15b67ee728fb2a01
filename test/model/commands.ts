// One command per action: it sends the call, asks the reference what is due, and compares the two.
// After each command the run that was touched is read and compared as a whole.

import fc from "fast-check";
import { expect } from "vitest";
import type { Answer, Params } from "../support/client.js";
import { Refused, terminal, type Claim, type Name, type Reference, type Run } from "./reference.js";
import type { Tenant } from "./world.js";

type Command = fc.AsyncCommand<Reference, Tenant, true>;
type Play = (model: Reference, real: Tenant) => Promise<void>;

const command = (text: string, run: Play): Command => ({
  check: async () => true, run, toString: () => text,
});

/** The same outcome on both sides: a refusal by code and reason, else what `shown` picks of each. */
async function same<T>(
  sent: Promise<Answer>,
  due: () => T,
  shown: (answer: Answer, expected: T) => [unknown, unknown] = () => [null, null],
): Promise<T | null> {
  const answer = await sent;
  let expected: T;
  try {
    expected = due();
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    const refused = thrown.reason === null ? thrown.code : `${thrown.code} ${thrown.reason}`;
    expect(answer).toEqual({ refused });
    return null;
  }
  expect(answer.refused).toBeUndefined();
  const [found, wanted] = shown(answer, expected);
  expect(found).toEqual(wanted);
  return expected;
}

const showRun = (run: Run, real: Tenant) => ({
  status: run.status,
  dispatch_attempts: run.attempts,
  claim_epoch: run.epoch,
  last_sequence: run.last_sequence,
  priority: run.priority,
  is_cancel_requested: run.cancel_requested,
  created_by: `acme/${run.created_by}`,
  plugin_identity: `acme/${run.owner}`,
  claimed_by_runtime_id:
    run.status === "claimed" && run.claim ? real.actors[run.claim.by].runtime_id : null,
  is_finished: terminal.includes(run.status),
});

const showAnswer = (answer: Answer) => ({
  status: answer.status,
  dispatch_attempts: answer.dispatch_attempts,
  claim_epoch: answer.claim_epoch,
  last_sequence: answer.last_sequence,
  priority: answer.priority,
  is_cancel_requested: answer.cancel_requested_at !== null,
  created_by: answer.created_by,
  plugin_identity: answer.plugin_identity,
  claimed_by_runtime_id: answer.claimed_by_runtime_id,
  is_finished: answer.finished_at !== null,
});

const asRun = (real: Tenant) => (answer: Answer, run: Run): [unknown, unknown] =>
  [showAnswer(answer), showRun(run, real)];

/** A back-off is a random time; both sides hold the run back until time passes. */
async function holdBack(model: Reference, real: Tenant): Promise<void> {
  const { sql, tenant_id } = real;
  const held = [...model.runs.values()].filter((run) => run.status === "queued" && run.held_back);
  if (held.length === 0) return;
  await sql`update agent_run set not_before = now() + interval '1 hour'
    where tenant_id = ${tenant_id} and run_id = any(${held.map(({ run_id }) => run_id)})
      and status = 'queued' and not_before < now() + interval '30 minutes'`;
}

const names = fc.constantFrom<Name>("one", "two", "admin");
const runIds = fc.constantFrom("r1", "r2", "r3", "r4", "r5", "never made");
const sequences = fc.integer({ min: 1, max: 5 });

const claimParams = (claim: Claim | null): Params =>
  claim === null ? {} : { runtime_id: claim.runtime, claim_token: claim.claim_token };

/** A claim of the past or the present, by a number that fast-check can shrink; null: none is shown. */
const pickClaim = (model: Reference, at: number): Claim | null =>
  at === 0 ? null : (model.claims.at(-at) ?? null);

const creates = fc.record({
  by: names, run_id: runIds, owner: fc.constantFrom<Name>("one", "two"),
  dispatch: fc.constantFrom<"queued" | "running">("queued", "queued", "running"),
  priority: fc.integer({ min: -1, max: 1 }), max_attempts: fc.integer({ min: 1, max: 3 }),
}).filter(({ run_id }) => run_id !== "never made").map(({ by, ...wanted }) =>
  command(`${by} creates ${JSON.stringify(wanted)}`, async (model, real) => {
    const { run_id, owner, dispatch, priority, max_attempts } = wanted;
    const queue = dispatch === "queued" ? { priority, max_attempts } : { timeout_seconds: 3600 };
    const kept = dispatch === "queued" ? wanted : { ...wanted, priority: 0, max_attempts: 10 };
    const { runner_id } = real.actors[owner];
    await same(real.ask(by, "run_create", { run_id, runner_id, dispatch, ...queue }),
      () => model.create(by, kept), asRun(real));
  }));

let retried = 0;
const retries = fc.record({ by: names, run_id: runIds }).map(({ by, run_id }) =>
  command(`${by} retries ${run_id}`, async (model, real) => {
    retried += 1;
    const new_run_id = `again-${retried}`;
    await same(real.ask(by, "run_retry", { target_run_id: run_id, new_run_id }),
      () => model.retry(by, run_id, new_run_id), asRun(real));
  }));

const claims = names.map((by) => command(`${by} claims`, async (model, real) => {
  const { runtime_id } = real.actors[by];
  const params = { runtime_id, lease_seconds: 3600 };
  const answer = await real.ask(by, "run_claim", params);
  const run = await same(Promise.resolve(answer), () => model.claimNext(by),
    (found, expected) => [found.run_id, expected.run_id]);
  if (run === null) return;
  model.noteClaim(run, by, { runtime: runtime_id, claim_token: answer.claim_token });
  expect(showAnswer(answer)).toEqual(showRun(run, real));
}));

const shownClaims = fc.record({ by: names, at: fc.integer({ min: 1, max: 4 }) });

const renewals = shownClaims.map(({ by, at }) => command(`${by} renews claim -${at}`,
  async (model, real) => {
    const claim = pickClaim(model, at);
    if (claim === null) return;
    const params = { target_run_id: claim.run, ...claimParams(claim), lease_seconds: 3600 };
    await same(real.ask(by, "run_renew_claim", params), () => model.renew(by, claim), asRun(real));
  }));

const releases = fc.tuple(shownClaims, fc.boolean()).map(([{ by, at }, refund_attempt]) =>
  command(`${by} releases claim -${at}, refund ${refund_attempt}`, async (model, real) => {
    const claim = pickClaim(model, at);
    if (claim === null) return;
    const params = { target_run_id: claim.run, ...claimParams(claim), refund_attempt };
    await same(real.ask(by, "run_release_claim", params),
      () => model.release(by, claim, { refund_attempt }), asRun(real));
  }));

const writes = fc.record({
  by: names, at: fc.integer({ min: 0, max: 3 }), run_id: runIds, sequence: sequences,
  content: fc.constantFrom("a", "b"), force: fc.boolean(),
  what: fc.constantFrom("append", "delta", "run.completed", "run.failed", "run.failed again"),
}).map(({ by, at, run_id, sequence, content, force, what }) =>
  command(`${by} writes ${what} ${sequence}${content} under claim -${at} or to ${run_id}`,
    async (model, real) => {
      const claim = pickClaim(model, at);
      const target = claim?.run ?? run_id;
      const retryable = what === "run.failed again";
      const { type, data } = readWrite(what, content, retryable);
      const isAdmin = by === "admin" && claim === null && what === "append";
      const session = claim !== null || isAdmin ? {} : { run_id: target };
      const params = {
        ...session, target_run_id: target, sequence, type, data, ...claimParams(claim),
        ...(isAdmin && force ? { force } : {}),
      };
      const wanted = { run_id: target, claim, sequence, type, content: JSON.stringify(data), force };
      const shown = (answer: Answer, run: Run): [unknown, unknown] =>
        [answer.run_status ?? run.status, run.status];
      if (what === "append") {
        await same(real.ask(by, "run_append_result", params),
          () => model.write(by, { ...wanted, emitted: false }).run, shown);
      } else {
        await same(real.ask(by, "run_emit_result", params),
          () => model.emit(by, { ...wanted, emitted: true, retryable }), shown);
      }
      await holdBack(model, real);
    }));

function readWrite(what: string, content: string, retryable: boolean) {
  if (what === "append") {
    return { type: "tool.call.started", data: { tool_call_id: content, tool_name: "t" } };
  }
  if (what === "delta") {
    return { type: "message.delta", data: { chunk: { role: "assistant", content } } };
  }
  if (what === "run.completed") return { type: what, data: { finish_reason: content } };
  return { type: "run.failed", data: { error: content, retryable } };
}

const finalizes = fc.record({
  by: names, at: fc.integer({ min: 0, max: 3 }), run_id: runIds, force: fc.boolean(),
  status: fc.constantFrom("completed", "failed", "cancelled", "timeout"),
}).map(({ by, at, run_id, force, status }) =>
  command(`${by} finalizes ${status} under claim -${at} or ${run_id}`, async (model, real) => {
    const claim = pickClaim(model, at);
    const target = claim?.run ?? run_id;
    const isAdmin = by === "admin" && claim === null;
    const session = claim !== null || isAdmin ? {} : { run_id: target };
    const params = {
      ...session, target_run_id: target, status, ...claimParams(claim),
      ...(isAdmin && force ? { force } : {}),
    };
    await same(real.ask(by, "run_finalize", params),
      () => model.finalize(by, { run_id: target, claim, status, force: isAdmin && force }),
      asRun(real));
  }));

const cancels = fc.record({ by: names, run_id: runIds }).map(({ by, run_id }) =>
  command(`${by} cancels ${run_id}`, async (model, real) => {
    await same(real.ask(by, "run_cancel", { target_run_id: run_id }),
      () => model.cancel(by, run_id), asRun(real));
  }));

const reads = fc.record({ by: names, run_id: runIds }).map(({ by, run_id }) =>
  command(`${by} reads ${run_id}`, async (model, real) => {
    const params = { target_run_id: run_id };
    await same(real.ask(by, "run_get", params), () => model.reach(by, run_id), asRun(real));
    await same(real.ask(by, "run_events_page", params), () => model.reach(by, run_id),
      (answer, run) => [
        answer.items.map(({ sequence, type }: Answer) => [sequence, type]),
        [...run.events].sort(([a], [b]) => a - b).map(([sequence, { type }]) => [sequence, type]),
      ]);
  }));

const lists = names.map((by) => command(`${by} lists`, async (model, real) => {
  const seen = [...model.runs.values()].filter((run) => by === "admin" || run.created_by === by);
  await same(real.ask(by, "run_list", { limit: 100 }), () => seen, (answer, runs) => [
    answer.items.map(({ run_id, status }: Answer) => [run_id, status]),
    runs.sort((a, b) => b.number - a.number).map(({ run_id, status }) => [run_id, status]),
  ]);
}));

const beats = fc.record({
  by: names, status: fc.constantFrom<"online" | "draining">("online", "online", "draining"),
}).map(({ by, status }) => command(`${by} beats ${status}`, async (model, real) => {
  const { runtime_id } = real.actors[by];
  const due = () => {
    if (model.runtimes[by] === "gone") throw new Refused("NOT_FOUND");
    model.runtimes[by] = status;
    return status;
  };
  const params = { runtime_id, status, heartbeat_ttl_seconds: 3600 };
  await same(real.ask(by, "runtime_heartbeat", params), due, (answer, kept) => [answer.status, kept]);
}));

const registers = names.map((by) => command(`${by} registers its runtime`, async (model, real) => {
  const params = { runtime_id: real.actors[by].runtime_id, heartbeat_ttl_seconds: 3600 };
  await same(real.ask(by, "runtime_register", params), () => {
    model.runtimes[by] = "online";
  });
}));

const leaves = names.map((by) => command(`${by} deregisters its runtime`, async (model, real) => {
  const params = { runtime_id: real.actors[by].runtime_id };
  await same(real.ask(by, "runtime_deregister", params), () => model.deregister(by),
    (answer, count) => [answer.released_claim_count, count]);
}));

const sweeps = fc.constant(command("a sweep", async (model, real) => {
  await same(real.ask("admin", "runtime_reconcile", {}), () => model.sweep());
  await holdBack(model, real);
}));

const expiries = runIds.map((run_id) => command(`the lease of ${run_id} runs out`,
  async (model, { sql, tenant_id }) => {
    const run = model.runs.get(run_id);
    if (run?.status !== "claimed") return;
    run.lease_over = true;
    await sql`update agent_run set claim_lease_expires_at = now() - interval '1 second'
      where tenant_id = ${tenant_id} and run_id = ${run_id}`;
  }));

const passings = fc.constant(command("time passes", async (model, { sql, tenant_id }) => {
  for (const run of model.runs.values()) run.held_back = false;
  await sql`update agent_run set not_before = null
    where tenant_id = ${tenant_id} and status = 'queued'`;
}));

export const anyCommands = (most: number) => fc.commands(
  [creates, creates, creates, retries, claims, claims, claims, renewals, releases, writes, writes,
    writes, finalizes, cancels, reads, lists, beats, registers, leaves, sweeps, expiries, passings],
  { maxCommands: most, size: "max" },
);
