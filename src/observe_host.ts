// Brings what happens in a host to its metrics, by standing between the floors that main builds: no
// floor knows that it is counted. Nothing here rejects, or makes a call wait. Called by main only.

import type { Config } from "./config.js";
import { Refusal } from "./contract/errors.js";
import type { Dispatcher } from "./dispatch/dispatcher.js";
import type { Refuser } from "./dispatch/refuse.js";
import type { Ledger } from "./ledger/ledger.js";
import type { Database, DatabaseObserver } from "./sql/database.js";
import { countLiveRuns, countQueues, readOldestSnapshot } from "./sql/fleet_gauges.js";
import { watchEventLoop } from "./telemetry/event_loop.js";
import { createMetrics, type FleetReading, type Metrics } from "./telemetry/metrics.js";
import { createPatientRead } from "./telemetry/patient_read.js";
import type { Wire } from "./wire/server.js";

export interface HostObservation {
  database: DatabaseObserver;
  ofDispatcher(dispatcher: Dispatcher): Dispatcher;
  ofRefuser(refuse: Refuser): Refuser;
  ofLedger(ledger: Ledger): Ledger;
  /** What a scrape is to read; the connections are there when wire is. */
  createScrape(sources: {
    database: Database;
    connections(): Wire["connections"] | null;
  }): () => Promise<{ type: string; text: string }>;
  stop(): void;
}

/** A scrape ends within the second reading's wait; Prometheus asks every 15 s or so. */
const keep_ms = 5000;
const wait_ms = 1500;
const bounds = { rows_max: 100_000, queues_max: 50 };

export function observeHost(config: Config, version: string): HostObservation {
  const metrics = createMetrics({ version, pool_size: config.bounds.pool_size });
  const eventLoop = watchEventLoop();
  return {
    database: { statement: metrics.statement, renewed: metrics.countRenewal },
    ofDispatcher: (dispatcher) => ({ ...dispatcher, call: countCalls(dispatcher, metrics) }),
    ofRefuser: (refuse) => (thrown, method) => {
      // Those with a method have been counted where they were called.
      if (method === null) metrics.countCall({ method, code: codeOf(thrown), seconds: null });
      return refuse(thrown, method);
    },
    ofLedger: (ledger) => countLedger(ledger, metrics),
    createScrape({ database, connections }) {
      const readSnapshot = createPatientRead({ read: () => readAge(database), keep_ms, wait_ms });
      const readFleet = createPatientRead({ read: () => countFleet(database), keep_ms, wait_ms });
      return async () => {
        const [oldest_snapshot_seconds, fleet] = await Promise.all([readSnapshot(), readFleet()]);
        const { size, proved_count } = connections() ?? { size: 0, proved_count: 0 };
        return metrics.write({
          authenticated: proved_count,
          unauthenticated: size - proved_count,
          event_loop_lag: eventLoop.read(),
          oldest_snapshot_seconds,
          fleet,
        });
      };
    },
    stop: () => eventLoop.stop(),
  };
}

const codeOf = (thrown: unknown): string => (thrown instanceof Refusal ? thrown.code : "INTERNAL");

function countCalls(dispatcher: Dispatcher, metrics: Metrics): Dispatcher["call"] {
  return (input) => {
    const began_ms = performance.now();
    const started = dispatcher.call(input);
    const count = (code: string): void => {
      const seconds = (performance.now() - began_ms) / 1000;
      metrics.countCall({ method: input.method, code, seconds });
    };
    const isList = dispatcher.listed(input.method, input.params) !== null;
    void started.answer.then(
      (answer) => (isList ? codesOfItems(answer) : ["ok"]).forEach(count),
      (thrown) => count(codeOf(thrown)),
    );
    return started;
  };
}

/** Each item of a list counts as the call that it stands for. */
function codesOfItems(answer: unknown): string[] {
  const { items } = answer as { items: { error?: { data: Record<string, unknown> } }[] };
  return items.map(({ error }) => (error === undefined ? "ok" : String(error.data["code"])));
}

function countLedger(ledger: Ledger, metrics: Metrics): Ledger {
  const { claims, sweeps } = ledger;
  return {
    ...ledger,
    claims: {
      ...claims,
      async take(grant, request) {
        const taken = await claims.take(grant, request);
        metrics.countClaims(taken.length);
        return taken;
      },
    },
    sweeps: {
      ...sweeps,
      async reconcile(grant, wanted) {
        const report = await sweeps.reconcile(grant, wanted).catch((thrown: unknown) => {
          metrics.countSweep(null);
          throw thrown;
        });
        metrics.countSweep(report);
        return report;
      },
      async purge(grant, wanted) {
        const purged = await sweeps.purge(grant, wanted);
        metrics.countPurged(purged.runs);
        return purged;
      },
    },
  };
}

async function readAge(database: Database): Promise<number> {
  const [row] = await database.query("oldest_snapshot", (sql) => readOldestSnapshot(sql));
  return row?.age_seconds ?? 0;
}

/** One after the other, so that the second connection stays free for the sign of life. */
async function countFleet(database: Database): Promise<FleetReading> {
  const { rows_max } = bounds;
  const runs = await database.query("count_runs", (sql) => countLiveRuns(sql, rows_max));
  const queues = await database.query("count_queues", (sql) => countQueues(sql, bounds));
  return { runs, queues };
}
