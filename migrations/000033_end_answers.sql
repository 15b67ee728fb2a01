-- In the set: the first end of each run, proved by its claim, that adds no metadata to be measured.
drop function run_finalize_batch(text, jsonb, jsonb);
create function run_finalize_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof json language plpgsql set plan_cache_mode to force_generic_plan as $$
declare
  v_outcomes json[] := array_fill(null::json, array[jsonb_array_length(p_inputs)], array[0]);
  v_ends run_end[];
  v_places int[];
  v_others int[];
  v_done record;
  p int;
begin
  with judged as (
    select c.*, c.proved and coalesce(c.input -> 'metadata', 'null') in ('null', '{}')
      and row_number() over (partition by c.run_id order by c.place) = 1 as in_set
    from rows from (lock_claims(p_tenant, p_grants), jsonb_array_elements(p_inputs)) as c (place,
      run_id, run, caller, runtime_id, at, proved, claim_epoch, last_sequence, conversation_id,
      plugin_identity, input)
  )
  select array_agg(row(j.run, j.input ->> 'status', j.input ->> 'status_reason',
      nullif(j.input -> 'usage', 'null'), nullif(j.input -> 'cost', 'null'), null,
      j.at)::run_end order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where j.in_set),
    array_agg(j.place order by j.place) filter (where not j.in_set)
  into v_ends, v_places, v_others
  from judged j;
  for v_done in select e.place, r.record, r.queued from end_runs(p_tenant, v_ends) r
    join rows from (unnest(v_ends), unnest(v_places)) as e (run, status, status_reason, usage,
      cost, metadata, at, place) on e.run = r.run
  loop
    v_outcomes[v_done.place] := json_build_object('run', v_done.record, 'ended', true,
      'queued', v_done.queued);
  end loop;
  foreach p in array coalesce(v_others, '{}') loop
    v_outcomes[p] := run_finalize(p_tenant, p_grants -> p, p_inputs -> p);
  end loop;
  return query select o from unnest(v_outcomes) o;
end $$;
