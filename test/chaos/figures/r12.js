// R12: hosts are replaced one after the other under writers, as in a deployment. Whoever uses the
// public client sees no error.

import { join } from "node:path";
import { audit } from "../audit.js";
import { startLoad, throughClient } from "../load.js";
import { makeWorld, rest, waitUntil } from "../world.js";

/** A claim whose answer was cut off may have been made, so the client leaves it to its program. */
const programs = ["run_claim NO_RUN_AVAILABLE", "run_claim CONNECTION_LOST", "run_claim UNAVAILABLE",
  "run_release_claim CONNECTION_LOST", "run_release_claim UNAVAILABLE"];

/** @param {Record<string, number>} met @returns {{ errors: string[], repeated: number }} */
export function judgeErrors(met) {
  const errors = Object.entries(met).filter(([key]) => !programs.includes(key));
  const repeated = Object.entries(met).filter(([key]) => programs.slice(1).includes(key));
  return {
    errors: errors.map(([key, count]) => `${key}: ${count}`),
    repeated: repeated.reduce((sum, [, count]) => sum + count, 0),
  };
}

/** @type {import("../chaos.js").Figure} */
export const r12 = {
  id: "R12",
  title: "hosts replaced under writers",
  sizes: {
    full: { hosts: 3, writers: 100, rounds: 20, between_ms: 500 },
    quick: { hosts: 3, writers: 30, rounds: 2, between_ms: 200 },
    smoke: { hosts: 2, writers: 8, rounds: 1, between_ms: 100 },
  },
  async play({ scene, chance, size, folder }) {
    const { hosts: count = 0, writers = 0, rounds = 0, between_ms = 0 } = size;
    const database_url = await scene.database("r12");
    const hosts = await scene.fleet({ figure: "r12", database_urls: Array(count).fill(database_url) });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first);
    const load = await startLoad({
      writers, world, chance, pause_ms: 20, name: "r12", journal_file: join(folder, "r12.jsonl"),
      lease_seconds: 300, open: throughClient(scene, hosts, { token: world.token, timeoutMs: 60_000 }),
    });
    await waitUntil(() => load.counts.calls > writers * 2, 20_000);
    /** @type {string[]} */
    const ends = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const host of hosts) {
        const { code, signal } = await host.end("SIGTERM");
        if (code !== 0) ends.push(`a host that was asked to end ended with ${signal ?? code}`);
        await host.start();
        await rest(between_ms);
      }
    }
    await load.stop();
    const { breaches, counts } = await audit(scene, { database_url, journals: [load.journal_file] });
    const { errors, repeated } = judgeErrors(load.met);
    const [claims] = await scene.withSql(database_url, (sql) =>
      sql`select coalesce(sum(claim_epoch), 0)::int as made from agent_run`);
    // What a host still took in it also answered: no run is leased to somebody who does not know.
    const orphaned = claims?.["made"] - load.counts.claims;
    if (orphaned !== 0) breaches.push(`${orphaned} claims were made and not answered`);
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    return {
      counts: {
        restarts: rounds * count, ...counts, errors_seen: errors.length, claims_cut_off: repeated, claims_orphaned: orphaned,
      },
      breaches: [...breaches, ...load.offences, ...errors.map((error) => `a client saw ${error}`), ...ends, ...complaints],
    };
  },
};
