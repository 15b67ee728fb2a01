// The entry of every process that makes load or plays a peer: takes one job from its parent, runs
// the scenario that the job names, answers once and ends. It also ends when its parent is gone.

import { counted } from "./link.js";
import { scenarios } from "./scenarios.js";

/**
 * What a scenario may tell its parent while it works, and wait for.
 * @typedef {object} Control
 * @property {(news: Record<string, unknown>) => Promise<void>} pause Tells, and waits for a go.
 *
 * @typedef {(job: any, control: Control) => Promise<any>} Scenario
 */

/** @param {Record<string, unknown>} message */
const tell = (message) =>
  new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve(undefined));
  });

/** @type {Control} */
const control = {
  async pause(news) {
    const go = new Promise((resolve) => process.once("message", resolve));
    await tell({ news });
    await go;
  },
};

process.once("disconnect", () => process.exit(1));
// The parent decides when to stop; a Ctrl-C in the terminal reaches the whole group.
process.on("SIGINT", () => undefined);

process.once("message", async (/** @type {{ scenario: string, job: unknown }} */ message) => {
  try {
    const scenario = scenarios[message.scenario];
    if (scenario === undefined) throw new Error(`no scenario ${message.scenario}`);
    const result = (await scenario(message.job, control)) ?? null;
    await tell({ result, ...counted });
    process.exit(0);
  } catch (thrown) {
    await tell({ failure: thrown instanceof Error ? thrown.message : String(thrown) });
    process.exit(1);
  }
});
