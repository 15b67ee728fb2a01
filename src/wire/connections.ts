// All connections of this host: who each counts as, which claims were made over it, and so to whom
// something is pushed. Closes those whose identity is gone, and all of them when the host stops.
// What it remembers of one connection is bounded; the oldest entry goes first.

import { Refusal } from "../contract/errors.js";
import { Connection, type ConnectionParts } from "./connection.js";
import type { NotedClaim, Principal, Proof, Transport, WireLog } from "./parts.js";

/** A cancel request, as the ledger told it. */
export interface CancelRequest extends Executor {
  status_reason: string | null;
}

/** Steering that waits, as the ledger told it. */
export interface WaitingSteering extends Executor {
  pending: number;
}

/** Who works on a run: its plugin, and claim number `claim_epoch` while it is `claimed`. */
interface Executor {
  tenant_id: string;
  run_id: string;
  plugin_identity: string;
  claim_epoch: number;
  claimed: boolean;
}

export interface Connections {
  readonly size: number;
  /** Of these, the ones that have proved an identity. */
  readonly proved_count: number;
  /** Tenants of the proved identities. */
  tenants(): string[];
  open(transport: Transport, proof: Proof | null): Connection;
  /** Closes those of the identity that were not proved by the key that is still good. */
  revoke(principal: Principal, active_key_id: string | null): void;
  pushCancel(request: CancelRequest): void;
  pushSteering(waiting: WaitingSteering): void;
  /** The run has ended: nothing is pushed for it any more. */
  forgetRun(named: { tenant_id: string; run_id: string }): void;
  /** Answers what is in flight, closes with 1001, settles when all are gone. */
  drain(): Promise<void>;
}

/** The answer that revokes a key still has to reach its connection. */
const revoke_grace_ms = 1000;

type Shared = Omit<ConnectionParts, "transport" | "onIdentity" | "onClaim">;

export function createConnections(shared: Shared): Connections {
  const { bounds, log } = shared;
  const memory = createMemory({
    hold: (proof) => shared.identities.hold(proof),
    remembered_max: bounds.remembered_per_connection,
    log,
  });

  return {
    get size() {
      return memory.entries.size;
    },
    get proved_count() {
      const proved = [...memory.entries].filter(({ connection }) => connection.principal !== null);
      return proved.length;
    },
    tenants() {
      const proved = [...memory.entries].map(({ connection }) => connection.principal?.tenant_id);
      return [...new Set(proved)].filter((tenant_id) => tenant_id !== undefined);
    },
    open(transport, proof) {
      const connection: Connection = new Connection({
        ...shared,
        transport,
        onIdentity: (shown) => memory.noteIdentity(entry, shown),
        onClaim: (claim) => memory.noteClaim(entry, claim),
      });
      const entry = memory.add(connection);
      if (proof !== null) connection.prove(proof);
      void connection.gone.then(() => memory.remove(entry));
      return connection;
    },
    revoke(principal, active_key_id) {
      for (const { connection } of memory.findByIdentity(principal)) {
        if (connection.key_id === active_key_id || !isOwn(connection, principal)) continue;
        log.info({ ...principal, key_id: connection.key_id }, "connection revoked");
        void connection.leave({
          code: 4401,
          reason: "the token is not accepted any more",
          refusal: new Refusal("UNAUTHENTICATED"),
          cut_ms: 0,
          wait_ms: revoke_grace_ms,
        });
      }
    },
    pushCancel({ status_reason, ...executor }) {
      const { run_id } = executor;
      for (const { connection } of memory.findExecutors(executor)) {
        connection.notify("run_cancel_requested", { run_id, status_reason });
      }
    },
    pushSteering({ pending, ...executor }) {
      const { run_id } = executor;
      for (const { connection } of memory.findExecutors(executor)) {
        connection.notify("steering_available", { run_id, pending });
      }
    },
    forgetRun: (named) => memory.forgetRun(named),
    async drain() {
      const leave = {
        code: 1001,
        reason: "the host is stopping",
        refusal: new Refusal("UNAVAILABLE", {}, "The host is stopping."),
        cut_ms: bounds.drain_wait_seconds * 1000,
        wait_ms: bounds.drain_seconds * 1000,
      };
      await Promise.all([...memory.entries].map(({ connection }) => connection.leave(leave)));
    },
  };
}

/** False where the connection merely speaks for the identity. */
function isOwn({ principal }: Connection, named: Principal): boolean {
  return (
    principal?.plugin_identity === named.plugin_identity && principal.tenant_id === named.tenant_id
  );
}

interface Entry {
  connection: Connection;
  /** By identity: the release of the directory's hold. The proved one comes first. */
  identities: Map<string, () => void>;
  /** By run: number of the newest claim made over this connection. */
  claims: Map<string, number>;
}

interface MemoryParts {
  hold(proof: Proof): () => void;
  remembered_max: number;
  log: WireLog;
}

// Neither tenants nor identities nor runs hold NUL, so each pair is unambiguous.
const identityKey = (named: Principal): string => `${named.tenant_id}\0${named.plugin_identity}`;
const runKey = (named: { tenant_id: string; run_id: string }): string =>
  `${named.tenant_id}\0${named.run_id}`;

/** Both ways, bounded for each connection, and nothing is left of one that has gone. */
function createMemory({ hold, remembered_max, log }: MemoryParts) {
  const entries = new Set<Entry>();
  const byIdentity = new Map<string, Set<Entry>>();
  const byRun = new Map<string, Set<Entry>>();

  function dropIdentity(entry: Entry, key: string): void {
    entry.identities.get(key)?.();
    entry.identities.delete(key);
    unlink(byIdentity, key, entry);
  }

  function dropClaim(entry: Entry, key: string): void {
    entry.claims.delete(key);
    unlink(byRun, key, entry);
  }

  return {
    entries: entries as ReadonlySet<Entry>,
    add(connection: Connection): Entry {
      const entry: Entry = { connection, identities: new Map(), claims: new Map() };
      entries.add(entry);
      return entry;
    },
    remove(entry: Entry): void {
      entries.delete(entry);
      const { principal } = entry.connection;
      if (principal !== null) log.info({ ...principal }, "connection closed");
      for (const key of [...entry.identities.keys()]) dropIdentity(entry, key);
      for (const key of [...entry.claims.keys()]) dropClaim(entry, key);
    },
    noteIdentity(entry: Entry, proof: Proof): void {
      const key = identityKey(proof.principal);
      if (entry.identities.has(key) || !entries.has(entry)) return;
      if (entry.identities.size === 0) log.info({ ...proof.principal }, "identity proved");
      entry.identities.set(key, hold(proof));
      link(byIdentity, key, entry);
      if (entry.identities.size <= remembered_max) return;
      dropIdentity(entry, [...entry.identities.keys()][1]!);
    },
    noteClaim(entry: Entry, claim: NotedClaim): void {
      if (!entries.has(entry)) return;
      const key = runKey(claim);
      entry.claims.delete(key);
      entry.claims.set(key, claim.claim_epoch);
      link(byRun, key, entry);
      if (entry.claims.size > remembered_max) dropClaim(entry, entry.claims.keys().next().value!);
    },
    forgetRun(named: { tenant_id: string; run_id: string }): void {
      const key = runKey(named);
      for (const entry of [...(byRun.get(key) ?? [])]) dropClaim(entry, key);
    },
    findByIdentity: (named: Principal): Entry[] => [...(byIdentity.get(identityKey(named)) ?? [])],
    /** The plugin's connections, and the one that made the claim. */
    findExecutors(executor: Executor): Set<Entry> {
      const found = new Set(byIdentity.get(identityKey(executor)));
      const key = runKey(executor);
      for (const entry of executor.claimed ? (byRun.get(key) ?? []) : []) {
        if (entry.claims.get(key) === executor.claim_epoch) found.add(entry);
      }
      return found;
    },
  };
}

function link(index: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const linked = index.get(key);
  if (linked === undefined) index.set(key, new Set([entry]));
  else linked.add(entry);
}

function unlink(index: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const linked = index.get(key);
  if (linked?.delete(entry) && linked.size === 0) index.delete(key);
}
