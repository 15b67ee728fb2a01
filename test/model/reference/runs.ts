// How runs come, are claimed, go back and end, by chapters 4, 7, M.2, M.3 and M.5 of the contract.

import {
  hasLease, isClaimer, isCreator, isInScope, isLive, isPast, isTerminal, reach, refuse,
  requireCapability, requireCreation, requireProof, requireSession, type Claim, type Interaction,
  type Item, type Name, type Reference, type Run, type Target, type Wanted,
} from "./reference.js";

export function create(model: Reference, by: Name, wanted: Wanted): { run: Run; again: boolean } {
  requireCreation(model, by);
  const content = JSON.stringify(wanted);
  const known = model.find(wanted.run_id);
  if (known) {
    const isSame = known.created_by === by && known.content === content;
    return isSame ? { run: known, again: true } : refuse("CONFLICT", "run_id_reused");
  }
  const isMore = Object.entries(wanted.apis).some(([, isGiven]) => isGiven);
  if (isMore && by !== "admin") refuse("FORBIDDEN", "permission_missing");
  requireRunner(model, wanted.owner);
  const event_id = wanted.event_id ?? `api:${wanted.run_id}`;
  const logged = model.events.find((event) => event.event_id === event_id);
  if (logged && logged.place !== wanted.place) refuse("CONFLICT", "event_id_reused");
  const run = addRun(model, { ...wanted, event_id, created_by: by, content });
  const { place, event: type } = wanted;
  const row = logged ?? model.log({ event_id, type, place, run });
  if (type === "message.received" && !row.has_item) {
    row.has_item = true;
    model.say(place, "user", "hello");
  }
  model.noteAdmin("run_create", by, run);
  return { run, again: false };
}

export function requireRunner(model: Reference, owner: Name): void {
  if (model.runners[owner] === null || !model.enabled[owner]) refuse("NOT_FOUND");
}

type Made = Wanted & Pick<Run, "event_id" | "created_by" | "content"> & Partial<Run>;

export function addRun(model: Reference, made: Made): Run {
  const run: Run = {
    parent: null, text: "hello", grants: grantsOf(made), status: made.dispatch, reason: null,
    attempts: 0, epoch: 0, claim: null, lease_over: false, held_back: false, held_epoch: -1,
    deadline: made.bounded ? "ahead" : "none", cancel_reason: null, last_sequence: 0,
    events: new Map(), wrote_under_claim: false, last_message: null, unreadable: false,
    redispatched: false, items: [], interactions: [], ...made,
    // Until the host has told its id it stands behind all others.
    number: Infinity,
  };
  model.runs.push(run);
  return run;
}

function grantsOf({ place, policy, prompt, apis }: Wanted): Set<string> {
  const granted = ["run_get", "run_events_page", "run_cancel"];
  if (place !== null) {
    granted.push("run_list", "history_page", "history_search", "event_page", "event_get",
      "steering_pull");
  }
  if (policy !== "off") granted.push("state");
  if (prompt) granted.push("prompt_get");
  const grants = new Set(granted);
  for (const [name, isGiven] of Object.entries(apis)) {
    if (isGiven) grants.add(name);
    else grants.delete(name);
  }
  return grants;
}

export function retry(
  model: Reference, by: Name, target_run_id: string,
  { new_run_id, dispatch }: { new_run_id: string; dispatch: Run["dispatch"] },
): Run {
  const target = model.find(target_run_id);
  if (!target) return by === "admin" ? refuse("NOT_FOUND") : refuse("FORBIDDEN", "not_authorized");
  const isFull = by === "admin" || isCreator(model, by, target);
  if (!isFull && target.owner !== by) return refuse("FORBIDDEN", "not_authorized");
  const known = model.find(new_run_id);
  if (known) return known;
  const isFit = isFull
    ? isTerminal(target) : ["failed", "timeout"].includes(target.status) && !target.unreadable;
  if (!isFit) return refuse("CONFLICT", "run_not_retryable");
  requireRunner(model, target.owner);
  const run = copyRun(model, target, { run_id: new_run_id, dispatch });
  model.noteAdmin("run_retry", by, run);
  return run;
}

function copyRun(
  model: Reference, from: Run, made: Pick<Run, "run_id" | "dispatch"> & Partial<Run>,
): Run {
  const { owner, priority, max_attempts, pinned, place, actor, policy, prompt, apis, event,
    event_id, created_by, text } = from;
  const bounded = from.deadline !== "none" || made.dispatch === "running";
  const queue = made.dispatch === "running" ? null : from.queue ?? "default";
  return addRun(model, {
    owner, priority, max_attempts, pinned, place, actor, policy, prompt, apis, event,
    event_id, created_by, text, bounded, queue, content: null, parent: from,
    redispatched: from.redispatched, ...made,
  });
}

export function isClaimable(run: Run): boolean {
  const isFree = run.status === "queued" || (run.status === "claimed" && run.lease_over);
  return isFree && run.cancel_reason === null && run.attempts < run.max_attempts
    && !run.held_back && !isPast(run);
}

export interface ClaimWish {
  run_id: string | null;
  runtime: Name;
  queue: string | null;
  runner_of: Name | null;
  most: number | null;
}

/** The runs that this claim has to get, in order; the host makes the proofs. */
export function claimNext(model: Reference, by: Name, wish: ClaimWish): Run[] {
  const { run_id, runtime, queue, runner_of, most } = wish;
  const isReached = reachForClaim(model, by, run_id, runner_of);
  const { status, overdue, gone } = model.runtimes[runtime];
  if (gone) return refuse("NOT_FOUND");
  if (runtime !== by) return refuse("FORBIDDEN", "out_of_scope");
  if (status !== "online" || overdue) return refuse("CONFLICT", "runtime_not_online");
  const found = model.runs
    .filter((run) => isReached(run) && isClaimable(run))
    .filter((run) => (queue === null || run.queue === queue)
      && (runner_of === null || run.owner === runner_of)
      && (!run.pinned || run.owner === by))
    .sort((a, b) => b.priority - a.priority || a.number - b.number)
    .slice(0, most ?? 1);
  return found.length === 0 ? refuse("NO_RUN_AVAILABLE") : found;
}

function reachForClaim(
  model: Reference, by: Name, run_id: string | null, runner_of: Name | null,
): (run: Run) => boolean {
  const s = run_id === null ? null : requireSession(model, by, run_id, "live");
  if (by === "admin") return () => true;
  if (s === null) {
    if (runner_of !== null && runner_of !== by) refuse("FORBIDDEN", "out_of_scope");
    return (run) => run.owner === by;
  }
  requireCapability(by, s, s, "run_claim");
  const isOutside = runner_of !== null && runner_of !== s.owner;
  if (s.place === null || isOutside) refuse("FORBIDDEN", "out_of_scope");
  return (run) => isInScope(s, run);
}

export function noteClaim(
  model: Reference, run: Run, by: Name, proof: { runtime: string; claim_token: string },
): Claim {
  if (run.status === "claimed") {
    model.note("run_reclaimed", "host", run);
    freeItems(run);
  }
  model.noteAdmin("run_claim", by, run);
  Object.assign(run, {
    status: "claimed", reason: null, epoch: run.epoch + 1, attempts: run.attempts + 1,
    lease_over: false, wrote_under_claim: false,
  });
  const claim = { run, by, epoch: run.epoch, ...proof };
  run.claim = claim;
  model.claims.push(claim);
  return claim;
}

const freeItems = (run: Run): void => {
  for (const item of run.items) if (item.state === "leased") item.state = "queued";
};

export interface Release {
  refund: boolean;
  reason: string | null;
}

/** CLAIM(c) with `run_id` absent or the target; renewing another plugin's run needs runtime:admin. */
export function renew(model: Reference, by: Name, claim: Claim, run_id: string | null): Run {
  if (run_id !== null) {
    const s = requireSession(model, by, run_id, run_id === claim.run.run_id ? "own" : "live");
    if (s !== claim.run && by !== "admin") {
      requireCapability(by, s, claim.run, "run_renew_claim");
      requireScope(s, claim.run);
    }
  }
  return requireProof(by, claim);
}

const requireScope = (s: Run, t: Run): void => {
  if (!isInScope(s, t)) refuse("FORBIDDEN", "out_of_scope");
};

export function release(model: Reference, by: Name, claim: Claim, wish: Release): Run {
  const run = requireProof(by, claim);
  if (wish.refund && run.wrote_under_claim) return refuse("CONFLICT", "attempt_used");
  if (wish.refund) run.attempts -= 1;
  if (run.owner !== by) model.noteAdmin("run_release_claim", by, run);
  return requeue(model, run, { reason: wish.reason, back_off: false });
}

export function requeue(
  model: Reference, run: Run,
  { reason, back_off }: { reason: string | null; back_off: boolean },
): Run {
  if (run.cancel_reason !== null) return end(model, run, "cancelled", run.cancel_reason);
  if (isPast(run)) return end(model, run, "timeout", "deadline exceeded");
  if (run.attempts >= run.max_attempts) {
    return end(model, run, "failed", "dispatch attempts exhausted");
  }
  freeItems(run);
  return Object.assign(run, {
    status: "queued", reason, claim: null, lease_over: false, held_back: back_off,
  });
}

export function end(model: Reference, run: Run, status: string, reason: string | null): Run {
  Object.assign(run, { status, reason: reason ?? run.reason, lease_over: true });
  for (const interaction of run.interactions) {
    if (interaction.status === "pending") interaction.status = "cancelled";
  }
  leaveItems(model, run);
  return run;
}

/** LEFTOVERS. */
function leaveItems(model: Reference, run: Run): void {
  const left = run.items.filter(({ state }) => state === "queued" || state === "leased");
  for (const item of left) if (item.type !== "message") item.state = "dropped";
  const [first, ...others] = left.filter(({ type }) => type === "message");
  if (first === undefined) return;
  const { place } = run;
  if (model.runners[run.owner] === null || !model.enabled[run.owner]) {
    for (const item of [first, ...others]) {
      item.state = "dropped";
      model.log({ type: "steering.dropped", place, run: null });
    }
    return;
  }
  first.state = "redispatched";
  const next = copyRun(model, run, {
    run_id: "", dispatch: "queued", event_id: first.about, actor: null, redispatched: true,
    event: "message.received", text: `heard ${first.about}`,
  });
  for (const item of others) Object.assign(item, { state: "queued", moved: true });
  next.items = others;
  run.items = run.items.filter((item) => !others.includes(item));
  for (const _ of [first, ...others]) {
    model.log({ type: "steering.redispatched", place, run: null });
  }
  model.note("run_redispatched", "host", null);
}

export function cancel(model: Reference, by: Name, target: Target, reason: string | null): Run {
  const run = reach(model, by, target, "run_cancel");
  if (isTerminal(run)) return run;
  const said = reason ?? "cancel requested";
  if (isLive(run)) {
    if (run.cancel_reason !== null) return run;
    Object.assign(run, { cancel_reason: said, reason: said });
  } else {
    run.cancel_reason ??= said;
    end(model, run, "cancelled", said);
  }
  const s = target.run_id === undefined ? undefined : model.find(target.run_id);
  const isOwn = s !== undefined && s.grants.has("run_cancel") && isInScope(s, run);
  if (!isOwn) model.noteAdmin("run_cancel", by, run);
  return run;
}

export interface Swept {
  stale_count: number;
  released_claim_count: number;
  exhausted_count: number;
  timeout_count: number;
  cancelled_count: number;
  expired_interaction_count: number;
  expired_steering_count: number;
}

/** What a sweep does at this moment. */
export function sweep(model: Reference): Swept {
  const swept: Swept = {
    stale_count: 0, released_claim_count: 0, exhausted_count: 0, timeout_count: 0,
    cancelled_count: 0, expired_interaction_count: 0, expired_steering_count: 0,
  };
  const endings: Record<string, [keyof Swept, string]> = {
    queued: ["released_claim_count", "run_requeued"], failed: ["exhausted_count", "run_exhausted"],
    cancelled: ["cancelled_count", "run_cancelled"], timeout: ["timeout_count", "run_timeout"],
  };
  const count = (run: Run): void => {
    const [name, action] = endings[run.status]!;
    swept[name] += 1;
    model.note(action, "host", run);
  };
  for (const runtime of Object.values(model.runtimes)) {
    // A hold stands before what the owner sent, and does not keep it from going stale.
    const { gone, overdue, sent } = runtime;
    if (gone || !overdue || sent === "offline" || runtime.status === "stale") continue;
    runtime.status = "stale";
    swept.stale_count += 1;
    model.note("runtime_stale", "host", null);
  }
  const runs = [...model.runs];
  for (const run of runs) {
    if (isTerminal(run) || !isPast(run)) continue;
    const isCancelled = run.cancel_reason !== null;
    count(end(model, run, isCancelled ? "cancelled" : "timeout", "deadline exceeded"));
  }
  for (const run of runs) {
    if (run.status !== "claimed" || hasLease(run)) continue;
    count(requeue(model, run, { reason: "claim lease expired", back_off: true }));
  }
  for (const run of runs) swept.expired_interaction_count += expireInteractions(model, run);
  for (const item of runs.flatMap(({ items }) => items)) {
    if (item.state !== "leased" || !item.lease_over) continue;
    item.state = "queued";
    swept.expired_steering_count += 1;
  }
  return swept;
}

function expireInteractions(model: Reference, run: Run): number {
  const due = run.interactions.filter(({ status, overdue }) => status === "pending" && overdue);
  for (const interaction of due) expire(model, run, interaction);
  return due.length;
}

export function expire(model: Reference, run: Run, interaction: Interaction): void {
  interaction.status = "expired";
  attach(model, run, { type: "interaction.expired", about: interaction.interaction_id });
}

export function attach(model: Reference, run: Run, about: Pick<Item, "type" | "about">): Item {
  const item: Item = {
    ...about, steering_id: null, state: "queued", lease_over: false, deliveries: 0, moved: false,
  };
  run.items.push(item);
  model.steering.push(item);
  return item;
}

/** The codes of run_explain, but for those that compare with other runs of the queue. */
export function explain(model: Reference, run: Run): string[] {
  const codes: string[] = [];
  const add = (code: string, isSo: boolean): void => void (isSo && codes.push(code));
  const isOpen = !isTerminal(run);
  const isWaiting = run.status === "queued" || (run.status === "claimed" && !hasLease(run));
  const canClaim = (name: Name): boolean => {
    const { status, overdue, gone } = model.runtimes[name];
    const isFit = model.enabled[name] && (name === "admin" || name === run.owner);
    return isFit && !gone && !overdue && status === "online";
  };
  add("ended", !isOpen);
  add("lease_held", hasLease(run));
  add("lease_over", run.status === "claimed" && !hasLease(run));
  add("owner_executes", run.status === "running" && isLive(run));
  add("deadline_passed", isOpen && isPast(run));
  add("cancel_requested", isOpen && run.cancel_reason !== null);
  add("interaction_pending", isOpen
    && run.interactions.some(({ status, overdue }) => status === "pending" && !overdue));
  const isTheirs = isWaiting || run.status === "running" || isClaimer(run.owner, run);
  add("plugin_disabled", isOpen && !model.enabled[run.owner] && isTheirs);
  add("attempts_exhausted", isWaiting && run.attempts >= run.max_attempts);
  add("not_due", isWaiting && run.held_back);
  add("runner_not_registered", isWaiting && model.runners[run.owner] === null);
  const isServed = run.pinned ? canClaim(run.owner) : (["one", "two", "admin"] as const).some(canClaim);
  add("no_online_runtime", isWaiting && !run.pinned && !isServed);
  add("pinned_runtime_not_online", isWaiting && run.pinned && !isServed);
  const isAhead = (other: Run): boolean => {
    const comes = other.priority > run.priority
      || (other.priority === run.priority && other.number < run.number);
    const isSameRuntime = !other.pinned || (run.pinned && other.owner === run.owner);
    return comes && other.queue === run.queue && isClaimable(other) && isSameRuntime;
  };
  const isBehind = isClaimable(run) && model.runs.some(isAhead);
  add("runs_ahead", isBehind);
  const stops = ["no_online_runtime", "pinned_runtime_not_online", "runs_ahead"];
  add("awaiting_claim", isClaimable(run) && !codes.some((code) => stops.includes(code)));
  return codes;
}
