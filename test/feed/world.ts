// The feed on a real database, with connections that are arrays: runs and their events are planted as
// rows, reads are counted, and each connection drains as its test wants.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import type { Grant } from "../../src/contract/grants.js";
import type { Run } from "../../src/contract/records.js";
import { createFeed, type Feed } from "../../src/feed/feed.js";
import type { FeedBounds, FeedReads, Outgoing } from "../../src/feed/parts.js";
import { createFeedReads } from "../../src/ledger/feed_reads.js";
import { createDatabase, type Database } from "../../src/sql/database.js";
import { type Clone, useClone } from "../support/clone.js";

export const tenant_id = "default";

export const quickBounds: FeedBounds = {
  waiting_bytes_max: 65_536,
  slow_ms: 300,
  ring_events: 50,
  ring_characters: 262_144,
  poll_ms: 100,
  admission_ms: 100,
  reads_max: 3,
};

export interface Message {
  method: string;
  params: Record<string, any>;
}

/** A connection: what was sent, and how much of it has not left. */
export class Line implements Outgoing {
  readonly messages: Message[] = [];
  /** Of all events that were told, whatever the subscription. */
  readonly sequences: number[] = [];
  waiting_bytes = 0;
  most_bytes = 0;
  /** False: nothing leaves until `drain`. */
  flowing = true;
  onFlushed = (): void => undefined;
  readonly #watchers = new Set<() => void>();

  send(text: string): void {
    const bytes = Buffer.byteLength(text);
    const message = JSON.parse(text) as Message;
    this.messages.push(message);
    if (message.method === "run_event") this.sequences.push(message.params["event"].sequence);
    this.waiting_bytes += bytes;
    this.most_bytes = Math.max(this.most_bytes, this.waiting_bytes);
    if (this.flowing) setImmediate(() => this.drain(bytes));
    for (const watcher of [...this.#watchers]) watcher();
  }

  drain(bytes = this.waiting_bytes): void {
    this.waiting_bytes -= Math.min(bytes, this.waiting_bytes);
    this.onFlushed();
  }

  /** Sequences told to one of several subscriptions. */
  sequencesOf(subscription_id: string): number[] {
    return this.messages
      .filter(({ method, params }) => method === "run_event"
        && params["subscription_id"] === subscription_id)
      .map(({ params }) => params["event"].sequence as number);
  }

  /** Looks now, and after every message. */
  async until(fits: (line: Line) => boolean): Promise<void> {
    if (fits(this)) return;
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!fits(this)) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** The first message of this method, past or to come. */
  async told(method: string): Promise<Message["params"]> {
    const past = this.messages.find((message) => message.method === method);
    if (past !== undefined) return past.params;
    await this.until(({ messages }) => messages.at(-1)?.method === method);
    return this.messages.at(-1)!.params;
  }
}

export interface FeedWorld {
  clone: Clone;
  feed: Feed;
  reads: FeedReads;
  /** Pages and heads read so far. */
  counts: { tail: number; heads: number; judged: number };
  failures: unknown[];
  judge: { now: (grant: Grant<"read">) => Promise<unknown> };
  /** Set to break reads. */
  broken: { tail: (() => Error) | null };
}

/** `bounds` shorten quickBounds; one feed for the tests of a file. */
export function useFeed(bounds: Partial<FeedBounds> = {}): () => FeedWorld {
  const clone = useClone();
  let world: FeedWorld | undefined;
  let database: Database | undefined;
  beforeAll(() => {
    const log = { warn: () => undefined, debug: () => undefined };
    database = createDatabase({
      url: clone().url, prepare: true, statement_timeout_ms: 5000, pool_size: 6, log,
    });
    const reads = createFeedReads(database);
    const counts = { tail: 0, heads: 0, judged: 0 };
    const failures: unknown[] = [];
    const broken: FeedWorld["broken"] = { tail: null };
    const judge: FeedWorld["judge"] = { now: async () => undefined };
    const feed = createFeed({
      reads: {
        tail(query) {
          counts.tail += 1;
          return broken.tail === null ? reads.tail(query) : Promise.reject(broken.tail());
        },
        heads(wanted) {
          counts.heads += 1;
          return reads.heads(wanted);
        },
      },
      judge(grant) {
        counts.judged += 1;
        return judge.now(grant);
      },
      makeId: () => `sub_${randomUUID()}`,
      bounds: { ...quickBounds, ...bounds },
      onFailure: (cause) => void failures.push(cause),
    });
    world = { clone: clone(), feed, reads, counts, failures, judge, broken };
  });
  afterAll(async () => {
    world?.feed.stop();
    await database?.close();
  });
  return () => {
    if (!world) throw new Error("the feed is made in beforeAll");
    return world;
  };
}

let planted = 0;

/** A run that is at work, and the events that are stored for it. */
export class PlantedRun {
  readonly run_id: string;
  last = 0;

  private constructor(readonly world: FeedWorld, run_id: string) {
    this.run_id = run_id;
  }

  static async plant(world: FeedWorld): Promise<PlantedRun> {
    planted += 1;
    const run = new PlantedRun(world, `run-"${planted}"`);
    await world.clone.sql`insert into agent_run (tenant_id, run_id, runner_id, plugin_identity,
        created_by, dispatch, status, started_at, deadline_at, snapshot)
      values (${tenant_id}, ${run.run_id}, 'plugin:acme/one/main', 'acme/one', 'acme/one',
        'running', 'running', now(), now() + interval '1 hour', '{}')`;
    return run;
  }

  /** Stores events of these sequences as the ledger does: under the lock of the run. */
  async store(sequences: readonly number[], options: { characters?: number; told?: boolean } = {}) {
    const { sql } = this.world.clone;
    const text = "x".repeat(options.characters ?? 10);
    await sql.begin(async (transaction) => {
      await transaction`update agent_run set last_sequence = ${sequences.at(-1)!}
        where tenant_id = ${tenant_id} and run_id = ${this.run_id}`;
      await transaction`insert into agent_run_event (tenant_id, run_id, sequence, type, data, source,
          written_by, fingerprint, bytes)
        select ${tenant_id}, ${this.run_id}, s::bigint, 'message.delta',
          jsonb_build_object('content', ${text}::text), 'runner', 'acme/one',
          sha256('x'), ${text.length + 20}
        from jsonb_array_elements(${transaction.json(sequences as never)}) s`;
    });
    this.last = sequences.at(-1)!;
    if (options.told !== false) this.tell();
  }

  async storeNext(count: number, options: { characters?: number; told?: boolean } = {}) {
    await this.store(Array.from({ length: count }, (_, place) => this.last + place + 1), options);
  }

  async end(): Promise<void> {
    await this.world.clone.sql`update agent_run set status = 'completed', finished_at = now()
      where tenant_id = ${tenant_id} and run_id = ${this.run_id}`;
    this.tell();
  }

  tell(): void {
    this.world.feed.wake({ tenant_id, run_id: this.run_id });
  }

  record(): Run {
    return { run_id: this.run_id, last_sequence: this.last } as Run;
  }
}

export const grantOf = (caller = "acme/one"): Grant<"read"> =>
  ({ tenant_id, caller, via: null, run_id: null }) as unknown as Grant<"read">;

export interface Following {
  line: Line;
  subscriber: ReturnType<Feed["attach"]>;
}

export function openLine(world: FeedWorld): Following {
  const line = new Line();
  const subscriber = world.feed.attach(line);
  line.onFlushed = () => subscriber.flushed();
  return { line, subscriber };
}

/** Subscribes on a line and begins. */
export function follow(
  { subscriber }: Following,
  run: PlantedRun,
  options: { after?: number; caller?: string; again?: () => Promise<Grant<"read">> } = {},
): string {
  const grant = grantOf(options.caller);
  const again = options.again ?? (async () => grant);
  const after_sequence = options.after ?? 0;
  const made = subscriber.subscribe({ grant, again, after_sequence, run: run.record() });
  made.begin();
  return made.subscription_id;
}

export const upTo = (last: number, after = 0): number[] =>
  Array.from({ length: last - after }, (_, place) => after + place + 1);
