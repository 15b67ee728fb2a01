// P6: how long a new run waits for a claimer that waits already, with nothing else going on.

import { withHost } from "../bench.js";
import { makeRow, measureRounds, toSeries } from "../rows.js";
import { playScenario } from "../world/process.js";

/** @param {import("../bench.js").Bench} bench */
export const measurePickUp = (bench) => withHost(bench, "p6", async ({ target }) => {
  const samples = bench.size.pickup_samples;
  const { ours = [] } = await measureRounds(bench, [
    { name: "ours", measure: () => playScenario(bench.ending, "pickup", { target, samples }) },
  ]);
  const notes = [`${samples} samples in each round`];
  return [
    makeRow("P6 p50", { notes, figure: toSeries("pick-up", "ms", ours.map((o) => o.p50_ms)) }),
    makeRow("P6 p99", { figure: toSeries("pick-up", "ms", ours.map((o) => o.p99_ms)) }),
  ];
});
