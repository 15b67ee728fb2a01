-- Ends that need no look of their own: the first end of a claimed run, by the holder of its claim,
-- that adds no metadata. What ends the run is what judges it; what hangs on the run is looked at
-- afterwards, when its lock is held and nothing can be added to it any more. Answers [place, Run]
-- of each that ended, and the places of those whose messages another run took over.
create function end_plain_runs(p_tenant text, p_ends jsonb, out ended json, out queued int[])
language plpgsql set plan_cache_mode to force_generic_plan set enable_seqscan to off
set enable_bitmapscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
declare
  v_run_ids text[];
  v_places int[];
  v_leaving text[];
  v_run agent_run;
begin
  perform set_config('runhost.places', 'in statement', true);
  with ended as (
    update agent_run r set status = i.status,
      status_reason = coalesce(i.status_reason, r.status_reason),
      -- A statement that waited for the lock may have begun before what it found there.
      finished_at = greatest(i.at, r.started_at, r.created_at), claim_lease_expires_at = null,
      usage = coalesce(nullif(i.usage, 'null'), r.usage),
      cost = coalesce(nullif(i.cost, 'null'), r.cost), updated_at = i.at
    from (select * from (select f.spot, x.place, x.caller, x.runtime_id, x.epoch, x.status,
          x.status_reason, x.usage, x.cost, decode(x.token_sha256, 'hex') as token,
          coalesce(x.now, now()) as at
        from rows from (jsonb_to_recordset(p_ends) as (run_id text, caller text,
            runtime_id text, token_sha256 text, epoch bigint, now timestamptz, status text,
            status_reason text, usage jsonb, cost jsonb))
          with ordinality as x (run_id, caller, runtime_id, token_sha256, epoch, now, status,
            status_reason, usage, cost, place)
          cross join lateral (select a.id, a.ctid as spot from agent_run a
            where a.tenant_id = p_tenant and a.run_id = x.run_id offset 0) f
        order by f.id limit jsonb_array_length(p_ends)) i
      limit jsonb_array_length(p_ends)) i
    where r.tenant_id = p_tenant and r.ctid = i.spot and r.status = 'claimed'
      and r.claim_lease_expires_at > i.at and r.claimed_by_identity = i.caller
      and r.claimed_by_runtime_id = i.runtime_id and r.claim_token_sha256 = i.token
      and coalesce(i.epoch = r.claim_epoch, true)
    returning i.place::int, r.id, r.run_id, r.status, r.finished_at, run_json(r) as record
  ), closed as (
    delete from agent_run_open o
    using (select d.id from ended d limit jsonb_array_length(p_ends)) d
    where o.tenant_id = p_tenant and o.id = d.id
  ), placed as (
    insert into agent_run_ended (tenant_id, id, status, finished_at)
    select p_tenant, d.id, d.status, d.finished_at from ended d
  )
  select json_agg(json_build_array(d.place, d.record)), array_agg(d.place), array_agg(d.run_id)
  into ended, v_places, v_run_ids from ended d;
  perform set_config('runhost.places', '', true);
  -- The order leaves one index to each, by the run.
  v_leaving := array(select n.run_id from unnest(v_run_ids) n (run_id) where exists (
      select from agent_interaction i where i.tenant_id = p_tenant and i.run_id = n.run_id
        and i.status = 'pending' order by i.tenant_id, i.run_id, i.sequence offset 0)
    or exists (select from agent_run_steering s where s.tenant_id = p_tenant
      and s.run_id = n.run_id and s.state in ('queued', 'leased')
      order by s.tenant_id, s.run_id, s.id offset 0));
  if v_leaving = '{}' then return; end if;
  for v_run in select * from agent_run a where a.tenant_id = p_tenant
    and a.run_id = any (v_leaving) order by a.id
  loop
    update agent_interaction set status = 'cancelled', status_reason = 'run ended',
      updated_at = v_run.updated_at
    where tenant_id = p_tenant and run_id = v_run.run_id and status = 'pending';
    if exists (select from agent_run_steering s where s.tenant_id = p_tenant
      and s.run_id = v_run.run_id and s.state in ('queued', 'leased')) then
      perform settle_leftovers(v_run, v_run.updated_at);
      if exists (select from agent_run_steering s where s.tenant_id = p_tenant
        and s.run_id = v_run.run_id and s.state = 'redispatched') then
        queued := queued || v_places[array_position(v_run_ids, v_run.run_id)];
      end if;
    end if;
  end loop;
end $$;
