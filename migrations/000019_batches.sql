-- Batches: <name>_batch(tenant, grants, inputs) takes equally long JSON arrays and answers one
-- outcome for each write, in their order, each what <name>(tenant, grant, input) would answer after
-- those before it. All rows of a class are locked first, by ascending id: runtimes, then runs. What
-- most writes of a kind have in common is done as a set (000020, 000022), the rest one by one.

-- Plans of a batch are kept: making them costs more than following them. One that is made before
-- the runs were ever counted may read all runs of a tenant to find one, so until then each
-- statement of the calling function, which sets plan_cache_mode for itself, is planned anew. The
-- first batch that finds enough of them counts, so that nobody pays until autovacuum comes by.
create function distrust_plans() returns void language plpgsql as $$
begin
  if (select reltuples < 50 from pg_class where oid = 'agent_run'::regclass) then
    perform set_config('plan_cache_mode', 'force_custom_plan', true);
    if pg_relation_size('agent_run') > 131072 then
      analyze (skip_locked) agent_run;
    end if;
  end if;
end $$;

-- The runs that grants name, session and target, against other writers.
create function lock_runs(p_tenant text, p_grants jsonb) returns void
language sql as $$
  select from agent_run where tenant_id = p_tenant and run_id in (
    select g ->> 'target_run_id' from jsonb_array_elements(p_grants) g
    union select g ->> 'run_id' from jsonb_array_elements(p_grants) g)
  order by id for no key update
$$;

create function run_release_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql as $$
begin
  perform lock_runs(p_tenant, p_grants);
  for i in 0 .. jsonb_array_length(p_inputs) - 1 loop
    return next run_release(p_tenant, p_grants -> i, p_inputs -> i);
  end loop;
end $$;

create function run_claim_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql as $$
begin
  perform from agent_runtime where tenant_id = p_tenant and runtime_id in (
    select input ->> 'runtime_id' from jsonb_array_elements(p_inputs) input)
  order by id for key share;
  for i in 0 .. jsonb_array_length(p_inputs) - 1 loop
    return next run_claim(p_tenant, p_grants -> i, p_inputs -> i);
  end loop;
end $$;

create function run_create_batch(p_tenant text, p_grants jsonb, p_inputs jsonb)
returns setof jsonb language plpgsql as $$
begin
  for i in 0 .. jsonb_array_length(p_inputs) - 1 loop
    return next run_create(p_tenant, p_grants -> i, p_inputs -> i);
  end loop;
end $$;

