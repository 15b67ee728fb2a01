// A worker against a real host: an identity of its own, runs made by an administrator, and looks at
// what the ledger holds.

import { connect, type ConnectOptions, type Host, type Run } from "../../src/client/client.js";
import {
  createWorker, type Runners, type Worker, type WorkerOptions, type WorkerProblem,
} from "../../src/worker/worker.js";
import { afterEach } from "vitest";
import type { Params } from "../support/client.js";
import { fresh, type HostWorld } from "../support/host.js";

export interface Bench {
  identity: string;
  token: string;
  host: Host;
  /** What each worker of the bench reported. */
  problems: WorkerProblem[];
  /** `name` is a runner's; answers the run's id. */
  create(name: string, params?: Params): Promise<string>;
  /** The ended run. */
  waitFor(run_id: string): Promise<Run>;
  get(run_id: string): Promise<Run>;
  eventsOf(run_id: string): Promise<{ sequence: number; type: string; data: any }[]>;
  /** Starts one; it is stopped after the test. */
  work(runners: Runners, options?: Partial<WorkerOptions>): Promise<Worker>;
}

const ends: (() => Promise<unknown>)[] = [];

export function onEnd(end: () => Promise<unknown>): void {
  ends.push(end);
}

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export async function openBench(
  world: HostWorld,
  options: { connect?: Partial<ConnectOptions>; url?: string } = {},
): Promise<Bench> {
  const { admin } = world;
  const identity = `acme/${fresh("worker")}`;
  const { token } = await admin.call("plugin_register", {
    plugin_identity: identity, permissions: ["agent_run:create"],
  });
  const url = options.url ?? world.test.host.url;
  const host = await connect({ url, token, ...options.connect });
  onEnd(() => host.close());
  const problems: WorkerProblem[] = [];
  return {
    identity, token, host, problems,
    async create(name, params = {}) {
      const { run_id } = await admin.call("run_create", {
        runner_id: `plugin:${identity}/${name}`, ...params,
      });
      return run_id;
    },
    waitFor: (run_id) => admin.call("run_wait", { target_run_id: run_id, wait_seconds: 25 }),
    get: (run_id) => admin.call("run_get", { target_run_id: run_id }),
    async eventsOf(run_id) {
      const { items } = await admin.call("run_events_page", { target_run_id: run_id, limit: 100 });
      return items;
    },
    async work(runners, more = {}) {
      const worker = createWorker({
        host, runners, onProblem: (problem) => problems.push(problem),
        settle_seconds: 1, ...more,
      });
      onEnd(() => worker.stop({ grace_seconds: 0 }));
      await worker.ready;
      return worker;
    },
  };
}

/** A promise and what settles it. */
export function signal<T = void>(): { promise: Promise<T>; give: (value: T) => void } {
  let give: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}

/** Resolves when the signal aborts. */
export const aborted = (given: AbortSignal): Promise<any> =>
  new Promise((resolve) => {
    if (given.aborted) return resolve(given.reason);
    given.addEventListener("abort", () => resolve(given.reason), { once: true });
  });

/** The same connection, on which no notification is heard. */
export const deafen = (host: Host): Host => overlay(host, { onNotification: () => () => undefined });

/** The same connection with some of its members replaced. */
export const overlay = (host: Host, members: Partial<Host>): Host =>
  new Proxy(host, {
    get(target, name) {
      if (name in members) return members[name as keyof Host];
      const member = target[name as keyof Host] as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
