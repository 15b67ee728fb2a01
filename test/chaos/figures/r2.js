// R2: a worker's process stands still past its leases, others take its runs, and it goes on as if
// nothing had been. Nothing that it writes then is taken, and it is told so.

import { join } from "node:path";
import { audit } from "../audit.js";
import { journalCalls, openJournal, readLines } from "../journal.js";
import { hearLines } from "../processes.js";
import { claimOf, makeWorld, rest, waitUntil } from "../world.js";

/**
 * @param {{ lines: any[], taken_over: Map<string, number>, told: Map<string, string[]> }} facts
 *   `lines`: what the stopped worker journaled; `taken_over`: when the next claim of a run was answered;
 *   `told`: the codes that it met on a run at the end
 */
export function judgeStale({ lines, taken_over, told }) {
  /** @type {string[]} */
  const breaches = [];
  let stale = 0;
  for (const { method, params, sent_at_ms, result } of lines) {
    const at = taken_over.get(params.target_run_id);
    if (result === undefined || at === undefined || sent_at_ms <= at) continue;
    stale += 1;
    breaches.push(`${method} of ${params.target_run_id} was taken ${sent_at_ms - at} ms after the next claim`);
  }
  let lease_lost = 0;
  for (const run_id of taken_over.keys()) {
    const codes = told.get(run_id) ?? [];
    if (codes.length > 0 && codes.every((code) => code === "LEASE_LOST")) lease_lost += 1;
    else breaches.push(`${run_id}: its old holder was told ${codes.join(", ") || "nothing"}`);
  }
  return { stale, lease_lost, breaches };
}

/** @param {{ call: import("../journal.js").Call, runtime_id: string, wanted: Set<string> }} claimer */
async function takeOver({ call, runtime_id, wanted }) {
  /** @type {Map<string, number>} */
  const taken = new Map();
  const data = { tool_call_id: "n", tool_name: "write" };
  for (const until = performance.now() + 30_000; taken.size < wanted.size && performance.now() < until;) {
    const { runs } = await call("run_claim", { runtime_id, lease_seconds: 600, max_runs: 50, wait_seconds: 1 })
      .catch((thrown) => {
        if (thrown.code === "NO_RUN_AVAILABLE") return { runs: [] };
        throw thrown;
      });
    const at = Date.now();
    for (const item of runs) {
      if (!wanted.has(item.run_id)) throw new Error(`${item.run_id} was not to be had`);
      taken.set(item.run_id, at);
      const sequence = item.last_sequence + 1;
      const target = { target_run_id: item.run_id, ...claimOf(item) };
      await call("run_append_result", { ...target, sequence, type: "tool.call.started", data });
    }
  }
  return taken;
}

/** @type {import("../chaos.js").Figure} */
export const r2 = {
  id: "R2",
  title: "workers stopped past their leases",
  sizes: {
    full: { workers: 4, runs: 50, rounds: 5, lease_seconds: 1 },
    quick: { workers: 2, runs: 25, rounds: 2, lease_seconds: 1 },
    smoke: { workers: 1, runs: 12, rounds: 1, lease_seconds: 2 },
  },
  async play({ scene, size, folder }) {
    const { workers = 0, runs = 0, rounds = 0, lease_seconds = 0 } = size;
    const database_url = await scene.database("r2");
    const hosts = await scene.fleet({ figure: "r2", database_urls: [database_url, database_url] });
    const [one, other] = hosts;
    if (one === undefined || other === undefined) throw new Error("no hosts");
    const world = await makeWorld(scene, one, { runtimes: workers + 1 });
    const heir = await scene.client({ url: other.url, token: world.token });
    const journal = openJournal(join(folder, "heir.jsonl"));
    const call = journalCalls(heir, journal);
    const heir_runtime = /** @type {string} */ (world.runtime_ids.at(-1));
    const journals = [journal.file];
    const facts = { lines: /** @type {any[]} */ ([]), taken_over: new Map(), told: new Map() };
    let stops = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (let made = 0; made < workers * runs; made += 1) {
        await call("run_create", { run_id: `r2-${round}-${made}`, runner_id: world.runner_id, max_attempts: 1000 });
      }
      const crew = Array.from({ length: workers }, (_, place) => {
        const journal_file = join(folder, `worker-${round}-${place}.jsonl`);
        journals.push(journal_file);
        const runtime_id = world.runtime_ids[place];
        const started = scene.worker("./stopped_worker.js", {
          url: one.url, token: world.token, runtime_id, runs, lease_seconds, journal_file,
        });
        /** @type {{ held: string[] | null, told: Map<string, string[]> }} */
        const heard = { held: null, told: new Map() };
        hearLines(started, ({ holding, run_id, codes }) => {
          if (holding) heard.held = holding;
          if (run_id) heard.told.set(run_id, codes);
        });
        return { started, heard, journal_file };
      });
      const holding = () => crew.every(({ heard }) => heard.held !== null);
      if (!await waitUntil(holding, 60_000)) throw new Error("the workers did not get their runs");
      for (const { started } of crew) started.child.kill("SIGSTOP");
      stops += crew.length;
      await rest(lease_seconds * 1000);
      const wanted = new Set(crew.flatMap(({ heard }) => (heard.held ?? []).filter((id) => !heard.told.has(id))));
      const taken = await takeOver({ call, runtime_id: heir_runtime, wanted });
      for (const { started } of crew) started.child.kill("SIGCONT");
      for (const { started, heard, journal_file } of crew) {
        await waitUntil(() => heard.told.size >= runs, 30_000);
        started.child.kill("SIGKILL");
        await started.ended;
        for await (const line of readLines(journal_file)) facts.lines.push(line);
        for (const [run_id, codes] of heard.told) facts.told.set(run_id, codes);
      }
      for (const [run_id, at] of taken) facts.taken_over.set(run_id, at);
    }
    journal.close();
    const { breaches, counts } = await audit(scene, { database_url, journals });
    const verdict = judgeStale(facts);
    const complaints = hosts.flatMap((host) => host.complaints).map((line) => `a host complained: ${line}`);
    const few = facts.taken_over.size < workers * runs * rounds * 0.9
      ? [`only ${facts.taken_over.size} runs were taken over`] : [];
    return {
      counts: {
        stops, cycles: facts.taken_over.size, stale_accepted: verdict.stale, lease_lost: verdict.lease_lost,
        acked_writes: counts.acked_writes, lost: counts.lost, duplicates: counts.duplicates,
      },
      breaches: [...breaches, ...verdict.breaches.slice(0, 20), ...few, ...complaints],
    };
  },
};
