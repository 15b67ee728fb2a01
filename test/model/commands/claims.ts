// Commands that claim and give back, and what runtimes, runners, sweeps and time do.

import fc from "fast-check";
import { expect } from "vitest";
import {
  anyClaim, anyRun, byAnybody, command, expectRun, idOf, pickBy, pickClaim, pickFrom, pickRun, proofOf,
  readPages, same, showRecord, showRun, type By, type Command,
} from "./command.js";
import {
  hasLease, isTerminal, names, refuse, requireAdmin, type Name, type Reference, type Run,
  type Runtime,
} from "../reference/reference.js";
import {
  claimNext, isClaimable, noteClaim, release, renew, requeue, sweep, type ClaimWish,
} from "../reference/runs.js";
import { passTime } from "../world.js";

type Wish = Omit<ClaimWish, "run_id" | "runtime"> & { own: number | null; runtime: Name | null };

export const anyWish = fc.record<Wish>({
  own: fc.constantFrom(...Array<null>(15).fill(null), 1, 2),
  runtime: fc.constantFrom<Name | null>(...Array<null>(18).fill(null), "one", "admin"),
  queue: fc.constantFrom(null, null, null, "fast"),
  runner_of: fc.constantFrom<Name | null>(null, null, null, null, null, "one", "two"),
  most: fc.constantFrom(null, null, 1, 3),
});

export const claims = (who: By, given: Wish): Command =>
  command(`${who} claims ${JSON.stringify(given)}`, async ({ model, real }) => {
    const by = pickBy(who, model.runs.find(isClaimable)?.owner);
    const { own, queue, runner_of, most } = given;
    const runtime = given.runtime ?? by;
    const run_id = own === null ? null : idOf(pickRun(model, own));
    const { runtime_id } = real.actors[runtime];
    const params = {
      runtime_id, lease_seconds: 3600,
      ...(run_id === null ? {} : { run_id }), ...(queue === null ? {} : { queue_name: queue }),
      ...(runner_of === null ? {} : { runner_ids: [real.actors[runner_of].runner_id] }),
      ...(most === null ? {} : { max_runs: most }),
    };
    const out = await same({ model, real }, { by, method: "run_claim", params },
      () => claimNext(model, by, { run_id, runtime, queue, runner_of, most }));
    if (out === null) return;
    const items = most === null ? [out.answer] : out.answer.runs;
    expect(items.map((item: { run_id: string }) => item.run_id))
      .toEqual(out.due.map((run) => run.run_id));
    out.due.forEach((run, at) => {
      const { claim_token, available_apis } = items[at];
      noteClaim(model, run, by, { runtime: runtime_id, claim_token });
      expectRun(items[at], run, real);
      for (const name of run.grants) expect(available_apis).toHaveProperty(name, true);
    });
  });

export const renewals = (by: By, at: number, own: number | null): Command =>
  command(`${by} renews claim -${at} from ${own}`, async ({ model, real }) => {
    const claim = pickClaim(model, at);
    if (claim === null) return;
    const caller = pickBy(by, claim.by);
    const run_id = own === null ? null : own === 0 ? claim.run.run_id : idOf(pickRun(model, own));
    const params = {
      ...(run_id === null ? {} : { run_id }), target_run_id: claim.run.run_id, ...proofOf(claim),
      claim_epoch: claim.epoch, lease_seconds: 3600,
    };
    const out = await same({ model, real }, { by: caller, method: "run_renew_claim", params },
      () => renew(model, caller, claim, run_id));
    if (out !== null) expectRun(out.answer, out.due, real);
  });

interface Giving {
  refund: boolean;
  reason: string | null;
  later: boolean;
}

export const releases = (by: By, at: number, { refund, reason, later }: Giving): Command =>
  command(`${by} releases claim -${at} ${JSON.stringify({ refund, reason, later })}`,
    async ({ model, real }) => {
      const claim = pickClaim(model, at);
      if (claim === null) return;
      const caller = pickBy(by, claim.by);
      const params = {
        target_run_id: claim.run.run_id, ...proofOf(claim), refund_attempt: refund,
        ...(reason === null ? {} : { reason }),
        ...(later ? { not_before: Math.floor(Date.now() / 1000) + 7200 } : {}),
      };
      const out = await same({ model, real }, { by: caller, method: "run_release_claim", params },
        () => release(model, caller, claim, { refund, reason }));
      if (out === null) return;
      out.due.held_back = later && out.due.status === "queued";
      expectRun(out.answer, out.due, real);
    });

type Standing = "online" | "draining" | "offline";

/** Of its owner all, of an administrator the hold. */
function beat(model: Reference, by: Name, of: Name, status: Standing | null): Runtime {
  const runtime = model.runtimes[of];
  if (runtime.gone) return refuse("NOT_FOUND");
  if (by !== of) {
    if (by !== "admin") return refuse("FORBIDDEN", "out_of_scope");
    if (status === null) return refuse("INVALID_PARAMS");
    const held = status === "online" ? null : status;
    const isChange = runtime.held !== held;
    Object.assign(runtime, { held, status: held ?? runtime.sent });
    if (isChange) model.noteAdmin("runtime_heartbeat", by, null);
    return runtime;
  }
  runtime.overdue = false;
  if (status !== null || runtime.status === "stale") runtime.sent = status ?? "online";
  runtime.status = runtime.held ?? runtime.sent;
  return runtime;
}

export const beats = (by: Name, of: Name, status: Standing | null): Command =>
  command(`${by} beats ${status} for ${of}`, async ({ model, real }) => {
    const isStranger = by !== of;
    const { gone, status: now } = model.runtimes[of];
    // What a hold does to a stale runtime, or a stranger to one that is gone, is left open.
    if (isStranger && (gone || now === "stale")) return;
    const params = {
      runtime_id: real.actors[of].runtime_id, ...(status === null ? {} : { status }),
      ...(isStranger ? {} : { heartbeat_ttl_seconds: 3600 }),
    };
    const out = await same({ model, real }, { by, method: "runtime_heartbeat", params },
      () => beat(model, by, of, status));
    if (out === null) return;
    expect([out.answer.status, out.answer.held]).toEqual([out.due.status, out.due.held !== null]);
  });

export const registers = (by: Name, of: Name): Command =>
  command(`${by} registers the runtime of ${of}`, async ({ model, real }) => {
    const params = { runtime_id: real.actors[of].runtime_id, heartbeat_ttl_seconds: 3600 };
    const out = await same({ model, real }, { by, method: "runtime_register", params }, () => {
      const runtime = model.runtimes[of];
      if (by !== of) return refuse("FORBIDDEN", "out_of_scope");
      const status = runtime.held ?? "online";
      Object.assign(runtime, { gone: false, overdue: false, sent: "online", status });
      return runtime;
    });
    if (out !== null) expect(out.answer.status).toBe(out.due.status);
  });

export const leaves = (by: Name, of: Name): Command =>
  command(`${by} deregisters the runtime of ${of}`, async ({ model, real }) => {
    const params = { runtime_id: real.actors[of].runtime_id };
    const out = await same({ model, real }, { by, method: "runtime_deregister", params }, () => {
      if (by !== of && by !== "admin") return refuse("FORBIDDEN", "out_of_scope");
      const runtime = model.runtimes[of];
      const wasGone = runtime.gone;
      Object.assign(runtime, { gone: true, status: "offline" });
      const held = model.runs.filter((run) => run.status === "claimed" && run.claim?.by === of);
      for (const run of held) requeue(model, run, { reason: "runtime deregistered", back_off: false });
      if (by !== of && !wasGone) model.noteAdmin("runtime_deregister", by, null);
      return held.length;
    });
    if (out !== null) expect(out.answer.released_claim_count).toBe(out.due);
  });

const isStale = ({ status, overdue }: Runtime): boolean => status === "stale" || overdue;

export const listsRuntimes = (by: Name, limit: number): Command =>
  command(`${by} lists runtimes by ${limit}`, async ({ model, real }) => {
    const call = { by, method: "runtime_list", params: { limit } };
    const out = await same({ model, real }, call, () => names.filter((name) =>
      (by === "admin" || name === by) && !model.runtimes[name].gone));
    if (out === null) return;
    expect(out.answer.total_count).toBe(out.due.length);
    const items = await readPages(real, call, "after_cursor");
    expect(items.map(({ runtime_id, status, is_stale, held }) => [runtime_id, status, is_stale, held]))
      .toEqual(out.due.map((name) => {
        const runtime = model.runtimes[name];
        return [real.actors[name].runtime_id, runtime.status, isStale(runtime), runtime.held !== null];
      }));
  });

/** null withdraws it. */
export const declares = (by: Name, capabilities: Record<string, boolean> | null): Command =>
  command(`${by} declares ${JSON.stringify(capabilities)}`, async ({ model, real }) => {
    const { runner_id } = real.actors[by];
    const runners = capabilities === null ? [] : [{ id: runner_id, capabilities }];
    const wasThere = model.runners[by] !== null;
    const out = await same({ model, real },
      { by, method: "runner_register", params: { runners, replace: true } }, () => {
        model.runners[by] = capabilities;
      });
    if (out === null) return;
    expect(out.answer.withdrawn_count).toBe(capabilities === null && wasThere ? 1 : 0);
    const listed = await same({ model, real }, { by, method: "runner_list", params: {} },
      () => names.filter((name) => (by === "admin" || name === by) && model.runners[name] !== null));
    const found: { id: string; capabilities: object }[] = listed!.answer.items;
    expect(found.map(({ id, capabilities: told }) => [id, told])).toEqual(
      listed!.due.map((name) => [real.actors[name].runner_id, model.runners[name]]));
  });

export const declaresAnother = (by: Name, of: Name): Command =>
  command(`${by} declares the runner of ${of}`, async (turn) => {
    if (by === of) return;
    const params = { runners: [{ id: turn.real.actors[of].runner_id }] };
    await same(turn, { by, method: "runner_register", params },
      () => refuse("FORBIDDEN", "out_of_scope"));
  });

export const sweeps = (by: Name): Command => command(`${by} sweeps`, async ({ model, real }) => {
  const wasClaimed = model.runs.filter((run) => run.status === "claimed");
  const out = await same({ model, real }, { by, method: "runtime_reconcile", params: {} }, () => {
    requireAdmin(by);
    return sweep(model);
  });
  if (out === null) return;
  const { stale_runtimes, released_claims, ...counts } = out.answer;
  expect(counts).toEqual({ ...out.due, more: false });
  expect(stale_runtimes).toHaveLength(out.due.stale_count);
  const released = wasClaimed.filter((run) => run.status === "queued");
  const byId = (a: { run_id: string }, b: { run_id: string }): number => a.run_id < b.run_id ? -1 : 1;
  expect(released_claims.map(showRecord).sort(byId))
    .toEqual(released.map((run) => showRun(run, real)).sort(byId));
});

type Passing = "lease" | "deadline" | "session" | "reading" | "steering" | "interactions";
export const anyPassing = fc.constantFrom<Passing>(
  "lease", "lease", "deadline", "session", "reading", "steering", "interactions", "interactions");

/** For which runs something happens. */
const lapses: Record<Passing, (run: Run) => boolean> = {
  lease: hasLease,
  deadline: (run) => !isTerminal(run) && run.deadline === "ahead",
  session: (run) => !isTerminal(run) && run.deadline !== "none" && run.deadline !== "over",
  reading: isTerminal,
  steering: ({ items }) => items.some(({ state }) => state === "leased"),
  interactions: ({ interactions }) => interactions.some(({ status }) => status === "pending"),
};

export const passes = (what: Passing, at: number): Command =>
  command(`the ${what} of run -${at} runs out`, async ({ model, real }) => {
    const run = pickFrom(model.runs.filter(lapses[what]), at) ?? pickRun(model, at);
    if (run === undefined) return;
    const { run_id } = run;
    if (what === "reading" && isTerminal(run)) {
      run.unreadable = true;
      await passTime.age(real, run_id);
    }
    if (what === "steering") {
      for (const item of run.items) if (item.state === "leased") item.lease_over = true;
      await passTime.endSteeringLeases(real, run_id);
    }
    if (what === "interactions") {
      for (const asked of run.interactions) if (asked.status === "pending") asked.overdue = true;
      await passTime.endInteractions(real, run_id);
    }
    if (what === "lease" && hasLease(run)) {
      run.lease_over = true;
      await passTime.endLease(real, run_id);
    }
    if (what === "deadline" || what === "session") await passDeadline(run, what, () =>
      passTime.passDeadline(real, run_id, what === "deadline" ? 1 : 61));
  });

async function passDeadline(
  run: Run, what: "deadline" | "session", shift: () => PromiseLike<unknown>,
): Promise<void> {
  if (isTerminal(run) || run.deadline === "none" || run.deadline === "over") return;
  run.deadline = what === "deadline" ? "passed" : "over";
  if (what === "session" && run.status === "claimed") run.lease_over = true;
  await shift();
}

export const comesDue = command("all that waits comes due", async ({ model, real }) => {
  for (const run of model.runs) run.held_back = false;
  await passTime.dueNow(real);
});

export const missesHeartbeat = (of: Name): Command =>
  command(`the heartbeat of ${of} is missed`, async ({ model, real }) => {
    if (model.runtimes[of].gone) return;
    model.runtimes[of].overdue = true;
    await passTime.missHeartbeat(real, real.actors[of].runtime_id);
  });

export const anyRenewal = fc.tuple(byAnybody, anyClaim, fc.constantFrom(null, null, 0, 1, 2))
  .map(([by, at, own]) => renewals(by, at, own));

export const anyRelease = fc.tuple(byAnybody, anyClaim, fc.record({
  refund: fc.boolean(), reason: fc.constantFrom(null, "later, please"),
  later: fc.constantFrom(false, false, true),
})).map(([by, at, giving]) => releases(by, at, giving));

export const anyTime = fc.tuple(anyPassing, anyRun).map(([what, at]) => passes(what, at));
