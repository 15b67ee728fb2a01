// P2: whole lives of runs through the socket beside the same by direct SQL from Node.

import { scaled, timing, withHost } from "../bench.js";
import { makeDirectTables } from "../peers/direct_tables.js";
import { makeRow, measureRounds, toRates } from "../rows.js";
import { playScenario } from "../world/process.js";

/** @param {import("../bench.js").Bench} bench */
export const measureLifecycles = (bench) => withHost(bench, "p2", async ({ target }) => {
  const database = await bench.postgres.createDatabase("p2_direct");
  await makeDirectTables(database.sql);
  const job = { workers: scaled(bench, 32), ...timing(bench) };
  const { ours, direct } = await measureRounds(bench, [
    { name: "ours", measure: () => playScenario(bench.ending, "lifecycle", { ...job, target }) },
    {
      name: "direct",
      measure: () => playScenario(bench.ending, "direct", { ...job, database_url: database.url }),
    },
  ]);
  await database.drop();
  return [makeRow("P2", {
    figure: toRates("lives of runs", ours ?? []),
    denominator: toRates("direct SQL, one statement per operation", direct ?? []),
  })];
});
