// Small actions made by hand and a dispatcher over them. No SQL is involved here, so the ledger is
// an object that nobody may touch.

import { z } from "zod";
import {
  defineAction, type Action, type AnyAction, type CallLog, type HostFacts, type Principal,
} from "../../src/actions/action.js";
import type { Standing } from "../../src/authz/plugins.js";
import type { Access } from "../../src/contract/access.js";
import { Refusal } from "../../src/contract/errors.js";
import { createDispatcher, type IncomingCall } from "../../src/dispatch/dispatcher.js";
import { createRefuser, type Incident } from "../../src/dispatch/refuse.js";
import type { SealedActions } from "../../src/dispatch/host.js";
import type { Ledger } from "../../src/ledger/ledger.js";

/** An action with defaults for all that a test does not care about. */
export function handAction<P extends z.ZodType, R extends z.ZodType, A extends Access>(
  declared: Pick<Action<P, R, A>, "name" | "params" | "result" | "access" | "handle"> &
    Partial<Action<P, R, A>>,
): AnyAction {
  const action = defineAction({ summary: "Made by hand.", errors: [], ...declared });
  return action as unknown as AnyAction;
}

export const anything = z.object({}).catchall(z.unknown());

export const seal = (...all: AnyAction[]): SealedActions => ({
  all,
  get: (method) => all.find((action) => action.name === method),
});

const untouchable = new Proxy({} as Ledger, {
  get(_, name) {
    throw new Error(`nothing here may read the ledger, but ${String(name)} was`);
  },
});

export const host_facts: HostFacts = {
  name: "runhost",
  version: "0.0.0",
  limits: { max_message_bytes: 1, max_batch: 1, max_in_flight: 1 },
  openrpc: () => ({}),
};

export interface Told {
  debug: { fields: Record<string, unknown>; message: string }[];
  calledAs: Principal[];
  incidents: Incident[];
}

export interface World {
  told: Told;
  dispatcher: ReturnType<typeof createDispatcher>;
  call(
    method: string,
    params?: Record<string, unknown>,
    options?: Partial<IncomingCall> & { as?: string | null },
  ): ReturnType<ReturnType<typeof createDispatcher>["call"]>;
}

/** `known` maps identities of tenant t1 to the permissions of their table row. */
export function createWorld(
  actions: AnyAction[],
  known: Record<string, string[]> = { "acme/bot": [] },
): World {
  const told: Told = { debug: [], calledAs: [], incidents: [] };
  const log: CallLog = {
    info: () => undefined,
    debug: (fields, message) => void told.debug.push({ fields, message }),
  };
  const dispatcher = createDispatcher({
    actions: seal(...actions),
    directory: {
      async standing(principal: Principal): Promise<Standing> {
        const names = known[principal.plugin_identity];
        if (names === undefined) return { principal, enabled: false, sources: [] };
        if (names.includes("unreachable")) throw new Refusal("UNAVAILABLE");
        return { principal, enabled: true, sources: [{ permissions: names, workspaces: null }] };
      },
    },
    ledger: untouchable,
    clock: { now: () => "2026-01-01T00:00:00.000Z" },
    host_facts,
    read_days: 7,
    log,
    refuse: createRefuser((incident) => void told.incidents.push(incident), (text) => text),
  });
  return {
    told,
    dispatcher,
    call(method, params = {}, { as = "acme/bot", ...changes } = {}) {
      const principal = as === null ? null : { tenant_id: "t1", plugin_identity: as };
      return dispatcher.call({
        method,
        params,
        inspect: () => [],
        signal: new AbortController().signal,
        afterAnswer: () => undefined,
        handOn: () => undefined,
        connection: {
          principal,
          login: async () => Promise.reject(new Refusal("UNAUTHENTICATED")),
          permissions: () => [],
          noteClaim: () => undefined,
          subscribe: () => ({ subscription_id: "sub", begin: () => undefined }),
          unsubscribe: () => false,
          calledAs: (called) => void told.calledAs.push(called),
        },
        ...changes,
      });
    },
  };
}

/** What an answer was refused with: code and details, or the plain error itself. */
export async function refusedWith(answer: Promise<unknown>): Promise<unknown> {
  try {
    await answer;
  } catch (thrown) {
    return thrown instanceof Refusal ? { code: thrown.code, ...thrown.details } : thrown;
  }
  throw new Error("the call was answered");
}
