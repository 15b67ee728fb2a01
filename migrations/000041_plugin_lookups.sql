-- Identities by name: a row for each name, an empty one where there is none. A host asks for all
-- that it knows every few seconds, so each is read in the order of the names: that leaves one index
-- to choose from, whatever was believed of the tables when the plan was made. As a join it once
-- read all tokens of a tenant for each plugin of it.
create function find_plugins(p_tenant text, p_identities jsonb)
returns table (tenant_id text, plugin_identity text, enabled boolean, permissions jsonb,
  active_key_id text) language plpgsql stable set enable_seqscan to off
set enable_bitmapscan to off set enable_sort to off as $$
#variable_conflict use_column
begin
  return query select p.tenant_id, p.plugin_identity, p.enabled, to_jsonb(p.permissions), k.key_id
  from jsonb_array_elements_text(p_identities) named
    left join lateral (select i.tenant_id, i.plugin_identity, i.enabled, i.permissions
      from plugin i where i.tenant_id = p_tenant
        and i.plugin_identity >= named and i.plugin_identity <= named
      order by i.plugin_identity limit 1) p on true
    left join lateral (select t.key_id
      from plugin_token t where t.tenant_id = p_tenant
        and t.plugin_identity >= named and t.plugin_identity <= named and t.revoked_at is null
      order by t.plugin_identity limit 1) k on p.tenant_id is not null;
end $$;
