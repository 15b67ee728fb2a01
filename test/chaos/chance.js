// A repeatable stream of numbers. What the seed decides is who is struck, when and with what; how the
// processes of a machine take turns is decided by the machine.

/**
 * @typedef {{
 *   next(): number, whole(from: number, to: number): number, pick<T>(of: readonly T[]): T,
 *   shuffle<T>(of: readonly T[]): T[],
 * }} Chance
 */

/** Each figure draws from a stream of its own, so that `--only` shows it what it saw beside others.
 * @param {number} seed @param {string} name @returns {Chance} */
export function createChance(seed, name) {
  let state = [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0) | 0, seed);
  const next = () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
  const whole = (/** @type {number} */ from, /** @type {number} */ to) =>
    from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    pick: (of) => /** @type {any} */ (of[whole(0, of.length - 1)]),
    shuffle(of) {
      const mixed = [...of];
      for (let last = mixed.length - 1; last > 0; last -= 1) {
        const place = whole(0, last);
        const [one, other] = [mixed[last], mixed[place]];
        mixed[last] = /** @type {any} */ (other);
        mixed[place] = /** @type {any} */ (one);
      }
      return mixed;
    },
  };
}
