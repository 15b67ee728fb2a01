// What journals say, counted: what was acknowledged, what nobody knows the outcome of, and what
// cannot both be true. Pure; fed line by line, so that a journal may be as long as it likes.

const ends = ["completed", "failed", "cancelled", "timeout"];

export function createTally() {
  const counts = { acked_writes: 0, unanswered: 0, refused: 0, reads: 0, duplicates: 0, double_finalized: 0 };
  /** @type {Record<string, number>} */
  const refusals = {};
  /** Every run and event that somebody tried to write. @type {Set<string>} */
  const sent = new Set();
  /** Those of them that were acknowledged as new. @type {Set<string>} */
  const created = new Set();
  /** @type {Map<string, string>} */
  const ended = new Map();
  /** @type {string[]} */
  const breaches = [];

  const noteNew = (/** @type {string} */ key, /** @type {any} */ result) => {
    if (result.idempotent === true) return;
    if (created.has(key)) {
      counts.duplicates += 1;
      breaches.push(`${key} was acknowledged as new twice`);
    }
    created.add(key);
  };
  const noteEnd = (/** @type {string} */ run_id, /** @type {string} */ status, /** @type {any} */ result) => {
    if (result.idempotent === true && ended.get(run_id) === undefined) return;
    const known = ended.get(run_id);
    if (known !== undefined && (result.idempotent !== true || known !== status)) {
      counts.double_finalized += 1;
      breaches.push(`run ${run_id} was finalized twice, ${known} and ${status}`);
    }
    ended.set(run_id, status);
  };

  return {
    counts, refusals, sent, breaches, ended,
    /** @param {any} line */
    take({ method, params, result, error, reader }) {
      if (reader !== undefined) counts.reads += 1;
      if (method === undefined) return;
      const run_id = params.target_run_id ?? params.run_id;
      const isEvent = method === "run_append_result" || method === "run_emit_result";
      const key = isEvent ? `${run_id} ${params.sequence}` : run_id;
      if (method === "run_create" || isEvent) sent.add(key);
      if (error !== undefined) {
        counts.refused += 1;
        refusals[error.code] = (refusals[error.code] ?? 0) + 1;
      } else if (result === undefined) counts.unanswered += 1;
      else {
        counts.acked_writes += 1;
        if (method === "run_create" || isEvent) noteNew(key, result);
        if (method === "event_publish") noteNew(`event ${params.event_id}`, result);
        if (method === "run_finalize") noteEnd(run_id, result.status, result);
        if (method === "run_emit_result" && ends.includes(result.run_status) && result.idempotent !== true) {
          noteEnd(run_id, result.run_status, result);
        }
      }
    },
  };
}

/** @typedef {ReturnType<typeof createTally>} Tally */

/** Rows that nobody tried to write are duplicates under another name.
 * @param {Tally} tally @param {Iterable<string>} stored keys of runs and events @returns {string[]} */
export function findForeign({ sent }, stored) {
  return [...stored].filter((key) => !sent.has(key));
}
