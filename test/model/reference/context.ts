// What reaches a run while it works and what it remembers: events, steering, state, interactions
// and the transcript, by event_publish, M.7 to M.10 and 5.5 of the contract.

import {
  isCreator, isLive, isProved, partsOf, reach, refuse, requireCapability, requireCreation,
  requireRun, requireSession, sees,
  type Claim, type Interaction, type Item, type LoggedEvent, type Name, type Outcome,
  type Reference, type Run, type Scope, type Target,
} from "./reference.js";
import { addRun, attach, expire, requireRunner } from "./runs.js";

export interface News {
  event_id: string;
  event_type: string;
  place: string | null;
  owner: Name | null;
  absorb: boolean;
}

export function publish(model: Reference, by: Name, news: News): Outcome & { again: boolean } {
  const { event_id, event_type, place, owner } = news;
  requireCreation(model, by);
  const content = JSON.stringify(news);
  const known = model.events.find((event) => event.event_id === event_id);
  if (known) {
    const { published } = known;
    const isSame = published?.by === by && published.content === content;
    return isSame ? { ...published.outcome, again: true } : refuse("CONFLICT", "event_id_reused");
  }
  const match = findMatch(model, news);
  if (!match && owner !== null) requireRunner(model, owner);
  const has_item = event_type === "message.received" && place !== null;
  const logged = model.log({ event_id, type: event_type, place, has_item });
  if (has_item) model.say(place, "user", `heard ${event_id}`);
  const outcome = dispose(model, by, { news, match });
  logged.run = outcome.run;
  logged.published = { by, content, outcome };
  model.noteAdmin("event_publish", by, outcome.run);
  return { ...outcome, again: false };
}

/** MATCH with the lowest id. */
function findMatch(model: Reference, news: News): Run | undefined {
  const { event_type, place, owner, absorb } = news;
  if (event_type !== "message.received" || place === null || !absorb) return undefined;
  return model.runs
    .filter((run) => isLive(run) && run.cancel_reason === null && run.grants.has("steering_pull")
      && run.place === place && (owner === null || run.owner === owner)
      && model.runners[run.owner]?.["steering"] !== false)
    .sort((a, b) => a.number - b.number)[0];
}

function dispose(
  model: Reference, by: Name, { news, match }: { news: News; match: Run | undefined },
): Outcome {
  const { event_id, event_type, place, owner } = news;
  if (match) {
    attach(model, match, { type: "message", about: event_id });
    return { disposition: "absorbed", run: match };
  }
  if (owner === null) return { disposition: "logged", run: null };
  const run = addRun(model, {
    run_id: "", owner, dispatch: "queued", priority: 0, max_attempts: 10, queue: "default",
    pinned: false, bounded: false, place, actor: null, policy: "default", prompt: false,
    apis: {}, event: event_type, event_id, created_by: by, content: null,
    text: `heard ${event_id}`,
  });
  return { disposition: "run_created", run };
}

/** The executor only: the owner of a running run, the claimer of a claimed one. */
function requireExecution(model: Reference, by: Name, run_id: string, claim: Claim | null): Run {
  const run = requireRun(model, by, run_id, "steering_pull");
  if (claim !== null && !(claim.run === run && isProved(by, claim))) {
    return refuse("LEASE_LOST", "claim_not_active");
  }
  const isExecutor = run.status === "running" ? run.owner === by : run.claim?.by === by;
  return isExecutor ? run : refuse("LEASE_LOST", "claim_required");
}

export interface Pull {
  run_id: string;
  claim: Claim | null;
  most: number;
  ack: Item[];
}

export function pull(
  model: Reference, by: Name, { run_id, claim, most, ack }: Pull,
): { items: Item[]; pending: number; acked: Item[] } {
  const run = requireExecution(model, by, run_id, claim);
  const acked = confirm(model, run, ack);
  const isWaiting = (item: Item): boolean =>
    item.state === "queued" || (item.state === "leased" && item.lease_over);
  const items = run.items.filter(isWaiting).slice(0, most);
  for (const item of items) {
    Object.assign(item, { state: "leased", lease_over: false, moved: false });
    item.deliveries += 1;
  }
  return { items, pending: run.items.filter(isWaiting).length, acked };
}

export function acknowledge(
  model: Reference, by: Name, { run_id, claim, ack }: Omit<Pull, "most">,
): Item[] {
  return confirm(model, requireExecution(model, by, run_id, claim), ack);
}

function confirm(model: Reference, run: Run, wanted: Item[]): Item[] {
  const acked = wanted.filter((item) => run.items.includes(item) && item.deliveries > 0);
  for (const item of acked) {
    if (item.state !== "injected" && item.type === "message") {
      model.log({ type: "steering.injected", place: run.place });
    }
    item.state = "injected";
  }
  return acked;
}

/** What runs share a scope by. */
export function keyOf({ owner, place, actor }: Run, scope: string): string {
  const { conversation, thread, bot } = partsOf(place);
  const identity = { conversation: `${conversation}/${thread ?? ""}`, actor, runner: "" }[scope];
  return [owner, scope, identity, bot ?? ""].join(" ");
}

/** The scope's content, or the refusal of the policy. */
function requireState(model: Reference, run: Run, scope: string): Scope {
  const { policy, place, actor } = run;
  if (policy === "off") return refuse("FORBIDDEN", "state_disabled");
  const scopes = policy === "runner" ? ["runner"] : ["conversation", "actor"];
  if (!scopes.includes(scope)) return refuse("FORBIDDEN", "scope_disabled");
  const identity = { conversation: place, actor, runner: "" }[scope];
  if (identity === null || identity === undefined) return refuse("FORBIDDEN", "scope_unavailable");
  const key = keyOf(run, scope);
  const known = model.scopes.get(key) ?? { last_version: 0, keys: new Map() };
  model.scopes.set(key, known);
  return known;
}

/** RUN(state, live), then the fence, then the policy. */
export function openState(
  model: Reference, by: Name, { run_id, scope, claim }: {
    run_id: string; scope: string; claim: Claim | null },
): Scope {
  const run = requireRun(model, by, run_id, "state");
  if (claim !== null && !(claim.run === run && isProved(by, claim))) {
    return refuse("LEASE_LOST", "claim_not_active");
  }
  return requireState(model, run, scope);
}

/** The version is the host's to choose: larger than any of the scope before. */
export function writeState(
  model: Reference, run: Run, { scope, key, value }: { scope: string; key: string; value: unknown },
): void {
  if (!run.grants.has("state")) refuse("FORBIDDEN", "capability_missing");
  const { keys } = requireState(model, run, scope);
  keys.set(key, { value, version: -1 });
}

export function requireInteraction(model: Reference, run: Run, interaction_id: string): void {
  if (model.runners[run.owner]?.["interactions"] === false) {
    refuse("FORBIDDEN", "capability_missing");
  }
  if (run.interactions.some((asked) => asked.interaction_id === interaction_id)) {
    refuse("CONFLICT", "interaction_id_reused");
  }
}

/** ADMIN · CREATOR, and the interaction exists. */
function reachInteraction(
  model: Reference, by: Name, target: Target, interaction_id: string,
): { run: Run; interaction: Interaction } {
  const run = reach(model, by, target, "run_get");
  const interaction = run.interactions.find((asked) => asked.interaction_id === interaction_id);
  return interaction ? { run, interaction } : refuse("NOT_FOUND");
}

export const readInteraction = (
  model: Reference, by: Name, target: Target, interaction_id: string,
): Interaction => reachInteraction(model, by, target, interaction_id).interaction;

export interface Submission {
  target_run_id: string;
  interaction_id: string;
  actor_id: string | null;
  values: Record<string, string>;
}

export function submit(
  model: Reference, by: Name, submission: Submission,
): { interaction: Interaction; again: boolean } {
  const { target_run_id, interaction_id, actor_id, values } = submission;
  const { run, interaction } = reachInteraction(model, by, { target_run_id }, interaction_id);
  const content = JSON.stringify([actor_id, values]);
  const { answer, actor, form } = interaction;
  if (answer?.by === by && answer.content === content) return { interaction, again: true };
  requirePending(model, run, interaction);
  const needsActor = by !== "admin" && actor !== null;
  if ((needsActor || actor_id !== null) && actor_id !== actor) refuse("FORBIDDEN", "out_of_scope");
  const isFit = form ? values["name"] !== undefined && values["name"] !== ""
    : values["name"] === undefined;
  if (!isFit) return refuse("INVALID_PARAMS");
  interaction.status = "submitted";
  interaction.answer = { by, content };
  attach(model, run, { type: "interaction.submitted", about: interaction_id });
  model.noteAdmin("interaction_submit", by, run);
  return { interaction, again: false };
}

function requirePending(model: Reference, run: Run, interaction: Interaction): void {
  if (interaction.status === "pending" && interaction.overdue) expire(model, run, interaction);
  if (interaction.status !== "pending") refuse("CONFLICT", "interaction_not_pending");
}

export function cancelInteraction(
  model: Reference, by: Name, target_run_id: string, interaction_id: string,
): { interaction: Interaction; again: boolean } {
  const { run, interaction } = reachInteraction(model, by, { target_run_id }, interaction_id);
  if (interaction.status === "cancelled") return { interaction, again: true };
  requirePending(model, run, interaction);
  interaction.status = "cancelled";
  attach(model, run, { type: "interaction.cancelled", about: interaction_id });
  model.noteAdmin("interaction_cancel", by, run);
  return { interaction, again: false };
}

/** Newest first: of one run, or of all that an administrator or a creator reaches. */
export function listInteractions(
  model: Reference, by: Name, target: Target,
): { run: Run; interaction: Interaction }[] {
  const isOne = target.run_id !== undefined || target.target_run_id !== undefined;
  if (!isOne && by !== "admin" && !model.creates[by]) return refuse("INVALID_PARAMS");
  const runs = isOne ? [reach(model, by, target, "run_get")]
    : model.runs.filter((run) => by === "admin" || isCreator(model, by, run));
  return runs
    .flatMap((run) => run.interactions.map((interaction) => ({ run, interaction })))
    .sort((a, b) => b.interaction.number - a.interaction.number);
}

/** From where the run looks; null: an empty page. */
export function requireConversation(
  model: Reference, by: Name, { run_id, wanted, name }: {
    run_id: string; wanted: string | null; name: string },
): string | null {
  const run = requireRun(model, by, run_id, name);
  if (wanted !== null && wanted !== partsOf(run.place).conversation) {
    refuse("FORBIDDEN", "out_of_scope");
  }
  return run.place;
}

export function findEvent(
  model: Reference, by: Name, run_id: string, event_id: string,
): LoggedEvent {
  const run = requireRun(model, by, run_id, "event_get");
  const event = model.events.find((row) => row.event_id === event_id);
  const isScoped = event !== undefined && sees(run.place, event.place);
  const isReached = event && (run.event_id === event_id || event.run === run || isScoped);
  return isReached ? event : refuse("FORBIDDEN", "out_of_scope");
}

/** RUN(run_list, persisted) with SCOPE, ADMIN, or CREATOR; newest first. */
export function listRuns(model: Reference, by: Name, run_id: string | null): Run[] {
  const newest = [...model.runs].sort((a, b) => b.number - a.number);
  if (run_id !== null) {
    const s = requireSession(model, by, run_id, "persisted");
    requireCapability(by, s, s, "run_list");
    return newest.filter((t) => t.owner === s.owner && sees(s.place, t.place));
  }
  if (by !== "admin" && !model.creates[by]) return refuse("INVALID_PARAMS");
  return newest.filter((run) => by === "admin" || isCreator(model, by, run));
}

export const countStatuses = (model: Reference): Record<string, number> => {
  const statuses = ["queued", "claimed", "running", "completed", "failed", "cancelled", "timeout"];
  const count = (status: string): number =>
    model.runs.filter((run) => run.status === status).length;
  return Object.fromEntries(statuses.map((status) => [`${status}_count`, count(status)]));
};

