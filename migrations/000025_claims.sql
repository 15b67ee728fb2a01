-- Claims, many in one statement. Those of one reach (path, filters, session) share one look at what
-- waits; each gets runs as it would alone, after those before it.

drop function run_claim(text, jsonb, jsonb);
drop function claim_run(agent_run, jsonb, jsonb, bytea, timestamptz);
drop function claim_candidates(text, jsonb, jsonb);

create function work_item(r agent_run, q agent_run_request) returns jsonb
language sql stable as $$
  select run_record(r) || jsonb_build_object('event', q.event, 'input', q.input,
      'binding', q.binding, 'delivery', q.delivery,
      'claim_lease_expires_at_ms', epoch_ms(r.claim_lease_expires_at),
      'available_apis', r.snapshot -> 'available_apis')
    || case when q.traceparent is null then '{}'
      else jsonb_build_object('traceparent', q.traceparent) end
$$;

-- A reach says what a claimer may take: its path, who it is, the filters it sent, and the session
-- it named.
create function is_reached(o agent_run_open, p_reach jsonb) returns boolean
language sql immutable as $$
  select case p_reach ->> 'path'
    when 'own' then o.plugin_identity = p_reach ->> 'caller'
    when 'admin' then p_reach -> 'workspaces' = 'null' or p_reach -> 'workspaces' ? o.workspace_id
      or o.plugin_identity = p_reach ->> 'caller'
    else o.plugin_identity = p_reach ->> 'plugin_identity'
      and o.runner_id = p_reach ->> 'runner_id'
      and o.conversation_id = p_reach ->> 'conversation_id'
      and (p_reach ->> 'bot_id' is null or o.bot_id = p_reach ->> 'bot_id')
      and (p_reach ->> 'workspace_id' is null or o.workspace_id = p_reach ->> 'workspace_id')
      and o.thread_id is not distinct from p_reach ->> 'thread_id' end
    and (p_reach ->> 'queue_name' is null or o.queue_name = p_reach ->> 'queue_name')
    and (jsonb_typeof(p_reach -> 'runner_ids') is distinct from 'array'
      or p_reach -> 'runner_ids' ? o.runner_id)
$$;

-- Runs that wait for anybody, in their order, after one of them: one index for each kind of reach,
-- so that what is out of reach is not read.
create function ready_runs(
  p_tenant text, p_reach jsonb, p_rank int, p_id bigint, p_limit int, p_now timestamptz
) returns setof agent_run_open language plpgsql stable as $$
declare
  v_path text := p_reach ->> 'path';
  v_queue text := p_reach ->> 'queue_name';
begin
  if v_path = 'run' then
    return query select o.* from agent_run_open o where o.tenant_id = p_tenant
      and o.conversation_id = p_reach ->> 'conversation_id' and o.status = 'queued'
      and o.not_before is null and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit;
  elsif jsonb_typeof(p_reach -> 'runner_ids') = 'array' then
    return query select l.* from (select distinct x from jsonb_array_elements_text(
        p_reach -> 'runner_ids') x) named (runner_id)
      cross join lateral (select o.* from agent_run_open o where o.tenant_id = p_tenant
        and o.runner_id = named.runner_id and length(o.runner_id) > 0 and o.status = 'queued'
        and o.not_before is null and o.requested_runtime_id is null
        and (o.deadline_at is null or o.deadline_at > p_now)
        and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
        order by o.rank, o.id limit p_limit) l;
  elsif v_queue is not null then
    return query select l.* from waiting_plugins(p_tenant, p_reach) named (plugin_identity)
      cross join lateral (select o.* from agent_run_open o where o.tenant_id = p_tenant
        and o.queue_name = v_queue and length(o.queue_name) > 0
        and o.plugin_identity = named.plugin_identity
        and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
        and (o.deadline_at is null or o.deadline_at > p_now)
        and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
        order by o.rank, o.id limit p_limit) l;
  else
    return query select l.* from waiting_plugins(p_tenant, p_reach) named (plugin_identity)
      cross join lateral (select o.* from agent_run_open o where o.tenant_id = p_tenant
        and o.plugin_identity = named.plugin_identity and length(o.plugin_identity) > 0
        and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
        and (o.deadline_at is null or o.deadline_at > p_now)
        and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
        order by o.rank, o.id limit p_limit) l;
  end if;
end $$;

-- The owners of runs that wait: the caller, or by walking the index from one to the next.
create function waiting_plugins(p_tenant text, p_reach jsonb) returns setof text
language plpgsql stable as $$
declare
  v_queue text := p_reach ->> 'queue_name';
  v_plugin text := '';
begin
  if p_reach ->> 'path' = 'own' then
    return next p_reach ->> 'caller';
    return;
  end if;
  loop
    if v_queue is null then
      select o.plugin_identity into v_plugin from agent_run_open o where o.tenant_id = p_tenant
        and o.plugin_identity > v_plugin and length(o.plugin_identity) > 0
        and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
      order by o.plugin_identity limit 1;
    else
      select o.plugin_identity into v_plugin from agent_run_open o where o.tenant_id = p_tenant
        and o.queue_name = v_queue and length(o.queue_name) > 0 and o.plugin_identity > v_plugin
        and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
      order by o.plugin_identity limit 1;
    end if;
    exit when not found;
    return next v_plugin;
  end loop;
end $$;

-- Runs that time, or a runtime, made claimable: due, held for one of these runtimes, or under a
-- lease that is over. Many due runs of one plugin are read in their order, few by their time.
create function special_runs(
  p_tenant text, p_reach jsonb, p_runtimes text[], p_rank int, p_id bigint, p_limit int,
  p_now timestamptz
) returns setof agent_run_open language plpgsql stable as $$
declare
  v_due bigint := (select count(*) from (select from agent_run_open o where o.tenant_id = p_tenant
    and o.status = 'queued' and o.not_before <= p_now and o.requested_runtime_id is null
    limit 201) x);
begin
  if v_due > 200 and p_reach ->> 'path' = 'own' then
    return query select o.* from agent_run_open o where o.tenant_id = p_tenant
      and o.plugin_identity = p_reach ->> 'caller' and length(o.plugin_identity) > 0
      and o.status = 'queued' and o.not_before is not null and o.not_before <= p_now
      and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit;
  elsif v_due > 0 then
    return query select o.* from agent_run_open o where o.tenant_id = p_tenant
      and o.status = 'queued' and o.not_before <= p_now and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit;
  end if;
  return query select l.* from unnest(p_runtimes) named (runtime_id)
    cross join lateral (select o.* from agent_run_open o where o.tenant_id = p_tenant
      and o.requested_runtime_id = named.runtime_id and length(o.requested_runtime_id) > 0
      and o.status = 'queued'
      and (o.not_before is null or o.not_before <= p_now)
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
      order by o.rank, o.id limit p_limit) l
  union all (select o.* from agent_run_open o where o.tenant_id = p_tenant
    and o.status = 'claimed' and o.claim_lease_expires_at <= p_now
    and o.cancel_requested_at is null and (o.deadline_at is null or o.deadline_at > p_now)
    and (o.requested_runtime_id is null or o.requested_runtime_id = any (p_runtimes))
    and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit);
end $$;

-- Of a claim that took the run from another whose lease was over.
create function note_reclaim(r agent_run, p_runtime text, p_now timestamptz) returns void
language plpgsql as $$
begin
  perform return_leased_steering(r, p_now);
  perform write_host_audit(r.tenant_id, 'run_reclaimed', r, transition_detail('claimed', r,
    jsonb_build_object('runtime_id', p_runtime, 'claim_epoch', r.claim_epoch,
      'dispatch_attempts', r.dispatch_attempts)), p_now);
end $$;

-- CLAIM_EFFECTS, for runs whose locks the caller holds: equally long arrays, one entry for each.
-- The arrays bound both tables whichever way the join turns, for a plan made when a table was
-- small.
create function claim_runs(
  p_tenant text, p_ids bigint[], p_run_ids text[], p_token_sha256s text[], p_runtimes text[],
  p_leases int[], p_caller text, p_now timestamptz
) returns table (nth int, item jsonb) language plpgsql as $$
begin
  return query update agent_run r set status = 'claimed',
    claimed_by_runtime_id = x.runtime_id, claimed_by_identity = p_caller,
    claim_token_sha256 = decode(x.token_sha256, 'hex'), claim_epoch = r.claim_epoch + 1,
    dispatch_attempts = r.dispatch_attempts + 1, last_claimed_at = p_now,
    started_at = coalesce(r.started_at, greatest(p_now, r.created_at)),
    claim_lease_expires_at = least(p_now + make_interval(secs => x.lease_seconds),
      r.deadline_at + interval '60 seconds'),
    not_before = null, status_reason = null, updated_at = p_now
  from unnest(p_ids, p_run_ids, p_token_sha256s, p_runtimes, p_leases) with ordinality
      x (id, run_id, token_sha256, runtime_id, lease_seconds, place)
    join agent_run_request q on q.run_id = x.run_id
  where r.tenant_id = p_tenant and r.id = any (p_ids) and r.id = x.id
    and q.tenant_id = p_tenant and q.run_id = any (p_run_ids)
  returning x.place::int, work_item(r, q);
end $$;

-- What one claim asks for, in a share of a statement.
create type claim_ask as (place int, runtime_id text, lease_seconds int, max_runs int,
  token_sha256s jsonb, grant_facts jsonb, runner_ids jsonb);

-- Takes runs for claims of one reach. Candidates are read without a lock and locked one by one,
-- skipping what another claimer holds: no run is locked that is not taken, so N claimers over M
-- runs get min(N, M) of them. Each goes to the first claim that wants one and may have it.
create function take_runs(p_tenant text, p_reach jsonb, p_asks claim_ask[], p_now timestamptz)
returns table (place int, runs jsonb) language plpgsql as $$
declare
  v_runtimes text[] := array(select distinct x.runtime_id from unnest(p_asks) x);
  v_wanted int[] := array(select x.max_runs from unnest(p_asks) x);
  v_got int[] := array_fill(0, array[cardinality(p_asks)]);
  v_bytes bigint[] := array_fill(0::bigint, array[cardinality(p_asks)]);
  v_left int := (select sum(x.max_runs) from unnest(p_asks) x);
  v_ids bigint[] := '{}';
  v_run_ids text[] := '{}';
  v_takers int[] := '{}';
  v_tokens text[] := '{}';
  v_reclaimed bigint[] := '{}';
  v_holders text[] := '{}';
  v_first int := 1;
  v_limit int;
  v_seen int;
  v_rank int := -32768 - 1;
  v_id bigint := 0;
  v_status text;
  v_holder text;
  v_run text;
  k int;
  c record;
begin
  loop
    v_limit := least(v_left + 16, 500);
    v_seen := 0;
    for c in select o.rank, o.id, o.request_bytes, o.requested_runtime_id from (
        select * from ready_runs(p_tenant, p_reach, v_rank, v_id, v_limit, p_now)
        union all
        select * from special_runs(p_tenant, p_reach, v_runtimes, v_rank, v_id, v_limit, p_now)) o
      order by o.rank, o.id limit v_limit
    loop
      v_seen := v_seen + 1;
      v_rank := c.rank;
      v_id := c.id;
      k := v_first;
      loop
        exit when k > cardinality(v_wanted);
        if v_got[k] < v_wanted[k] and (c.requested_runtime_id is null
          or c.requested_runtime_id = p_asks[k].runtime_id) then
          exit when v_got[k] = 0 or v_bytes[k] + c.request_bytes <= 8388608;
          v_left := v_left - v_wanted[k] + v_got[k];
          v_wanted[k] := v_got[k];
        end if;
        if k = v_first and v_got[k] = v_wanted[k] then v_first := k + 1; end if;
        k := k + 1;
      end loop;
      exit when v_left = 0;
      continue when k > cardinality(v_wanted);
      select r.status, r.claimed_by_runtime_id, r.run_id into v_status, v_holder, v_run
        from agent_run r
        where r.tenant_id = p_tenant and r.id = c.id
          and is_claimable(r, p_asks[k].runtime_id, p_now) for no key update skip locked;
      continue when not found;
      v_ids := v_ids || c.id;
      v_run_ids := v_run_ids || v_run;
      v_takers := v_takers || k;
      v_tokens := v_tokens || (p_asks[k].token_sha256s ->> v_got[k]);
      v_got[k] := v_got[k] + 1;
      v_bytes[k] := v_bytes[k] + c.request_bytes;
      v_left := v_left - 1;
      if v_status = 'claimed' then
        v_reclaimed := v_reclaimed || c.id;
        v_holders := v_holders || v_holder;
      end if;
      exit when v_left = 0;
    end loop;
    exit when v_left = 0 or v_seen < v_limit;
  end loop;
  if v_ids = '{}' then return; end if;
  return query select p_asks[v_takers[t.nth]].place, jsonb_agg(t.item order by t.nth)
    from claim_runs(p_tenant, v_ids, v_run_ids, v_tokens,
      array(select p_asks[y].runtime_id from unnest(v_takers) y),
      array(select p_asks[y].lease_seconds from unnest(v_takers) y),
      p_reach ->> 'caller', p_now) t
    group by 1;
  perform note_reclaim(r, x.holder, p_now) from unnest(v_reclaimed, v_holders) x (id, holder)
    join agent_run r on r.tenant_id = p_tenant and r.id = x.id;
  perform note_admin_claim(p_tenant, p_asks[x.taker], x.id)
    from unnest(v_ids, v_takers) with ordinality x (id, taker, nth)
    where holds(p_asks[x.taker].grant_facts -> 'admin') order by x.nth;
end $$;

create function note_admin_claim(p_tenant text, p_ask claim_ask, p_id bigint) returns void
language sql as $$
  select write_audit(p_tenant, p_ask.grant_facts, 'runtime:admin', run_target(r)
      || jsonb_build_object('runtime_id', r.claimed_by_runtime_id),
    jsonb_build_object('runtime_id', r.claimed_by_runtime_id, 'claim_epoch', r.claim_epoch,
      'queue_name', r.queue_name, 'runner_ids', p_ask.runner_ids))
  from agent_run r where r.tenant_id = p_tenant and r.id = p_id
$$;

-- Access, then the runtime. Without a session the caller's permission alone says which path it is.
create function admit_claim(
  p_tenant text, p_grant jsonb, p_input jsonb, out refusal jsonb, out reach jsonb
) language plpgsql as $$
declare
  v_now timestamptz := call_time(p_grant);
  v_path text := case when holds(p_grant -> 'admin') then 'admin' else 'own' end;
  v_session agent_run;
  a record;
begin
  if p_grant ->> 'run_id' is not null then
    a := admit_fleet(p_tenant, p_grant, v_now);
    v_session := a.s;
    v_path := a.path;
    refusal := a.refusal;
  end if;
  if refusal is null and (v_path = 'run' or jsonb_typeof(p_input -> 'runner_ids') = 'array') then
    refusal := claim_path_refusal(v_path, v_session, p_grant, p_input -> 'runner_ids');
  end if;
  refusal := coalesce(refusal,
    claim_runtime_refusal(p_tenant, p_grant, p_input ->> 'runtime_id', v_now));
  reach := jsonb_build_object('path', v_path, 'caller', p_grant -> 'caller',
    'workspaces', p_grant #> '{admin,workspaces}', 'now', p_grant -> 'now',
    'queue_name', p_input -> 'queue_name', 'runner_ids', p_input -> 'runner_ids');
  if v_path = 'run' then
    reach := reach || jsonb_build_object('plugin_identity', v_session.plugin_identity,
      'runner_id', v_session.runner_id, 'conversation_id', v_session.conversation_id,
      'bot_id', v_session.bot_id, 'workspace_id', v_session.workspace_id,
      'thread_id', v_session.thread_id);
  end if;
end $$;

-- Input of each: runtime_id, queue_name, runner_ids, lease_seconds, max_runs, and in token_sha256s
-- a fresh token's hash for each run that may be taken. Runtimes are locked first, then runs. What
-- it calls is planned once for a connection, and through its indexes, however few rows there were
-- then.
create or replace function run_claim_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  v_size int := jsonb_array_length(p_inputs);
  v_outcomes jsonb[] := array_fill('{"runs": []}'::jsonb, array[v_size]);
  v_reaches jsonb[] := array_fill(null::jsonb, array[v_size]);
  v_input jsonb;
  v_asked jsonb;
  v_before jsonb;
  v_group record;
  v_taken record;
  a record;
begin
  perform from agent_runtime where tenant_id = p_tenant and runtime_id in (
    select input ->> 'runtime_id' from jsonb_array_elements(p_inputs) input)
  order by id for key share;
  for i in 1 .. v_size loop
    v_input := p_inputs -> (i - 1);
    v_asked := (v_input - '{token_sha256s,lease_seconds,max_runs}'::text[])
      || jsonb_build_object('grant', p_grants -> (i - 1));
    if v_asked is distinct from v_before then
      a := admit_claim(p_tenant, p_grants -> (i - 1), v_input);
      v_before := v_asked;
    end if;
    v_reaches[i] := case when a.refusal is null then a.reach end;
    if a.refusal is not null then
      v_outcomes[i] := jsonb_build_object('refusal', a.refusal);
    end if;
  end loop;
  for v_group in select u.reach, array_agg(row(u.place, input ->> 'runtime_id',
        (input ->> 'lease_seconds')::int, (input ->> 'max_runs')::int, input -> 'token_sha256s',
        p_grants -> (u.place::int - 1), input -> 'runner_ids')::claim_ask order by u.place) as asks
    from unnest(v_reaches) with ordinality u (reach, place)
      cross join lateral (select p_inputs -> (u.place::int - 1) as input) i
    where u.reach is not null group by u.reach order by min(u.place)
  loop
    for v_taken in select * from take_runs(p_tenant, v_group.reach, v_group.asks,
      call_time(v_group.reach))
    loop
      v_outcomes[v_taken.place] := jsonb_build_object('runs', v_taken.runs);
    end loop;
  end loop;
  return query select unnest(v_outcomes);
end $$;

create function run_claim(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language sql as $$
  select run_claim_batch(p_tenant, jsonb_build_array(p_grant), jsonb_build_array(p_input))
$$;
