-- Storing events; a receipt for each, in their order. The caller holds the locks of their runs and
-- gives those of one run in ascending sequence, so ids and sequences grow together. The limit makes
-- the planner look each run up by its key, whatever it believes of their number.
create or replace function store_events(p_tenant text, p_events new_event[])
returns setof jsonb language plpgsql set plan_cache_mode to force_generic_plan
set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $$
begin
  update agent_run r set last_sequence = e.sequence, updated_at = e.created_at
  from (select run, max(sequence) as sequence, max(created_at) as created_at
    from unnest(p_events) group by run limit cardinality(p_events)) e
  where r.tenant_id = p_tenant and r.id = e.run;
  return query with stored as (
    insert into agent_run_event (tenant_id, run_id, sequence, type, data, usage, metadata, source,
      written_by, claim_epoch, fingerprint, bytes, created_at)
    select p_tenant, e.run_id, e.sequence, e.type, e.data, e.usage, e.metadata, e.source,
      e.written_by, e.claim_epoch, e.fingerprint, e.bytes, e.created_at
    from unnest(p_events) e
    returning id, run_id, sequence, type, source, claim_epoch, created_at
  )
  select event_receipt(s.id, s.run_id, s.sequence, s.type, s.source, s.claim_epoch, s.created_at)
  from stored s;
end $$;
