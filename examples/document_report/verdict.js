// Judges the ledger: did every run of the demo end as it had to, and are its events whole? Answers
// with one sentence for each fault, so an empty list is success. Pure. Used by demo.js.

import { open_statuses } from "./ledger.js";

/**
 * @typedef {import("./acts.js").Planned} Planned
 * @typedef {import("./acts.js").Killed} Killed
 * @typedef {import("./ledger.js").Entry} Entry
 *
 * @typedef {object} Evidence
 * @property {readonly Planned[]} planned
 * @property {readonly Entry[]} entries What the ledger holds.
 * @property {Killed} killed
 */

/** @param {Evidence} evidence */
export function judge({ planned, entries, killed }) {
  const byId = new Map(entries.map((entry) => [entry.run.run_id, entry]));
  const known = new Set(planned.map(({ run_id }) => run_id));
  const strange = entries.filter(({ run }) => !known.has(run.run_id));
  return [
    ...strange.map(({ run }) => `${run.run_id}: nobody asked for this run`),
    ...planned.flatMap((plan) => judgeRun(plan, byId.get(plan.run_id))),
    ...judgeDeath(killed, byId),
  ];
}

/**
 * @param {Planned} plan
 * @param {Entry | undefined} entry
 */
function judgeRun({ run_id, path, act }, entry) {
  const name = `${run_id} (${path})`;
  if (entry === undefined) return [`${name}: not in the ledger`];
  const { status, status_reason } = entry.run;
  const wanted = act.startsWith("cancel_") ? "cancelled" : "completed";
  if (open_statuses.includes(status)) return [`${name}: still open, ${status}`];
  if (status !== wanted) {
    const why = status_reason === null ? "" : ` (${status_reason})`;
    return [`${name}: ended as ${status}${why}, not as ${wanted}`];
  }
  const faults = [...findEventFaults(entry), ...findActFaults(act, entry)];
  return faults.map((fault) => `${name}: ${fault}`);
}

/** @param {Entry} entry */
function findEventFaults({ run, events }) {
  const faults = [];
  const sequences = events.map(({ sequence }) => sequence);
  if (sequences.some((sequence, index) => index > 0 && sequence <= (sequences[index - 1] ?? 0))) {
    faults.push("its events are not in ascending sequence");
  }
  if ((sequences.at(-1) ?? 0) !== run.last_sequence) {
    faults.push(`its last event is not the ${run.last_sequence}th, as the run says`);
  }
  return faults;
}

/**
 * @param {Planned["act"]} act
 * @param {Entry} entry
 */
function findActFaults(act, { run, events }) {
  /** @param {string} type */
  const count = (type) => events.filter((event) => event.type === type).length;
  const faults = [];
  const ends = count("run.completed");
  if (act === "cancel_queued" && run.claim_epoch + events.length > 0) {
    faults.push("was worked on, although it was cancelled while queued");
  } else if (act.startsWith("cancel_")) {
    if (run.cancel_requested_at === null) faults.push("nobody asked for its cancel");
    if (ends > 0) faults.push("is cancelled and yet has a run.completed");
  } else {
    if (ends !== 1) faults.push(`has ${ends} run.completed, not one`);
    if (events.at(-1)?.type !== "run.completed") faults.push("does not end with run.completed");
    const reports = events.filter(({ data }) => data["message"] !== undefined);
    if (reports.length !== 1) faults.push(`holds ${reports.length} reports, not one`);
  }
  if (act === "cancel_running" && events.length === 0) faults.push("was cancelled before any work");
  return faults;
}

/**
 * The dead worker's event is there, and what ended the run is another's, under a later claim.
 * @param {Killed} killed
 * @param {ReadonlyMap<string, Entry>} byId
 */
function judgeDeath({ runtime_id, run_id, claim_epoch }, byId) {
  const entry = byId.get(run_id);
  if (entry === undefined) return [];
  const { run, events } = entry;
  const source = `runtime:${runtime_id}`;
  const faults = [];
  if (!events.some((event) => event.source === source && event.claim_epoch === claim_epoch)) {
    faults.push(`holds nothing of ${runtime_id}, which was killed at it`);
  }
  if (run.dispatch_attempts < 2) faults.push(`was not claimed again after ${runtime_id} died`);
  const last = events.at(-1);
  if (last?.source === source || Number(last?.claim_epoch) <= claim_epoch) {
    faults.push("was not ended by another worker");
  }
  return faults.map((fault) => `${run_id}: ${fault}`);
}
