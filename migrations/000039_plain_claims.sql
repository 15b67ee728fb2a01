-- Claims that need no look of their own: a plugin takes its own runs for online runtimes of its
-- own, and nothing but ready runs is there to be taken: none held for a runtime, none that has
-- become due, no lease that is over, not more than fits into one answer, and few are asked for.
--
-- Asks that differ in the runtime and the lease come with the hashes of their tokens, one for each
-- run that they may take; each run goes to the first ask that wants one. Answers the work items by
-- the place of their ask, and one row of place 0 when nothing is left for the other asks. It
-- answers no row where it took nothing and leaves the claims to run_claim_batch.
create function claim_plain_runs(p_tenant text, p_caller text, p_now timestamptz, p_asks jsonb)
returns table (place int, item json, traceparent text) language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := coalesce(p_now, now());
  -- One for each token, in the order of the asks.
  v_places int[];
  v_tokens text[];
  v_runtimes text[];
  v_leases int[];
  v_named text[];
  v_online int;
  v_wanted int;
  v_seen record;
begin
  select array_agg(a.place order by a.place, t.nth), array_agg(t.token order by a.place, t.nth),
    array_agg(a.runtime_id order by a.place, t.nth),
    array_agg(a.lease_seconds order by a.place, t.nth), count(*)
  into v_places, v_tokens, v_runtimes, v_leases, v_wanted
  from rows from (jsonb_to_recordset(p_asks) as (runtime_id text, lease_seconds int,
      token_sha256s jsonb)) with ordinality as a (runtime_id, lease_seconds, token_sha256s, place)
    cross join lateral jsonb_array_elements_text(a.token_sha256s) with ordinality t (token, nth);
  -- By itself: in one statement with them it would put the others into its own order.
  v_named := array(select distinct x from unnest(v_runtimes) x);
  if v_wanted > 500 then return; end if;
  -- The lock keeps runtime_deregister and this claim apart: it either sees the claim or is seen.
  select count(*) into v_online from (select from agent_runtime m
    where m.tenant_id = p_tenant and m.runtime_id = any (v_named) and m.deregistered_at is null
      and m.plugin_identity = p_caller and runtime_status(m) = 'online'
      and not runtime_is_stale(m, v_now)
    order by m.id for key share) m;
  if v_online < cardinality(v_named) then return; end if;
  select array_agg(c.id) as ids, count(*) as size, coalesce(sum(c.request_bytes), 0) as weight,
    exists (select from agent_run_open o where o.tenant_id = p_tenant and o.status = 'queued'
      and o.not_before <= v_now and o.requested_runtime_id is null)
    or exists (select from agent_run_open o where o.tenant_id = p_tenant
      and o.requested_runtime_id = any (v_named) and length(o.requested_runtime_id) > 0
      and o.status = 'queued' and (o.not_before is null or o.not_before <= v_now))
    or exists (select from agent_run_open o where o.tenant_id = p_tenant
      and o.status = 'claimed' and o.claim_lease_expires_at <= v_now) as special
  into v_seen
  from (select o.id, o.request_bytes from agent_run_open o where o.tenant_id = p_tenant
      and o.plugin_identity = p_caller and length(o.plugin_identity) > 0
      and o.status = 'queued' and o.not_before is null and o.requested_runtime_id is null
      and (o.deadline_at is null or o.deadline_at > v_now)
    order by o.rank, o.id limit v_wanted + 16) c;
  if v_seen.special or v_seen.weight > 8388608 then return; end if;
  if v_seen.size > 0 then
    perform set_config('runhost.places', 'in statement', true);
    return query with taken as materialized (
      select l.id, l.run_id, row_number() over (order by l.nth) as nth
      from (select a.id, a.run_id, n.nth
        from unnest(v_seen.ids) with ordinality n (id, nth) cross join lateral (
          select a.id, a.run_id from agent_run a where a.tenant_id = p_tenant and a.id = n.id
            and a.status = 'queued' and is_claimable(a, null, v_now)
            for no key update skip locked) a
        limit v_wanted) l
    ), placed as (
      update agent_run_open o set status = 'claimed', not_before = null,
        claimed_by_runtime_id = v_runtimes[t.nth], claim_lease_expires_at = least(
          v_now + make_interval(secs => v_leases[t.nth]), o.deadline_at + interval '60 seconds')
      from (select t.id, t.nth from taken t limit v_wanted) t
      where o.tenant_id = p_tenant and o.id = t.id
    ), claimed as (
      update agent_run r set status = 'claimed',
        claimed_by_runtime_id = v_runtimes[t.nth], claimed_by_identity = p_caller,
        claim_token_sha256 = decode(v_tokens[t.nth], 'hex'), claim_epoch = r.claim_epoch + 1,
        dispatch_attempts = r.dispatch_attempts + 1, last_claimed_at = v_now,
        started_at = coalesce(r.started_at, greatest(v_now, r.created_at)),
        claim_lease_expires_at = least(v_now + make_interval(secs => v_leases[t.nth]),
          r.deadline_at + interval '60 seconds'),
        not_before = null, status_reason = null, updated_at = v_now
      from (select t.id, t.run_id, t.nth from taken t limit v_wanted) t
        cross join lateral (select q.event, q.input, q.binding, q.delivery, q.traceparent
          from agent_run_request q where q.tenant_id = p_tenant and q.run_id = t.run_id offset 0) q
      where r.tenant_id = p_tenant and r.id = t.id
      -- What show_run shows, and the request, as claim_runs answers them.
      returning t.nth, (select row_to_json(w) from (
          select r.id, r.run_id, r.runner_id, r.plugin_identity, r.created_by, r.parent_run_id,
            r.event_id, r.agent_id, r.binding_id, r.conversation_id, r.thread_id, r.workspace_id,
            r.bot_id, r.dispatch, r.status, r.status_reason, r.queue_name, r.priority,
            r.requested_runtime_id, r.claimed_by_runtime_id,
            epoch_seconds(r.claim_lease_expires_at) as claim_lease_expires_at, r.claim_epoch,
            r.dispatch_attempts, r.max_attempts, epoch_seconds(r.not_before) as not_before,
            epoch_seconds(r.last_claimed_at) as last_claimed_at, r.last_sequence,
            epoch_seconds(r.created_at) as created_at, epoch_ms(r.created_at) as created_at_ms,
            epoch_seconds(r.updated_at) as updated_at, epoch_seconds(r.started_at) as started_at,
            epoch_ms(r.started_at) as started_at_ms, null::bigint as finished_at,
            null::bigint as finished_at_ms, epoch_seconds(r.deadline_at) as deadline_at,
            epoch_seconds(r.cancel_requested_at) as cancel_requested_at, r.cancel_reason, r.usage,
            r.cost, r.metadata, q.event, q.input, q.binding, q.delivery,
            epoch_ms(r.claim_lease_expires_at) as claim_lease_expires_at_ms,
            r.snapshot -> 'available_apis' as available_apis) w) as item,
        q.traceparent
    )
    select v_places[c.nth], c.item, c.traceparent from claimed c order by c.nth;
    perform set_config('runhost.places', '', true);
  end if;
  if v_seen.size < v_wanted + 16 then return query select 0, null::json, null::text; end if;
end $$;
