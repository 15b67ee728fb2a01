-- The limit of runtimes counts those that are registered: workers that make a new id at each start
-- and deregister it when they stop may do so as often as they like.

-- runtime_list through OWN, the count limit of runtime_register: neither looks at runtimes that are
-- deregistered.
drop index agent_runtime_by_plugin;
create index agent_runtime_by_plugin on agent_runtime (tenant_id, plugin_identity, id)
  where deregistered_at is null;

create or replace function runtime_register(p_tenant text, p_grant jsonb, p_input jsonb)
returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_caller text := p_grant ->> 'caller';
  a record;
  m agent_runtime;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  -- Locked, so that it is not deregistered between this look and the upsert.
  select * into m from agent_runtime where tenant_id = p_tenant
    and runtime_id = p_input ->> 'runtime_id' and plugin_identity = v_caller for no key update;
  if m.id is null or m.deregistered_at is not null then
    perform lock_plugin(p_tenant, v_caller);
    if (select count(*) from agent_runtime where tenant_id = p_tenant
      and plugin_identity = v_caller and deregistered_at is null) >= 1000
      and not exists (select from agent_runtime
        where tenant_id = p_tenant and runtime_id = p_input ->> 'runtime_id'
        and (plugin_identity <> v_caller or deregistered_at is null)) then
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
