// From what a statement answers to what the ledger answers: a refusal becomes a Refusal, rows that
// were cut become a page. Every mutation goes through `operate`: one statement under one grant, or
// its share of a statement with others of its kind.

import type { GrantFacts } from "../contract/grants.js";
import { type ErrorCode, errorTable, Refusal } from "../contract/errors.js";
import type { Database } from "../sql/database.js";
import {
  type BatchFunction, callLedgerFunction, type FunctionCall, type LedgerFunction, type Outcome,
} from "../sql/ledger_function.js";
import { type Batch, createBatch } from "./batches/batches.js";

export interface Operation {
  grant: GrantFacts;
  input: object;
  /** Default: the caller's. */
  tenant_id?: string;
}

export type Operate = (name: LedgerFunction, operation: Operation) => Promise<Outcome>;

const target = ({ grant }: Operation): string => grant.target_run_id ?? "";
const named = (member: string) => ({ input }: Operation) =>
  String((input as Record<string, unknown>)[member]);

/** What is batched, and whose order is kept. */
const keys: Record<BatchFunction, (operation: Operation) => string> = {
  run_append: target,
  run_emit: target,
  run_finalize: target,
  run_renew: target,
  run_release: target,
  run_claim: named("runtime_id"),
  run_create: named("run_id"),
  runtime_heartbeat: named("runtime_id"),
};

/** A batched write is in its lane when the call returns, so calls keep the order they came in. */
export function createOperate(database: Database, batch: Batch = createBatch(database)): Operate {
  async function alone(name: LedgerFunction, call: FunctionCall): Promise<Outcome> {
    const [row] = await database.query(name, (sql) => callLedgerFunction(sql, name, call));
    if (!row) throw new Error(`${name} answered no row`);
    return row.outcome;
  }

  return async (name, operation) => {
    const { grant, input } = operation;
    const tenant_id = operation.tenant_id ?? grant.tenant_id;
    const outcome = await (isBatched(name)
      ? batch({ name, tenant_id, key: keys[name](operation), grant, input })
      : alone(name, { tenant_id, grant, input }));
    refuseIf(outcome.refusal);
    return outcome;
  };
}

const isBatched = (name: LedgerFunction): name is BatchFunction => name in keys;

/** Throws the refusal that a statement answered, if it did. */
export function refuseIf(refused: Outcome["refusal"] | null): void {
  if (!refused) return;
  const { code, ...details } = refused;
  if (!(code in errorTable)) throw new Error(`a statement refused with unknown code ${code}`);
  throw new Refusal(code as ErrorCode, details);
}

export interface CutRows {
  items: Record<string, unknown>[];
  matching: number;
}

export interface Page {
  items: Record<string, unknown>[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

/** `has_more` is exact: one row more than fits was looked for. */
export function pageBy(rows: CutRows, cursorOf: (item: Record<string, unknown>) => string): Page {
  const { items } = rows;
  const last = items.at(-1);
  const has_more = rows.matching > items.length;
  const next_cursor = has_more && last ? cursorOf(last) : null;
  return { items, next_cursor, prev_cursor: null, has_more };
}

/** For records that do not show the id of their row: the statement adds it as `cursor`. */
export function pageByCursor(rows: CutRows): Page {
  const page = pageBy(rows, (item) => String(item["cursor"]));
  const items = page.items.map(({ cursor: _, ...record }) => record);
  return { ...page, items };
}
