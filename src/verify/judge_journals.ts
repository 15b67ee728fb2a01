// Judges what clients were told against what the ledger holds: nothing acknowledged is missing or
// different (I1, I4), no write of an older claim (I2) or after the end (I3) was accepted, each
// reader saw each event once and in order (I6), what was acknowledged as taken in is so (I8).
// Times of different journals are compared: they come from one machine or from clocks that agree.

import type { Database } from "../sql/database.js";
import {
  readPublished, readRunFacts, readSequencesOf, readSteeringStates, type RunFact,
} from "../sql/acknowledged_facts.js";
import { readContentOf, type StoredContent } from "../sql/stored_content.js";
import { keyOf, type Acknowledged } from "./acknowledged.js";
import type { Findings } from "./finding.js";
import { judgeReadings } from "./judge_readings.js";

export interface Journals {
  database: Database;
  findings: Findings;
  tenant_id: string;
  facts: Acknowledged;
}

const slice_size = 2000;

export async function judgeJournals(journals: Journals): Promise<void> {
  await judgeRuns(journals);
  await judgeEvents(journals);
  await judgePublished(journals);
  await judgeAcked(journals);
  await judgeReads(journals);
}

/** Works through the keys in slices that one statement can carry. */
async function inSlices<T>(all: Iterable<T>, work: (slice: T[]) => Promise<void>): Promise<void> {
  const rest = [...all];
  for (let from = 0; from < rest.length; from += slice_size) {
    await work(rest.slice(from, from + slice_size));
  }
}

async function judgeRuns({ database, findings, tenant_id, facts }: Journals): Promise<void> {
  await inSlices(facts.runs, async (slice) => {
    const names = slice.map(([run_id]) => run_id);
    const rows = await database.query("run_facts", (sql) => readRunFacts(sql, tenant_id, names));
    const stored = new Map(rows.map((row) => [row.run_id, row]));
    for (const [run_id, claim_epoch] of slice) {
      const run = stored.get(run_id);
      if (!run) {
        findings.report("I1", "a run that was acknowledged is not in the ledger",
          { tenant_id, run_id });
        continue;
      }
      if (run.claim_epoch < claim_epoch) {
        findings.report("I2", "a claim that was acknowledged is not in the ledger",
          { tenant_id, run_id, acknowledged_epoch: claim_epoch, claim_epoch: run.claim_epoch });
      }
      judgeEnd(run, { findings, tenant_id, facts });
    }
  });
}

function judgeEnd(
  run: RunFact,
  { findings, tenant_id, facts }: Pick<Journals, "findings" | "tenant_id" | "facts">,
): void {
  const { run_id, status } = run;
  if (facts.cancelled.has(run_id) && !run.cancel_requested && !run.ended) {
    findings.report("I1", "a cancel that was acknowledged is not in the ledger",
      { tenant_id, run_id, status });
  }
  const ended = facts.ended.get(run_id);
  if (!ended) return;
  if (ended.status !== status) {
    findings.report("I3", "a run has another end than the one that was acknowledged",
      { tenant_id, run_id, acknowledged_status: ended.status, status });
  }
  if (run.last_sequence !== ended.last_sequence) {
    findings.report("I3", "events were stored after an acknowledged end", {
      tenant_id, run_id, last_sequence: run.last_sequence, at_the_end: ended.last_sequence,
    });
  }
}

async function judgeEvents(journals: Journals): Promise<void> {
  const { database, findings, tenant_id, facts } = journals;
  await inSlices(facts.written.values(), async (slice) => {
    const keys = slice.map(({ run_id, sequence }) => ({ tenant_id, run_id, sequence }));
    const rows = await database.query("content_of", (sql) => readContentOf(sql, tenant_id, keys));
    const stored = new Map(rows.map((row) => [keyOf(row.run_id, row.sequence), row]));
    for (const { run_id, sequence, id, fingerprint, claim_epoch, sent_at_ms } of slice) {
      const named = { tenant_id, run_id, sequence };
      const event: StoredContent | undefined = stored.get(keyOf(run_id, sequence));
      if (!event) {
        findings.report("I1", "an event that was acknowledged is not in the ledger", named);
        continue;
      }
      if (event.id !== id || event.fingerprint !== fingerprint) {
        findings.report("I4", "the ledger holds other content than was acknowledged", named);
      }
      const next_epoch = (claim_epoch ?? -1) + 1;
      const next_at_ms = facts.claims.get(keyOf(run_id, next_epoch)) ?? Infinity;
      if (next_at_ms < sent_at_ms) {
        findings.report("I2", "a write of an older claim was sent after the next was answered",
          { ...named, claim_epoch });
      }
      const end = facts.ended.get(run_id);
      if (end && end.answered_at_ms < sent_at_ms) {
        findings.report("I3", "a write was sent after the end was answered", named);
      }
    }
  });
}

async function judgePublished(journals: Journals): Promise<void> {
  const { database, findings, tenant_id, facts } = journals;
  await inSlices(facts.published, async (slice) => {
    const names = slice.map(([event_id]) => event_id);
    const rows = await database.query("published", (sql) => readPublished(sql, tenant_id, names));
    const stored = new Map(rows.map((row) => [row.event_id, row.disposition]));
    for (const [event_id, disposition] of slice) {
      const held = stored.get(event_id);
      if (held === disposition) continue;
      const row = { tenant_id, event_id, acknowledged: disposition, disposition: held ?? null };
      findings.report("I1", "a published event is not in the ledger as it was acknowledged", row);
    }
  });
}

async function judgeAcked({ database, findings, tenant_id, facts }: Journals): Promise<void> {
  await inSlices(facts.acked, async (slice) => {
    const rows = await database.query("steering_states", (sql) =>
      readSteeringStates(sql, tenant_id, slice));
    const stored = new Map(rows.map((row) => [row.steering_id, row.state]));
    for (const steering_id of slice) {
      const state = stored.get(steering_id) ?? null;
      if (state === "injected") continue;
      findings.report("I8", "a steering item that was acknowledged as taken in is not injected",
        { tenant_id, steering_id, state });
    }
  });
}

async function judgeReads({ database, findings, tenant_id, facts }: Journals): Promise<void> {
  const names = new Set([...facts.readings.values()].flat().map(({ run_id }) => run_id));
  const sequences = new Map<string, number[]>();
  await inSlices(names, async (slice) => {
    const rows = await database.query("sequences_of", (sql) =>
      readSequencesOf(sql, tenant_id, slice));
    for (const row of rows) sequences.set(row.run_id, row.sequences);
  });
  for (const [key, readings] of facts.readings) {
    const reader = key.split("\n", 1)[0]!;
    for (const reading of readings) {
      const stored = sequences.get(reading.run_id) ?? [];
      judgeReadings(reading, { findings, tenant_id, reader, stored });
    }
  }
}
