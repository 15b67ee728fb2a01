// Races are run, not argued: appends against ends and re-claims, claimers against each other, one new
// sequence from two hundred callers. Counts come from the ledger's rows.

import { expect, test } from "vitest";
import { claimOf, fresh, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_MAX_IN_FLIGHT: "1000", RUNHOST_RECONCILE_SECONDS: "0" });

/** Tries of each race here; `RACE_TRIES` runs more. */
const tries = Number(process.env["RACE_TRIES"] ?? 200);

async function createRuns(
  plugin: Awaited<ReturnType<typeof registerPlugin>>,
  count: number,
  params: (place: number) => Record<string, unknown> = () => ({}),
) {
  const runs: string[] = [];
  for (let from = 0; from < count; from += 100) {
    const places = Array.from({ length: Math.min(100, count - from) }, (_, at) => from + at);
    const made = await Promise.all(places.map((place) => plugin.client.call("run_create", {
      runner_id: plugin.runner_id, ...params(place),
    })));
    runs.push(...made.map((run) => run.run_id));
  }
  return runs;
}

test("an append that races the end of its run is stored before it, or refused", async () => {
  const plugin = await registerPlugin(world());
  const second = await world().test.connect(plugin.token);
  await createRuns(plugin, tries);
  for (let done = 0; done < tries;) {
    const { runs } = await plugin.client.call("run_claim", {
      runtime_id: plugin.runtime_id, max_runs: 50,
    });
    done += runs.length;
    await Promise.all(runs.map(async (item: never) => {
      const { run_id } = item as { run_id: string };
      const target = { target_run_id: run_id, ...claimOf(item) };
      const [appended, ended] = await Promise.all([
        plugin.client.ask("run_append_result", {
          ...target, sequence: 1, type: "tool.call.started",
          data: { tool_call_id: "c", tool_name: "t" },
        }),
        second.ask("run_finalize", { ...target, status: "completed" }),
      ]);
      expect(ended.error).toBeUndefined();
      expect(appended.error?.data.code ?? "stored").toMatch(/^(stored|RUN_TERMINAL)$/);
      // What the end saw is all there is: a stored event that it did not see came after it.
      const seen = (ended.result as { last_sequence: number }).last_sequence;
      expect(seen).toBe(appended.error ? 0 : 1);
    }));
  }
  const runs = await world().clone.sql`select r.last_sequence::int as last,
      (select count(*)::int from agent_run_event e where e.run_id = r.run_id) as events
    from agent_run r where r.plugin_identity = ${plugin.identity}`;
  expect(runs.length).toBe(tries);
  expect(runs.filter((run) => run["last"] !== run["events"])).toEqual([]);
});

test("after a re-claim nothing is written under the older epoch", async () => {
  const plugin = await registerPlugin(world());
  const rival = await world().test.connect(plugin.token);
  const runtime_id = fresh("rival");
  await rival.call("runtime_register", { runtime_id });
  await createRuns(plugin, tries);
  for (let done = 0; done < tries;) {
    const { runs } = await plugin.client.call("run_claim", {
      runtime_id: plugin.runtime_id, max_runs: 50,
    });
    done += runs.length;
    // The leases run out at this instant, while their holders are writing.
    await world().clone.sql`update agent_run set claim_lease_expires_at = clock_timestamp()
      where status = 'claimed' and plugin_identity = ${plugin.identity}`;
    const writes = runs.map((item: never) => plugin.client.ask("run_append_result", {
      target_run_id: (item as { run_id: string }).run_id, ...claimOf(item), sequence: 1,
      type: "tool.call.started", data: { tool_call_id: "c", tool_name: "t" },
    }));
    const taken = await rival.call("run_claim", { runtime_id, max_runs: 50 });
    const answers = await Promise.all(writes);
    for (const answer of answers) {
      expect(answer.error?.data.code ?? "stored").toMatch(/^(stored|LEASE_LOST)$/);
    }
    for (const item of taken.runs) {
      // What the new claim saw is all that the older epoch has written.
      const place = runs.findIndex((run: { run_id: string }) => run.run_id === item.run_id);
      if (place >= 0) expect(item.last_sequence).toBe(answers[place]?.error ? 0 : 1);
      await rival.call("run_finalize", {
        target_run_id: item.run_id, ...claimOf(item), status: "completed",
      });
    }
  }
});

test("64 claimers take 1,000 runs once each, by priority and age", async () => {
  const plugin = await registerPlugin(world());
  const created = await createRuns(plugin, 1000, (place) => ({ priority: place % 5 }));
  const connections = await Promise.all(
    Array.from({ length: 8 }, () => world().test.connect(plugin.token)),
  );
  const taken: { run_id: string; priority: number; id: number }[][] = [];
  await Promise.all(Array.from({ length: 64 }, async (_, claimer) => {
    const client = connections[claimer % 8];
    const mine: (typeof taken)[number] = [];
    taken.push(mine);
    for (;;) {
      const answer = await client?.ask("run_claim", { runtime_id: plugin.runtime_id });
      if (answer?.error?.data.code === "NO_RUN_AVAILABLE") return;
      expect(answer?.error).toBeUndefined();
      mine.push(answer?.result as (typeof mine)[number]);
    }
  }));
  const all = taken.flat();
  expect(all.length).toBe(1000);
  expect(new Set(all.map(({ run_id }) => run_id))).toEqual(new Set(created));
  // A claimer never goes back to one that stands before what it got: its own order is the order.
  for (const mine of taken) {
    const sorted = [...mine].sort((a, b) => b.priority - a.priority || a.id - b.id);
    expect(mine).toEqual(sorted);
  }
});

test("one new sequence from 200 callers is stored once: equal content", async () => {
  const plugin = await registerPlugin(world());
  const [run_id] = await createRuns(plugin, 1);
  const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
  const append = (text: string) => plugin.client.ask("run_append_result", {
    target_run_id: run_id, ...claimOf(item), sequence: 1, type: "tool.call.started",
    data: { tool_call_id: text, tool_name: "t" },
  });
  const answers = await Promise.all(Array.from({ length: 200 }, () => append("same")));
  expect(answers.filter(({ error }) => error)).toEqual([]);
  const stored = answers.map(({ result }) => result as { id: number; idempotent?: true });
  expect(new Set(stored.map(({ id }) => id)).size).toBe(1);
  expect(stored.filter(({ idempotent }) => idempotent !== true).length).toBe(1);
});

test("one new sequence from 200 connections is stored once: different content", async () => {
  const plugin = await registerPlugin(world());
  const [run_id] = await createRuns(plugin, 1);
  const item = await plugin.client.call("run_claim", { runtime_id: plugin.runtime_id });
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => world().test.connect(plugin.token)),
  );
  const answers = await Promise.all(Array.from({ length: 200 }, (_, place) =>
    clients[place % 20]?.ask("run_append_result", {
      target_run_id: run_id, ...claimOf(item), sequence: 1, type: "tool.call.started",
      data: { tool_call_id: `call ${place}`, tool_name: "t" },
    })));
  expect(answers.filter((answer) => answer && !answer.error).length).toBe(1);
  const refused = answers.flatMap((answer) => (answer?.error ? [answer.error.data] : []));
  expect(refused.length).toBe(199);
  expect(refused.every((data) => data.code === "CONFLICT" && data["reason"] === "sequence_reused"))
    .toBe(true);
  const rows = await world().clone.sql`select from agent_run_event where run_id = ${run_id ?? ""}`;
  expect(rows.length).toBe(1);
});

test("one run_id from 100 creators at once makes one run", async () => {
  const [first, second] = [await registerPlugin(world()), await registerPlugin(world())];
  const run_id = fresh("run");
  const create = (plugin: typeof first, text: string) => plugin.client.ask("run_create", {
    run_id, runner_id: plugin.runner_id, text,
  });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, place) =>
    place % 2 === 0 ? create(first, "same") : create(second, "same")));
  const won = answers.filter(({ error }) => !error);
  const refused = answers.flatMap(({ error }) => (error ? [error.data["reason"]] : []));
  expect(won.length).toBe(50);
  expect(refused).toEqual(Array.from({ length: 50 }, () => "run_id_reused"));
  const rows = await world().clone.sql`select from agent_run where run_id = ${run_id}`;
  expect(rows.length).toBe(1);
});
