// What the directory of identities reads: by the key id of a token, and by name for those in use.

import type { Json, Sql } from "./database.js";

export interface PluginRow {
  tenant_id: string;
  plugin_identity: string;
  enabled: boolean;
  /** JSON: the driver is not asked to know the server's array types. */
  permissions: string[];
  active_key_id: string | null;
}

/** Key ids are unique per tenant only; by 64 random bits a second match is a defect, no choice.
    For an unknown key there is a row as well, without a tenant: no row at all is no answer. */
export const readPluginByKey = (sql: Sql, key_id: string) =>
  sql<(PluginRow & { tenant_id: string | null; secret_sha256: string })[]>`
    select p.tenant_id, p.plugin_identity, p.enabled, to_jsonb(p.permissions) as permissions,
      k.key_id as active_key_id, encode(k.secret_sha256, 'hex') as secret_sha256
    from (select ${key_id}::text as key_id) shown
      left join plugin_token k on k.key_id = shown.key_id and k.revoked_at is null
      left join plugin p
        on p.tenant_id = k.tenant_id and p.plugin_identity = k.plugin_identity
    limit 2`;

/** A row for each name; that of an unknown one has no tenant. */
export const readPlugins = (
  sql: Sql,
  { tenant_id, identities }: { tenant_id: string; identities: readonly string[] },
) => sql<(PluginRow & { tenant_id: string | null })[]>`
    select tenant_id, plugin_identity, enabled, permissions, active_key_id
    from find_plugins(${tenant_id}, ${sql.json(identities as unknown as Json)})`;

export const markPluginSeen = (
  sql: Sql,
  named: { tenant_id: string; plugin_identity: string },
) => sql`
    update plugin set last_seen_at = now()
    where tenant_id = ${named.tenant_id} and plugin_identity = ${named.plugin_identity}
      and (last_seen_at is null or last_seen_at < now() - interval '1 second')`;
