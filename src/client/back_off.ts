// How long to rest before the next attempt. Pure: the randomness is handed in.

/** A lost connection is looked for again within this. */
const first_ms = 100;
const step_ms = 200;
const longest_ms = 5000;

/**
 * Attempt 0 comes within 100 ms, so that a host that only restarted is missed briefly; from then
 * on the rest doubles from 200 ms up to 5 s. Half of it is random, all of the first: the clients
 * of one host do not come back in step. `random` gives [0, 1).
 */
export function backOffMs(attempt: number, random: () => number): number {
  if (attempt === 0) return first_ms * random();
  const whole = Math.min(step_ms * 2 ** Math.min(attempt - 1, 20), longest_ms);
  return whole * (0.5 + random() / 2);
}
