// Steering: what is attached to a live run, handed to its executor and confirmed by it.

import type { PulledSteering, SteeringAck } from "../../contract/context_records.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";

export function createSteering({ operate }: LedgerParts): Ledger["steering"] {
  return {
    async pull(grant, pull) {
      return (await operate("steering_pull", { grant, input: pull })) as unknown as PulledSteering;
    },
    async acknowledge(grant, named) {
      return (await operate("steering_ack", { grant, input: named })) as unknown as SteeringAck;
    },
  };
}
