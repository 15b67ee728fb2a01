// How much is measured. `full` is what the goals are about; `quick` is for a look while working;
// `tiny` proves that everything runs and says nothing about speed.

/**
 * @typedef {object} Size
 * @property {number} rounds
 * @property {number} seconds of one measurement, after its warm-up
 * @property {number} warmup_seconds
 * @property {number} load 1, or a divisor of the workers and connections
 * @property {number} queue jobs that are queued before each measurement
 * @property {number} batched_queue the same, for those who take many at once
 * @property {number} pickup_samples
 * @property {number} claim_samples
 * @property {number} few_finished
 * @property {number} many_finished
 * @property {number} ledger_runs each with ten events
 * @property {number} page_samples
 * @property {number} idle_connections
 * @property {number} idle_seconds until the connections are looked at
 * @property {number} followers
 * @property {number} followed_events
 * @property {number} obstacles runs that stand before the claimable ones
 * @property {number} snapshot_seconds
 */

/** @type {Record<"full" | "quick" | "tiny", Size>} */
export const sizes = {
  full: {
    rounds: 3, seconds: 8, warmup_seconds: 2, load: 1, queue: 80_000, batched_queue: 160_000,
    pickup_samples: 200, claim_samples: 1000, few_finished: 10_000, many_finished: 5_000_000,
    ledger_runs: 1_000_000, page_samples: 1000, idle_connections: 10_000, idle_seconds: 30,
    followers: 1000, followed_events: 60, obstacles: 50_000, snapshot_seconds: 60,
  },
  quick: {
    rounds: 3, seconds: 3, warmup_seconds: 1, load: 1, queue: 30_000, batched_queue: 80_000,
    pickup_samples: 100, claim_samples: 400, few_finished: 10_000, many_finished: 200_000,
    ledger_runs: 50_000, page_samples: 400, idle_connections: 1000, idle_seconds: 5,
    followers: 1000, followed_events: 20, obstacles: 50_000, snapshot_seconds: 15,
  },
  tiny: {
    rounds: 1, seconds: 0.3, warmup_seconds: 0.1, load: 16, queue: 100, batched_queue: 200,
    pickup_samples: 3, claim_samples: 5, few_finished: 10, many_finished: 50,
    ledger_runs: 30, page_samples: 5, idle_connections: 10, idle_seconds: 0.1,
    followers: 6, followed_events: 3, obstacles: 20, snapshot_seconds: 2,
  },
};
