// R10: runs are cancelled under their workers while hosts die. Each worker sees it at its next renewal,
// and none of these runs ends in another way afterwards.

import { join } from "node:path";
import { audit } from "../audit.js";
import { journalCalls, openJournal, readLines } from "../journal.js";
import { claimOf, makeWorld, rest, waitUntil } from "../world.js";

/**
 * What the journals say about cancels.
 * @param {any[]} lines of every writer @param {Map<string, string>} ended the status of each run that has ended
 */
export function judgeCancels(lines, ended) {
  /** @type {Map<string, number>} */
  const cancelled = new Map();
  for (const { method, params, result, answered_at_ms } of lines) {
    if (method !== "run_cancel" || result === undefined) continue;
    const known = cancelled.get(params.target_run_id) ?? Infinity;
    cancelled.set(params.target_run_id, Math.min(known, answered_at_ms));
  }
  /** @type {string[]} */
  const breaches = [];
  let renewed_after = 0;
  for (const { method, params, result, sent_at_ms } of lines) {
    const at = cancelled.get(params.target_run_id);
    if (at === undefined || result === undefined || sent_at_ms < at) continue;
    if (method === "run_renew_claim") {
      renewed_after += 1;
      if (result.cancel_requested_at === null) {
        breaches.push(`${params.target_run_id}: a renewal sent ${sent_at_ms - at} ms after the cancel did not tell of it`);
      }
    }
    if (method === "run_finalize" && result.status !== "cancelled") {
      breaches.push(`${params.target_run_id}: finalized ${result.status} after the cancel`);
    }
    if (method === "run_claim") breaches.push(`${params.target_run_id}: claimed after the cancel`);
  }
  for (const run_id of cancelled.keys()) {
    const status = ended.get(run_id);
    if (status !== "cancelled") breaches.push(`${run_id}: cancelled, and ${status ?? "has not ended"}`);
  }
  return { cancelled: cancelled.size, renewed_after, breaches };
}

/** Makes a call until it is answered for good. @param {import("../journal.js").Call} call
 * @returns {import("../journal.js").Call} */
const persist = (call) => async (method, params) => {
  for (;;) {
    try {
      return await call(method, params);
    } catch (thrown) {
      if (/** @type {any} */ (thrown).retryable !== true) throw thrown;
      await rest(50);
    }
  }
};

/**
 * A worker holds runs until it is told to stop, renews them, and then tries the wrong end before and after the right one.
 * @param {{ call: import("../journal.js").Call, runtime_id: string, runs: number, lease_seconds: number, over: () => boolean }} options
 */
async function work({ call, runtime_id, runs, lease_seconds, over }) {
  let held = 0;
  let seen = 0;
  /** @type {string[]} */
  const offences = [];
  /** @param {any} item */
  const hold = async (item) => {
    const target = { target_run_id: item.run_id, ...claimOf(item) };
    for (;;) {
      await rest(lease_seconds * 200);
      const { cancel_requested_at } = await call("run_renew_claim", { ...target, lease_seconds });
      if (cancel_requested_at === null) continue;
      seen += 1;
      await call("run_finalize", { ...target, status: "cancelled" });
      const { status } = await call("run_finalize", { ...target, status: "completed" })
        .catch((thrown) => ({ status: thrown.reason }));
      if (status !== "status_differs") offences.push(`${item.run_id}: a second end was answered ${status}`);
      return;
    }
  };
  while (!over()) {
    if (held >= runs) {
      await rest(20);
      continue;
    }
    try {
      const answer = await call("run_claim", { runtime_id, lease_seconds, max_runs: runs - held, wait_seconds: 1 });
      for (const item of answer.runs) {
        held += 1;
        void hold(item).catch((thrown) => {
          // Its lease ran out while a host was away: the run is no longer this worker's.
          if (!["LEASE_LOST", "RUN_TERMINAL", "CLOSED", "CONFLICT"].includes(thrown.code)) offences.push(`${item.run_id}: ${thrown.code} ${thrown.message}`);
        }).finally(() => (held -= 1));
      }
    } catch (thrown) {
      if (/** @type {any} */ (thrown).retryable !== true) throw thrown;
    }
  }
  return { seen, offences };
}

/** @type {import("../chaos.js").Figure} */
export const r10 = {
  id: "R10",
  title: "cancels while hosts die",
  sizes: {
    full: { runs: 10_000, workers: 12, held: 60, kill_ms: 3000, lease_seconds: 5, cancellers: 20 },
    quick: { runs: 250, workers: 6, held: 20, kill_ms: 1200, lease_seconds: 2, cancellers: 6 },
    smoke: { runs: 60, workers: 3, held: 10, kill_ms: 1500, lease_seconds: 2, cancellers: 3 },
  },
  async play({ scene, chance, size, folder }) {
    const { runs = 0, workers = 0, held = 0, kill_ms = 0, lease_seconds = 0, cancellers = 0 } = size;
    const database_url = await scene.database("r10");
    const hosts = await scene.fleet({ figure: "r10", database_urls: Array(3).fill(database_url) });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first, { runtimes: workers });
    const journal = openJournal(join(folder, "r10.jsonl"));
    const urlAt = (/** @type {number} */ place) => (hosts[place % hosts.length] ?? first).url;
    const open = async (/** @type {number} */ place) =>
      journalCalls(await scene.client({ url: urlAt(place), token: world.token }), journal);
    /** @type {string[]} */
    const waiting = [];
    let over = false;
    const crew = await Promise.all(world.runtime_ids.map(async (runtime_id, place) => {
      const call = await open(place);
      return work({ call, runtime_id, runs: held, lease_seconds, over: () => over });
    }).map(async (one) => ({ done: one })));
    const creator = persist(await open(0));
    let made = 0;
    let cancelled = 0;
    const feed = (async () => {
      // Never many more than the workers hold, so that most are cancelled in somebody's hands.
      for (; made < runs; made += 1) {
        while (made - cancelled > workers * held) await rest(10);
        const run_id = `r10-${made}`;
        await creator("run_create", { run_id, runner_id: world.runner_id, max_attempts: 1000 });
        waiting.push(run_id);
      }
    })();
    const cancelling = Array.from({ length: cancellers }, async (_, place) => {
      const call = persist(await open(place + 1));
      while (cancelled < runs) {
        // The oldest ones have been claimed by now.
        const run_id = waiting.length > workers * held / 2 || made >= runs ? waiting.splice(chance.whole(0, Math.min(20, waiting.length - 1)), 1)[0] : undefined;
        if (run_id === undefined) {
          if (made >= runs && waiting.length === 0) return;
          await rest(10);
          continue;
        }
        await call("run_cancel", { target_run_id: run_id, status_reason: "chaos" });
        cancelled += 1;
      }
    });
    let kills = 0;
    let done = false;
    const all = Promise.all([feed, ...cancelling]).finally(() => (done = true));
    while (!done) {
      await rest(chance.whole(kill_ms / 2, kill_ms * 1.5));
      if (done) break;
      const struck = chance.pick(hosts);
      await struck.end("SIGKILL");
      await struck.start();
      kills += 1;
    }
    await all;
    const sql = scene.sql(database_url, 1);
    const settled = await waitUntil(async () => Number((await sql`select count(*) as open from agent_run
      where finished_at is null`)[0]?.["open"]) === 0, 30_000);
    over = true;
    const told = await Promise.all(crew.map((one) => one.done));
    journal.close();
    const ended = new Map((await sql`select run_id, status from agent_run where finished_at is not null`)
      .map(({ run_id, status }) => [run_id, status]));
    const lines = [];
    for await (const line of readLines(journal.file)) if (line.method !== "run_create") lines.push(line);
    const verdict = judgeCancels(lines, ended);
    const { breaches, counts } = await audit(scene, { database_url, journals: [journal.file] });
    if (!settled) breaches.push("not every run has ended");
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    const seen = told.reduce((sum, one) => sum + one.seen, 0);
    if (seen < runs / 4) breaches.push(`only ${seen} of ${runs} were cancelled in a worker's hands`);
    return {
      counts: {
        cancels: verdict.cancelled, kills, seen_by_workers: seen, renewed_after: verdict.renewed_after,
        breaches: verdict.breaches.length, lost: counts.lost, double_finalized: counts.double_finalized,
      },
      breaches: [...breaches, ...verdict.breaches.slice(0, 20), ...told.flatMap((one) => one.offences).slice(0, 10), ...complaints],
    };
  },
};
