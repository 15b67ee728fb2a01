// Most writes are plain: a claim proves them, and they do nothing but what their kind does. Those
// go first, in a statement that does only that and takes a write only where every condition holds
// under the run's lock. What it leaves, and what may not be plain, goes to the function that judges
// every write of the kind. So the plain way decides nothing else, and refuses nothing.

import { Refusal } from "../../contract/errors.js";
import type { Database } from "../../sql/database.js";
import type { BatchFunction } from "../../sql/ledger_function.js";
import { plainClaims, plainEnds } from "./plain_claims.js";
import { plainAppends, plainEmits } from "./plain_results.js";
import type { PlainWay } from "./plain_way.js";
import type { Waiting } from "./write.js";

const ways: Partial<Record<BatchFunction, PlainWay<any>>> = {
  run_append: plainAppends,
  run_emit: plainEmits,
  run_finalize: plainEnds,
  run_claim: plainClaims,
};

/** Resolves the writes that are plain and answers the others, in their order. Rejects with a
    Refusal when nobody knows what the statement did; what breaks it is left for the other way. */
export async function leftAfterPlain(
  database: Database,
  items: readonly Waiting[],
): Promise<readonly Waiting[]> {
  const { name, tenant_id } = items[0]!;
  const way = ways[name];
  if (!way) return items;
  const plain = choosePlain(way, items);
  if (plain.length === 0) return items;
  let rows: readonly unknown[];
  try {
    rows = await database.query(`${name}_plain`, (sql) => way.statement(sql, tenant_id, plain));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    return items;
  }
  const taken = new Set<Waiting>();
  way.outcomes(plain, rows).forEach((outcome, place) => {
    if (outcome === null) return;
    plain[place]!.resolve(outcome);
    taken.add(plain[place]!);
  });
  return taken.size === items.length ? [] : items.filter((item) => !taken.has(item));
}

/** Once a write of a run does not look plain, those behind it on that run have to wait for it. */
function choosePlain(way: PlainWay<any>, items: readonly Waiting[]): readonly Waiting[] {
  const last = new Map<string, Waiting | null>();
  const chosen: Waiting[] = [];
  for (const item of items) {
    const before = last.get(item.key);
    const plain = before !== null && way.looks(item, { first: chosen[0], before });
    last.set(item.key, plain ? item : null);
    if (plain) chosen.push(item);
  }
  return chosen;
}
