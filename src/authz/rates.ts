// How often one identity may call and connect, how often one address may fail to prove an identity,
// and how often the host is described to those who have proved none: each counted by this host in
// windows, and refused with RATE_LIMITED and the time after which to come back. A configured rate
// of 0 counts nothing.

import { isIPv6 } from "node:net";
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
  /** Rejects when the description went to too many connections without an identity. */
  countDescription(): Promise<void>;
}

const second = 1;
const minute = 60;
/** Of all connections without an identity together: each answer is some 250 KB, and whoever asks
    need not read it. */
const descriptions_per_second = 20;

export function createRates(limits: RateLimits): Rates {
  const calls = limiterOf(limits.calls_per_second, second);
  const connects = limiterOf(limits.connects_per_minute, minute);
  const failures = limiterOf(limits.login_failures_per_minute, minute);
  const descriptions = limiterOf(descriptions_per_second, second);
  return {
    async countCalls(principal, count) {
      const { calls_per_second: most } = limits;
      const points = most === 0 ? count : Math.min(count, most);
      const key = keyOf(principal);
      await consume(calls, { key, points, what: "calls of this identity" });
      if (points < count) await calls?.block(key, Math.ceil(count / most) * second);
    },
    countConnect: (principal) => consume(connects, {
      key: keyOf(principal), points: 1, what: "connections of this identity",
    }),
    countDescription: () => consume(descriptions, {
      key: "", points: 1, what: "connections without an identity that ask for this",
    }),
    async checkFailures(address) {
      const counted = (await failures?.get(networkOf(address))) ?? null;
      if (counted !== null && counted.consumedPoints >= limits.login_failures_per_minute) {
        throw rateLimited(counted, "logins of this address");
      }
    },
    async countFailure(address) {
      await failures?.penalty(networkOf(address));
    },
  };
}

const limiterOf = (points: number, duration: number): RateLimiterMemory | null =>
  points === 0 ? null : new RateLimiterMemory({ points, duration });

// Neither part holds NUL, so the pair is unambiguous.
const keyOf = (principal: Principal): string =>
  `${principal.tenant_id}\0${principal.plugin_identity}`;

/** One subscriber of a network commonly has 2^64 addresses of version 6. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = "", tail = ""] = address.split("%", 1)[0]!.split("::");
  const [before, after] = [head, tail].map((part) => part.split(":").filter((word) => word !== ""));
  const missing = address.includes("::") ? 8 - before!.length - after!.length : 0;
  const words = [...before!, ...Array<string>(missing).fill("0"), ...after!];
  return `${words.slice(0, 4).join(":")}::/64`;
}

async function consume(
  limiter: RateLimiterMemory | null,
  { key, points, what }: { key: string; points: number; what: string },
): Promise<void> {
  try {
    await limiter?.consume(key, points);
  } catch (thrown) {
    if (!(thrown instanceof RateLimiterRes)) throw thrown;
    throw rateLimited(thrown, what);
  }
}

function rateLimited({ msBeforeNext }: RateLimiterRes, what: string): Refusal {
  const retry_after_ms = Math.max(1, Math.ceil(msBeforeNext));
  return new Refusal("RATE_LIMITED", { retry_after_ms }, `Too many ${what}.`);
}
