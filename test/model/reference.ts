// A small reference of what the contract says about runs: no tenants, no workspaces, no clock. Each
// function takes what a caller sends and gives the answer that is due, or throws the refusal that is.
// It is written from the contract alone and shares no line with the host.

export type Name = "one" | "two" | "admin";
export const terminal = ["completed", "failed", "cancelled", "timeout"];

export class Refused extends Error {
  constructor(readonly code: string, readonly reason: string | null = null) {
    super(`${code} ${reason}`);
  }
}

const refuse = (code: string, reason: string | null = null): never => {
  throw new Refused(code, reason);
};

export interface Claim {
  run: string;
  by: Name;
  runtime: string;
  epoch: number;
  claim_token: string;
}

interface Stored {
  type: string;
  content: string;
  by: Name;
}

export interface Run {
  run_id: string;
  /** Grows with creation, as the host's id does. */
  number: number;
  owner: Name;
  created_by: Name;
  content: string;
  dispatch: "queued" | "running";
  status: string;
  priority: number;
  max_attempts: number;
  attempts: number;
  epoch: number;
  claim: Claim | null;
  lease_over: boolean;
  /** Not claimable until time passes. */
  held_back: boolean;
  cancel_requested: boolean;
  last_sequence: number;
  events: Map<number, Stored>;
  wrote_under_claim: boolean;
}

export type RuntimeStatus = "online" | "draining" | "offline" | "gone";

export class Reference {
  readonly runs = new Map<string, Run>();
  readonly claims: Claim[] = [];
  readonly runtimes: Record<Name, RuntimeStatus> = { one: "online", two: "online", admin: "online" };
  #created = 0;

  /** CREATOR or ADMIN, with the target only. */
  reach(by: Name, run_id: string): Run {
    const run = this.runs.get(run_id);
    if (by === "admin") return run ?? refuse("NOT_FOUND");
    return run?.created_by === by ? run : refuse("FORBIDDEN", "not_authorized");
  }

  create(by: Name, wanted: Pick<Run, "run_id" | "owner" | "dispatch" | "priority" | "max_attempts">) {
    const content = JSON.stringify(wanted);
    const known = this.runs.get(wanted.run_id);
    if (known) {
      const isSame = known.created_by === by && known.content === content;
      return isSame ? known : refuse("CONFLICT", "run_id_reused");
    }
    this.#created += 1;
    const run: Run = {
      ...wanted, number: this.#created, created_by: by, content, status: wanted.dispatch,
      attempts: 0, epoch: 0, claim: null, lease_over: false, held_back: false,
      cancel_requested: false, last_sequence: 0, events: new Map(), wrote_under_claim: false,
    };
    this.runs.set(run.run_id, run);
    return run;
  }

  retry(by: Name, target_run_id: string, new_run_id: string): Run {
    const target = this.runs.get(target_run_id);
    const isOwner = target?.owner === by;
    const isReached = by === "admin" ? true : target?.created_by === by || isOwner;
    if (!target) return by === "admin" ? refuse("NOT_FOUND") : refuse("FORBIDDEN", "not_authorized");
    if (!isReached) return refuse("FORBIDDEN", "not_authorized");
    const isOwnerOnly = by !== "admin" && target.created_by !== by;
    const isFit = isOwnerOnly
      ? ["failed", "timeout"].includes(target.status)
      : terminal.includes(target.status);
    if (!isFit) return refuse("CONFLICT", "run_not_retryable");
    const { owner, priority, max_attempts } = target;
    const copy = { run_id: new_run_id, owner, dispatch: "queued", priority, max_attempts } as const;
    const run = this.create(target.created_by, copy);
    run.content = `a retry of ${target_run_id}`;
    return run;
  }

  isClaimable(run: Run): boolean {
    const isFree = run.status === "queued" || (run.status === "claimed" && run.lease_over);
    return isFree && !run.cancel_requested && run.attempts < run.max_attempts && !run.held_back;
  }

  /** The run that this claim has to get; the host makes the proof. */
  claimNext(by: Name): Run {
    if (this.runtimes[by] === "gone") return refuse("NOT_FOUND");
    if (this.runtimes[by] !== "online") return refuse("CONFLICT", "runtime_not_online");
    const reached = [...this.runs.values()].filter((run) => by === "admin" || run.owner === by);
    const [best] = reached.filter((run) => this.isClaimable(run))
      .sort((a, b) => b.priority - a.priority || a.number - b.number);
    return best ?? refuse("NO_RUN_AVAILABLE");
  }

  noteClaim(run: Run, by: Name, proof: { runtime: string; claim_token: string }): Claim {
    run.status = "claimed";
    run.epoch += 1;
    run.attempts += 1;
    run.lease_over = false;
    run.wrote_under_claim = false;
    const claim = { run: run.run_id, by, epoch: run.epoch, ...proof };
    run.claim = claim;
    this.claims.push(claim);
    return claim;
  }

  isKnown(by: Name, claim: Claim): boolean {
    return claim.by === by && this.runs.get(claim.run)?.claim === claim;
  }

  isProved(by: Name, claim: Claim): boolean {
    const run = this.runs.get(claim.run)!;
    return this.isKnown(by, claim) && run.status === "claimed" && !run.lease_over;
  }

  renew(by: Name, claim: Claim): Run {
    if (!this.isProved(by, claim)) return refuse("LEASE_LOST", "claim_not_active");
    return this.runs.get(claim.run)!;
  }

  release(by: Name, claim: Claim, { refund_attempt }: { refund_attempt: boolean }): Run {
    const run = this.renew(by, claim);
    if (refund_attempt && run.wrote_under_claim) return refuse("CONFLICT", "attempt_used");
    if (refund_attempt) run.attempts -= 1;
    return this.requeue(run, { back_off: false });
  }

  requeue(run: Run, { back_off }: { back_off: boolean }): Run {
    if (run.cancel_requested) return this.end(run, "cancelled");
    if (run.attempts >= run.max_attempts) return this.end(run, "failed");
    run.status = "queued";
    run.claim = null;
    run.lease_over = false;
    run.held_back = back_off;
    return run;
  }

  end(run: Run, status: string): Run {
    run.status = status;
    run.lease_over = true;
    return run;
  }

  /** Who shows a claim is judged by it alone; who shows none is the owner of a running run. */
  write(by: Name, wanted: { run_id: string; claim: Claim | null; sequence: number; type: string;
    content: string; emitted: boolean; force?: boolean }): { run: Run; repeated: boolean } {
    const run = this.runs.get(wanted.run_id);
    const { claim, sequence, type, content, emitted } = wanted;
    const stored = run?.events.get(sequence);
    const isSame = stored?.type === type && stored.content === content;
    if (run && stored && stored.by === by && isSame) return { run, repeated: true };
    const isAdminWrite = by === "admin" && !emitted && claim === null;
    if (claim) {
      if (!run || !this.isKnown(by, claim)) return refuse("LEASE_LOST", "claim_not_active");
    } else if (isAdminWrite) {
      if (!run) return refuse("NOT_FOUND");
    } else this.requireSession(by, run, { needs_capability: !emitted });
    if (!run) throw new Error("unreachable: every path refuses a run that is not there");
    if (stored) return isSame ? { run, repeated: true } : refuse("CONFLICT", "sequence_reused");
    if (terminal.includes(run.status)) return refuse("RUN_TERMINAL");
    this.requireExecutor(by, run, wanted, isAdminWrite);
    if (sequence <= run.last_sequence) return refuse("CONFLICT", "sequence_out_of_order");
    run.events.set(sequence, { type, content, by });
    run.last_sequence = sequence;
    if (claim) run.wrote_under_claim = true;
    return { run, repeated: false };
  }

  /** SESSION(own) with run_id = target, then CAP, which only a claim of the caller implies. */
  requireSession(by: Name, run: Run | undefined, { needs_capability }: { needs_capability: boolean }) {
    const isClaimer = run?.status === "claimed" && !run.lease_over && run.claim?.by === by;
    if (!run || !(run.owner === by || isClaimer)) return refuse("FORBIDDEN", "not_authorized");
    if (needs_capability && !isClaimer) return refuse("FORBIDDEN", "capability_missing");
  }

  requireExecutor(
    by: Name,
    run: Run,
    { claim, force }: { claim: Claim | null; force?: boolean },
    isAdminWrite: boolean,
  ): void {
    if (claim) {
      if (!this.isProved(by, claim)) refuse("LEASE_LOST", "claim_not_active");
      return;
    }
    if (isAdminWrite) {
      const isLive = run.status === "running" || (run.status === "claimed" && !run.lease_over);
      if (isLive && !force) refuse("LEASE_LOST", "claim_required");
      return;
    }
    if (!(run.owner === by && run.status === "running")) refuse("LEASE_LOST", "claim_required");
  }

  emit(by: Name, wanted: Parameters<Reference["write"]>[1] & { retryable?: boolean }): Run {
    const { run, repeated } = this.write(by, { ...wanted, emitted: true });
    if (repeated) return run;
    if (wanted.type === "run.completed") return this.end(run, "completed");
    if (wanted.type === "run.failed") {
      const goesBack = wanted.retryable === true && run.status === "claimed";
      return goesBack ? this.requeue(run, { back_off: true }) : this.end(run, "failed");
    }
    return run;
  }

  finalize(by: Name, wanted: { run_id: string; claim: Claim | null; status: string; force: boolean }): Run {
    const run = this.runs.get(wanted.run_id);
    const isAdminWrite = by === "admin" && wanted.claim === null;
    if (wanted.claim) {
      if (!run || !this.isKnown(by, wanted.claim)) return refuse("LEASE_LOST", "claim_not_active");
    } else if (isAdminWrite) {
      if (!run) return refuse("NOT_FOUND");
    } else this.requireSession(by, run, { needs_capability: true });
    if (!run) throw new Error("unreachable: every path refuses a run that is not there");
    if (terminal.includes(run.status)) {
      return run.status === wanted.status ? run : refuse("CONFLICT", "status_differs");
    }
    this.requireExecutor(by, run, wanted, isAdminWrite);
    return this.end(run, wanted.status);
  }

  cancel(by: Name, run_id: string): Run {
    const run = this.reach(by, run_id);
    if (terminal.includes(run.status)) return run;
    run.cancel_requested = true;
    const isLive = run.status === "running" || (run.status === "claimed" && !run.lease_over);
    return isLive ? run : this.end(run, "cancelled");
  }

  /** What a sweep does at this moment: leases only, for nothing here has a deadline. */
  sweep(): void {
    for (const run of this.runs.values()) {
      if (run.status === "claimed" && run.lease_over) this.requeue(run, { back_off: true });
    }
  }

  deregister(by: Name): number {
    this.runtimes[by] = "gone";
    const held = [...this.runs.values()].filter(
      (run) => run.status === "claimed" && run.claim?.by === by);
    for (const run of held) this.requeue(run, { back_off: false });
    return held.length;
  }
}
