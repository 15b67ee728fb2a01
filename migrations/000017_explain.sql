-- Why a run is not moving: each reason is a predicate over the rows as they stand, judged in one
-- statement. A function that is stable reads by the snapshot of the statement that called it, so
-- the run, its queue, its runtimes and its interactions are seen at one instant.

-- Whether this runtime is online and its identity may claim this run: its own plugin, or one that
-- holds runtime:admin, by the table or by the configuration (p_fleet). A disabled identity cannot
-- connect, so none of its runtimes claims, whatever they said last.
create function online_for_run(m agent_runtime, r agent_run, p_fleet jsonb, p_now timestamptz)
returns boolean language sql stable as $$
  select runtime_listed_status(m, p_now) = 'online'
    and not exists (select from plugin p where p.tenant_id = m.tenant_id
      and p.plugin_identity = m.plugin_identity and not p.enabled)
    and (m.plugin_identity = r.plugin_identity
      or exists (select from plugin p where p.tenant_id = m.tenant_id
        and p.plugin_identity = m.plugin_identity
        and uncovered_permission(to_jsonb(p.permissions), '{runtime:admin}') is null)
      or exists (select from jsonb_array_elements(p_fleet) f
        where f ->> 'plugin_identity' = m.plugin_identity
          and (f -> 'workspaces' = 'null' or f -> 'workspaces' ? r.workspace_id)))
$$;

-- What the state of the run itself says, whoever asks.
create function state_reasons(r agent_run, p_now timestamptz) returns jsonb
language sql stable as $$
  with asked as (
    select i.interaction_id, i.expires_at, count(*) over () as pending_count
    from agent_interaction i where i.tenant_id = r.tenant_id and i.run_id = r.run_id
      and i.status = 'pending' and i.expires_at > p_now
    order by i.id limit 1)
  select coalesce(jsonb_agg(reason order by place), '[]') from (values
    (1, is_terminal(r.status), jsonb_build_object('code', 'ended',
      'status_reason', r.status_reason, 'finished_at', epoch_seconds(r.finished_at))),
    (2, r.status = 'created', jsonb_build_object('code', 'never_queued')),
    (3, r.status = 'claimed', jsonb_build_object(
      'code', case when lease_active(r, p_now) then 'lease_held' else 'lease_over' end,
      'runtime_id', r.claimed_by_runtime_id, 'claim_epoch', r.claim_epoch,
      'lease_expires_at', epoch_seconds(r.claim_lease_expires_at))),
    (4, r.status = 'running' and is_live(r, p_now), jsonb_build_object('code', 'owner_executes',
      'plugin_identity', r.plugin_identity, 'deadline_at', epoch_seconds(r.deadline_at))),
    (5, r.finished_at is null and r.deadline_at <= p_now, jsonb_build_object(
      'code', 'deadline_passed', 'deadline_at', epoch_seconds(r.deadline_at))),
    (6, r.finished_at is null and r.cancel_requested_at is not null, jsonb_build_object(
      'code', 'cancel_requested', 'cancel_reason', r.cancel_reason,
      'cancel_requested_at', epoch_seconds(r.cancel_requested_at))),
    (7, r.finished_at is null and exists (select from asked), (select jsonb_build_object(
      'code', 'interaction_pending', 'interaction_id', interaction_id,
      'expires_at', epoch_seconds(expires_at), 'pending_count', pending_count) from asked))
  ) as x (place, holds, reason) where holds
$$;

-- Runs of the same queue that a claimer of this one takes first, at most 1001; among whom is said
-- by the path that admitted the call: no path counts what it may not reach otherwise.
create function count_ahead(s agent_run, r agent_run, p_grant jsonb, p_among text,
  p_now timestamptz) returns bigint language sql stable as $$
  select count(*) from (select from agent_run x
    where x.tenant_id = r.tenant_id and x.queue_name = r.queue_name
      and x.status in ('queued', 'claimed') and x.priority >= r.priority
      and (x.priority > r.priority or x.id < r.id)
      and is_claimable(x, r.requested_runtime_id, p_now)
      and case p_among
        when 'queue' then holds_in_workspace(p_grant -> 'admin', x.workspace_id)
        when 'creator' then x.created_by = p_grant ->> 'caller'
          and holds_in_workspace(p_grant -> 'creator', x.workspace_id)
        else in_scope(s, x) end
    limit 1001) ahead
$$;

-- What stands between a run that waits for a claim and its next claimer.
create function claim_reasons(r agent_run, p_sees_runtime boolean, p_caller text, p_fleet jsonb,
  p_now timestamptz) returns jsonb language plpgsql stable as $$
declare
  v_reasons jsonb := '[]';
  m agent_runtime;
begin
  if r.dispatch_attempts >= r.max_attempts then
    v_reasons := v_reasons || jsonb_build_object('code', 'attempts_exhausted',
      'dispatch_attempts', r.dispatch_attempts, 'max_attempts', r.max_attempts);
  end if;
  if r.not_before > p_now then
    v_reasons := v_reasons || jsonb_build_object('code', 'not_due',
      'not_before', epoch_seconds(r.not_before));
  end if;
  if not exists (select from runner x where x.tenant_id = r.tenant_id
    and x.runner_id = r.runner_id and x.withdrawn_at is null) then
    v_reasons := v_reasons || jsonb_build_object('code', 'runner_not_registered',
      'runner_id', r.runner_id);
  end if;
  if r.requested_runtime_id is null then
    if not exists (select from agent_runtime x where x.tenant_id = r.tenant_id
      and online_for_run(x, r, p_fleet, p_now)) then
      v_reasons := v_reasons || jsonb_build_object('code', 'no_online_runtime',
        'plugin_identity', r.plugin_identity);
    end if;
    return v_reasons;
  end if;
  select * into m from agent_runtime x where x.tenant_id = r.tenant_id
    and x.runtime_id = r.requested_runtime_id;
  if m.id is null or not online_for_run(m, r, p_fleet, p_now) then
    -- The status of a runtime that the caller may not list would tell it whether there is one.
    v_reasons := v_reasons || jsonb_build_object('code', 'pinned_runtime_not_online',
      'runtime_id', r.requested_runtime_id, 'runtime_status',
      case when m.deregistered_at is null and (p_sees_runtime or m.plugin_identity = p_caller)
        then runtime_listed_status(m, p_now) end);
  end if;
  return v_reasons;
end $$;

-- Input: fleet, the identities to which the configuration gives runtime:admin.
create function run_explain(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_run_id text := p_grant ->> 'run_id';
  v_reasons jsonb;
  v_claimable boolean;
  v_waits boolean;
  v_supply jsonb := '[]';
  v_among text;
  v_ahead bigint;
  a record;
  s agent_run;
  t agent_run;
begin
  -- Not load_runs: it may lock, so it is volatile and would read by a snapshot of its own.
  select * into t from agent_run where tenant_id = p_tenant
    and run_id = coalesce(p_grant ->> 'target_run_id', v_run_id);
  select * into s from agent_run where tenant_id = p_tenant and run_id = v_run_id;
  a := admit(s, t, p_grant, v_now);
  if a.refusal is not null then return jsonb_build_object('refusal', a.refusal); end if;
  v_claimable := coalesce(is_claimable(t, t.requested_runtime_id, v_now), false);
  v_waits := t.status = 'queued' or (t.status = 'claimed' and not lease_active(t, v_now));
  v_reasons := state_reasons(t, v_now);
  if t.finished_at is null
    and (v_waits or t.status = 'running' or t.claimed_by_identity = t.plugin_identity)
    and exists (select from plugin p where p.tenant_id = p_tenant
      and p.plugin_identity = t.plugin_identity and not p.enabled) then
    v_reasons := v_reasons || jsonb_build_object('code', 'plugin_disabled',
      'plugin_identity', t.plugin_identity);
  end if;
  if v_waits then
    v_supply := claim_reasons(t, a.path = 'admin' and holds_unlimited(p_grant -> 'admin'),
      p_grant ->> 'caller', p_input -> 'fleet', v_now);
    v_reasons := v_reasons || v_supply;
  end if;
  if v_claimable then
    v_among := case a.path when 'admin' then 'queue' when 'creator' then 'creator'
      else 'scope' end;
    v_ahead := count_ahead(s, t, p_grant, v_among, v_now);
    if v_ahead > 0 then
      v_reasons := v_reasons || jsonb_build_object('code', 'runs_ahead', 'among', v_among,
        'queue_name', t.queue_name, 'count', least(v_ahead, 1000), 'capped', v_ahead > 1000);
    elsif not (v_supply @> '[{"code": "no_online_runtime"}]'
      or v_supply @> '[{"code": "pinned_runtime_not_online"}]') then
      v_reasons := v_reasons || jsonb_build_object('code', 'awaiting_claim',
        'queue_name', t.queue_name);
    end if;
  end if;
  return jsonb_build_object('explanation', jsonb_build_object('run_id', t.run_id,
    'status', t.status, 'judged_at', epoch_seconds(v_now), 'claimable', v_claimable,
    'moving', is_live(t, v_now) and not exists (select from jsonb_array_elements(v_reasons) x
      where x ->> 'code' not in ('lease_held', 'owner_executes')),
    'reasons', v_reasons));
end $$;
