-- Runners and runtimes: what plugins declare about the code and the processes that execute runs.

create function runner_record(r runner) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', r.runner_id, 'source', 'plugin', 'label', r.label,
    'description', r.description,
    'plugin_author', split_part(r.plugin_identity, '/', 1),
    'plugin_name', split_part(r.plugin_identity, '/', 2),
    'runner_name', substring(r.runner_id from '[^/]*$'),
    'plugin_version', r.plugin_version, 'config_schema', r.config_schema,
    'capabilities', r.capabilities, 'permissions', r.permissions,
    'raw_manifest', r.raw_manifest, 'updated_at', epoch_seconds(r.updated_at))
$$;

-- Locks the identity's row, where there is one: counting and inserting are one step for an
-- identity.
create function lock_plugin(p_tenant text, p_identity text) returns void
language sql as $$
  select from plugin where tenant_id = p_tenant and plugin_identity = p_identity
    for no key update
$$;

create function runner_register(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_caller text := p_grant ->> 'caller';
  v_withdrawn int := 0;
begin
  if exists (select from jsonb_array_elements(p_input -> 'runners') d
    where substring(d ->> 'id' from '^plugin:(.*)/[^/]*$') is distinct from v_caller) then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  perform lock_plugin(p_tenant, v_caller);
  if (p_input ->> 'replace')::boolean then
    update runner set withdrawn_at = v_now, updated_at = v_now
    where tenant_id = p_tenant and plugin_identity = v_caller and withdrawn_at is null
      and runner_id not in (select d ->> 'id' from jsonb_array_elements(p_input -> 'runners') d);
    get diagnostics v_withdrawn = row_count;
  end if;
  if (select count(*) from (
      select runner_id from runner where tenant_id = p_tenant and plugin_identity = v_caller
        and withdrawn_at is null
      union select d ->> 'id' from jsonb_array_elements(p_input -> 'runners') d) x) > 1000 then
    return jsonb_build_object('refusal', refused('CONFLICT', 'quota_exceeded')
      || '{"limit": 1000}');
  end if;
  insert into runner (tenant_id, runner_id, plugin_identity, label, description, plugin_version,
    config_schema, capabilities, permissions, raw_manifest, created_at, updated_at)
  select p_tenant, d ->> 'id', v_caller, d -> 'label', nullif(d -> 'description', 'null'),
    d ->> 'plugin_version', d -> 'config_schema', d -> 'capabilities', d -> 'permissions',
    d -> 'raw_manifest', v_now, v_now
  from jsonb_array_elements(p_input -> 'runners') with ordinality as x (d, place) order by place
  on conflict (tenant_id, runner_id) do update set label = excluded.label,
    description = excluded.description, plugin_version = excluded.plugin_version,
    config_schema = excluded.config_schema, capabilities = excluded.capabilities,
    permissions = excluded.permissions, raw_manifest = excluded.raw_manifest,
    withdrawn_at = null, updated_at = excluded.updated_at;
  return jsonb_build_object('withdrawn_count', v_withdrawn, 'items', (
    select coalesce(jsonb_agg(runner_record(r) order by place), '[]')
    from jsonb_array_elements(p_input -> 'runners') with ordinality as x (d, place)
    join runner r on r.tenant_id = p_tenant and r.runner_id = d ->> 'id'));
end $$;

create function runtime_record(r agent_runtime, p_now timestamptz) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', r.id, 'runtime_id', r.runtime_id,
    'plugin_identity', r.plugin_identity, 'status', runtime_status(r),
    'held', r.held_status is not null, 'is_stale', runtime_is_stale(r, p_now),
    'display_name', r.display_name, 'endpoint', r.endpoint, 'version', r.version,
    'capabilities', r.capabilities, 'metadata', r.metadata, 'labels', r.labels,
    'last_heartbeat_at', epoch_seconds(r.last_heartbeat_at),
    'heartbeat_deadline_at', epoch_seconds(r.heartbeat_deadline_at),
    'created_at', epoch_seconds(r.created_at), 'updated_at', epoch_seconds(r.updated_at))
$$;

-- Until when a heartbeat counts: the ttl, or the given instant as a ttl, each clamped.
create function heartbeat_deadline(p_input jsonb, p_now timestamptz) returns timestamptz
language sql immutable as $$
  select p_now + make_interval(secs => least(greatest(coalesce(
    (p_input ->> 'heartbeat_ttl_seconds')::numeric,
    (p_input ->> 'heartbeat_deadline_at')::numeric - extract(epoch from p_now), 60), 5), 3600
  )::double precision)
$$;

create function runtime_register(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_caller text := p_grant ->> 'caller';
  a record;
  m agent_runtime;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into m from agent_runtime
    where tenant_id = p_tenant and runtime_id = p_input ->> 'runtime_id';
  if m.id is null then
    perform lock_plugin(p_tenant, v_caller);
    if (select count(*) from agent_runtime
      where tenant_id = p_tenant and plugin_identity = v_caller) >= 1000
      and not exists (select from agent_runtime
        where tenant_id = p_tenant and runtime_id = p_input ->> 'runtime_id') then
      return jsonb_build_object('refusal', refused('CONFLICT', 'quota_exceeded')
        || '{"limit": 1000}');
    end if;
  end if;
  insert into agent_runtime as x (tenant_id, runtime_id, plugin_identity, status, display_name,
    endpoint, version, capabilities, labels, metadata, last_heartbeat_at, heartbeat_deadline_at,
    created_at, updated_at)
  values (p_tenant, p_input ->> 'runtime_id', v_caller, p_input ->> 'status',
    p_input ->> 'display_name', p_input ->> 'endpoint', p_input ->> 'version',
    p_input -> 'capabilities', p_input -> 'labels', p_input -> 'metadata', v_now,
    heartbeat_deadline(p_input, v_now), v_now, v_now)
  on conflict (tenant_id, runtime_id) do update set status = excluded.status,
    display_name = excluded.display_name, endpoint = excluded.endpoint,
    version = excluded.version, capabilities = excluded.capabilities, labels = excluded.labels,
    metadata = excluded.metadata, last_heartbeat_at = excluded.last_heartbeat_at,
    heartbeat_deadline_at = excluded.heartbeat_deadline_at, deregistered_at = null,
    updated_at = excluded.updated_at
  where x.plugin_identity = excluded.plugin_identity
  returning * into m;
  if not found then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  return jsonb_build_object('runtime', runtime_record(m, v_now));
end $$;

create function runtime_heartbeat(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_status text := p_input ->> 'status';
  a record;
  m agent_runtime;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into m from agent_runtime where tenant_id = p_tenant
    and runtime_id = p_input ->> 'runtime_id' and deregistered_at is null for no key update;
  if m.id is null then
    return jsonb_build_object('refusal', missing('runtime', p_input ->> 'runtime_id'));
  end if;
  if m.plugin_identity <> p_grant ->> 'caller' then
    return hold_runtime(m, p_grant, p_input, v_now);
  end if;
  update agent_runtime set
    status = coalesce(v_status, case when status = 'stale' then 'online' else status end),
    capabilities = coalesce(nullif(p_input -> 'capabilities', 'null'), capabilities),
    labels = coalesce(nullif(p_input -> 'labels', 'null'), labels),
    metadata = metadata || coalesce(nullif(p_input -> 'metadata', 'null'), '{}'),
    last_heartbeat_at = v_now, heartbeat_deadline_at = heartbeat_deadline(p_input, v_now),
    updated_at = v_now
  where tenant_id = p_tenant and id = m.id
    and json_bytes(metadata || coalesce(nullif(p_input -> 'metadata', 'null'), '{}')) <= 65536
  returning * into m;
  if not found then
    return jsonb_build_object('refusal', refused('PAYLOAD_TOO_LARGE', 'field')
      || '{"path": "metadata", "limit_bytes": 65536}');
  end if;
  return jsonb_build_object('runtime', runtime_record(m, v_now));
end $$;

-- An administrator fixes, or frees, the status of another plugin's runtime; heartbeat times stay.
create function hold_runtime(
  m agent_runtime, p_grant jsonb, p_input jsonb, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
  v_hold text := nullif(p_input ->> 'status', 'online');
  v_changed boolean := m.held_status is distinct from v_hold;
begin
  if not holds(p_grant -> 'admin') or jsonb_strip_nulls(p_input - 'runtime_id' - 'status') <> '{}'
  then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  if p_input ->> 'status' is null then
    return jsonb_build_object('refusal', invalid_param('status', 'is required'));
  end if;
  if v_changed then
    update agent_runtime set held_status = v_hold, updated_at = p_now
      where tenant_id = m.tenant_id and id = m.id returning * into m;
    perform write_audit(m.tenant_id, p_grant, 'runtime:admin',
      jsonb_build_object('runtime_id', m.runtime_id),
      jsonb_build_object('status', runtime_status(m), 'held', v_hold is not null));
  end if;
  return jsonb_build_object('runtime', runtime_record(m, p_now));
end $$;

create function runtime_deregister(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_released int := 0;
  v_ended jsonb := '[]';
  a record;
  m agent_runtime;
  r agent_run;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into m from agent_runtime
    where tenant_id = p_tenant and runtime_id = p_input ->> 'runtime_id' for update;
  if m.plugin_identity <> p_grant ->> 'caller' and not holds(p_grant -> 'admin') then
    return jsonb_build_object('refusal', refused('FORBIDDEN', 'out_of_scope'));
  end if;
  if m.id is null then
    return jsonb_build_object('refusal', missing('runtime', p_input ->> 'runtime_id'));
  end if;
  if m.deregistered_at is not null then
    return jsonb_build_object('runtime', runtime_record(m, v_now), 'released_claim_count', 0);
  end if;
  update agent_runtime set status = 'offline', deregistered_at = v_now, updated_at = v_now
    where tenant_id = p_tenant and id = m.id returning * into m;
  for r in select * from agent_run where tenant_id = p_tenant and status = 'claimed'
    and claimed_by_runtime_id = m.runtime_id order by id for no key update
  loop
    r := requeue_run(r, 'runtime deregistered', false, null, v_now);
    v_released := v_released + 1;
    if is_terminal(r.status) then v_ended := v_ended || to_jsonb(r.run_id); end if;
  end loop;
  if m.plugin_identity <> p_grant ->> 'caller' then
    perform write_audit(p_tenant, p_grant, 'runtime:admin',
      jsonb_build_object('runtime_id', m.runtime_id), jsonb_build_object('status', 'offline',
        'held', m.held_status is not null, 'released_claim_count', v_released));
  end if;
  return jsonb_build_object('runtime', runtime_record(m, v_now),
    'released_claim_count', v_released, 'ended_run_ids', v_ended,
    'queued', v_released > 0);
end $$;
