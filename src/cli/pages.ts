// Reads a list of the host page by page, as far as is wanted, and prints it: as a table when all is
// there, with --json item by item as it comes.

import type { Host } from "../client/client.js";
import { drawTable, printItem, readCount, type Invocation } from "./output.js";
import { createPaint, paintStatus } from "./terminal/paint.js";
import { createProgress } from "./terminal/progress.js";

export interface PageOptions {
  limit?: string;
  all?: boolean;
}

export interface Listing<Item> {
  method: string;
  params: object;
  /** The parameter that takes next_cursor. */
  cursor: "before_cursor" | "after_cursor";
  page_max: number;
  /** What the items are called. */
  noun: string;
  head: readonly string[];
  row(item: Item): readonly string[];
}

const limit_default = 50;
const limit_max = 1_000_000;

/** Infinity with --all. */
export function readLimit({ limit, all }: PageOptions): number {
  if (all === true) return Infinity;
  return limit === undefined ? limit_default : readCount("--limit", limit, limit_max);
}

/** The items one by one; the value at the end says whether there are more. */
export async function* readItems<Item>(
  host: Host, listing: Listing<Item>, limit: number,
): AsyncGenerator<Item, boolean> {
  let cursor: string | null = null;
  for (let left = limit; ;) {
    const page = await host.call(listing.method, {
      ...listing.params, [listing.cursor]: cursor, limit: Math.min(left, listing.page_max),
    });
    yield* page.items as Item[];
    left -= page.items.length;
    cursor = page.next_cursor;
    if (cursor === null || left <= 0) return page.has_more;
  }
}

export async function printList<Item>(
  invocation: Invocation, host: Host, listing: Listing<Item>, options: PageOptions,
): Promise<void> {
  const { json } = invocation.options;
  const progress = createProgress();
  const items = readItems(host, listing, readLimit(options));
  const rows: (readonly string[])[] = [];
  let step = await items.next();
  for (; step.done !== true; step = await items.next()) {
    if (json) printItem(step.value);
    else rows.push(listing.row(step.value));
    if (rows.length > 0 && rows.length % 100 === 0) {
      progress.show(`${rows.length} ${listing.noun} read`);
    }
  }
  progress.wipe();
  if (json) return;
  const paint = paintStatus(createPaint(invocation.environment));
  const lines = rows.length === 0
    ? [`No ${listing.noun}.`] : drawTable([listing.head, ...rows], paint);
  process.stdout.write(`${lines.join("\n")}\n`);
  if (step.value) process.stderr.write(`There are more ${listing.noun}: --limit <n> or --all.\n`);
}
