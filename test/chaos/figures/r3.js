// R3 and R11: many claimers on three hosts, of which many abandon what they took or are killed, while
// each host sweeps in a loop. No run ever has two live leases, no healthy lease is taken away, what is
// abandoned is soon free again, and every run ends or can be had.

import { join } from "node:path";
import { audit } from "../audit.js";
import { journalCalls, openJournal, readLines } from "../journal.js";
import { makeWorld, rest } from "../world.js";

/**
 * @typedef {{ granted_ms: number, expires_ms: number, given_back: boolean, unsure: boolean }} Lease
 *   `unsure`: a renewal was sent and its answer never came, so it may last longer
 * @typedef {Map<string, Map<number, Lease>>} Leases by run and claim epoch
 */

/** What one line says of leases, on the clock of the database.
 * @param {Leases} leases @param {any} line @returns {string | null} what cannot be */
export function takeLease(leases, { method, params, result, error }) {
  if (error !== undefined && method !== "run_renew_claim") return null;
  if (method === "run_claim" && result !== undefined) {
    const { run_id, claim_epoch, claim_lease_expires_at_ms: expires_ms } = result;
    const known = leases.get(run_id) ?? new Map();
    leases.set(run_id, known);
    if (known.has(claim_epoch)) return `${run_id}: epoch ${claim_epoch} was given twice`;
    known.set(claim_epoch, { granted_ms: expires_ms - params.lease_seconds * 1000, expires_ms, given_back: false, unsure: false });
    return null;
  }
  const lease = leases.get(params.target_run_id)?.get(params.claim_epoch);
  if (lease === undefined) return null;
  if (method === "run_renew_claim") {
    lease.unsure = result === undefined && (error === undefined || error.code === "UNAVAILABLE");
    lease.expires_ms = Math.max(lease.expires_ms, result?.claim_lease_expires_at_ms ?? 0);
  }
  // One that was not answered may have been done.
  if (method === "run_release_claim" || method === "run_finalize") lease.given_back = true;
  return null;
}

/** Leases of one run that were alive together. @param {Leases} leases @returns {string[]} */
export function findOverlaps(leases) {
  /** @type {string[]} */
  const found = [];
  for (const [run_id, epochs] of leases) {
    const inOrder = [...epochs].sort(([one], [other]) => one - other);
    inOrder.forEach(([epoch, lease], place) => {
      const next = inOrder[place + 1];
      if (next === undefined || lease.given_back || next[1].granted_ms >= lease.expires_ms) return;
      found.push(`${run_id}: epoch ${next[0]} was given ${lease.expires_ms - next[1].granted_ms} ms before epoch ${epoch} was over`);
    });
  }
  return found;
}

/**
 * How long abandoned leases stayed after their end.
 * @param {{ leases: Leases, freed: Map<string, number[]>, ended: Set<string>, until_ms: number }} facts
 *   `freed`: when each run was requeued or reclaimed, ascending; `until_ms`: the sweeps ended then
 * @returns {{ early: string[], abandoned: number, never: string[], latest_ms: number, unsure: number }}
 *   `unsure`: leases that say nothing of how late, because nobody knows when they were over
 */
export function judgeFreed({ leases, freed, ended, until_ms }) {
  /** @type {string[]} */
  const early = [];
  /** @type {string[]} */
  const never = [];
  let abandoned = 0;
  let latest_ms = 0;
  let unknown = 0;
  for (const [run_id, epochs] of leases) {
    for (const [epoch, { granted_ms, expires_ms, given_back, unsure }] of epochs) {
      if (given_back) continue;
      const at = freed.get(run_id)?.find((one) => one > granted_ms);
      if (at !== undefined && at < expires_ms) early.push(`${run_id}: epoch ${epoch} was swept ${expires_ms - at} ms early`);
      else if (at !== undefined && !unsure) latest_ms = Math.max(latest_ms, at - expires_ms);
      else if (at === undefined && expires_ms < until_ms - 2000 && !ended.has(run_id)) never.push(`${run_id}: epoch ${epoch} was never freed`);
      abandoned += 1;
      if (unsure) unknown += 1;
    }
  }
  return { early, abandoned, never, latest_ms, unsure: unknown };
}

/** @param {import("../scene.js").Scene} scene @param {string} database_url */
async function readFreed(scene, database_url) {
  /** @type {Map<string, number[]>} */
  const freed = new Map();
  const rows = await scene.withSql(database_url, (sql) => sql`select target_run_id as run_id,
      floor(extract(epoch from created_at) * 1000)::float8 as at_ms from run_audit
    where action in ('run_requeued', 'run_reclaimed', 'run_exhausted', 'run_cancelled') and actor = 'host'
    order by created_at`);
  for (const { run_id, at_ms } of rows) {
    const known = freed.get(run_id) ?? [];
    known.push(at_ms);
    freed.set(run_id, known);
  }
  return freed;
}

/** @param {{ hosts: readonly { url: string }[], token: string, scene: import("../scene.js").Scene }} parts */
async function sweepInLoops({ hosts, token, scene }) {
  let stopped = false;
  let sweeps = 0;
  const clients = await Promise.all(hosts.map(({ url }) => scene.client({ url, token })));
  const all = clients.map(async (host) => {
    for (; !stopped; await rest(50)) {
      await host.call("runtime_reconcile", {});
      sweeps += 1;
    }
  });
  return {
    count: () => sweeps,
    async stop() {
      stopped = true;
      await Promise.all(all);
    },
  };
}

/** @param {import("../journal.js").Call} call @param {{ runs: number, runner_id: string }} wanted */
async function createRuns(call, { runs, runner_id }) {
  let made = 0;
  await Promise.all(Array.from({ length: 100 }, async () => {
    while (made < runs) {
      made += 1;
      await call("run_create", { run_id: `r3-${made}`, runner_id, max_attempts: 1000 });
    }
  }));
}

/** @type {import("../chaos.js").Figure} */
export const r3 = {
  id: "R3",
  title: "dying claimers",
  also: ["R11"],
  sizes: {
    full: { processes: 6, claimers: 64, runs: 100_000, kill_ms: 3000, seconds: 1500, lease_seconds: 5 },
    quick: { processes: 2, claimers: 20, runs: 800, kill_ms: 1500, seconds: 15, lease_seconds: 1 },
    smoke: { processes: 2, claimers: 6, runs: 120, kill_ms: 1500, seconds: 8, lease_seconds: 1 },
  },
  async play({ scene, chance, size, folder, seed }) {
    const { processes = 0, claimers = 0, runs = 0, kill_ms = 0, seconds = 0, lease_seconds = 0 } = size;
    const database_url = await scene.database("r3");
    const hosts = await scene.fleet({
      figure: "r3", database_urls: Array(3).fill(database_url), environment: { RUNHOST_MAX_IN_FLIGHT: "1000" },
    });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first, { runtimes: processes });
    const creator = openJournal(join(folder, "creator.jsonl"));
    await createRuns(journalCalls(world.plugin, creator), { runs, runner_id: world.runner_id });
    creator.close();
    const journals = [creator.file];
    const sweeps = await sweepInLoops({ hosts, token: world.token, scene });
    const start = (/** @type {number} */ place) => {
      const journal_file = join(folder, `claimers-${journals.length}.jsonl`);
      const name = `claimers-${journals.length}`;
      journals.push(journal_file);
      // One that is killed at once has nothing to say.
      openJournal(journal_file).close();
      return scene.worker("./claimers.js", {
        urls: hosts.map(({ url }) => url), token: world.token, runtime_id: world.runtime_ids[place],
        claimers: Math.ceil(claimers / processes), lease_seconds, abandoned: 0.3, seed, name, journal_file,
      });
    };
    const crew = world.runtime_ids.map((_, place) => start(place));
    const sql = scene.sql(database_url, 1);
    const left = async () => Number((await sql`select count(*) as open from agent_run where finished_at is null`)[0]?.["open"]);
    let kills = 0;
    for (const until = performance.now() + seconds * 1000; performance.now() < until && await left() > 0;) {
      await rest(chance.whole(kill_ms / 2, kill_ms * 1.5));
      const place = chance.whole(0, crew.length - 1);
      crew[place]?.child.kill("SIGKILL");
      await crew[place]?.ended;
      crew[place] = start(place);
      kills += 1;
    }
    for (const { child, ended } of crew) {
      child.kill("SIGKILL");
      await ended;
    }
    await rest(lease_seconds * 1000 + 2500);
    const until_ms = Date.now();
    await sweeps.stop();
    /** @type {Leases} */
    const leases = new Map();
    /** @type {string[]} */
    const impossible = [];
    for (const file of journals.slice(1)) {
      for await (const line of readLines(file)) {
        const found = takeLease(leases, line);
        if (found !== null) impossible.push(found);
      }
    }
    const overlaps = findOverlaps(leases);
    const [states] = await sql`select count(*) filter (where finished_at is not null)::int as ended,
      count(*) filter (where status = 'queued')::int as queued, sum(claim_epoch)::int as claims, count(*)::int as runs from agent_run`;
    const { breaches, counts } = await audit(scene, { database_url, journals });
    breaches.push(...impossible.slice(0, 10), ...overlaps.slice(0, 10));
    if (states?.["ended"] + states?.["queued"] !== runs) breaches.push(`${runs} runs are ${JSON.stringify(states)}`);
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    // A claimer that was killed may have ended its run without being told.
    const rows = await sql`select run_id from agent_run where finished_at is not null`;
    const ended = new Set(rows.map(({ run_id }) => run_id));
    const freed = judgeFreed({ leases, freed: await readFreed(scene, database_url), ended, until_ms });
    return {
      counts: {
        ...states, kills, two_live_leases: overlaps.length + impossible.length, lost: counts.lost,
        duplicates: counts.duplicates, double_finalized: counts.double_finalized,
      },
      breaches: [...breaches, ...complaints],
      also: {
        R11: {
          title: "three hosts sweep in loops",
          counts: { sweeps: sweeps.count(), abandoned: freed.abandoned, healthy_taken: freed.early.length, never_freed: freed.never.length, unsure: freed.unsure },
          breaches: [...freed.early.slice(0, 10), ...freed.never.slice(0, 10)],
          timings: [{ name: "freed after lease ms", value: Math.round(freed.latest_ms), limit: 2000 }],
        },
      },
    };
  },
};
