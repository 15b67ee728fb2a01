// Random sequences of calls by three identities over six connections, played against a real host and
// against the reference; a difference is shrunk to the shortest sequence that shows it.
// MODEL_SEQUENCES=500 MODEL_SEED=1 for a long or a repeated run.

import fc from "fast-check";
import { expect, test } from "vitest";
import { useHost } from "../support/host.js";
import { anyCommands } from "./commands.js";
import { Reference } from "./reference.js";
import { openTenant } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const numRuns = Number(process.env["MODEL_SEQUENCES"] ?? 25);
const seed = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);

test(`sequences answer as the contract says (seed ${seed})`, { timeout: 3_600_000 }, async () => {
  let played = 0;
  await fc.assert(fc.asyncProperty(anyCommands(60), async (commands) => {
    const real = await openTenant(world());
    try {
      await fc.asyncModelRun(() => ({ model: new Reference(), real }), commands);
      played += 1;
    } finally {
      await real.close();
    }
  }), { numRuns, seed, endOnFailure: false });
  expect(played).toBeGreaterThanOrEqual(numRuns);
});

test("a host that were wrong would be found", async () => {
  const real = await openTenant(world());
  const wrong = { ...real, ask: async () => ({ refused: "CONFLICT run_id_reused" }) };
  const property = fc.asyncProperty(anyCommands(60), (commands) =>
    fc.asyncModelRun(() => ({ model: new Reference(), real: wrong }), commands));
  await expect(fc.assert(property, { numRuns: 20, seed: 1 })).rejects.toThrow(/Property failed/);
  await real.close();
});
