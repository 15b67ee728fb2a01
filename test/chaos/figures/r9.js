// R9: one reader that takes a kilobyte a second stands beside many fast ones. Those who write hardly
// notice; the slow one is told that it was left behind, goes on from there and misses nothing.

import { join } from "node:path";
import { audit } from "../audit.js";
import { journalCalls, openJournal } from "../journal.js";
import { hearLines } from "../processes.js";
import { openRawPeer } from "../raw_peer.js";
import { makeWorld, percentile, rest, waitUntil } from "../world.js";

/** By how much of a hundred the second's hundredth is above the first's.
 * @param {readonly number[]} without @param {readonly number[]} beside */
export function compareHundredths(without, beside) {
  return Math.round((percentile([...beside], 0.99) / percentile([...without], 0.99) - 1) * 1000) / 10;
}

/** A reader of one run that takes up its subscription again where it was dropped.
 * @param {{ url: string, token: string, run_id: string }} options */
async function readSlowly({ url, token, run_id }) {
  const state = { last: 0, told: 0, gaps: 0, ended: false };
  /** @type {Promise<any>[]} */
  const resumed = [];
  const peer = await openRawPeer(url, token, {
    hear(method, { event, reason, resume_after }) {
      if (method === "run_event" && event.sequence > state.last) {
        if (event.sequence !== state.last + 1) state.gaps += 1;
        state.last = event.sequence;
      }
      if (method === "run_ended") state.ended = true;
      if (method !== "subscription_dropped") return;
      if (reason === "slow") state.told += 1;
      resumed.push(peer.ask("run_subscribe", { target_run_id: run_id, after_cursor: resume_after }));
    },
  });
  // Its answer is as slow as everything else.
  void peer.ask("run_subscribe", { target_run_id: run_id });
  return { state, peer };
}

/** @type {import("../chaos.js").Figure} */
export const r9 = {
  id: "R9",
  title: "a slow reader beside fast ones",
  sizes: {
    full: { readers: 500, producers: 16, rounds: 6, round_ms: 15_000, pause_ms: 100, fat_events: 40 },
    quick: { readers: 100, producers: 4, rounds: 1, round_ms: 6500, pause_ms: 60, fat_events: 40 },
    smoke: { readers: 12, producers: 2, rounds: 1, round_ms: 6500, pause_ms: 60, fat_events: 40 },
  },
  async play({ scene, chance, size, folder, name }) {
    const { readers = 0, producers = 0, rounds = 0, round_ms = 0, pause_ms = 0, fat_events = 0 } = size;
    const database_url = await scene.database("r9");
    const [host] = await scene.fleet({ figure: "r9", database_urls: [database_url] });
    if (host === undefined) throw new Error("no host");
    const world = await makeWorld(scene, host);
    const line = await scene.proxy({ port: host.port });
    const journal = openJournal(join(folder, "r9.jsonl"));
    const call = journalCalls(world.plugin, journal);
    const create = (/** @type {string} */ run_id) => call("run_create", {
      run_id, runner_id: world.runner_id, dispatch: "running", timeout_seconds: 7200,
    });
    const append = (/** @type {string} */ run_id, /** @type {number} */ sequence, /** @type {string} */ pad) =>
      call("run_append_result", {
        run_id, sequence, type: "tool.call.started",
        data: { tool_call_id: "t", tool_name: "write", parameters: { pad } },
      });
    // More than what the system keeps in its buffers for a connection.
    await create("fat");
    for (let sequence = 1; sequence <= fat_events; sequence += 1) await append("fat", sequence, "x".repeat(250_000));
    for (let place = 0; place < producers; place += 1) await create(`r9-${place}`);
    const crowd = scene.worker("./fast_readers.js", { url: host.url, token: world.token, run_id: "r9-0", readers });
    /** @type {any} */
    let told = null;
    let reading = false;
    hearLines(crowd, (heard) => {
      if (heard.reading) reading = true;
      else told = heard;
    });
    if (!await waitUntil(() => reading, 120_000)) throw new Error("the fast readers did not come");
    /** @type {number[]} */
    let took = [];
    let producing = true;
    const lasts = Array.from({ length: producers }, async (_, place) => {
      let sequence = 0;
      // Not in step: a moment in which the machine stands still must not meet all of them.
      for (; producing; await rest(chance.whole(pause_ms / 2, pause_ms * 1.5))) {
        sequence += 1;
        const began = performance.now();
        await append(`r9-${place}`, sequence, "x".repeat(500));
        took.push(performance.now() - began);
      }
      await call("run_finalize", { run_id: `r9-${place}`, status: "completed" });
      return sequence;
    });
    const measure = async () => {
      took = [];
      await rest(round_ms);
      return took;
    };
    await rest(500);
    /** @type {number[]} */
    const without = [];
    /** @type {number[]} */
    const beside = [];
    /** @type {string[]} */
    const breaches = [];
    let slow_told = 0;
    const fat = `ws://127.0.0.1:${line.port}/rpc`;
    for (let round = 0; round < rounds; round += 1) {
      without.push(...await measure());
      line.slow({ bytes_per_second: 1024 });
      const { state, peer } = await readSlowly({ url: fat, token: world.token, run_id: "fat" });
      beside.push(...await measure());
      line.slow({});
      if (!await waitUntil(() => state.last >= fat_events, 60_000)) breaches.push(`the slow reader came to ${state.last} of ${fat_events}`);
      if (state.told === 0) breaches.push("the slow reader was not told");
      if (state.gaps > 0) breaches.push(`the slow reader missed events ${state.gaps} times`);
      slow_told += state.told;
      peer.close();
    }
    producing = false;
    const [last = 0] = await Promise.all(lasts);
    await waitUntil(() => told !== null, 60_000);
    if (told?.ended !== readers || told.wrong > 0) breaches.push(`the fast readers: ${JSON.stringify(told)}`);
    if (told?.given !== last * readers) breaches.push(`the fast readers were given ${told?.given} of ${last * readers} events`);
    journal.close();
    const audited = await audit(scene, { database_url, journals: [journal.file] });
    const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
    return {
      counts: {
        fast_readers: readers, slow_told, events: last, given: told?.given ?? 0, fast_dropped: told?.dropped ?? 0,
        calls: without.length + beside.length,
        p99_without_ms: round(percentile(without, 0.99)), p99_beside_ms: round(percentile(beside, 0.99)),
        lost: audited.counts.lost,
      },
      breaches: [...audited.breaches, ...breaches, ...host.complaints.map((one) => `the host complained: ${one}`)],
      // One short round says little about a hundredth: all rounds count together.
      timings: name === "full"
        ? [{ name: "p99 beside it, % more", value: compareHundredths(without, beside), limit: 10 }] : [],
    };
  },
};
