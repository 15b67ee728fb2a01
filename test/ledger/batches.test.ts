// Batches: each write gets the outcome that it would get alone, in the order of its run, whatever
// stands beside it in the statement; a batch is bounded and names one tenant.

import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../src/contract/errors.js";
import type { NewResult } from "../../src/ledger/requests.js";
import { claimOf, fresh, registerPlugin, useHost } from "../support/host.js";
import {
  append, claimRuns, drive, expectAllOk, grantTo, holdRun, inOneBatch, oneLane, outline,
  sequencesOf, toolEvent, untilBlocked,
} from "./batch_world.js";

const world = useHost();

describe("outcomes", () => {
  test("an idle lane sends a lone write in its turn", async () => {
    const driven = drive(world());
    const [claimed] = await claimRuns(world(), 1);
    await append(driven, claimed!, toolEvent(1));
    await append(driven, claimed!, toolEvent(2));
    expect(driven.statements).toEqual(["run_append_plain", "run_append_plain"]);
  });

  test("good, repeated, conflicting and refused writes share a statement", async () => {
    const driven = drive(world());
    const [a, b, c, ended, foreign] = await claimRuns(world(), 5);
    const end = { grant: grantTo(ended!), input: { status: "failed" } };
    await driven.operate("run_finalize", end);
    driven.statements.length = 0;
    const unknown = { ...a!, run_id: fresh("unknown") };
    const stale = { ...c!, claim: { ...c!.claim, epoch: c!.claim.epoch + 1 } };
    const stolen = { ...foreign!, claim: a!.claim };
    const settled = await inOneBatch(world(), driven, () => [
      append(driven, a!, toolEvent(1)),
      append(driven, b!, toolEvent(5)),
      append(driven, a!, toolEvent(1)),
      append(driven, unknown, toolEvent(1)),
      append(driven, a!, toolEvent(1, "other")),
      append(driven, stale, toolEvent(1)),
      append(driven, b!, toolEvent(3)),
      append(driven, ended!, toolEvent(1)),
      append(driven, stolen, toolEvent(1)),
      append(driven, a!, toolEvent(2)),
      append(driven, c!, toolEvent(1)),
      append(driven, b!, toolEvent(6)),
    ]);
    // The one that is held; what is plain of the others; what needs a look of its own.
    expect(driven.statements).toEqual(["run_append_plain", "run_append_plain", "run_append"]);
    expect(settled.map(outline)).toEqual([
      "ok", "ok", "repeated", "LEASE_LOST claim_not_active", "CONFLICT sequence_reused",
      "LEASE_LOST claim_not_active", "CONFLICT sequence_out_of_order", "RUN_TERMINAL",
      "LEASE_LOST claim_not_active", "ok", "ok", "ok",
    ]);
    expect(await sequencesOf(world(), a!.run_id)).toEqual([1, 2]);
    expect(await sequencesOf(world(), b!.run_id)).toEqual([5, 6]);
    expect(await sequencesOf(world(), c!.run_id)).toEqual([1]);
    expect(await sequencesOf(world(), foreign!.run_id)).toEqual([]);
    const rows = await world().clone.sql`select run_id, last_sequence::int from agent_run
      where run_id in ${world().clone.sql([a!.run_id, b!.run_id])} order by last_sequence`;
    expect(rows.map(({ last_sequence }) => last_sequence)).toEqual([2, 6]);
  });

  test("each answer is that of its own write", async () => {
    const driven = drive(world());
    const claimed = await claimRuns(world(), 6);
    const settled = await inOneBatch(world(), driven, () =>
      claimed.map((one, place) => append(driven, one, toolEvent(place + 1))));
    expectAllOk(settled);
    const events = settled.map((one) => one.status === "fulfilled" && one.value["event"]);
    expect(events).toEqual(claimed.map(({ run_id, claim }, place) =>
      expect.objectContaining({
        run_id, sequence: place + 1, type: "tool.call.started", claim_epoch: 1,
        source: `runtime:${claim.runtime_id}`,
      })));
  });

  test("an end between the events of a run divides them", async () => {
    const driven = drive(world());
    const [claimed, beside] = await claimRuns(world(), 2);
    const none = { interaction: null, state: null, message: null };
    const ending = { ...toolEvent(2), type: "run.completed", data: {}, ...none } as NewResult;
    const emit = (one: typeof claimed, input: NewResult) =>
      driven.operate("run_emit", { grant: grantTo(one!, { action: "run_emit_result" }), input });
    const settled = await inOneBatch(world(), driven, () => [
      emit(claimed, toolEvent(1)),
      emit(claimed, ending),
      emit(claimed, toolEvent(3)),
      emit(beside, toolEvent(1)),
    ], "run_emit");
    expect(settled.map(outline)).toEqual(["ok", "ok", "RUN_TERMINAL", "ok"]);
    const statuses = settled.map((one) =>
      one.status === "fulfilled" && (one.value["event"] as { run_status: string }).run_status);
    expect(statuses).toEqual(["claimed", "completed", false, "claimed"]);
    expect(await sequencesOf(world(), claimed!.run_id)).toEqual([1, 2]);
  });

  test("ends share a statement: the first counts, repeats are answered, others refused", async () => {
    const driven = drive(world());
    const [a, b, c, d] = await claimRuns(world(), 4);
    const end = (one: typeof a, input: object) =>
      driven.operate("run_finalize", {
        grant: grantTo(one!, { action: "run_finalize" }),
        input: { status_reason: null, usage: null, cost: null, metadata: null, ...input },
      });
    const stale = { ...d!, claim: { ...d!.claim, token_sha256: "00".repeat(32) } };
    const settled = await inOneBatch(world(), driven, () => [
      end(a, { status: "completed", usage: { total_tokens: 7 } }),
      end(a, { status: "completed" }),
      end(a, { status: "failed" }),
      end(b, { status: "failed", status_reason: "broken", metadata: { seen: true } }),
      end(stale, { status: "completed" }),
      end(c, { status: "timeout" }),
    ], "run_finalize");
    expect(settled.map(outline)).toEqual([
      "ok", "repeated", "CONFLICT status_differs", "ok", "LEASE_LOST claim_not_active", "ok",
    ]);
    const runs = await Promise.all([a, b, c, d].map((one) =>
      world().admin.call("run_get", { target_run_id: one!.run_id })));
    expect(runs).toMatchObject([
      { status: "completed", usage: { total_tokens: 7 }, claim_lease_expires_at: null },
      { status: "failed", status_reason: "broken", metadata: { seen: true } },
      { status: "timeout" },
      { status: "claimed" },
    ]);
  });

  test("renewals share a statement, each with its own lease", async () => {
    const driven = drive(world());
    const [a, b, c] = await claimRuns(world(), 3);
    const renew = (one: typeof a, lease_seconds: number) =>
      driven.operate("run_renew", {
        grant: grantTo(one!, { action: "run_renew_claim" }), input: { lease_seconds },
      });
    const stale = { ...c!, claim: { ...c!.claim, epoch: 9 } };
    const settled = await inOneBatch(world(), driven, () => [
      renew(a, 100), renew(b, 1000), renew(a, 2000), renew(stale, 100),
    ], "run_renew");
    expect(settled.map(outline)).toEqual(["ok", "ok", "ok", "LEASE_LOST claim_not_active"]);
    const leases = await world().clone.sql`select run_id,
      round(extract(epoch from claim_lease_expires_at - updated_at))::int as seconds
      from agent_run where run_id in ${world().clone.sql([a!.run_id, b!.run_id])}`;
    const held = Object.fromEntries(leases.map(({ run_id, seconds }) => [run_id, seconds]));
    expect(held).toEqual({ [a!.run_id]: 2000, [b!.run_id]: 1000 });
  });

  test("heartbeats share a statement: each its own, a hold and a refusal beside them", async () => {
    const driven = drive(world());
    const owner = await registerPlugin(world());
    const other = await registerPlugin(world());
    const beat = (runtime_id: string, input: object = {}) =>
      driven.operate("runtime_heartbeat", {
        grant: grantTo({ plugin: owner, run_id: "none", claim: null as never }, {
          action: "runtime_heartbeat", target_run_id: null, capability: "runtime_heartbeat",
        }),
        input: { runtime_id, ...input },
      });
    const settled = await Promise.allSettled([
      beat(owner.runtime_id, { status: "draining" }),
      beat(owner.runtime_id, { metadata: { note: "late" } }),
      beat(fresh("unknown")),
      beat(other.runtime_id),
      beat(owner.runtime_id, { metadata: { wide: "x".repeat(65_536) } }),
      beat(owner.runtime_id, { status: "online" }),
    ]);
    expect(driven.statements).toEqual(["runtime_heartbeat"]);
    expect(settled.map(outline)).toEqual([
      "ok", "ok", "NOT_FOUND", "FORBIDDEN out_of_scope", "PAYLOAD_TOO_LARGE field", "ok",
    ]);
    const last = settled[5] as PromiseFulfilledResult<{ runtime: object }>;
    expect(last.value.runtime).toMatchObject({ status: "online", metadata: { note: "late" } });
  });
});

describe("failures", () => {
  test("a write that breaks the statement breaks only itself", async () => {
    const driven = drive(world());
    const claimed = await claimRuns(world(), 5);
    // No text that Postgres can store; the gate of the wire does not let it in.
    const poison = { ...toolEvent(2), data: { tool_call_id: "a\u0000b", tool_name: "look" } };
    const settled = await inOneBatch(world(), driven, () => [
      ...claimed.map((one) => append(driven, one, toolEvent(1))),
      append(driven, claimed[2]!, poison),
      ...claimed.map((one) => append(driven, one, toolEvent(3))),
    ]);
    const [guilty] = settled.splice(5, 1);
    expectAllOk(settled);
    expect(guilty).toMatchObject({ status: "rejected", reason: { code: "22P05" } });
    for (const { run_id } of claimed) {
      expect(await sequencesOf(world(), run_id)).toEqual([1, 3]);
    }
  });

  test("a database that dies in mid-batch answers each write, and none is stored", async () => {
    const driven = drive(world());
    const [blocker, held, ...others] = await claimRuns(world(), 5);
    const freeFirst = await holdRun(world(), blocker!.run_id);
    const first = append(driven, blocker!, toolEvent(1));
    await untilBlocked(world());
    const all = [...others, held!];
    const settled = Promise.allSettled(all.map((one) => append(driven, one, toolEvent(1))));
    const freeSecond = await holdRun(world(), held!.run_id);
    await freeFirst();
    await first;
    await untilBlocked(world(), { kill: true });
    const answers = await settled;
    await freeSecond();
    expect(answers.map(outline)).toEqual(all.map(() => "UNAVAILABLE"));
    expect(answers.every((one) =>
      one.status === "rejected" && one.reason instanceof Refusal)).toBe(true);
    for (const { run_id } of all) expect(await sequencesOf(world(), run_id)).toEqual([]);
    const again = await Promise.allSettled(all.map((one) => append(driven, one, toolEvent(1))));
    expectAllOk(again);
  });
});

test("nobody waits longer than for one statement that is not answered", async () => {
  const driven = drive(world(), oneLane, 1_500);
  const [held, other] = await claimRuns(world(), 2);
  const free = await holdRun(world(), held!.run_id);
  const first = append(driven, held!, toolEvent(1));
  await untilBlocked(world());
  const second = append(driven, other!, toolEvent(1));
  const began_ms = performance.now();
  const settled = await Promise.allSettled([first, second]);
  expect(performance.now() - began_ms).toBeLessThan(2_900);
  await free();
  expect(settled.map(outline)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
  expect(await sequencesOf(world(), other!.run_id)).toEqual([]);
  await append(driven, other!, toolEvent(1));
});

describe("gathering", () => {
  /** So many writes in each turn of the loop, one turn after the other. */
  async function write(turns: number[]): Promise<string[]> {
    const driven = drive(world());
    const claimed = await claimRuns(world(), turns.reduce((sum, count) => sum + count));
    const writes = [];
    for (const count of turns) {
      // Asked for before the lane asks for its own, so that what comes next comes in time.
      const turn = nextTurn();
      for (let n = 0; n < count; n += 1) writes.push(append(driven, claimed.pop()!, toolEvent(1)));
      await turn;
    }
    expectAllOk(await Promise.allSettled(writes));
    return driven.statements;
  }

  test("an idle lane waits while turns bring more, four of them at most", async () => {
    expect(await write([1, 1, 1, 1])).toEqual(["run_append_plain"]);
    expect(await write([1, 0, 1])).toHaveLength(2);
    expect(await write([1, 1, 1, 1, 1, 1])).toHaveLength(2);
  });

  test("thirty-two writes are enough", async () => {
    expect(await write([40, 1, 5])).toHaveLength(2);
  });
});

describe("bounds", () => {
  test("a batch holds at most as many writes, and as many bytes, as allowed", async () => {
    const few = drive(world(), { ...oneLane, items_max: 3 });
    const claimed = await claimRuns(world(), 7);
    expectAllOk(await inOneBatch(world(), few, () =>
      claimed.map((one) => append(few, one, toolEvent(1)))));
    expect(few.statements).toHaveLength(1 + 3);

    const bytes = JSON.stringify(toolEvent(2)).length;
    const small = drive(world(), { ...oneLane, bytes_max: 2.5 * bytes });
    expectAllOk(await inOneBatch(world(), small, () =>
      claimed.map((one) => append(small, one, toolEvent(2)))));
    expect(small.statements).toHaveLength(1 + 4);
  });

  test("grants that are large are divided as well", async () => {
    const [one, two, three] = await claimRuns(world(), 3);
    const driven = drive(world(), { ...oneLane, bytes_max: 20_000 });
    // Repeats are judged by the function of the kind; what the caller holds makes a grant large.
    const workspaces = Array.from({ length: 1000 }, (_, n) => `workspace-${n}`);
    const admin = { permission: "agent_run:admin" as const, workspaces };
    const repeat = (of: typeof one) => driven.operate("run_append", {
      grant: grantTo(of!, { admin }), input: toolEvent(1),
    });
    for (const of of [one, two, three]) await repeat(of);
    driven.statements.length = 0;
    const settled = await inOneBatch(world(), driven, () => [one, two, three].map(repeat));
    expect(settled.map(outline)).toEqual(["repeated", "repeated", "repeated"]);
    // The one that is held; what is not plain of three, one by one.
    expect(driven.statements.filter((name) => name === "run_append")).toHaveLength(3);
  });

  test("a tenant waits for no other, and shares no statement with it", async () => {
    const driven = drive(world());
    const tenant_id = fresh("tenant");
    const [here] = await claimRuns(world(), 1);
    const [there, beside] = await claimRuns(world(), 2, { tenant_id });
    const free = await holdRun(world(), here!.run_id);
    const held = append(driven, here!, toolEvent(1));
    await untilBlocked(world());
    const grant = (one: typeof there) => grantTo(one!, { tenant_id });
    await driven.operate("run_append", { grant: grant(there), input: toolEvent(1) });
    await driven.operate("run_append", { grant: grant(beside), input: toolEvent(1) });
    expect(driven.statements).toEqual(Array(3).fill("run_append_plain"));
    await free();
    await held;
    const named = { grant: grantTo(there!), input: toolEvent(2) };
    const wrong = await Promise.allSettled([driven.operate("run_append", named)]);
    expect(wrong.map(outline)).toEqual(["LEASE_LOST claim_not_active"]);
  });
});

describe("order", () => {
  test("pipelined events of one run keep their order and share statements", async () => {
    const { test: host } = world();
    const { client, runner_id, runtime_id } = await registerPlugin(world());
    await client.call("run_create", { runner_id });
    const item = await client.call("run_claim", { runtime_id });
    const target = { target_run_id: item.run_id, ...claimOf(item) };
    const data = { tool_call_id: "c", tool_name: "t" };
    const sent = host.statements.length;
    const answers = await Promise.all(Array.from({ length: 60 }, (_, place) => {
      const sequence = place + 1;
      const type = "tool.call.started";
      // The kind changes now and then: those that follow wait for what came before.
      const method = sequence % 20 === 0 ? "run_emit_result" : "run_append_result";
      return client.ask(method, { ...target, sequence, type, data });
    }).concat(client.ask("run_finalize", { ...target, status: "completed" })));
    expect(answers.map(({ error }) => error)).toEqual(answers.map(() => undefined));
    const stored = await sequencesOf(world(), item.run_id);
    expect(stored).toEqual(Array.from({ length: 60 }, (_, place) => place + 1));
    const appends = host.statements.slice(sent).filter((name) => name === "run_append_plain");
    expect(appends.length).toBeLessThan(57);
  });

  test("batches of two hosts over the same runs never deadlock", async () => {
    const claimed = await claimRuns(world(), 24);
    const hosts = [drive(world()), drive(world())];
    const forward = [...claimed];
    const backward = [...claimed].reverse();
    for (let round = 1; round <= 12; round += 1) {
      const settled = await Promise.allSettled([
        ...forward.map((one) => append(hosts[0]!, one, toolEvent(round))),
        ...backward.map((one) => hosts[1]!.operate("run_emit", {
          grant: grantTo(one, { action: "run_emit_result" }), input: toolEvent(round),
        })),
        ...backward.map((one) => hosts[1]!.operate("run_renew", {
          grant: grantTo(one, { action: "run_renew_claim" }), input: { lease_seconds: 60 },
        })),
      ]);
      expect(settled.filter(({ status }) => status === "rejected")).toEqual([]);
    }
    // A deadlock is tried again and would show as "refused".
    expect(new Set(hosts.flatMap(({ ends }) => ends))).toEqual(new Set(["answered"]));
    for (const { run_id } of claimed) {
      expect(await sequencesOf(world(), run_id)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    }
  });
});
