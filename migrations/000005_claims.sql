-- Claims: taking, renewing and giving back. claim_epoch only grows, and the proof of a claim is
-- part of the predicate of every statement that writes under it.

-- The status that counts: the hold of an administrator, except while stale or deregistered.
create function runtime_status(r agent_runtime) returns text
language sql immutable as $$
  select case when r.deregistered_at is not null then 'offline'
    when r.status = 'stale' then 'stale' else coalesce(r.held_status, r.status) end
$$;

create function runtime_is_stale(r agent_runtime, p_now timestamptz) returns boolean
language sql immutable as $$
  select r.status = 'stale' or r.heartbeat_deadline_at < p_now
$$;

-- CLAIMABLE(run), but for the rules that belong to the caller's path.
create function is_claimable(r agent_run, p_runtime text, p_now timestamptz) returns boolean
language sql immutable as $$
  select (r.status = 'queued' or (r.status = 'claimed' and r.claim_lease_expires_at <= p_now))
    and r.cancel_requested_at is null and (r.deadline_at is null or r.deadline_at > p_now)
    and r.dispatch_attempts < r.max_attempts
    and (r.not_before is null or r.not_before <= p_now)
    and (r.requested_runtime_id is null or r.requested_runtime_id = p_runtime)
$$;

-- RUN(c, live), ADMIN, OWN for claiming and runtimes; `path` says which one won. A session that is
-- named has to hold, whatever permission the caller holds.
create function admit_fleet(
  p_tenant text, p_grant jsonb, p_now timestamptz, out refusal jsonb, out path text,
  out s agent_run
) language plpgsql stable as $$
declare
  v_admin jsonb := p_grant -> 'admin';
begin
  if p_grant ->> 'run_id' is null then
    path := case when holds(v_admin) then 'admin' else 'own' end;
    return;
  end if;
  select * into s from agent_run where tenant_id = p_tenant and run_id = p_grant ->> 'run_id';
  refusal := session_refusal(s, p_grant, p_now);
  path := case when holds_in_workspace(v_admin, s.workspace_id) then 'admin' else 'run' end;
  if refusal is null and path = 'run' then
    refusal := cap_and_scope_refusal(s, s, p_grant, p_now);
  end if;
end $$;

create function claim_path_refusal(
  p_path text, s agent_run, p_grant jsonb, p_runners jsonb
) returns jsonb language sql immutable as $$
  select case
    when p_path = 'run' and (s.conversation_id is null or exists (
      select from jsonb_array_elements_text(nullif(p_runners, 'null')) x where x <> s.runner_id))
    then refused('FORBIDDEN', 'out_of_scope')
    when p_path = 'own' and exists (
      select from jsonb_array_elements_text(nullif(p_runners, 'null')) x
      where x not like 'plugin:%' or substring(x from '^plugin:(.*)/[^/]*$')
        <> p_grant ->> 'caller')
    then refused('FORBIDDEN', 'out_of_scope')
  end
$$;

create function claim_runtime_refusal(
  p_tenant text, p_grant jsonb, p_runtime text, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
  m agent_runtime;
begin
  -- The lock keeps runtime_deregister and this claim apart: it either sees the claim or is seen.
  select * into m from agent_runtime where tenant_id = p_tenant and runtime_id = p_runtime
    and deregistered_at is null for key share;
  if m.id is null then return missing('runtime', p_runtime); end if;
  if m.plugin_identity <> p_grant ->> 'caller' then
    return refused('FORBIDDEN', 'out_of_scope');
  end if;
  if runtime_status(m) <> 'online' or runtime_is_stale(m, p_now) then
    return refused('CONFLICT', 'runtime_not_online') || jsonb_build_object('status',
      case when runtime_is_stale(m, p_now) then 'stale' else runtime_status(m) end);
  end if;
  return null;
end $$;

-- The runs that a path reaches, best first. Filters that a path lacks are null; text is built from
-- fixed parts only, so that each combination gets a plan of its own.
create function claim_candidates(p_path text, p_grant jsonb, p_input jsonb) returns text
language plpgsql immutable as $$
declare
  v_where text := 'r.tenant_id = $1';
begin
  if p_path = 'run' then
    v_where := v_where || ' and r.plugin_identity = ($4).plugin_identity'
      || ' and r.runner_id = ($4).runner_id and r.conversation_id = ($4).conversation_id'
      || ' and (($4).bot_id is null or r.bot_id = ($4).bot_id)'
      || ' and (($4).workspace_id is null or r.workspace_id = ($4).workspace_id)'
      || ' and r.thread_id is not distinct from ($4).thread_id';
  elsif p_path = 'own' then
    v_where := v_where || ' and r.plugin_identity = $2 ->> ''caller''';
  elsif not holds_unlimited(p_grant -> 'admin') then
    v_where := v_where || ' and ($2 #> ''{admin,workspaces}'' ? r.workspace_id'
      || ' or r.plugin_identity = $2 ->> ''caller'')';
  end if;
  if p_input ->> 'queue_name' is not null then
    v_where := v_where || ' and r.queue_name = $3 ->> ''queue_name''';
  end if;
  if jsonb_typeof(p_input -> 'runner_ids') = 'array' then
    v_where := v_where || ' and $3 -> ''runner_ids'' ? r.runner_id';
  end if;
  v_where := v_where || ' and is_claimable(r, $3 ->> ''runtime_id'', $5)';
  return '(select r.id, r.priority from agent_run r where ' || v_where
    || ' and r.status = ''queued'' order by r.priority desc, r.id)'
    || ' union all (select r.id, r.priority from agent_run r where ' || v_where
    || ' and r.status = ''claimed'' and r.claim_lease_expires_at <= $5'
    || ' order by r.priority desc, r.id)'
    || ' order by 2 desc, 1';
end $$;

-- CLAIM_EFFECTS. The caller holds the lock of the run.
create function claim_run(
  r agent_run, p_grant jsonb, p_input jsonb, p_token_sha256 bytea, p_now timestamptz
) returns agent_run language plpgsql as $$
declare
  v_from text := r.status;
  v_runtime text := r.claimed_by_runtime_id;
begin
  update agent_run set status = 'claimed', claimed_by_runtime_id = p_input ->> 'runtime_id',
    claimed_by_identity = p_grant ->> 'caller', claim_token_sha256 = p_token_sha256,
    claim_epoch = claim_epoch + 1, dispatch_attempts = dispatch_attempts + 1,
    last_claimed_at = p_now, started_at = coalesce(started_at, greatest(p_now, created_at)),
    claim_lease_expires_at = least(
      p_now + make_interval(secs => (p_input ->> 'lease_seconds')::int),
      deadline_at + interval '60 seconds'),
    not_before = null, status_reason = null, updated_at = p_now
  where tenant_id = r.tenant_id and id = r.id returning * into strict r;
  if v_from = 'claimed' then
    perform return_leased_steering(r, p_now);
    perform write_host_audit(r.tenant_id, 'run_reclaimed', r, transition_detail(v_from, r,
      jsonb_build_object('runtime_id', v_runtime, 'claim_epoch', r.claim_epoch,
        'dispatch_attempts', r.dispatch_attempts)), p_now);
  end if;
  if holds(p_grant -> 'admin') then
    perform write_audit(r.tenant_id, p_grant, 'runtime:admin', run_target(r)
        || jsonb_build_object('runtime_id', r.claimed_by_runtime_id),
      jsonb_build_object('runtime_id', r.claimed_by_runtime_id, 'claim_epoch', r.claim_epoch,
        'queue_name', r.queue_name, 'runner_ids', p_input -> 'runner_ids'));
  end if;
  return r;
end $$;

-- Takes up to max_runs runs. Candidates are read without a lock and locked one by one, skipping
-- what another claimer holds: a claimer never locks a run that it does not take, so N claimers over
-- M runs get min(N, M) of them. Input: token_sha256s holds a fresh token's hash for each run that
-- may be taken.
create function run_claim(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_max int := (p_input ->> 'max_runs')::int;
  v_bytes bigint := 0;
  v_taken jsonb := '[]';
  v_count int := 0;
  v_refusal jsonb;
  a record;
  v_session agent_run;
  v_candidate record;
  r agent_run;
begin
  a := admit_fleet(p_tenant, p_grant, v_now);
  v_session := a.s;
  v_refusal := coalesce(a.refusal,
    claim_path_refusal(a.path, v_session, p_grant, p_input -> 'runner_ids'),
    claim_runtime_refusal(p_tenant, p_grant, p_input ->> 'runtime_id', v_now));
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  for v_candidate in execute claim_candidates(a.path, p_grant, p_input)
    using p_tenant, p_grant, p_input, v_session, v_now
  loop
    select * into r from agent_run c where c.tenant_id = p_tenant and c.id = v_candidate.id
      and is_claimable(c, p_input ->> 'runtime_id', v_now) for no key update skip locked;
    continue when not found;
    exit when v_count > 0 and v_bytes + r.request_bytes > 8388608;
    r := claim_run(r, p_grant, p_input,
      decode(p_input -> 'token_sha256s' ->> v_count, 'hex'), v_now);
    v_taken := v_taken || jsonb_build_array(run_detail(r) || jsonb_build_object(
      'claim_lease_expires_at_ms', epoch_ms(r.claim_lease_expires_at),
      'available_apis', r.snapshot -> 'available_apis'));
    v_bytes := v_bytes + r.request_bytes;
    v_count := v_count + 1;
    exit when v_count >= v_max;
  end loop;
  return jsonb_build_object('runs', v_taken);
end $$;

create function run_renew(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_loaded record;
  v_refusal jsonb;
  t agent_run;
begin
  v_loaded := load_runs(p_tenant, p_grant, true);
  t := v_loaded.t;
  v_refusal := claim_refusal(v_loaded.s, t, p_grant, v_now);
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  update agent_run set updated_at = v_now, claim_lease_expires_at = least(
    v_now + make_interval(secs => (p_input ->> 'lease_seconds')::int),
    deadline_at + interval '60 seconds')
  where tenant_id = p_tenant and id = t.id returning * into strict t;
  return jsonb_build_object('run', run_record(t) || jsonb_build_object(
    'claim_lease_expires_at_ms', epoch_ms(t.claim_lease_expires_at)));
end $$;

create function run_release(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_not_before timestamptz := to_timestamp((p_input ->> 'not_before')::bigint);
  v_refund boolean := coalesce((p_input ->> 'refund_attempt')::boolean, false);
  v_loaded record;
  v_refusal jsonb;
  t agent_run;
begin
  if v_not_before > v_now + interval '86400 seconds' then
    return jsonb_build_object('refusal',
      invalid_param('not_before', 'must be at most 86400 seconds from now'));
  end if;
  v_loaded := load_runs(p_tenant, p_grant, true);
  t := v_loaded.t;
  v_refusal := claim_refusal(v_loaded.s, t, p_grant, v_now);
  if v_refusal is null and v_refund and exists (select from agent_run_event e
    where e.tenant_id = p_tenant and e.run_id = t.run_id and e.sequence = t.last_sequence
      and e.claim_epoch = t.claim_epoch) then
    v_refusal := refused('CONFLICT', 'attempt_used');
  end if;
  if v_refusal is not null then return jsonb_build_object('refusal', v_refusal); end if;
  if v_refund then
    update agent_run set dispatch_attempts = dispatch_attempts - 1
      where tenant_id = p_tenant and id = t.id returning * into strict t;
  end if;
  t := requeue_run(t, p_input ->> 'status_reason', false, v_not_before, v_now);
  if t.plugin_identity <> p_grant ->> 'caller' then
    perform write_audit(p_tenant, p_grant, 'runtime:admin', run_target(t),
      transition_detail('claimed', t));
  end if;
  return jsonb_build_object('run', run_record(t)) || aftermath(t);
end $$;
