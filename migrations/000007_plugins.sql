-- Identities and their tokens. p_tenant is the tenant of the identity acted upon. The permissions
-- that the configuration adds are known to the host only and come in as config_permissions.

create function plugin_record(p plugin, p_config_permissions jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object('plugin_identity', p.plugin_identity, 'tenant_id', p.tenant_id,
    'display_name', p.display_name, 'permissions', to_jsonb(p.permissions),
    'config_permissions', p_config_permissions, 'enabled', p.enabled, 'key_id', k.key_id,
    'metadata', p.metadata, 'created_at', epoch_seconds(p.created_at),
    'updated_at', epoch_seconds(p.updated_at), 'token_created_at', epoch_seconds(k.created_at),
    'last_seen_at', epoch_seconds(p.last_seen_at))
  from (values (1)) one left join plugin_token k on k.tenant_id = p.tenant_id
    and k.plugin_identity = p.plugin_identity and k.revoked_at is null
$$;

create function json_texts(p_list jsonb) returns text[]
language sql immutable as $$
  select coalesce(array_agg(x), '{}') from jsonb_array_elements_text(nullif(p_list, 'null')) x
$$;

create function plugin_target(p_identity text) returns jsonb
language sql immutable as $$ select jsonb_build_object('plugin_identity', p_identity) $$;

create function insert_plugin_token(p_tenant text, p_input jsonb, p_now timestamptz) returns void
language sql as $$
  insert into plugin_token (tenant_id, key_id, plugin_identity, secret_sha256, created_at)
  values (p_tenant, p_input ->> 'key_id', p_input ->> 'plugin_identity',
    decode(p_input ->> 'secret_sha256', 'hex'), p_now)
$$;

create function plugin_register(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_identity text := p_input ->> 'plugin_identity';
  v_given boolean := jsonb_typeof(p_input -> 'permissions') = 'array';
  v_wanted text[] := json_texts(p_input -> 'permissions');
  v_before text[];
  v_uncovered text;
  v_created boolean;
  p plugin;
begin
  -- Judged before the insert, so that a refusal leaves no row; judged again on the locked row.
  v_uncovered := uncovered_permission(p_grant -> 'unlimited',
    v_wanted || json_texts(p_input -> 'config_permissions'));
  if v_uncovered is not null then
    return jsonb_build_object('refusal', permission_missing(v_uncovered));
  end if;
  insert into plugin (tenant_id, plugin_identity, permissions, display_name, metadata, created_at,
    updated_at)
  values (p_tenant, v_identity, v_wanted, p_input ->> 'display_name',
    coalesce(nullif(p_input -> 'metadata', 'null'), '{}'), v_now, v_now)
  on conflict (tenant_id, plugin_identity) do nothing returning * into p;
  v_created := found;
  if v_created then
    perform insert_plugin_token(p_tenant, p_input, v_now);
  else
    select * into strict p from plugin
      where tenant_id = p_tenant and plugin_identity = v_identity for no key update;
    v_before := p.permissions;
    v_uncovered := uncovered_permission(p_grant -> 'unlimited', v_before);
    if v_uncovered is not null then
      return jsonb_build_object('refusal', permission_missing(v_uncovered));
    end if;
    update plugin set permissions = case when v_given then v_wanted else permissions end,
      display_name = coalesce(p_input ->> 'display_name', display_name),
      metadata = coalesce(nullif(p_input -> 'metadata', 'null'), metadata), updated_at = v_now
    where tenant_id = p_tenant and id = p.id and (
      (v_given and permissions <> v_wanted)
      or display_name is distinct from coalesce(p_input ->> 'display_name', display_name)
      or metadata <> coalesce(nullif(p_input -> 'metadata', 'null'), metadata))
    returning * into p;
    if not found then
      select * into strict p from plugin
        where tenant_id = p_tenant and plugin_identity = v_identity;
      return jsonb_build_object('plugin', plugin_record(p, p_input -> 'config_permissions')
        || '{"created": false}');
    end if;
  end if;
  perform write_audit(p_tenant, p_grant, 'plugin:admin', plugin_target(v_identity),
    jsonb_build_object('permissions_before', to_jsonb(coalesce(v_before, '{}')),
      'permissions_after', to_jsonb(p.permissions), 'enabled', p.enabled)
    || case when v_created then jsonb_build_object('key_id', p_input ->> 'key_id')
      else '{}'::jsonb end);
  return jsonb_build_object('plugin', plugin_record(p, p_input -> 'config_permissions')
    || jsonb_build_object('created', v_created));
end $$;

-- The identity, locked, or the refusal of acting upon it.
create function admit_plugin(
  p_tenant text, p_grant jsonb, p_input jsonb, out refusal jsonb, out p plugin
) language plpgsql as $$
declare
  v_identity text := p_input ->> 'plugin_identity';
  v_uncovered text;
begin
  select * into p from plugin where tenant_id = p_tenant and plugin_identity = v_identity
    for no key update;
  if p.id is null then
    refusal := missing('plugin', v_identity);
    return;
  end if;
  v_uncovered := uncovered_permission(p_grant -> 'unlimited',
    p.permissions || json_texts(p_input -> 'config_permissions'));
  if v_uncovered is not null then refusal := permission_missing(v_uncovered); end if;
end $$;

create function plugin_rotate_token(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  a record;
begin
  a := admit_plugin(p_tenant, p_grant, p_input);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  update plugin_token set revoked_at = v_now where tenant_id = p_tenant
    and plugin_identity = p_input ->> 'plugin_identity' and revoked_at is null;
  perform insert_plugin_token(p_tenant, p_input, v_now);
  perform write_audit(p_tenant, p_grant, 'plugin:admin',
    plugin_target(p_input ->> 'plugin_identity'),
    jsonb_build_object('key_id', p_input ->> 'key_id'));
  return '{"rotated": true}';
end $$;

create function plugin_set_enabled(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_enabled boolean := (p_input ->> 'enabled')::boolean;
  a record;
  p plugin;
begin
  a := admit_plugin(p_tenant, p_grant, p_input);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  p := a.p;
  if p.enabled <> v_enabled then
    update plugin set enabled = v_enabled, updated_at = v_now
      where tenant_id = p_tenant and id = p.id returning * into strict p;
    perform write_audit(p_tenant, p_grant, 'plugin:admin', plugin_target(p.plugin_identity),
      jsonb_build_object('enabled', v_enabled));
  end if;
  return jsonb_build_object('plugin', plugin_record(p, p_input -> 'config_permissions'));
end $$;
