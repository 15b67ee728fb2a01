// Asks again and again whether what admitted a subscription still holds: the caller's standing from
// memory, the run from the ledger, one read for all subscriptions of one caller on one run. Only a
// refusal ends them; a database that does not answer changes nothing, and a run that has ended
// since is followed to its end.

import { Refusal, type ErrorCode } from "../contract/errors.js";
import type { Grant } from "../contract/grants.js";
import type { FeedReads, Wanted } from "./parts.js";

export interface Admitted extends Pick<Wanted, "grant" | "again"> {
  run_id: string;
  refuse(): void;
}

export interface AdmissionsParts {
  /** Rejects with the ledger's refusal where the grant does not admit. */
  judge(grant: Grant<"read">): Promise<unknown>;
  reads: Pick<FeedReads, "heads">;
  period_ms: number;
  onFailure(cause: unknown): void;
}

export interface Admissions {
  /** Returns the end of it. */
  watch(admitted: Admitted): () => void;
  stop(): void;
}

type Verdict = "admitted" | "unknown" | "refused";

const refusing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "FORBIDDEN", "SESSION_EXPIRED", "NOT_FOUND", "INVALID_PARAMS", "UNAUTHENTICATED",
]);
/** Judged at one moment: they all have to be through long before the next look. */
const judged_at_once = 4;

export function createAdmissions(parts: AdmissionsParts): Admissions {
  const groups = new Map<string, Set<Admitted>>();
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  async function judgeAll(): Promise<void> {
    const waiting = [...groups.values()];
    const judgeInTurn = async (): Promise<void> => {
      for (let group = waiting.pop(); group && !stopped; group = waiting.pop()) {
        await judgeGroup(parts, group);
      }
    };
    await Promise.all(Array.from({ length: judged_at_once }, judgeInTurn));
    timer = groups.size > 0 && !stopped ? setTimeout(judgeAll, parts.period_ms) : null;
  }

  return {
    watch(admitted) {
      const key = keyOf(admitted);
      const group = groups.get(key) ?? new Set();
      groups.set(key, group.add(admitted));
      timer ??= setTimeout(judgeAll, parts.period_ms);
      return () => {
        if (group.delete(admitted) && group.size === 0) groups.delete(key);
      };
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Those who share it are admitted, or refused, together. */
const keyOf = ({ grant, run_id }: Admitted): string =>
  JSON.stringify([grant.tenant_id, grant.caller, grant.via, grant.run_id, run_id]);

async function judgeGroup(parts: AdmissionsParts, group: ReadonlySet<Admitted>): Promise<void> {
  const [one] = group;
  if (one === undefined) return;
  const verdict = await judgeOne(parts, one);
  if (verdict === "refused") for (const member of [...group]) member.refuse();
}

async function judgeOne(parts: AdmissionsParts, { again, grant, run_id }: Admitted) {
  const present = await again().catch((thrown: unknown) => weigh(parts, thrown));
  if (typeof present === "string") return present;
  const verdict = await parts.judge(present).then(() => "admitted" as const,
    (thrown: unknown) => weigh(parts, thrown));
  if (verdict !== "refused") return verdict;
  // The end of a run ends claims, and what they admitted; the last events are still owed.
  const { tenant_id } = grant;
  const look = parts.reads.heads({ tenant_id, run_ids: [run_id] });
  const heads = await look.catch((thrown: unknown) => weigh(parts, thrown));
  if (typeof heads === "string") return heads;
  return heads.some(({ ended }) => ended) ? "admitted" : "refused";
}

function weigh({ onFailure }: AdmissionsParts, thrown: unknown): Verdict {
  if (!(thrown instanceof Refusal)) onFailure(thrown);
  return thrown instanceof Refusal && refusing.has(thrown.code) ? "refused" : "unknown";
}
