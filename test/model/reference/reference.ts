// What the contract says about one tenant, as data and predicates: no workspaces and no clock, what
// only time does is a flag. Written from actions.md alone; it shares no line with the host.
// The rules of the methods stand beside it: each gives what is due, or throws the refusal.

export type Name = "one" | "two" | "admin";
export const names: Name[] = ["one", "two", "admin"];
export const terminal = ["completed", "failed", "cancelled", "timeout"];

export class Refused extends Error {
  constructor(readonly code: string, readonly reason: string | null = null) {
    super(`${code} ${reason}`);
  }
}

export const refuse = (code: string, reason: string | null = null): never => {
  throw new Refused(code, reason);
};

export interface Claim {
  run: Run;
  by: Name;
  runtime: string;
  epoch: number;
  claim_token: string;
}

export interface Item {
  type: string;
  /** event_id of a message, else interaction_id. */
  about: string;
  steering_id: string | null;
  state: "queued" | "leased" | "injected" | "redispatched" | "dropped";
  lease_over: boolean;
  deliveries: number;
  /** It came over from an ended run and was not delivered since. */
  moved: boolean;
}

export interface Interaction {
  number: number;
  interaction_id: string;
  form: boolean;
  actor: string | null;
  status: "pending" | "submitted" | "expired" | "cancelled";
  /** Past its expiry by the clock. */
  overdue: boolean;
  answer: { by: Name; content: string } | null;
}

interface Stored {
  type: string;
  content: string;
  by: Name;
}

export type Policy = "default" | "off" | "runner";

export interface Wanted {
  run_id: string;
  owner: Name;
  dispatch: "queued" | "running";
  priority: number;
  max_attempts: number;
  queue: string | null;
  pinned: boolean;
  bounded: boolean;
  /** Where it takes place: CONVERSATION/THREAD/BOT, what is left out stands empty. */
  place: string | null;
  actor: string | null;
  policy: Policy;
  prompt: boolean;
  apis: Record<string, boolean>;
  event: string;
  event_id: string | null;
}

export interface Run extends Wanted {
  /** The host's id, by which runs are ordered. */
  number: number;
  created_by: Name;
  parent: Run | null;
  /** What its id stands for; null where no call of run_create or run_retry made it. */
  content: string | null;
  event_id: string;
  /** Of its input. */
  text: string;
  grants: Set<string>;
  status: string;
  reason: string | null;
  attempts: number;
  epoch: number;
  claim: Claim | null;
  lease_over: boolean;
  /** Not claimable until time passes. */
  held_back: boolean;
  /** The claim after which it was held back last. */
  held_epoch: number;
  /** Before it, after it, and more than 60 s after it. */
  deadline: "none" | "ahead" | "passed" | "over";
  cancel_reason: string | null;
  last_sequence: number;
  events: Map<number, Stored>;
  wrote_under_claim: boolean;
  last_message: string | null;
  /** Ended so long ago that its plugin reads it no more. */
  unreadable: boolean;
  redispatched: boolean;
  items: Item[];
  interactions: Interaction[];
}

export interface LoggedEvent {
  event_id: string | null;
  type: string;
  place: string | null;
  run: Run | null;
  step: number;
  published: { by: Name; content: string; outcome: Outcome } | null;
  has_item: boolean;
}

export interface Outcome {
  disposition: "absorbed" | "run_created" | "logged";
  run: Run | null;
}

export interface Runtime {
  /** What its owner sent; a hold stands before it. */
  sent: "online" | "draining" | "offline";
  status: "online" | "draining" | "offline" | "stale";
  held: "draining" | "offline" | null;
  overdue: boolean;
  gone: boolean;
}

export interface AuditRow {
  action: string;
  actor: string;
  via: string | null;
  run: Run | null;
  step: number;
}

export interface Scope {
  last_version: number;
  keys: Map<string, { value: unknown; version: number }>;
}

export class Reference {
  readonly runs: Run[] = [];
  readonly claims: Claim[] = [];
  readonly events: LoggedEvent[] = [];
  readonly transcript: { place: string; role: string; content: string; step: number }[] = [];
  readonly scopes = new Map<string, Scope>();
  readonly audit: AuditRow[] = [];
  readonly plugin_audit: string[] = [];
  readonly runtimes: Record<Name, Runtime>;
  /** What the runner `main` of each declares; null: withdrawn, or never registered. */
  readonly runners: Record<Name, Record<string, boolean> | null>;
  readonly enabled: Record<Name, boolean> = { one: true, two: true, admin: true };
  readonly creates: Record<Name, boolean> = { one: true, two: true, admin: false };
  /** Counts commands: what one command stored may stand in any order. */
  step = 0;
  /** Who sent the last call in the caller's name. */
  via: string | null = null;
  interaction_count = 0;
  steering: Item[] = [];

  constructor() {
    const online = (): Runtime => ({
      sent: "online", status: "online", held: null, overdue: false, gone: false,
    });
    this.runtimes = { one: online(), two: online(), admin: online() };
    this.runners = { one: {}, two: {}, admin: {} };
  }

  find(run_id: string): Run | undefined {
    return this.runs.find((run) => run.run_id === run_id);
  }

  note(action: string, actor: string, run: Run | null): void {
    const via = actor === "host" ? null : this.via;
    this.audit.push({ action, actor, via, run, step: this.step });
  }

  /** A row of an administrator's call; others leave none. */
  noteAdmin(action: string, by: Name, run: Run | null): void {
    if (by === "admin") this.note(action, `acme/${by}`, run);
  }

  log(row: Pick<LoggedEvent, "type" | "place"> & Partial<LoggedEvent>): LoggedEvent {
    const logged = {
      event_id: null, run: null, published: null, has_item: false, ...row, step: this.step,
    };
    this.events.push(logged);
    return logged;
  }

  say(place: string | null, role: string, content: string): void {
    if (place === null) return;
    this.transcript.push({ place, role, content, step: this.step });
  }
}

export const isTerminal = (run: Run): boolean => terminal.includes(run.status);
export const hasLease = (run: Run): boolean => run.status === "claimed" && !run.lease_over;
export const isClaimer = (by: Name, run: Run): boolean => hasLease(run) && run.claim?.by === by;
export const isLive = (run: Run): boolean =>
  (run.status === "running" || hasLease(run)) && run.deadline !== "over";
export const isPast = (run: Run): boolean => run.deadline === "passed" || run.deadline === "over";
export const isCreator = (model: Reference, by: Name, run: Run): boolean =>
  model.creates[by] && run.created_by === by;

/** PERM(agent_run:admin, agent_run:create). */
export function requireCreation(model: Reference, by: Name): void {
  if (by !== "admin" && !model.creates[by]) refuse("FORBIDDEN", "permission_missing");
}

export const requireAdmin = (by: Name): void => {
  if (by !== "admin") refuse("FORBIDDEN", "permission_missing");
};

type Mode = "live" | "persisted" | "own";

export function requireSession(model: Reference, by: Name, run_id: string, mode: Mode): Run {
  const run = model.find(run_id);
  if (!run || !(run.owner === by || isClaimer(by, run))) {
    return refuse("FORBIDDEN", "not_authorized");
  }
  if (mode === "live" && !isLive(run)) return refuse("SESSION_EXPIRED");
  if (mode === "persisted" && run.unreadable) return refuse("SESSION_EXPIRED");
  return run;
}

const claimed_names = [
  "run_get", "run_events_page", "run_append_result", "run_emit_result", "run_finalize",
  "run_renew_claim", "run_release_claim", "steering_pull", "steering_ack",
];

export function requireCapability(by: Name, s: Run, t: Run | undefined, name: string): void {
  const isImplied = s === t && isClaimer(by, s) && claimed_names.includes(name);
  if (!s.grants.has(name) && !isImplied) refuse("FORBIDDEN", "capability_missing");
}

export const partsOf = (place: string | null) => {
  const [conversation, thread, bot] = (place ?? "").split("/").map((part) => part || null);
  return { conversation: conversation ?? null, thread: thread ?? null, bot: bot ?? null };
};

/** Threads strictly; a bot only where there is one to compare with. */
export function sees(from: string | null, to: string | null): boolean {
  const [s, t] = [partsOf(from), partsOf(to)];
  return s.conversation !== null && s.conversation === t.conversation && s.thread === t.thread
    && (s.bot === null || s.bot === t.bot);
}

export const isInScope = (s: Run, t: Run | undefined): t is Run =>
  s === t || (t !== undefined && s.owner === t.owner && sees(s.place, t.place));

export function requireScope(s: Run, t: Run | undefined): Run {
  return isInScope(s, t) ? t : refuse("FORBIDDEN", "out_of_scope");
}

/** RUN(c, mode), for methods without another path. */
export function requireRun(
  model: Reference, by: Name, run_id: string, name: string, mode: Mode = "live",
): Run {
  const run = requireSession(model, by, run_id, mode);
  requireCapability(by, run, run, name);
  return run;
}

export type Target = {
  run_id?: string;
  target_run_id?: string;
};

/** RUN(c, persisted) · ADMIN(agent_run:admin) · CREATOR. */
export function reach(
  model: Reference, by: Name, { run_id, target_run_id }: Target, name: string,
): Run {
  const t = model.find(target_run_id ?? run_id ?? "");
  if (run_id !== undefined) {
    const isOther = target_run_id !== undefined && target_run_id !== run_id;
    const mode = name === "run_cancel" && isOther ? "live" : "persisted";
    const s = requireSession(model, by, run_id, mode);
    if (by === "admin") return t ?? refuse("NOT_FOUND");
    requireCapability(by, s, t, name);
    return requireScope(s, t);
  }
  if (by === "admin") return t ?? refuse("NOT_FOUND");
  if (!model.creates[by]) return refuse("INVALID_PARAMS");
  return t && isCreator(model, by, t) ? t : refuse("FORBIDDEN", "not_authorized");
}

export const isKnown = (by: Name, claim: Claim): boolean =>
  claim.by === by && claim.run.claim === claim;
export const isProved = (by: Name, claim: Claim): boolean =>
  isKnown(by, claim) && hasLease(claim.run);

export function requireProof(by: Name, claim: Claim): Run {
  return isProved(by, claim) ? claim.run : refuse("LEASE_LOST", "claim_not_active");
}
