// R1: hosts are killed under writers, again and again. What was acknowledged is there, once.

import { join } from "node:path";
import { audit } from "../audit.js";
import { startLoad, throughClient } from "../load.js";
import { makeWorld, rest, waitUntil } from "../world.js";

/** @type {import("../chaos.js").Figure} */
export const r1 = {
  id: "R1",
  title: "hosts killed under writers",
  sizes: {
    full: { writers: 200, kills: 100, from_ms: 2000, to_ms: 5000, pause_ms: 20 },
    quick: { writers: 30, kills: 5, from_ms: 500, to_ms: 1500, pause_ms: 20 },
    smoke: { writers: 12, kills: 2, from_ms: 300, to_ms: 800, pause_ms: 50 },
  },
  async play({ scene, chance, size, folder }) {
    const { writers = 0, kills = 0, from_ms = 0, to_ms = 0, pause_ms = 0 } = size;
    const database_url = await scene.database("r1");
    const hosts = await scene.fleet({ figure: "r1", database_urls: Array(3).fill(database_url) });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first, { runtimes: 3 });
    const load = await startLoad({
      writers, world, chance, pause_ms, name: "r1", journal_file: join(folder, "r1.jsonl"),
      open: throughClient(scene, hosts, { token: world.token }),
    });
    await waitUntil(() => load.counts.calls > writers, 20_000);
    for (let kill = 0; kill < kills; kill += 1) {
      await rest(chance.whole(from_ms, to_ms));
      const struck = chance.pick(hosts);
      await struck.end("SIGKILL");
      await rest(chance.whole(0, 300));
      await struck.start();
    }
    await load.stop();
    const { breaches, counts } = await audit(scene, { database_url, journals: [load.journal_file] });
    const complaints = hosts.flatMap((host) => host.complaints);
    return {
      counts: { kills, ...counts, claims: load.counts.claims, lost_leases: load.counts.lost_leases },
      breaches: [...breaches, ...load.offences, ...complaints.map((line) => `a host complained: ${line}`)],
    };
  },
};
