// A reader over a map of rows that tests change by hand. It counts its reads and can be held back,
// so that a test decides when an answer arrives.

import { createHash } from "node:crypto";
import type { PluginFacts, PluginReader } from "../../src/authz/plugins.js";

export interface Row extends PluginFacts {
  secret: string;
}

export interface HandReader extends PluginReader {
  rows: Map<string, Row>;
  /** Identities of each byIdentity call, in order. */
  asked: string[][];
  seen: string[];
  /** While set, byIdentity answers are taken at once but handed over on release. */
  gate: Promise<void> | null;
  failure: Error | null;
}

export const keyId = (digit: string): string => digit.repeat(16);
export const secretOf = (digit: string): string => digit.repeat(64);
export const tokenOf = (key: string, secret: string): string =>
  `rh_${keyId(key)}_${secretOf(secret)}`;
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export function row(identity: string, changes: Partial<Row> = {}): Row {
  return {
    tenant_id: "default",
    plugin_identity: identity,
    enabled: true,
    permissions: [],
    active_key_id: keyId("a"),
    secret: secretOf("1"),
    ...changes,
  };
}

export function createHandReader(rows: Row[]): HandReader {
  const factsOf = ({ secret: _, ...facts }: Row): PluginFacts => structuredClone(facts);
  const reader: HandReader = {
    rows: new Map(rows.map((one) => [`${one.tenant_id} ${one.plugin_identity}`, one])),
    asked: [],
    seen: [],
    gate: null,
    failure: null,
    async byKey(key_id) {
      if (reader.failure !== null) throw reader.failure;
      const found = [...reader.rows.values()].find((one) => one.active_key_id === key_id);
      return found === undefined
        ? null
        : { ...factsOf(found), secret_sha256: sha256(found.secret) };
    },
    async markSeen(named) {
      if (reader.failure !== null) throw reader.failure;
      reader.seen.push(named.plugin_identity);
    },
    async byIdentity(named) {
      reader.asked.push(named.map((one) => one.plugin_identity));
      if (reader.failure !== null) throw reader.failure;
      const found = named
        .map((one) => reader.rows.get(`${one.tenant_id} ${one.plugin_identity}`))
        .filter((one) => one !== undefined)
        .map(factsOf);
      await reader.gate;
      return found;
    },
  };
  return reader;
}
