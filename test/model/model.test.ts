// Sequences of calls by three identities, and one that speaks for others, over seven connections,
// played against a real host and against the reference; a difference is shrunk to the shortest
// sequence that shows it. MODEL_SEQUENCES=500 MODEL_SEED=1 for a long or a repeated run.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer } from "../support/client.js";
import { useHost } from "../support/host.js";
import { left_out, modelled } from "./coverage.js";
import { finish } from "./finish.js";
import { Reference } from "./reference/reference.js";
import { anyBeginning, anyCommands } from "./sequences.js";
import { tour } from "./tour.js";
import { openTenant, type Tenant } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const default_runs = 15;
const numRuns = Number(process.env["MODEL_SEQUENCES"] ?? default_runs);
const most = Number(process.env["MODEL_COMMANDS"] ?? 200);
const seed = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);

async function inTenant(play: (model: Reference, real: Tenant) => Promise<void>): Promise<void> {
  const real = await openTenant(world());
  try {
    await play(new Reference(), real);
  } finally {
    await real.close();
  }
}

async function playTour(model: Reference, real: Tenant): Promise<void> {
  for (const command of tour) await command.run(model, real);
  await finish(model, real);
}

const noteCalled = (called: Set<string>, { tally }: Tenant): void => {
  for (const name of tally.keys()) called.add(name.split(" ")[0]!);
};

describe("coverage", () => {
  test("every action is modelled, or left out for a reason", async () => {
    const { methods } = await world().admin.call("rpc.discover");
    const named = [...Object.keys(modelled), ...Object.keys(left_out)];
    expect(named.sort()).toEqual(methods.map(({ name }: Answer) => name).sort());
    for (const reason of Object.values(left_out)) expect(reason).toMatch(/\w+ \w+/);
  });

  test("every action that is modelled succeeds in the tour", async () => {
    await inTenant(async (model, real) => {
      await playTour(model, real);
      expect(Object.keys(modelled).filter((name) => !real.tally.has(`${name} ok`))).toEqual([]);
    });
  });
});

test(`sequences answer as the contract says (seed ${seed})`, { timeout: 3_600_000 }, async () => {
  let played = 0;
  const called = new Set<string>();
  await fc.assert(fc.asyncProperty(anyBeginning, anyCommands(most), async (beginning, commands) =>
    inTenant(async (model, real) => {
      for (const command of beginning) await command.run(model, real);
      await fc.asyncModelRun(() => ({ model, real }), commands);
      await finish(model, real);
      played += 1;
      noteCalled(called, real);
    })), { numRuns, seed, endOnFailure: false });
  expect(played).toBeGreaterThanOrEqual(numRuns);
  if (numRuns < default_runs) return;
  expect(Object.keys(modelled).filter((name) => !called.has(name))).toEqual([]);
});

describe("a host that lied would be found", () => {
  const first = (items: Answer[]): Answer[] => items.slice(0, 1);
  test.each<[string, (answer: Answer) => Answer]>([
    ["run_claim", (run) => ({ ...run, claim_epoch: run.claim_epoch + 1 })],
    ["run_events_page", (page) => ({ ...page, items: [...page.items].reverse() })],
    ["run_emit_result", (event) => event.sequence === 2 ? { ...event, idempotent: false } : event],
    ["runtime_reconcile", (swept) => ({ ...swept, released_claim_count: 0 })],
    ["event_publish", (told) => ({ ...told, disposition: "logged" })],
    ["history_page", (page) => ({ ...page, items: first(page.items) })],
    ["steering_pull", (pulled) => ({ ...pulled, pending: pulled.pending + 1 })],
    ["steering_ack", ({ acked, not_found }) => ({ acked: not_found, not_found: acked })],
    ["state_get", (kept) => ({ ...kept, version: kept.version + 1 })],
    ["interaction_submit", (asked) => ({ ...asked, status: "pending" })],
    ["interaction_list", (page) => ({ ...page, items: first(page.items) })],
    ["audit_page", (page) => ({ ...page, items: first(page.items) })],
  ])("about %s", async (name, lie) => {
    await inTenant(async (model, real) => {
      let told = 0;
      const ask: Tenant["ask"] = async (by, method, params) => {
        const answer = await real.ask(by, method, params);
        if (method !== name || answer.refused !== undefined) return answer;
        told += 1;
        return lie(answer);
      };
      const lying = Object.assign(Object.create(real) as Tenant, { ask });
      await expect(playTour(model, lying)).rejects.toThrow(/expected/);
      expect(told).toBeGreaterThan(0);
    });
  });
});
