// The inventory: every operation that touches the database, one sentence each. Each demands a
// grant, is one autocommit statement, and throws a Refusal where the contract names one.

import type { Grant } from "../contract/grants.js";
import type {
  AuditPage, EmittedEvent, Plugin, PluginPage, RegisteredPlugin, RenewedRun, Run, RunDetail,
  RunEvent, RunEventPage, RunnerDescriptor, RunnerPage, RunPage, Runtime, RuntimePage, WorkItem,
} from "../contract/records.js";
import type {
  EventPage, EventRecord, Interaction, InteractionPage, PublishedEvent, PulledSteering,
  SearchResult, StateKeys, StateValue, SteeringAck, TranscriptPage,
} from "../contract/context_records.js";
import type {
  ExplainedRun, RunnerStats, RunStats, RuntimeStats, SweepReport,
} from "../contract/statistics.js";
import type {
  EventLogQuery, EventToPublish, HistoryQuery, HistorySearch, InteractionAnswer, InteractionQuery,
  StateKey, StateListQuery, StateToSet, SteeringPull,
} from "./context_requests.js";
import type {
  AuditQuery, ClaimRequest, EventPageQuery, FinalizeRequest, NewResult, NewRun, PluginListQuery,
  PluginPatch, ReleaseRequest, RenewRequest, RetryRequest, RunListQuery, RunnerDeclaration,
  RunnerListQuery, RuntimeBeat, RuntimeListQuery, RuntimeRegistration, StatsQuery,
} from "./requests.js";

export interface Ledger {
  clock: {
    /** The database clock, milliseconds since the epoch; null when the database does not answer. */
    now(grant: Grant<"open">): Promise<number | null>;
  };
  plugins: {
    /** Creates or changes an identity; shows the plugin token once, when created. */
    register(grant: Grant<"permission">, patch: PluginPatch): Promise<RegisteredPlugin>;
    list(grant: Grant<"permission">, query: PluginListQuery): Promise<PluginPage>;
    /** Revokes the present token and issues a new one. */
    rotateToken(
      grant: Grant<"permission">,
      named: { tenant_id: string; plugin_identity: string },
    ): Promise<{ plugin_identity: string; key_id: string; token: string }>;
    setEnabled(
      grant: Grant<"permission">,
      wanted: { tenant_id: string; plugin_identity: string; enabled: boolean },
    ): Promise<Plugin>;
  };
  runs: {
    /** Stores run, request, snapshot and event-log row; answers a repeat of the same content. */
    create(grant: Grant<"permission">, run: NewRun): Promise<Run>;
    get(grant: Grant<"read">): Promise<Run>;
    getDetail(grant: Grant<"read">): Promise<RunDetail>;
    /** Which exact predicates keep the target where it stands, judged at one instant. */
    explain(grant: Grant<"read">): Promise<ExplainedRun>;
    list(grant: Grant<"read">, query: RunListQuery): Promise<RunPage>;
    cancel(grant: Grant<"cancel">, request: { status_reason: string | null }): Promise<Run>;
    /** Ends a run; a repeat with the same status is answered. */
    finalize(grant: Grant<"write">, request: FinalizeRequest): Promise<Run>;
    /** Makes a new run from the stored request of one that has ended. */
    retry(grant: Grant<"outside">, request: RetryRequest): Promise<Run>;
    /** Waits until the target is terminal, whichever host ends it; each look judges access. */
    wait(grant: Grant<"read">, wait: { wait_seconds: number; signal: AbortSignal }): Promise<Run>;
    /** Waits until the run that this call created is terminal; DEADLINE_EXCEEDED after the wait. */
    waitForCompletion(
      grant: Grant<"permission">,
      wait: { run_id: string; wait_seconds: number; signal: AbortSignal },
    ): Promise<Run>;
  };
  events: {
    page(grant: Grant<"read">, query: EventPageQuery): Promise<RunEventPage>;
    /** Stores one event, no effect. */
    append(grant: Grant<"write">, result: NewResult): Promise<RunEvent>;
    /** Stores one event and applies its effect, both or neither. */
    emit(grant: Grant<"write">, result: NewResult): Promise<EmittedEvent>;
  };
  claims: {
    /** Takes claimable runs, waiting up to wait_seconds; NO_RUN_AVAILABLE when there is none. */
    take(grant: Grant<"fleet">, request: ClaimRequest): Promise<WorkItem[]>;
    renew(grant: Grant<"claim">, request: RenewRequest): Promise<RenewedRun>;
    release(grant: Grant<"claim">, request: ReleaseRequest): Promise<Run>;
  };
  runners: {
    register(
      grant: Grant<"own">,
      declared: { runners: RunnerDeclaration[]; replace: boolean },
    ): Promise<{ items: RunnerDescriptor[]; withdrawn_count: number }>;
    list(grant: Grant<"own">, query: RunnerListQuery): Promise<RunnerPage>;
  };
  runtimes: {
    register(grant: Grant<"fleet">, registration: RuntimeRegistration): Promise<Runtime>;
    heartbeat(grant: Grant<"fleet">, beat: RuntimeBeat): Promise<Runtime>;
    deregister(
      grant: Grant<"fleet">,
      named: { runtime_id: string },
    ): Promise<{ runtime: Runtime; released_claim_count: number }>;
    list(grant: Grant<"fleet">, query: RuntimeListQuery): Promise<RuntimePage>;
  };
  ingress: {
    /** Logs an event and hands it to a live run, or creates a run, or only logs it; once per id. */
    publish(grant: Grant<"permission">, event: EventToPublish): Promise<PublishedEvent>;
  };
  history: {
    page(grant: Grant<"session">, query: HistoryQuery): Promise<TranscriptPage>;
    search(grant: Grant<"session">, search: HistorySearch): Promise<SearchResult>;
    event(grant: Grant<"session">, named: { event_id: string }): Promise<EventRecord>;
    events(grant: Grant<"session">, query: EventLogQuery): Promise<EventPage>;
    prompt(grant: Grant<"session">): Promise<{ prompt: Record<string, unknown>[] }>;
  };
  steering: {
    /** Leases attached items to the executor, after confirming those of `ack`. */
    pull(grant: Grant<"session">, pull: SteeringPull): Promise<PulledSteering>;
    acknowledge(grant: Grant<"session">, named: { ids: string[] }): Promise<SteeringAck>;
  };
  state: {
    get(grant: Grant<"session">, named: StateKey): Promise<StateValue>;
    set(grant: Grant<"session">, value: StateToSet): Promise<{ success: true; version: number }>;
    delete(
      grant: Grant<"session">,
      named: StateKey & { if_version: number | null },
    ): Promise<{ success: boolean }>;
    list(grant: Grant<"session">, query: StateListQuery): Promise<StateKeys>;
  };
  interactions: {
    list(grant: Grant<"read">, query: InteractionQuery): Promise<InteractionPage>;
    get(grant: Grant<"read">, named: { interaction_id: string }): Promise<Interaction>;
    /** Of several concurrent answers one wins; the run hears of it as steering. */
    submit(grant: Grant<"outside">, answer: InteractionAnswer): Promise<Interaction>;
    cancel(
      grant: Grant<"outside">,
      named: { interaction_id: string; status_reason: string | null },
    ): Promise<Interaction>;
  };
  statistics: {
    ofRuns(grant: Grant<"permission">, query: StatsQuery & { runner_id: string | null }):
      Promise<RunStats>;
    ofRunners(grant: Grant<"permission">, query: StatsQuery & { limit: number }):
      Promise<RunnerStats>;
    ofRuntimes(grant: Grant<"permission">): Promise<RuntimeStats>;
  };
  audit: {
    /** Rows of the domains whose permission the caller holds, newest first. */
    page(grant: Grant<"permission">, query: AuditQuery): Promise<AuditPage>;
  };
  sweeps: {
    /** What time made due in one tenant: runtimes, deadlines, leases, interactions, steering. */
    reconcile(
      grant: Grant<"permission">,
      wanted: { stale_after_seconds: number | null },
    ): Promise<SweepReport>;
    /** Removes runs that ended longer ago, and what belongs to no run; true when work was left. */
    purge(grant: Grant<"permission">, wanted: { retention_days: number }): Promise<Purged>;
    /** Counts what `purge` would remove. */
    countPurge(
      grant: Grant<"permission">,
      wanted: { retention_days: number },
    ): Promise<PurgeCount>;
  };
}

export interface Purged {
  runs: number;
  more: boolean;
}

export interface PurgeCount {
  runs: number;
  events: number;
  event_log: number;
  transcript: number;
  audit: number;
}
