// What the directory remembers of each identity: facts with the moment their read began, who holds
// them, and the read in flight, which everybody shares. Held identities stay; of the others the
// least recently used go. A read that began before a change was announced never overwrites it.

import type { Principal } from "../actions/action.js";
import { Refusal } from "../contract/errors.js";
import type { PermissionSource } from "./permissions.js";

export interface PluginFacts {
  tenant_id: string;
  plugin_identity: string;
  enabled: boolean;
  /** Names of the table row; configuration adds its own. */
  permissions: string[];
  active_key_id: string | null;
}

/** What a token proved; key_id is null for the built-in administrator. */
export interface Proof {
  principal: Principal;
  key_id: string | null;
}

/** What an identity may do; an identity that is not registered is never enabled. */
export interface Standing {
  principal: Principal;
  enabled: boolean;
  sources: readonly PermissionSource[];
}

export interface Began {
  number: number;
  at_ms: number;
}

interface Entry {
  principal: Principal;
  facts: PluginFacts | null;
  standing: Standing;
  /** When the read of these facts began; null: read again before use. */
  read_at_ms: number | null;
  /** Answers of reads with a lower number are not kept. */
  floor: number;
  reading: { number: number; answer: Promise<Standing> } | null;
  /** Connections per key id; null counts those that only speak for this identity. */
  holders: Map<string | null, number>;
}

export interface FactMemoryParts {
  read(named: Principal[]): Promise<PluginFacts[]>;
  judge(principal: Principal, facts: PluginFacts | null): Standing;
  on_gone(principal: Principal, active_key_id: string | null): void;
  on_read_failure(cause: unknown): void;
  now_ms: () => number;
  stale_ms: number;
  idle_max: number;
}

/** An identity that is not registered is remembered this long at most. */
const unknown_ms = 1000;
const identitiesPerRead = 500;

/** An identity has no space, so the key is unambiguous. */
export function principalKey(named: Principal): string {
  return `${named.plugin_identity} ${named.tenant_id}`;
}

export class FactMemory {
  readonly #parts: FactMemoryParts;
  readonly #held = new Map<string, Entry>();
  readonly #idle = new Map<string, Entry>();
  #reads = 0;

  constructor(parts: FactMemoryParts) {
    this.#parts = parts;
  }

  /** To be asked for before a read begins whose answer goes to `learn`. */
  begin(): Began {
    return { number: ++this.#reads, at_ms: this.#parts.now_ms() };
  }

  /** Facts that were read elsewhere. */
  learn(facts: PluginFacts, began: Began): void {
    this.#absorb(this.#findOrAdd(facts), facts, began);
  }

  /** What memory knows, however old. */
  known(principal: Principal): Standing {
    return this.#find(principal)?.standing ?? this.#parts.judge(principal, null);
  }

  /** By return where it is known: every call asks. */
  standing(principal: Principal): Standing | Promise<Standing> {
    const entry = this.#findOrAdd(principal);
    if (this.#isFresh(entry)) return entry.standing;
    if (entry.reading === null) this.#read([entry]);
    return entry.reading!.answer;
  }

  hold({ principal, key_id }: Proof): () => void {
    const entry = this.#findOrAdd(principal);
    const { holders } = entry;
    const key = principalKey(principal);
    this.#idle.delete(key);
    this.#held.set(key, entry);
    holders.set(key_id, (holders.get(key_id) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = holders.get(key_id)! - 1;
      if (left > 0) holders.set(key_id, left);
      else holders.delete(key_id);
      if (holders.size > 0) return;
      this.#held.delete(key);
      this.#keepIdle(entry);
    };
  }

  forget(named: Principal): void {
    const entry = this.#find(named);
    if (entry === undefined) return;
    Object.assign(entry, { floor: this.#reads + 1, read_at_ms: null, reading: null });
    if (entry.holders.size > 0) this.#read([entry]);
  }

  /** Reads every held identity again; settles when all answers are in, never rejects. */
  async refresh(): Promise<void> {
    const due = [...this.#held.values()].filter((entry) => entry.reading === null);
    for (let start = 0; start < due.length; start += identitiesPerRead) {
      const batch = due.slice(start, start + identitiesPerRead);
      this.#read(batch);
      await Promise.allSettled(batch.map((entry) => entry.reading?.answer));
    }
  }

  #find(named: Principal): Entry | undefined {
    const key = principalKey(named);
    return this.#held.get(key) ?? this.#idle.get(key);
  }

  #findOrAdd({ tenant_id, plugin_identity }: Principal): Entry {
    const principal = { tenant_id, plugin_identity };
    const entry =
      this.#find(principal) ?? newEntry(principal, this.#parts.judge(principal, null));
    if (entry.holders.size === 0) this.#keepIdle(entry);
    return entry;
  }

  #keepIdle(entry: Entry): void {
    const key = principalKey(entry.principal);
    this.#idle.delete(key);
    this.#idle.set(key, entry);
    for (const oldest of this.#idle.keys()) {
      if (this.#idle.size <= this.#parts.idle_max) break;
      this.#idle.delete(oldest);
    }
  }

  #isFresh(entry: Entry): boolean {
    if (entry.read_at_ms === null) return false;
    const age_ms = this.#parts.now_ms() - entry.read_at_ms;
    return age_ms < (entry.facts === null ? unknown_ms : this.#parts.stale_ms);
  }

  /** One read for all of the batch; whoever asks meanwhile shares it. */
  #read(batch: readonly Entry[]): void {
    const began = this.begin();
    const rows = Promise.resolve()
      .then(() => this.#parts.read(batch.map((entry) => ({ ...entry.principal }))))
      .then((found) => new Map(found.map((facts) => [principalKey(facts), facts])));
    const reading = orUnavailable(rows, this.#parts.on_read_failure);
    for (const entry of batch) {
      const key = principalKey(entry.principal);
      const finish = (): void => {
        if (entry.reading?.number === began.number) entry.reading = null;
      };
      const answer = reading
        .then((found) => this.#absorb(entry, found.get(key) ?? null, began))
        .finally(finish);
      answer.catch(() => undefined);
      entry.reading = { number: began.number, answer };
    }
  }

  #absorb(entry: Entry, facts: PluginFacts | null, began: Began): Standing {
    const standing = this.#parts.judge(entry.principal, facts);
    if (began.number < entry.floor) return standing;
    Object.assign(entry, { facts, standing, read_at_ms: began.at_ms, floor: began.number });
    this.#reportGone(entry);
    return standing;
  }

  /** Told at every read until the connections have gone, so none slips through between two. */
  #reportGone(entry: Entry): void {
    const active = entry.facts?.enabled ? entry.facts.active_key_id : null;
    for (const key_id of entry.holders.keys()) {
      if (key_id === null || key_id === active) continue;
      this.#parts.on_gone(entry.principal, active);
      return;
    }
  }
}

function newEntry(principal: Principal, standing: Standing): Entry {
  return {
    principal,
    facts: null,
    standing,
    read_at_ms: null,
    floor: 0,
    reading: null,
    holders: new Map(),
  };
}

/** Refusals pass; any other failure of a read is the database's and may be repeated. */
export async function orUnavailable<T>(
  reading: Promise<T>,
  report: ((cause: unknown) => void) | undefined,
): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    report?.(cause);
    throw new Refusal("UNAVAILABLE");
  }
}
