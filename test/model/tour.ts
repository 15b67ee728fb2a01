// One sequence by hand in which every action that is modelled succeeds, so that none is only ever
// refused; it is also what planted lies are told to.

import type { Command } from "./commands/command.js";
import * as claims from "./commands/claims.js";
import * as context from "./commands/context.js";
import * as results from "./commands/results.js";
import * as runs from "./commands/runs.js";
import * as standing from "./commands/standing.js";
import type { Wanted } from "./reference/reference.js";

const wanted: Wanted = {
  run_id: "r1", owner: "one", dispatch: "queued", priority: 0, max_attempts: 3, queue: "default",
  pinned: false, bounded: true, place: "c1", actor: "a1", policy: "default", prompt: true,
  apis: {}, event: "message.received", event_id: null,
};
const any = { own: null, runtime: null, queue: null, runner_of: null, most: null };
const news = { event_type: "message.received", place: "c1", owner: null, absorb: true } as const;
const steering = { by: "fit", at: 1, fence: "last", most: 1, ack: [] } as const;
const keeping = {
  by: "fit", at: 1, scope: "conversation", key: "b", fence: "last", expected: null,
} as const;
const looking = { by: "fit", at: 1, conversation: null } as const;
const reading = { by: "fit", at: 1, path: "target", own: 0 } as const;
const authority = {
  by: "fit", claim: 1, run: 1, session: "none", other: 0, force: false,
} as const;
const asking = (interaction_id: string) => ({ by: "fit", at: 1, interaction_id }) as const;
const writing = (kind: results.Kind, text: string, emitted = true) =>
  ({ kind, text, emitted, sequence: 0 });

const standings: Command[] = [
  standing.grants("two", false), standing.speaksFor("hub", "two"), standing.grants("two", true),
  standing.enables("two", false), standing.speaksFor("hub", "two"), standing.enables("two", true),
  standing.rotates("two"), standing.describes("two"), standing.speaksFor("hub", "admin"),
  standing.speaksFor("hub", "built-in"),
  claims.declares("one", { steering: true }), claims.declaresAnother("one", "two"),
  claims.registers("one", "one"), claims.beats("one", "one", "online"),
  claims.listsRuntimes("admin", 2),
];

const work: Command[] = [
  runs.creates("one", wanted), runs.creates("one", wanted), runs.watches(1),
  claims.claims("one", any),
  context.publishes("two", { ...news, event_id: "e1" }),
  context.publishes("two", { ...news, event_id: "e2" }),
  context.publishes("two", { ...news, event_id: "e2" }),
  context.pulls({ ...steering, ack: [] }), context.acknowledges({ ...steering, ack: [2] }),
  results.writes(authority, writing("started", "a", false)),
  results.writes(authority, writing("said", "a")),
  results.writes(authority, { ...writing("said", "a"), sequence: 2 }),
  results.writes(authority, writing("state", "b")),
  results.writes(authority, writing("ask", "a")), results.writes(authority, writing("ask", "b")),
  context.readsAsking(asking("ask-a"), "all", 2),
  context.submits(asking("ask-a"), "Ada", "fit"), context.submits(asking("ask-a"), "Ada", "fit"),
  context.cancelsAsking(asking("ask-b")),
  context.setsState({ ...keeping, expected: "same" }, 1), context.getsState(keeping),
  context.deletesState(keeping), context.getsState(keeping),
  context.readsHistory(looking, 2, "backward"), context.searches(looking, "heard"),
  context.readsLog(looking, 2), context.getsEvent(looking, "own"), context.getsPrompt(looking),
  results.writes(authority, writing("ask", "c")), claims.passes("interactions", 1),
  claims.sweeps("admin"),
  context.pulls({ ...steering, most: 100, ack: [1] }),
];

const ends: Command[] = [
  claims.renewals("fit", 1, 0),
  claims.releases("fit", 1, { refund: false, reason: "later, please", later: false }),
  claims.claims("admin", any), claims.passes("lease", 1), claims.sweeps("admin"),
  runs.reads(reading), claims.comesDue, claims.claims("one", any),
  runs.readsEvents({ ...reading, path: "own" }, 2, "backward"), runs.follows(reading, 1),
  runs.cancels(reading, "enough"), runs.reads(reading),
  results.writesPile({ form: "behind", by: "fit", items: [
    { authority, writing: writing("delta", "a") }, { authority, writing: writing("delta", "b") },
  ] }),
  results.writesPile({ form: "list", by: "fit", items: [
    { authority, writing: writing("delta", "c") }, { authority, writing: writing("delta", "d") },
  ] }),
  results.finalizes(authority, "cancelled", "done"), results.finalizes(authority, "cancelled", null),
  runs.reads({ ...reading, at: 2 }), runs.reads(reading), runs.retries("fit", 2, "queued", 1),
  runs.retries("fit", 3, "running", 1),
  runs.lists("admin", null, null, 2), runs.lists("one", null, null, 100),
  standing.counts("admin"), standing.listsPlugins("one"), standing.audits("admin", 3),
  claims.leaves("one", "one"), claims.leaves("admin", "two"), claims.listsRuntimes("admin", 100),
];

export const tour: Command[] = [...standings, ...work, ...ends];
