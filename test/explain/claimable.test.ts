// `claimable` of run_explain is true exactly if a run_claim by a fitting online runtime takes the
// run, over arbitrary states of the row; and it is false exactly where a reason stands against it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { RpcFailure, type Answer } from "../support/client.js";
import { fresh, registerPlugin, useHost, type Plugin } from "../support/host.js";
import { codesOf, createRun, explain } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

/** CLAIMABLE of actions.md 4.2, as the codes of protocol/README.md word its parts. */
const against = [
  "ended", "never_queued", "lease_held", "owner_executes", "deadline_passed", "cancel_requested",
  "attempts_exhausted", "not_due",
];

interface Row {
  status: "created" | "queued" | "claimed" | "running" | "failed";
  lease_seconds: number;
  deadline_seconds: number | null;
  due_seconds: number | null;
  used: number;
  isCancelled: boolean;
  isPinned: boolean;
}

const instant = fc.constantFrom(-3600, -1, 0, 3600);
const rows: fc.Arbitrary<Row> = fc.record({
  status: fc.constantFrom("queued", "queued", "claimed", "claimed", "created", "running", "failed"),
  lease_seconds: instant,
  deadline_seconds: fc.option(instant, { freq: 1 }),
  due_seconds: fc.option(instant, { freq: 1 }),
  used: fc.constantFrom(0, 1, 2),
  isCancelled: fc.boolean(),
  isPinned: fc.boolean(),
});

/** Writes the state into the row, within what its CHECK constraints allow. */
async function plant(run_id: string, runtime_id: string, row: Row): Promise<void> {
  const { sql } = world().clone;
  const { status } = row;
  const isClaimed = status === "claimed";
  const isRunning = status === "running";
  const deadline = row.deadline_seconds ?? (isRunning ? 3600 : null);
  await sql`
    update agent_run set status = ${status}, max_attempts = 2, dispatch_attempts = ${row.used},
      dispatch = ${isRunning ? "running" : "queued"},
      started_at = ${isClaimed || isRunning ? sql`now()` : null},
      finished_at = ${status === "failed" ? sql`now()` : null},
      claim_epoch = ${row.used + 1},
      claimed_by_runtime_id = ${isClaimed ? runtime_id : null},
      claimed_by_identity = ${isClaimed ? sql`plugin_identity` : null},
      claim_token_sha256 = ${isClaimed ? Buffer.alloc(32) : null},
      claim_lease_expires_at = ${isClaimed
        ? sql`now() + make_interval(secs => ${row.lease_seconds})` : null},
      deadline_at = now() + make_interval(secs => ${deadline}),
      not_before = now() + make_interval(secs => ${row.due_seconds}),
      cancel_requested_at = ${row.isCancelled && status !== "queued" ? sql`now()` : null}
    where run_id = ${run_id}`;
}

async function isTaken(plugin: Plugin, runtime_id: string, queue_name: string): Promise<boolean> {
  try {
    await plugin.client.call("run_claim", { runtime_id, queue_name });
    return true;
  } catch (thrown) {
    if (thrown instanceof RpcFailure && thrown.error.data.code === "NO_RUN_AVAILABLE") return false;
    throw thrown;
  }
}

test("claimable means that a fitting run_claim takes it, and a reason stands where it does not", async () => {
  const plugin = await registerPlugin(world());
  const other = fresh("runtime");
  await plugin.client.call("runtime_register", { runtime_id: other });
  const seen = { taken: 0, left: 0 };
  await fc.assert(
    fc.asyncProperty(rows, async (row) => {
      const queue_name = fresh("queue");
      const fitting = row.isPinned ? other : plugin.runtime_id;
      const pin = row.isPinned ? { requested_runtime_id: other } : {};
      const { run_id } = await createRun(world(), plugin, { queue_name, ...pin });
      await plant(run_id, plugin.runtime_id, row);
      const asked = await Promise.all([
        explain(world().admin, run_id), plugin.client.call("run_explain", { run_id }),
      ]) as Answer[];
      const taken = await isTaken(plugin, fitting, queue_name);
      seen[taken ? "taken" : "left"] += 1;
      for (const answer of asked) {
        expect(answer.claimable).toBe(taken);
        expect(codesOf(answer).some((code) => against.includes(code))).toBe(!taken);
        expect(codesOf(answer)).toHaveLength(new Set(codesOf(answer)).size);
      }
    }),
    { numRuns: 250, seed: 17 },
  );
  expect(seen.taken).toBeGreaterThan(20);
  expect(seen.left).toBeGreaterThan(20);
});

test("pinned to a runtime, nobody else takes it, and it stays claimable for that one", async () => {
  const plugin = await registerPlugin(world());
  const [queue_name, other] = [fresh("queue"), fresh("runtime")];
  const { run_id } = await createRun(world(), plugin, {
    queue_name, requested_runtime_id: other,
  });
  expect(await isTaken(plugin, plugin.runtime_id, queue_name)).toBe(false);
  expect(await explain(world().admin, run_id)).toMatchObject({ claimable: true });
  await plugin.client.call("runtime_register", { runtime_id: other });
  expect(await isTaken(plugin, other, queue_name)).toBe(true);
});
