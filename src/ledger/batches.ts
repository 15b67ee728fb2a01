// Writes of one kind that come while a statement of their lane is under way go out together in the
// next one. There is no timer: an idle lane sends one write at once, and batches grow with load.
// A run always has the same lane, so its writes keep their order. A batch names one tenant and is
// bounded; each write gets its own outcome, and one that breaks the statement breaks only itself.

import { availableParallelism } from "node:os";
import { Refusal } from "../contract/errors.js";
import { type Database, Late } from "../sql/database.js";
import { type BatchFunction, callBatchFunction, type Outcome } from "../sql/ledger_function.js";

export interface Write {
  name: BatchFunction;
  tenant_id: string;
  /** Writes with one key keep their order: the run, or the runtime. */
  key: string;
  grant: object;
  input: object;
}

export interface BatchBounds {
  /** Statements of one kind and tenant that may be under way at once. */
  lanes: number;
  items_max: number;
  /** Of JSON; a single write may be larger. */
  bytes_max: number;
}

/** Resolves with the outcome of its own write; rejects as a statement of its own would. */
export type Batch = (write: Write) => Promise<Outcome>;

interface Waiting {
  grant: string;
  input: string;
  resolve(outcome: Outcome): void;
  reject(cause: unknown): void;
}

export const batchBounds = (): BatchBounds => ({
  // Each takes a share of what could go together: more of them pay where processors are to spare.
  lanes: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4))),
  items_max: 256,
  bytes_max: 1_048_576,
});

export function createBatch(database: Database, bounds: BatchBounds = batchBounds()): Batch {
  const lanes = new Map<string, Waiting[]>();

  /** The lane exists while it has something to send, and sends one statement at a time. */
  async function drain(lane: string, waiting: Waiting[], { name, tenant_id }: Write) {
    while (waiting.length > 0) {
      const late = await send(database, { name, tenant_id }, takeBatch(waiting, bounds));
      // The first of them have waited as long as a statement may; none waits for a second one.
      if (late) for (const { reject } of waiting.splice(0)) reject(late);
    }
    lanes.delete(lane);
  }

  return (write) =>
    new Promise((resolve, reject) => {
      const grant = JSON.stringify(write.grant);
      const item: Waiting = { grant, input: JSON.stringify(write.input), resolve, reject };
      const lane = `${write.name} ${hash(write.key) % bounds.lanes} ${write.tenant_id}`;
      const waiting = lanes.get(lane);
      if (waiting) {
        waiting.push(item);
        return;
      }
      const begun = [item];
      lanes.set(lane, begun);
      void drain(lane, begun, write);
    });
}

function takeBatch(waiting: Waiting[], { items_max, bytes_max }: BatchBounds): Waiting[] {
  let bytes = 0;
  const cut = waiting.findIndex(({ grant, input }, place) => {
    bytes += grant.length + input.length;
    return place > 0 && (place === items_max || bytes > bytes_max);
  });
  return waiting.splice(0, cut < 0 ? waiting.length : cut);
}

/** Never rejects; tells of a statement that was not answered in time. One that fails has changed
    nothing, so its halves are sent again, in order, until the writes that break it stand alone. */
async function send(
  database: Database,
  to: { name: BatchFunction; tenant_id: string },
  items: readonly Waiting[],
): Promise<Late | null> {
  const call = {
    tenant_id: to.tenant_id,
    grants: `[${items.map(({ grant }) => grant).join(",")}]`,
    inputs: `[${items.map(({ input }) => input).join(",")}]`,
  };
  try {
    const rows = await database.query(to.name, (sql) => callBatchFunction(sql, to.name, call));
    if (rows.length !== items.length) {
      throw new Error(`${to.name} answered ${rows.length} of ${items.length} writes`);
    }
    items.forEach(({ resolve }, place) => resolve(rows[place]!.outcome));
    return null;
  } catch (cause) {
    // Whether a statement took effect whose answer was lost, nobody knows: it is not sent again.
    if (items.length === 1 || cause instanceof Refusal) {
      for (const { reject } of items) reject(cause);
      return cause instanceof Late ? cause : null;
    }
    const middle = Math.ceil(items.length / 2);
    const late = await send(database, to, items.slice(0, middle));
    return (await send(database, to, items.slice(middle))) ?? late;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    value = Math.imul(value ^ text.charCodeAt(place), 0x01000193);
  }
  return value >>> 0;
}
