// What has to be stopped or removed at the end, however the end comes: in reverse order, each once,
// and one that fails does not keep the others from being stopped.

/** @typedef {(stop: () => unknown) => () => Promise<void>} AtEnd */

export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.exit_code = signal === "SIGINT" ? 130 : 143;
  }
}

/**
 * @typedef {object} Ending
 * @property {{ readonly aborted: boolean, throwIfAborted(): void } & any} signal Aborted when a
 *   signal of the system asks to stop.
 * @property {AtEnd} atEnd Registers a stop; what it returns performs it now.
 * @property {() => Promise<void>} end
 * @property {number} repeated_calls of all processes so far, because the host was late
 * @property {() => Promise<never>} interrupted Rejects when a signal asks to stop; later ones do not
 *   cut the cleaning up short.
 */

/** @returns {Ending} */
export function createEnding() {
  /** @type {Set<() => Promise<void>>} */
  const stops = new Set();
  const abort = new AbortController();
  let over = false;
  return {
    signal: abort.signal,
    repeated_calls: 0,

    atEnd(stop) {
      const once = async () => {
        if (!stops.delete(once)) return;
        await stop();
      };
      stops.add(once);
      if (over) void once();
      return once;
    },

    async end() {
      over = true;
      for (const stop of [...stops].reverse()) {
        await stop().catch((/** @type {Error} */ error) =>
          process.stderr.write(`bench: while stopping: ${error.message}\n`));
      }
    },

    interrupted: () =>
      new Promise((_, reject) => {
        /** @param {NodeJS.Signals} signal */
        const stop = (signal) => {
          const interrupted = new Interrupted(signal);
          abort.abort(interrupted);
          reject(interrupted);
        };
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
      }),
  };
}
