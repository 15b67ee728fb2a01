// What was found about one invariant: how much was looked at, and each kind of breach with rows.

import type { Invariant } from "../sql/invariants.js";

export interface Breach {
  /** What the offending rows show. */
  breach: string;
  count: number;
  /** The first of them. */
  rows: Record<string, unknown>[];
}

export interface Finding {
  invariant: Invariant;
  promise: string;
  /** Rows, acknowledged calls and reads that were judged. */
  checked: number;
  /** 0: the invariant held in everything that was looked at. */
  breaches: number;
  found: Breach[];
}

export const promises: Readonly<Record<Invariant, string>> = {
  I1: "an acknowledged write is in the ledger, once",
  I2: "one live lease per run; nothing of an older claim after a newer one",
  I3: "one end per run, and nothing after it",
  I4: "the first accepted content of a sequence is the content",
  I6: "a reader sees each event once, in order",
  I8: "a steering message is applied, carried on or dropped with a reason",
};

/** Gathers what the judges say; keeps the first rows of each kind of breach. */
export class Findings {
  readonly #findings = new Map<Invariant, Finding>();
  readonly #rows_max: number;

  constructor(rows_max: number) {
    this.#rows_max = rows_max;
    for (const [name, promise] of Object.entries(promises)) {
      const invariant = name as Invariant;
      this.#findings.set(invariant, { invariant, promise, checked: 0, breaches: 0, found: [] });
    }
  }

  check(invariant: Invariant, count = 1): void {
    this.#findings.get(invariant)!.checked += count;
  }

  report(invariant: Invariant, breach: string, row: Record<string, unknown>): void {
    this.reportAll(invariant, breach, { count: 1, rows: [row] });
  }

  reportAll(
    invariant: Invariant,
    breach: string,
    { count, rows }: { count: number; rows: readonly Record<string, unknown>[] },
  ): void {
    if (count === 0) return;
    const finding = this.#findings.get(invariant)!;
    finding.breaches += count;
    let kind = finding.found.find((known) => known.breach === breach);
    if (!kind) finding.found.push((kind = { breach, count: 0, rows: [] }));
    kind.count += count;
    kind.rows.push(...rows.slice(0, this.#rows_max - kind.rows.length));
  }

  list(): Finding[] {
    return [...this.#findings.values()];
  }
}
