-- Run-scoped authorization: the predicates of the contract, each once, judged in the statement that
-- reads or writes. A function that admits returns null where it does, else the refusal as JSON
-- {code, …details}. A grant is the JSON that authz/grant.ts mints.

create function refusal(p_code text, p_details jsonb default '{}') returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', p_code) || p_details
$$;

create function refused(p_code text, p_reason text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', p_code, 'reason', p_reason)
$$;

create function capability_missing(p_capability text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'FORBIDDEN', 'reason', 'capability_missing',
    'capability', p_capability)
$$;

create function permission_missing(p_permission text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'FORBIDDEN', 'reason', 'permission_missing',
    'permission', p_permission)
$$;

create function missing(p_kind text, p_id text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'NOT_FOUND', 'kind', p_kind, 'id', p_id)
$$;

create function invalid_param(p_path text, p_message text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'INVALID_PARAMS', 'issues',
    jsonb_build_array(jsonb_build_object('path', p_path, 'message', p_message)))
$$;

-- The instant of the call: the database clock, or what a test has set.
create function call_time(p_grant jsonb) returns timestamptz
language sql stable as $$
  select coalesce((p_grant ->> 'now')::timestamptz, now())
$$;

-- HOLDS, for the permission of one path of the grant.
create function holds(p_held jsonb) returns boolean
language sql immutable as $$
  select coalesce(jsonb_typeof(p_held) = 'object', false)
$$;

create function holds_unlimited(p_held jsonb) returns boolean
language sql immutable as $$
  select coalesce(jsonb_typeof(p_held) = 'object' and p_held -> 'workspaces' = 'null', false)
$$;

-- HOLDS and IN_WS: a null workspace is in no limited set.
create function holds_in_workspace(p_held jsonb, p_workspace text) returns boolean
language sql immutable as $$
  select coalesce(jsonb_typeof(p_held) = 'object'
    and (p_held -> 'workspaces' = 'null' or p_held -> 'workspaces' ? p_workspace), false)
$$;

create function is_terminal(p_status text) returns boolean
language sql immutable as $$
  select p_status in ('completed', 'failed', 'cancelled', 'timeout')
$$;

create function lease_active(r agent_run, p_now timestamptz) returns boolean
language sql immutable as $$
  select r.status = 'claimed' and r.claim_lease_expires_at > p_now
$$;

create function is_live(r agent_run, p_now timestamptz) returns boolean
language sql immutable as $$
  select (r.status = 'running' or (r.status = 'claimed' and r.claim_lease_expires_at > p_now))
    and (r.deadline_at is null or p_now < r.deadline_at + interval '60 seconds')
$$;

create function is_readable(r agent_run, p_read_days int, p_now timestamptz) returns boolean
language sql immutable as $$
  select r.finished_at is null or p_now < r.finished_at + make_interval(days => p_read_days)
$$;

create function is_claimer(r agent_run, p_caller text, p_now timestamptz) returns boolean
language sql immutable as $$
  select coalesce(r.status = 'claimed' and r.claim_lease_expires_at > p_now
    and r.claimed_by_identity = p_caller, false)
$$;

-- SESSION(run_id, mode). One answer for "not there" and "not yours".
create function session_refusal(s agent_run, p_grant jsonb, p_now timestamptz) returns jsonb
language plpgsql stable as $$
declare
  v_caller text := p_grant ->> 'caller';
  v_mode text := p_grant ->> 'mode';
begin
  if s.id is null or not (s.plugin_identity = v_caller or is_claimer(s, v_caller, p_now)) then
    return refused('FORBIDDEN', 'not_authorized');
  end if;
  if (v_mode = 'live' and not is_live(s, p_now))
    or (v_mode = 'persisted' and not is_readable(s, (p_grant ->> 'read_days')::int, p_now)) then
    return refusal('SESSION_EXPIRED', jsonb_build_object('run_id', s.run_id));
  end if;
  return null;
end $$;

-- CAP(s, t, c): the snapshot grants it, or an active claim implies it for the claimed run.
create function has_capability(s agent_run, t agent_run, p_grant jsonb, p_now timestamptz)
returns boolean language sql stable as $$
  select coalesce(s.snapshot -> 'available_apis' -> (p_grant ->> 'capability') = 'true', false)
    or coalesce(s.id = t.id and is_claimer(s, p_grant ->> 'caller', p_now)
      and (p_grant ->> 'capability') in ('run_get', 'run_events_page', 'run_append_result',
        'run_emit_result', 'run_finalize', 'run_renew_claim', 'run_release_claim',
        'steering_pull'), false)
$$;

-- SCOPE(s, t), for an existing t.
create function in_scope(s agent_run, t agent_run) returns boolean
language sql immutable as $$
  select coalesce(t.id = s.id or (t.runner_id = s.runner_id
    and t.conversation_id = s.conversation_id
    and (s.bot_id is null or t.bot_id = s.bot_id)
    and (s.workspace_id is null or t.workspace_id = s.workspace_id)
    and t.thread_id is not distinct from s.thread_id), false)
$$;

create function cap_and_scope_refusal(
  s agent_run, t agent_run, p_grant jsonb, p_now timestamptz
) returns jsonb language sql stable as $$
  select case
    when not has_capability(s, t, p_grant, p_now) then
      capability_missing(p_grant ->> 'capability')
    when not in_scope(s, t) then refused('FORBIDDEN', 'out_of_scope')
  end
$$;

-- Session run and target of a call, locked against writers in ascending id when asked: the lock
-- order of the whole house, so that calls which name two runs cannot deadlock each other.
create function load_runs(
  p_tenant text, p_grant jsonb, p_lock boolean, out s agent_run, out t agent_run
) language plpgsql as $$
declare
  v_run_id text := p_grant ->> 'run_id';
  v_target text := coalesce(p_grant ->> 'target_run_id', p_grant ->> 'run_id');
  r agent_run;
begin
  if p_lock and v_run_id is not null and v_run_id <> v_target then
    for r in select * from agent_run where tenant_id = p_tenant
      and run_id in (v_run_id, v_target) order by id for no key update
    loop
      if r.run_id = v_run_id then s := r; else t := r; end if;
    end loop;
    return;
  end if;
  if p_lock then
    select * into t from agent_run where tenant_id = p_tenant and run_id = v_target
      for no key update;
  else
    select * into t from agent_run where tenant_id = p_tenant and run_id = v_target;
  end if;
  if v_run_id = v_target then
    s := t;
  elsif v_run_id is not null then
    select * into s from agent_run where tenant_id = p_tenant and run_id = v_run_id;
  end if;
end $$;

-- The access paths RUN, ADMIN, CREATOR of the contract, in its order. `path` says which one won.
create function admit(
  s agent_run, t agent_run, p_grant jsonb, p_now timestamptz,
  out refusal jsonb, out path text
) language plpgsql stable as $$
declare
  v_admin jsonb := p_grant -> 'admin';
  v_creator jsonb := p_grant -> 'creator';
begin
  if p_grant ->> 'run_id' is not null then
    refusal := session_refusal(s, p_grant, p_now);
    if refusal is not null then return; end if;
    if holds_in_workspace(v_admin, t.workspace_id) and t.id is not null then
      path := 'admin';
      return;
    end if;
    if t.id is null and holds_unlimited(v_admin) then
      refusal := missing('run', p_grant ->> 'target_run_id');
      return;
    end if;
    refusal := cap_and_scope_refusal(s, t, p_grant, p_now);
    path := 'run';
    return;
  end if;
  if t.id is not null and holds_in_workspace(v_admin, t.workspace_id) then
    path := 'admin';
  elsif t.created_by = p_grant ->> 'caller'
    and holds_in_workspace(v_creator, t.workspace_id) then
    path := 'creator';
  elsif holds_unlimited(v_admin) then
    refusal := missing('run', p_grant ->> 'target_run_id');
  elsif holds(v_admin) then
    refusal := refused('FORBIDDEN', 'out_of_scope');
  else
    refusal := refused('FORBIDDEN', 'not_authorized');
  end if;
end $$;

-- CLAIM_KNOWN: status and lease do not matter. The token's hash is compared, never the token; two
-- SHA-256 values differ at a place that tells nothing about the token.
create function claim_known(t agent_run, p_grant jsonb) returns boolean
language sql immutable as $$
  select coalesce(t.claimed_by_identity = p_grant ->> 'caller'
    and t.claimed_by_runtime_id = p_grant #>> '{claim,runtime_id}'
    and t.claim_token_sha256 = decode(p_grant #>> '{claim,token_sha256}', 'hex')
    and (p_grant #>> '{claim,epoch}' is null
      or t.claim_epoch = (p_grant #>> '{claim,epoch}')::bigint), false)
$$;

create function claim_proof(t agent_run, p_grant jsonb, p_now timestamptz) returns boolean
language sql immutable as $$
  select coalesce(lease_active(t, p_now), false) and claim_known(t, p_grant)
$$;

-- WRITE(c), the column "admitted when", and the administrator's way in.
create function write_admission(
  s agent_run, t agent_run, p_grant jsonb, p_now timestamptz
) returns jsonb language plpgsql stable as $$
declare
  v_run_id text := p_grant ->> 'run_id';
  v_own boolean := v_run_id = coalesce(p_grant ->> 'target_run_id', v_run_id);
  v_claim boolean := jsonb_typeof(p_grant -> 'claim') = 'object';
  v_admin jsonb := case when v_claim then null else p_grant -> 'admin' end;
  v_refusal jsonb;
begin
  if v_run_id is not null then
    v_refusal := session_refusal(s, p_grant, p_now);
    if v_refusal is not null then return v_refusal; end if;
    if holds_in_workspace(v_admin, t.workspace_id) and t.id is not null then return null; end if;
    if t.id is null and holds_unlimited(v_admin) then
      return missing('run', p_grant ->> 'target_run_id');
    end if;
    if not v_own then
      v_refusal := cap_and_scope_refusal(s, t, p_grant, p_now);
    elsif not v_claim and p_grant ->> 'action' <> 'run_emit_result'
      and not has_capability(s, t, p_grant, p_now) then
      v_refusal := capability_missing(p_grant ->> 'capability');
    end if;
    if v_refusal is not null then return v_refusal; end if;
  elsif not v_claim then
    if t.id is not null and holds_in_workspace(v_admin, t.workspace_id) then return null; end if;
    if holds_unlimited(v_admin) then return missing('run', p_grant ->> 'target_run_id'); end if;
    return refused('FORBIDDEN', 'out_of_scope');
  end if;
  if v_claim and not claim_known(t, p_grant) then
    return refused('LEASE_LOST', 'claim_not_active');
  end if;
  return null;
end $$;

-- WRITE(c), the column "is the executor when": null for the executor, else the answer.
create function executor_refusal(
  t agent_run, p_grant jsonb, p_now timestamptz
) returns jsonb language sql stable as $$
  select case
    when jsonb_typeof(p_grant -> 'claim') = 'object' then
      case when not claim_proof(t, p_grant, p_now) then
        refused('LEASE_LOST', 'claim_not_active') end
    when p_grant ->> 'run_id' = t.run_id and t.plugin_identity = p_grant ->> 'caller'
      and t.status = 'running' then
      case when not is_live(t, p_now) then
        refusal('SESSION_EXPIRED', jsonb_build_object('run_id', t.run_id)) end
    else refused('LEASE_LOST', 'claim_required')
  end
$$;

-- An administrator who is not the executor may write if the run is not LIVE, or by force.
create function is_admin_write(t agent_run, p_grant jsonb, p_now timestamptz) returns boolean
language sql stable as $$
  select coalesce(jsonb_typeof(p_grant -> 'claim') is distinct from 'object'
    and holds_in_workspace(p_grant -> 'admin', t.workspace_id)
    and (not is_live(t, p_now) or (p_grant ->> 'force')::boolean), false)
$$;

-- CLAIM(c): the proof, always; renewing another plugin's run needs the permission as well.
create function claim_refusal(
  s agent_run, t agent_run, p_grant jsonb, p_now timestamptz
) returns jsonb language plpgsql stable as $$
declare
  v_run_id text := p_grant ->> 'run_id';
  v_refusal jsonb;
begin
  if v_run_id is not null then
    v_refusal := session_refusal(s, p_grant, p_now);
    if v_refusal is null and v_run_id <> p_grant ->> 'target_run_id'
      and not holds(p_grant -> 'admin') then
      v_refusal := cap_and_scope_refusal(s, t, p_grant, p_now);
    end if;
    if v_refusal is not null then return v_refusal; end if;
  end if;
  if not claim_proof(t, p_grant, p_now) then
    return refused('LEASE_LOST', 'claim_not_active');
  end if;
  if p_grant ->> 'action' = 'run_renew_claim' and t.plugin_identity <> p_grant ->> 'caller'
    and not holds(p_grant -> 'admin') then
    return permission_missing('runtime:admin');
  end if;
  return null;
end $$;

-- MAY_GRANT: null when each wanted permission is covered by one that the caller holds without a
-- limit, else the first that is not.
create function uncovered_permission(p_unlimited jsonb, p_wanted text[]) returns text
language sql immutable as $$
  select w from unnest(p_wanted) w
  where not (p_unlimited ? '*' or p_unlimited ? w
    or p_unlimited ? (split_part(w, ':', 1) || ':*')
    or (p_unlimited ? 'agent_runner:admin'
      and split_part(w, ':', 1) in ('agent_run', 'runtime')))
  limit 1
$$;

-- The audit row of an administrator call, in the statement of the change.
create function write_audit(
  p_tenant text, p_grant jsonb, p_permission text, p_target jsonb, p_detail jsonb
) returns void language sql as $$
  insert into run_audit (tenant_id, domain, actor, via, action, permission, target_run_id,
    target_runtime_id, target_identity, workspace_id, detail, created_at)
  values (p_tenant, split_part(p_permission, ':', 1), p_grant ->> 'caller', p_grant ->> 'via',
    p_grant ->> 'action', p_permission, p_target ->> 'run_id', p_target ->> 'runtime_id',
    p_target ->> 'plugin_identity', p_target ->> 'workspace_id', p_detail, call_time(p_grant))
$$;

-- The audit row of a transition that the host makes by itself.
create function write_host_audit(
  p_tenant text, p_action text, r agent_run, p_detail jsonb, p_now timestamptz
) returns void language sql as $$
  insert into run_audit (tenant_id, domain, actor, action, target_run_id, workspace_id, detail,
    created_at)
  values (p_tenant, 'agent_run', 'host', p_action, r.run_id, r.workspace_id, p_detail, p_now)
$$;
