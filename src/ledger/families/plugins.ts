// Identities and their tokens. A token leaves the ledger once, in the answer that issues it; the
// database holds its hash.

import type { Plugin, PluginPage, RegisteredPlugin } from "../../contract/records.js";
import { listPlugins } from "../../sql/plugin_list.js";
import {
  markPluginSeen, type PluginRow, readPluginByKey, readPlugins,
} from "../../sql/plugin_facts.js";
import type { Database } from "../../sql/database.js";
import { pageByCursor } from "../answers.js";
import { issuePluginToken } from "../identifiers.js";
import type { Ledger } from "../ledger.js";
import type { LedgerParts } from "../parts.js";

export function createPlugins(parts: LedgerParts): Ledger["plugins"] {
  const { database, operate, told, config_permissions } = parts;
  const configured = (named: { tenant_id: string; plugin_identity: string }) => ({
    config_permissions: config_permissions(named),
  });
  return {
    async register(grant, patch) {
      const { token, ...issued } = issuePluginToken();
      const { tenant_id } = patch;
      const input = { ...patch, ...issued, ...configured(patch) };
      const done = await operate("plugin_register", { grant, input, tenant_id });
      const stored = done["plugin"] as RegisteredPlugin;
      told.pluginChanged(patch);
      return stored.created ? { ...stored, token } : stored;
    },
    async list(_grant, query) {
      const [row] = await database.query("plugin_list", (sql) => listPlugins(sql, query));
      if (!row) throw new Error("plugin_list answered no row");
      const page = pageByCursor(row.page) as PluginPage;
      const items = page.items.map((item) => ({
        ...item,
        config_permissions: [...config_permissions(item)],
      }));
      return { ...page, items };
    },
    async rotateToken(grant, named) {
      const { token, ...issued } = issuePluginToken();
      const { tenant_id, plugin_identity } = named;
      const input = { ...named, ...issued, ...configured(named) };
      await operate("plugin_rotate_token", { grant, input, tenant_id });
      told.pluginChanged(named);
      return { plugin_identity, key_id: issued.key_id, token };
    },
    async setEnabled(grant, wanted) {
      const { tenant_id } = wanted;
      const input = { ...wanted, ...configured(wanted) };
      const done = await operate("plugin_set_enabled", { grant, input, tenant_id });
      told.pluginChanged(wanted);
      return done["plugin"] as Plugin;
    },
  };
}

export interface PluginReads {
  byKey(key_id: string): Promise<(PluginRow & { secret_sha256: string }) | null>;
  markSeen(named: { tenant_id: string; plugin_identity: string }): Promise<void>;
  byIdentity(named: { tenant_id: string; plugin_identity: string }[]): Promise<PluginRow[]>;
}

/** What the directory of identities reads; no grant, for it is what grants rest on. */
export function createPluginReads(database: Database): PluginReads {
  return {
    async byKey(key_id) {
      const rows = await database.query("plugin_by_key", (sql) => readPluginByKey(sql, key_id));
      const [found] = rows;
      if (found === undefined) throw new Error("plugin_by_key answered no row");
      return rows.length === 1 && found.tenant_id !== null ? found : null;
    },
    async markSeen(named) {
      await database.query("plugin_seen", (sql) => markPluginSeen(sql, named));
    },
    async byIdentity(named) {
      const byTenant = new Map<string, string[]>();
      for (const { tenant_id, plugin_identity } of named) {
        byTenant.set(tenant_id, [...(byTenant.get(tenant_id) ?? []), plugin_identity]);
      }
      const found: PluginRow[] = [];
      for (const [tenant_id, identities] of byTenant) {
        const rows = await database.query("plugin_facts", (sql) =>
          readPlugins(sql, { tenant_id, identities }));
        // Taken for "gone", what was not answered would close good connections.
        if (rows.length < identities.length) throw new Error("plugin_facts left out a name");
        found.push(...rows.filter((row) => row.tenant_id !== null));
      }
      return found;
    },
  };
}
