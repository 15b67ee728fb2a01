// What Prometheus reads of one host: every metric, its name, labels and bounds, in a registry of
// this host's own. No label names a run, an identity, a tenant or a token; queues are the only
// names that plugins choose, and there are at most fifty. The only importer of prom-client.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { actionNames } from "../contract/action_names.js";
import type { SweepReport } from "../contract/statistics.js";
import type { EventLoopLag } from "./event_loop.js";

export interface FleetReading {
  runs: readonly { status: string; runs: number }[];
  queues: readonly {
    queue_name: string | null;
    is_rest: boolean;
    queued: number;
    oldest_age_seconds: number;
  }[];
}

/** What is true at the moment of a scrape. */
export interface Readings {
  authenticated: number;
  unauthenticated: number;
  event_loop_lag: EventLoopLag;
  /** Null: the database does not answer. */
  oldest_snapshot_seconds: number | null;
  /** Null: not known in time; its gauges are left out. */
  fleet: FleetReading | null;
}

export interface CountedCall {
  /** Null: a frame that was refused before it had a method. */
  method: string | null;
  /** An error code, or `ok`. */
  code: string;
  /** Null: nothing was served. */
  seconds: number | null;
}

export interface Metrics {
  countCall(call: CountedCall): void;
  countClaims(runs: number): void;
  /** Null: the sweep failed. */
  countSweep(report: SweepReport | null): void;
  countPurged(runs: number): void;
  /** Begins a statement; what it returns ends it. */
  statement(name: string): (outcome: string) => void;
  countRenewal(): void;
  write(readings: Readings): Promise<{ type: string; text: string }>;
}

const call_buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const statement_buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];
const restLabel = "other";

export function createMetrics(facts: { version: string; pool_size: number }): Metrics {
  const register = new Registry();
  const counters = createCounters(register);
  const gauges = createGauges(register);
  createProcessReadings(register);
  gauges.build.set({ version: facts.version, node: process.version }, 1);
  gauges.poolSize.set(facts.pool_size);
  const methods: ReadonlySet<string> = new Set(actionNames);

  return {
    countCall({ method, code, seconds }) {
      const known = method !== null && methods.has(method) ? method : "unknown";
      const label = method === null ? "none" : known;
      counters.calls.inc({ method: label, code });
      if (seconds !== null) counters.callSeconds.observe({ method: label }, seconds);
    },
    countClaims: (runs) => counters.claims.inc(runs),
    countSweep(report) {
      counters.sweeps.inc({ result: report === null ? "failed" : "ok" });
      if (report === null) return;
      for (const [outcome, count] of listOutcomes(report)) counters.swept.inc({ outcome }, count);
    },
    countPurged: (runs) => counters.swept.inc({ outcome: "run_purged" }, runs),
    statement(name) {
      const began_ms = performance.now();
      gauges.poolStatements.inc();
      return (outcome) => {
        gauges.poolStatements.dec();
        counters.statements.inc({ statement: name, outcome });
        counters.statementSeconds.observe((performance.now() - began_ms) / 1000);
      };
    },
    countRenewal: () => counters.renewals.inc(),
    async write(readings) {
      setGauges(gauges, readings);
      return { type: register.contentType, text: await register.metrics() };
    },
  };
}

function listOutcomes(report: SweepReport): [string, number][] {
  return [
    ["runtime_stale", report.stale_count],
    ["lease_requeued", report.released_claim_count],
    ["attempts_exhausted", report.exhausted_count],
    ["deadline_passed", report.timeout_count],
    ["cancelled", report.cancelled_count],
    ["interaction_expired", report.expired_interaction_count],
    ["steering_returned", report.expired_steering_count],
  ];
}

function createCounters(register: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers: [register] });
  const made = {
    calls: counter("runhost_calls_total", "Calls by method and code.", ["method", "code"]),
    callSeconds: new Histogram({
      name: "runhost_call_duration_seconds",
      help: "Time from a call's turn to its answer, waits included.",
      labelNames: ["method"],
      buckets: call_buckets,
      registers: [register],
    }),
    claims: counter("runhost_claims_total", "Claims that calls of this host took."),
    sweeps: counter("runhost_sweeps_total", "Sweeps of one tenant by this host.", ["result"]),
    swept: counter("runhost_swept_total", "What sweeps of this host did.", ["outcome"]),
    statements: counter("runhost_statements_total", "Statements.", ["statement", "outcome"]),
    statementSeconds: new Histogram({
      name: "runhost_statement_duration_seconds",
      help: "Time of a statement, waiting for a connection included.",
      buckets: statement_buckets,
      registers: [register],
    }),
    renewals: counter("runhost_pool_renewals_total", "Connection pools given up for a new one."),
  };
  // A rate needs the zero that comes before the first one.
  for (const result of ["ok", "failed"]) made.sweeps.inc({ result }, 0);
  for (const outcome of ["runtime_stale", "lease_requeued", "attempts_exhausted",
    "deadline_passed", "cancelled", "interaction_expired", "steering_returned", "run_purged"]) {
    made.swept.inc({ outcome }, 0);
  }
  return made;
}

function createGauges(register: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers: [register] });
  return {
    build: gauge("runhost_build_info", "1, with the versions.", ["version", "node"]),
    connections: gauge("runhost_connections", "Open connections.", ["state"]),
    poolStatements: gauge("runhost_pool_statements", "Statements sent or waiting to be."),
    poolSize: gauge("runhost_pool_size", "Connections that the pool may open."),
    lag: gauge("runhost_event_loop_lag_seconds", "Lateness of the event loop.", ["quantile"]),
    up: gauge("runhost_database_up", "1 when the database answers."),
    snapshot: gauge(
      "runhost_oldest_xmin_age_seconds",
      "Age of the oldest transaction that keeps old row versions.",
    ),
    runs: gauge("runhost_runs", "Live runs in the database.", ["status"]),
    depth: gauge("runhost_queue_depth", "Queued runs in the database.", ["queue"]),
    age: gauge(
      "runhost_queue_oldest_age_seconds",
      "Time that the run waits which waits longest.",
      ["queue"],
    ),
  };
}

/** Under the names of prom-client's own collection, which starts observers that nothing stops: a
    program that opens and closes hosts would gather them. */
function createProcessReadings(register: Registry): void {
  const registers = [register];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({ name, help, registers, collect() { this.set(read()); } });
  };
  const began_at = Date.now() / 1000 - process.uptime();
  gauge("process_start_time_seconds", "Start, seconds since the epoch.", () => began_at);
  const { memoryUsage } = process;
  gauge("process_resident_memory_bytes", "Resident memory.", () => memoryUsage.rss());
  gauge("nodejs_heap_size_total_bytes", "Reserved heap.", () => memoryUsage().heapTotal);
  gauge("nodejs_heap_size_used_bytes", "Heap in use.", () => memoryUsage().heapUsed);
  gauge("nodejs_external_memory_bytes", "Memory beside the heap.", () => memoryUsage().external);
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time, user and system.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}

/** Without a gap, so that another scrape sees no half of it. */
function setGauges(gauges: ReturnType<typeof createGauges>, readings: Readings): void {
  gauges.connections.set({ state: "authenticated" }, readings.authenticated);
  gauges.connections.set({ state: "unauthenticated" }, readings.unauthenticated);
  const { event_loop_lag, oldest_snapshot_seconds: age_seconds } = readings;
  for (const { quantile, seconds } of event_loop_lag) gauges.lag.set({ quantile }, seconds);
  gauges.up.set(age_seconds === null ? 0 : 1);
  if (age_seconds === null) gauges.snapshot.remove();
  else gauges.snapshot.set(age_seconds);
  for (const gauge of [gauges.runs, gauges.depth, gauges.age]) gauge.reset();
  const { runs, queues } = readings.fleet ?? { runs: [], queues: [] };
  for (const { status, runs: count } of runs) gauges.runs.set({ status }, count);
  // A queue may bear the name that stands for the rest: the two are then one.
  const held = new Map<string, { depth: number; age: number }>();
  for (const { queue_name, is_rest, queued, oldest_age_seconds } of queues) {
    const queue = is_rest ? restLabel : (queue_name ?? "");
    const { depth, age } = held.get(queue) ?? { depth: 0, age: 0 };
    held.set(queue, { depth: depth + queued, age: Math.max(age, oldest_age_seconds) });
  }
  for (const [queue, { depth, age }] of held) {
    gauges.depth.set({ queue }, depth);
    gauges.age.set({ queue }, age);
  }
}
