// Three hosts on one database, all sweeping every second, and 64 claimers with leases of one second, of
// whose claims three in ten are abandoned. `RACE_RUNS=20000` is the full figure; the quick one is smaller.

import { expect, test } from "vitest";
import type { Client } from "../support/client.js";
import { claimOf, registerPlugin, startTestHost, useHost } from "../support/host.js";

const runs = Number(process.env["RACE_RUNS"] ?? 400);
const claimers = 64;
const abandoned = 0.3;
const environment = { RUNHOST_RECONCILE_SECONDS: "1", RUNHOST_MAX_IN_FLIGHT: "1000" };
const world = useHost(environment);

/** A repeatable stream of numbers in [0, 1): the test prints the seed it began with. */
function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Tally {
  claims: number;
  finished: number;
  late: number;
  stolen: string[];
}

test("no healthy lease is taken, every run ends, attempts are claims", { timeout: 600_000 }, async () => {
  const seed = Number(process.env["RACE_SEED"] ?? Date.now() % 100_000);
  const chance = createChance(seed);
  const plugin = await registerPlugin(world(), { runtime: { heartbeat_ttl_seconds: 3600 } });
  const others = await Promise.all([1, 2].map(() =>
    startTestHost({ database_url: world().clone.url, environment })));
  const hosts = [world().test, ...others];
  const clients = await Promise.all(
    Array.from({ length: 12 }, (_, place) => hosts[place % 3]?.connect(plugin.token)));
  const [creator] = clients as [Client];
  for (let from = 0; from < runs; from += 200) {
    await Promise.all(Array.from({ length: Math.min(200, runs - from) }, () =>
      creator.call("run_create", { runner_id: plugin.runner_id, max_attempts: 100 })));
  }
  const tally: Tally = { claims: 0, finished: 0, late: 0, stolen: [] };
  const work = async (client: Client): Promise<void> => {
    while (tally.finished < runs) {
      const claimed_at = performance.now();
      const answer = await client.ask("run_claim", {
        runtime_id: plugin.runtime_id, lease_seconds: 1, wait_seconds: 1,
      });
      if (answer.error) {
        expect(answer.error.data.code).toBe("NO_RUN_AVAILABLE");
        continue;
      }
      const item = answer.result as { run_id: string } & Parameters<typeof claimOf>[0];
      tally.claims += 1;
      if (chance() < abandoned) continue;
      const ended = await client.ask("run_finalize", {
        target_run_id: item.run_id, ...claimOf(item), status: "completed",
      });
      // The lease began after the claim was sent: within a second of that it was healthy.
      const healthy = performance.now() - claimed_at < 1000;
      if (!ended.error) tally.finished += 1;
      else if (healthy) tally.stolen.push(`${item.run_id} ${ended.error.data.code}`);
      else tally.late += 1;
    }
  };
  await Promise.all(Array.from({ length: claimers }, (_, place) =>
    work(clients[place % clients.length] as Client)));
  const [rows] = await world().clone.sql`select count(*)::int as runs,
      count(*) filter (where status = 'completed')::int as completed,
      sum(claim_epoch)::int as epochs, sum(dispatch_attempts)::int as attempts,
      count(*) filter (where claim_epoch <> dispatch_attempts)::int as uneven
    from agent_run where plugin_identity = ${plugin.identity}`;
  console.log(JSON.stringify({ seed, runs, ...tally, ...rows }));
  await Promise.all(others.map((host) => host.close()));
  expect(tally.stolen).toEqual([]);
  expect(rows).toEqual({
    runs, completed: runs, epochs: tally.claims, attempts: tally.claims, uneven: 0,
  });
});
