// The worker's standing at the host: its runners and its runtime are registered, and heartbeats at
// a third of their time to live keep the runtime online. What the host has forgotten, or marked
// stale, is registered again. Refusals that repeating cannot help reject `register` only.

import type { Runtime } from "../client/client.js";
import { isRefusal, pause, repeatCall } from "./repeat.js";
import type { WorkerParts } from "./worker_parts.js";

export class Presence {
  readonly #parts: WorkerParts;
  readonly #ending: AbortSignal;
  #status: "online" | "draining" = "online";

  /** After `ending` aborts nothing more is sent, but by `deregister`. */
  constructor(parts: WorkerParts, ending: AbortSignal) {
    this.#parts = parts;
    this.#ending = ending;
  }

  /** Repeats until the host answers; where it refuses for good it says so, and rejects. */
  async register(): Promise<void> {
    const { host, options: { runners } } = this.#parts;
    const descriptors = [...runners.values()].map(({ descriptor }) => descriptor);
    const params = { runners: descriptors, replace: false };
    const signal = this.#ending;
    await this.#repeat("runner_register", () => host.runnerRegister(params, { signal }));
    await this.#repeat("runtime_register", () => this.#registerRuntime());
  }

  /** Sends heartbeats until the end. */
  async keep(): Promise<void> {
    const every_ms = (this.#parts.options.heartbeat_ttl_seconds * 1000) / 3;
    while (!this.#ending.aborted) {
      await pause(every_ms, this.#ending);
      if (this.#ending.aborted) return;
      await this.#beatOrReport();
    }
  }

  /** Whether the runtime may claim now: stale or forgotten it is revived, held it stays. */
  async revive(): Promise<boolean> {
    return (await this.#beatOrReport())?.status === "online";
  }

  /** No further claims for this runtime; what waits for work at the host comes back empty. */
  async drain(): Promise<void> {
    this.#status = "draining";
    await this.#beatOrReport();
  }

  /** What the runtime still holds goes back to the queue. */
  async deregister(signal: AbortSignal): Promise<void> {
    const { host, options: { runtime_id } } = this.#parts;
    const params = { runtime_id };
    await repeatCall(() => host.runtimeDeregister(params, { signal }), signal);
  }

  #beatOrReport(): Promise<Runtime | null> {
    return this.#repeat("runtime_heartbeat", () => this.#beat()).catch(() => null);
  }

  async #repeat<T>(method: string, call: () => Promise<T>): Promise<T> {
    try {
      return await repeatCall(call, this.#ending);
    } catch (thrown) {
      if (!this.#ending.aborted) this.#parts.report(method, thrown);
      throw thrown;
    }
  }

  async #beat(): Promise<Runtime> {
    const { host, options: { runtime_id, heartbeat_ttl_seconds } } = this.#parts;
    const params = { runtime_id, heartbeat_ttl_seconds, status: this.#status };
    try {
      return await host.runtimeHeartbeat(params, { signal: this.#ending });
    } catch (thrown) {
      if (!isRefusal(thrown, "NOT_FOUND")) throw thrown;
      return this.#registerRuntime();
    }
  }

  #registerRuntime(): Promise<Runtime> {
    const { host, options: { runtime_id, heartbeat_ttl_seconds, runtime } } = this.#parts;
    const params = { ...runtime, runtime_id, heartbeat_ttl_seconds, status: this.#status };
    return host.runtimeRegister(params, { signal: this.#ending });
  }
}
