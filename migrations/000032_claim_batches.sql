-- Claims of one reach, in sets: where no candidate is held for a runtime, and all together fit into
-- one answer, any claim may have any of them, so they are locked in one statement. Else one by one.

create type claim_candidate as (rank int, id bigint, request_bytes int,
  requested_runtime_id text);

drop function ready_runs(text, jsonb, int, bigint, int, timestamptz);
drop function special_runs(text, jsonb, text[], int, bigint, int, timestamptz);
drop function take_runs(text, jsonb, claim_ask[], timestamptz);

-- Runs that wait for anybody, in their order, after one of them: one index for each kind of reach,
-- so that what is out of reach is not read.
create function ready_runs(
  p_tenant text, p_reach jsonb, p_rank int, p_id bigint, p_limit int, p_now timestamptz
) returns setof claim_candidate language plpgsql stable as $$
declare
  v_path text := p_reach ->> 'path';
  v_queue text := p_reach ->> 'queue_name';
  v_caller text := p_reach ->> 'caller';
begin
  if v_path = 'run' then
    return query select o.rank, o.id, o.request_bytes, o.requested_runtime_id
    from agent_run_open o where o.tenant_id = p_tenant
      and o.conversation_id = p_reach ->> 'conversation_id' and o.status = 'queued'
      and o.not_before is null and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit;
  elsif jsonb_typeof(p_reach -> 'runner_ids') = 'array' then
    return query select l.* from (select distinct x from jsonb_array_elements_text(
        p_reach -> 'runner_ids') x) named (runner_id)
      cross join lateral (select o.rank, o.id, o.request_bytes, o.requested_runtime_id
        from agent_run_open o where o.tenant_id = p_tenant
        and o.runner_id = named.runner_id and length(o.runner_id) > 0 and o.status = 'queued'
        and o.not_before is null and o.requested_runtime_id is null
        and (o.deadline_at is null or o.deadline_at > p_now)
        and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
        order by o.rank, o.id limit p_limit) l;
  elsif v_queue is not null then
    return query select l.* from waiting_plugins(p_tenant, p_reach) named (plugin_identity)
      cross join lateral (select o.rank, o.id, o.request_bytes, o.requested_runtime_id
        from agent_run_open o where o.tenant_id = p_tenant
        and o.queue_name = v_queue and length(o.queue_name) > 0
        and o.plugin_identity = named.plugin_identity
        and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
        and (o.deadline_at is null or o.deadline_at > p_now)
        and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
        order by o.rank, o.id limit p_limit) l;
  elsif v_path = 'own' then
    return query select o.rank, o.id, o.request_bytes, o.requested_runtime_id
    from agent_run_open o where o.tenant_id = p_tenant
      and o.plugin_identity = v_caller and length(o.plugin_identity) > 0
      and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now) and (o.rank, o.id) > (p_rank, p_id)
    order by o.rank, o.id limit p_limit;
  else
    return query select l.* from waiting_plugins(p_tenant, p_reach) named (plugin_identity)
      cross join lateral (select o.rank, o.id, o.request_bytes, o.requested_runtime_id
        from agent_run_open o where o.tenant_id = p_tenant
        and o.plugin_identity = named.plugin_identity and length(o.plugin_identity) > 0
        and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
        and (o.deadline_at is null or o.deadline_at > p_now)
        and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
        order by o.rank, o.id limit p_limit) l;
  end if;
end $$;

-- Runs that time, or a runtime, made claimable: due, held for one of these runtimes, or under a
-- lease that is over. Many due runs of one plugin are read in their order, few by their time.
create function special_runs(
  p_tenant text, p_reach jsonb, p_runtimes text[], p_rank int, p_id bigint, p_limit int,
  p_now timestamptz
) returns setof claim_candidate language plpgsql stable as $$
declare
  v_due bigint := (select count(*) from (select from agent_run_open o where o.tenant_id = p_tenant
    and o.status = 'queued' and o.not_before <= p_now and o.requested_runtime_id is null
    limit 201) x);
begin
  if v_due > 200 and p_reach ->> 'path' = 'own' then
    return query select o.rank, o.id, o.request_bytes, o.requested_runtime_id
    from agent_run_open o where o.tenant_id = p_tenant
      and o.plugin_identity = p_reach ->> 'caller' and length(o.plugin_identity) > 0
      and o.status = 'queued' and o.not_before is not null and o.not_before <= p_now
      and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit;
  elsif v_due > 0 then
    return query select o.rank, o.id, o.request_bytes, o.requested_runtime_id
    from agent_run_open o where o.tenant_id = p_tenant
      and o.status = 'queued' and o.not_before <= p_now and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit;
  end if;
  return query select l.* from unnest(p_runtimes) named (runtime_id)
    cross join lateral (select o.rank, o.id, o.request_bytes, o.requested_runtime_id
      from agent_run_open o where o.tenant_id = p_tenant
      and o.requested_runtime_id = named.runtime_id and length(o.requested_runtime_id) > 0
      and o.status = 'queued'
      and (o.not_before is null or o.not_before <= p_now)
      and (o.deadline_at is null or o.deadline_at > p_now)
      and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
      order by o.rank, o.id limit p_limit) l
  union all (select o.rank, o.id, o.request_bytes, o.requested_runtime_id
    from agent_run_open o where o.tenant_id = p_tenant
    and o.status = 'claimed' and o.claim_lease_expires_at <= p_now
    and o.cancel_requested_at is null and (o.deadline_at is null or o.deadline_at > p_now)
    and (o.requested_runtime_id is null or o.requested_runtime_id = any (p_runtimes))
    and (o.rank, o.id) > (p_rank, p_id) and is_reached(o, p_reach)
    order by o.rank, o.id limit p_limit);
end $$;

-- Takes runs for claims of one reach. Candidates are read without a lock and locked skipping what
-- another holds: no run is locked that is not taken, so N claimers over M runs get min(N, M)
-- of them. Each goes to the first claim that wants one and may have it.
create function take_runs(p_tenant text, p_reach jsonb, p_asks claim_ask[], p_now timestamptz)
returns table (place int, runs json) language plpgsql as $$
declare
  v_runtimes text[];
  v_wanted int[];
  v_got int[] := array_fill(0, array[cardinality(p_asks)]);
  v_left int;
  v_audited boolean;
  -- The runs that are taken: for which ask, and how many it had before.
  v_ids bigint[] := '{}';
  v_run_ids text[] := '{}';
  v_statuses text[] := '{}';
  v_holders text[] := '{}';
  v_takers int[] := '{}';
  v_befores int[] := '{}';
  v_weights int[] := '{}';
  v_bytes bigint[];
  v_weight bigint := 0;
  v_first int := 1;
  v_limit int;
  v_rank int := -32768 - 1;
  v_id bigint := 0;
  v_seen record;
  v_more int;
  k int;
  r record;
begin
  select array_agg(distinct x.runtime_id), array_agg(x.max_runs), sum(x.max_runs),
    bool_or(holds(x.grant_facts -> 'admin'))
  into v_runtimes, v_wanted, v_left, v_audited from unnest(p_asks) x;
  loop
    v_limit := least(v_left + 16, 500);
    select count(*) as size, array_agg(o.rank) as ranks, array_agg(o.id) as ids,
      array_agg(o.request_bytes) as weights, array_agg(o.requested_runtime_id) as runtimes,
      sum(o.request_bytes) as weight, count(o.requested_runtime_id) as held into v_seen
    from (select * from (
        select * from ready_runs(p_tenant, p_reach, v_rank, v_id, v_limit, p_now)
        union all
        select * from special_runs(p_tenant, p_reach, v_runtimes, v_rank, v_id, v_limit, p_now)) o
      order by o.rank, o.id limit v_limit) o;
    exit when v_seen.size = 0;
    if v_seen.held = 0 and v_weight + v_seen.weight <= 8388608 then
      select array_agg(t.id) as ids, array_agg(t.run_id) as run_ids, count(*)::int as size,
        array_agg(t.status) as statuses, array_agg(t.claimed_by_runtime_id) as holders,
        array_agg(t.request_bytes) as weights, coalesce(sum(t.request_bytes), 0) as weight into r
      from (select l.* from unnest(v_seen.ids) n (id) cross join lateral (
          select a.id, a.run_id, a.status, a.claimed_by_runtime_id, a.request_bytes
          from agent_run a where a.tenant_id = p_tenant and a.id = n.id
            and is_claimable(a, null, p_now) for no key update skip locked) l
        limit v_left) t;
      v_ids := v_ids || r.ids;
      v_run_ids := v_run_ids || r.run_ids;
      v_statuses := v_statuses || r.statuses;
      v_holders := v_holders || r.holders;
      v_weights := v_weights || r.weights;
      v_weight := v_weight + r.weight;
      v_left := v_left - r.size;
      select v_takers || array_agg(x.taker), v_befores || array_agg(x.before)
      into v_takers, v_befores from (
        select u.k::int as taker, b as before
        from unnest(v_wanted, v_got) with ordinality u (wanted, got, k)
          cross join lateral generate_series(u.got, u.wanted - 1) b
        order by u.k, b limit r.size) x;
      while r.size > 0 loop
        v_more := least(v_wanted[v_first] - v_got[v_first], r.size);
        v_got[v_first] := v_got[v_first] + v_more;
        r.size := r.size - v_more;
        if v_got[v_first] = v_wanted[v_first] then v_first := v_first + 1; end if;
      end loop;
    else
      v_bytes := array(select coalesce(sum(x.weight), 0)
        from generate_series(1, cardinality(p_asks)) n
          left join unnest(v_takers, v_weights) x (taker, weight) on x.taker = n
        group by n order by n);
      for i in 1 .. v_seen.size loop
        k := v_first;
        loop
          exit when k > cardinality(v_wanted);
          if v_got[k] < v_wanted[k] and (v_seen.runtimes[i] is null
            or v_seen.runtimes[i] = p_asks[k].runtime_id) then
            exit when v_got[k] = 0 or v_bytes[k] + v_seen.weights[i] <= 8388608;
            v_left := v_left - v_wanted[k] + v_got[k];
            v_wanted[k] := v_got[k];
          end if;
          if k = v_first and v_got[k] = v_wanted[k] then v_first := k + 1; end if;
          k := k + 1;
        end loop;
        exit when v_left = 0;
        continue when k > cardinality(v_wanted);
        select a.run_id, a.status, a.claimed_by_runtime_id into r from agent_run a
          where a.tenant_id = p_tenant and a.id = v_seen.ids[i]
            and is_claimable(a, p_asks[k].runtime_id, p_now) for no key update skip locked;
        continue when not found;
        v_ids := v_ids || v_seen.ids[i]::bigint;
        v_run_ids := v_run_ids || r.run_id;
        v_statuses := v_statuses || r.status;
        v_holders := v_holders || r.claimed_by_runtime_id;
        v_takers := v_takers || k;
        v_befores := v_befores || v_got[k];
        v_weights := v_weights || v_seen.weights[i]::int;
        v_weight := v_weight + v_seen.weights[i];
        v_got[k] := v_got[k] + 1;
        v_bytes[k] := v_bytes[k] + v_seen.weights[i];
        v_left := v_left - 1;
        exit when v_left = 0;
      end loop;
    end if;
    exit when v_left = 0 or v_seen.size < v_limit;
    v_rank := v_seen.ranks[v_seen.size];
    v_id := v_seen.ids[v_seen.size];
  end loop;
  if v_ids = '{}' then return; end if;
  return query select p_asks[v_takers[t.nth]].place,
      json_agg(case when t.traceparent is null then t.item
        else (left(t.item::text, -1) || ',"traceparent":' || to_json(t.traceparent) || '}')::json
      end order by t.nth)
    from claim_runs(p_tenant, v_ids, v_run_ids,
      array(select p_asks[x.taker].token_sha256s ->> x.before
        from unnest(v_takers, v_befores) x (taker, before)),
      array(select p_asks[x].runtime_id from unnest(v_takers) x),
      array(select p_asks[x].lease_seconds from unnest(v_takers) x),
      p_reach ->> 'caller', p_now) t
    group by 1;
  if 'claimed' = any (v_statuses) then
    perform note_reclaim(a, x.holder, p_now)
    from unnest(v_ids, v_statuses, v_holders) x (id, status, holder)
      join agent_run a on a.tenant_id = p_tenant and a.id = x.id
    where x.status = 'claimed';
  end if;
  if v_audited then
    perform note_admin_claim(p_tenant, p_asks[x.taker], x.id)
      from unnest(v_ids, v_takers) with ordinality x (id, taker, nth)
      where holds(p_asks[x.taker].grant_facts -> 'admin') order by x.nth;
  end if;
end $$;

-- Input of each: runtime_id, queue_name, runner_ids, lease_seconds, max_runs, and in token_sha256s
-- a fresh token's hash for each run that may be taken. Runtimes are locked first, then runs. Claims
-- that differ in nothing but what they take are admitted once. What it calls is planned once for a
-- connection, and through its indexes, however few rows there were then.
drop function run_claim_batch(text, jsonb, jsonb);
create function run_claim_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof json language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  v_outcomes json[] := array_fill('{"runs": []}'::json, array[jsonb_array_length(p_inputs)]);
  v_group record;
  v_done record;
begin
  perform from agent_runtime where tenant_id = p_tenant and runtime_id in (
    select input ->> 'runtime_id' from jsonb_array_elements(p_inputs) input)
  order by id for key share;
  for v_group in select d.refusal, d.reach, array_agg(k order by k.place) as asks
    from (select a.refusal, a.reach, g.asks from (
        select x.facts, x.input - '{token_sha256s,lease_seconds,max_runs}'::text[] as asked,
          array_agg(row(x.place, x.input ->> 'runtime_id', (x.input ->> 'lease_seconds')::int,
            (x.input ->> 'max_runs')::int, x.input -> 'token_sha256s', x.facts,
            x.input -> 'runner_ids')::claim_ask) as asks
        from rows from (jsonb_array_elements(p_grants), jsonb_array_elements(p_inputs))
          with ordinality x (facts, input, place) group by 1, 2) g
      cross join lateral admit_claim(p_tenant, g.facts, g.asked) a offset 0) d
    cross join lateral unnest(d.asks) k
    group by d.refusal, d.reach order by min(k.place)
  loop
    if v_group.refusal is null then
      for v_done in select * from take_runs(p_tenant, v_group.reach, v_group.asks,
        call_time(v_group.reach))
      loop
        v_outcomes[v_done.place] := json_build_object('runs', v_done.runs);
      end loop;
    else
      for v_done in select place from unnest(v_group.asks) loop
        v_outcomes[v_done.place] := json_build_object('refusal', v_group.refusal);
      end loop;
    end if;
  end loop;
  return query select unnest(v_outcomes);
end $$;

create or replace function run_claim(p_tenant text, p_grant jsonb, p_input jsonb) returns jsonb
language sql as $$
  select run_claim_batch(p_tenant, jsonb_build_array(p_grant), jsonb_build_array(p_input))::jsonb
$$;
