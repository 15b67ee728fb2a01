// What has to be reached, as data: the floor ("at least") and the aim of each figure, and how a value
// stands to them. A figure with several values (p50 and p99, three methods) has a goal for each.

/**
 * @typedef {"misses" | "at least" | "aim"} Verdict
 *
 * @typedef {object} Goal
 * @property {string} says
 * @property {"at least" | "at most"} sense
 * @property {"ratio" | "ms" | "MB"} unit
 * @property {number} floor
 * @property {number} aim
 */

/** @param {string} says @param {number} floor @param {number} aim @returns {Goal} */
const ratio = (says, floor, aim) => ({ says, sense: "at least", unit: "ratio", floor, aim });

/** @param {string} says @param {number} floor @param {number} aim @returns {Goal} */
const milliseconds = (says, floor, aim) => ({ says, sense: "at most", unit: "ms", floor, aim });

/** @param {string} says @returns {Goal} */
const growth = (says) => ({ says, sense: "at most", unit: "ratio", floor: 1.3, aim: 1.1 });

/** @type {Record<string, Goal>} */
export const goals = {
  "P1": ratio("appends, 256 in flight over 64 connections", 0.6, 1.0),
  "P2": ratio("create, claim, 10 emits, finalize; 32 workers", 1.0, 2.0),
  "P3": ratio("claim and finalize, one run per call, 50 concurrent", 1.0, 2.0),
  "P4": ratio("claim and finalize, many runs per call", 0.3, 1.0),
  "P5": ratio("run_create one by one, 50 concurrent", 1.5, 4),
  "P6 p50": milliseconds("pick-up by a waiting claimer, p50", 3, 1.5),
  "P6 p99": milliseconds("pick-up by a waiting claimer, p99", 10, 4),
  "P7 p50": growth("claim beside many finished runs, p50"),
  "P7 p99": growth("claim beside many finished runs, p99"),
  "P8": milliseconds("one append, 32 in flight, p99", 8, 3),
  "P9": { says: "RSS with idle connections", sense: "at most", unit: "MB", floor: 300, aim: 200 },
  "P10 run_list": milliseconds("run_list on a large ledger, p99", 20, 8),
  "P10 run_events_page": milliseconds("run_events_page on a large ledger, p99", 20, 8),
  "P10 history_page": milliseconds("history_page on a large ledger, p99", 20, 8),
  "P11 p50": milliseconds("event acknowledged to subscriber, p50", 10, 4),
  "P11 p99": milliseconds("event acknowledged to subscriber, p99", 50, 15),
};

/** P1 to P11, in order. */
export const figureIds = [...new Set(Object.keys(goals).map((key) => key.split(" ")[0] ?? ""))];

/** @param {string} key @returns {Goal} */
export function goalOf(key) {
  const goal = goals[key];
  if (goal === undefined) throw new Error(`there is no goal ${key}`);
  return goal;
}

/**
 * @param {Goal} goal
 * @param {number} value
 * @returns {Verdict}
 */
export function judge({ sense, floor, aim }, value) {
  /** @param {number} mark */
  const reaches = (mark) => (sense === "at least" ? value >= mark : value <= mark);
  if (reaches(aim)) return "aim";
  return reaches(floor) ? "at least" : "misses";
}
