// A worker process under load is killed with SIGKILL again and again, and started anew: every run is
// completed once, no effect is in the ledger twice, and none was worked on twice at once in a process.
// WORKER_RUNS=2000 is the long form.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { useHost } from "../support/host.js";
import { onEnd, openBench, signal } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "1" });
const run_count = Number(process.env["WORKER_RUNS"] ?? 48);
const kill_count = Math.max(4, Math.min(20, run_count / 50));
const step_count = 3;

interface Life {
  child: ChildProcess;
  /** The next line that begins so. */
  said(beginning: string): Promise<string>;
  /** Settles after so many runs were begun. */
  begun(count: number): Promise<void>;
}

/** `twice` collects the runs that a process would have worked on twice at once. */
function startWorker(environment: Record<string, string>, twice: string[]): Life {
  const script = fileURLToPath(new URL("worker_child.mjs", import.meta.url));
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"],
  });
  let count = 0;
  const watchers: { count: number; give(): void }[] = [];
  const listeners: { beginning: string; give(line: string): void }[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => {
    if (line.startsWith("twice")) twice.push(line);
    count += 1;
    for (const { beginning, give } of listeners) if (line.startsWith(beginning)) give(line);
    for (const watcher of watchers) if (count >= watcher.count) watcher.give();
  });
  return {
    child,
    said(beginning) {
      const { promise, give } = signal<string>();
      listeners.push({ beginning, give });
      return promise;
    },
    begun(wanted) {
      const { promise, give } = signal();
      watchers.push({ count: wanted, give });
      return promise;
    },
  };
}

test(`${run_count} runs outlive a worker that is killed ${kill_count} times`, async () => {
  const bench = await openBench(world());
  const { sql } = world().clone;
  const environment = {
    WORKER_URL: world().test.host.url, WORKER_TOKEN: bench.token, WORKER_STEPS: String(step_count),
  };
  const twice: string[] = [];
  await bench.host.runnerRegister({
    runners: ["anew", "onward"].map((name) => ({ id: `plugin:${bench.identity}/${name}` })),
  });
  const runs: string[] = [];
  while (runs.length < run_count) {
    const made = Array.from({ length: Math.min(40, run_count - runs.length) }, (_, at) => {
      const index = runs.length + at;
      const params = { text: String(index), conversation_id: `c-${index}`, max_attempts: 1000 };
      return bench.create(index % 2 === 0 ? "anew" : "onward", params);
    });
    runs.push(...(await Promise.all(made)));
  }
  const since = performance.now();
  let life = startWorker(environment, twice);
  onEnd(async () => void life.child.kill("SIGKILL"));
  for (let kill = 0; kill < kill_count; kill += 1) {
    const share = Math.ceil(run_count / kill_count);
    await life.begun(1 + ((kill * 37) % share));
    const exited = once(life.child, "exit");
    life.child.kill("SIGKILL");
    await exited;
    life = startWorker(environment, twice);
  }
  for (const run_id of runs) {
    const run = await bench.waitFor(run_id).catch(() => bench.waitFor(run_id));
    expect(run.status).toBe("completed");
  }
  const exited = once(life.child, "exit");
  life.child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);

  const [ledger] = await sql<Record<string, number>[]>`
    select
      (select count(*)::int from agent_run where status = 'completed') as completed,
      (select count(*)::int from agent_run where claim_epoch > 1) as interrupted,
      (select count(*)::int from agent_run_event where type = 'run.completed') as ends,
      (select count(*)::int from transcript where origin = 'result') as said,
      (select count(*)::int from agent_run_event where type = 'action.requested') as steps,
      (select count(distinct (run_id, data #>> '{payload,value}'))::int from agent_run_event
        where type = 'action.requested') as different_steps,
      (select count(*)::int from agent_run_event e join agent_run_event later using (run_id)
        where later.sequence > e.sequence and later.claim_epoch < e.claim_epoch) as out_of_epoch`;
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  console.info(JSON.stringify({ run_count, kill_count, seconds, ...ledger }));
  expect(ledger).toMatchObject({
    completed: run_count, ends: run_count, said: run_count,
    steps: (run_count / 2) * step_count, different_steps: (run_count / 2) * step_count,
    out_of_epoch: 0,
  });
  expect(ledger?.["interrupted"]).toBeGreaterThan(0);
  expect(twice).toEqual([]);
}, 120_000 + run_count * 300);

test("a worker that was paused past its lease writes nothing when it wakes", async () => {
  const bench = await openBench(world());
  const environment = { WORKER_URL: world().test.host.url, WORKER_TOKEN: bench.token };
  const { child, said } = startWorker(environment, []);
  onEnd(async () => void child.kill("SIGKILL"));
  await bench.host.runnerRegister({ runners: [{ id: `plugin:${bench.identity}/paused` }] });
  const begun = said("paused");
  const run_id = await bench.create("paused");
  await begun;
  child.kill("SIGSTOP");
  await bench.work({ paused: () => "by another" });
  const run = await bench.waitFor(run_id);
  expect(run.status).toBe("completed");
  // A claim call that the paused worker had left at the host may have taken the run once more.
  expect(run.claim_epoch).toBeGreaterThan(1);
  const woken = said("lease_lost");
  child.kill("SIGCONT");
  expect(await woken).toBe("lease_lost lease_lost");
  expect((await bench.eventsOf(run_id)).map(({ data }) => data.message?.content))
    .toEqual(["by another"]);
});
