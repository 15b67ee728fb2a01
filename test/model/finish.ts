// What has to hold when a sequence is over: runs, events and what hangs on them are as due,
// and whoever watched was told each event once, in order, and the end after the last.

import { expect } from "vitest";
import type { Params } from "../support/client.js";
import {
  busy_share, expectRun, readPages, showRecord, showRun, type Command,
} from "./commands/command.js";
import { pulls, readsAsking, readsHistory, readsLog } from "./commands/context.js";
import { audits } from "./commands/standing.js";
import { isLive, isTerminal, type Reference } from "./reference/reference.js";
import type { Tenant } from "./world.js";

export async function finish(model: Reference, real: Tenant): Promise<void> {
  for (const command of lastLooks(model)) await command.run(model, real);
  const records = await readPages(real, { by: "admin", method: "run_list", params: { limit: 100 } });
  expect(records.reverse().map(showRecord)).toEqual(
    [...model.runs].sort((a, b) => a.number - b.number).map((run) => showRun(run, real)));
  for (const { run_id, events } of model.runs) {
    const params = { target_run_id: run_id, limit: 100 };
    const items = await readPages(real, { by: "admin", method: "run_events_page", params },
      "after_cursor");
    expect(items.map(({ sequence, type, data }) => [sequence, type, data])).toEqual(
      [...events].map(([sequence, { content }]) => [sequence, ...JSON.parse(content)]));
  }
  for (const { run_id, subscription_id, client } of real.subscriptions) {
    await judgeWatcher(model, { run_id, subscription_id, client });
  }
  for (const [run_id, wait] of real.waits) {
    const run = model.find(run_id)!;
    if (!isTerminal(run)) continue;
    expectRun((await wait).result, run, real);
  }
}

/** What waits for each run that is executed, and what it sees; all questions, and the audit. */
function* lastLooks(model: Reference): Iterable<Command> {
  const busy = Math.min(model.runs.filter(isLive).length, busy_share - 1);
  for (let at = 1; at <= busy; at += 1) {
    const looking = { by: "fit", at, conversation: null } as const;
    yield readsHistory(looking, 100, "forward");
    yield readsLog(looking, 100);
    yield pulls({ by: "fit", at, fence: "none", most: 100, ack: [] });
  }
  yield readsAsking({ by: "admin", at: 1, interaction_id: "ask-a" }, "all", 100);
  yield audits("admin", 100);
}

async function judgeWatcher(
  model: Reference,
  { run_id, subscription_id, client }: Omit<Tenant["subscriptions"][number], "after">,
): Promise<void> {
  const run = model.find(run_id)!;
  const isNote = (method: string) => (note: { method: string; params: Params }): boolean =>
    note.method === method && note.params["subscription_id"] === subscription_id;
  const sequenceOf = ({ params: { event } }: { params: Params }): number =>
    (event as { sequence: number }).sequence;
  const last = run.last_sequence;
  if (last > 0) {
    await client.notified((note) => isNote("run_event")(note) && sequenceOf(note) === last);
  }
  if (isTerminal(run)) await client.notified(isNote("run_ended"));
  const heard = client.notifications.filter(isNote("run_event")).map(sequenceOf);
  expect(heard).toEqual([...run.events.keys()]);
  const asked = client.notifications.filter(isNote("interaction_requested"));
  expect(asked).toHaveLength(run.interactions.length);
  expect(client.notifications.filter(isNote("run_ended"))).toHaveLength(isTerminal(run) ? 1 : 0);
}
