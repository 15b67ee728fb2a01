-- Plans of a batch are kept: making them costs more than following them. One that was made before
-- the runs were counted may read all runs of a tenant to find one, so the first batch that finds
-- the table eight times as large as when it was last counted counts it, and with that all plans are
-- made anew; autovacuum is not waited for. On fewer pages than are counted here no plan is bad.
create or replace function distrust_plans() returns void language plpgsql as $$
begin
  if pg_relation_size('agent_run') > greatest(131072, (
    select relpages from pg_class where oid = 'agent_run'::regclass) * 65536::bigint)
  then
    analyze (skip_locked) agent_run;
  end if;
end $$;
