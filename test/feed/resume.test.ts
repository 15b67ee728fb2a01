// Two hosts on one database, the writer on one, many subscribers on the other, each dropped and resumed
// five times: exactly 1..N each. `FEED_EVENTS=20000 FEED_SUBSCRIBERS=200` is the full figure; the quick
// one is smaller. Beside them a reader of about 1 KB/s, and the writer's p99 with and without it.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { Client } from "../support/client.js";
import { registerPlugin, startTestHost, type TestHost, useHost } from "../support/host.js";
import { finish, type LiveRun, startRun } from "./following.js";

const events = Number(process.env["FEED_EVENTS"] ?? 600);
const subscribers = Number(process.env["FEED_SUBSCRIBERS"] ?? 40);
const drops = 5;
/** Appends under way at one moment. */
const width = 8;

const world = useHost({ RUNHOST_MAX_IN_FLIGHT: "1000" });
let other: TestHost;
beforeAll(async () => {
  other = await startTestHost({ database_url: world().clone.url });
});
afterAll(async () => other.close());

/** One who follows a run, and checks each event as it comes. */
class Follower {
  readonly wrong: string[] = [];
  last = 0;
  ended = false;
  resumed = 0;
  #client: Client | null = null;
  #finish = (): void => undefined;
  readonly done = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });

  constructor(readonly token: string, readonly run_id: string, readonly drop_at: number[]) {}

  async connect(): Promise<void> {
    const client = await Client.open(other.host.url, this.token);
    this.#client = client;
    // The client keeps every notification; these are too many to keep.
    client.notifications.push = (note) => {
      this.#hear(client, note as never);
      return 0;
    };
    await client.call("run_subscribe", {
      run_id: this.run_id, after_cursor: String(this.last),
    });
  }

  close(): void {
    this.#client?.socket.terminate();
  }

  #hear(client: Client, { method, params }: { method: string; params: any }): void {
    if (client !== this.#client) return;
    if (method === "run_event") {
      const { sequence } = params.event;
      if (sequence !== this.last + 1) this.wrong.push(`${sequence} after ${this.last}`);
      this.last = sequence;
      if (sequence === this.drop_at[0]) void this.#drop();
    } else if (method === "subscription_dropped") {
      if (params.resume_after !== String(this.last)) this.wrong.push(`resume ${params.resume_after}`);
      void this.#drop();
    } else if (method === "run_ended") {
      this.ended = true;
      this.close();
      this.#finish();
    }
  }

  async #drop(): Promise<void> {
    this.drop_at.shift();
    this.close();
    this.#client = null;
    this.resumed += 1;
    await this.connect();
  }
}

async function write(client: Client, run: LiveRun): Promise<number[]> {
  const took_ms: number[] = [];
  let next = 1;
  const writers = Array.from({ length: width }, async () => {
    while (next <= events) {
      const sequence = next;
      next += 1;
      const began_ms = performance.now();
      await client.call("run_append_result", {
        ...run.target, sequence, type: "tool.call.started",
        data: { tool_call_id: `c${sequence}`, tool_name: "t".repeat(200) },
      });
      took_ms.push(performance.now() - began_ms);
    }
  });
  await Promise.all(writers);
  return took_ms.sort((a, b) => a - b);
}

const percentile = (sorted: number[], share: number) =>
  Math.round(sorted[Math.floor(sorted.length * share)]! * 10) / 10;

/** Takes what arrives within a moment of each second, and nothing else. */
function readSlowly(socket: WebSocket): () => void {
  socket.pause();
  const timer = setInterval(() => {
    socket.resume();
    setImmediate(() => socket.pause());
  }, 1000);
  return () => clearInterval(timer);
}

test("each gets exactly 1..N, also beside one that hardly reads", { timeout: 1_800_000 }, async () => {
  const plugin = await registerPlugin(world(), { runtime: { heartbeat_ttl_seconds: 3600 } });
  for (const beside of ["nobody", "a slow reader"]) {
    const run = await startRun(plugin, { timeout_seconds: 3600 });
    const followers = Array.from({ length: subscribers }, (_, place) => {
      const drop_at = Array.from({ length: drops }, (_, drop) =>
        Math.floor(((drop + 0.5) * events) / drops) + (place % 97));
      return new Follower(plugin.token, run.run_id, drop_at.map((at) => Math.min(at, events)));
    });
    const slow = await other.connect(plugin.token);
    await slow.call("run_subscribe", { run_id: run.run_id });
    const stopSlow = beside === "nobody" ? () => undefined : readSlowly(slow.socket);
    if (beside === "nobody") await slow.close();
    await Promise.all(followers.map((follower) => follower.connect()));
    const took_ms = await write(plugin.client, run);
    await finish(plugin.client, run);
    await Promise.all(followers.map(({ done }) => done));
    // Until here the slow one has been there, and everybody else has everything.
    stopSlow();
    slow.socket.terminate();
    expect(followers.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(followers.map(({ last }) => last)).toEqual(followers.map(() => events));
    expect(Math.min(...followers.map(({ resumed }) => resumed))).toBeGreaterThanOrEqual(drops - 1);
    console.log(`${events} events, ${subscribers} subscribers, beside ${beside}: append p50 `
      + `${percentile(took_ms, 0.5)} ms, p99 ${percentile(took_ms, 0.99)} ms, resumed `
      + `${followers.reduce((sum, { resumed }) => sum + resumed, 0)} times`);
  }
});
