// State that runs of one scope share: one statement per call, under the lock of the scope for
// writes.

import type { StateKeys, StateValue } from "../../contract/context_records.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";

export function createState({ operate }: LedgerParts): Ledger["state"] {
  return {
    async get(grant, named) {
      return (await operate("state_get", { grant, input: named })) as unknown as StateValue;
    },
    async set(grant, value) {
      const { version } = await operate("state_set", { grant, input: value });
      return { success: true, version: Number(version) };
    },
    async delete(grant, named) {
      const { success } = await operate("state_delete", { grant, input: named });
      return { success: success === true };
    },
    async list(grant, query) {
      return (await operate("state_list", { grant, input: query })) as unknown as StateKeys;
    },
  };
}
