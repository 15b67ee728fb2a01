// Followers of one run, each on a connection of its own: when did each of them get each event? The
// clock is the machine's monotonic one, so that times of several processes compare.

import { openLinks } from "./link.js";

/** Milliseconds on a clock that all processes of the machine share. */
export const machineNow = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * @param {object} job
 * @param {{ url: string, token: string }} job.target
 * @param {number} job.followers
 * @param {string} job.run_id
 * @param {number} job.after_sequence
 * @param {number} job.last_sequence the one whose arrival everywhere ends the scenario
 * @param {import("./main.js").Control} control
 * @returns {Promise<{ arrivals: [number, number][] }>} sequence and time
 */
export async function followRun(job, control) {
  const { target, followers, run_id, after_sequence, last_sequence } = job;
  const links = await openLinks(target, followers);
  /** @type {[number, number][]} */
  const arrivals = [];
  let finished = 0;
  /** @type {() => void} */
  let finish = () => undefined;
  const all = new Promise((resolve) => (finish = () => resolve(undefined)));
  for (const link of links) {
    link.onNotification = (text) => {
      const at = text.indexOf('"sequence":');
      if (at < 0) return;
      const sequence = Number.parseInt(text.slice(at + 11), 10);
      arrivals.push([sequence, machineNow()]);
      if (sequence === last_sequence && (finished += 1) === links.length) finish();
    };
  }
  const params = JSON.stringify({ target_run_id: run_id, after_cursor: String(after_sequence) });
  await Promise.all(links.map((link) => link.ask("run_subscribe", params)));
  await control.pause({ followers: links.length });
  await all;
  for (const link of links) link.close();
  return { arrivals };
}
