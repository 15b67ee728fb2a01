// What a kind says of its plain writes.

import type { Sql } from "../../sql/database.js";
import type { Outcome } from "../../sql/ledger_function.js";
import type { PlainClaim } from "../../sql/plain_writes.js";
import type { Waiting } from "./write.js";

export interface PlainWay<Row> {
  /** Whether it looks plain, behind others that do: the first of the batch, and the one before it
      on the same key. */
  looks(write: Waiting, behind: { first?: Waiting; before?: Waiting }): boolean;
  statement(sql: Sql, tenant_id: string, writes: readonly Waiting[]): PromiseLike<readonly Row[]>;
  /** One for each write, in their order; null where the statement left it. */
  outcomes(writes: readonly Waiting[], rows: readonly Row[]): (Outcome | null)[];
}

/** Shows a claim of its target, and no session of another run. */
export const claimsTarget = ({ grant }: Waiting): boolean => grant.claim !== null
  && grant.target_run_id !== null
  && (grant.run_id === null || grant.run_id === grant.target_run_id);

export function claimOf({ grant }: Waiting): PlainClaim {
  const { runtime_id, token_sha256, epoch } = grant.claim!;
  const { caller, now } = grant;
  return { run_id: grant.target_run_id!, caller, runtime_id, token_sha256, epoch, now };
}
