// Writers that live a plugin's life: they create runs, write events, claim, give back, cancel, publish
// and end, each with ids of its own, and journal every call (`claims: false`: none of them claims). What the protocol lets happen to a
// writer whose host dies is no offence; any other refusal is kept as one.

import { journalCalls, openJournal } from "./journal.js";
import { openRawPeer } from "./raw_peer.js";
import { claimOf, rest } from "./world.js";

/** @typedef {import("./journal.js").Call} Call */
/** @typedef {{ call: Call, close(): unknown }} Caller */

/** Nobody knows whether the call took effect, or it may be made again. */
const passing = ["UNREACHABLE", "CONNECTION_LOST", "TIMEOUT", "UNAVAILABLE", "NO_RUN_AVAILABLE"];
/** A lease that ran out while a host was away; its run may meanwhile have ended, cancelled. */
const lost = ["LEASE_LOST", "SESSION_EXPIRED", "RUN_TERMINAL", "CONFLICT status_differs"];

/**
 * @param {{
 *   writers: number, world: import("./world.js").World, chance: import("./chance.js").Chance,
 *   journal_file: string, name: string, pause_ms: number, lease_seconds?: number, claims?: boolean,
 *   open(place: number, journal: import("./journal.js").Journal): Promise<Caller>,
 * }} options
 */
export async function startLoad({ open, writers, world, chance, journal_file, name, pause_ms, ...more }) {
  const { lease_seconds = 5, claims = true } = more;
  const journal = openJournal(journal_file);
  const counts = { calls: 0, runs: 0, claims: 0, lost_leases: 0, passing: 0 };
  /** @type {string[]} */
  const offences = [];
  /** How often which method ended in which code that a writer may meet. @type {Record<string, number>} */
  const met = {};
  /** When calls were answered with success, for whoever measures. @type {number[]} */
  const answered = [];
  let stopping = false;

  /** @param {Call} call @param {string} run_id */
  async function ownRun(call, run_id) {
    const target = { run_id };
    await call("run_create", {
      run_id, runner_id: world.runner_id, dispatch: "running", timeout_seconds: 3600, text: run_id,
    });
    const events = chance.whole(1, 4);
    for (let sequence = 1; sequence <= events; sequence += 1) {
      const data = { tool_call_id: `t${sequence}`, tool_name: "write", parameters: { pad: chance.next() } };
      await call("run_append_result", { ...target, sequence, type: "tool.call.started", data });
    }
    if (chance.next() < 0.5) return call("run_finalize", { ...target, status: "completed" });
    return call("run_emit_result", { ...target, sequence: events + 1, type: "run.completed", data: {} });
  }

  /** @param {Call} call @param {string} run_id */
  async function claimedRun(call, run_id) {
    await call("run_create", { run_id, runner_id: world.runner_id, max_attempts: 1000 });
    if (chance.next() < 0.1) return call("run_cancel", { target_run_id: run_id });
    const runtime_id = chance.pick(world.runtime_ids);
    const item = await call("run_claim", { runtime_id, lease_seconds });
    counts.claims += 1;
    const target = { target_run_id: item.run_id, ...claimOf(item) };
    const from = item.last_sequence + 1;
    for (let sequence = from; sequence < from + 2; sequence += 1) {
      const data = { tool_call_id: `c${item.claim_epoch}`, tool_name: "write", parameters: { run_id } };
      await call("run_append_result", { ...target, sequence, type: "tool.call.started", data });
    }
    if (chance.next() < 0.2) await call("run_renew_claim", { ...target, lease_seconds });
    const chosen = chance.next();
    if (chosen < 0.1) return call("run_release_claim", target);
    return call("run_finalize", { ...target, status: chosen < 0.2 ? "failed" : "completed" });
  }

  /** @param {Call} call @param {string} run_id */
  const publish = (call, run_id) => call("event_publish", {
    event_id: `evt-${run_id}`, conversation_id: `talk-${chance.whole(1, 50)}`, text: run_id, absorb: false,
  });

  /** @param {number} place */
  async function write(place) {
    const caller = await open(place, journal);
    const call = async (/** @type {string} */ method, /** @type {any} */ params) => {
      const result = await caller.call(method, params).catch((thrown) => {
        const key = `${method} ${thrown.code}`;
        met[key] = (met[key] ?? 0) + 1;
        throw thrown;
      });
      counts.calls += 1;
      answered.push(performance.now());
      return result;
    };
    for (let turn = 1; !stopping; turn += 1) {
      const run_id = `${name}-${place}-${turn}`;
      const chosen = chance.next();
      counts.runs += 1;
      try {
        const kind = chosen < 0.45 ? ownRun : chosen >= 0.9 ? publish : claims ? claimedRun : ownRun;
        await kind(call, run_id);
      } catch (thrown) {
        const { code, reason, message } = /** @type {any} */ (thrown);
        if (lost.includes(code) || lost.includes(`${code} ${reason}`)) counts.lost_leases += 1;
        else if (code === "CLOSED") return void offences.push(`a writer's connection was closed for good: ${message}`);
        else if (passing.includes(code)) counts.passing += 1;
        else if (offences.length < 50) offences.push(`${code ?? "a defect"} ${reason ?? ""}: ${message}`);
        await rest(20);
      }
      if (pause_ms > 0) await rest(chance.next() * pause_ms);
    }
    await caller.close();
  }

  const all = Array.from({ length: writers }, (_, place) => write(place).catch((thrown) => {
    offences.push(`a writer ended: ${thrown}`);
  }));
  return {
    counts,
    offences,
    met,
    answered,
    journal_file,
    /** Lets every writer come to the end of its run. */
    async stop() {
      stopping = true;
      await Promise.all(all);
      journal.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startLoad>>} Load */

/** Writers on the public client, which reconnects and repeats by itself.
 * @param {import("./scene.js").Scene} scene @param {readonly { url: string }[]} hosts
 * @param {Partial<import("runhost/client").ConnectOptions> & { token: string }} options */
export const throughClient = (scene, hosts, options) =>
  async (/** @type {number} */ place, /** @type {import("./journal.js").Journal} */ journal) => {
    const { url } = /** @type {{ url: string }} */ (hosts[place % hosts.length]);
    for (;;) {
      try {
        const host = await scene.client({ url, ...options });
        return { call: journalCalls(host, journal), close: () => host.close() };
      } catch (thrown) {
        // A first connection is the program's to repeat.
        if (/** @type {any} */ (thrown).retryable !== true) throw thrown;
        await rest(50);
      }
    }
  };

const once = ["run_claim", "run_release_claim"];

/** Writers on bare connections. Every attempt is a line of its own, and `watch` is told how each
 * ended. An UNAVAILABLE is tried again, with the same ids, until it is not.
 * @param {readonly { url: string }[]} hosts @param {string} token
 * @param {{ unanswered: number, unavailable: number, oldest_ms: number }} watch */
export const throughSocket = (hosts, token, watch) =>
  async (/** @type {number} */ place, /** @type {import("./journal.js").Journal} */ journal) => {
    const { url } = /** @type {{ url: string }} */ (hosts[place % hosts.length]);
    const peer = await openRawPeer(url, token);
    /** @type {Call} */
    const call = async (method, params) => {
      for (;;) {
        const line = { tenant_id: "default", method, params, sent_at_ms: Date.now() };
        const answer = await peer.ask(method, params);
        watch.oldest_ms = Math.max(watch.oldest_ms, peer.oldestMs());
        if (answer === null) {
          watch.unanswered += 1;
          journal.add(line);
          throw Object.assign(new Error("the connection ended"), { code: "CLOSED" });
        }
        const { result, error } = answer;
        const answered_at_ms = Date.now();
        if (error === undefined) {
          journal.add({ ...line, answered_at_ms, result });
          return result;
        }
        const { code, reason } = error.data;
        journal.add({ ...line, answered_at_ms, error: { code, reason } });
        if (code === "UNAVAILABLE") watch.unavailable += 1;
        if (code !== "UNAVAILABLE" || once.includes(method)) {
          throw Object.assign(new Error(error.message), { code, reason });
        }
        await rest(50);
      }
    };
    return { call, close: () => peer.close() };
  };
