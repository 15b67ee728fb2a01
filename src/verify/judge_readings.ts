// I6: one uninterrupted reading of a run, from a cursor on, against the sequences that are stored.

import type { Findings } from "./finding.js";

interface Reading {
  run_id: string;
  after: number;
  sequences: readonly number[];
  ended: boolean;
}

interface Beside {
  findings: Findings;
  tenant_id: string;
  reader: string;
  /** Ascending. */
  stored: readonly number[];
}

export function judgeReadings(reading: Reading, { findings, stored, ...names }: Beside): void {
  const { run_id, after, sequences, ended } = reading;
  const report = (breach: string, more: object): void =>
    findings.report("I6", breach, { ...names, run_id, ...more });
  findings.check("I6", sequences.length);
  const expected = stored.filter((sequence) => sequence > after);
  let last = after;
  let place = 0;
  for (const sequence of sequences) {
    if (sequence <= last) {
      report("an event was given twice, or after a later one", { sequence, after: last });
      continue;
    }
    last = sequence;
    while (place < expected.length && expected[place]! < sequence) {
      report("an event was left out", { sequence: expected[place], next: sequence });
      place += 1;
    }
    if (expected[place] === sequence) place += 1;
    else report("an event was given that is not in the ledger", { sequence });
  }
  const left = expected.length - place;
  if (ended && left > 0) {
    report("the end was told before all events", { after: last, left });
  }
}
