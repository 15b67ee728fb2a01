// What a client sent and was told, one JSON object a line, in the form that `runhost verify` reads,
// written before anything else happens, so that a killed writer loses half a line at most. A call
// whose answer never came has neither result nor error. Claim tokens stay in: a replay needs them.

import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

/** @param {string} file */
export function openJournal(file) {
  const fd = openSync(file, "a");
  let open = true;
  return {
    file,
    /** @param {object} line */
    add(line) {
      if (open) writeSync(fd, `${JSON.stringify(line)}\n`);
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** @typedef {ReturnType<typeof openJournal>} Journal */
/** @typedef {(method: string, params: Record<string, any>) => Promise<any>} Call */

/** Calls of a client that repeats them by itself: all its attempts are one line.
 * @param {{ call(method: string, params: object): Promise<any> }} host @param {Journal} journal
 * @returns {Call} */
export function journalCalls(host, journal) {
  return async (method, params) => {
    const line = { tenant_id: "default", method, params, sent_at_ms: Date.now() };
    try {
      const result = await host.call(method, params);
      journal.add({ ...line, answered_at_ms: Date.now(), result });
      return result;
    } catch (thrown) {
      const { code, reason, number } = /** @type {any} */ (thrown);
      // The client's own codes have the number 0: nobody knows what became of the call.
      if (number === 0) journal.add({ ...line, given_up: code });
      else journal.add({ ...line, answered_at_ms: Date.now(), error: { code, reason } });
      throw thrown;
    }
  };
}

/** @param {string} file @returns {AsyncGenerator<any>} */
export async function* readLines(file) {
  for await (const text of createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Infinity })) {
    try {
      yield JSON.parse(text);
    } catch {
      // The last one of a writer that was killed.
    }
  }
}
