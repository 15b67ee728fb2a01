-- What the list statements of src/sql join with: admission in the same statement as the rows, so
-- that nobody reads a list by the authority of a moment before.

-- run_list with a session: through ADMIN, or through RUN with filters that may only repeat what the
-- session is bound to.
create function admit_run_list(
  p_tenant text, p_grant jsonb, p_query jsonb, out refusal jsonb, out path text, out s agent_run
) language plpgsql stable as $$
declare
  v_now timestamptz := call_time(p_grant);
begin
  select * into s from agent_run where tenant_id = p_tenant and run_id = p_grant ->> 'run_id';
  refusal := session_refusal(s, p_grant, v_now);
  if refusal is not null then return; end if;
  if holds_in_workspace(p_grant -> 'admin', s.workspace_id) then
    path := 'admin';
    return;
  end if;
  path := 'run';
  refusal := cap_and_scope_refusal(s, s, p_grant, v_now);
  if refusal is null and (
    (p_query ->> 'conversation_id') <> coalesce(s.conversation_id, '')
    or (p_query ->> 'runner_id') <> s.runner_id
    or (p_query ->> 'workspace_id') <> coalesce(s.workspace_id, '')) then
    refusal := refused('FORBIDDEN', 'out_of_scope');
  end if;
end $$;

-- Reading what hangs on one target run.
create function admit_target(p_tenant text, p_grant jsonb, out refusal jsonb, out run_id text)
language plpgsql stable as $$
declare
  v_loaded record;
  v_admitted record;
begin
  v_loaded := load_runs(p_tenant, p_grant, false);
  v_admitted := admit(v_loaded.s, v_loaded.t, p_grant, call_time(p_grant));
  refusal := v_admitted.refusal;
  if refusal is null then run_id := (v_loaded.t).run_id; end if;
end $$;

-- The status by which runtime_list filters: stale as soon as the heartbeat deadline has passed.
create function runtime_listed_status(r agent_runtime, p_now timestamptz) returns text
language sql immutable as $$
  select case when runtime_is_stale(r, p_now) then 'stale' else runtime_status(r) end
$$;
