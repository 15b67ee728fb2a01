// Writes of one kind that come while a statement of their lane is under way go out together in the
// next one. There is no timer: an idle lane sends what a few turns of the loop bring, and batches
// grow with load. A run always has the same lane, so its writes keep their order. A batch names one
// tenant and is bounded; each write gets its own outcome, and one that breaks the statement breaks
// only itself.

import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Refusal } from "../../contract/errors.js";
import { type Database, Late, type Sql } from "../../sql/database.js";
import { callBatchFunction, type Outcome } from "../../sql/ledger_function.js";
import { leftAfterPlain } from "./plain.js";
import type { Waiting, Write } from "./write.js";

export interface BatchBounds {
  /** Statements of one kind and tenant that may be under way at once. */
  lanes: number;
  items_max: number;
  /** Of JSON, of the inputs and of the grants each; a single write may be larger. */
  bytes_max: number;
}

/** Resolves with the outcome of its own write; rejects as a statement of its own would. */
export type Batch = (write: Write) => Promise<Outcome>;

export const batchBounds = (): BatchBounds => ({
  // Each takes a share of what could go together: more of them pay where processors are to spare.
  lanes: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4))),
  items_max: 128,
  bytes_max: 1_048_576,
});

export function createBatch(database: Database, bounds: BatchBounds = batchBounds()): Batch {
  const lanes = new Map<string, Waiting[]>();

  /** The lane exists while it has something to send, and sends one statement at a time. */
  async function drain(lane: string, waiting: Waiting[]) {
    await gather(waiting);
    while (waiting.length > 0) {
      const late = await send(database, takeBatch(waiting, bounds), bounds);
      // The first of them have waited as long as a statement may; none waits for a second one.
      if (late) for (const { reject } of waiting.splice(0)) reject(late);
    }
    lanes.delete(lane);
  }

  return (write) =>
    new Promise((resolve, reject) => {
      const { name, tenant_id, key, grant, input } = write;
      const text = JSON.stringify(input);
      const item: Waiting = { name, tenant_id, key, grant, input, text, resolve, reject };
      const lane = `${name} ${hash(key) % bounds.lanes} ${tenant_id}`;
      const waiting = lanes.get(lane);
      if (waiting) {
        waiting.push(item);
        return;
      }
      const begun = [item];
      lanes.set(lane, begun);
      void drain(lane, begun);
    });
}

/** Callers that were answered together come back together: the first of them is sent with the
    others, for as long as each turn brings more. A lone write waits for the rest of its turn; with
    many callers Postgres works on some while the others are read. */
async function gather(waiting: readonly Waiting[]): Promise<void> {
  for (let turn = 0, had = 0; turn < gather_turns; turn += 1) {
    if (waiting.length === had || waiting.length >= gather_items) return;
    had = waiting.length;
    await nextTurn();
  }
}

const gather_turns = 4;
const gather_items = 32;

function takeBatch(waiting: Waiting[], { items_max, bytes_max }: BatchBounds): Waiting[] {
  let bytes = 0;
  const cut = waiting.findIndex(({ text }, place) => {
    bytes += text.length;
    return place > 0 && (place === items_max || bytes > bytes_max);
  });
  return waiting.splice(0, cut < 0 ? waiting.length : cut);
}

/** Never rejects; tells of a statement that was not answered in time. What the first way took of
    the time of a statement the second one does without, up to half of it. */
async function send(
  database: Database,
  items: readonly Waiting[],
  bounds: BatchBounds,
): Promise<Late | null> {
  const { statement_timeout_ms } = database;
  const began_ms = performance.now();
  let left = items;
  try {
    left = await leftAfterPlain(database, items);
    if (left.length === 0) return null;
    const left_ms = statement_timeout_ms - (performance.now() - began_ms);
    const deadline_ms = Math.max(left_ms, statement_timeout_ms / 2);
    return await sendWhole(database, left, { ...bounds, deadline_ms });
  } catch (cause) {
    return fail(left, cause);
  }
}

/** Through the function that judges every write of its kind. A statement that fails has changed
    nothing, so its halves are sent again, in order, until the writes that break it stand alone. */
async function sendWhole(
  database: Database,
  items: readonly Waiting[],
  { deadline_ms, ...bounds }: BatchBounds & { deadline_ms?: number },
): Promise<Late | null> {
  const { name, tenant_id } = items[0]!;
  const sendHalves = async () => {
    const middle = Math.ceil(items.length / 2);
    const late = await sendWhole(database, items.slice(0, middle), bounds);
    return (await sendWhole(database, items.slice(middle), bounds)) ?? late;
  };
  const call = {
    tenant_id,
    grants: JSON.stringify(items.map(({ grant }) => grant)),
    inputs: `[${items.map(({ text }) => text).join(",")}]`,
  };
  if (items.length > 1 && call.grants.length > bounds.bytes_max) return sendHalves();
  try {
    const statement = (sql: Sql) => callBatchFunction(sql, name, call);
    const rows = await database.query(name, statement, deadline_ms);
    if (rows.length !== items.length) {
      throw new Error(`${name} answered ${rows.length} of ${items.length} writes`);
    }
    items.forEach(({ resolve }, place) => resolve(rows[place]!.outcome));
    return null;
  } catch (cause) {
    // Whether a statement took effect whose answer was lost, nobody knows: it is not sent again.
    if (items.length === 1 || cause instanceof Refusal) return fail(items, cause);
    return sendHalves();
  }
}

function fail(items: readonly Waiting[], cause: unknown): Late | null {
  for (const { reject } of items) reject(cause);
  return cause instanceof Late ? cause : null;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    value = Math.imul(value ^ text.charCodeAt(place), 0x01000193);
  }
  return value >>> 0;
}
