// R8: every subscriber loses its connection, again and again, while events are written. Each one is
// given every event of its run once and in order.

import { join } from "node:path";
import { audit } from "../audit.js";
import { journalCalls, openJournal } from "../journal.js";
import { makeWorld, rest, waitUntil } from "../world.js";

/** @param {{ reader: string, sequences: readonly number[], last: number, ended: boolean }} reading
 * @returns {string | null} */
export function judgeReading({ reader, sequences, last, ended }) {
  const wrong = sequences.findIndex((sequence, place) => sequence !== place + 1);
  if (wrong >= 0) return `${reader} was given ${sequences[wrong]} where ${wrong + 1} was due`;
  if (!ended) return `${reader} was not told of the end after ${sequences.length} of ${last} events`;
  return sequences.length === last ? null : `${reader} was given ${sequences.length} of ${last} events`;
}

/**
 * @param {{ host: import("runhost/client").Host, run_id: string, reader: string, journal: import("../journal.js").Journal }} options
 */
function follow({ host, run_id, reader, journal }) {
  /** @type {number[]} */
  const sequences = [];
  const line = { tenant_id: "default", reader, run_id };
  const state = { drops: 0, ended: false, failure: "" };
  host.onState((now) => { if (now === "reconnecting") state.drops += 1; });
  const done = (async () => {
    journal.add({ ...line, after: 0 });
    for await (const { sequence } of host.events(run_id)) {
      sequences.push(sequence);
      journal.add({ ...line, sequence });
    }
    state.ended = true;
    journal.add({ ...line, ended: true });
  })().catch((thrown) => { state.failure = String(thrown); });
  return { host, run_id, reader, sequences, state, done };
}

/** @type {import("../chaos.js").Figure} */
export const r8 = {
  id: "R8",
  title: "subscribers cut off",
  sizes: {
    full: { subscribers: 1000, drops: 20, runs: 20, pause_ms: 400 },
    quick: { subscribers: 40, drops: 5, runs: 4, pause_ms: 50 },
    smoke: { subscribers: 10, drops: 3, runs: 2, pause_ms: 50 },
  },
  async play({ scene, chance, size, folder }) {
    const { subscribers = 0, drops = 0, runs = 0, pause_ms = 0 } = size;
    const database_url = await scene.database("r8");
    const hosts = await scene.fleet({ figure: "r8", database_urls: Array(3).fill(database_url) });
    const [first] = hosts;
    if (first === undefined) throw new Error("no host");
    const world = await makeWorld(scene, first);
    const lines = await Promise.all(hosts.map(({ port }) => scene.proxy({ port })));
    const journal = openJournal(join(folder, "r8.jsonl"));
    const call = journalCalls(world.plugin, journal);
    const run_ids = Array.from({ length: runs }, (_, place) => `r8-${place}`);
    let written = true;
    const write = async (/** @type {string} */ run_id) => {
      await call("run_create", { run_id, runner_id: world.runner_id, dispatch: "running", timeout_seconds: 7200 });
      let sequence = 0;
      for (; written; await rest(pause_ms)) {
        sequence += 1;
        const data = { tool_call_id: "t", tool_name: "write" };
        await call("run_append_result", { run_id, sequence, type: "tool.call.started", data });
      }
      await call("run_finalize", { run_id, status: "completed" });
      return sequence;
    };
    const writing = run_ids.map(write);
    await waitUntil(async () => (await world.plugin.call("run_list", { limit: 100 })).items.length === runs, 20_000);
    /** @type {ReturnType<typeof follow>[]} */
    const readers = [];
    for (let place = 0; place < subscribers; place += 1) {
      const port = lines[place % lines.length]?.port;
      const host = await scene.client({ url: `ws://127.0.0.1:${port}/rpc`, token: world.token });
      const run_id = run_ids[place % run_ids.length] ?? "";
      readers.push(follow({ host, run_id, reader: `reader-${place}`, journal }));
    }
    const isOpen = () => readers.every(({ host }) => host.state === "open");
    for (let drop = 0; drop < drops; drop += 1) {
      if (!await waitUntil(isOpen, 120_000)) throw new Error("the subscribers did not come back");
      // Some cuts fall into the reading of what was missed, some into a quiet moment.
      await rest(chance.whole(0, 600));
      for (const line of chance.shuffle(lines)) line.cutAll();
      await waitUntil(() => readers.every(({ state }) => state.drops > drop), 20_000);
    }
    await waitUntil(isOpen, 120_000);
    written = false;
    const lasts = new Map(await Promise.all(writing.map(async (one, place) =>
      /** @type {[string, number]} */ ([run_ids[place] ?? "", await one]))));
    await Promise.race([Promise.all(readers.map(({ done }) => done)), rest(60_000)]);
    journal.close();
    const found = readers.flatMap(({ reader, run_id, sequences, state }) => {
      const wrong = judgeReading({ reader, sequences, last: lasts.get(run_id) ?? 0, ended: state.ended });
      return wrong === null ? [] : [`${wrong} ${state.failure}`];
    });
    const least = Math.min(...readers.map(({ state }) => state.drops));
    const { breaches, counts } = await audit(scene, { database_url, journals: [journal.file] });
    if (least < drops) breaches.push(`a subscriber was dropped ${least} times only`);
    const given = readers.reduce((sum, { sequences }) => sum + sequences.length, 0);
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    return {
      counts: {
        subscribers, drops_each: least, events: [...lasts.values()].reduce((sum, last) => sum + last, 0), given,
        wrong_readings: found.length, lost: counts.lost,
      },
      breaches: [...breaches, ...found.slice(0, 20), ...complaints],
    };
  },
};
