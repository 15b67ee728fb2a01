// What every part of one worker works with: the connection, the checked options, the gates that
// bound its calls in flight, and where it reports what it survived.

import type { Host } from "../client/client.js";
import type { CheckedOptions, WorkerProblem } from "./options.js";
import { createGate, type Gate } from "./repeat.js";

export interface WorkerParts {
  readonly host: Host;
  readonly options: CheckedOptions;
  readonly gates: { readonly emits: Gate; readonly renewals: Gate; readonly context: Gate };
  report(what: string, error: unknown, run_id?: string): void;
}

/** Together below the host's usual limit of 256 calls in flight on one connection. */
const emits_in_flight_max = 128;
const renewals_in_flight_max = 32;
const context_calls_in_flight_max = 64;

export function createParts(
  host: Host,
  options: CheckedOptions,
  onProblem: (problem: WorkerProblem) => void,
): WorkerParts {
  return {
    host,
    options,
    gates: {
      emits: createGate(emits_in_flight_max),
      renewals: createGate(renewals_in_flight_max),
      context: createGate(context_calls_in_flight_max),
    },
    report(what, error, run_id) {
      try {
        onProblem(run_id === undefined ? { what, error } : { what, error, run_id });
      } catch {
        // A listener that throws is its owner's defect and does not stop the worker.
      }
    },
  };
}
