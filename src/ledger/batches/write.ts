// A write that is to share a statement with others of its kind.

import type { GrantFacts } from "../../contract/grants.js";
import type { BatchFunction, Outcome } from "../../sql/ledger_function.js";

export interface Write {
  name: BatchFunction;
  tenant_id: string;
  /** Writes with one key keep their order: the run, or the runtime. */
  key: string;
  grant: GrantFacts;
  input: object;
}

export interface Waiting extends Write {
  /** The input as JSON: written once, when it comes. */
  text: string;
  resolve(outcome: Outcome): void;
  reject(cause: unknown): void;
}
