// What the agent remembers from run to run, in the state of the host: by conversation, and by
// runner for what all conversations share. A change that meets another one is computed again.

import { HostError } from "runhost/client";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {"conversation" | "runner"} Scope
 * @typedef {{ scope: Scope, key: string }} Place
 * @typedef {ReturnType<typeof openMemory>} Memory
 */

export const places = {
  name: /** @type {Place} */ ({ scope: "conversation", key: "name" }),
  unit: /** @type {Place} */ ({ scope: "conversation", key: "unit" }),
  notes: /** @type {Place} */ ({ scope: "conversation", key: "notes" }),
  answers: /** @type {Place} */ ({ scope: "runner", key: "answers" }),
};

/**
 * @param {object} parts
 * @param {Host} parts.connection
 * @param {string} parts.run_id
 * @param {object} parts.claim The proof of the claim: a worker that lost it changes nothing.
 */
export function openMemory({ connection, run_id, claim }) {
  /** @param {Place} place */
  const read = (place) => connection.call("state_get", { run_id, ...place });

  return {
    /**
     * The value and its version; null and 0 where nothing is stored.
     * @type {(place: Place) => Promise<{ value: any, version: number }>}
     */
    read,
    /**
     * Answers what is stored now.
     * @template Value
     * @param {Place} place
     * @param {(value: any) => Value} compute From the stored value, null where there is none.
     */
    async change(place, compute) {
      for (;;) {
        const { value, version } = await read(place);
        const changed = compute(value);
        const asked = { run_id, ...claim, ...place, value: changed, if_version: version };
        if (await isUnopposed(connection.call("state_set", asked))) return changed;
      }
    },
    /**
     * Whether it was removed: not if it has changed since that version.
     * @param {Place} place
     * @param {number} if_version
     */
    remove: (place, if_version) =>
      isUnopposed(connection.call("state_delete", { run_id, ...claim, ...place, if_version })),
  };
}

/**
 * False where somebody else changed the value in between.
 * @param {Promise<unknown>} write
 */
const isUnopposed = (write) =>
  write.then(
    () => true,
    (thrown) => {
      if (thrown instanceof HostError && thrown.data["reason"] === "version_mismatch") return false;
      throw thrown;
    },
  );
