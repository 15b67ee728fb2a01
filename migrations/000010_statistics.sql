-- Statistics over a window of creation, and the audit, each through the workspaces of the caller.

-- run_stats, runner_stats
create index agent_run_created on agent_run (tenant_id, created_at, runner_id);

-- The window as it is applied: whole seconds, the last one included.
create function stats_window(p_grant jsonb, p_input jsonb, out refusal jsonb, out start_time bigint,
  out end_time bigint
) language plpgsql stable as $$
begin
  end_time := coalesce((p_input ->> 'end_time')::bigint, epoch_seconds(call_time(p_grant)));
  start_time := coalesce((p_input ->> 'start_time')::bigint, greatest(end_time - 3600, 0));
  if start_time > end_time then
    refusal := invalid_param('start_time', 'must not be after end_time');
  elsif end_time - start_time > 31 * 86400 then
    refusal := invalid_param('start_time', 'must be at most 31 days before end_time');
  end if;
end $$;

create function stats_rate(p_part bigint, p_whole bigint) returns numeric
language sql immutable as $$
  select case when p_whole > 0 then round(p_part::numeric / p_whole, 4) end
$$;

create function seconds_between(p_from timestamptz, p_to timestamptz) returns double precision
language sql immutable as $$ select extract(epoch from p_to - p_from)::double precision $$;

create function stats_seconds(p_seconds double precision) returns numeric
language sql immutable as $$ select round(p_seconds::numeric, 2) $$;

create function run_stats(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  w record;
  v_stats jsonb;
begin
  w := stats_window(p_grant, p_input);
  if w.refusal is not null then return jsonb_build_object('refusal', w.refusal); end if;
  with runs as (
    select r.status, r.dispatch, seconds_between(r.created_at, r.started_at) as waited,
      seconds_between(r.started_at, r.finished_at) as lasted
    from agent_run r where r.tenant_id = p_tenant and r.created_at >= to_timestamp(w.start_time)
      and r.created_at < to_timestamp(w.end_time + 1)
      and (p_input ->> 'runner_id' is null or r.runner_id = p_input ->> 'runner_id')
      and holds_in_workspace(p_grant -> 'admin', r.workspace_id)
  ), counted as (
    select count(*) as total,
      count(*) filter (where status = 'created') as created,
      count(*) filter (where status = 'queued') as queued,
      count(*) filter (where status = 'claimed') as claimed,
      count(*) filter (where status = 'running') as running,
      count(*) filter (where status = 'completed') as completed,
      count(*) filter (where status = 'failed') as failed,
      count(*) filter (where status = 'cancelled') as cancelled,
      count(*) filter (where status = 'timeout') as timed_out,
      avg(lasted) filter (where status = 'completed') as lasted,
      percentile_cont(array[0.5, 0.95, 0.99]) within group (order by lasted)
        filter (where status = 'completed') as lasted_at,
      avg(waited) filter (where dispatch = 'queued') as waited,
      percentile_cont(0.95) within group (order by waited) filter (where dispatch = 'queued')
        as waited_at
    from runs
  )
  select jsonb_build_object('start_time', w.start_time, 'end_time', w.end_time,
    'runner_id', p_input ->> 'runner_id', 'total_count', c.total, 'created_count', c.created,
    'queued_count', c.queued, 'claimed_count', c.claimed, 'running_count', c.running,
    'completed_count', c.completed, 'failed_count', c.failed, 'cancelled_count', c.cancelled,
    'timeout_count', c.timed_out,
    'throughput_per_hour', round(c.total
      / greatest((w.end_time - w.start_time) / 3600.0, 0.001), 4),
    'success_rate', stats_rate(c.completed, c.total),
    'failure_rate', stats_rate(c.failed + c.timed_out, c.total),
    'terminal_success_rate', stats_rate(c.completed,
      c.completed + c.failed + c.cancelled + c.timed_out),
    'avg_duration_seconds', stats_seconds(c.lasted),
    'p50_duration_seconds', stats_seconds(c.lasted_at[1]),
    'p95_duration_seconds', stats_seconds(c.lasted_at[2]),
    'p99_duration_seconds', stats_seconds(c.lasted_at[3]),
    'avg_queue_wait_seconds', stats_seconds(c.waited),
    'p95_queue_wait_seconds', stats_seconds(c.waited_at))
  into v_stats from counted c;
  return jsonb_build_object('stats', v_stats);
end $$;

create function runner_stats(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_limit int := (p_input ->> 'limit')::int;
  w record;
  v_page jsonb;
begin
  w := stats_window(p_grant, p_input);
  if w.refusal is not null then return jsonb_build_object('refusal', w.refusal); end if;
  with grouped as (
    select r.runner_id, min(r.plugin_identity) as plugin_identity, count(*) as total,
      count(*) filter (where status in ('queued', 'claimed', 'running')) as active,
      count(*) filter (where status = 'completed') as completed,
      count(*) filter (where status in ('failed', 'timeout')) as failed,
      count(*) filter (where status = 'cancelled') as cancelled,
      avg(seconds_between(r.started_at, r.finished_at)) filter (where status = 'completed')
        as lasted,
      percentile_cont(0.95) within group (order by seconds_between(r.started_at, r.finished_at))
        filter (where status = 'completed') as lasted_at
    from agent_run r where r.tenant_id = p_tenant and r.created_at >= to_timestamp(w.start_time)
      and r.created_at < to_timestamp(w.end_time + 1)
      and holds_in_workspace(p_grant -> 'admin', r.workspace_id)
    group by r.runner_id
  ), ranked as (
    select g.*, row_number() over (order by g.total desc, g.runner_id collate "C") as place
    from grouped g
  )
  select jsonb_build_object('total_count', (select count(*) from grouped),
    'items', coalesce(jsonb_agg(jsonb_build_object('runner_id', k.runner_id,
      'runner_label', d.label, 'plugin_identity', k.plugin_identity, 'total_runs', k.total,
      'active_runs', k.active, 'completed_runs', k.completed, 'failed_runs', k.failed,
      'cancelled_runs', k.cancelled, 'success_rate', stats_rate(k.completed, k.total),
      'avg_duration_seconds', stats_seconds(k.lasted),
      'p95_duration_seconds', stats_seconds(k.lasted_at)) order by k.place), '[]'))
  into v_page from ranked k left join runner d on d.tenant_id = p_tenant
    and d.runner_id = k.runner_id and d.withdrawn_at is null
  where k.place <= v_limit;
  return v_page;
end $$;

create function runtime_stats(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language sql stable as $$
  with now_is as (select call_time(p_grant) as at),
  runtimes as (
    select runtime_listed_status(m, n.at) as status,
      seconds_between(m.last_heartbeat_at, n.at) as age
    from agent_runtime m, now_is n where m.tenant_id = p_tenant and m.deregistered_at is null
  ), runs as (
    select r.status from agent_run r where r.tenant_id = p_tenant
      and r.status in ('queued', 'claimed', 'running')
      and holds_in_workspace(p_grant -> 'admin', r.workspace_id)
  )
  select jsonb_build_object('total_count', count(*),
    'online_count', count(*) filter (where status = 'online'),
    'draining_count', count(*) filter (where status = 'draining'),
    'offline_count', count(*) filter (where status = 'offline'),
    'stale_count', count(*) filter (where status = 'stale'),
    'avg_heartbeat_age_seconds', stats_seconds(avg(age)),
    'max_heartbeat_age_seconds', stats_seconds(max(age)),
    'active_runs', (select count(*) from runs where status in ('claimed', 'running')),
    'claimed_runs', (select count(*) from runs where status = 'claimed'),
    'queued_runs', (select count(*) from runs where status = 'queued'))
  from runtimes
$$;

create function audit_record(a run_audit) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', a.id, 'created_at', epoch_seconds(a.created_at),
    'created_at_ms', epoch_ms(a.created_at), 'domain', a.domain, 'actor', a.actor, 'via', a.via,
    'action', a.action, 'permission', a.permission, 'target_run_id', a.target_run_id,
    'target_runtime_id', a.target_runtime_id, 'target_identity', a.target_identity,
    'workspace_id', a.workspace_id, 'detail', a.detail)
$$;
