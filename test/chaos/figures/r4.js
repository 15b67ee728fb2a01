// R4: Postgres goes down as in a crash and comes back, under writers. What was acknowledged is there,
// every request has an answer, and the hosts are soon ready.

import { join } from "node:path";
import postgres from "postgres";
import { audit } from "../audit.js";
import { startLoad, throughSocket } from "../load.js";
import { makeWorld, rest, waitUntil } from "../world.js";

/** Settles when Postgres takes a statement. @param {string} url */
async function waitForPostgres(url) {
  for (;;) {
    const sql = postgres(url, { max: 1, connect_timeout: 1, backoff: false, onnotice: () => undefined });
    try {
      return void await sql`select 1`;
    } catch {
      await rest(10);
    } finally {
      await Promise.race([sql.end({ timeout: 0 }), rest(200)]);
    }
  }
}

/** @type {import("../chaos.js").Figure} */
export const r4 = {
  id: "R4",
  title: "Postgres restarted under writers",
  sizes: {
    full: { hosts: 3, writers: 60, restarts: 20, between_ms: 4000 },
    quick: { hosts: 3, writers: 30, restarts: 3, between_ms: 1200 },
    smoke: { hosts: 2, writers: 8, restarts: 1, between_ms: 300 },
  },
  async play({ scene, chance, size, folder }) {
    const { hosts: count = 0, writers = 0, restarts = 0, between_ms = 0 } = size;
    const server = scene.postgres;
    if (server === null) {
      return { counts: {}, breaches: [], skipped: "the Postgres of DATABASE_URL is not ours to stop" };
    }
    const database_url = await scene.database("r4");
    const hosts = await scene.fleet({ figure: "r4", database_urls: Array(count).fill(database_url) });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first);
    const watch = { unanswered: 0, unavailable: 0, oldest_ms: 0 };
    const load = await startLoad({
      writers, world, chance, pause_ms: 20, name: "r4", journal_file: join(folder, "r4.jsonl"),
      open: throughSocket(hosts, world.token, watch),
    });
    await waitUntil(() => load.counts.calls > writers * 2, 20_000);
    let ready_ms = 0;
    for (let turn = 0; turn < restarts; turn += 1) {
      await rest(chance.whole(between_ms / 2, between_ms));
      const { stopped, up } = server.restart();
      await stopped;
      await waitForPostgres(database_url);
      const accepts_at = performance.now();
      await Promise.all(hosts.map((host) => waitUntil(() => host.isReady(), 30_000)));
      ready_ms = Math.max(ready_ms, performance.now() - accepts_at);
      await up;
    }
    const calls = load.counts.calls;
    const lively = await waitUntil(() => load.counts.calls > calls + writers, 20_000);
    await load.stop();
    const { breaches, counts } = await audit(scene, { database_url, journals: [load.journal_file] });
    if (!lively) breaches.push("no calls were answered after the last restart");
    if (watch.unanswered > 0) breaches.push(`${watch.unanswered} requests were not answered`);
    if (hosts.some((host) => host.lives() !== 1 || !host.isAlive())) breaches.push("a host ended");
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    return {
      counts: { restarts, ...counts, unavailable: watch.unavailable },
      breaches: [...breaches, ...load.offences, ...complaints],
      timings: [
        { name: "ready after ms", value: Math.round(ready_ms), limit: 3000 },
        { name: "oldest request ms", value: Math.round(watch.oldest_ms), limit: 6000 },
      ],
    };
  },
};
