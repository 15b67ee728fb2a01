// What the directory of identities reads: by the key id of a token, and by name for those in use.

import type { Sql } from "./database.js";

export interface PluginRow {
  tenant_id: string;
  plugin_identity: string;
  enabled: boolean;
  /** JSON: the driver is not asked to know the server's array types. */
  permissions: string[];
  active_key_id: string | null;
}

/** Key ids are unique per tenant only; by 64 random bits a second match is a defect, no choice. */
export const readPluginByKey = (sql: Sql, key_id: string) =>
  sql<(PluginRow & { secret_sha256: string })[]>`
    select p.tenant_id, p.plugin_identity, p.enabled, to_jsonb(p.permissions) as permissions,
      k.key_id as active_key_id, encode(k.secret_sha256, 'hex') as secret_sha256
    from plugin_token k join plugin p
      on p.tenant_id = k.tenant_id and p.plugin_identity = k.plugin_identity
    where k.key_id = ${key_id} and k.revoked_at is null limit 2`;

export const readPlugins = (
  sql: Sql,
  { tenant_id, identities }: { tenant_id: string; identities: readonly string[] },
) => sql<PluginRow[]>`
    select p.tenant_id, p.plugin_identity, p.enabled, to_jsonb(p.permissions) as permissions,
      k.key_id as active_key_id
    from plugin p left join plugin_token k on k.tenant_id = p.tenant_id
      and k.plugin_identity = p.plugin_identity and k.revoked_at is null
    where p.tenant_id = ${tenant_id} and p.plugin_identity in ${sql([...identities])}`;

export const markPluginSeen = (
  sql: Sql,
  named: { tenant_id: string; plugin_identity: string },
) => sql`
    update plugin set last_seen_at = now()
    where tenant_id = ${named.tenant_id} and plugin_identity = ${named.plugin_identity}
      and (last_seen_at is null or last_seen_at < now() - interval '1 second')`;
