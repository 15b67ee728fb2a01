// The directory of identities, in memory: proves a plugin token, and tells what an identity may do
// from facts never older than `stale_ms`. Refuses with UNAUTHENTICATED, one answer for every
// unusable token, and with UNAVAILABLE when stale facts cannot be read again. Its memory is bounded
// by the identities in use plus `idle_max`. wire proves tokens, dispatch asks for standings.

import type { Principal } from "../actions/action.js";
import { Refusal } from "../contract/errors.js";
import {
  FactMemory, orUnavailable, principalKey,
  type PluginFacts, type Proof, type Standing,
} from "./fact_memory.js";
import { namesOf, type PermissionSource } from "./permissions.js";
import { readPluginToken, secretMatches } from "./plugin_token.js";

export type { PluginFacts, Proof, Standing } from "./fact_memory.js";

/** All that authz reads; the ledger satisfies it and main hands it in. */
export interface PluginReader {
  /** Facts and SHA-256 (hex) of the secret of one key id; null when unknown or revoked. */
  byKey(key_id: string): Promise<(PluginFacts & { secret_sha256: string }) | null>;
  markSeen(named: Principal): Promise<void>;
  /** Present facts of the named identities; missing ones are left out. */
  byIdentity(named: Principal[]): Promise<PluginFacts[]>;
}

export interface ConfiguredPlugin {
  tenant_id: string;
  identity: string;
  permissions: string[];
  enabled: boolean;
  workspaces: string[] | null;
}

export interface Directory {
  /** Token to identity; UNAUTHENTICATED for unknown, malformed, revoked and disabled alike. */
  identify(plugin_token: string): Promise<Proof>;
  /** By return while the facts are fresh; UNAVAILABLE when they cannot be read. */
  standing(principal: Principal): Standing | Promise<Standing>;
  /** Names of table and configuration, sorted, as far as memory knows them. */
  permissions(principal: Principal): readonly string[];
  /** Keeps an identity refreshed while a connection counts as its own; returns the release. */
  hold(proof: Proof): () => void;
  /** The facts have changed: the next standing reads again; of a held identity, at once. */
  forget(named: Principal): void;
  /** Reads every held identity again and reports those whose key or whose access is gone. */
  refresh(): Promise<void>;
  start(): void;
  stop(): void;
}

export interface DirectoryParts {
  reader: PluginReader;
  configured: readonly ConfiguredPlugin[];
  /** SHA-256 (hex) over the whole token of the built-in administrator. */
  admin_token_sha256: string;
  /** Called until the connections of a changed identity have been released; a key id that is
      still good is named, null means that none is. */
  on_gone(principal: Principal, active_key_id: string | null): void;
  /** Failures of refreshes that no call is waiting for. */
  on_read_failure?(cause: unknown): void;
  now_ms?: () => number;
  refresh_ms?: number;
  stale_ms?: number;
  idle_max?: number;
}

export const builtinAdmin: Readonly<Principal> = Object.freeze({
  tenant_id: "default",
  plugin_identity: "runhost/admin",
});

export function isBuiltinAdmin(named: Principal): boolean {
  return principalKey(named) === principalKey(builtinAdmin);
}

const adminStanding: Standing = Object.freeze({
  principal: builtinAdmin,
  enabled: true,
  sources: Object.freeze([Object.freeze({ permissions: Object.freeze(["*"]), workspaces: null })]),
});

export function createDirectory(parts: DirectoryParts): Directory {
  const { reader } = parts;
  const sourcesOf = createSources(parts.configured);
  const memory = new FactMemory({
    read: (named) => reader.byIdentity(named),
    judge: (principal, facts) => ({
      principal,
      enabled: facts?.enabled ?? false,
      sources: facts === null ? [] : sourcesOf(facts),
    }),
    on_gone: parts.on_gone,
    on_read_failure: parts.on_read_failure ?? (() => undefined),
    now_ms: parts.now_ms ?? (() => performance.now()),
    stale_ms: parts.stale_ms ?? 5000,
    idle_max: parts.idle_max ?? 1000,
  });
  const refresh = () => memory.refresh();
  return {
    identify: (plugin_token) => identifyToken(parts, memory, plugin_token),
    standing: (principal) =>
      isBuiltinAdmin(principal) ? adminStanding : memory.standing(principal),
    permissions: (principal) =>
      namesOf((isBuiltinAdmin(principal) ? adminStanding : memory.known(principal)).sources),
    hold: (proof) => (isBuiltinAdmin(proof.principal) ? () => undefined : memory.hold(proof)),
    forget: (named) => memory.forget(named),
    refresh,
    ...repeat(refresh, parts.refresh_ms ?? 2000),
  };
}

async function identifyToken(
  parts: DirectoryParts,
  memory: FactMemory,
  plugin_token: string,
): Promise<Proof> {
  const { reader, on_read_failure } = parts;
  if (secretMatches({ secret: plugin_token, sha256: parts.admin_token_sha256 })) {
    return { principal: builtinAdmin, key_id: null };
  }
  const shown = readPluginToken(plugin_token);
  if (shown === null) throw new Refusal("UNAUTHENTICATED");
  const began = memory.begin();
  const found = await orUnavailable(reader.byKey(shown.key_id), on_read_failure);
  const sha256 = found?.secret_sha256 ?? null;
  const matches = secretMatches({ secret: shown.secret, sha256 });
  if (!matches || found === null || !found.enabled || found.active_key_id !== shown.key_id) {
    throw new Refusal("UNAUTHENTICATED");
  }
  const { tenant_id, plugin_identity, enabled, permissions, active_key_id } = found;
  const principal = { tenant_id, plugin_identity };
  memory.learn({ ...principal, enabled, permissions, active_key_id }, began);
  await orUnavailable(reader.markSeen(principal), on_read_failure);
  return { principal, key_id: shown.key_id };
}

/** Runs `work`, which never rejects, this long after its last end, between start and stop. */
function repeat(work: () => Promise<void>, pause_ms: number): Pick<Directory, "start" | "stop"> {
  let timer: NodeJS.Timeout | null = null;
  const schedule = (): void => {
    const scheduled = setTimeout(async () => {
      await work();
      if (timer === scheduled) schedule();
    }, pause_ms);
    timer = scheduled.unref();
  };
  return {
    start: () => {
      if (timer === null) schedule();
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

function createSources(configured: readonly ConfiguredPlugin[]) {
  const entries = new Map<string, PermissionSource[]>();
  for (const entry of configured) {
    if (!entry.enabled) continue;
    const key = principalKey({ tenant_id: entry.tenant_id, plugin_identity: entry.identity });
    const { permissions, workspaces } = entry;
    entries.set(key, [...(entries.get(key) ?? []), { permissions, workspaces }]);
  }
  return (facts: PluginFacts): PermissionSource[] => [
    { permissions: facts.permissions, workspaces: null },
    ...(entries.get(principalKey(facts)) ?? []),
  ];
}
