// Claims in a worker's hands: slots, renewals, what a lost lease means, and that no run is worked
// on twice at once in one worker.

import { describe, expect, test } from "vitest";
import { HostError, type Host } from "../../src/client/client.js";
import { fresh, useHost } from "../support/host.js";
import { aborted, openBench, overlay, signal } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

const lost = () => new HostError("lost", 0, { code: "CONNECTION_LOST", retryable: true });
const reconcile = () => world().admin.call("runtime_reconcile");

/** Renewals that never arrive, as of a worker that is paused or cut off. */
const withoutRenewals = (host: Host): Host =>
  overlay(host, { runRenewClaim: () => Promise.reject(lost()) });

describe("slots", () => {
  test("no more runs than the concurrency are worked on at once, and all in the end", async () => {
    const bench = await openBench(world());
    const release = signal();
    const full = signal();
    let now = 0;
    let most = 0;
    let all = 0;
    const worker = await bench.work({
      slow: async () => {
        now += 1;
        all += 1;
        most = Math.max(most, now);
        if (now === 3) full.give();
        await release.promise;
        now -= 1;
      },
    }, { concurrency: 3 });
    const runs = await Promise.all(Array.from({ length: 8 }, () => bench.create("slow")));
    await full.promise;
    expect(worker.running_count).toBe(3);
    expect((await world().admin.call("runtime_stats")).claimed_runs).toBe(3);
    release.give();
    for (const run_id of runs) expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
    expect([most, all]).toEqual([3, 8]);
  });

  test("it claims for its own runners only, and from its queue only", async () => {
    const bench = await openBench(world());
    const queue_name = fresh("queue");
    const served: string[] = [];
    await bench.work({ mine: (run) => void served.push(run.run_id) }, { queue_name });
    await world().admin.call("run_create", {
      runner_id: `plugin:${bench.identity}/other`, queue_name, allow_unregistered_runner: true,
    });
    await bench.create("mine");
    const run_id = await bench.create("mine", { queue_name });
    await bench.waitFor(run_id);
    expect(served).toEqual([run_id]);
  });

  test("the runners are registered with what they declare, others stay", async () => {
    const bench = await openBench(world());
    const id = `plugin:${bench.identity}/old`;
    await bench.host.runnerRegister({ runners: [{ id }] });
    await bench.work({
      plain: () => undefined,
      full: {
        run: () => undefined, label: { en: "Full" }, description: { en: "All of it" },
        capabilities: { steering: false }, plugin_version: "2", resumable: true,
      },
    }, { labels: { zone: "a" }, display_name: "Bench", version: "3" });
    const { items } = await bench.host.runnerList();
    expect(items.map((item) => item.runner_name).sort()).toEqual(["full", "old", "plain"]);
    expect(items.find((item) => item.runner_name === "full")).toMatchObject({
      label: { en: "Full" }, description: { en: "All of it" },
      capabilities: { steering: false }, plugin_version: "2",
    });
    expect((await bench.host.runtimeList()).items).toMatchObject([
      { status: "online", labels: { zone: "a" }, display_name: "Bench", version: "3" },
    ]);
  });
});

describe("the lease", () => {
  test("is renewed for as long as the handler works", async () => {
    const bench = await openBench(world());
    let renewals = 0;
    const renewed = signal();
    const host = overlay(bench.host, {
      async runRenewClaim(params, options) {
        const answer = await bench.host.runRenewClaim(params, options);
        renewals += 1;
        if (renewals === 5) renewed.give();
        return answer;
      },
    });
    await bench.work({ slow: () => renewed.promise }, { host, lease_seconds: 2 });
    const run_id = await bench.create("slow");
    await renewed.promise;
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
  });

  test("that runs out unrenewed aborts the signal, and nothing more is written", async () => {
    const bench = await openBench(world());
    const stopped = signal<unknown>();
    const late = signal<unknown>();
    await bench.work({
      slow: async (run, ctx) => {
        if (run.claim_epoch > 1) return "second";
        stopped.give(await aborted(ctx.signal));
        late.give(await ctx.emit.message("late").catch((thrown) => thrown));
        return "first";
      },
    }, { host: withoutRenewals(bench.host), lease_seconds: 2 });
    const run_id = await bench.create("slow");
    expect(await stopped.promise).toMatchObject({ name: "RunStopped", kind: "lease_lost" });
    expect(await late.promise).toMatchObject({ kind: "lease_lost" });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 2 });
    expect((await bench.eventsOf(run_id)).map(({ data }) => data.message?.content)).toEqual(["second"]);
  });

  test("that somebody else holds is noticed at the next write or renewal", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const stopped = signal<unknown>();
    const worker = await bench.work({
      slow: async (_run, ctx) => {
        begun.give();
        stopped.give(await aborted(ctx.signal));
      },
    }, { lease_seconds: 3 });
    const run_id = await bench.create("slow");
    await begun.promise;
    const { sql } = world().clone;
    await sql`update agent_run set claim_token_sha256 = sha256('other'::bytea)
      where run_id = ${run_id}`;
    expect(await stopped.promise).toMatchObject({
      kind: "lease_lost", cause: { code: "LEASE_LOST", reason: "claim_not_active" },
    });
    await worker.stop();
    expect(bench.problems).toEqual([]);
  });
});

describe("a run whose earlier handler goes on", () => {
  test("is not begun again in the same worker, but given back without counting", async () => {
    const bench = await openBench(world());
    const release = signal();
    const attempts: number[] = [];
    const given_back = signal<object>();
    const host = overlay(withoutRenewals(bench.host), {
      async runReleaseClaim(params, options) {
        const answer = await bench.host.runReleaseClaim(params, options);
        given_back.give(answer);
        return answer;
      },
    });
    let now = 0;
    let most = 0;
    await bench.work({
      deaf: async (run) => {
        now += 1;
        most = Math.max(most, now);
        attempts.push(run.claim_epoch);
        if (run.claim_epoch === 1) await release.promise;
        now -= 1;
        return "done";
      },
    }, { host, lease_seconds: 2, settle_seconds: 0 });
    const run_id = await bench.create("deaf");
    expect(await given_back.promise).toMatchObject({
      run_id, status: "queued", claim_epoch: 2, dispatch_attempts: 1,
      status_reason: "the handler of an earlier attempt still goes on in this worker",
    });
    release.give();
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
    expect(most).toBe(1);
    expect(attempts).toEqual([1, 3]);
  });
});

describe("a worker that dies", () => {
  test("leaves its run to the next one, when the lease has run out", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const first = await bench.work({
      job: (_run, ctx) => {
        begun.give();
        return aborted(ctx.signal).then(() => undefined);
      },
    }, { lease_seconds: 2 });
    const run_id = await bench.create("job");
    await begun.promise;
    await bench.host.close();
    expect(await first.done).toMatchObject({ reason: "host_closed", unsettled_run_ids: [] });
    const other = await openBench(world());
    const { token } = await world().admin.call("plugin_rotate_token", { plugin_identity: bench.identity });
    const { connect } = await import("../../src/client/client.js");
    const host = await connect({ url: world().test.host.url, token });
    await other.work({ job: () => "by the next" }, { host });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 2 });
    await host.close();
    await reconcile();
  });
});
