// Puts the rates of authz in front of calls and logins, by standing between the floors that main
// builds: neither wire nor dispatch knows that it is counted. Who has no identity can neither keep
// the database busy nor lock out those that have one.

import { createHash } from "node:crypto";
import type { Directory } from "./authz/plugins.js";
import type { Rates } from "./authz/rates.js";
import { Refusal } from "./contract/errors.js";
import type { Dispatcher } from "./dispatch/dispatcher.js";
import type { Identities } from "./wire/parts.js";

/** Counts each call of a connection that has proved an identity, under that identity, a list as the
    calls that it stands for; of other connections the one call whose answer is large. */
export function limitCalls(dispatcher: Dispatcher, rates: Rates): Dispatcher {
  return {
    ...dispatcher,
    call(input) {
      const { principal } = input.connection;
      const { method, params } = input;
      if (principal === null && method !== "rpc.discover") return dispatcher.call(input);
      const admission = principal === null
        ? rates.countDescription()
        : rates.countCalls(principal, dispatcher.listed(method, params) ?? 1);
      return dispatcher.call({ ...input, admission });
    },
  };
}

/** Tokens looked up at one moment: fewer than a pool has connections, so that a crowd of strangers
    does not queue in front of calls. */
const lookups_max = 8;
/** With the deadline of the lookup itself, below the time in which a peer has to prove itself. */
const turn_ms = 4000;
/** Tokens that are remembered to be good once. */
const known_max = 20_000;

export function limitLogins(directory: Directory, rates: Rates): Identities {
  const known = createKnownTokens();
  const takeTurn = createTurns(lookups_max);
  return {
    permissions: (principal) => directory.permissions(principal),
    hold: (proof) => directory.hold(proof),
    async identify(plugin_token, address) {
      const hash = createHash("sha256").update(plugin_token).digest("base64");
      // Behind a proxy all have one address: whose token was good here is not shut out by others.
      const check = async () => (known.has(hash) ? undefined : rates.checkFailures(address));
      await check();
      const endTurn = await takeTurn();
      try {
        // Others have failed while this one waited.
        await check();
        const proof = await directory.identify(plugin_token);
        known.add(hash);
        await rates.countConnect(proof.principal);
        return proof;
      } catch (thrown) {
        if (thrown instanceof Refusal && thrown.code === "UNAUTHENTICATED") {
          known.remove(hash);
          await rates.countFailure(address);
        }
        throw thrown;
      } finally {
        endTurn();
      }
    },
  };
}

/** The newest tokens that proved an identity, as hashes. */
function createKnownTokens() {
  const hashes = new Set<string>();
  return {
    has: (hash: string): boolean => hashes.has(hash),
    remove: (hash: string): void => void hashes.delete(hash),
    add(hash: string): void {
      hashes.delete(hash);
      hashes.add(hash);
      if (hashes.size > known_max) hashes.delete(hashes.values().next().value!);
    },
  };
}

/** First come, first served; what it resolves with gives the turn back. Whoever waits too long is
    refused, so that a database that does not answer leaves nobody without an answer. */
function createTurns(most: number): () => Promise<() => void> {
  const waiting = new Set<() => void>();
  let taken = 0;
  const giveBack = (): void => {
    const [next] = waiting;
    if (next === undefined) taken -= 1;
    else next();
  };
  const wait = () => new Promise<void>((resolve, reject) => {
    const begin = (): void => {
      clearTimeout(timer);
      waiting.delete(begin);
      resolve();
    };
    const timer = setTimeout(() => {
      waiting.delete(begin);
      reject(new Refusal("UNAVAILABLE", {}, "Too many are proving who they are."));
    }, turn_ms);
    waiting.add(begin);
  });
  return async () => {
    if (taken < most) taken += 1;
    else await wait();
    return giveBack;
  };
}
