// What the agent remembers from run to run, in the state of the host: by conversation, and by
// runner for what all conversations share. A change that meets another one is computed again.

import { HostError } from "runhost/client";

/**
 * @typedef {{ scope: "conversation" | "runner", key: string }} Place
 * @typedef {ReturnType<typeof openMemory>} Memory
 */

export const places = {
  name: /** @type {Place} */ ({ scope: "conversation", key: "name" }),
  unit: /** @type {Place} */ ({ scope: "conversation", key: "unit" }),
  notes: /** @type {Place} */ ({ scope: "conversation", key: "notes" }),
  answers: /** @type {Place} */ ({ scope: "runner", key: "answers" }),
};

/** @param {import("runhost/worker").State} state */
export const openMemory = (state) => ({
  /** @param {Place} place The value and its version; null and 0 where nothing is stored. */
  read: ({ scope, key }) => state.get(scope, key),
  /**
   * Answers what is stored then.
   * @template Value
   * @param {Place} place
   * @param {(value: any) => Value} compute From the stored value, null where there is none.
   */
  async change({ scope, key }, compute) {
    for (;;) {
      const { value, version } = await state.get(scope, key);
      const changed = compute(value);
      const written = state.set(scope, key, changed, { if_version: version });
      if (await isUnopposed(written)) return changed;
    }
  },
  /**
   * Whether it was removed: not if it has changed since that version.
   * @param {Place} place
   * @param {number} if_version
   */
  remove: ({ scope, key }, if_version) => isUnopposed(state.delete(scope, key, { if_version })),
});

/**
 * False where somebody else changed the value in between.
 * @param {Promise<unknown>} write
 */
const isUnopposed = (write) =>
  write.then(
    () => true,
    (thrown) => {
      if (thrown instanceof HostError && thrown.reason === "version_mismatch") return false;
      throw thrown;
    },
  );
