// A worker's own life: drain and release, signals, registration and heartbeats, a runtime that the
// host holds, forgets or calls stale, hosts that restart underneath, and the end of the connection.

import { createServer, connect as dial, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { fresh, startTestHost, useHost } from "../support/host.js";
import { aborted, onEnd, openBench, overlay, signal } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const runtimeOf = async (bench: { host: any }) => (await bench.host.runtimeList()).items[0];

describe("stopping", () => {
  test("lets handlers go on, takes nothing new, and deregisters the runtime", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const release = signal();
    const worker = await bench.work({
      slow: async () => {
        begun.give();
        await release.promise;
        return "to its end";
      },
    });
    const first = await bench.create("slow");
    await begun.promise;
    const drained = signal();
    const host = overlay(bench.host, {});
    const stopped = worker.stop();
    while ((await runtimeOf({ host }))?.status !== "draining") await new Promise(setImmediate);
    drained.give();
    const second = await bench.create("slow");
    release.give();
    expect(await stopped).toEqual({ reason: "stopped", error: null, unsettled_run_ids: [] });
    expect(await bench.get(first)).toMatchObject({ status: "completed" });
    expect(await bench.get(second)).toMatchObject({ status: "queued", claim_epoch: 0 });
    expect(await runtimeOf(bench)).toBeUndefined();
    expect(await worker.done).toEqual(await worker.stop());
    expect(bench.problems).toEqual([]);
  });

  test("past the grace aborts the signal and gives back with a reason; unbegun work is free", async () => {
    const bench = await openBench(world());
    const begun = [signal(), signal()];
    const kinds: string[] = [];
    const worker = await bench.work({
      slow: async (run, ctx) => {
        if (run.input["text"] === "1") await ctx.emit.delta("a piece");
        begun[Number(run.input["text"])]?.give();
        kinds.push((await aborted(ctx.signal)).kind);
        return "does not count";
      },
    });
    const untouched = await bench.create("slow", { text: "0" });
    const touched = await bench.create("slow", { text: "1" });
    for (const each of begun) await each.promise;
    const end = await worker.stop({ grace_seconds: 0 });
    expect(end).toMatchObject({ reason: "stopped", unsettled_run_ids: [] });
    expect(kinds).toEqual(["shutdown", "shutdown"]);
    expect(await bench.get(untouched)).toMatchObject({
      status: "queued", status_reason: "the worker stops", dispatch_attempts: 0, claim_epoch: 1,
    });
    expect(await bench.get(touched)).toMatchObject({
      status: "queued", status_reason: "the worker stops", dispatch_attempts: 1, last_sequence: 1,
    });
  });

  test("keeps what a resumable handler stores while it stops", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const runners = {
      count: {
        resumable: true,
        run: async (_run: object, ctx: any) => {
          if (ctx.resumed) return `from ${ctx.resumed.checkpoint}`;
          begun.give();
          await aborted(ctx.signal);
          await ctx.checkpoint(41);
          return undefined;
        },
      },
    };
    const first = await bench.work(runners);
    const run_id = await bench.create("count");
    await begun.promise;
    await first.stop({ grace_seconds: 0 });
    await bench.work(runners);
    await bench.waitFor(run_id);
    expect((await bench.eventsOf(run_id)).at(-1)?.data.message.content).toBe("from 41");
  });

  test("does not wait for ever for a handler that does not heed its signal", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const never = signal();
    const worker = await bench.work({
      deaf: () => {
        begun.give();
        return never.promise;
      },
    }, { settle_seconds: 0 });
    const run_id = await bench.create("deaf");
    await begun.promise;
    expect(await worker.stop({ grace_seconds: 0 })).toMatchObject({ unsettled_run_ids: [run_id] });
    expect(await bench.get(run_id)).toMatchObject({ status: "queued" });
    never.give();
  });

  test("called again shortens the grace; a grace that is none is refused", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const worker = await bench.work({
      slow: (_run, ctx) => {
        begun.give();
        return aborted(ctx.signal).then(() => undefined);
      },
    });
    await bench.create("slow");
    await begun.promise;
    expect(() => worker.stop({ grace_seconds: -1 })).toThrow(RangeError);
    void worker.stop({ grace_seconds: 3600 });
    expect(await worker.stop({ grace_seconds: 0 })).toMatchObject({ reason: "stopped" });
  });

  test("at a signal of the process: the first begins the grace, the second ends it", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const stopped = signal<any>();
    const worker = await bench.work({
      slow: async (_run, ctx) => {
        begun.give();
        stopped.give(await aborted(ctx.signal));
      },
    });
    const before = process.listenerCount("SIGTERM");
    worker.stopOnSignals({ grace_seconds: 3600 });
    await bench.create("slow");
    await begun.promise;
    process.emit("SIGTERM");
    process.emit("SIGTERM");
    expect(await stopped.promise).toMatchObject({ kind: "shutdown" });
    expect(await worker.done).toMatchObject({ reason: "stopped" });
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});

describe("the runtime", () => {
  test("is registered again where the host has forgotten it", async () => {
    const bench = await openBench(world());
    const worker = await bench.work({ job: () => "done" }, { wait_seconds: 1 });
    await bench.host.runtimeDeregister({ runtime_id: worker.runtime_id });
    const run_id = await bench.create("job");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
    expect(await runtimeOf(bench)).toMatchObject({ runtime_id: worker.runtime_id, status: "online" });
  });

  test("is revived where the host has called it stale", async () => {
    const bench = await openBench(world());
    const worker = await bench.work({ job: () => "done" }, { wait_seconds: 1 });
    const { sql } = world().clone;
    await sql`update agent_runtime set status = 'stale', heartbeat_deadline_at = now() - interval '1 s'
      where runtime_id = ${worker.runtime_id}`;
    const run_id = await bench.create("job");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
    expect(await runtimeOf(bench)).toMatchObject({ status: "online", is_stale: false });
  });

  test("held by an administrator it takes nothing, and asks in peace", async () => {
    const bench = await openBench(world());
    const { admin } = world();
    let claims = 0;
    const asked = signal();
    const host = overlay(bench.host, {
      runClaim: ((params: any, options: any) => {
        claims += 1;
        if (claims === 4) asked.give();
        return bench.host.runClaim(params, options);
      }) as never,
    });
    const worker = await bench.work({ job: () => "done" }, { host, wait_seconds: 1 });
    const { runtime_id } = worker;
    await admin.call("runtime_heartbeat", { runtime_id, status: "draining" });
    const run_id = await bench.create("job");
    const since = performance.now();
    claims = 0;
    await asked.promise;
    expect(performance.now() - since).toBeGreaterThan(300);
    expect(await bench.get(run_id)).toMatchObject({ status: "queued" });
    await admin.call("runtime_heartbeat", { runtime_id, status: "online" });
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed" });
  });

  test("stays online by its heartbeats", async () => {
    const bench = await openBench(world());
    let beats = 0;
    const beaten = signal();
    const host = overlay(bench.host, {
      async runtimeHeartbeat(params, options) {
        const answer = await bench.host.runtimeHeartbeat(params, options);
        beats += 1;
        if (beats === 2) beaten.give();
        return answer;
      },
    });
    await bench.work({ job: () => "done" }, { host, heartbeat_ttl_seconds: 5 });
    const { heartbeat_deadline_at } = await runtimeOf(bench);
    await beaten.promise;
    expect((await runtimeOf(bench)).heartbeat_deadline_at).toBeGreaterThan(heartbeat_deadline_at);
  });
});

describe("the connection", () => {
  test("may be cut again and again: every event is stored once, in one attempt", async () => {
    const sockets = new Set<Socket>();
    const { port: host_port } = new URL(world().test.host.url);
    const proxy = createServer((inward) => {
      const outward = dial(Number(host_port), "127.0.0.1");
      for (const [from, to] of [[inward, outward], [outward, inward]] as const) {
        sockets.add(from);
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => proxy.once("listening", resolve));
    onEnd(async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const { port } = proxy.address() as { port: number };
    const bench = await openBench(world(), { url: `ws://127.0.0.1:${port}/rpc` });
    await bench.work({
      talk: async (_run, ctx) => {
        for (let count = 0; count < 60; count += 1) {
          const emitted = ctx.emit.delta(String(count));
          if (count % 20 === 10) for (const socket of sockets) socket.destroy();
          if (count % 5 === 0) await emitted;
        }
        return "done";
      },
    });
    const run_id = await bench.create("talk");
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    const events = await bench.eventsOf(run_id);
    expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 61 }, (_, at) => at + 1));
    expect(events.slice(0, 60).map(({ data }) => data.chunk.content))
      .toEqual(Array.from({ length: 60 }, (_, at) => String(at)));
  });

  test("a host that restarts underneath finds its worker again, in the middle of a run", async () => {
    const { clone } = world();
    const first = await startTestHost({ database_url: clone.url });
    const { port } = new URL(first.host.url);
    const bench = await openBench(world(), { url: first.host.url });
    const begun = signal();
    const go = signal();
    await bench.work({
      talk: async (_run, ctx) => {
        await ctx.emit.delta("before");
        begun.give();
        await go.promise;
        await ctx.emit.delta("after");
      },
    }, { wait_seconds: 1 });
    const run_id = await bench.create("talk");
    await begun.promise;
    await first.close();
    go.give();
    const second = await startTestHost({
      database_url: clone.url, environment: { RUNHOST_PORT: port },
    });
    onEnd(() => second.close());
    expect(await bench.waitFor(run_id)).toMatchObject({ status: "completed", claim_epoch: 1 });
    const next = await bench.create("talk");
    expect(await bench.waitFor(next)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect((await bench.eventsOf(run_id)).map(({ data }) => data.chunk?.content))
      .toEqual(["before", "after", undefined]);
  });

  test("closed for good stops the work, and done tells so", async () => {
    const bench = await openBench(world());
    const begun = signal();
    const stopped = signal<any>();
    const worker = await bench.work({
      slow: async (_run, ctx) => {
        begun.give();
        stopped.give(await aborted(ctx.signal));
      },
    });
    await bench.create("slow", { queue_name: fresh("unused") });
    await begun.promise;
    await bench.host.close();
    expect(await stopped.promise).toMatchObject({ kind: "host_closed" });
    expect(await worker.done).toEqual({ reason: "host_closed", error: null, unsettled_run_ids: [] });
  });
});
