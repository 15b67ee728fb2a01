-- State that runs of one scope share. Policy and keys come from the run's snapshot, never from
-- params.

create function admit_state(
  p_tenant text, p_grant jsonb, p_input jsonb, p_lock boolean, out refusal jsonb, out s agent_run,
  out scope_key text
) language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_loaded record;
begin
  v_loaded := load_runs(p_tenant, p_grant, p_lock);
  s := v_loaded.s;
  refusal := coalesce(session_refusal(s, p_grant, v_now),
    cap_and_scope_refusal(s, s, p_grant, v_now), fence_refusal(s, p_grant, v_now),
    state_refusal(s, p_input ->> 'scope'));
  scope_key := s.snapshot #>> array['state_context', 'scope_keys', p_input ->> 'scope'];
end $$;

create function state_get(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  a record;
  v_found agent_runner_state;
begin
  a := admit_state(p_tenant, p_grant, p_input, false);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select * into v_found from agent_runner_state where tenant_id = p_tenant
    and scope_key = a.scope_key and state_key = p_input ->> 'key';
  return jsonb_build_object('value', v_found.value, 'found', v_found.version is not null,
    'version', coalesce(v_found.version, 0));
end $$;

create function state_set(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  a record;
  w record;
begin
  a := admit_state(p_tenant, p_grant, p_input, true);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  w := set_state(a.s, p_input, call_time(p_grant));
  if w.refusal is not null then return jsonb_build_object('refusal', w.refusal); end if;
  return jsonb_build_object('success', true, 'version', w.version);
end $$;

create function state_delete(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_wanted bigint := (p_input ->> 'if_version')::bigint;
  a record;
  v_old agent_runner_state;
begin
  a := admit_state(p_tenant, p_grant, p_input, true);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  perform from agent_runner_state_scope
    where tenant_id = p_tenant and scope_key = a.scope_key for no key update;
  select * into v_old from agent_runner_state where tenant_id = p_tenant
    and scope_key = a.scope_key and state_key = p_input ->> 'key';
  if v_wanted <> coalesce(v_old.version, 0) then
    return jsonb_build_object('refusal', refused('CONFLICT', 'version_mismatch')
      || jsonb_build_object('version', coalesce(v_old.version, 0)));
  end if;
  if v_old.version is null then return '{"success": false}'; end if;
  delete from agent_runner_state where tenant_id = p_tenant
    and scope_key = a.scope_key and state_key = v_old.state_key;
  update agent_runner_state_scope set key_count = key_count - 1,
    total_bytes = total_bytes - v_old.bytes
  where tenant_id = p_tenant and scope_key = a.scope_key;
  return '{"success": true}';
end $$;

create function state_list(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_limit int := (p_input ->> 'limit')::int;
  v_prefix text := coalesce(p_input ->> 'prefix', '');
  v_keys text[];
  a record;
begin
  a := admit_state(p_tenant, p_grant, p_input, false);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  select coalesce(array_agg(state_key order by state_key), '{}') into v_keys from (
    select state_key from agent_runner_state where tenant_id = p_tenant
      and scope_key = a.scope_key and state_key >= v_prefix collate "C"
      and starts_with(state_key, v_prefix)
      and (p_input ->> 'after_key' is null or state_key > (p_input ->> 'after_key') collate "C")
    order by state_key limit v_limit + 1) listed;
  return jsonb_build_object('keys', to_jsonb(v_keys[1:v_limit]),
    'has_more', cardinality(v_keys) > v_limit,
    'next_after_key', case when cardinality(v_keys) > v_limit then v_keys[v_limit] end);
end $$;
