// R6: the line between a host and Postgres, or between clients and their host, goes silent without
// closing. It is noticed on both sides, leases that cannot be renewed go to others, and nothing is lost.

import { join } from "node:path";
import { audit } from "../audit.js";
import { journalCalls, openJournal } from "../journal.js";
import { startLoad, throughClient } from "../load.js";
import { openRawPeer } from "../raw_peer.js";
import { claimOf, makeWorld, rest, waitUntil } from "../world.js";

/** @typedef {import("../journal.js").Call} Call */

/** How long after the end of its known lease each run had a new holder, on the clock of the database.
 * @param {{ lease_ends: Map<string, number>, taken: Map<string, number> }} facts */
export function judgeTakeover({ lease_ends, taken }) {
  /** @type {string[]} */
  const breaches = [];
  let latest_ms = 0;
  for (const [run_id, end_ms] of lease_ends) {
    const at = taken.get(run_id);
    if (at === undefined) breaches.push(`nobody took ${run_id} over`);
    else if (at < end_ms) breaches.push(`${run_id} was taken ${end_ms - at} ms before its lease was over`);
    else latest_ms = Math.max(latest_ms, at - end_ms);
  }
  return { breaches, latest_ms };
}

/** Claims runs and renews them for as long as it can.
 * @param {{ call: Call, runtime_id: string, runs: number, lease_seconds: number }} worker */
async function holdRuns({ call, runtime_id, runs, lease_seconds }) {
  /** @type {Map<string, number>} */
  const lease_ends = new Map();
  let stopped = false;
  const renew = async (/** @type {any} */ item) => {
    const target = { target_run_id: item.run_id, ...claimOf(item) };
    while (!stopped) {
      await rest(lease_seconds * 250);
      try {
        const { claim_lease_expires_at_ms } = await call("run_renew_claim", { ...target, lease_seconds });
        lease_ends.set(item.run_id, claim_lease_expires_at_ms);
      } catch (thrown) {
        if (/** @type {any} */ (thrown).code === "LEASE_LOST") return;
      }
    }
  };
  /** @type {Promise<void>[]} */
  const all = [];
  for (let had = 0; had < runs;) {
    const answer = await call("run_claim", { runtime_id, lease_seconds, max_runs: runs - had });
    for (const item of answer.runs) {
      lease_ends.set(item.run_id, item.claim_lease_expires_at_ms);
      all.push(renew(item));
      had += 1;
    }
  }
  return {
    lease_ends,
    async stop() {
      stopped = true;
      await Promise.all(all);
    },
  };
}

const heir_lease_seconds = 600;

/** Takes what it can get until it has `wanted`, and ends it.
 * @param {{ call: Call, runtime_id: string, queue_name: string, wanted: number, ms: number }} heir */
async function inherit({ call, runtime_id, queue_name, wanted, ms }) {
  /** @type {Map<string, number>} */
  const taken = new Map();
  for (const until = performance.now() + ms; taken.size < wanted && performance.now() < until;) {
    try {
      const { runs } = await call("run_claim", {
        runtime_id, queue_name, lease_seconds: heir_lease_seconds, max_runs: 10, wait_seconds: 1,
      });
      for (const item of runs) {
        taken.set(item.run_id, item.claim_lease_expires_at_ms - heir_lease_seconds * 1000);
        await call("run_finalize", { target_run_id: item.run_id, ...claimOf(item), status: "completed" });
      }
    } catch (thrown) {
      if (/** @type {any} */ (thrown).code !== "NO_RUN_AVAILABLE") throw thrown;
    }
  }
  return taken;
}

/** Asks the host for something of its database, again and again, and notes how long an answer took.
 * @param {string} url @param {string} token */
async function probe(url, token) {
  const peer = await openRawPeer(url, token);
  let stopped = false;
  let unanswered = 0;
  const done = (async () => {
    for (; !stopped; await rest(100)) {
      if (await peer.ask("run_list", { limit: 1 }) === null) unanswered += 1;
      if (unanswered > 0) return;
    }
  })();
  return {
    async stop() {
      stopped = true;
      await done;
      peer.close();
      return { unanswered, oldest_ms: peer.oldestMs() };
    },
  };
}

/** @param {import("../chaos.js").Stage} stage */
async function openLines({ scene, size }) {
  const database_url = await scene.database("r6");
  const { hostname, port } = new URL(database_url);
  const database_line = await scene.proxy({ host: hostname, port: Number(port || 5432) });
  const through = Object.assign(new URL(database_url), { hostname: "127.0.0.1", port: String(database_line.port) });
  const hosts = await scene.fleet({ figure: "r6", database_urls: [through.href, database_url] });
  const [near, far] = hosts;
  if (near === undefined || far === undefined) throw new Error("no hosts");
  const client_line = await scene.proxy({ port: near.port });
  const world = await makeWorld(scene, near, { runtimes: 2 });
  const url = `ws://127.0.0.1:${client_line.port}/rpc`;
  const options = { token: world.token, pingMs: size["ping_ms"], timeoutMs: 90_000 };
  return { database_url, database_line, client_line, hosts, near, far, world, url, options };
}

/** @typedef {Awaited<ReturnType<typeof openLines>>} Lines */

/** The time until a condition comes true, from now. @param {() => boolean | Promise<boolean>} condition
 * @param {number} ms */
async function timeUntil(condition, ms) {
  const began = performance.now();
  return await waitUntil(condition, ms) ? Math.round(performance.now() - began) : Infinity;
}

/**
 * One silence. Resolves with what was found and how long the noticing took.
 * @param {import("../chaos.js").Stage} stage @param {Lines} lines
 * @param {{ round: number, line: "database" | "client", mode: import("../fault_proxy.js").Mode,
 *   away_ms: number, call: Call, heir: Call }} how
 */
async function silence({ scene, size }, lines, { round, line, mode, away_ms, call, heir }) {
  const { runs = 0, lease_seconds = 0, ping_ms = 0 } = size;
  const { near, world, database_line, client_line } = lines;
  const queue_name = `r6-${round}`;
  for (let made = 0; made < runs; made += 1) {
    await heir("run_create", { run_id: `hold-${round}-${made}`, runner_id: world.runner_id, queue_name });
  }
  const client = await scene.client({ url: lines.url, ...lines.options });
  const [mine = "", others = ""] = world.runtime_ids;
  const worker = await holdRuns({
    call: (method, params) => call(method, method === "run_claim" ? { ...params, queue_name } : params),
    runtime_id: mine, runs, lease_seconds,
  });
  await rest(lease_seconds * 300);
  const prober = await probe(near.url, world.token);
  const struck = line === "database" ? database_line : client_line;
  struck.setMode(mode);
  const began = performance.now();
  const inherited = inherit({
    call: heir, runtime_id: others, queue_name, wanted: runs, ms: lease_seconds * 1000 + 20_000,
  });
  const noticed = line === "database"
    ? timeUntil(async () => !await near.isReady(), away_ms)
    : timeUntil(() => client.state !== "open", away_ms);
  const [noticed_ms, taken] = await Promise.all([noticed, inherited]);
  await rest(Math.max(away_ms - (performance.now() - began), 0));
  const dropped = line === "database" ? null : await near.readMetric('runhost_connections{state="authenticated"}');
  struck.setMode("pass");
  const ready_ms = await timeUntil(() => near.isReady(), 30_000);
  const back = await waitUntil(() => client.state === "open", 40_000);
  await worker.stop();
  const { unanswered, oldest_ms } = await prober.stop();
  await client.close();
  const { breaches, latest_ms } = judgeTakeover({ lease_ends: worker.lease_ends, taken });
  if (!back) breaches.push(`round ${round}: a client did not come back`);
  if (unanswered > 0) breaches.push(`round ${round}: a request was not answered`);
  const limit = line === "database" ? 6000 : 2 * ping_ms + 1000;
  return { breaches, latest_ms, noticed_ms, limit, oldest_ms, ready_ms, dropped };
}

/** @type {import("../chaos.js").Figure} */
export const r6 = {
  id: "R6",
  title: "silent lines",
  sizes: {
    full: { writers: 40, rounds: 10, away_ms: 33_000, long_ms: 65_000, runs: 10, lease_seconds: 5, ping_ms: 15_000 },
    quick: { writers: 12, rounds: 2, away_ms: 8000, long_ms: 0, runs: 5, lease_seconds: 2, ping_ms: 2000 },
    smoke: { writers: 4, rounds: 1, away_ms: 5000, long_ms: 0, runs: 3, lease_seconds: 2, ping_ms: 1500 },
  },
  async play(stage) {
    const { scene, chance, size, folder } = stage;
    const { writers = 0, rounds = 0, away_ms = 0, long_ms = 0 } = size;
    const lines = await openLines(stage);
    const { world, far, near, hosts } = lines;
    const journal = openJournal(join(folder, "holders.jsonl"));
    const call = journalCalls(await scene.client({ url: lines.url, ...lines.options }), journal);
    const heir = journalCalls(await scene.client({ url: far.url, ...lines.options }), journal);
    const load = await startLoad({
      writers, world: { ...world, runtime_ids: [world.runtime_ids[1] ?? ""] }, chance, pause_ms: 50, name: "r6",
      journal_file: join(folder, "r6.jsonl"), claims: false,
      open: throughClient(scene, [{ url: lines.url }, far], lines.options),
    });
    /** @type {string[]} */
    const breaches = [];
    /** @type {import("../chaos.js").Timing[]} */
    const timings = [];
    const play = async (/** @type {number} */ round, /** @type {number} */ ms) => {
      const line = long_ms > 0 && ms === long_ms || round % 2 === 1 ? "client" : "database";
      const mode = round % 4 < 2 ? "hold" : "blackhole";
      const found = await silence(stage, lines, { round, line, mode, away_ms: ms, call, heir });
      breaches.push(...found.breaches);
      timings.push(
        { name: `${line} ${mode} noticed ms`, value: found.noticed_ms, limit: found.limit },
        { name: "taken over after lease ms", value: Math.round(found.latest_ms), limit: 5000 },
        { name: "oldest request ms", value: Math.round(found.oldest_ms), limit: 6000 },
        { name: "ready again ms", value: found.ready_ms, limit: 5000 },
      );
      return found;
    };
    for (let round = 0; round < rounds; round += 1) await play(round, away_ms);
    let dropped = Number.NaN;
    if (long_ms > 0) dropped = (await play(rounds + rounds % 2, long_ms)).dropped ?? Number.NaN;
    // The prober and the plugin of the world are on direct lines, everybody else was silent.
    if (long_ms > 0 && !(dropped <= 2)) breaches.push(`the host still held ${dropped} connections after ${long_ms} ms`);
    await load.stop();
    journal.close();
    const audited = await audit(scene, { database_url: lines.database_url, journals: [load.journal_file, journal.file] });
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    if (!near.isAlive()) breaches.push("the host ended");
    return {
      counts: { silences: rounds + (long_ms > 0 ? 1 : 0), ...audited.counts, lost_leases: load.counts.lost_leases },
      breaches: [...audited.breaches, ...breaches, ...load.offences, ...complaints],
      timings: worst(timings),
    };
  },
};

/** Of each name the one that is nearest to its limit. @param {import("../chaos.js").Timing[]} timings */
export function worst(timings) {
  /** @type {Map<string, import("../chaos.js").Timing>} */
  const found = new Map();
  for (const timing of timings) {
    const known = found.get(timing.name);
    if (known === undefined || timing.value - timing.limit > known.value - known.limit) found.set(timing.name, timing);
  }
  return [...found.values()];
}
