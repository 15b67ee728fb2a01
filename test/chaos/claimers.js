// A process of claimers: they take runs and finish them, but for the share that they abandon. It is
// killed at any moment.

import { createChance } from "./chance.js";
import { openJournal } from "./journal.js";
import { openRawPeer } from "./raw_peer.js";
import { claimOf, rest } from "./world.js";

const { urls, token, runtime_id, claimers, lease_seconds, abandoned, seed, name, journal_file } =
  JSON.parse(process.argv[2] ?? "{}");
const journal = openJournal(journal_file);
const chance = createChance(seed, name);
const peers = await Promise.all(urls.map((/** @type {string} */ url) => openRawPeer(url, token)));

/** @param {import("./raw_peer.js").RawPeer} peer @param {string} method @param {Record<string, any>} params */
async function ask(peer, method, params) {
  const line = { tenant_id: "default", method, params, sent_at_ms: Date.now() };
  // What changes a lease is known even if this process does not live to hear the answer.
  if (method !== "run_claim") journal.add(line);
  const answer = await peer.ask(method, params);
  if (answer === null) {
    journal.add(line);
    throw new Error("the connection ended");
  }
  const { result, error } = answer;
  // Nothing to be had is no news.
  if (error?.data.code === "NO_RUN_AVAILABLE") return answer;
  journal.add({ ...line, answered_at_ms: Date.now(), ...(error ? { error: error.data } : { result }) });
  return answer;
}

/** @param {import("./raw_peer.js").RawPeer} peer */
async function claim(peer) {
  for (;;) {
    const { result, error } = await ask(peer, "run_claim", { runtime_id, lease_seconds, wait_seconds: 1 });
    if (error !== undefined) continue;
    if (chance.next() < abandoned) continue;
    const target = { target_run_id: result.run_id, ...claimOf(result) };
    if (chance.next() < 0.1) {
      // Some work for most of their lease, and some let it run out.
      await rest(lease_seconds * chance.whole(600, 1200));
      await ask(peer, "run_renew_claim", { ...target, lease_seconds });
    }
    if (chance.next() < 0.05) await ask(peer, "run_release_claim", target);
    else await ask(peer, "run_finalize", { ...target, status: "completed" });
  }
}

await Promise.all(peers.flatMap((peer) => Array.from({ length: claimers }, () => claim(peer))));
