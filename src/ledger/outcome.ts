// One call of a ledger function: what it refuses becomes a Refusal, anything else is its facts.
// Every operation of the ledger goes through here, so each is one statement under one grant.

import type { GrantFacts } from "../contract/grants.js";
import { type ErrorCode, errorTable, Refusal } from "../contract/errors.js";
import type { Database } from "../sql/database.js";
import { callLedgerFunction, type LedgerFunction, type Outcome } from "../sql/ledger_function.js";

export interface Operation {
  grant: GrantFacts;
  input: object;
  /** Default: the caller's. */
  tenant_id?: string;
}

export type Operate = (name: LedgerFunction, operation: Operation) => Promise<Outcome>;

export function createOperate(database: Database): Operate {
  return async (name, { grant, input, tenant_id }) => {
    const call = { tenant_id: tenant_id ?? grant.tenant_id, grant, input };
    const [row] = await database.query(name, (sql) => callLedgerFunction(sql, name, call));
    if (!row) throw new Error(`${name} answered no row`);
    refuseIf(row.outcome.refusal);
    return row.outcome;
  };
}

/** Throws the refusal that a statement answered, if it did. */
export function refuseIf(refused: Outcome["refusal"] | null): void {
  if (!refused) return;
  const { code, ...details } = refused;
  if (!(code in errorTable)) throw new Error(`a statement refused with unknown code ${code}`);
  throw new Refusal(code as ErrorCode, details);
}
