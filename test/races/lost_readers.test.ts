// Steering messages whose readers die between pull and acknowledgement, and runs that end with messages
// left: each message ends in exactly one state, none is lost. `RACE_MESSAGES=1000` is the full figure.

import { expect, test } from "vitest";
import type { Client } from "../support/client.js";
import { claimOf, fresh, registerPlugin, useHost } from "../support/host.js";

const messages = Number(process.env["RACE_MESSAGES"] ?? 120);
const world = useHost({ RUNHOST_RECONCILE_SECONDS: "1", RUNHOST_MAX_IN_FLIGHT: "1000" });

interface Item {
  run_id: string;
  claimed_by_runtime_id: string;
  claim_token: string;
  claim_epoch: number;
}

interface Tally {
  deaths: number;
  runs: number;
  seen: Map<string, number>;
}

/** Works on one claimed run; a reader that dies leaves it to its lease. */
async function work(client: Client, item: Item, tally: Tally): Promise<void> {
  const own = { run_id: item.run_id, ...claimOf(item) };
  for (let turn = 0; turn < 8; turn += 1) {
    const pulled = await client.ask("steering_pull", { ...own, limit: 5, lease_seconds: 5 });
    if (pulled.error) return;
    const { items } = pulled.result as { items: { steering_id: string }[] };
    if (items.length > 0 && Math.random() < 0.3) {
      tally.deaths += 1;
      return;
    }
    const steering_ids = items.map(({ steering_id }) => steering_id);
    if (steering_ids.length === 0) continue;
    const acked = await client.ask("steering_ack", { ...own, steering_ids });
    if (acked.error) return;
    for (const id of (acked.result as { acked: string[] }).acked) {
      tally.seen.set(id, (tally.seen.get(id) ?? 0) + 1);
    }
  }
  const { run_id: target_run_id, ...claim } = own;
  const ended = await client.ask("run_finalize", { target_run_id, ...claim, status: "completed" });
  if (!ended.error) tally.runs += 1;
}

test("every message ends in exactly one state", { timeout: 300_000 }, async () => {
  const plugin = await registerPlugin(world(), { runtime: { heartbeat_ttl_seconds: 3600 } });
  const talks = Array.from({ length: 4 }, () => fresh("talk"));
  const tally: Tally = { deaths: 0, runs: 0, seen: new Map() };
  const dispositions = new Map<string, number>();
  let published = false;
  const publish = async (): Promise<void> => {
    const one = async (place: number): Promise<void> => {
      const made = await plugin.client.call("event_publish", {
        conversation_id: talks[place % talks.length], text: `message ${place}`,
        runner_id: plugin.runner_id, max_attempts: 100,
      });
      dispositions.set(made.disposition, (dispositions.get(made.disposition) ?? 0) + 1);
    };
    for (let place = 0; place < messages; place += 1) {
      // The first of each conversation makes a run; the others come while one is at work.
      if (place >= talks.length) while (!(await isSomeoneAtWork())) await nextLook();
      await one(place);
    }
    published = true;
  };
  const isDone = async (): Promise<boolean> => {
    const { sql } = world().clone;
    const [open] = await sql`select
        (select count(*)::int from agent_run where finished_at is null) as runs,
        (select count(*)::int from agent_run_steering where state in ('queued', 'leased')) as items`;
    return published && open?.["runs"] === 0 && open["items"] === 0;
  };
  const isSomeoneAtWork = async (): Promise<boolean> => {
    const [row] = await world().clone.sql`select exists (select from agent_run
      where status = 'claimed' and claim_lease_expires_at > now()) as busy,
      not exists (select from agent_run where finished_at is null) as idle`;
    return row?.["busy"] === true || row?.["idle"] === true;
  };
  const nextLook = () => new Promise((resolve) => setImmediate(resolve));
  const claim = async (): Promise<void> => {
    const client = await world().test.connect(plugin.token);
    while (!(await isDone())) {
      const answer = await client.ask("run_claim", {
        runtime_id: plugin.runtime_id, lease_seconds: 1, wait_seconds: 1,
      });
      if (!answer.error) await work(client, answer.result as Item, tally);
    }
  };
  await Promise.all([publish(), ...Array.from({ length: 6 }, claim)]);
  const states = await world().clone.sql<{ state: string; n: number }[]>`
    select state, count(*)::int as n from agent_run_steering group by state order by state`;
  const counted = Object.fromEntries(states.map(({ state, n }) => [state, n]));
  console.log(JSON.stringify({
    messages, deaths: tally.deaths, runs: tally.runs,
    dispositions: Object.fromEntries(dispositions), states: counted,
  }));
  const absorbed = dispositions.get("absorbed") ?? 0;
  expect(absorbed).toBeGreaterThan(messages / 10);
  expect(tally.deaths).toBeGreaterThan(0);
  expect(absorbed + (dispositions.get("run_created") ?? 0)).toBe(messages);
  expect((counted["injected"] ?? 0) + (counted["redispatched"] ?? 0)).toBe(absorbed);
  expect(counted["dropped"]).toBeUndefined();
  // Acknowledged once each, though some were handed over more than once.
  expect(tally.seen.size).toBe(counted["injected"] ?? 0);
  // What was carried over became the event of exactly one run, which was executed.
  const carried = await world().clone.sql`select s.event_id from agent_run_steering s
    where s.state = 'redispatched' and 1 <> (select count(*) from agent_run r
      where r.event_id = s.event_id and r.status = 'completed')`;
  expect([...carried]).toEqual([]);
});
