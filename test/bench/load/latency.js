// Counts of what was done and how long each took, inside one measured window. Percentiles are exact:
// every sample is kept and sorted. Used by the load processes and by what reads their answers.

/**
 * @typedef {object} Measured
 * @property {number} per_second
 * @property {number} count
 * @property {number} seconds
 * @property {number} p50_ms
 * @property {number} p99_ms
 * @property {number} max_ms
 */

/**
 * The smallest sample that the given share of all samples does not exceed.
 * @param {readonly number[]} samples
 * @param {number} share 0 to 1
 */
export function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = Math.max(0, Math.ceil(share * sorted.length) - 1);
  return sorted[at] ?? Number.NaN;
}

/** @param {readonly number[]} samples */
export function median(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/**
 * @param {readonly number[]} samples_ms
 * @param {number} seconds
 * @returns {Measured}
 */
export function sumUp(samples_ms, seconds) {
  return {
    per_second: samples_ms.length / seconds,
    count: samples_ms.length,
    seconds,
    p50_ms: percentile(samples_ms, 0.5),
    p99_ms: percentile(samples_ms, 0.99),
    max_ms: percentile(samples_ms, 1),
  };
}

/**
 * Runs workers until the time is over; only what ends after the warm-up counts. `perform` is one
 * operation, and false from it ends its worker: there is nothing left to do.
 * @param {object} plan
 * @param {number} plan.workers
 * @param {number} plan.warmup_seconds
 * @param {number} plan.seconds
 * @param {(worker: number) => Promise<boolean | void>} plan.perform
 * @param {(worker: number) => number} [plan.weigh] how many things one operation was, 1 if absent
 * @returns {Promise<Measured>}
 */
export async function runWorkers({ workers, warmup_seconds, seconds, perform, weigh }) {
  const begin_ms = performance.now() + warmup_seconds * 1000;
  const end_ms = begin_ms + seconds * 1000;
  /** @type {number[]} */
  const samples = [];
  let done = 0;
  let last_ms = begin_ms;
  /** @param {number} worker */
  const work = async (worker) => {
    for (let now_ms = performance.now(); now_ms < end_ms; ) {
      const more = await perform(worker);
      const after_ms = performance.now();
      if (after_ms >= begin_ms && after_ms < end_ms && more !== false) {
        samples.push(after_ms - now_ms);
        done += weigh?.(worker) ?? 1;
        last_ms = after_ms;
      }
      if (more === false) return;
      now_ms = after_ms;
    }
    last_ms = end_ms;
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  const elapsed = Math.max(0.001, (last_ms - begin_ms) / 1000);
  return { ...sumUp(samples, elapsed), per_second: done / elapsed, count: done };
}
