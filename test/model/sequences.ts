// The commands that random sequences are made of, and one sequence by hand in which every action
// that is modelled succeeds.

import fc from "fast-check";
import {
  anyClaim, anyRun, byAnybody, type Command,
} from "./commands/command.js";
import * as claims from "./commands/claims.js";
import * as context from "./commands/context.js";
import * as results from "./commands/results.js";
import * as runs from "./commands/runs.js";
import * as standing from "./commands/standing.js";
import { names, type Name } from "./reference/reference.js";

const anyName = fc.constantFrom<Name>(...names);
const anyLimit = fc.constantFrom(2, 3, 100);
const anyReason = fc.constantFrom(null, "enough");

type Parts<T extends unknown[]> = { [K in keyof T]: fc.Arbitrary<T[K]> };
const some = <T extends unknown[]>(make: (...parts: T) => Command, ...parts: Parts<T>) =>
  fc.tuple(...parts).map((made) => make(...(made as T)));

const often = (times: number, arbitrary: fc.Arbitrary<Command>): fc.Arbitrary<Command>[] =>
  Array<fc.Arbitrary<Command>>(times).fill(arbitrary);

const ofRuns = [
  ...often(10, some(runs.creates, anyName, runs.anyWanted)),
  some(runs.retries, byAnybody, anyRun, fc.constantFrom("queued", "running"),
    fc.integer({ min: 1, max: 2 })),
  ...often(2, some(runs.reads, runs.anyReading)),
  some(runs.readsEvents, runs.anyReading, anyLimit, fc.constantFrom("forward", "backward")),
  some(runs.follows, runs.anyReading, fc.integer({ min: 0, max: 2 })),
  some(runs.watches, anyRun),
  ...often(3, some(runs.cancels, runs.anyReading, anyReason)),
  some(runs.lists, anyName, fc.constantFrom(null, null, 1, 2),
    fc.constantFrom(null, null, "queued", "claimed"), anyLimit),
];

const ofClaims = [
  ...often(14, some(claims.claims, byAnybody, claims.anyWish)),
  claims.anyRenewal,
  claims.anyRelease,
  ...often(3, some(claims.beats, anyName, anyName,
    fc.constantFrom(null, "online", "online", "draining", "offline"))),
  ...often(3, some(claims.registers, anyName, anyName)),
  some(claims.leaves, anyName, anyName),
  some(claims.listsRuntimes, anyName, anyLimit),
  some(claims.declares, anyName, fc.constantFrom<Record<string, boolean> | null>(
    {}, {}, {}, {}, {}, { steering: false }, { interactions: false }, null)),
  some(claims.declaresAnother, anyName, anyName),
  some(claims.sweeps, fc.constantFrom<Name>("admin", "admin", "admin", "one")),
  ...often(4, claims.anyTime),
  fc.constant(claims.comesDue),
  some(claims.missesHeartbeat, anyName),
];

const ofResults = [
  ...often(16, some(results.writes, results.anyAuthority, results.anyWriting)),
  ...often(2, some(results.writesPile, results.anyPile)),
  ...often(2, some(results.finalizes, results.anyAuthority, results.anyStatus, anyReason)),
  some(results.finalizesList, byAnybody, fc.array(anyClaim, { minLength: 1, maxLength: 3 }),
    results.anyStatus),
];

const ofContext = [
  ...often(14, some(context.publishes, anyName, context.anyNews)),
  ...often(8, some(context.pulls, context.anySteering)),
  ...often(2, some(context.acknowledges, context.anySteering)),
  ...often(2, some(context.getsState, context.anyKeeping)),
  ...often(4, some(context.setsState, context.anyKeeping,
    fc.constantFrom<unknown>(1, null, { a: [2] }))),
  some(context.deletesState, context.anyKeeping),
  ...often(6, some(context.submits, context.anyAsking,
    fc.constantFrom("fit", "fit", "fit", "Ada", "", null),
    fc.constantFrom("fit", "fit", null, "other"))),
  some(context.cancelsAsking, context.anyAsking),
  some(context.readsAsking, context.anyAsking, fc.constantFrom("target", "own", "all"), anyLimit),
  some(context.readsHistory, context.anyLooking, anyLimit, fc.constantFrom("forward", "backward")),
  some(context.searches, context.anyLooking, fc.constantFrom("hello", "heard", "e1", "a")),
  some(context.readsLog, context.anyLooking, anyLimit),
  some(context.getsEvent, context.anyLooking, fc.constantFrom("own", "e1", "e2", "e3", "never")),
  some(context.getsPrompt, context.anyLooking),
];

const ofStanding = [
  some(standing.enables, standing.anyPlugin, fc.constantFrom(true, true, true, true, true, false)),
  some(standing.rotates, standing.anyPlugin),
  some(standing.grants, standing.anyPlugin, fc.constantFrom(true, true, true, true, true, false)),
  some(standing.listsPlugins, anyName),
  some(standing.speaksFor, fc.constantFrom<Name | "hub">("one", "admin", "hub"),
    fc.constantFrom<Name | "nobody" | "built-in">("one", "two", "admin", "nobody", "built-in")),
  some(standing.describes, anyName),
  some(standing.counts, fc.constantFrom<Name>("admin", "admin", "one")),
  some(standing.audits, fc.constantFrom<Name>("admin", "admin", "two"), anyLimit),
];

/** What gives the rest something to work on. */
export const anyBeginning = fc.array(fc.oneof(
  ...often(3, some(runs.creates, anyName, runs.anyWanted)),
  ...often(2, some(claims.claims, byAnybody, claims.anyWish)),
  some(context.publishes, anyName, context.anyNews),
), { maxLength: 20, size: "max" });

export const anyCommands = (most: number) => fc.commands(
  [...ofRuns, ...ofClaims, ...ofResults, ...ofContext, ...ofStanding],
  { maxCommands: most, size: "max" },
);
