// Batches under a magnifier: an `operate` with one lane on the clone of a test file, a way to hold what
// is under way, and grants and events as the floors above would make them.

import { createHash } from "node:crypto";
import { afterEach, expect } from "vitest";
import type { GrantFacts } from "../../src/contract/grants.js";
import { checkResult } from "../../src/contract/result_payloads.js";
import { createOperate, type Operate } from "../../src/ledger/answers.js";
import { type BatchBounds, createBatch } from "../../src/ledger/batches/batches.js";
import type { NewResult } from "../../src/ledger/requests.js";
import { createDatabase } from "../../src/sql/database.js";
import type { Params } from "../support/client.js";
import { type HostWorld, type Plugin, registerPlugin } from "../support/host.js";

export interface Driven {
  operate: Operate;
  /** Names of the statements sent. */
  statements: string[];
  /** How each ended. */
  ends: string[];
}

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

export const oneLane: BatchBounds = { lanes: 1, items_max: 128, bytes_max: 1_048_576 };

export function drive(
  world: HostWorld,
  bounds: BatchBounds = oneLane,
  statement_timeout_ms = 60_000,
): Driven {
  const statements: string[] = [];
  const ends: string[] = [];
  const quiet = () => undefined;
  const database = createDatabase({
    url: world.clone.url,
    prepare: true,
    statement_timeout_ms,
    pool_size: 6,
    log: { warn: quiet, debug: quiet },
    on_statement: (name) => statements.push(name),
    observer: { statement: () => (end) => void ends.push(end), renewed: quiet },
  });
  opened.push(database);
  return { operate: createOperate(database, createBatch(database, bounds)), statements, ends };
}

export interface Claimed {
  plugin: Plugin;
  run_id: string;
  claim: { runtime_id: string; token_sha256: string; epoch: number };
}

/** Runs that one plugin has claimed. */
export async function claimRuns(
  world: HostWorld,
  count: number,
  options: Parameters<typeof registerPlugin>[1] & { run?: Params } = {},
): Promise<Claimed[]> {
  const plugin = await registerPlugin(world, options);
  const { client, runner_id, runtime_id } = plugin;
  for (let n = 0; n < count; n += 1) await client.call("run_create", { runner_id, ...options.run });
  const taken: Claimed[] = [];
  for (let n = 0; n < count; n += 1) {
    const item = await client.call("run_claim", { runtime_id });
    const token_sha256 = createHash("sha256").update(item.claim_token).digest("hex");
    const claim = { runtime_id, token_sha256, epoch: item.claim_epoch };
    taken.push({ plugin, run_id: item.run_id, claim });
  }
  return taken;
}

/** What authz grants to the holder of a claim. */
export function grantTo(
  { plugin, run_id, claim }: Claimed,
  changes: Partial<GrantFacts> = {},
): GrantFacts {
  return {
    tenant_id: "default", caller: plugin.identity, via: null, action: "run_append_result",
    now: null, run_id: null, target_run_id: run_id, capability: "run_append_result", mode: null,
    admin: null, creator: null, held: [], claim, force: false, unlimited: [], read_days: 7,
    ...changes,
  };
}

/** A tool event, which has no effect beside itself. */
export function toolEvent(sequence: number, tool_name = "look"): NewResult {
  const data = { tool_call_id: `call-${sequence}`, tool_name };
  const sent = { type: "tool.call.started", data, usage: undefined, metadata: undefined };
  const none = { interaction: null, state: null, message: null };
  return { sequence, ...checkResult({ ...sent, emitted: false }), ...none };
}

export const append = ({ operate }: Driven, claimed: Claimed, event: NewResult) =>
  operate("run_append", { grant: grantTo(claimed), input: event });

/** Holds the row of a run against writers until the returned function is called, which changes it
    first if that is wanted: whoever waited then meets another row than it had seen. */
export async function holdRun(
  { clone }: HostWorld,
  run_id: string,
  change: "none" | "renewed" | "ended" = "none",
): Promise<() => Promise<void>> {
  const gates = { held: (): void => undefined, free: (): void => undefined };
  const held = new Promise<void>((resolve) => (gates.held = resolve));
  const freed = new Promise<void>((resolve) => (gates.free = resolve));
  const transaction = clone.sql.begin(async (sql) => {
    await sql`select from agent_run where run_id = ${run_id} for update`;
    gates.held();
    await freed;
    if (change === "renewed") {
      await sql`update agent_run set claim_lease_expires_at = now() + interval '1 hour',
        metadata = metadata || '{"renewed": true}' where run_id = ${run_id}`;
    } else if (change === "ended") {
      await sql`update agent_run set claim_lease_expires_at = null, status = 'cancelled',
        finished_at = now() where run_id = ${run_id}`;
    }
  });
  await held;
  return async () => {
    gates.free();
    await transaction;
  };
}

/** Resolves when `count` statements of hosts wait for a lock; they are killed if wanted. */
export async function untilBlocked(
  { clone }: HostWorld,
  { count = 1, kill = false }: { count?: number; kill?: boolean } = {},
): Promise<void> {
  for (;;) {
    const waiting = await clone.sql`select pid from pg_stat_activity
      where datname = current_database() and application_name = 'runhost'
        and wait_event_type = 'Lock' and state = 'active'`;
    if (waiting.length < count) continue;
    const pids = waiting.map(({ pid }) => pid as number);
    if (kill) await clone.sql`select pg_terminate_backend(p) from unnest(${pids}::int[]) p`;
    return;
  }
}

/** Sends `work` while one statement of the lane is held, so that all of it waits for the next. */
export async function inOneBatch<T>(
  world: HostWorld,
  driven: Driven,
  work: () => Promise<T>[],
  kind: "run_append" | "run_emit" | "run_finalize" | "run_renew" = "run_append",
): Promise<PromiseSettledResult<T>[]> {
  const [blocker] = await claimRuns(world, 1);
  const free = await holdRun(world, blocker!.run_id);
  const input = kind === "run_renew" ? { lease_seconds: 60 }
    : kind === "run_finalize" ? { status: "completed" } : toolEvent(1);
  const first = driven.operate(kind, { grant: grantTo(blocker!), input });
  await untilBlocked(world);
  const settled = Promise.allSettled(work());
  await free();
  await first;
  return settled;
}

/** "ok", "repeated", or the code and reason of a refusal. */
export function outline(settled: PromiseSettledResult<Params>): string {
  if (settled.status === "fulfilled") {
    const record = (settled.value["event"] ?? settled.value["run"] ?? {}) as Params;
    return record["idempotent"] === true ? "repeated" : "ok";
  }
  const { code, details } = settled.reason as { code: string; details?: Params };
  return [code, details?.["reason"]].filter((part) => part !== undefined).join(" ");
}

export async function sequencesOf({ clone }: HostWorld, run_id: string): Promise<number[]> {
  const rows = await clone.sql`select sequence::int from agent_run_event
    where run_id = ${run_id} order by id`;
  return rows.map(({ sequence }) => sequence as number);
}

export const expectAllOk = (settled: PromiseSettledResult<Params>[]): void =>
  expect(settled.map(outline)).toEqual(settled.map(() => "ok"));
