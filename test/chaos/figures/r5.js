// R5: every connection of a host to Postgres is killed, forty times in four seconds. The host lives,
// answers every request, and is as fast as before.

import { join } from "node:path";
import { audit } from "../audit.js";
import { startLoad, throughSocket } from "../load.js";
import { makeWorld, rest, waitUntil } from "../world.js";

const window_ms = 1000;

/** How long after `struck_at` the calls of a whole second came to the share of what they were before.
 * @param {{ answered: readonly number[], struck_at: number, rate: number, share: number, until: number }} facts
 *   `rate`: calls a second before */
export function timeToRecover({ answered, struck_at, rate, share, until }) {
  for (let from = struck_at; from + window_ms <= until; from += 100) {
    const calls = answered.filter((at) => at >= from && at < from + window_ms).length;
    if (calls >= rate * share * window_ms / 1000) return Math.round(from + window_ms - struck_at);
  }
  return Infinity;
}

/** @type {import("../chaos.js").Figure} */
export const r5 = {
  id: "R5",
  title: "every backend killed under writers",
  sizes: {
    full: { writers: 60, rounds: 40, before_ms: 10_000, after_ms: 7000 },
    quick: { writers: 60, rounds: 40, before_ms: 3000, after_ms: 5500 },
    smoke: { writers: 12, rounds: 6, before_ms: 500, after_ms: 1000 },
  },
  async play({ scene, chance, size, folder }) {
    const { writers = 0, rounds = 0, before_ms = 0, after_ms = 0 } = size;
    const database_url = await scene.database("r5");
    const hosts = await scene.fleet({ figure: "r5", database_urls: [database_url] });
    const [host] = hosts;
    if (host === undefined) throw new Error("no host");
    const world = await makeWorld(scene, host);
    const watch = { unanswered: 0, unavailable: 0, oldest_ms: 0 };
    const load = await startLoad({
      writers, world, chance, pause_ms: 10, name: "r5", journal_file: join(folder, "r5.jsonl"),
      open: throughSocket(hosts, world.token, watch),
    });
    await waitUntil(() => load.counts.calls > writers * 5, 20_000);
    const began = performance.now();
    await rest(before_ms);
    const rate = load.answered.filter((at) => at >= began).length / (performance.now() - began) * 1000;
    const sql = scene.sql(database_url, 1);
    let killed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const rows = await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name like 'runhost%'`;
      killed += rows.length;
      await rest(100);
    }
    const struck_at = performance.now();
    await rest(after_ms);
    const until = performance.now();
    await load.stop();
    const { breaches, counts } = await audit(scene, { database_url, journals: [load.journal_file] });
    if (!host.isAlive() || host.lives() !== 1) breaches.push("the host ended");
    if (watch.unanswered > 0) breaches.push(`${watch.unanswered} requests were not answered`);
    if (killed < rounds) breaches.push(`only ${killed} backends were there to be killed`);
    const recovered = timeToRecover({ answered: load.answered, struck_at, rate, share: 0.9, until });
    return {
      counts: {
        rounds, killed, ...counts, unavailable: watch.unavailable, calls_per_second: Math.round(rate),
      },
      breaches: [...breaches, ...load.offences, ...host.complaints.map((line) => `the host complained: ${line}`)],
      timings: [
        { name: "oldest request ms", value: Math.round(watch.oldest_ms), limit: 6000 },
        { name: "90 % again after ms", value: recovered, limit: 5000 },
      ],
    };
  },
};
