// How often one identity may call and connect, and how often one address may fail to prove an
// identity: each counted by this host in windows, and refused with RATE_LIMITED and the time after
// which to come back. A rate of 0 counts nothing.

import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { Principal } from "../actions/action.js";
import { Refusal } from "../contract/errors.js";

export interface RateLimits {
  calls_per_second: number;
  connects_per_minute: number;
  login_failures_per_minute: number;
}

export interface Rates {
  /** Rejects with RATE_LIMITED when the identity has called too often. More calls than a second
      holds pass when it is theirs alone, and then nothing until their time is over. */
  countCalls(principal: Principal, calls: number): Promise<void>;
  /** The same for connections that the identity has proved itself on. */
  countConnect(principal: Principal): Promise<void>;
  /** Rejects while the address has failed too often. */
  checkFailures(address: string): Promise<void>;
  countFailure(address: string): Promise<void>;
}

const second = 1;
const minute = 60;

export function createRates(limits: RateLimits): Rates {
  const calls = limiterOf(limits.calls_per_second, second);
  const connects = limiterOf(limits.connects_per_minute, minute);
  const failures = limiterOf(limits.login_failures_per_minute, minute);
  return {
    async countCalls(principal, count) {
      const { calls_per_second: most } = limits;
      const points = most === 0 ? count : Math.min(count, most);
      await consume(calls, { key: keyOf(principal), points, what: "calls" });
      if (points < count) await calls?.block(keyOf(principal), Math.ceil(count / most) * second);
    },
    countConnect: (principal) =>
      consume(connects, { key: keyOf(principal), points: 1, what: "connections" }),
    async checkFailures(address) {
      const counted = (await failures?.get(address)) ?? null;
      if (counted !== null && counted.consumedPoints >= limits.login_failures_per_minute) {
        throw rateLimited(counted, "logins of this address");
      }
    },
    async countFailure(address) {
      await failures?.penalty(address);
    },
  };
}

const limiterOf = (points: number, duration: number): RateLimiterMemory | null =>
  points === 0 ? null : new RateLimiterMemory({ points, duration });

// Neither part holds NUL, so the pair is unambiguous.
const keyOf = (principal: Principal): string =>
  `${principal.tenant_id}\0${principal.plugin_identity}`;

async function consume(
  limiter: RateLimiterMemory | null,
  { key, points, what }: { key: string; points: number; what: string },
): Promise<void> {
  try {
    await limiter?.consume(key, points);
  } catch (thrown) {
    if (!(thrown instanceof RateLimiterRes)) throw thrown;
    throw rateLimited(thrown, `${what} of this identity`);
  }
}

function rateLimited({ msBeforeNext }: RateLimiterRes, what: string): Refusal {
  const retry_after_ms = Math.max(1, Math.ceil(msBeforeNext));
  return new Refusal("RATE_LIMITED", { retry_after_ms }, `Too many ${what}.`);
}
