-- Two statements that had left an order to the planner.

-- How many runs each ask wants was put into the order of the runtimes' names.
-- Takes runs for claims of one reach. Candidates are read without a lock and locked skipping what
-- another holds: no run is locked that is not taken, so N claimers over M runs get min(N, M)
-- of them. Each goes to the first claim that wants one and may have it.
create or replace function take_runs(
  p_tenant text, p_reach jsonb, p_asks claim_ask[], p_now timestamptz
) returns table (place int, runs json) language plpgsql as $$
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
  -- Postgres sorts what an aggregate of distinct values reads, and with it what stands beside it.
  v_runtimes := array(select distinct x.runtime_id from unnest(p_asks) x);
  select array_agg(x.max_runs order by x.nth), sum(x.max_runs),
    bool_or(holds(x.grant_facts -> 'admin'))
  into v_wanted, v_left, v_audited from unnest(p_asks) with ordinality x (place, runtime_id,
    lease_seconds, max_runs, token_sha256s, grant_facts, runner_ids, nth);
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

-- What is pending is looked for by the run, not among all that is pending.
create or replace function close_runs(p_tenant text, p_ends run_end[])
returns table (id bigint, run_id text, record json)
language plpgsql as $$
#variable_conflict use_column
begin
  perform set_config('runhost.places', 'in statement', true);
  return query with ended as (
    update agent_run r set status = e.status,
      status_reason = coalesce(e.status_reason, r.status_reason),
      -- A statement that waited for the lock may have begun before what it found there.
      finished_at = greatest(e.at, r.started_at, r.created_at), claim_lease_expires_at = null,
      usage = coalesce(e.usage, r.usage), cost = coalesce(e.cost, r.cost),
      metadata = case when e.metadata is null then r.metadata else r.metadata || e.metadata end,
      updated_at = e.at
    from (select * from unnest(p_ends) limit cardinality(p_ends)) e
    where r.tenant_id = p_tenant and r.id = e.run
      and r.status not in ('completed', 'failed', 'cancelled', 'timeout')
    returning r.id, r.run_id, r.status, r.finished_at, r.updated_at, run_json(r) as record
  ), closed as (
    delete from agent_run_open o using (select d.id from ended d limit cardinality(p_ends)) d
    where o.tenant_id = p_tenant and o.id = d.id
  ), placed as (
    insert into agent_run_ended (tenant_id, id, status, finished_at)
    select p_tenant, d.id, d.status, d.finished_at from ended d
  ), freed as (
    update agent_interaction i set status = 'cancelled', status_reason = 'run ended',
      updated_at = p.ended_at
    from (select d.updated_at as ended_at, p.id from ended d cross join lateral (
        select n.id from agent_interaction n where n.tenant_id = p_tenant
          and n.run_id = d.run_id and n.status = 'pending'
        order by n.tenant_id, n.run_id, n.sequence offset 0) p) p
    where i.tenant_id = p_tenant and i.id = p.id
  )
  select d.id, d.run_id, d.record from ended d;
  perform set_config('runhost.places', '', true);
end $$;
