// Plain writes: the narrower statement takes only what the function of the kind would take, and
// answers and stores the same; all else it leaves to that function, in the order of its run.

import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { GrantFacts } from "../../src/contract/grants.js";
import { createBatch } from "../../src/ledger/batches/batches.js";
import type { NewResult } from "../../src/ledger/requests.js";
import type { Database } from "../../src/sql/database.js";
import type { Params } from "../support/client.js";
import { fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";
import {
  append, claimRuns, drive, type Driven, grantTo, holdRun, oneLane, outline, sequencesOf,
  toolEvent, untilBlocked,
} from "./batch_world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

type Kind = "run_append" | "run_emit" | "run_finalize" | "run_claim";

/** The function that judges every write of the kind, by itself. */
async function whole(name: Kind, grant: GrantFacts, input: object): Promise<Params> {
  const { sql } = world().clone;
  const [row] = await sql`select ${sql(`${name}_batch`)}('default',
    ${JSON.stringify([grant])}::text::jsonb, ${JSON.stringify([input])}::text::jsonb) as outcome`;
  return row!["outcome"] as Params;
}

/** Without what differs from one run, and one moment, to the next. */
function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  const changing = /^(id|(run|event|binding)_id|.*_at|.*_at_ms|claim_token_sha256)$/;
  return Object.fromEntries(Object.entries(value).map(([name, member]) =>
    [name, changing.test(name) && member !== null ? typeof member : timeless(member)]));
}

async function rowOf(table: string, run_id: string): Promise<unknown> {
  const { sql } = world().clone;
  const rows = await sql`select to_jsonb(t) as row from ${sql(table)} t where run_id = ${run_id}`;
  return rows.map(({ row }) => timeless(row));
}

const endInput = (changes: object = {}) =>
  ({ status: "completed", status_reason: null, usage: null, cost: null, metadata: null,
    ...changes });
const tokenHash = () => createHash("sha256").update(fresh("token")).digest("hex");

const claimInput = (plugin: Plugin, max_runs = 1) => ({
  runtime_id: plugin.runtime_id, queue_name: null, runner_ids: null, lease_seconds: 60, max_runs,
  token_sha256s: Array.from({ length: max_runs }, tokenHash),
});
const claimGrant = (plugin: Plugin, changes: Partial<GrantFacts> = {}): GrantFacts =>
  grantTo({ plugin, run_id: "none", claim: null as never }, {
    action: "run_claim", capability: "run_claim", target_run_id: null, ...changes,
  });
const claim = ({ operate }: Driven, plugin: Plugin, max_runs = 1) =>
  operate("run_claim", { grant: claimGrant(plugin), input: claimInput(plugin, max_runs) });
const ended = ({ operate }: Driven, one: Parameters<typeof grantTo>[0], changes: object = {}) =>
  operate("run_finalize", {
    grant: grantTo(one, { action: "run_finalize" }), input: endInput(changes),
  });

const create = (plugin: Plugin, params: Params = {}) =>
  plugin.client.call("run_create", { runner_id: plugin.runner_id, ...params });

describe("the same as the function of the kind", () => {
  test.each(["run_append", "run_emit"] as const)("%s", async (name) => {
    const driven = drive(world());
    const [one, two] = await claimRuns(world(), 2);
    const action = `${name}_result` as const;
    const input: NewResult = { ...toolEvent(3), usage: { total_tokens: 2 }, metadata: { a: [1] } };
    const answer = await driven.operate(name, { grant: grantTo(one!, { action }), input });
    const other = await whole(name, grantTo(two!, { action }), input);
    expect(driven.statements).toEqual([`${name}_plain`]);
    expect(timeless(answer)).toEqual(timeless(other));
    expect(await rowOf("agent_run_event", one!.run_id))
      .toEqual(await rowOf("agent_run_event", two!.run_id));
    expect(await rowOf("agent_run", one!.run_id)).toEqual(await rowOf("agent_run", two!.run_id));
  });

  test.each([
    {}, { status: "failed", status_reason: "broken" },
    { usage: { total_tokens: 7 }, cost: { usd: 1 } },
  ])("run_finalize %j", async (changes) => {
    const driven = drive(world());
    const [one, two] = await claimRuns(world(), 2);
    const answer = await ended(driven, one!, changes);
    const other = await whole("run_finalize", grantTo(two!, { action: "run_finalize" }),
      endInput(changes));
    expect(driven.statements).toEqual(["run_finalize_plain"]);
    expect(timeless(answer)).toEqual(timeless(other));
    const { sql } = world().clone;
    const places = await sql`select o.status from agent_run_ended o join agent_run r using (id)
      where run_id in ${sql([one!.run_id, two!.run_id])}`;
    expect(places).toHaveLength(2);
    const open = await sql`select from agent_run_open o join agent_run r using (tenant_id, id)
      where run_id in ${sql([one!.run_id, two!.run_id])}`;
    expect(open).toHaveLength(0);
  });

  test("run_claim", async () => {
    const driven = drive(world());
    const plugin = await registerPlugin(world());
    const deadline_at = Math.floor(Date.now() / 1000) + 30;
    for (let n = 0; n < 2; n += 1) {
      await create(plugin, { deadline_at, text: "hello", conversation_id: "c", priority: 3 });
    }
    const answer = await claim(driven, plugin);
    const other = await whole("run_claim", claimGrant(plugin), claimInput(plugin));
    expect(driven.statements).toEqual(["run_claim_plain"]);
    expect(timeless(answer)).toEqual(timeless(other));
    const [open, more] = await world().clone.sql`select to_jsonb(o) as row from agent_run_open o
      where plugin_identity = ${plugin.identity} and status = 'claimed'`;
    expect(timeless(open)).toEqual(timeless(more));
  });

  test("traces of a run reach its claimer", async () => {
    const plugin = await registerPlugin(world());
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await create(plugin, { _meta: { traceparent } });
    const driven = drive(world());
    const { runs } = await claim(driven, plugin) as unknown as { runs: Params[] };
    const [stored] = await world().clone.sql`select traceparent from agent_run_request
      where run_id = ${String(runs[0]!["run_id"])}`;
    expect(driven.statements).toEqual(["run_claim_plain"]);
    expect(stored!["traceparent"]).toMatch(/^00-a{32}-/);
    expect(runs[0]!["traceparent"]).toBe(stored!["traceparent"]);
  });
});

describe("what is left", () => {
  test("claims share a statement in their order; the last get what is left, or nothing", async () => {
    const driven = drive(world());
    const plugin = await registerPlugin(world());
    const made = [];
    for (let n = 0; n < 5; n += 1) made.push(await create(plugin, { priority: 9 - n }));
    const first = claim(driven, plugin);
    const settled = await Promise.all([first, claim(driven, plugin, 3), claim(driven, plugin, 2),
      claim(driven, plugin)]);
    const runs = settled.map((one) => (one["runs"] as Params[]).map((run) => run["run_id"]));
    const ids = made.map((run) => run["run_id"]);
    expect(runs).toEqual([[ids[0]], ids.slice(1, 4), [ids[4]], []]);
    expect(driven.statements).toEqual(["run_claim_plain"]);
  });

  test("each item goes to its ask with the token that stands at its place", async () => {
    const driven = drive(world());
    const plugin = await registerPlugin(world());
    const late = fresh("z-runtime");
    const early = fresh("a-runtime");
    for (const runtime_id of [late, early]) {
      await plugin.client.call("runtime_register", { runtime_id });
    }
    for (let n = 0; n < 45; n += 1) await create(plugin, { priority: n % 7, queue_name: "q" });
    const ask = async (runtime_id: string, max_runs: number, queue_name: string | null) => {
      const input = { ...claimInput(plugin, max_runs), runtime_id, queue_name };
      const { runs } = await driven.operate("run_claim", { grant: claimGrant(plugin), input });
      return (runs as Params[]).map((run, place) => ({ run, token: input.token_sha256s[place] }));
    };
    for (const [queue_name, statement] of [[null, "run_claim_plain"], ["q", "run_claim"]] as const) {
      driven.statements.length = 0;
      const taken = await Promise.all([
        ask(plugin.runtime_id, 1, queue_name), ask(late, 12, queue_name), ask(early, 3, queue_name),
        ask(late, 2, queue_name),
      ]);
      expect(taken.map((runs) => runs.length)).toEqual([1, 12, 3, 2]);
      expect(driven.statements).toEqual([statement]);
      const all = taken.flat();
      const priorities = all.map(({ run }) => Number(run["priority"]));
      expect(priorities).toEqual([...priorities].sort((one, two) => two - one));
      const rows = await world().clone.sql`select run_id,
        encode(claim_token_sha256, 'hex') as token from agent_run where status = 'claimed'`;
      const stored = new Map(rows.map(({ run_id, token }) => [run_id, token]));
      expect(all.map(({ run }) => stored.get(run["run_id"]))).toEqual(all.map(({ token }) => token));
    }
  });

  test.each([
    ["a run held for the runtime", async (plugin: Plugin) => {
      await create(plugin, { requested_runtime_id: plugin.runtime_id, priority: 1 });
    }],
    ["a run that has become due", async (plugin: Plugin) => {
      await create(plugin, { priority: 1, not_before: Math.floor(Date.now() / 1000) });
    }],
    ["a lease that is over", async (plugin: Plugin) => {
      await create(plugin, { priority: 1 });
      const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
      const { sql } = world().clone;
      await sql`update agent_run set claim_lease_expires_at = now() - interval '1 second'
        where run_id = ${item["run_id"]}`;
    }],
  ])("%s goes before what is ready", async (_, prepare) => {
    const driven = drive(world());
    const plugin = await registerPlugin(world());
    await prepare(plugin);
    const ready = await create(plugin);
    const { runs } = await claim(driven, plugin) as unknown as { runs: Params[] };
    expect(runs[0]!["run_id"]).not.toBe(ready["run_id"]);
    expect(runs[0]!["priority"]).toBe(1);
    expect(driven.statements).toEqual(["run_claim_plain", "run_claim"]);
    // What is left behind would be special for the tests after this one.
    await world().clone.sql`delete from agent_run where plugin_identity = ${plugin.identity}`;
  });

  test("claims for runtimes of others, unknown or not online, are refused", async () => {
    const driven = drive(world());
    const [plugin, other] = [await registerPlugin(world()), await registerPlugin(world())];
    const run = await create(plugin);
    const ask = (runtime_id: string) => driven.operate("run_claim", {
      grant: claimGrant(plugin), input: { ...claimInput(plugin), runtime_id },
    });
    await other.client.call("runtime_heartbeat", { runtime_id: other.runtime_id });
    const settled = await Promise.allSettled([ask(other.runtime_id), ask(fresh("unknown"))]);
    expect(settled.map(outline)).toEqual(["FORBIDDEN out_of_scope", "NOT_FOUND"]);
    await plugin.client.call("runtime_heartbeat", {
      runtime_id: plugin.runtime_id, status: "draining",
    });
    const [draining] = await Promise.allSettled([ask(plugin.runtime_id)]);
    expect(outline(draining!)).toBe("CONFLICT runtime_not_online");
    expect(await plugin.client.call("run_get", { target_run_id: run["run_id"] }))
      .toMatchObject({ status: "queued" });
  });

  test("administrators and filters go to the function of the kind", async () => {
    const driven = drive(world());
    const plugin = await registerPlugin(world());
    await create(plugin, { queue_name: "q" });
    await create(plugin);
    const asks: [Partial<GrantFacts>, object][] = [
      [{ admin: { permission: "runtime:claim" as never, workspaces: null } }, {}],
      [{}, { queue_name: "q" }], [{}, { runner_ids: [plugin.runner_id] }],
    ];
    for (const [grant, input] of asks) {
      await Promise.allSettled([driven.operate("run_claim", {
        grant: claimGrant(plugin, grant), input: { ...claimInput(plugin), ...input },
      })]);
    }
    expect(driven.statements).toEqual(["run_claim", "run_claim", "run_claim"]);
  });

  test("foreign claims and runs that have ended are judged by the function", async () => {
    const driven = drive(world());
    const [one, two] = await claimRuns(world(), 2);
    const stolen = { ...one!, claim: { ...two!.claim } };
    const [refused] = await Promise.allSettled([ended(driven, stolen)]);
    expect(outline(refused!)).toBe("LEASE_LOST claim_not_active");
    await ended(driven, one!);
    const [again, differs] = await Promise.allSettled([
      ended(driven, one!), ended(driven, one!, { status: "failed" }),
    ]);
    expect(outline(again!)).toBe("repeated");
    expect(outline(differs!)).toBe("CONFLICT status_differs");
    const [late] = await Promise.allSettled([append(driven, one!, toolEvent(1))]);
    expect(outline(late!)).toBe("RUN_TERMINAL");
    expect(new Set(driven.ends)).toEqual(new Set(["answered"]));
  });

  test.each([[300, 700], [900, 500]])("after %i ms of a second what is left has %i", async (
    took_ms, left_ms,
  ) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const sent: [string, number | undefined][] = [];
    const database = {
      statement_timeout_ms: 1000,
      async query(name: string, _statement: unknown, deadline_ms?: number) {
        sent.push([name, deadline_ms]);
        if (!name.endsWith("_plain")) return [{ outcome: { event: {} } }];
        vi.advanceTimersByTime(took_ms);
        return [];
      },
    };
    const batch = createBatch(database as unknown as Database, oneLane);
    const grant = grantTo({
      plugin: {} as Plugin, run_id: "r", claim: { runtime_id: "m", token_sha256: "", epoch: 1 },
    });
    await batch({
      name: "run_append", tenant_id: "default", key: "r", grant, input: toolEvent(1),
    });
    vi.useRealTimers();
    expect(sent).toEqual([["run_append_plain", undefined], ["run_append", left_ms]]);
  });

  test("a plain event behind one that is not waits for it", async () => {
    const driven = drive(world());
    const [one] = await claimRuns(world(), 1);
    const emit = (input: NewResult) => driven.operate("run_emit", {
      grant: grantTo(one!, { action: "run_emit_result" }), input,
    });
    const free = await holdRun(world(), one!.run_id);
    const first = emit(toolEvent(1));
    await untilBlocked(world());
    const stated = { ...toolEvent(3), type: "run.failed", data: { error: "no", retryable: true } };
    const rest = Promise.allSettled([
      emit(toolEvent(2)), emit(stated as NewResult), emit(toolEvent(4)),
    ]);
    await free();
    await first;
    expect((await rest).map(outline)).toEqual(["ok", "ok", "LEASE_LOST claim_not_active"]);
  });
});

describe("a run that changed while its lock was waited for", () => {
  const writes = {
    append: (driven: Driven, one: Parameters<typeof grantTo>[0]) =>
      append(driven, one as Parameters<typeof append>[1], toolEvent(1)),
    end: ended,
  };

  test.each(["append", "end"] as const)("%s: renewed", async (kind) => {
    const driven = drive(world());
    const [one] = await claimRuns(world(), 1);
    const free = await holdRun(world(), one!.run_id, "renewed");
    const write = writes[kind](driven, one!);
    await untilBlocked(world());
    await free();
    await write;
    const [row] = await world().clone.sql`select r.status, r.last_sequence::int, r.metadata,
        (select count(*)::int from agent_run_event e where e.run_id = r.run_id) as events,
        (select count(*)::int from agent_run_open o where o.id = r.id) as open,
        (select count(*)::int from agent_run_ended e where e.id = r.id) as ended
      from agent_run r where run_id = ${one!.run_id}`;
    expect(row).toEqual(kind === "append"
      ? { status: "claimed", last_sequence: 1, metadata: { renewed: true }, events: 1, open: 1,
        ended: 0 }
      : { status: "completed", last_sequence: 0, metadata: { renewed: true }, events: 0, open: 0,
        ended: 1 });
  });

  test.each([["append", "RUN_TERMINAL"], ["end", "CONFLICT status_differs"]] as const)(
    "%s: ended", async (kind, refusal) => {
      const driven = drive(world());
      const [one] = await claimRuns(world(), 1);
      const free = await holdRun(world(), one!.run_id, "ended");
      const settled = Promise.allSettled([writes[kind](driven, one!)]);
      await untilBlocked(world());
      await free();
      expect((await settled).map(outline)).toEqual([refusal]);
      expect(await sequencesOf(world(), one!.run_id)).toEqual([]);
      const [row] = await world().clone.sql`select r.status,
          (select count(*)::int from agent_run_ended e where e.id = r.id) as ended
        from agent_run r where run_id = ${one!.run_id}`;
      expect(row).toEqual({ status: "cancelled", ended: 1 });
    });
});

describe("what hangs on a run that ends", () => {
  const pending = (one: { run_id: string }, interaction_id: string) => world().clone.sql`
    insert into agent_interaction (tenant_id, run_id, interaction_id, sequence, runner_id, request,
      expires_at) select tenant_id, run_id, ${interaction_id}, 1, runner_id, '{}',
      now() + interval '1 hour' from agent_run where run_id = ${one.run_id}`;
  const statusOf = async (interaction_id: string) => (await world().clone.sql`
    select status, status_reason from agent_interaction
    where interaction_id = ${interaction_id}`)[0];

  test("a pending interaction is cancelled", async () => {
    const driven = drive(world());
    const [one] = await claimRuns(world(), 1);
    const interaction_id = fresh("ask");
    await pending(one!, interaction_id);
    await ended(driven, one!);
    expect(driven.statements).toEqual(["run_finalize_plain"]);
    expect(await statusOf(interaction_id))
      .toEqual({ status: "cancelled", status_reason: "run ended" });
  });

  test("also one that was asked while the end waited for the run's lock", async () => {
    const driven = drive(world());
    const [one] = await claimRuns(world(), 1);
    const interaction_id = fresh("ask");
    const free = await holdRun(world(), one!.run_id);
    const ending = ended(driven, one!);
    await untilBlocked(world());
    await pending(one!, interaction_id);
    await free();
    await ending;
    expect(await statusOf(interaction_id)).toMatchObject({ status: "cancelled" });
  });

  test("messages nobody pulled start a run that follows, which the host is told of", async () => {
    const driven = drive(world());
    const [one, beside] = await claimRuns(world(), 2, { run: { conversation_id: fresh("talk") } });
    const [run] = await world().clone.sql`select conversation_id, runner_id from agent_run
      where run_id = ${one!.run_id}`;
    const steering_id = fresh("steer");
    await world().clone.sql`insert into agent_run_steering (tenant_id, steering_id, run_id, type,
      event_id, payload) values ('default', ${steering_id}, ${one!.run_id}, 'message',
      ${fresh("event")}, ${world().clone.sql.json({
        event: { event_type: "message.received", event_id: fresh("event"), source: "api" },
        input: { text: "and then?" }, actor: null, subject: null, binding: null,
      })})`;
    const [first, second] = await Promise.all([ended(driven, one!), ended(driven, beside!)]);
    const [steering] = await world().clone.sql`select state, redispatched_run_id
      from agent_run_steering where steering_id = ${steering_id}`;
    expect(steering).toMatchObject({ state: "redispatched" });
    expect([first["queued"], second["queued"]]).toEqual([true, false]);
    const [follow] = await world().clone.sql`select conversation_id, runner_id, status
      from agent_run where run_id = ${steering!["redispatched_run_id"]}`;
    expect(follow).toEqual({ ...run, status: "queued" });
  });
});
