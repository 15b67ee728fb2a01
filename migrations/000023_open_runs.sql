-- What is looked up by status stands in two narrow tables that a trigger keeps in step with
-- agent_run: one row per run that has not ended, one per run that has. So agent_run has no index
-- on anything that a claim, a stored event, a renewal or an end changes, and each of these is a
-- HOT update. agent_run stays the truth: what is found here is judged there again, under its lock.
-- On a populated database this copies every run once and keeps writers out meanwhile.

lock table agent_run in share row exclusive mode;

create table agent_run_open (
  tenant_id text not null,
  id bigint not null,
  status text not null,
  -- Minus the priority: claims go up by (rank, id), and can go on from one run to the next.
  rank int not null,
  plugin_identity text not null,
  runner_id text not null,
  queue_name text,
  conversation_id text,
  workspace_id text,
  bot_id text,
  thread_id text,
  requested_runtime_id text,
  not_before timestamptz,
  request_bytes int not null,
  deadline_at timestamptz,
  cancel_requested_at timestamptz,
  claimed_by_runtime_id text,
  claim_lease_expires_at timestamptz,
  primary key (tenant_id, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0.2);

create table agent_run_ended (
  tenant_id text not null,
  id bigint not null,
  status text not null,
  finished_at timestamptz not null,
  -- run_list through ADMIN with statuses
  primary key (tenant_id, status, id)
);

-- The narrow row of a run that has not ended.
create function open_rows(r agent_run) returns setof agent_run_open
language sql immutable as $$
  select r.tenant_id, r.id, r.status, -r.priority::int, r.plugin_identity, r.runner_id,
    r.queue_name, r.conversation_id, r.workspace_id, r.bot_id, r.thread_id,
    r.requested_runtime_id, r.not_before, r.request_bytes, r.deadline_at,
    r.cancel_requested_at, r.claimed_by_runtime_id, r.claim_lease_expires_at
  where r.finished_at is null
$$;

insert into agent_run_open select o.* from agent_run r cross join lateral open_rows(r) o;
insert into agent_run_ended (tenant_id, id, status, finished_at)
select tenant_id, id, status, finished_at from agent_run where finished_at is not null;

-- Each of these repeats its key in its predicate: only a statement that says the same uses it, and
-- plans do not change with what the statistics of a table think that fills and empties in seconds.
-- run_claim; runs that are held for one runtime, or not due yet, are no obstacle
create index open_run_ready on agent_run_open (tenant_id, plugin_identity, rank, id)
  where status = 'queued' and not_before is null and requested_runtime_id is null
    and length(plugin_identity) > 0;
-- run_claim with queue_name
create index open_run_ready_queue
  on agent_run_open (tenant_id, queue_name, plugin_identity, rank, id)
  where status = 'queued' and not_before is null and requested_runtime_id is null
    and length(queue_name) > 0;
-- run_claim with runner_ids
create index open_run_ready_runner on agent_run_open (tenant_id, runner_id, rank, id)
  where status = 'queued' and not_before is null and requested_runtime_id is null
    and length(runner_id) > 0;
-- run_claim: runs that have become due, few of them, or many
create index open_run_due on agent_run_open (tenant_id, not_before)
  where status = 'queued' and not_before is not null and requested_runtime_id is null;
create index open_run_delayed on agent_run_open (tenant_id, plugin_identity, rank, id)
  where status = 'queued' and not_before is not null and requested_runtime_id is null
    and length(plugin_identity) > 0;
-- run_claim: runs that are held for the claiming runtime
create index open_run_pinned on agent_run_open (tenant_id, requested_runtime_id, rank, id)
  where status = 'queued' and length(requested_runtime_id) > 0;
-- run_claim, sweep: leases that are over
create index open_run_lease on agent_run_open (tenant_id, claim_lease_expires_at)
  where status = 'claimed';
-- run_list through ADMIN with statuses, runtime_deregister, the gauge of live runs
create index open_run_busy on agent_run_open (tenant_id, status, id)
  where status <> 'queued' and id > 0;
-- event_publish: live runs of a conversation; run_claim through RUN
create index open_run_conversation on agent_run_open (tenant_id, conversation_id, id)
  where conversation_id is not null;
-- Sweep: deadlines that have passed
create index open_run_deadline on agent_run_open (tenant_id, deadline_at)
  where deadline_at is not null;
-- Hosts look for cancel requests that other hosts took
create index open_run_cancel on agent_run_open (tenant_id, cancel_requested_at)
  where cancel_requested_at is not null;
-- Retention
create index ended_run_finished on agent_run_ended (tenant_id, finished_at);

drop index agent_run_claim_own, agent_run_claim_queue, agent_run_claim_any, agent_run_lease,
  agent_run_by_runtime, agent_run_cancel_requested, agent_run_list_status, agent_run_deadline,
  agent_run_finished, agent_run_live_scope;
-- Half of a page stays free, so that claims of all its runs, taken together, are HOT updates: what
-- the heap grows by, the indexes of the table do not.
alter table agent_run set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_insert_scale_factor = 0.1);

create function place_new_runs() returns trigger language plpgsql as $$
begin
  insert into agent_run_open select o.* from added r cross join lateral open_rows(r) o;
  if exists (select from added where finished_at is not null) then
    insert into agent_run_ended (tenant_id, id, status, finished_at)
    select tenant_id, id, status, finished_at from added where finished_at is not null;
  end if;
  return null;
end $$;

create function place_moved_run() returns trigger language plpgsql as $$
begin
  if old.finished_at is not null then
    delete from agent_run_ended
      where tenant_id = old.tenant_id and status = old.status and id = old.id;
  end if;
  if new.finished_at is not null then
    delete from agent_run_open where tenant_id = new.tenant_id and id = new.id;
    insert into agent_run_ended (tenant_id, id, status, finished_at)
      values (new.tenant_id, new.id, new.status, new.finished_at);
  else
    update agent_run_open set status = new.status, not_before = new.not_before,
      deadline_at = new.deadline_at, cancel_requested_at = new.cancel_requested_at,
      claimed_by_runtime_id = new.claimed_by_runtime_id,
      claim_lease_expires_at = new.claim_lease_expires_at
    where tenant_id = new.tenant_id and id = new.id;
    if not found then insert into agent_run_open select * from open_rows(new); end if;
  end if;
  return null;
end $$;

create function place_removed_runs() returns trigger language plpgsql as $$
begin
  delete from agent_run_open o using removed r where o.tenant_id = r.tenant_id and o.id = r.id;
  delete from agent_run_ended e using removed r
    where e.tenant_id = r.tenant_id and e.status = r.status and e.id = r.id;
  return null;
end $$;

create trigger agent_run_added after insert on agent_run referencing new table as added
  for each statement execute function place_new_runs();
create trigger agent_run_moved after update on agent_run for each row
  when ((old.status, old.not_before, old.deadline_at, old.cancel_requested_at, old.finished_at,
      old.claimed_by_runtime_id, old.claim_lease_expires_at)
    is distinct from (new.status, new.not_before, new.deadline_at, new.cancel_requested_at,
      new.finished_at, new.claimed_by_runtime_id, new.claim_lease_expires_at))
  execute function place_moved_run();
create trigger agent_run_removed after delete on agent_run referencing old table as removed
  for each statement execute function place_removed_runs();
