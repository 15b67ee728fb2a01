// What brings commits to those they concern, on this host and on others: live subscriptions, pushed
// cancels and steering, hints between hosts. Called by main only, which stops it after wire.

import type { Directory } from "./authz/plugins.js";
import type { Config } from "./config.js";
import { Refusal } from "./contract/errors.js";
import { createFeed, type Feed } from "./feed/feed.js";
import { createHints, createNoHints, type Hints } from "./feed/hints.js";
import { watchNews } from "./feed/news_watch.js";
import { shareSignals } from "./feed/sharing.js";
import type { CancelFact, Signals, SteeringFact } from "./feed/signals.js";
import type { CreatedLedger } from "./ledger/create.js";
import { makeId } from "./ledger/identifiers.js";
import type { Database } from "./sql/database.js";
import type { Wire } from "./wire/server.js";

export interface FeedFloorParts {
  config: Config;
  /** Default: LISTEN, unless a transaction-pooling proxy is between. */
  hints?: "listen" | "none";
  database: Database;
  signals: Signals;
  created: CreatedLedger;
  log: { warn(fields: Record<string, unknown>, message: string): void };
}

export interface OpenFeed {
  feed: Feed;
  /** Pushes to the connections of a wire; `directory` hears of changed identities. */
  serve(connections: Wire["connections"], directory: Directory): void;
  stop(): Promise<void>;
}

export function openFeed(parts: FeedFloorParts): OpenFeed {
  const { config, signals, created, log } = parts;
  const { ledger, feed_reads: reads } = created;
  // A database that does not answer is in the log already.
  const onFailure = (cause: unknown): void => {
    if (!(cause instanceof Refusal)) log.warn({ err: cause }, "the feed failed");
  };
  const hints = openHints(parts);
  const feed = createFeed({
    reads,
    judge: (grant) => ledger.runs.get(grant),
    makeId: () => makeId("sub"),
    bounds: config.bounds.feed,
    onFailure,
  });
  const ends = [
    signals.onEventStored((named) => feed.wake(named)),
    signals.onRunEnded((named) => feed.wake(named)),
    () => feed.stop(),
  ];
  return {
    feed,
    serve(connections, directory) {
      const watches = watchConnections({ ...parts, connections, onFailure });
      ends.push(
        signals.onPluginChanged((named) => directory.forget(named)),
        signals.onRunEnded((named) => connections.forgetRun(named)),
        shareSignals({ signals, hints, ...watches }),
        watches.stop,
      );
    },
    async stop() {
      for (const end of ends) end();
      await hints.stop();
    },
  };
}

function openHints({ config, hints, database }: FeedFloorParts): Hints {
  const wanted = hints ?? (config.prepare ? "listen" : "none");
  if (wanted === "none") return createNoHints();
  const channel = "runhost_hints";
  return createHints({
    open: (onNotice, onListening) => database.listen({ channel, onNotice, onListening }),
    host_id: makeId("host"),
    pause_ms: config.bounds.hints_pause_ms,
    hello_ms: config.bounds.hints_hello_ms,
  });
}

interface WatchParts extends FeedFloorParts {
  connections: Wire["connections"];
  onFailure(cause: unknown): void;
}

/** Neither a tenant nor a run id holds NUL. */
const keyOf = (fact: { tenant_id: string; run_id: string }, mark: string): string =>
  `${fact.tenant_id}\0${fact.run_id}\0${mark}`;

function watchConnections({ config, signals, created, connections, onFailure }: WatchParts) {
  const { feed_reads: reads } = created;
  const shared = {
    interval_ms: config.bounds.news_poll_ms,
    isNeeded: () => connections.size > 0,
    onReadFailure: onFailure,
  };
  const ofTenants = async <Fact>(
    read: (tenant_id: string) => Promise<readonly Fact[]>,
  ): Promise<Fact[]> => (await Promise.all(connections.tenants().map(read))).flat();
  const cancels = watchNews<CancelFact>({
    ...shared,
    read: (seconds) => ofTenants((tenant_id) => reads.cancelRequests({ tenant_id, seconds })),
    deliver: (fact) => connections.pushCancel(fact),
    keysOf: (fact) => [keyOf(fact, "")],
  });
  const steering = watchNews<SteeringFact>({
    ...shared,
    read: (seconds) => ofTenants((tenant_id) => reads.steeringNews({ tenant_id, seconds })),
    deliver: (fact) => connections.pushSteering(fact),
    keysOf: (fact) => (fact.marks ?? []).map((mark) => keyOf(fact, mark)),
  });
  const silence = [
    signals.onCancelRequested(cancels.note),
    signals.onSteeringAvailable(steering.note),
  ];
  return {
    lookForCancels: cancels.look,
    lookForSteering: steering.look,
    stop(): void {
      cancels.stop();
      steering.stop();
      for (const end of silence) end();
    },
  };
}
