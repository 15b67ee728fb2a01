// Builds the floors bottom-up, by argument, and takes them down again in reverse. startHost
// promises a host that serves when it resolves, or nothing left behind when it rejects. Called by
// process/serve.ts, and by programs that bring a host along.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { registerAll } from "./actions/index.js";
import { provideAdminToken } from "./admin_token.js";
import { mintHostGrant } from "./authz/grant.js";
import { heldPermission } from "./authz/permissions.js";
import { builtinAdmin, createDirectory, type Directory } from "./authz/plugins.js";
import { createRates } from "./authz/rates.js";
import { sha256Hex } from "./authz/plugin_token.js";
import type { Config } from "./config.js";
import { describeOpenrpc } from "./dispatch/describe.js";
import { createDispatcher } from "./dispatch/dispatcher.js";
import { createHost, type SealedActions } from "./dispatch/host.js";
import { createRefuser } from "./dispatch/refuse.js";
import { createSignals } from "./feed/signals.js";
import { createWaits } from "./feed/waits.js";
import { createSecretHider, type HideSecrets } from "./hide_secrets.js";
import { createLedger, type CreatedLedger } from "./ledger/create.js";
import { limitCalls, limitLogins } from "./limit_rates.js";
import { observeHost, type HostObservation } from "./observe_host.js";
import { openDatabase, type OpenedDatabase } from "./open_database.js";
import { openFeed } from "./open_feed.js";
import { createLog, type HostLog } from "./process/log.js";
import { startReconciler } from "./reconciler/reconciler.js";
import { traceHost, type HostTraces } from "./trace_host.js";
import { startWire, type Wire, type WireParts } from "./wire/server.js";

export type { HostLog } from "./process/log.js";

export interface HostOptions {
  log?: HostLog;
  /** Instant that tests set, ISO 8601; null is the database clock. */
  clock?: { now(): string | null };
  /** Told of each SQL statement before it is sent. */
  on_statement?: (name: string) => void;
  /** How this host hears of what others commit before it looks; see open_feed.ts. */
  hints?: "listen" | "none";
  /** Settings of an embedded Postgres, such as fsync=off in tests. */
  postgres_settings?: Record<string, string>;
  /** Told of the embedded Postgres once it runs; for a process that has to end without `close`. */
  onEmbedded?: (embedded: { stop(): Promise<void> }) => void;
  /** The embedded Postgres has ended and could not be started again: this host only answers
      UNAVAILABLE from now on. */
  onLost?: (cause: Error) => void;
}

export interface Host {
  /** ws://…/rpc */
  url: string;
  httpUrl: string;
  pid: number;
  /** Finishes what is in flight, closes sockets, stops the embedded database. */
  close(): Promise<void>;
}

type Undo = () => unknown;

const name = "runhost";

export async function startHost(config: Config, options: HostOptions = {}): Promise<Host> {
  const undo: Undo[] = [];
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const wire = await buildFloors(config, options, undo);
    let closing: Promise<void> | null = null;
    return {
      url: wire.url,
      httpUrl: wire.http_url,
      pid: process.pid,
      close: () => (closing ??= close()),
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function buildFloors(config: Config, options: HostOptions, undo: Undo[]): Promise<Wire> {
  const log = options.log ?? createLog(config);
  const observation = observeHost(config, readVersion());
  undo.push(() => observation.stop());
  const hideSecrets = createSecretHider([config.admin_token]);
  const traces = traceHost(readVersion(), hideSecrets);
  const observer = traces.ofDatabase(observation.database);
  const opened = await openDatabase({ config, options, log, observer, undo });
  const admin_token = await provideAdminToken(config);
  const signals = createSignals((cause) => log.error({ err: cause }, "a listener failed"));
  const waits = createWaits(signals);
  const config_permissions = listConfigured(config);
  const created = createLedger({
    database: opened.database, signals, waits, config_permissions,
    config_claimers: listClaimers(config),
  });
  const ledger = observation.ofLedger(created.ledger);
  let wire: Wire | null = null;
  const directory = createDirectory({
    reader: created.plugin_reader,
    configured: config.admin_plugins,
    admin_token_sha256: sha256Hex(admin_token),
    on_gone: (principal, active_key_id) => wire?.connections.revoke(principal, active_key_id),
    on_read_failure: (cause) => log.warn({ err: cause }, "identities could not be read"),
  });
  const scrape = observation.createScrape({
    database: opened.metrics_database,
    connections: () => wire?.connections ?? null,
  });
  const { database } = opened;
  const following = openFeed({ config, hints: options.hints, database, signals, created, log });
  undo.push(() => following.stop());
  wire = await openWire({
    config, options, log, opened, observation, traces, hideSecrets, scrape, directory, ledger,
    feed: following.feed,
  });
  following.serve(wire.connections, directory);
  directory.start();
  const reconciler = startReconciler({
    ledger,
    duty: created.duty,
    grantOf: mintHostGrant,
    holder: `${hostname()}:${process.pid}:${randomUUID()}`,
    reconcile_seconds: config.reconcile_seconds,
    retention_days: config.retention_days,
    onFailure: (cause) => log.warn({ err: cause }, "the sweep failed"),
  });
  undo.push(() => directory.stop(), () => reconciler.stop(), () => wire.close());
  return wire;
}

/** Permissions that enabled entries of the configuration add to an identity, sorted. */
function listConfigured({ admin_plugins }: Config) {
  return (named: { tenant_id: string; plugin_identity: string }): readonly string[] => {
    const entries = admin_plugins.filter(
      ({ enabled, tenant_id, identity }) =>
        enabled && tenant_id === named.tenant_id && identity === named.plugin_identity,
    );
    return [...new Set(entries.flatMap(({ permissions }) => permissions))].sort();
  };
}

/** Who holds runtime:admin beside the table: entries of the configuration, and the built-in. */
function listClaimers({ admin_plugins }: Config) {
  return (tenant_id: string) => {
    const own = builtinAdmin.tenant_id === tenant_id
      ? [{ plugin_identity: builtinAdmin.plugin_identity, workspaces: null }] : [];
    const entries = admin_plugins.filter((entry) => entry.enabled && entry.tenant_id === tenant_id);
    return [...own, ...entries.flatMap(({ identity: plugin_identity, ...source }) => {
      const held = heldPermission([source], "runtime:admin");
      return held === null ? [] : [{ plugin_identity, workspaces: held.workspaces }];
    })];
  };
}

interface WireFloorParts {
  config: Config;
  options: HostOptions;
  log: HostLog;
  opened: OpenedDatabase;
  observation: HostObservation;
  traces: HostTraces;
  hideSecrets: HideSecrets;
  scrape(): Promise<{ type: string; text: string }>;
  directory: Directory;
  ledger: CreatedLedger["ledger"];
  feed: WireParts["feed"];
}

async function openWire(parts: WireFloorParts): Promise<Wire> {
  const { config, options, log, opened, observation, traces, hideSecrets } = parts;
  const { directory, ledger, feed } = parts;
  const actions = sealActions();
  const version = readVersion();
  const document = describeOpenrpc(actions, version);
  const { max_message_bytes, max_batch, max_in_flight } = config;
  const limits = { max_message_bytes, max_batch, max_in_flight };
  const rates = createRates(config);
  const refuse = observation.ofRefuser(createRefuser(({ incident, method, cause }) => {
    log.error({ incident, method, err: cause }, "incident");
  }, hideSecrets));
  const dispatcher = createDispatcher({
    actions,
    directory,
    ledger,
    clock: options.clock ?? { now: () => null },
    host_facts: { name, version, limits, openrpc: () => document },
    read_days: config.snapshot_read_days,
    log,
    refuse,
  });
  return startWire({
    host: config.host,
    port: config.port,
    allowed_origins: config.allowed_origins,
    bounds: { ...config.bounds, ...limits, max_connections: config.max_connections },
    dispatcher: observation.ofDispatcher(traces.ofDispatcher(limitCalls(dispatcher, rates))),
    refuse,
    identities: limitLogins(directory, rates),
    feed,
    ready: opened.askReadiness,
    metrics: async () => {
      const { type, text } = await parts.scrape();
      // A queue may have been named by somebody who took a secret for a name.
      return { type, text: hideSecrets(text) };
    },
    openrpc: () => document,
    log,
  }).catch((cause: NodeJS.ErrnoException) => {
    const address = `${config.host}:${config.port}`;
    const why = cause.code ?? cause.message;
    throw new Error(`RUNHOST_HOST, RUNHOST_PORT: cannot listen on ${address} (${why})`, { cause });
  });
}

function sealActions(): SealedActions {
  const host = createHost();
  registerAll(host);
  return host.seal();
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
