// Live subscriptions of one host: tails, admissions and the connections that follow runs. main
// makes one, hands `attach` to wire, and tells it what signals say.

import type { Grant } from "../contract/grants.js";
import { createAdmissions } from "./admissions.js";
import type { FeedBounds, FeedReads, Outgoing, Subscriber } from "./parts.js";
import type { RunNamed } from "./signals.js";
import { createSubscriber } from "./subscriptions.js";
import { createTails } from "./tails.js";

export interface FeedParts {
  reads: FeedReads;
  /** Rejects with the ledger's refusal where the grant does not admit. */
  judge(grant: Grant<"read">): Promise<unknown>;
  makeId(): string;
  bounds: FeedBounds;
  onFailure(cause: unknown): void;
}

export interface Feed {
  /** Runs that are followed here at present. */
  readonly tails: number;
  attach(outgoing: Outgoing): Subscriber;
  /** The run has a new event, or has ended. */
  wake(named: RunNamed): void;
  stop(): void;
}

export function createFeed({ reads, judge, makeId, bounds, onFailure }: FeedParts): Feed {
  const tails = createTails({ reads, bounds, onReadFailure: onFailure });
  const period_ms = bounds.admission_ms;
  const admissions = createAdmissions({ judge, reads, period_ms, onFailure });
  return {
    get tails() {
      return tails.size;
    },
    attach: (outgoing) => createSubscriber({ outgoing, tails, admissions, bounds, makeId }),
    wake: (named) => tails.wake(named),
    stop() {
      tails.stop();
      admissions.stop();
    },
  };
}
