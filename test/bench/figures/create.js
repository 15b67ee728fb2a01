// P5: creating runs one by one beside pg-boss sending jobs one by one, both 50 at a time.

import { scaled, timing, withHost } from "../bench.js";
import { makeRow, measureRounds, toRates } from "../rows.js";
import { playScenario } from "../world/process.js";

/** @param {import("../bench.js").Bench} bench */
export const measureCreates = (bench) => withHost(bench, "p5", async ({ target }) => {
  const database = await bench.postgres.createDatabase("p5_boss");
  const job = { workers: scaled(bench, 50), ...timing(bench) };
  const { ours, boss } = await measureRounds(bench, [
    { name: "ours", measure: () => playScenario(bench.ending, "create", { ...job, target }) },
    {
      name: "boss",
      measure: () => playScenario(bench.ending, "boss_send", {
        ...job, database_url: database.url,
      }),
    },
  ]);
  await database.drop();
  return [makeRow("P5", {
    figure: toRates("run_create", ours ?? []),
    denominator: toRates("pg-boss send, 50 concurrent", boss ?? []),
  })];
});
