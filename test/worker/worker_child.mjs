// A worker process that is made to be killed or paused: a runner that begins anew, one that goes on
// from its last checkpoint, one that waits to be stopped. It writes one line for each run that it
// begins, and another one for a run that it would work on twice at once.

import { setTimeout as delay } from "node:timers/promises";
import { connect } from "runhost/client";
import { createWorker } from "runhost/worker";

const { WORKER_URL: url = "", WORKER_TOKEN: token = "", WORKER_STEPS: steps = "3" } = process.env;
const now = new Set();
/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/**
 * @param {import("runhost/worker").RunHandler} handle
 * @returns {import("runhost/worker").RunHandler}
 */
const work = (handle) => async (run, ctx) => {
  say(now.has(run.run_id) ? `twice ${run.run_id}` : `begin ${run.run_id}`);
  now.add(run.run_id);
  try {
    return await handle(run, ctx);
  } finally {
    now.delete(run.run_id);
  }
};

const host = await connect({ url, token });
const worker = createWorker({
  host,
  concurrency: 16,
  lease_seconds: 2,
  wait_seconds: 2,
  runners: {
    anew: work(async (run, ctx) => {
      for (const word of ["one", "two", "three"]) void ctx.emit.delta(word);
      await delay(10);
      return `answer to ${run.input.text}`;
    }),
    paused: async (run, ctx) => {
      say(`paused ${run.run_id}`);
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
      const refusal = await ctx.emit.message("late").catch((thrown) => thrown);
      say(`${ctx.signal.reason.kind} ${refusal.kind}`);
    },
    onward: {
      resumable: true,
      run: work(async (run, ctx) => {
        for (let step = ctx.resumed?.checkpoint ?? 0; step < Number(steps); step += 1) {
          await delay(5);
          await ctx.checkpoint(step + 1);
        }
        return `answer to ${run.input.text}`;
      }),
    },
  },
});
worker.stopOnSignals();
await worker.done;
await host.close();
